"""Front or back: looks at one picture that disagree about it are kept apart until the whole clip can decide.

Seen small or from above, a network sees a front in one look and a back in the next, of the same picture (measured: in
64 of 100 frames of one sample clip), or something between. A front that is taken for a back has its names of left and
right exchanged, which can be undone, and arms and legs that bend the wrong way, which cannot: the depth of its wrists
is off by 0.37 m where that of the right answer is off by 0.11. So they are not averaged with one another.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from imusim.types import Floats
from imusim.video.appearance import TORSO, scale_px_per_m
from imusim.video.estimator import Landmarks

_TELLS_M = 0.08  # shoulders and hips less far apart than this do not say which way somebody faces
_CLEAR = 0.6  # of the widest look: narrower ones are between front and back


def facing_px(px: Floats) -> Floats:
    """How far left shoulder and hip lie from right ones across the trunk, px (..., 33, 2) → (...,): > 0 from the front.

    Across: to the right in the picture, for somebody who stands upright in it.
    """
    left_shoulder, right_shoulder, left_hip, right_hip = np.moveaxis(px[..., TORSO, :], -2, 0)
    up = left_shoulder + right_shoulder - left_hip - right_hip
    up = up / np.maximum(np.linalg.norm(up, axis=-1, keepdims=True), 1e-9)
    apart = 0.5 * (left_shoulder - right_shoulder + left_hip - right_hip)
    return apart[..., 1] * up[..., 0] - apart[..., 0] * up[..., 1]


def by_facing(
    found: list[Landmarks], believed: list[float] | None = None
) -> list[tuple[list[Landmarks], Floats]]:
    """Looks at one picture that agree, with their weights, most first; those between front and back are left out.

    Parameters
    ----------
    found : what each look saw
    believed : weight of each; None: all the same
    """
    weight = np.ones(len(found)) if believed is None else np.maximum(believed, 1e-9)
    scale = max(scale_px_per_m(found[0])[0], 1.0)
    wide = np.array([float(facing_px(p.px)) for p in found]) / scale
    widest = float(np.abs(wide).max())
    if len(found) == 1 or widest < _TELLS_M:
        return [(found, weight)]
    clear = np.abs(wide) > _CLEAR * widest
    groups = []
    for front in (True, False):
        which = np.flatnonzero(clear & ((wide > 0) == front))
        if which.size:
            groups.append(([found[i] for i in which], weight[which]))
    return sorted(groups, key=lambda g: (-float(g[1].sum()), g[0][0] is not found[0]))


def better_seen(
    px: Floats, untangled_px: Floats, others: Mapping[int, NDArray[np.float32]]
) -> NDArray[np.intp]:
    """Frames whose other answer faces as the clip does, where the first was read with left and right exchanged, (N,).

    Parameters
    ----------
    px : (T, 33, 2) px as found
    untangled_px : the same after `sides.untangle_sides`
    others : other answers by frame, (33, 6): world x, y, z, px x, y, visibility
    """
    frames = []
    for frame, other in others.items():
        found, meant = facing_px(px[frame]), facing_px(untangled_px[frame])
        if found * meant < 0 < meant * facing_px(other[:, 3:5].astype(np.float64)):
            frames.append(frame)
    return np.array(sorted(frames), dtype=np.intp)
