"""Joints of the SMPL family, and bodies whose fingers move as one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from imusim.body.skinned import SkinnedBody
from imusim.errors import ConfigError

_BODY22 = (
    "pelvis", "left_hip", "right_hip", "spine1", "left_knee", "right_knee", "spine2", "left_ankle",
    "right_ankle", "spine3", "left_foot", "right_foot", "neck", "left_collar", "right_collar", "head",
    "left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist",
)  # fmt: skip
_FINGERS = tuple(
    f"{finger}{k}" for finger in ("index", "middle", "pinky", "ring", "thumb") for k in (1, 2, 3)
)
_HANDS = tuple(f"{side}_{finger}" for side in ("left", "right") for finger in _FINGERS)
JOINT_NAMES = {
    24: (*_BODY22, "left_hand", "right_hand"),
    52: (*_BODY22, *_HANDS),
    55: (*_BODY22, "jaw", "left_eye", "right_eye", *_HANDS),
}
"""Joint names of the SMPL family by their number."""

_FACE = ("jaw", "left_eye", "right_eye")


def merge_hands(body: SkinnedBody) -> SkinnedBody:
    """Return a body of SMPL's 24 joints from one of SMPL-H or SMPL-X, whose fingers, jaw and eyes no longer move alone.

    The fingers turn as one with a joint `left_hand` or `right_hand` at the knuckles (the mean of the four
    fingers' first joints), as in SMPL; jaw and eyes stay with the head. Where a pose leaves fingers, jaw and
    eyes unturned, both bodies are the same to rounding.

    Raises
    ------
    ConfigError
        If it is neither; a body of SMPL's 24 joints is returned as it is.
    """
    names = body.joint_names
    if names == JOINT_NAMES[24]:
        return body
    if names not in JOINT_NAMES.values():
        raise ConfigError(
            f"{body.name} has {len(names)} joints: no hands are known in it. Wanted SMPL-H or SMPL-X."
        )
    at = {name: i for i, name in enumerate(names)}
    side_fingers = {f"{side}_hand": [f"{side}_{f}" for f in _FINGERS] for side in ("left", "right")}
    joints = len(names)
    weights, regressor = np.empty((len(body.v_template), 24)), np.empty((24, len(body.v_template)))
    bends = None if body.posedirs is None else body.posedirs.reshape(-1, 3, joints - 1, 9)
    features = np.zeros((len(body.v_template), 3, 23, 9))
    owner = np.zeros(joints, dtype=np.int64)  # merged joint of each joint
    roots = np.zeros(24, dtype=np.int64)
    for j, name in enumerate(JOINT_NAMES[24]):
        members = side_fingers.get(name) or [name, *(_FACE if name == "head" else ())]
        members = [at[m] for m in members if m in at]
        first = [m for m in members if names[m][-1:] == "1" and name in side_fingers] or members[:1]
        weights[:, j] = body.weights[:, members].sum(axis=1)
        knuckles = [m for m in first if not names[m].endswith("thumb1")]
        regressor[j] = body.J_regressor[knuckles].mean(axis=0)
        if bends is not None and j > 0:
            features[:, :, j - 1] = bends[:, :, [m - 1 for m in first]].sum(axis=2)
        owner[members], roots[j] = j, first[0]
    parents = owner[body.parents[roots]]
    parents[0] = -1
    return replace(
        body,
        joint_names=JOINT_NAMES[24],
        parents=parents,
        J_regressor=regressor,
        weights=weights,
        posedirs=None if bends is None else features.reshape(-1, 3, 207),
    )
