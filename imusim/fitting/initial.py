"""A first pose for every frame, in closed form from the landmarks, all frames at once.

Trunk and head follow from two directions each (the triad method; Black 1964); limbs from their direction and, for the
twist, from the plane of elbow or knee. A straight limb has no plane: what then decides is the foot, the pelvis or
the least twist from the rest pose, added with a small weight so that nothing jumps as the limb straightens.
"""

from __future__ import annotations

import numpy as np

from imusim import rotation
from imusim.fitting.landmarks import AT, FACE
from imusim.fitting.skeleton import ANGLES, BALLS, Skeleton
from imusim.types import Floats

_PLANE_FLOOR = 0.25  # sine of the flexion at which the plane outweighs the rest
_FLIP_DEG = 60.0
_FLIP_WINDOW_S = 0.3
_HIDDEN = 0.4
_TWIST_WINDOW_S = 0.5
_STRAIGHT = 0.1  # sine of the flexion below which all frames count alike


def _unit(v: Floats) -> Floats:
    return v / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), 1e-9)


def _triad(main: Floats, second: Floats) -> Floats:
    """Right-handed axes (..., 3, 3) as columns: `second` made perpendicular to `main`, `main`, their product."""
    y = _unit(main)
    x = second - (second * y).sum(-1, keepdims=True) * y
    x = _unit(x)
    return np.stack([x, y, np.cross(x, y)], axis=-1)


def _turn(rest_main: Floats, rest_second: Floats, main: Floats, second: Floats) -> Floats:
    """Rotation (..., 3, 3) that takes the rest pair of directions to the seen pair, `main` exactly."""
    return _triad(main, second) @ np.swapaxes(_triad(rest_main, rest_second), -1, -2)


def _about(axis: Floats, angle: Floats) -> Floats:
    """Rotations (T, 3, 3) by `angle` (T,) rad about the unit `axis` (3,)."""
    return rotation.to_matrix(rotation.from_rotvec(angle[:, None] * axis))


def _part(r: Floats, fraction: float) -> Floats:
    """The given fraction of rotations (T, 3, 3), about the same axes."""
    return rotation.to_matrix(rotation.from_rotvec(fraction * rotation.to_rotvec(rotation.from_matrix(r))))


def _swing(start: Floats, end: Floats) -> Floats:
    """Smallest rotations (T, 3, 3) from the unit vector `start` (3,) to `end` (T, 3)."""
    half = _unit(
        np.concatenate([1.0 + (start * end).sum(-1, keepdims=True), np.cross(start, end)], axis=-1) + 1e-12
    )
    return rotation.to_matrix(half)


def _near(hinge: Floats, neutral: Floats, bone: Floats, bend: Floats, time_s: Floats | None) -> Floats:
    """Turn hinges (T, 3) about the bone (T, 3) to be near the neutral ones: 30° if straight, 110° if well bent.

    An arm that noise bends the wrong way would otherwise start twisted by half a turn, and no small step leads back.
    For the same reason the angle from neutral is averaged in time, as far as the limb is bent: between +100° in
    one frame and −100° in another the shortest way leads once around the limb.
    """
    neutral = _unit(neutral - (neutral * bone).sum(-1, keepdims=True) * bone)
    side = np.cross(bone, neutral)
    angle = np.arctan2((hinge * side).sum(-1), (hinge * neutral).sum(-1))
    part = np.clip((bend - 0.15) / 0.45, 0.0, 1.0)
    limit = np.deg2rad(30.0 + 80.0 * part * part * (3.0 - 2.0 * part))
    angle = np.clip(angle, -limit, limit)
    if time_s is not None:
        weight = bend**2 + _STRAIGHT**2
        angle = _mean(time_s, weight * angle, _TWIST_WINDOW_S) / _mean(time_s, weight, _TWIST_WINDOW_S)
    angle = angle[:, None]
    return np.cos(angle) * neutral + np.sin(angle) * side


def _mean(time_s: Floats, x: Floats, window_s: float) -> Floats:
    """Mean of x (T, ...) over a window about each frame."""
    first = np.searchsorted(time_s, time_s - 0.5 * window_s)
    last = np.searchsorted(time_s, time_s + 0.5 * window_s, side="right")
    total = np.concatenate([np.zeros_like(x[:1]), np.cumsum(x, axis=0)])
    return (total[last] - total[first]) / (last - first).reshape(-1, *[1] * (x.ndim - 1))


def initial_pose(skeleton: Skeleton, marks: Floats, time_s: Floats | None = None) -> tuple[Floats, Floats]:
    """Pose of every frame: balls (T, 9, 3, 3) (the root's takes B to camera axes), angles (T, 14) rad.

    Parameters
    ----------
    skeleton : the body, J joints
    marks : (T, 33, 3) · m · camera axes, finite, any origin
    time_s : (T,) · s: limbs turn about their length calmly; None: every frame stands alone
    """
    count = marks.shape[0]
    rest = skeleton.marks
    balls = np.tile(np.eye(3), (count, len(BALLS), 1, 1))
    angles = np.zeros((count, len(ANGLES)))

    def between(points: Floats, a: str, b: str) -> Floats:
        return points[..., AT[b], :] - points[..., AT[a], :]

    def trunk_up(points: Floats) -> Floats:
        shoulders = points[..., AT["left_shoulder"], :] + points[..., AT["right_shoulder"], :]
        return 0.5 * (shoulders - points[..., AT["left_hip"], :] - points[..., AT["right_hip"], :])

    up0, up = trunk_up(rest), trunk_up(marks)
    # not made unit: a short line is mostly error, and hips seen from the side are short
    hips, shoulders = (between(marks, f"right_{n}", f"left_{n}") for n in ("hip", "shoulder"))
    left = np.array([1.0, 0.0, 0.0])
    pelvis = _turn(up0, left, up, 2.0 * hips + shoulders)
    thorax = _turn(up0, left, up, hips + 2.0 * shoulders)
    balls[:, BALLS.index("root")] = pelvis
    balls[:, BALLS.index("spine")] = _part(np.swapaxes(pelvis, 1, 2) @ thorax, 1 / 3)

    ears0, ears = between(rest, "right_ear", "left_ear"), between(marks, "right_ear", "left_ear")
    front = [AT[n] for n in FACE if "ear" not in n]

    def forward(points: Floats) -> Floats:
        return points[..., front, :].mean(-2) - 0.5 * (
            points[..., AT["left_ear"], :] + points[..., AT["right_ear"], :]
        )

    face0, face = forward(rest), forward(marks)
    head = _turn(face0, ears0, face, ears)
    balls[:, BALLS.index("neck")] = _part(np.swapaxes(thorax, 1, 2) @ head, 0.5)

    for side, sign in (("left", 1.0), ("right", -1.0)):
        _leg(skeleton, marks, time_s, side, pelvis, balls, angles)
        _arm(skeleton, marks, time_s, side, sign, thorax, balls, angles)
    return balls, angles


def _leg(
    skeleton: Skeleton,
    marks: Floats,
    time_s: Floats | None,
    side: str,
    pelvis: Floats,
    balls: Floats,
    angles: Floats,
) -> None:
    """Hip, knee and ankle of one side, written into balls and angles."""
    rest, chain = skeleton.marks, skeleton.chain
    hip, knee, ankle, heel, toe = (AT[f"{side}_{n}"] for n in ("hip", "knee", "ankle", "heel", "foot_index"))
    joint = skeleton.index(f"{side}_knee")
    axis = chain.axis[joint, 0]
    thigh0 = skeleton.rest[joint] - skeleton.rest[skeleton.index(f"{side}_hip")]
    thigh, shin, foot = (
        _unit(marks[:, b] - marks[:, a]) for a, b in ((hip, knee), (knee, ankle), (heel, toe))
    )
    sideways = _unit(np.cross(-shin, foot)) + _unit(pelvis[:, :, 0])
    plane = np.cross(thigh, shin)
    hinge = _near(
        plane + _PLANE_FLOOR * _unit(sideways), pelvis[:, :, 0], thigh, np.linalg.norm(plane, axis=-1), time_s
    )
    r_thigh = _turn(thigh0, axis, thigh, hinge)
    bend = np.einsum("ta,ta->t", np.cross(thigh, shin), r_thigh @ axis)
    flexion = np.clip(np.arctan2(bend, (thigh * shin).sum(-1)), 0.0, np.deg2rad(150))
    r_shin = r_thigh @ _about(axis, flexion)
    r_foot = _turn(rest[toe] - rest[heel], axis, foot, r_shin @ axis)
    ankle_turn = np.swapaxes(r_shin, 1, 2) @ r_foot
    vector = rotation.to_rotvec(rotation.from_matrix(ankle_turn))
    limit = np.deg2rad(50)  # a foot of wrong depth must not start the ankle outside what an ankle can do
    vector *= np.minimum(1.0, limit / np.maximum(np.linalg.norm(vector, axis=-1, keepdims=True), 1e-9))
    balls[:, BALLS.index(f"{side}_hip")] = np.swapaxes(pelvis, 1, 2) @ r_thigh
    balls[:, BALLS.index(f"{side}_ankle")] = rotation.to_matrix(rotation.from_rotvec(vector))
    angles[:, ANGLES.index(f"{side}_knee")] = flexion


def _arm(
    skeleton: Skeleton,
    marks: Floats,
    time_s: Floats | None,
    side: str,
    sign: float,
    thorax: Floats,
    balls: Floats,
    angles: Floats,
) -> None:
    """Shoulder, elbow and forearm of one side, written into balls and angles."""
    rest, chain = skeleton.marks, skeleton.chain
    shoulder, elbow, wrist, index, pinky = (
        AT[f"{side}_{n}"] for n in ("shoulder", "elbow", "wrist", "index", "pinky")
    )
    joint = skeleton.index(f"{side}_elbow")
    axis, long = chain.axis[joint]
    upper0 = _unit(skeleton.rest[joint] - skeleton.rest[skeleton.index(f"{side}_shoulder")])
    upper, fore = (_unit(marks[:, b] - marks[:, a]) for a, b in ((shoulder, elbow), (elbow, wrist)))
    local = np.einsum("tba,tb->ta", thorax, upper)  # in the thorax's axes
    neutral = (thorax @ _swing(upper0, local)) @ axis
    plane = np.cross(upper, fore)
    hinge = _near(plane + _PLANE_FLOOR * neutral, neutral, upper, np.linalg.norm(plane, axis=-1), time_s)
    r_upper = _turn(upper0, axis, upper, hinge)
    bend = np.einsum("ta,ta->t", np.cross(upper, fore), r_upper @ axis)
    flexion = np.clip(np.arctan2(bend, (upper * fore).sum(-1)), 0.0, np.deg2rad(150))
    r_fore = r_upper @ _about(axis, flexion)
    across0 = rest[index] - rest[pinky]
    across0 = _unit(across0 - (across0 @ long) * long)
    across = np.einsum("tba,tb->ta", r_fore, _unit(marks[:, index] - marks[:, pinky]))
    turn = np.arctan2(across @ np.cross(long, across0), across @ across0)
    balls[:, BALLS.index(f"{side}_shoulder")] = np.swapaxes(thorax, 1, 2) @ r_upper
    angles[:, ANGLES.index(f"{side}_elbow")] = flexion
    angles[:, ANGLES.index(f"{side}_forearm")] = 0.5 * np.clip(turn, -np.deg2rad(80), np.deg2rad(80))


def pelvis_turn(marks: Floats) -> Floats:
    """Rough orientation of the trunk, (T, 3, 3), from hips and shoulders (T, 33, 3)."""
    left = marks[:, [AT["left_hip"], AT["left_shoulder"]]]
    right = marks[:, [AT["right_hip"], AT["right_shoulder"]]]
    up = 0.5 * (left + right)
    return _triad(up[:, 1] - up[:, 0], (left - right).sum(axis=1))


def flipped_frames(time_s: Floats, pelvis: Floats) -> np.ndarray:
    """Frames whose pelvis is turned more than 60° from its neighbours' mean: left and right were confused. (T,) bool.

    Only short runs count: who is turned for longer than the window has turned, or spins.

    Parameters
    ----------
    time_s : (T,) · s
    pelvis : (T, 3, 3) orientation
    """
    first = np.searchsorted(time_s, time_s - _FLIP_WINDOW_S)
    last = np.searchsorted(time_s, time_s + _FLIP_WINDOW_S, side="right")
    total = np.concatenate([np.zeros((1, 3, 3)), np.cumsum(pelvis, axis=0)])
    mean = (total[last] - total[first]) / (last - first)[:, None, None]
    u, _, vt = np.linalg.svd(mean)
    u[:, :, -1] *= np.sign(np.linalg.det(u @ vt))[:, None]
    cosine = 0.5 * (np.einsum("tab,tab->t", u @ vt, pelvis) - 1.0)
    flipped = cosine < np.cos(np.deg2rad(_FLIP_DEG))
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flipped, [False]])))
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        if time_s[end - 1] - time_s[start] > _FLIP_WINDOW_S:
            flipped[start:end] = False
    return flipped


def unhidden(time_s: Floats, marks: Floats, belief: Floats) -> Floats:
    """Landmarks (T, 33, 3) with those that are hidden for a while put where they were before and after.

    Parameters
    ----------
    time_s : (T,) · s
    marks : (T, 33, 3) · m, finite
    belief : (T, 33), 0 … 1; a landmark believed `_HIDDEN` times less than it usually is in this clip is hidden
    """
    out = marks.copy()
    usual = np.median(belief, axis=0)
    for l in range(marks.shape[1]):
        shown = belief[:, l] > _HIDDEN * usual[l]
        if shown.any() and not shown.all():
            out[:, l] = fill_values(time_s, marks[:, l], shown)
    return out


def calmed(time_s: Floats, marks: Floats, window_s: float = 0.2) -> Floats:
    """Landmarks (T, 33, 3) averaged over a short window: a calmer start. The refinement sees the landmarks as they are."""
    origin = marks[:1]
    return origin + _mean(time_s, marks - origin, window_s)


def mend(time_s: Floats, balls: Floats, angles: Floats) -> tuple[Floats, Floats]:
    """Give frames whose pelvis still stands out the pose of the nearest frame whose does not."""
    odd = flipped_frames(time_s, balls[:, 0])
    if not odd.any() or odd.all():
        return balls, angles
    good = np.flatnonzero(~odd)
    nearest = good[np.abs(time_s[good][None, :] - time_s[odd][:, None]).argmin(axis=1)]
    balls, angles = balls.copy(), angles.copy()
    balls[odd], angles[odd] = balls[nearest], angles[nearest]
    return balls, angles


def fill_values(time_s: Floats, x: Floats, good: np.ndarray) -> Floats:
    """Replace rows of x (T, ...) that are not `good` (T,) by linear interpolation between good neighbours."""
    if good.all():
        return x
    flat = x.reshape(x.shape[0], -1).copy()
    for k in range(flat.shape[1]):
        flat[~good, k] = np.interp(time_s[~good], time_s[good], flat[good, k])
    return flat.reshape(x.shape)
