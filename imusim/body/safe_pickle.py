"""Read body files that were pickled, without running anything that a pickle may ask for.

A pickle is a program: `pickle.load` on a stranger's file runs it. Here only a short list of names can be looked up,
each replaced by something that holds data (`imusim.body.stand_ins`). Everything else is refused before it is imported.
"""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

from imusim.body.stand_ins import (
    Array,
    Buffer,
    Chumpy,
    Dtype,
    Scalar,
    SparseColumns,
    SparseRows,
    StandIn,
    plain,
)
from imusim.errors import MotionFileError


def load_pickled_arrays(path: Path) -> dict[str, Any]:
    """Return the dictionary in a pickle, with arrays for everything in it that is one.

    An entry that cannot be worked out, such as an expression that only its author's library knows, is left as it is:
    whoever needs it will find that it is no array.

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
    out: dict[str, Any] = {}
    for key, value in content.items():
        try:
            out[str(key)] = plain(value)
        except MotionFileError as error:
            if not _expression(value):
                raise MotionFileError(f"{path.name}: {key}: {error}") from None
            out[str(key)] = value
        except (ValueError, TypeError, OverflowError, MemoryError, RecursionError) as error:
            raise MotionFileError(f"{path.name}: {key} is damaged: {type(error).__name__}: {error}") from None
    return out


def _expression(value: Any) -> bool:
    return isinstance(value, Chumpy) and isinstance(value.state, dict) and "x" not in value.state


def _table() -> dict[tuple[str, str], Any]:
    """(module, name) → what stands for it; made anew for each file, so that none can leave a mark on the next."""

    def encode(text: Any, encoding: Any = "latin1", errors: Any = "strict") -> bytes:
        if not isinstance(text, str) or encoding not in ("latin1", "latin-1", "iso-8859-1"):
            raise MotionFileError(f"encoding {encoding!r} is not used by array pickles")
        return text.encode("latin1", "strict")

    def reconstruct(kind: Any, *_: Any) -> Any:
        """numpy._reconstruct and copyreg._reconstructor, of stand-ins only."""
        if not (isinstance(kind, type) and issubclass(kind, StandIn)):
            raise MotionFileError("only arrays may be rebuilt")
        return kind()

    def no_bytes(*content: Any) -> bytes:
        if content:
            raise MotionFileError("bytes are made of nothing but themselves")
        return b""

    class Nothing(StandIn):
        """The class `object`, where it is named as a base."""

    table: dict[tuple[str, str], Any] = {
        ("numpy", "ndarray"): Array,
        ("numpy", "dtype"): Dtype,
        ("_codecs", "encode"): encode,
        ("collections", "OrderedDict"): dict,
    }
    for module in ("copyreg", "copy_reg"):
        table[module, "_reconstructor"] = reconstruct
    for module in ("builtins", "__builtin__"):
        table[module, "object"] = Nothing
        table[module, "bytes"] = no_bytes  # how old protocols spell the content of an empty array
        table[module, "set"], table[module, "frozenset"] = (
            set,
            frozenset,
        )  # chumpy keeps its bookkeeping in them
    for core in ("numpy.core", "numpy._core"):
        table[f"{core}.multiarray", "_reconstruct"] = reconstruct
        table[f"{core}.multiarray", "scalar"] = Scalar
        table[f"{core}.numeric", "_frombuffer"] = Buffer
    for name, stand_in in (("csc", SparseColumns), ("csr", SparseRows)):
        for module in (f"scipy.sparse.{name}", f"scipy.sparse._{name}", "scipy.sparse"):
            table[module, f"{name}_matrix"] = table[module, f"{name}_array"] = stand_in
    return table


class _Unpickler(pickle.Unpickler):
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._table = _table()

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in self._table:
            return self._table[module, name]
        if module.split(".")[0] == "chumpy":
            return Chumpy
        raise MotionFileError(
            f"refused: the pickle asks for {module}.{name}, which is not data. "
            "If you trust the file, convert it to .npz (numpy.savez of its arrays)."
        )
