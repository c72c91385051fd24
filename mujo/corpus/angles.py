"""Anatomical joint angles of the open body: names, ranges, mirroring, and the joint rotations they make.

Zero is the anatomical standing posture: arms hanging, thumbs forward, everything straight. Degrees. Of a side's angles
the signs are the same left and right; of the trunk's, side, twist, roll and yaw are positive to the person's left.

===========  ==========================================================================================
shoulder     flexion (forward and up), abduction (sideways, before flexion turns it), horizontal (about the vertical,
             across the chest), rotation (inward, about the upper arm's length)
collar       elevation, protraction; both are taken off the shoulder, whose angles are those of the arm to the trunk
elbow        flexion, pronation (palm back, or down when the elbow is bent)
wrist        flexion (to the palm), deviation (to the thumb)
hip          flexion (thigh forward), abduction (outward, before flexion turns it), rotation (inward)
knee         flexion
ankle        dorsiflexion (toes up)
spine, neck  flexion (forward), side, twist; spread evenly over their joints
pelvis       pitch (forward; −90 lies on the back, 90 face down), roll, yaw
===========  ==========================================================================================
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from imusim import rotation as rot
from mujo.errors import MovementError, unknown_name

Floats = NDArray[np.float64]

_SIDED: Mapping[str, Mapping[str, tuple[float, float]]] = {
    "shoulder": {"flexion": (-60, 185), "abduction": (-45, 180), "horizontal": (-70, 140), "rotation": (-100, 100)},
    "collar": {"elevation": (-10, 35), "protraction": (-20, 25)},
    "elbow": {"flexion": (0, 152), "pronation": (-90, 90)},
    "wrist": {"flexion": (-80, 80), "deviation": (-30, 30)},
    "hip": {"flexion": (-35, 135), "abduction": (-35, 70), "rotation": (-50, 50)},
    "knee": {"flexion": (0, 155)},
    "ankle": {"dorsiflexion": (-55, 40)},
}  # fmt: skip
_MIDDLE: Mapping[str, Mapping[str, tuple[float, float]]] = {
    "spine": {"flexion": (-35, 90), "side": (-40, 40), "twist": (-55, 55)},
    "neck": {"flexion": (-60, 60), "side": (-45, 45), "twist": (-80, 80)},
    "pelvis": {"pitch": (-120, 120), "roll": (-95, 95), "yaw": (-200, 200)},
}
PLURALS = {"shoulders": "shoulder", "collars": "collar", "elbows": "elbow", "wrists": "wrist", "hips": "hip",
           "knees": "knee", "ankles": "ankle"}  # fmt: skip
"""Names that stand for both sides."""

LIMITS: dict[str, tuple[float, float]] = {
    **{f"{s}_{j}.{a}": lim for s in ("left", "right") for j, t in _SIDED.items() for a, lim in t.items()},
    **{f"{j}.{a}": lim for j, t in _MIDDLE.items() for a, lim in t.items()},
}
"""Angle → (lowest, highest) · degrees."""

NAMES: tuple[str, ...] = tuple(LIMITS)
INDEX = {name: i for i, name in enumerate(NAMES)}
LOW = np.array([LIMITS[n][0] for n in NAMES], dtype=np.float64)
HIGH = np.array([LIMITS[n][1] for n in NAMES], dtype=np.float64)
_GIVE_DEG = 1.5


def _mirror_name(name: str) -> str:
    for a, b in (("left_", "right_"), ("right_", "left_")):
        if name.startswith(a):
            return b + name.removeprefix(a)
    return name


_MIRROR = np.array([INDEX[_mirror_name(n)] for n in NAMES])
_MIRROR_SIGN = np.array(
    [-1.0 if n.rsplit(".", 1)[1] in ("side", "twist", "roll", "yaw") else 1.0 for n in NAMES]
)


def mirrored(angles: Floats) -> Floats:
    """Exchange left for right: (..., D) → (..., D)."""
    return angles[..., _MIRROR] * _MIRROR_SIGN


def within_limits(angles: Floats) -> Floats:
    """Keep angles (..., D) · degrees within a person's range, as a joint does it: it gives before it stops."""
    low = LOW + _GIVE_DEG * np.logaddexp(0.0, (angles - LOW) / _GIVE_DEG)
    return HIGH - _GIVE_DEG * np.logaddexp(0.0, (HIGH - low) / _GIVE_DEG)


def names_of(joint: str, angle: str, where: str = "") -> tuple[str, ...]:
    """Full names of an angle of a joint, two for a plural.

    Raises
    ------
    UnknownNameError, MovementError
        For a joint or angle that does not exist.
    """
    single = PLURALS.get(joint)
    joints = (f"left_{single}", f"right_{single}") if single else (joint,)
    known = {n.rsplit(".", 1)[0] for n in NAMES}
    if joints[0] not in known:
        raise unknown_name(f"{where}joint", joint, [*known, *PLURALS])
    out = tuple(f"{j}.{angle}" for j in joints)
    if out[0] not in INDEX:
        has = [n.rsplit(".", 1)[1] for n in NAMES if n.startswith(joints[0] + ".")]
        raise MovementError(f"{where}{joint} has no angle {angle!r}: wanted {', '.join(has)}")
    return out


def _about(axis: int, degrees: Floats) -> Floats:
    half = np.radians(degrees) / 2.0
    q = np.zeros((half.size, 4))
    q[:, 0], q[:, 1 + axis] = np.cos(half), np.sin(half)
    return q


def _chain(*parts: Floats) -> Floats:
    out = parts[0]
    for part in parts[1:]:
        out = rot.multiply(out, part)
    return out


_HANG = {+1: rot.from_rotvec([0.0, 0.0, -np.pi / 2]), -1: rot.from_rotvec([0.0, 0.0, np.pi / 2])}


def joint_rotations(angles: Floats, joint_names: Sequence[str], heading_deg: float = 0.0) -> Floats:
    """Joint rotations of a body with SMPL's joint names and axes.

    Parameters
    ----------
    angles : (T, D) · degrees, in the order of `NAMES`
    joint_names : J names
    heading_deg : the person faces this far from +y of the world, anticlockwise seen from above

    Returns
    -------
    (T, J, 4), wxyz: the root's body to world (z up), the others' child to parent
    """
    at = {n: i for i, n in enumerate(joint_names)}
    q = np.zeros((angles.shape[0], len(joint_names), 4))
    q[..., 0] = 1.0

    def a(name: str) -> Floats:
        return angles[:, INDEX[name]]

    # the body file's y up, facing z → the world's z up, facing y
    world = rot.multiply(
        rot.from_rotvec([0.0, 0.0, np.radians(180.0 + heading_deg)]), rot.from_rotvec([np.pi / 2, 0, 0])
    )
    trunk = _chain(_about(1, a("pelvis.yaw")), _about(0, a("pelvis.pitch")), _about(2, -a("pelvis.roll")))
    q[:, at["pelvis"]] = rot.multiply(world, trunk)
    for part, joints in (("spine", ("spine1", "spine2", "spine3")), ("neck", ("neck", "head"))):
        share = 1.0 / len(joints)
        turn = rot.to_rotvec(
            _chain(
                _about(1, share * a(f"{part}.twist")),
                _about(0, share * a(f"{part}.flexion")),
                _about(2, -share * a(f"{part}.side")),
            )
        )
        for joint in joints:
            q[:, at[joint]] = rot.from_rotvec(turn)
    for side, s in (("left", 1), ("right", -1)):

        def of(name: str, side: str = side) -> Floats:
            return angles[:, INDEX[f"{side}_{name}"]]

        collar = rot.multiply(_about(2, s * of("collar.elevation")), _about(1, -s * of("collar.protraction")))
        arm = _chain(
            _about(1, -s * of("shoulder.horizontal")),
            _about(0, -of("shoulder.flexion")),
            _about(2, s * of("shoulder.abduction")),
            _about(1, -s * of("shoulder.rotation")),
            _HANG[s],
        )
        q[:, at[f"{side}_collar"]] = collar
        q[:, at[f"{side}_shoulder"]] = rot.multiply(rot.conjugate(collar), arm)
        q[:, at[f"{side}_elbow"]] = rot.multiply(
            _about(1, -s * of("elbow.flexion")), _about(0, of("elbow.pronation"))
        )
        q[:, at[f"{side}_wrist"]] = rot.multiply(
            _about(2, -s * of("wrist.flexion")), _about(1, -s * of("wrist.deviation"))
        )
        q[:, at[f"{side}_hip"]] = _chain(
            _about(0, -of("hip.flexion")),
            _about(2, s * of("hip.abduction")),
            _about(1, -s * of("hip.rotation")),
        )
        q[:, at[f"{side}_knee"]] = _about(0, of("knee.flexion"))
        q[:, at[f"{side}_ankle"]] = _about(0, -of("ankle.dorsiflexion"))
    return q
