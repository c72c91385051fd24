"""Feet and hands that stay where they are: the root's path follows from them, and limbs reach for what they hold."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from imusim import rotation as rot
from imusim.body import OpenBody, Posed
from mujo.corpus.keyframes import ramp
from mujo.corpus.limbs import Target, blend
from mujo.corpus.movement import PARTS
from mujo.corpus.performance import Plan

Floats = NDArray[np.float64]
WRIST_M = 0.04
"""Height of the wrist joint over the floor, if the palm is flat on it."""
_EARLY_S, _LEAVE_S = 0.03, 0.09  # before take-off a foot begins to leave the floor, and how long it takes
LIFT_S = 0.025  # and how smoothly its sole follows the body up
_SOFT_M = 0.01  # where feet disagree about the height of the root, the lower wins; this softly


@dataclass(frozen=True)
class Soles:
    """Points of a body of one shape that touch the floor, in the axes of the ankle and wrist at rest · m.

    `ball`, `heel` : (2, 3) left, right, from the ankle; `palm` : (2, 3) from the wrist; `ankle_m` : height of the ankle
    over the floor when the foot is flat.
    """

    ball: Floats
    heel: Floats
    palm: Floats
    ankle_m: float

    @classmethod
    def of(cls, body: OpenBody, shape: Floats) -> Soles:
        """Measure a body."""
        rest = body.rest_joints(shape)
        at = {n: i for i, n in enumerate(body.joint_names)}
        floor = float(body.rest_vertices(shape)[:, 1].min())
        ball, heel, palm = np.zeros((2, 3)), np.zeros((2, 3)), np.zeros((2, 3))
        for k, side in enumerate(("left", "right")):
            ankle, toes = rest[at[f"{side}_ankle"]], rest[at[f"{side}_foot"]]
            ball[k] = (toes[0] - ankle[0], floor - ankle[1], toes[2] - ankle[2])
            heel[k] = (0.0, floor - ankle[1], -0.25 * (toes[2] - ankle[2]))
            hand, wrist = rest[at[f"{side}_hand"]], rest[at[f"{side}_wrist"]]
            palm[k] = 0.7 * (hand - wrist) + np.array([0.0, -0.025, 0.0])
        return cls(ball, heel, palm, float(-ball[0, 1]))


def weights(plan: Plan, t: Floats) -> tuple[Floats, Floats]:
    """How firmly every part is held, and how far it is on its toes: (T, 4), (T, 4), 0 … 1, smooth in time."""
    i = np.clip(np.searchsorted(plan.time_s, t, side="right") - 1, 0, len(plan.time_s) - 2)
    start, end = plan.time_s[i], plan.time_s[i + 1]
    s = ramp((t - start) / (end - start))[:, None]
    out = []
    for flags in (plan.planted, plan.toes):
        f = flags.astype(np.float64)
        out.append(f[i] + (f[i + 1] - f[i]) * s)
    held = out[0]
    for node, _ in plan.flights:
        a, b = plan.time_s[node], plan.time_s[node + 1]
        off = ramp((t - a + _EARLY_S) / _LEAVE_S) * ramp((b - t + _EARLY_S) / _LEAVE_S)
        held[:, :2] *= 1.0 - off[:, None]
    return held, out[1]


def spans(held: Floats) -> list[tuple[int, int]]:
    """Stretches (first, last + 1) where a part is held, each with one contact.

    Two contacts may meet without a frame in which nothing is held; they are parted where the hold is weakest. At the ends
    of a stretch the hold is so weak that what belongs to it comes and goes without a jump.
    """
    on = np.concatenate([[False], held > 1e-6, [False]])
    edges = np.flatnonzero(np.diff(on.astype(int)))
    low = np.flatnonzero((held[1:-1] < 0.05) & (held[1:-1] <= held[:-2]) & (held[1:-1] < held[2:])) + 1
    out = []
    for first, last in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        cuts = [first, *low[(low > first) & (low < last - 1)].tolist(), last]
        out += [(i, j) for i, j in itertools.pairwise(cuts) if held[i:j].max() > 0.05]
    return out


@dataclass(frozen=True)
class Feet:
    """Both feet as contacts want them, seen from the root: (T, 2, ·)."""

    orientation: Floats
    ball: Floats
    yaw: Floats


def feet_of(posed: Posed, body: OpenBody, soles: Soles, held: Floats, toes: Floats) -> Feet:
    """Lay planted feet flat (unless on their toes), keeping which way they point; where that puts their balls.

    Parameters
    ----------
    posed : the body with its root anywhere
    held, toes : (T, 4)
    """
    at = {n: i for i, n in enumerate(body.joint_names)}
    n = held.shape[0]
    out, ball, yaw = np.empty((n, 2, 4)), np.empty((n, 2, 3)), np.empty((n, 2))
    for k, side in enumerate(("left", "right")):
        j = at[f"{side}_ankle"]
        matrix = posed.rotation[:, j]
        ahead = matrix[:, :, 2]
        angle = np.arctan2(ahead[:, 1], ahead[:, 0])
        for first, last in spans(held[:, k]):
            w = held[first:last, k] ** 4
            angle[first:last] = np.arctan2(
                (w * np.sin(angle[first:last])).sum(), (w * np.cos(angle[first:last])).sum()
            )
        yaw[:, k] = angle
        own = rot.from_matrix(matrix)
        out[:, k] = blend(own, flat(angle), held[:, k] * (1.0 - toes[:, k]))
        ball[:, k] = posed.joints[:, j] + rot.rotate(out[:, k], soles.ball[k])
    return Feet(out, ball, yaw)


def flat(yaw: Floats, pitch: Floats | float = 0.0) -> Floats:
    """Orientation (T, 4) of a foot that points to `yaw` (T,) rad from +x of the world, toes down by `pitch` · rad."""
    up = np.zeros((yaw.size, 3))
    up[:, 2] = yaw + np.pi / 2
    down = np.zeros((yaw.size, 3))
    down[:, 0] = np.pi / 2 + pitch
    return rot.multiply(rot.from_rotvec(up), rot.from_rotvec(down))


def follow(points: Floats, held: Floats) -> Floats:
    """Root path (T, 3) that keeps held points (T, P, 3) (as seen from the root) where they are, on z = 0.

    Where several are held their motions are averaged, and the root is as low as all of them need; where none is, the path
    goes on as it was.
    """
    w = held**4
    total = w.sum(axis=1)
    rate = np.diff(points[:, :, :2], axis=0)
    middle = 0.5 * (w[1:] + w[:-1])
    sums = middle.sum(axis=1)
    step = -np.einsum("tp,tpc->tc", middle, rate) / np.maximum(sums, 1e-9)[:, None]
    step[sums < 1e-6] = 0.0
    root = np.zeros((points.shape[0], 3))
    root[1:, :2] = np.cumsum(step, axis=0)
    mean = -np.einsum("tp,tp->t", w, points[:, :, 2]) / np.maximum(total, 1e-12)
    apart = held * (-points[:, :, 2] - mean[:, None]) / _SOFT_M
    z = mean - _SOFT_M * (np.logaddexp.reduce(-apart, axis=1) - np.log(points.shape[1]))
    known = np.flatnonzero(total > 1e-6)
    root[:, 2] = np.interp(np.arange(len(z)), known, z[known]) if known.size else z
    return root


def foot_targets(
    feet: Feet, root: Floats, soles: Soles, held: Floats, lift_frames: float
) -> dict[str, Target]:
    """Where ankles are to be, so that the balls of planted feet stay on one spot of the floor.

    Other feet that the movement plants at times are as high as the pose and the root take them, but not below the floor;
    between the two they go in about `lift_frames`.
    """
    out = {}
    for k, part in enumerate(PARTS[:2]):
        if not held[:, k].any():
            continue
        ball = feet.ball[:, k] + root
        goal = ball.copy()
        for first, last in spans(held[:, k]):
            w = held[first:last, k]
            firm = w**4
            spot = (firm[:, None] * ball[first:last]).sum(axis=0) / max(firm.sum(), 1e-12)
            spot[2] = 0.0
            goal[first:last] += w[:, None] * (spot - ball[first:last])
        goal[:, 2] = gaussian_filter1d(np.maximum(goal[:, 2], 0.0), lift_frames, mode="nearest")
        ankle = goal - rot.rotate(feet.orientation[:, k], soles.ball[k])
        out[part] = Target(ankle, feet.orientation[:, k])
    return out


def hand_targets(
    posed: Posed, body: OpenBody, root: Floats, soles: Soles, held: Floats, on_floor: bool
) -> dict[str, Target]:
    """Where wrists are to be, so that held hands stay as they are at the first instant (on the floor, if so)."""
    at = {n: i for i, n in enumerate(body.joint_names)}
    out = {}
    for k, part in enumerate(PARTS[2:]):
        w = held[:, 2 + k]
        if not w.any():
            continue
        j = at[part.replace("hand", "wrist")]
        own = rot.from_matrix(posed.rotation[:, j])
        position = posed.joints[:, j] + root
        first = int(np.argmax(w > 0.999))
        spot = position[first].copy()
        if on_floor:
            spot[2] = WRIST_M
        out[part] = Target(
            position + w[:, None] * (spot - position),
            blend(own, np.broadcast_to(own[first], own.shape), w),
        )
    return out
