"""Camera tilt: pitch and roll against the up direction in camera axes, and what is believed before looking."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from imusim.errors import ConfigError
from imusim.types import Floats

# A camera 0.5 to 2.2 m high that sees a person 2.5 to 6 m away in its middle looks 8 ± 12° down. The roll of a
# hand-held camera is small, but some are simply mounted askew: a heavy tail.
# Student's t: (mean, scale, degrees of freedom), degrees.
_PITCH = (8.0, 12.0, 6.0)
_ROLL = (0.0, 5.0, 2.0)


def up_from_tilt(pitch_deg: ArrayLike, roll_deg: ArrayLike) -> Floats:
    """Up direction (..., 3) · unit vector · camera axes (x right, y down, z away).

    Parameters
    ----------
    pitch_deg : (...) · degrees, positive where the camera looks down
    roll_deg : (...) · degrees, positive where what is upright leans to the right in the picture (the camera
        is turned anticlockwise about its own line of sight)
    """
    p, r = np.radians(pitch_deg), np.radians(roll_deg)
    return np.stack(
        np.broadcast_arrays(np.sin(r) * np.cos(p), -np.cos(r) * np.cos(p), -np.sin(p)), axis=-1
    ).astype(np.float64)


def tilt_from_up(up_c: ArrayLike) -> tuple[float, float]:
    """Return (pitch, roll) · degrees of an up direction (3,) in camera axes; inverse of `up_from_tilt`."""
    x, y, z = np.asarray(up_c, dtype=np.float64) / np.linalg.norm(up_c)
    return float(np.degrees(np.arcsin(np.clip(-z, -1.0, 1.0)))), float(np.degrees(np.arctan2(x, -y)))


def log_prior(up_c: Floats) -> Floats:
    """Log density, up to a constant, of up directions (N, 3) in camera axes before the picture is looked at."""
    pitch_deg = np.degrees(np.arcsin(np.clip(-up_c[:, 2], -1.0, 1.0)))
    roll_deg = np.degrees(np.arctan2(up_c[:, 0], -up_c[:, 1]))

    def student(x: Floats, mean: float, scale: float, dof: float) -> Floats:
        return -0.5 * (dof + 1.0) * np.log1p(((x - mean) / scale) ** 2 / dof)

    return student(pitch_deg, *_PITCH) + student(roll_deg, *_ROLL)


def given_tilt(camera_tilt_deg: float | tuple[float, float]) -> tuple[float, float]:
    """Check what the user gave: pitch, or (pitch, roll) · degrees.

    Raises
    ------
    ConfigError
        If it is neither, not finite, or past ±90° of pitch or ±180° of roll.
    """
    try:
        values = np.atleast_1d(np.asarray(camera_tilt_deg, dtype=np.float64))
    except (TypeError, ValueError):
        values = np.zeros(0)
    if values.shape not in ((1,), (2,)) or not np.isfinite(values).all():
        raise ConfigError(
            f"camera_tilt_deg={camera_tilt_deg!r}: wanted the pitch in degrees (positive: the camera looks down) "
            "or (pitch, roll)"
        )
    pitch, roll = float(values[0]), float(values[1]) if values.size == 2 else 0.0
    if abs(pitch) > 90.0 or abs(roll) > 180.0:
        raise ConfigError(
            f"camera_tilt_deg={camera_tilt_deg!r}: wanted a pitch within ±90° and a roll within ±180°"
        )
    return pitch, roll
