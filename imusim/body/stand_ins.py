"""What the names in a pickled body file are turned into: objects that hold data and run nothing.

Not even NumPy's own classes are filled from a pickle: the state of an array or dtype that was tampered with could
make NumPy take numbers for addresses. Arrays are rebuilt here from checked parts instead.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from imusim.errors import MotionFileError

_NUMERIC = re.compile(r"[biufcSU]\d{1,6}\Z")
_LARGEST = 2 * 10**9


class StandIn:
    """Takes the place of a class: keeps the state it is given."""

    def __init__(self, *args: Any) -> None:
        self.args = args
        self.state: Any = {}

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def array(self) -> Any:
        """Return what it stands for as an array, or raise MotionFileError."""
        raise MotionFileError(f"a {type(self).__name__} is no array")

    def part(self, *names: str) -> Any:
        """Return the first of these entries that the state has, as plain data."""
        if not isinstance(self.state, dict):
            raise MotionFileError(
                f"state of a {type(self).__name__} is a {type(self.state).__name__}, wanted a dictionary"
            )
        for name in names:
            if name in self.state:
                return plain(self.state[name])
        raise MotionFileError(f"a {type(self).__name__} lacks {' or '.join(names)}")


class Dtype(StandIn):
    """numpy.dtype of a plain number or text."""

    def kind(self) -> np.dtype[Any] | None:
        """Return the type; None for "any object"."""
        code = self.args[0] if self.args else None
        if not isinstance(code, str):
            raise MotionFileError(f"an array type is {code!r}, wanted a code such as f8")
        if re.match(r"O\d?\Z", code):
            return None
        if not _NUMERIC.match(code):
            raise MotionFileError(f"arrays of type {code!r} are not read")
        order = "="
        if isinstance(self.state, tuple):
            if len(self.state) < 5 or any(part is not None for part in self.state[2:5]):
                raise MotionFileError("arrays of records are not read")
            order = self.state[1]
        if order not in ("<", ">", "=", "|"):
            raise MotionFileError(f"byte order {order!r} is none")
        return np.dtype(order + code)


class Array(StandIn):
    """numpy.ndarray, filled by its state: (version,) shape, type, column order, data."""

    def array(self) -> Any:
        """Return it as an array; one of objects as an object array of plain data."""
        if not isinstance(self.state, tuple) or len(self.state) not in (4, 5):
            raise MotionFileError("an array has no content")
        shape, kind, columns_first, data = self.state[-4:]
        return build(data, kind, shape, "F" if columns_first else "C")


class Scalar(StandIn):
    """numpy scalar: type and bytes."""

    def array(self) -> Any:
        """Return it as an array without axes."""
        if len(self.args) != 2:
            raise MotionFileError("a number has no value")
        return build(self.args[1], self.args[0], (), "C")


class Buffer(StandIn):
    """An array by numpy.core.numeric._frombuffer: bytes, type, shape, order (and the order of its axes)."""

    def array(self) -> Any:
        """Return it as an array."""
        if len(self.args) not in (4, 5):
            raise MotionFileError("an array has no content")
        data, kind, shape, order = self.args[:4]
        if order != "K":
            return build(data, kind, shape, order)
        out = build(data, kind, shape, "C")
        axes = self.args[4] if len(self.args) == 5 else None
        if axes is None or sorted(axes) != list(range(out.ndim)):
            raise MotionFileError(f"an array has axes in the order {axes}")
        return out.transpose(axes)


class Chumpy(StandIn):
    """chumpy.ch.Ch (values in `x`) or chumpy.reordering.Select (entries `idxs` of `a`); others only if not needed."""

    def array(self) -> Any:
        """Return its values."""
        state = self.state if isinstance(self.state, dict) else {}
        if "x" in state:
            return np.asarray(self.part("x"))
        if not {"a", "idxs", "preferred_shape"} <= state.keys():
            raise MotionFileError("a chumpy expression other than Ch and Select is not worked out")
        base = np.asarray(self.part("a")).ravel()
        index = np.asarray(self.part("idxs")).astype(np.int64).ravel()
        if index.size and (index.min() < 0 or index.max() >= base.size):
            raise MotionFileError("a chumpy selection names entries that are not there")
        return base[index].reshape(tuple(int(n) for n in self.part("preferred_shape")))


class SparseColumns(StandIn):
    """scipy.sparse csc matrix; the indices are checked, since SciPy would not."""

    by_column = True

    def array(self) -> Any:
        """Return it with its zeros."""
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


class SparseRows(SparseColumns):
    """scipy.sparse csr matrix."""

    by_column = False


def build(data: Any, kind: Any, shape: Any, order: Any) -> Any:
    """Return an array from bytes, or of objects from a list, or raise MotionFileError if they do not fit together."""
    if not isinstance(kind, Dtype):
        raise MotionFileError(f"the type of an array is a {type(kind).__name__}")
    if not isinstance(shape, tuple) or not all(isinstance(n, int) and 0 <= n <= _LARGEST for n in shape):
        raise MotionFileError(f"the shape of an array is {shape!r}")
    if order not in ("C", "F"):
        raise MotionFileError(f"the order of an array is {order!r}")
    dtype, count = kind.kind(), 1
    for n in shape:
        count *= n
    if dtype is None:
        if not isinstance(data, list) or len(data) != count:
            raise MotionFileError("an array of objects does not have as many as its shape says")
        out = np.empty(count, dtype=object)
        out[:] = [plain(value) for value in data]
        return out.reshape(shape, order=order)
    if isinstance(data, str):  # as Python 2 wrote bytes
        data = data.encode("latin1")
    if not isinstance(data, (bytes, bytearray)) or len(data) != count * dtype.itemsize:
        raise MotionFileError(f"an array of shape {shape} has another number of bytes")
    return np.frombuffer(bytes(data), dtype=dtype).reshape(shape, order=order)


def plain(value: Any) -> Any:
    """Return arrays for stand-ins, also inside dictionaries, lists and tuples."""
    if isinstance(value, StandIn):
        return value.array()
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(plain(v) for v in value)
    return value
