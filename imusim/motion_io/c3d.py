"""C3D: marker positions as laboratories store them, by ezc3d (extra [c3d])."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np

from imusim.errors import MissingExtra, MotionFileError
from imusim.motion_io.clock import check_rate
from imusim.motion_io.markers import joint_centres
from imusim.motion_io.points import from_points
from imusim.motion_io.world import UNITS
from imusim.types import Motion


def read_c3d(
    path: Path, *, rate_hz: float | None = None, up: str | None = None, unit: str | None = None
) -> Motion:
    """Read the points of a C3D file; markers become joint centres by `motion_io.markers`.

    Parameters
    ----------
    path : the file

    Other Parameters
    ----------------
    rate_hz : overrides the file's point rate
    up, unit : override z up (checked against the person) and the file's unit

    Raises
    ------
    MissingExtra
        Without ezc3d.
    MotionFileError
        If it is damaged, has no points or no frames, claims more than it holds, or its markers make no skeleton.
    """
    _check_header(path)
    try:
        import ezc3d
    except ImportError:
        raise MissingExtra("c3d", "reading C3D files") from None
    try:
        held: Any = ezc3d.c3d(str(path))
        about = held["parameters"]["POINT"]
        points = np.asarray(held["data"]["points"], dtype=np.float64)[:3].transpose(2, 1, 0)
        names = [str(n) for key in sorted(about) if key.startswith("LABELS") for n in about[key]["value"]]
        said = str((about.get("UNITS", {}).get("value") or ["mm"])[0]).strip().lower()
        rate = float(np.asarray(about["RATE"]["value"]).ravel()[0])
    except Exception as error:  # the C++ library raises whatever it likes on a damaged file
        raise MotionFileError(f"{path.name} is damaged or not C3D: {error}") from None
    if points.shape[0] == 0 or points.shape[1] == 0:
        raise MotionFileError(
            f"{path.name} has {points.shape[1]} points in {points.shape[0]} frames: no motion (analog signals only?)"
        )
    names = [n.strip() for n in names[: points.shape[1]]]
    points[(points == 0).all(axis=2)] = np.nan  # how older systems write "not seen"
    rate = check_rate(rate if rate_hz is None else rate_hz, f"{path.name}: POINT:RATE")
    said = said if said in UNITS else "mm"
    layout, centres = joint_centres(names, points[:, : len(names)], path.name, UNITS[unit or said])
    layout = type(layout)(layout.points, layout.tree, up="z", unit=said)
    return from_points(
        centres, layout, rate_hz=rate, source=path.name, up=up, unit=unit,
        metadata={"format": "C3D", "rate_hz": rate, "markers": len(names)},
    )  # fmt: skip


def _check_header(path: Path) -> None:
    """Compare what the header claims with the size of the file, before anything is allocated."""
    size = path.stat().st_size
    with path.open("rb") as file:
        block = file.read(512)
    if len(block) < 512 or block[1] != 0x50:
        raise MotionFileError(f"{path.name} is damaged or not C3D: no header")
    points, _, first, last = struct.unpack("<HHHH", block[2:10])
    scale = struct.unpack("<f", block[12:16])[0]
    if points == 0:
        raise MotionFileError(f"{path.name} has no points: it holds no motion (analog signals only?)")
    wanted = points * max(0, last - first + 1) * (16 if scale < 0 else 8)
    if wanted > size:
        raise MotionFileError(
            f"{path.name} claims {points} points in {last - first + 1} frames ({wanted} bytes), holds {size}: it is cut off"
        )
