"""Undo left-right confusion: the estimator sometimes sees a back for a front, or takes one leg for the other.

An estimator that takes a front for a back exchanges the names of left and right; the depth of what it sees stays
right (measured: read with reversed depth, no stretch of the sample clips is smoother). Which reading is meant is
chosen for the whole shot at once: the sequence of readings whose landmarks move most smoothly (Viterbi over pairs of
frames, prediction with constant velocity, so that legs may cross), with a small price for every frame read against the
estimator.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from imusim.types import Floats
from imusim.video.appearance import BODY
from imusim.video.estimator import LANDMARK_NAMES

_PRICE = 0.0002  # per frame against the estimator, in the units of the movement cost below
_ROBUST_M = 0.12  # beyond this, cost grows linearly, m
_CROSSED = 0.01  # for legs exchanged below hips that are seen 0.1 m apart: not from the side, not believable
_LONGEST_GAP_S = 0.25
_TURN_S = 0.3  # nobody turns round in this time
_TURN_M = 0.12  # shoulders and hips this far apart show which way somebody faces
_LEGS = ("knee", "ankle", "heel", "foot_index")


def exchange_order(parts: tuple[str, ...] | None = None) -> NDArray[np.intp]:
    """Order of the landmarks, (33,), that exchanges left and right (of these parts; None: of all)."""
    order = np.arange(len(LANDMARK_NAMES))
    for i, name in enumerate(LANDMARK_NAMES):
        other = name.replace("left", "\0").replace("right", "left").replace("\0", "right")
        if parts is None or any(part in name for part in parts):
            order[i] = LANDMARK_NAMES.index(other)
    return order


_ALL, _LEG = exchange_order(), exchange_order(_LEGS)
_HIPS = (LANDMARK_NAMES.index("left_hip"), LANDMARK_NAMES.index("right_hip"))
_TORSO_PAIRS = tuple(
    (LANDMARK_NAMES.index(f"left_{part}"), LANDMARK_NAMES.index(f"right_{part}"))
    for part in ("shoulder", "hip")
)
READINGS = (np.arange(len(LANDMARK_NAMES)), _LEG, _ALL, _ALL[_LEG])
"""Orders of the landmarks: as they are, with the legs, all, or all but the legs exchanged."""


def untangle_sides(
    time_s: Floats, world_m: Floats, px: Floats, visibility: Floats, shot: NDArray[np.int64]
) -> tuple[Floats, Floats, Floats, NDArray[np.bool_]]:
    """Choose a smooth reading of left and right in every stretch of found frames.

    Parameters
    ----------
    time_s : (T,) s
    world_m : (T, 33, 3) m, camera axes, hip-centred; NaN where not found
    px : (T, 33, 2) px
    visibility : (T, 33)
    shot : (T,)

    Returns
    -------
    world_m, px, visibility : as given, with left and right exchanged where that is the smoother reading
    changed : (T,) bool
    """
    world_m, px, visibility = world_m.copy(), px.copy(), visibility.copy()
    changed = np.zeros(time_s.size, dtype=np.bool_)
    found = np.flatnonzero(np.isfinite(px).all(axis=(1, 2)))
    if found.size < 3:
        return world_m, px, visibility, changed
    breaks = np.flatnonzero((np.diff(time_s[found]) > _LONGEST_GAP_S) | (np.diff(shot[found]) != 0)) + 1
    for piece in np.split(found, breaks):
        if piece.size < 3:
            continue
        reading = _smoothest(time_s[piece], world_m[piece], px[piece], visibility[piece])
        reading = _without_sudden_turns(time_s[piece], world_m[piece], px[piece], reading)
        for frame, choice in zip(piece, reading, strict=True):
            if choice:
                order = READINGS[choice]
                world_m[frame], px[frame], visibility[frame] = (
                    world_m[frame, order],
                    px[frame, order],
                    visibility[frame, order],
                )
                changed[frame] = True
    return world_m, px, visibility, changed


def _smoothest(t: Floats, world: Floats, px: Floats, visibility: Floats) -> NDArray[np.intp]:
    """Viterbi: the reading (0 … 3) of each frame of one stretch."""
    count, readings = t.size, len(READINGS)
    scale = np.median(
        np.ptp(px[:, BODY], axis=1).max(axis=1) / np.maximum(np.ptp(world[:, BODY], axis=1).max(axis=1), 0.1)
    )
    points = np.empty((count, readings, len(BODY), 3), dtype=np.float32)
    weight = np.empty((count, readings, len(BODY)), dtype=np.float32)
    for r, order in enumerate(READINGS):
        points[:, r, :, :2] = px[:, order][:, BODY] / scale
        points[:, r, :, 2] = 0.5 * world[:, order][:, BODY, 2]  # depth is worth less
        weight[:, r] = visibility[:, order][:, BODY] + 0.1

    def cost(error: Floats, w: Floats) -> Floats:
        size = np.linalg.norm(error, axis=-1)
        huber = np.where(size < _ROBUST_M, 0.5 * size**2, _ROBUST_M * (size - 0.5 * _ROBUST_M))
        return (w * huber).mean(axis=-1)

    apart = np.abs(px[:, _HIPS[0], 0] - px[:, _HIPS[1], 0]) / scale
    price = np.tile(_PRICE * np.array([0.0, 1.0, 1.0, 2.0]), (count, 1))
    price[:, [1, 3]] += (_CROSSED * np.clip(apart / 0.1, 0.0, 3.0))[:, None]
    total = np.full((readings, readings), np.inf)  # over (reading before, reading now)
    step = cost(points[1][None] - points[0][:, None], weight[1][None])
    total[:] = price[0][:, None] + price[1][None, :] + step
    back = np.zeros((count, readings, readings), dtype=np.int8)
    for i in range(2, count):
        ratio = min((t[i] - t[i - 1]) / (t[i - 1] - t[i - 2]), 2.0)
        velocity = points[i - 1][None, :] - points[i - 2][:, None]  # (before, now, landmark, axis)
        predicted = points[i - 1][None, :] + ratio * velocity
        step = cost(
            points[i][None, None] - predicted[:, :, None], weight[i][None, None]
        )  # (before, now, next)
        # over the frame between, which may be a muddle of both readings
        skip = cost(
            (points[i][None] - points[i - 2][:, None])[:, :, :4], weight[i][None][:, :, :4]
        )  # the torso's
        through = total[:, :, None] + step + skip[:, None] + price[i][None, None]
        back[i] = np.argmin(through, axis=0)
        total = np.min(through, axis=0)
    reading = np.zeros(count, dtype=np.intp)
    reading[-2], reading[-1] = np.unravel_index(int(np.argmin(total)), total.shape)
    for i in range(count - 1, 1, -1):
        reading[i - 2] = back[i, reading[i - 1], reading[i]]
    return reading


def _without_sudden_turns(
    t: Floats, world: Floats, px: Floats, reading: NDArray[np.intp]
) -> NDArray[np.intp]:
    """Exchange whole stretches between turns that are too fast for a person, as few frames as possible against
    the estimator: muddled frames let the smoothest path slip from one reading into the other."""
    scale = np.median(
        np.ptp(px[:, BODY], axis=1).max(axis=1) / np.maximum(np.ptp(world[:, BODY], axis=1).max(axis=1), 0.1)
    )
    raw = np.mean([px[:, left, 0] - px[:, right, 0] for left, right in _TORSO_PAIRS], axis=0) / scale
    apart = np.where(np.isin(reading, (2, 3)), -raw, raw)
    sure = np.flatnonzero(np.abs(apart) > _TURN_M)
    turned = (np.sign(apart[sure[1:]]) != np.sign(apart[sure[:-1]])) & (np.diff(t[sure]) < _TURN_S)
    if not turned.any():
        return reading
    # a stretch starts in the middle between the sure frames of a sudden turn; every second one is exchanged
    starts = (sure[:-1][turned] + sure[1:][turned] + 1) // 2
    odd = np.searchsorted(starts, np.arange(t.size), side="right") % 2 == 1
    against = np.isin(reading, (2, 3))
    swap = odd if (against ^ odd).sum() <= (against ^ ~odd).sum() else ~odd
    return np.where(swap, reading ^ 2, reading)
