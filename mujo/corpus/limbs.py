"""Arms and legs that reach a point: two bones, one hinge, in closed form."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imusim import rotation as rot
from imusim.body import SkinnedBody

Floats = NDArray[np.float64]
_SLACK_M = 0.004  # a limb is straightened softly: this far from its full length it begins to give


@dataclass(frozen=True)
class Limb:
    """Joints of a limb and the axis its hinge turns about (for a positive flexion), in rest-pose axes."""

    part: str
    upper: str
    hinge: str
    end: str
    axis: tuple[float, float, float]


LIMBS = (
    Limb("left_foot", "left_hip", "left_knee", "left_ankle", (1.0, 0.0, 0.0)),
    Limb("right_foot", "right_hip", "right_knee", "right_ankle", (1.0, 0.0, 0.0)),
    Limb("left_hand", "left_shoulder", "left_elbow", "left_wrist", (0.0, -1.0, 0.0)),
    Limb("right_hand", "right_shoulder", "right_elbow", "right_wrist", (0.0, 1.0, 0.0)),
)


@dataclass(frozen=True)
class Target:
    """Where the end joint of a limb (ankle, wrist) is to be: (T, 3) · m and (T, 4), world."""

    position: Floats
    orientation: Floats


def reach(
    body: SkinnedBody,
    shape: Floats,
    root: Floats,
    q: Floats,
    targets: dict[str, Target],
    flexion_deg: dict[str, Floats],
) -> Floats:
    """Turn limbs so that their ends are at the targets; the elbow or knee stays on the side where it was.

    Parameters
    ----------
    body, shape : whose bones
    root : (T, 3) · m
    q : (T, J, 4), joint rotations, left as they are
    targets : part → `Target`
    flexion_deg : part → (T,), the hinge's flexion in `q`

    Returns
    -------
    (T, J, 4)
    """
    posed = body.pose(root, q, shape, vertices=False)
    rest = body.rest_joints(shape)
    at = {n: i for i, n in enumerate(body.joint_names)}
    out = q.copy()
    for limb in LIMBS:
        if limb.part not in targets:
            continue
        target = targets[limb.part]
        a, b, c = at[limb.upper], at[limb.hinge], at[limb.end]
        parent = rot.from_matrix(posed.rotation[:, body.parents[a]])
        way = target.position - posed.joints[:, a]
        axis = np.array(limb.axis)
        first, second = rest[b] - rest[a], rest[c] - rest[b]
        theta = _hinge(first, second, axis, np.linalg.norm(way, axis=1))
        bent = rot.from_rotvec(theta[:, None] * axis)
        undo = rot.from_rotvec(-np.radians(flexion_deg[limb.part])[:, None] * axis)
        out[:, b] = rot.multiply(bent, rot.multiply(undo, q[:, b]))
        upper = rot.multiply(parent, q[:, a])
        reached = rot.rotate(upper, first + rot.rotate(bent, second))
        upper = rot.multiply(rot.between(reached, way), upper)
        out[:, a] = rot.multiply(rot.conjugate(parent), upper)
        out[:, c] = rot.multiply(rot.conjugate(rot.multiply(upper, out[:, b])), target.orientation)
    return out


def _hinge(first: Floats, second: Floats, axis: Floats, distance: Floats) -> Floats:
    """Flexion (T,) · rad that puts the end at a distance (T,) · m from the limb's beginning."""
    along = axis * (axis @ second)
    across = second - along
    k0 = first @ first + second @ second + 2 * first @ along
    k1, k2 = 2 * first @ across, 2 * first @ np.cross(axis, second)
    size, phase = np.hypot(k1, k2), np.arctan2(k2, k1)
    longest = np.sqrt(k0 + size)
    spare = (longest - distance) / _SLACK_M
    d = longest - _SLACK_M * np.logaddexp(0.0, spare)
    cosine = (np.maximum(d, 0.0) ** 2 - k0) / size
    return phase + np.arccos(np.clip(cosine, -1.0, 1.0))


def blend(a: Floats, b: Floats, weight: Floats) -> Floats:
    """Rotation between a and b (T, 4): a where weight (T,) is 0, b where it is 1."""
    turn = rot.to_rotvec(rot.multiply(rot.conjugate(a), b))
    return rot.multiply(a, rot.from_rotvec(weight[:, None] * turn))
