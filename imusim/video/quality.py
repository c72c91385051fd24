"""How steadily a track moves: landmarks that jump for a frame should be trusted less there."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from imusim.types import Floats
from imusim.video.appearance import BODY

_TOLERANCE_M = 0.10
_LONGEST_GAP_S = 0.25


def steadiness(time_s: Floats, world_m: Floats, px: Floats, shot: NDArray[np.int64]) -> Floats:
    """Trust from smoothness, (T,), 0 … 1: how far each frame lies off the line between its neighbours.

    d = rms over torso and limbs of |x_i − (linear interpolation of x_{i−1}, x_{i+1})|, in the person's metres;
    trust = exp(−(d / 0.10 m)²). At 30 frames a second an acceleration of 50 m/s² gives d = 0.03 m.
    Frames without two near neighbours get 1.

    Parameters
    ----------
    time_s : (T,) s
    world_m : (T, L, 3) m, NaN where not found
    px : (T, L, 2) px
    shot : (T,)
    """
    out = np.ones(time_s.size)
    found = np.flatnonzero(np.isfinite(px).all(axis=(1, 2)))
    if found.size < 3:
        return out
    body, solid = px[found][:, BODY], world_m[found][:, BODY, :2]
    scale = np.median(np.ptp(body, axis=1).max(axis=1) / np.maximum(np.ptp(solid, axis=1).max(axis=1), 0.1))
    t, numbers = time_s[found], shot[found]
    near = (np.diff(t) < _LONGEST_GAP_S) & (np.diff(numbers) == 0)
    middle = np.flatnonzero(near[1:] & near[:-1]) + 1
    part = ((t[middle] - t[middle - 1]) / (t[middle + 1] - t[middle - 1]))[:, None, None]
    line = body[middle - 1] * (1.0 - part) + body[middle + 1] * part
    off = np.linalg.norm(body[middle] - line, axis=-1) / scale
    # landmarks far off count fully, but one limb at the tolerance should not spoil the frame
    out[found[middle]] = np.exp(-np.mean(np.minimum(off / _TOLERANCE_M, 3.0) ** 2, axis=1))
    return out
