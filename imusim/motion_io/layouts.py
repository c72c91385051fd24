"""Joint lists of sources that give positions only: names, and the tree that the skeleton gets.

Names are SMPL's where the joint means the same. Joints that a tree needs and a source lacks (a pelvis between two
hips, a neck between two shoulders) are made as the mean of others.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from imusim.body.smpl import JOINT_NAMES
from imusim.fitting.landmarks import NAMES as BLAZEPOSE
from imusim.types import Floats


@dataclass(frozen=True)
class Layout:
    """A joint list.

    Parameters
    ----------
    points : names of the columns, in order
    tree : joint → its parent ("" for the root), parents first; a joint that is not a column is in `made`
    made : joint → columns whose mean it is
    up : axis that points up, as the source has it
    unit : of the source
    rate_hz : of the source, if it has one rate
    hand_share : of the hand's column in where the forearm ends (`skeleton_motion`)
    shoulder_share : of the shoulders' line in where the thorax faces (`skeleton_motion`)
    noise_memory_s : after which the errors of its positions have forgotten themselves; None: nothing is known of them
    """

    points: tuple[str, ...]
    tree: dict[str, str]
    made: dict[str, tuple[str, ...]] = field(default_factory=dict)
    up: str = "y"
    unit: str | None = "m"
    rate_hz: float | None = None
    hand_share: float = 0.0
    shoulder_share: float = 1.0
    noise_memory_s: float | None = None

    @property
    def joints(self) -> tuple[str, ...]:
        """Names of the skeleton's joints, parents first."""
        return tuple(self.tree)

    @property
    def parents(self) -> NDArray[np.int64]:
        """(J,) parents, −1 for the root."""
        order = self.joints
        return np.array([order.index(p) if p else -1 for p in self.tree.values()], dtype=np.int64)

    def positions(self, points: Floats) -> Floats:
        """Joints (T, J, 3) from columns (T, P, 3)."""
        columns = []
        for joint in self.joints:
            parts = self.made.get(joint, (joint,))
            columns.append(points[:, [self.points.index(p) for p in parts]].mean(axis=1))
        return np.stack(columns, axis=1)


def _sides(tree: dict[str, str]) -> dict[str, str]:
    """The tree with every "*_name" for left and right."""
    out: dict[str, str] = {}
    for joint, parent in tree.items():
        if joint.startswith("*"):
            for side in ("left", "right"):
                out[side + joint[1:]] = side + parent[1:] if parent.startswith("*") else parent
        else:
            out[joint] = parent
    return out


# a collar in the place of the joint above lets the shoulders move: they are no rigid part of the trunk
_ARMS = {"*_collar": "neck", "*_shoulder": "*_collar", "*_elbow": "*_shoulder", "*_wrist": "*_elbow"}
_COLLARS = {"left_collar": ("neck",), "right_collar": ("neck",)}
# likewise a joint in the place of the pelvis lets the back bend: the pelvis follows the hips
_BACK = {"pelvis": "", "spine1": "pelvis"}
_LEGS = {"*_hip": "pelvis", "*_knee": "*_hip", "*_ankle": "*_knee"}
# the Kinect's own middle of the hips wanders against them: their mean is the pelvis
_KINECT = {
    **_BACK, "spine2": "spine1", "neck": "spine2", "head": "neck", **_ARMS, "*_hand": "*_wrist", **_LEGS,
    "*_foot": "*_ankle",
}  # fmt: skip
_HIPS = {"pelvis": ("left_hip", "right_hip"), "spine1": ("left_hip", "right_hip")}
_MIDDLES = {
    **_HIPS, "neck": ("left_shoulder", "right_shoulder"),
    "left_collar": ("left_shoulder", "right_shoulder"), "right_collar": ("left_shoulder", "right_shoulder"),
}  # fmt: skip


def _limbs(side: str) -> tuple[str, ...]:
    return tuple(f"{side}_{n}" for n in ("shoulder", "elbow", "wrist", "hand"))


def _legs(side: str) -> tuple[str, ...]:
    return tuple(f"{side}_{n}" for n in ("hip", "knee", "ankle", "foot"))


CAMERA_MEMORY_S = 0.3
"""Errors of joints that a camera gives are not white. Bones keep their lengths, so how a camera's arms change theirs is its
error: it has forgotten itself to 1/e in 0.2 s with a first Kinect (UTD-MHAD, 0.17 to 0.27 by person), in 0.4 s with a second
one and with BlazePose (Keraal, one person; `benchmarks/fit/bone_memory.py`). Signals hardly depend on it between these."""

KINECT20 = Layout(
    ("head", "neck", "spine2", "pelvis", *_limbs("left"), *_limbs("right"), *_legs("left"), *_legs("right")),
    _sides(_KINECT),
    {**_COLLARS, **_HIPS},
    hand_share=0.5,
    shoulder_share=0.5,
    noise_memory_s=CAMERA_MEMORY_S,
)
KINECT25 = Layout(
    (
        "pelvis", "spine2", "neck", "head", *_limbs("left"), *_limbs("right"), *_legs("left"), *_legs("right"),
        "spine3", "left_tip", "left_thumb", "right_tip", "right_thumb",
    ),
    _sides(
        {
            **_BACK, "spine2": "spine1", "spine3": "spine2", "neck": "spine3", "head": "neck",
            **_ARMS, "*_collar": "spine3", "*_hand": "*_wrist", **_LEGS, "*_foot": "*_ankle",
        }
    ),
    {"left_collar": ("spine3",), "right_collar": ("spine3",), **_HIPS},
    hand_share=0.5,
    shoulder_share=0.5,
    noise_memory_s=CAMERA_MEMORY_S,
)  # fmt: skip
BLAZEPOSE33 = Layout(
    BLAZEPOSE,
    _sides(
        {
            **_BACK, "neck": "spine1", "head": "neck", **_ARMS, "*_hand": "*_wrist", "*_index": "*_wrist",
            "*_pinky": "*_wrist", **_LEGS, "*_foot_index": "*_ankle", "*_heel": "*_ankle",
        }
    ),
    {
        **_MIDDLES, "head": ("left_ear", "right_ear"), "left_hand": ("left_index", "left_pinky"),
        "right_hand": ("right_index", "right_pinky"),
    },
    up="-y",
    hand_share=0.5,
    shoulder_share=0.5,
    noise_memory_s=CAMERA_MEMORY_S,
)  # fmt: skip
_COCO = ("nose", "left_eye", "right_eye", "left_ear", "right_ear")
_PAIRS = tuple(
    f"{s}_{n}" for n in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle") for s in ("left", "right")
)
COCO17 = Layout(
    (*_COCO, *_PAIRS),
    _sides({**_BACK, "neck": "spine1", "head": "neck", **_ARMS, **_LEGS}),
    {**_MIDDLES, "head": ("left_ear", "right_ear")},
    up="-y",
    shoulder_share=0.5,
    noise_memory_s=CAMERA_MEMORY_S,
)
_COCO18 = (
    "nose", "neck", "right_shoulder", "right_elbow", "right_wrist", "left_shoulder", "left_elbow", "left_wrist",
    "right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle", "right_eye", "left_eye",
    "right_ear", "left_ear",
)  # fmt: skip
COCO18 = Layout(
    _COCO18,
    _sides({**_BACK, "neck": "spine1", "head": "neck", **_ARMS, **_LEGS}),
    {
        "pelvis": _MIDDLES["pelvis"],
        "spine1": _MIDDLES["pelvis"],
        "head": ("left_ear", "right_ear"),
        **_COLLARS,
    },
    up="-y",
    shoulder_share=0.5,
    noise_memory_s=CAMERA_MEMORY_S,
)
BODY25 = Layout(
    (
        *_COCO18[:8], "mid_hip", *_COCO18[8:], "left_foot_index", "left_small_toe", "left_heel", "right_foot_index",
        "right_small_toe", "right_heel",
    ),
    _sides(
        {
            **_BACK, "neck": "spine1", "head": "neck", **_ARMS, **_LEGS, "*_foot_index": "*_ankle",
            "*_heel": "*_ankle",
        }
    ),
    {"pelvis": ("mid_hip",), "spine1": ("mid_hip",), "head": ("left_ear", "right_ear"), **_COLLARS},
    up="-y",
    shoulder_share=0.5,
    noise_memory_s=CAMERA_MEMORY_S,
)  # fmt: skip
H36M17 = Layout(
    (
        "pelvis", "right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle", "spine2", "neck",
        "nose", "head", "left_shoulder", "left_elbow", "left_wrist", "right_shoulder", "right_elbow", "right_wrist",
    ),
    _sides({**_BACK, "spine2": "spine1", "neck": "spine2", "head": "neck", **_ARMS, **_LEGS}),
    {**_COLLARS, "spine1": ("pelvis",)},
    up="-y",
    shoulder_share=0.5,
    noise_memory_s=CAMERA_MEMORY_S,
)  # fmt: skip


def _smpl(count: int) -> dict[str, str]:
    from imusim.body import open_body

    body = open_body()
    names = body.joint_names[:count]
    return {n: ("" if k < 0 else names[k]) for n, k in zip(names, body.parents[:count], strict=True)}


def layouts() -> dict[str, Layout]:
    """Return the layouts by name."""
    return {
        "blazepose33": BLAZEPOSE33,
        "coco17": COCO17,
        "coco18": COCO18,
        "body25": BODY25,
        "h36m17": H36M17,
        "kinect20": KINECT20,
        "kinect25": KINECT25,
        "humanml3d22": Layout(JOINT_NAMES[24][:22], _smpl(22), rate_hz=20.0),
        "smpl24": Layout(JOINT_NAMES[24], _smpl(24)),
    }


BY_COUNT = {33: "blazepose33", 17: "coco17", 18: "coco18", 20: "kinect20", 22: "humanml3d22", 24: "smpl24"}
"""What an array of that many joints is taken for, if nobody says."""
