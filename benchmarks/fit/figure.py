"""The open body posed by hand: trunk by rotations, arms and legs by where they reach (two-bone reach, closed form)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

import imusim as im
from imusim import rotation
from imusim.conventions import Q_WB_REST
from imusim.types import Body, Floats, Motion

_ARM, _LEG = ("shoulder", "elbow", "wrist"), ("hip", "knee", "ankle")
_HINGE = {"left_arm": (0, -1, 0), "right_arm": (0, 1, 0), "left_leg": (1, 0, 0), "right_leg": (1, 0, 0)}


def unit(v: Floats) -> Floats:
    return v / np.linalg.norm(v, axis=-1, keepdims=True)


def turn(axis, degrees) -> Floats:
    """Rotations (T, 3, 3) by `degrees` (T,) or a number about a fixed axis (3,), world axes."""
    angle = np.deg2rad(np.atleast_1d(np.asarray(degrees, dtype=np.float64)))
    return rotation.to_matrix(rotation.from_rotvec(angle[:, None] * np.asarray(axis, dtype=np.float64)))


def _frame(main: Floats, second: Floats) -> Floats:
    y = unit(main)
    x = unit(second - (second * y).sum(-1, keepdims=True) * y)
    return np.stack([x, y, np.cross(x, y)], axis=-1)


@dataclass(frozen=True)
class Reach:
    """Where a hand or foot is and how it is turned.

    Parameters
    ----------
    target_m : (T, 3) · m · world, wrist or ankle joint
    hint : (3,) or (T, 3) direction that elbow or knee points to · world
    end : (T, 3, 3) or None: rotation of hand or foot from the rest pose as it stands in the world; None: like
        forearm or shin
    """

    target_m: Floats
    hint: Floats
    end: Floats | None = None


@dataclass(frozen=True)
class Swing:
    """An arm given by directions: upper arm and forearm (T, 3) · world; `hint` as for `Reach`."""

    upper: Floats
    fore: Floats
    hint: Floats


@dataclass
class Pose:
    """What a figure does: all rotations take the standing rest pose to the world's axes (T, 3, 3).

    `limbs` has left_arm, right_arm, left_leg, right_leg; `thorax` and `head` follow the pelvis if not given.
    """

    time_s: Floats
    pelvis_m: Floats
    pelvis: Floats
    thorax: Floats | None = None
    head: Floats | None = None
    limbs: Mapping[str, Reach | Swing] = field(default_factory=dict)


def between(a: Floats, b: Floats, share: float) -> Floats:
    """Rotation `share` of the way from a to b (T, 3, 3)."""
    step = rotation.to_rotvec(rotation.from_matrix(np.swapaxes(a, 1, 2) @ b))
    return a @ rotation.to_matrix(rotation.from_rotvec(share * step))


def motion_of(pose: Pose, body: Body | None = None, shape: Floats | None = None) -> Motion:
    """Motion of the open body (or another with its joints)."""
    body = im.open_body() if body is None else body
    names, parents = list(body.joint_names), body.parents
    count = pose.time_s.size
    stand = rotation.to_matrix(np.asarray(Q_WB_REST))
    rest = body.rest_joints(shape)

    def wide(r: Floats) -> Floats:
        return np.broadcast_to(r, (count, 3, 3)) @ stand

    pelvis = wide(pose.pelvis)
    thorax = pelvis if pose.thorax is None else wide(pose.thorax)
    head = thorax if pose.head is None else wide(pose.head)
    turns: dict[str, Floats] = {"pelvis": pelvis, "neck": between(thorax, head, 0.5), "head": head}
    for i in (1, 2, 3):
        turns[f"spine{i}"] = between(pelvis, thorax, i / 3)
    for side in ("left", "right"):
        turns[f"{side}_collar"] = thorax
    place = np.zeros((count, len(names), 3))
    total = np.zeros((count, len(names), 3, 3))
    for j, name in enumerate(names):
        k = parents[j]
        place[:, j] = pose.pelvis_m if k < 0 else place[:, k] + total[:, k] @ (rest[j] - rest[k])
        total[:, j] = turns.get(name, total[:, k])
        side, _, part = name.partition("_")
        kind = "arm" if part == _ARM[0] else "leg" if part == _LEG[0] else None
        if kind and f"{side}_{kind}" in pose.limbs:
            limb = _bend(rest, names, f"{side}_{kind}", place[:, j], pose.limbs[f"{side}_{kind}"], stand)
            total[:, j] = limb[part]
            turns |= {f"{side}_{n}": r for n, r in limb.items()}
    local = np.empty_like(total)
    for j, k in enumerate(parents):
        local[:, j] = total[:, j] if k < 0 else np.swapaxes(total[:, k], 1, 2) @ total[:, j]
    quats = rotation.sign_continuous(rotation.from_matrix(local))
    return Motion(
        pose.time_s, place[:, 0], quats, body, shape=np.zeros(body.n_shape) if shape is None else shape
    )


def _bend(rest, names, limb: str, start: Floats, how: Reach | Swing, stand: Floats) -> dict[str, Floats]:
    """World rotations of the limb's three segments, (T, 3, 3) from body axes, by joint name without its side."""
    side, _, kind = limb.partition("_")
    first, second, third = _ARM if kind == "arm" else _LEG
    a0, b0, c0 = (rest[names.index(f"{side}_{n}")] for n in (first, second, third))
    long, short = np.linalg.norm(b0 - a0), np.linalg.norm(c0 - b0)
    hint = np.broadcast_to(how.hint, start.shape)
    if isinstance(how, Reach):
        reach = how.target_m - start
        far = np.linalg.norm(reach, axis=-1, keepdims=True)
        if (far > long + short).any():
            raise ValueError(f"{limb} cannot reach {far.max():.3f} m, it is {long + short:.3f} m long")
        d = reach / far
        side_way = unit(hint - (hint * d).sum(-1, keepdims=True) * d)
        cos = np.clip((far**2 + long**2 - short**2) / (2 * far * long), -1, 1)
        elbow = long * (cos * d + np.sqrt(1 - cos**2) * side_way)
        upper, fore = unit(elbow), unit(reach - elbow)
        hinge = np.cross(side_way, d)
    else:
        upper, fore = unit(how.upper), unit(how.fore)
        hinge = np.cross(hint, upper + fore)
    axis = np.asarray(_HINGE[limb], dtype=np.float64)
    out = {}
    for name, now, then in ((first, upper, b0 - a0), (second, fore, c0 - b0)):
        out[name] = _frame(now, hinge) @ np.swapaxes(_frame(then, axis), -1, -2)
    end = getattr(how, "end", None)
    out[third] = out[second] if end is None else np.broadcast_to(end, (start.shape[0], 3, 3)) @ stand
    return out
