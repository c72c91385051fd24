"""TRC: marker positions as text, tab-separated, as OpenSim, Motion Analysis and markerless systems write them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from imusim.errors import MotionFileError
from imusim.motion_io.clock import GIVE_RATE, check_rate
from imusim.motion_io.markers import joint_centres
from imusim.motion_io.points import from_points
from imusim.motion_io.world import UNITS
from imusim.types import Floats, Motion, check_time


def read_trc(
    path: Path, *, rate_hz: float | None = None, up: str | None = None, unit: str | None = None
) -> Motion:
    """Read a TRC file; markers become joint centres by `motion_io.markers`.

    Parameters
    ----------
    path : the file

    Other Parameters
    ----------------
    rate_hz : overrides the file's times
    up, unit : override what the file says (units of the header; y up, checked against the person)

    Raises
    ------
    MotionFileError
        If it is damaged, empty or its markers make no skeleton.
    """
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    if len(lines) < 6:
        raise MotionFileError(f"{path.name} has {len(lines)} lines: cut off, or not TRC")
    header = dict(zip(lines[1].split(), lines[2].split(), strict=False))
    names = [n.strip() for n in lines[3].split("\t")[2:] if n.strip()] or lines[3].split()[2:]
    said = header.get("Units", "").lower()
    if said and said not in UNITS:
        raise MotionFileError(f"{path.name}: Units {said!r}, wanted one of {', '.join(UNITS)}")
    if not names:
        raise MotionFileError(f"{path.name} names no markers in its fourth line")
    if len(set(names)) != len(names):
        raise MotionFileError(f"{path.name}: two markers have the same name")
    rows = [line for line in lines[5:] if line.strip()]
    values = _values(rows, 2 + 3 * len(names), path.name)
    claimed = header.get("NumFrames", str(len(values)))
    if not claimed.isdigit() or int(claimed) > len(values):
        raise MotionFileError(
            f"{path.name} claims {claimed} frames, holds {len(values)}: the file is cut off"
        )
    points = values[:, 2:].reshape(len(values), len(names), 3)
    rate = _rate(header, path.name) if rate_hz is None else check_rate(rate_hz)
    time_s = values[:, 1] - values[0, 1]
    if rate_hz is not None or not np.isfinite(time_s).all() or not (np.diff(time_s) > 0).all():
        time_s = np.arange(len(values)) / rate
    shown = UNITS[unit or said or "mm"]
    layout, centres = joint_centres(names, points, path.name, shown)
    layout = type(layout)(layout.points, layout.tree, up="y", unit=said or None)
    return from_points(
        centres, layout, rate_hz=rate, time_s=check_time(time_s), source=path.name, up=up, unit=unit,
        metadata={"format": "TRC", "rate_hz": rate, "markers": len(names)},
    )  # fmt: skip


def _rate(header: dict[str, str], name: str) -> float:
    try:
        return check_rate(float(header["DataRate"]), f"{name}: DataRate")
    except (KeyError, ValueError):
        raise MotionFileError(f"{name}: no DataRate in the header. {GIVE_RATE}") from None


def _values(rows: list[str], width: int, name: str) -> Floats:
    """Numbers (T, width); an empty cell is NaN."""
    out = np.full((len(rows), width), np.nan)
    for i, row in enumerate(rows):
        cells = row.rstrip("\r\n").split("\t") if "\t" in row else row.split()
        while len(cells) > width and not cells[-1].strip():
            cells.pop()
        if len(cells) > width:
            raise MotionFileError(f"{name}: row {i + 6} has {len(cells)} cells, wanted {width}")
        try:
            out[i, : len(cells)] = [float(c) if c.strip() else np.nan for c in cells]
        except ValueError:
            raise MotionFileError(f"{name}: row {i + 6} holds something else than numbers") from None
        if len(cells) < width - 2 and i == len(rows) - 1:
            raise MotionFileError(
                f"{name}: the last row has {len(cells)} of {width} cells: the file is cut off"
            )
    if not len(rows):
        raise MotionFileError(f"{name}: the motion is empty")
    return out
