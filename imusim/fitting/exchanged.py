"""Left and right taken for each other, for a frame or a few: where legs cross or an arm passes behind the other.

The estimator's two legs then jump to each other's place and back. That is put right before anything is fitted: a
robust loss bounds what such a frame can do, but eight landmarks that agree with each other are not outliers to it.
"""

from __future__ import annotations

import numpy as np

from imusim.fitting.landmarks import AT
from imusim.types import Floats

LIMBS = (("hip", "knee", "ankle", "heel", "foot_index"), ("elbow", "wrist", "pinky", "index", "thumb"))
"""Landmarks that are exchanged together."""
LONGEST_S = 0.1
_NEARER = 0.35  # exchanged they must be so much nearer to where neighbours say they are
_FAR = 0.05  # of the person's size in the picture, and as named at least so far from there


def mend(
    time_s: Floats, marks3: Floats, px: Floats, visibility: Floats, seen: np.ndarray
) -> tuple[Floats, Floats, Floats]:
    """Landmarks with left and right named as in the frames before and after.

    Runs of up to `LONGEST_S` are exchanged if that brings them much nearer to the line between the frames around them.

    Parameters
    ----------
    time_s : (T,) · s
    marks3 : (T, 33, 3) · m
    px : (T, 33, 2) · pixels
    visibility : (T, 33)
    seen : (T,) bool, frames with a person; the others are left alone and never compared with
    """
    frames = np.flatnonzero(seen)
    if frames.size < 3:
        return marks3, px, visibility
    order = np.tile(np.arange(px.shape[1]), (time_s.size, 1))
    size = float(np.median(np.ptp(px[frames][..., 1], axis=1) + np.ptp(px[frames][..., 0], axis=1)))
    step = float(np.median(np.diff(time_s)))
    longest = max(1, round(LONGEST_S / step))
    for parts in LIMBS:
        left, right = ([AT[f"{side}_{p}"] for p in parts] for side in ("left", "right"))
        both, swapped = left + right, right + left
        here, there = px[frames][:, both], px[frames][:, swapped]
        wrong = np.zeros(frames.size, dtype=np.bool_)
        for length in range(1, min(longest, frames.size - 2) + 1):
            start = np.arange(frames.size - length - 1)
            end = start + length + 1
            span = time_s[frames[end]] - time_s[frames[start]]
            nearer = np.where(span < LONGEST_S + 2.5 * step, 0.0, np.inf)
            for k in range(1, length + 1):
                f = ((time_s[frames[start + k]] - time_s[frames[start]]) / span)[:, None, None]
                line = (1.0 - f) * here[start] + f * here[end]
                as_named = np.linalg.norm(here[start + k] - line, axis=2).mean(axis=1)
                exchanged = np.linalg.norm(there[start + k] - line, axis=2).mean(axis=1)
                ratio = exchanged / np.maximum(as_named, 1e-9)
                nearer = np.maximum(nearer, np.where(as_named > _FAR * size, ratio, np.inf))
            for first in np.argsort(nearer)[: np.count_nonzero(nearer < _NEARER)]:
                if not wrong[first : first + length + 2].any():  # the clearest first; none leans on another
                    wrong[first + 1 : first + length + 1] = True
        order[frames[wrong][:, None], both] = swapped
    rows = np.arange(time_s.size)[:, None]
    return marks3[rows, order], px[rows, order], visibility[rows, order]
