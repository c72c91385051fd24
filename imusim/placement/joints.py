"""Find a joint by its SMPL name on any body, and the direction of its segment."""

from __future__ import annotations

import re

import numpy as np

from imusim.body import open_body
from imusim.errors import UnknownNameError, unknown_name
from imusim.types import Body, Floats

_ALIASES: dict[str, tuple[str, ...]] = {
    "pelvis": ("hips", "hip", "root", "lowertorso", "spinebase", "midhip", "hipcenter"),
    "neck": ("neck1", "neckbase", "lowerneck", "shouldercenter"),
    "head": ("headtop", "nose"),
}
_SPINE = ("spine1", "spine2", "spine3")
_SIDED: dict[str, tuple[str, ...]] = {
    "hip": ("upleg", "upperleg", "thigh", "femur", "hip"),
    "knee": ("leg", "lowerleg", "shin", "tibia", "calf", "knee"),
    "ankle": ("foot", "ankle"),
    "foot": ("toebase", "toe", "toes", "forefoot", "foottoe", "footindex", "bigtoe"),
    "collar": ("collar", "clavicle", "shoulder"),
    "shoulder": ("arm", "upperarm", "uparm", "humerus", "shoulder"),
    "elbow": ("forearm", "lowerarm", "lowarm", "radius", "elbow"),
    "wrist": ("wrist", "hand"),
    "hand": ("handmiddle1", "middle1", "handtip", "fingers", "fingerbase", "handindex1", "index1", "index"),
}


def find_joint(body: Body, name: str) -> int:
    """Return the index of the joint with that SMPL name; other conventions' names are understood.

    An exact name wins. Else the names that BVH (Mixamo, CMU), MVNX and depth cameras use are tried, both
    "LeftUpLeg" and "KneeRight" orders.

    Raises
    ------
    UnknownNameError
        If the body has no such joint.
    """
    if name in body.joint_names:
        return body.joint_names.index(name)
    if name in _SPINE:
        return _spine_joint(body, _SPINE.index(name))
    plain = {_plain(n): i for i, n in reversed(list(enumerate(body.joint_names)))}
    side, _, part = name.partition("_")
    if part and side in ("left", "right"):
        words = _SIDED.get(part, (part,))
        if part == "hand" and any(form in plain for form in _forms(side, "wrist")):
            words = ("hand", *words)  # where there is no wrist, the hand's joint is the wrist
        options = [form for word in words for form in _forms(side, word)]
    else:
        options = [name, *_ALIASES.get(name, ())]
    for option in options:
        if option in plain:
            return plain[option]
    if name == "pelvis":
        return 0  # the root, whatever it is called
    raise unknown_name(f"joint (of {body.name})", name, body.joint_names)


def _forms(side: str, word: str) -> tuple[str, ...]:
    """How conventions write a sided name: "LeftArm", "larm", "ArmLeft", "Arm_L"."""
    return side + word, side[0] + word, word + side, word + side[0]


def _spine_joint(body: Body, k: int) -> int:
    """Lowest (k = 0), middle or highest joint between pelvis and neck; the pelvis if there is none.

    By the tree, not by name: "Spine1" is the lowest of three in one convention and the middle one in another.
    """
    top: int | None = None
    for name in ("neck", "head", "left_shoulder"):
        try:
            top = find_joint(body, name)
            break
        except UnknownNameError:
            continue
    if top is None:
        raise unknown_name(f"joint (of {body.name})", _SPINE[k], body.joint_names)
    bottom, chain = find_joint(body, "pelvis"), []
    joint = int(body.parents[top])
    while joint not in (-1, bottom):
        chain.insert(0, joint)
        joint = int(body.parents[joint])
    return chain[round(k * (len(chain) - 1) / 2)] if chain else bottom


def _plain(name: str) -> str:
    """Lower-case letters and digits, prefixes like "mixamorig:" taken off."""
    return re.sub(r"[^a-z0-9]", "", name.rsplit(":", 1)[-1].lower())


def segment_end(body: Body, joint: int, child: str | None) -> int | None:
    """Index of the joint where the segment ends: `child`, else the first child, else None."""
    if child is not None:
        return find_joint(body, child)
    below = np.flatnonzero(np.asarray(body.parents) == joint)
    return int(below[0]) if below.size else None


def rest_turn(joint: str, child: str | None, bone: Floats) -> Floats:
    """Rotation (3, 3) from directions as named in the T pose to a body whose rest pose has this bone elsewhere.

    `bone` (3,) is the segment in the body's rest pose. Where it lies within 20° of the open body's, or the
    open body has no such segment, the two rest poses count as one and the result is the identity; else it is the smallest
    rotation from the one to the other (the twist about the bone stays unknown).
    """
    model = open_body()
    if joint not in model.joint_names or not np.linalg.norm(bone) > 1e-6:
        return np.eye(3)
    start = model.joint_names.index(joint)
    end = segment_end(model, start, child if child in model.joint_names else None)
    if end is None:
        return np.eye(3)
    rest = model.rest_joints()
    a, b = rest[end] - rest[start], bone / np.linalg.norm(bone)
    a = a / np.linalg.norm(a)
    cosine = float(a @ b)
    if cosine > np.cos(np.radians(20.0)):
        return np.eye(3)
    axis = np.cross(a, b)
    if np.linalg.norm(axis) < 1e-9:  # opposite: half a turn about any axis across
        axis = np.cross(a, np.eye(3)[int(np.argmin(np.abs(a)))])
        axis /= np.linalg.norm(axis)
        return 2.0 * np.outer(axis, axis) - np.eye(3)
    k = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    return np.eye(3) + k + k @ k / (1.0 + cosine)
