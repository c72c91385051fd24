"""Arrays out of .npy and .npz files: no pickles, and no memory for more than the file holds."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Container, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from imusim.errors import MotionFileError

_DAMAGE = (
    OSError,
    EOFError,
    KeyError,
    TypeError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
    NotImplementedError,
)


def npz_keys(path: Path) -> tuple[str, ...]:
    """Names of the arrays in an .npz file.

    Raises
    ------
    MotionFileError
        If it is damaged.
    """
    with _whole(path), zipfile.ZipFile(path) as held:
        return tuple(n.removesuffix(".npy") for n in held.namelist())


def read_arrays(path: Path, keys: Container[str] | None = None) -> dict[str, NDArray[Any]]:
    """Read the arrays of an .npz file, all or those in `keys`.

    Raises
    ------
    MotionFileError
        If the file is damaged, an array is a pickle, or claims to be larger than the file holds.
    """
    out: dict[str, NDArray[Any]] = {}
    with _whole(path), zipfile.ZipFile(path) as held:
        for member in held.infolist():
            key = member.filename.removesuffix(".npy")
            if keys is not None and key not in keys:
                continue
            with held.open(member) as stream:
                out[key] = _array(stream, member.file_size, f"{path.name}: {key}")
    return out


def read_array(path: Path) -> NDArray[Any]:
    """Read an .npy file; raises as `read_arrays`."""
    with _whole(path), path.open("rb") as stream:
        return _array(stream, path.stat().st_size, path.name)


def _array(stream: IO[bytes], size: int, what: str) -> NDArray[Any]:
    """One array; its header must fit the number of bytes there are."""
    version = np.lib.format.read_magic(stream)
    if version == (1, 0):
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(stream)
    elif version == (2, 0):
        shape, fortran, dtype = np.lib.format.read_array_header_2_0(stream)
    else:
        raise MotionFileError(f"{what}: array format {version} is not known")
    if dtype.hasobject:
        raise MotionFileError(
            f"{what} is a pickled object, which could run code. Convert it: save plain arrays with numpy.savez."
        )
    wanted = dtype.itemsize
    for n in shape:
        wanted *= int(n)
    if wanted > size:
        raise MotionFileError(
            f"{what} claims {'×'.join(map(str, shape))} values ({wanted:.3g} bytes), the file holds {size} bytes"
        )
    data = stream.read(wanted)
    if len(data) < wanted:
        raise MotionFileError(f"{what} is cut off: {len(data)} of {wanted} bytes")
    array = np.frombuffer(data, dtype=dtype).reshape(shape, order="F" if fortran else "C")
    return array.copy() if array.ndim else array


@contextmanager
def _whole(path: Path) -> Iterator[None]:
    try:
        yield
    except MotionFileError:
        raise
    except _DAMAGE as error:
        why = str(error).strip().split("\n")[0]
        raise MotionFileError(f"{path.name} is damaged or not an array file: {why}") from None
