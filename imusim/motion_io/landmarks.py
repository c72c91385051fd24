"""Joint positions and landmarks as arrays: .npy, .npz and .json, in a documented layout."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imusim.errors import MotionFileError, QualityWarning, unknown_name
from imusim.motion_io.arrays import read_array
from imusim.motion_io.clock import GIVE_RATE
from imusim.motion_io.layouts import BY_COUNT, Layout, layouts
from imusim.motion_io.points import from_points
from imusim.types import Floats, Motion

KEYS = (
    "positions", "joints", "joints3d", "joints_3d", "keypoints3d", "keypoints_3d", "landmarks_m", "world_landmarks",
    "landmarks", "keypoints", "motion",
)  # fmt: skip
"""Keys of an .npz or .json under which positions are looked for, in this order."""
_TIMES = ("time_s", "timestamps_s")
_RATES = ("rate_hz", "fps", "frame_rate")
ASSUMED_HZ = 30.0
_PICTURE_ADULT = 1.7
_LARGEST_JSON = 500_000_000


def looks_like_positions(keys: Any) -> bool:
    """Whether a file with those keys holds positions."""
    return bool(set(keys) & set(KEYS))


def read_npy(path: Path, **options: Any) -> Motion:
    """Read an .npy file: (T, P, 3), (T, 3 P) or (T, P, 4) with visibility. Options as `read_positions`."""
    return read_positions({"positions": read_array(path)}, path.name, **options)


def read_json(path: Path, **options: Any) -> Motion:
    """Read a .json file. Options as `read_positions`.

    Understood: a list of frames, each a list of landmarks ([x, y, z], [x, y, z, visibility] or {"x":, "y":, "z":,
    "visibility":}); the same under a key of `KEYS`, with "rate_hz" or "time_s" and "layout" beside it; or
    {"positions": {frame: {name: [x, y, z]}}}.
    """
    if path.stat().st_size > _LARGEST_JSON:
        raise MotionFileError(
            f"{path.name} is larger than {_LARGEST_JSON / 1e6:.0f} MB; save arrays as .npz instead"
        )
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise MotionFileError(f"{path.name} is damaged or not JSON: {error}") from None
    if isinstance(held, list):
        held = {"positions": held}
    key = next((k for k in KEYS if isinstance(held, dict) and k in held), None)
    if key is None:
        raise MotionFileError(f"{path.name} has none of the keys {', '.join(KEYS)}")
    frames = held[key]
    try:
        if isinstance(frames, dict):
            names, array = _named_frames(frames)
            held = {**held, "names": names}
        else:
            array = np.array([[_mark(m) for m in frame] for frame in frames], dtype=np.float64)
    except (TypeError, ValueError, KeyError, AttributeError):
        raise MotionFileError(
            f"{path.name}: frames must hold the same number of landmarks, each three numbers (x, y, z); two are a picture's"
        ) from None
    return read_positions({**held, "positions": array}, path.name, **options)


def _mark(mark: Any) -> list[float]:
    if isinstance(mark, dict):
        values = [mark["x"], mark["y"], mark["z"]]
        return [float(v) for v in values] + ([float(mark["visibility"])] if "visibility" in mark else [])
    return [float("nan") if v is None else float(v) for v in mark]


def _named_frames(frames: Mapping[str, Mapping[str, Any]]) -> tuple[list[str], Floats]:
    order = sorted(frames, key=float)
    if not order:
        raise ValueError("no frames")
    names = list(frames[order[0]])
    rows = [[_mark(frames[k][n]) if n in frames[k] else [np.nan] * 3 for n in names] for k in order]
    return [n.lower() for n in names], np.array(rows, dtype=np.float64)


def read_positions(
    held: Mapping[str, Any],
    source: str,
    *,
    rate_hz: float | None = None,
    layout: str | None = None,
    up: str | None = None,
    unit: str | None = None,
) -> Motion:
    """Turn arrays of positions into a plain skeleton in motion.

    Parameters
    ----------
    held : key → array; positions under one of `KEYS`, optionally "time_s" (T,), "rate_hz", "visibility" (T, P),
        "layout", "names" (P,)
    source : what to call the file in messages

    Other Parameters
    ----------------
    rate_hz : frames a second; None: the file's, else the layout's, else 30, and said
    layout : a name of `layouts`; None: the file's, else by the number of columns
    up, unit : override the layout's

    Raises
    ------
    MotionFileError, UnknownNameError
        If there are no positions in three dimensions, or no layout has that many columns.
    """
    key = next((k for k in KEYS if k in held), None)
    if key is None:
        raise MotionFileError(f"{source} has none of the keys {', '.join(KEYS)}")
    points, sure = _points(np.asarray(held[key]), held.get("visibility"), f"{source}: {key}")
    plan = _layout(layout or _word(held.get("layout")), held.get("names"), points.shape[1], source)
    times = next((np.asarray(held[k], dtype=np.float64) for k in _TIMES if k in held), None)
    if times is not None and times.shape != (len(points),):
        raise MotionFileError(f"{source}: {times.size} times for {len(points)} frames")
    rate, assumed = rate_hz, False
    if rate is None:
        rate = next((float(np.asarray(held[k]).ravel()[0]) for k in _RATES if k in held), plan.rate_hz)
    elif times is not None:
        times = None
    if rate is None and times is None:
        rate, assumed = ASSUMED_HZ, True
        warnings.warn(
            QualityWarning(f"{source}: no frame rate; assumed {ASSUMED_HZ:g} Hz. {GIVE_RATE}"), stacklevel=4
        )
    if sure is not None:
        points = np.where(sure[..., None] < 0.1, np.nan, points)
    points, metres, said = _of_picture(points, plan, unit, source)
    if times is not None and len(times) > 1:
        rate = (len(times) - 1) / (times[-1] - times[0])
    return from_points(
        points, plan, rate_hz=rate or ASSUMED_HZ, source=source, up=up, unit=metres or unit,
        time_s=None if times is None else times - times[0], on_floor=True,
        metadata={"format": "positions", "rate_hz": rate, "rate_assumed": assumed, **said},
    )  # fmt: skip


def _points(array: NDArray[Any], visibility: Any, what: str) -> tuple[Floats, Floats | None]:
    """(T, P, 3), and (T, P) visibility if there is any."""
    if array.dtype.kind not in "fiu":
        raise MotionFileError(f"{what} has type {array.dtype}, wanted numbers")
    if array.ndim == 2 and array.shape[1] % 3 == 0:
        array = array.reshape(len(array), -1, 3)
    if array.ndim == 4 and array.shape[0] == 1:
        array = array[0]
    if array.ndim != 3 or array.shape[2] not in (3, 4, 5):
        two = array.ndim == 3 and array.shape[2] == 2
        raise MotionFileError(
            f"{what} has shape {array.shape}, wanted (frames, joints, 3)"
            + (": positions in a picture say nothing of depth; give 3D ones" if two else "")
        )
    points = np.array(array[..., :3], dtype=np.float64)
    sure = array[..., 3] if array.shape[2] > 3 else visibility
    sure = None if sure is None else np.asarray(sure, dtype=np.float64)
    if sure is not None and sure.shape != points.shape[:2]:
        raise MotionFileError(f"{what}: visibility has shape {sure.shape}, wanted {points.shape[:2]}")
    return points, sure


def _word(value: Any) -> str | None:
    return None if value is None else str(np.asarray(value).item() if np.size(value) == 1 else value)


def _layout(name: str | None, names: Any, count: int, source: str) -> Layout:
    known = layouts()
    if name is not None:
        if name not in known:
            raise unknown_name("layout", name, known)
        plan = known[name]
        if len(plan.points) != count:
            raise MotionFileError(f"{source} has {count} columns, layout {name} has {len(plan.points)}")
        return plan
    if names is not None:
        words = tuple(str(n).lower() for n in np.asarray(names).ravel())
        for plan in known.values():
            if len(words) == count and set(words) == set(plan.points):
                return replace(plan, points=words)
    if count not in BY_COUNT:
        raise MotionFileError(
            f"{source} has {count} columns; give layout=, one of "
            + ", ".join(f"{n} ({len(p.points)})" for n, p in known.items())
        )
    return known[BY_COUNT[count]]


def _of_picture(
    points: Floats, plan: Layout, unit: str | None, source: str
) -> tuple[Floats, str | None, dict[str, Any]]:
    """Landmarks in shares of a picture become metres of an adult: positions, unit and what was done."""
    if plan.up != "-y" or unit is not None:
        return points, None, {}
    middle = np.nanmedian(points, axis=(0, 1))
    tall = float(np.nanmedian(np.nanmax(points[..., 1], axis=1) - np.nanmin(points[..., 1], axis=1)))
    if not (
        0.0 < middle[0] < 1.0
        and 0.0 < middle[1] < 1.0
        and 0.05 < tall < 0.75
        and np.nanmin(points[..., :2]) > -0.5
    ):
        return points, None, {}
    scale = _PICTURE_ADULT / tall
    warnings.warn(
        QualityWarning(
            f"{source}: shares of a picture, not metres; scaled so that the person is {_PICTURE_ADULT} m, and the picture "
            "taken for square. Give metric (world) landmarks for more."
        ),
        stacklevel=5,
    )
    return scale * points, "m", {"picture_to_m": scale}
