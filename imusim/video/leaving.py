"""Frames in which somebody is walking in or out of the picture: half a person says little of the whole.

A network draws the limbs that it cannot see into the part that it can (measured: a foot beyond the edge is put on to the
other foot, and jumps there within a frame), and does so with high confidence. So the ends of a track are cut back to
where the person is whole. Somebody who stays at the edge is kept: there, half is all there is.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from imusim.types import Floats
from imusim.video.appearance import BODY, TORSO

_TOUCHES_M = 0.08  # landmarks this near to the left or right edge may be cut off
_REACH_M = 0.45  # a limb of somebody whose trunk is this near to it reaches beyond
_LONGEST_S = 1.5  # whoever takes longer stays at the edge
_LONGEST_GAP_S = 0.25


def leaving(
    time_s: Floats, world_m: Floats, px: Floats, shot: NDArray[np.int64], size_px: tuple[int, int]
) -> NDArray[np.bool_]:
    """Which frames show somebody entering or leaving at the left or right edge, (T,) bool.

    Parameters
    ----------
    time_s : (T,) s
    world_m : (T, 33, 3) m, NaN where not found
    px : (T, 33, 2) px
    shot : (T,)
    size_px : (width, height) of the picture
    """
    out = np.zeros(time_s.size, dtype=np.bool_)
    found = np.flatnonzero(np.isfinite(px).all(axis=(1, 2)))
    if found.size < 3:
        return out
    breaks = np.flatnonzero((np.diff(time_s[found]) > _LONGEST_GAP_S) | (np.diff(shot[found]) != 0)) + 1
    for piece in np.split(found, breaks):
        body = px[piece][:, BODY]
        tall = np.ptp(body, axis=1).max(axis=1) / np.maximum(
            np.ptp(world_m[piece][:, BODY], axis=1).max(axis=1), 0.1
        )
        scale = float(np.median(tall))
        trunk = px[piece][:, TORSO, 0].mean(axis=1)
        width = size_px[0]
        cut = (
            np.minimum(body[..., 0].min(axis=1), width - body[..., 0].max(axis=1)) < _TOUCHES_M * scale
        ) | (np.minimum(trunk, width - trunk) < _REACH_M * scale)
        whole = np.flatnonzero(~cut)
        if whole.size == 0:
            continue
        for ends in (piece[: whole[0]], piece[whole[-1] + 1 :]):
            if ends.size and time_s[ends[-1]] - time_s[ends[0]] <= _LONGEST_S:
                out[ends] = True
    return out
