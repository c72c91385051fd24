"""Read body files that were pickled, without running anything that a pickle may ask for.

A pickle is a program: `pickle.load` on a stranger's file runs it. Here only a short list of names can be
looked up, each replaced by something that holds data: NumPy arrays and types, sparse matrices and chumpy
arrays as dumb containers. Everything else is refused before it is imported.
"""

from __future__ import annotations

import importlib
import pickle
from pathlib import Path
from typing import Any

import numpy as np

from imusim.errors import MotionFileError


def load_pickled_arrays(path: Path) -> dict[str, Any]:
    """Return the dictionary in a pickle with every array-like entry as an array.

    Raises
    ------
    MotionFileError
        If the pickle names anything outside the list, is damaged, or is not a dictionary.
    """
    try:
        with path.open("rb") as file:
            content = _Unpickler(file, encoding="latin1").load()
    except MotionFileError as error:
        raise MotionFileError(f"{path.name}: {error}") from None
    except Exception as error:  # a damaged pickle can raise nearly anything
        raise MotionFileError(
            f"{path.name} is damaged or not a pickle: {type(error).__name__}: {error}"
        ) from None
    if not isinstance(content, dict):
        raise MotionFileError(f"{path.name} holds a {type(content).__name__}, wanted a dictionary of arrays")
    return {str(k): _plain(v) for k, v in content.items()}


class _Container:
    """Takes the place of a class: keeps the state it is given, does nothing."""

    def __init__(self, *args: Any) -> None:
        self.args = args

    def __setstate__(self, state: Any) -> None:
        if not isinstance(state, dict):
            raise MotionFileError(
                f"state of a {type(self).__name__} is a {type(state).__name__}, wanted a dictionary"
            )
        self.state = state

    def part(self, *names: str) -> Any:
        state = getattr(self, "state", {})
        for name in names:
            if name in state:
                return state[name]
        raise MotionFileError(f"a {type(self).__name__.strip('_')} array lacks {' or '.join(names)}")


class _Chumpy(_Container):
    """chumpy.ch.Ch (values in `x`) or chumpy.reordering.Select (entries `idxs` of `a`)."""

    def array(self) -> np.ndarray:
        state = getattr(self, "state", {})
        if "x" in state:
            return np.asarray(_plain(state["x"]))
        base = np.asarray(_plain(self.part("a"))).ravel()
        index = np.asarray(_plain(self.part("idxs"))).astype(np.int64).ravel()
        return base[index].reshape(tuple(int(n) for n in self.part("preferred_shape")))


class _Sparse(_Container):
    """scipy.sparse csc or csr matrix; the indices are checked, since SciPy would not."""

    by_column = True

    def array(self) -> np.ndarray:
        rows, columns = (int(n) for n in self.part("_shape", "shape"))
        data, inner = (
            np.asarray(self.part("data"), dtype=np.float64),
            np.asarray(self.part("indices"), dtype=np.int64),
        )
        ends = np.asarray(self.part("indptr"), dtype=np.int64)
        outer, depth = (columns, rows) if self.by_column else (rows, columns)
        if not 0 < rows * columns <= 10**8:
            raise MotionFileError(f"a sparse matrix claims to be {rows} × {columns}")
        counts = np.diff(ends)
        fits = ends.shape == (outer + 1,) and ends[0] == 0 and ends[-1] == data.size and (counts >= 0).all()
        if not fits or inner.shape != data.shape or (data.size and (inner.min() < 0 or inner.max() >= depth)):
            raise MotionFileError("a sparse matrix has indices that do not fit its shape")
        out = np.zeros((rows, columns))
        lines = np.repeat(np.arange(outer), counts)
        np.add.at(out, (inner, lines) if self.by_column else (lines, inner), data)
        return out


class _SparseRows(_Sparse):
    by_column = False


def _encode(text: str, encoding: str = "latin1", errors: str = "strict") -> bytes:
    """codecs.encode for the one use that array pickles have for it."""
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1", "iso-8859-1"):
        raise MotionFileError(f"encoding {encoding!r} is not used by array pickles")
    return text.encode("latin1", errors)


def _reconstructor(kind: type, base: type, state: Any) -> Any:
    """copyreg._reconstructor for containers only."""
    if not (isinstance(kind, type) and issubclass(kind, _Container)):
        raise MotionFileError("only arrays may be rebuilt")
    return kind()


def _allowed() -> dict[tuple[str, str], Any]:
    """(module, name) → what stands for it."""
    home = "numpy._core" if int(np.__version__.split(".")[0]) >= 2 else "numpy.core"
    multiarray, numeric = (importlib.import_module(f"{home}.{part}") for part in ("multiarray", "numeric"))
    table: dict[tuple[str, str], Any] = {
        ("numpy", "ndarray"): np.ndarray,
        ("numpy", "dtype"): np.dtype,
        ("_codecs", "encode"): _encode,
        ("copyreg", "_reconstructor"): _reconstructor,
        ("copy_reg", "_reconstructor"): _reconstructor,
        ("builtins", "object"): object,
        ("__builtin__", "object"): object,
    }
    for core in ("numpy.core", "numpy._core"):
        table[f"{core}.multiarray", "_reconstruct"] = multiarray._reconstruct
        table[f"{core}.multiarray", "scalar"] = multiarray.scalar
        table[f"{core}.numeric", "_frombuffer"] = numeric._frombuffer
    for name in ("csc", "csr"):
        stand_in = _Sparse if name == "csc" else _SparseRows
        for module in (f"scipy.sparse.{name}", f"scipy.sparse._{name}", "scipy.sparse"):
            table[module, f"{name}_matrix"] = table[module, f"{name}_array"] = stand_in
    for module, name in (
        ("chumpy.ch", "Ch"),
        ("chumpy", "Ch"),
        ("chumpy.reordering", "Select"),
        ("chumpy", "Select"),
    ):
        table[module, name] = _Chumpy
    return table


class _Unpickler(pickle.Unpickler):
    allowed = _allowed()

    def find_class(self, module: str, name: str) -> Any:
        try:
            return self.allowed[module, name]
        except KeyError:
            raise MotionFileError(
                f"refused: the pickle asks for {module}.{name}, which is not data. "
                "If you trust the file, convert it to .npz (numpy.savez of its arrays)."
            ) from None


def _plain(value: Any) -> Any:
    return value.array() if isinstance(value, (_Chumpy, _Sparse)) else value
