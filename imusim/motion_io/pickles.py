"""SMPL parameters that estimators leave as pickles (.pkl) or torch files (.pt): read without running what is in them."""

from __future__ import annotations

import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imusim.body.safe_pickle import load_pickled_arrays
from imusim.errors import MotionFileError
from imusim.motion_io.smpl_params import looks_like_smpl

_STORAGES = {
    "FloatStorage": np.float32, "DoubleStorage": np.float64, "HalfStorage": np.float16, "LongStorage": np.int64,
    "IntStorage": np.int32, "BoolStorage": np.bool_,
}  # fmt: skip
_GROUPS = ("smpl_params_global", "smpl_params_incam", "smpl_params")


def read_pickled(path: Path, person: str | int | None = None) -> dict[str, NDArray[Any]]:
    """Return the arrays of one person's SMPL parameters.

    Parameters
    ----------
    path : .pkl (WHAM's ``wham_output.pkl`` and the like) or .pt (GVHMR's ``hmr4d_results.pt``)
    person : key of the person, where the file holds several; None: the only one, or the one seen longest

    Raises
    ------
    MotionFileError
        If it asks for anything that is not data (it is not run), is damaged, or holds no SMPL parameters.
    """
    held = _torch(path) if zipfile.is_zipfile(path) else load_pickled_arrays(path)
    for name in _GROUPS:  # world before camera
        if isinstance(held.get(name), Mapping):
            return _flat(held[name])
    if looks_like_smpl(held):
        return _flat(held)
    people = {str(k): v for k, v in held.items() if isinstance(v, Mapping) and looks_like_smpl(v)}
    if not people:
        raise MotionFileError(
            f"{path.name} holds no SMPL parameters (keys {', '.join(map(str, list(held)[:8]))}). "
            "Save poses, trans and betas as .npz (numpy.savez)."
        )
    if person is None:
        person = max(people, key=lambda k: len(np.atleast_1d(next(iter(people[k].values())))))
    if str(person) not in people:
        raise MotionFileError(f"{path.name}: no person {person!r}; it has {', '.join(people)}")
    return _flat(people[str(person)])


def _flat(held: Mapping[Any, Any]) -> dict[str, NDArray[Any]]:
    return {str(k): np.asarray(v) for k, v in held.items() if isinstance(v, (np.ndarray, int, float, str))}


class _Stored:
    """A torch storage: its type and the member that holds it."""

    def __init__(self, dtype: Any, key: str, size: int) -> None:
        self.dtype, self.key, self.size = np.dtype(dtype), key, size


def _torch(path: Path) -> dict[str, Any]:
    """A dictionary of tensors out of torch's zip format."""
    try:
        with zipfile.ZipFile(path) as held:
            main = next((n for n in held.namelist() if n.endswith("/data.pkl")), None)
            if main is None:
                raise MotionFileError(f"{path.name} is no torch file (no data.pkl in it)")
            with held.open(main) as stream:
                content = _TensorUnpickler(stream, held, main.removesuffix("data.pkl")).load()
    except MotionFileError as error:
        raise MotionFileError(f"{path.name}: {error}") from None
    except Exception as error:  # a damaged pickle can raise nearly anything
        raise MotionFileError(f"{path.name} is damaged: {type(error).__name__}: {error}") from None
    if not isinstance(content, dict):
        raise MotionFileError(f"{path.name} holds a {type(content).__name__}, wanted a dictionary of tensors")
    return content


class _TensorUnpickler(pickle.Unpickler):
    """Knows tensors and dictionaries, and nothing else."""

    def __init__(self, stream: Any, held: zipfile.ZipFile, folder: str) -> None:
        super().__init__(stream, encoding="utf-8")
        self._held, self._folder = held, folder

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return self._tensor
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if module == "torch" and name in _STORAGES:
            return _STORAGES[name]
        raise MotionFileError(
            f"refused: it asks for {module}.{name}, which is not data. If you trust it, save its arrays as .npz."
        )

    def persistent_load(self, pid: Any) -> Any:
        kind, dtype, key, _, size = pid
        if kind != "storage":
            raise MotionFileError(f"refused: a {kind!r} is not a tensor")
        return _Stored(dtype, str(key), int(size))

    def _tensor(self, stored: _Stored, offset: int, shape: Any, stride: Any, *_: Any) -> NDArray[Any]:
        raw = self._held.read(f"{self._folder}data/{stored.key}")
        flat = np.frombuffer(raw, dtype=stored.dtype)
        shape, stride = tuple(int(n) for n in shape), tuple(int(n) for n in stride)
        last = offset + sum((n - 1) * s for n, s in zip(shape, stride, strict=True)) if shape else offset
        if (
            len(shape) != len(stride)
            or min((0, offset, *shape, *stride)) < 0
            or (all(shape) and last >= flat.size)
        ):
            raise MotionFileError(f"a tensor of shape {shape} does not fit its {flat.size} stored values")
        if int(np.prod(shape, dtype=np.float64)) > flat.size:
            raise MotionFileError(f"a tensor of shape {shape} repeats its {flat.size} stored values")
        if not all(shape):
            return np.zeros(shape, dtype=stored.dtype)
        steps = tuple(s * stored.dtype.itemsize for s in stride)
        return np.lib.stride_tricks.as_strided(flat[offset:], shape, steps, writeable=False).copy()
