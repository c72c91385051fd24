"""Keep a PoseTrack in a file, and know when that file is stale."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from imusim.atomic import written_together
from imusim.errors import ImusimError, MotionFileError
from imusim.types import PoseTrack

_FORMAT = "imusim-pose-track-1"
_ARRAYS = ("time_s", "landmarks_m", "landmarks_px", "visibility", "shot", "quality", "switched")


def save_track(path: Path | str, track: PoseTrack, **extra: Any) -> Path:
    """Write a track as .npz (arrays and one JSON string, no pickles), in one step.

    Parameters
    ----------
    path : file to write
    track : the track
    **extra : JSON values kept beside it (the cache keeps its key here)

    Raises
    ------
    OutputError
        If it cannot be written; whatever was there before is still there.
    """
    header = {
        "image_size_px": list(track.image_size_px),
        "landmark_names": list(track.landmark_names),
        "focal_px": track.focal_px,
        "metadata": dict(track.metadata),
        **extra,
    }
    arrays = {name: getattr(track, name) for name in _ARRAYS}
    return write_npz(Path(path), header, arrays)


def load_track(path: Path | str) -> PoseTrack:
    """Read a track that `save_track` wrote.

    Raises
    ------
    MotionFileError
        If there is no such file or it is something else.
    """
    header, arrays = read_npz(Path(path))
    try:
        width, height = header["image_size_px"]
        return PoseTrack(
            **{name: arrays[name] for name in _ARRAYS},
            image_size_px=(int(width), int(height)),
            landmark_names=tuple(header["landmark_names"]),
            focal_px=header["focal_px"],
            metadata=header["metadata"],
        )
    except (KeyError, TypeError, ValueError) as error:
        raise MotionFileError(f"{path} is damaged: {error}. Delete it and run again.") from None


def write_npz(path: Path, header: Mapping[str, Any], arrays: Mapping[str, Any]) -> Path:
    """Write arrays and a JSON header to an .npz, whole or not at all."""
    with written_together(path) as (partial,), open(partial, "wb") as out:
        np.savez_compressed(out, header=np.array(json.dumps({"format": _FORMAT, **header})), **arrays)
    return path


def read_npz(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read what `write_npz` wrote: (header, arrays)."""
    import zipfile

    if not path.is_file():
        raise MotionFileError(f"{path}: no such file.")
    try:
        with open(path, "rb") as stream, np.load(stream, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        header = json.loads(str(arrays.pop("header")))
        if header["format"] != _FORMAT:
            raise ValueError(f"its format is {header['format']!r}, wanted {_FORMAT!r}")
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise MotionFileError(f"{path} is not a pose track of this version: {error}.") from None
    return header, arrays


def cached_track(path: Path, key: str) -> PoseTrack | None:
    """Return the cached track if it is whole and made from the same video and settings, else None."""
    try:
        header, _ = read_npz(path)
        return load_track(path) if header.get("key") == key else None
    except ImusimError:
        return None


def video_fingerprint(path: Path) -> str:
    """Hash of a file's size, first and last MiB: tells videos apart without reading hours of them."""
    size, piece = path.stat().st_size, 1 << 20
    digest = hashlib.sha256(str(size).encode())
    with open(path, "rb") as stream:
        digest.update(stream.read(piece))
        stream.seek(max(0, size - piece))
        digest.update(stream.read(piece))
    return digest.hexdigest()


def cache_key(**settings: Any) -> str:
    """One hash of everything that the result depends on."""
    return hashlib.sha256(json.dumps(settings, sort_keys=True, default=str).encode()).hexdigest()
