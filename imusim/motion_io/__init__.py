"""Motion files: reading by content and suffix, and the project's own format."""

from __future__ import annotations

from pathlib import Path

from imusim.errors import MotionFileError
from imusim.motion_io.npz import read_npz, save_motion
from imusim.types import Body, Motion

__all__ = ["read_motion", "save_motion"]

_SUPPORTED = ".npz written by imusim.save_motion"


def read_motion(path: str | Path, *, body: Body | None = None) -> Motion:
    """Read a motion file.

    Parameters
    ----------
    path : motion file; so far the ``.npz`` that `save_motion` writes
    body : the body model that the motion was saved with; not needed for the open body and for plain skeletons

    Raises
    ------
    MotionFileError
        If there is no such file, it is damaged, or its format is not supported.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise MotionFileError(f"{path}: {'is a folder' if path.is_dir() else 'no such file'}")
    with open(path, "rb") as file:
        start = file.read(4)
    if start[:2] == b"PK" or path.suffix.lower() == ".npz":
        return read_npz(path, body)
    raise MotionFileError(
        f"{path}: format {path.suffix or '(no suffix)'} is not supported. Supported: {_SUPPORTED}."
    )
