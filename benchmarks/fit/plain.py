"""IMU signals from raw joints without any estimator: differences, frame by frame. What everything else is measured against."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from imusim import rotation

Floats = NDArray[np.float64]
G = np.array([0.0, 0.0, 9.80665])


def segment_frames(start: Floats, end: Floats, right: Floats) -> Floats:
    """Axes (T, 3, 3) as columns: x along the segment, y toward `right` (T, 3) as far as it is across, z their product."""
    x = _unit(end - start)
    y = _unit(right - (right * x).sum(axis=1, keepdims=True) * x)
    return np.stack([x, y, np.cross(x, y)], axis=-1)


def plain_signals(time_s: Floats, point: Floats, axes: Floats, at_s: Floats) -> tuple[Floats, Floats]:
    """Specific force and angular rate (N, 3), segment axes, by differences of raw frames, interpolated.

    Parameters
    ----------
    time_s : (T,) · s
    point : (T, 3) · m · world, z up
    axes : (T, 3, 3), segment axes to world
    at_s : (N,) · s
    """
    force = np.gradient(np.gradient(point, time_s, axis=0), time_s, axis=0) + G
    q = rotation.sign_continuous(rotation.from_matrix(axes)[:, None])[:, 0]
    dq = np.gradient(q, time_s, axis=0)
    spin = 2.0 * rotation.multiply(rotation.conjugate(q), dq)[:, 1:]
    own = np.einsum("tba,tb->ta", axes, force)
    return tuple(np.stack([np.interp(at_s, time_s, c) for c in v.T], axis=1) for v in (own, spin))  # type: ignore[return-value]


def _unit(v: Floats) -> Floats:
    return v / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), 1e-9)
