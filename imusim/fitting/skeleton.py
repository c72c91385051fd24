"""Which joints the fit moves, how, and what it believes of a human pose before looking.

Unknowns a frame: root position (3), nine rotations of three degrees of freedom (root; one shared by the three spine
joints; one shared by neck and head; hips, ankles, shoulders) and fourteen hinge angles (knee; elbow flexion
and forearm pronation; wrist flexion and deviation; collar elevation and protraction, each left and right): 44.

The ranges are the usual clinical ones (American Academy of Orthopaedic Surgeons, *Joint Motion*, 1965), rounded
and widened; they act softly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from imusim._kernels.fit import Prior
from imusim._kernels.fit_chain import Chain
from imusim.errors import ShapeError
from imusim.fitting.landmarks import AT, CONTACTS, BodyMarks
from imusim.types import Body, Floats

BALLS = (
    "root", "spine", "neck", "left_hip", "right_hip", "left_ankle", "right_ankle", "left_shoulder", "right_shoulder",
)  # fmt: skip
ANGLES = (
    "left_knee", "right_knee", "left_elbow", "right_elbow", "left_forearm", "right_forearm",
    "left_wrist_flexion", "right_wrist_flexion", "left_wrist_deviation", "right_wrist_deviation",
    "left_collar_up", "right_collar_up", "left_collar_forward", "right_collar_forward",
)  # fmt: skip
N_DOFS = 3 + 3 * len(BALLS) + len(ANGLES)

_BALL_JOINTS = {
    "spine": ("spine1", "spine2", "spine3"),
    "neck": ("neck", "head"),
    **{name: (name,) for name in BALLS[3:]},
}

# sd of each rotation about x (flexion), y (long axis of a standing person), z (side bend), degrees; twist sd; about
_BALL_SD_DEG = {
    "spine": (5.5, 5, 4.5), "neck": (13, 18, 10), "left_hip": (70, 25, 25), "right_hip": (70, 25, 25),
    "left_ankle": (18, 10, 8), "right_ankle": (18, 10, 8), "left_shoulder": (90, 80, 80), "right_shoulder": (90, 80, 80),
}  # fmt: skip
_TWIST_SD_DEG = {"left_hip": 20, "right_hip": 20, "left_shoulder": 30, "right_shoulder": 30}
# mean, sd, lowest, highest, degrees
_ANGLE_RANGE_DEG = {
    "knee": (5, 70, -2, 150), "elbow": (25, 70, -2, 150), "forearm": (0, 35, -85, 85),
    "wrist_flexion": (0, 25, -85, 85), "wrist_deviation": (0, 8, -25, 25),
    "collar_up": (0, 8, -10, 35), "collar_forward": (0, 6, -20, 25),
}  # fmt: skip
# angular acceleration sd at 30 frames/s, rad/s²: loose, only so that one bad frame does not stand alone
_ACC_SD = {
    "root": 50, "spine": 15, "neck": 40, "left_hip": 90, "right_hip": 90, "left_ankle": 90, "right_ankle": 90,
    "left_shoulder": 130, "right_shoulder": 130, "knee": 120, "elbow": 160, "forearm": 25, "wrist_flexion": 30,
    "wrist_deviation": 20, "collar_up": 15, "collar_forward": 10,
}  # fmt: skip
_TWIST_STIFFER = 3.0  # about their length, limbs that landmarks see as lines accelerate that much less
ROOT_ACC_SD = (8.0, 8.0, 1.5)
"""Root acceleration sd at 30 frames/s along the camera's axes, m/s²: depth is held far stiffer."""

_LONG_AXIS = {
    "left_hip": (0, 1, 0),
    "right_hip": (0, 1, 0),
    "left_shoulder": (1, 0, 0),
    "right_shoulder": (1, 0, 0),
}
_POSE_MEMORY_S = 0.05
_HEEL_M = 0.03  # skin further in front of the heel landmark is not the heel
_TWIST_WANDER = 1.5  # rad/√s, random walk of the long-axis twist of upper arms and forearms
REFERENCE_RATE_HZ = 30.0

NEEDED_JOINTS = (
    "pelvis", "left_hip", "right_hip", "spine1", "left_knee", "right_knee", "spine2", "left_ankle", "right_ankle",
    "spine3", "neck", "left_collar", "right_collar", "head", "left_shoulder", "right_shoulder", "left_elbow",
    "right_elbow", "left_wrist", "right_wrist",
)  # fmt: skip


@dataclass(frozen=True)
class Skeleton:
    """A body of one shape, ready for fitting.

    Attributes
    ----------
    joint_names : J names
    rest : (J, 3) · m · B, joints in the rest pose
    marks : (33, 3) · m · B, landmarks in the rest pose
    sole_m : how far the heel landmark is above the ground in the rest pose
    chain : the arrays the kernels take
    driven : (J, D) bool, which unknowns turn which joint
    under : of the contacts (number in `landmarks.CONTACTS`) whose skin is known: a joint and the skin that may touch the
        ground there, (V, 3) · m · B, from the landmark
    """

    joint_names: tuple[str, ...]
    rest: Floats
    marks: Floats
    sole_m: float
    chain: Chain
    driven: np.ndarray
    under: dict[int, tuple[int, Floats]]

    def index(self, name: str) -> int:
        """Number of a joint."""
        return self.joint_names.index(name)


def ball_slice(name: str) -> slice:
    """Place of a ball's three unknowns among the D."""
    start = 3 + 3 * BALLS.index(name)
    return slice(start, start + 3)


def angle_index(name: str) -> int:
    """Place of a hinge angle among the D unknowns."""
    return 3 + 3 * len(BALLS) + ANGLES.index(name)


def _unit(v: Floats) -> Floats:
    return v / np.linalg.norm(v)


def _across(axis: tuple[int, int, int], bone: Floats) -> Floats:
    """`axis` made perpendicular to `bone`, unit."""
    a = np.asarray(axis, dtype=np.float64)
    b = _unit(bone)
    return _unit(a - (a @ b) * b)


def build_skeleton(body: Body, shape: Floats, body_marks: BodyMarks) -> Skeleton:
    """Make the kernels' arrays for a body of the given shape (B,).

    Raises
    ------
    ShapeError
        If the body lacks one of the joints that the fit moves (SMPL's names).
    """
    names = tuple(body.joint_names)
    missing = [n for n in NEEDED_JOINTS if n not in names]
    if missing:
        raise ShapeError(
            f"fitting landmarks needs a body with SMPL's joints; {body.name!r} lacks {', '.join(missing)}. "
            "Use im.open_body() or a SMPL-family file."
        )
    rest = np.asarray(body.rest_joints(shape), dtype=np.float64)
    marks = body_marks.positions(body, shape)
    parent = np.asarray(body.parents, dtype=np.int64)
    offset = np.where(parent[:, None] >= 0, rest - rest[np.maximum(parent, 0)], 0.0)
    ball = np.full(len(names), -1, dtype=np.int64)
    hinge = np.full((len(names), 2), -1, dtype=np.int64)
    axis = np.zeros((len(names), 2, 3))
    at = names.index
    ball[at("pelvis")] = 0
    for group, joints in _BALL_JOINTS.items():
        for joint in joints:
            ball[at(joint)] = BALLS.index(group)
    for side, sign in (("left", 1), ("right", -1)):
        knee, elbow, wrist, collar = (at(f"{side}_{n}") for n in ("knee", "elbow", "wrist", "collar"))
        shin = rest[at(f"{side}_ankle")] - rest[knee]
        forearm = rest[wrist] - rest[elbow]
        hinge[knee, 0], axis[knee, 0] = ANGLES.index(f"{side}_knee"), _across((1, 0, 0), shin)
        hinge[elbow, 0], axis[elbow, 0] = ANGLES.index(f"{side}_elbow"), _across((0, -sign, 0), forearm)
        hinge[elbow, 1], axis[elbow, 1] = ANGLES.index(f"{side}_forearm"), _unit(forearm)
        hinge[wrist, 0], axis[wrist, 0] = ANGLES.index(f"{side}_wrist_flexion"), (0, 0, -sign)
        hinge[wrist, 1], axis[wrist, 1] = ANGLES.index(f"{side}_wrist_deviation"), (0, -sign, 0)
        hinge[collar, 0], axis[collar, 0] = ANGLES.index(f"{side}_collar_up"), (0, 0, sign)
        hinge[collar, 1], axis[collar, 1] = ANGLES.index(f"{side}_collar_forward"), (0, -sign, 0)

    carried = body_marks.carriers(body)
    width = max(len(c) for c in carried)
    mark_joint = np.zeros((len(carried), width), dtype=np.int64)
    mark_weight = np.zeros((len(carried), width))
    driven = _driven(parent, ball, hinge)
    below = [np.flatnonzero(driven[_ancestors(parent, j)].any(axis=0)) for j in range(len(names))]
    dofs: list[np.ndarray] = []
    for l, carriers in enumerate(carried):
        for i, (joint, weight) in enumerate(carriers):
            mark_joint[l, i], mark_weight[l, i] = joint, weight
        dofs.append(np.unique(np.concatenate([[0, 1, 2], *(below[j] for j, _ in carriers)])))
    mark_dofs = np.full((len(carried), max(d.size for d in dofs)), -1, dtype=np.int64)
    for l, d in enumerate(dofs):
        mark_dofs[l, : d.size] = d
    mark_local = marks[:, None, :] - rest[mark_joint]
    heel = body_marks.names.index("left_heel")
    chain = Chain(
        parent,
        offset,
        ball,
        hinge,
        axis,
        mark_joint,
        mark_weight,
        np.ascontiguousarray(mark_local),
        mark_dofs,
        len(BALLS),
    )
    lowest = float(marks[heel, 1] - _lowest(body, shape, marks))
    return Skeleton(names, rest, marks, lowest, chain, driven, _under(body, shape, marks))


def _under(body: Body, shape: Floats, marks: Floats) -> dict[int, tuple[int, Floats]]:
    """Skin under heels, toes and hips, its convex hull: how high they are above ground depends on how they are turned."""
    skin, weights = body.rest_vertices(shape), getattr(body, "weights", None)
    if skin is None or weights is None:
        return {}
    from scipy.spatial import ConvexHull

    carrier = np.asarray(weights).argmax(axis=1)
    found: dict[int, tuple[int, Floats]] = {}
    for number, name in enumerate(CONTACTS):
        side, _, part = name.partition("_")
        joint = {"heel": f"{side}_ankle", "foot_index": f"{side}_foot", "hip": "pelvis"}.get(part)
        if joint is None or joint not in body.joint_names:
            continue
        at = tuple(body.joint_names).index(joint)
        from_mark = skin[carrier == at] - marks[AT[name]]
        if part == "heel":
            from_mark = from_mark[from_mark[:, 2] < _HEEL_M]
        if len(from_mark) > 3:
            found[number] = at, from_mark[ConvexHull(from_mark).vertices]
    return found


def _lowest(body: Body, shape: Floats, marks: Floats) -> float:
    """Height of the soles in the rest pose: the lowest skin vertex, or 3 cm under the lowest landmark."""
    skin = body.rest_vertices(shape)
    return float(marks[:, 1].min() - 0.03) if skin is None else float(skin[:, 1].min())


def _ancestors(parent: np.ndarray, joint: int) -> list[int]:
    chain = []
    while joint >= 0:
        chain.append(joint)
        joint = int(parent[joint])
    return chain


def _driven(parent: np.ndarray, ball: np.ndarray, hinge: np.ndarray) -> np.ndarray:
    driven = np.zeros((parent.size, N_DOFS), dtype=np.bool_)
    for j in range(parent.size):
        if ball[j] >= 0:
            driven[j, 3 + 3 * ball[j] : 6 + 3 * ball[j]] = True
        for q in hinge[j][hinge[j] >= 0]:
            driven[j, 3 + 3 * len(BALLS) + q] = True
    return driven


def pose_prior(step_s: float = 1.0 / REFERENCE_RATE_HZ, limits: bool = True) -> Prior:
    """What is believed of any human pose and how it changes; weak against landmarks that are seen.

    A pose lasts: frames closer together than `_POSE_MEMORY_S` share one belief. Without `limits` next to nothing is
    believed of the pose itself.
    """
    share = min(1.0, step_s / _POSE_MEMORY_S) * (1.0 if limits else 1e-3)
    n = len(BALLS)
    mean = np.tile(np.eye(3), (n, 1, 1))
    for side, sign in (("left", 1), ("right", -1)):  # arms hang halfway down from the T pose
        angle = -sign * np.deg2rad(55.0)
        mean[BALLS.index(f"{side}_shoulder")] = [
            [np.cos(angle), -np.sin(angle), 0],
            [np.sin(angle), np.cos(angle), 0],
            [0, 0, 1],
        ]
    info = np.zeros((n, 3))
    twist_axis = np.zeros((n, 3))
    twist_info = np.zeros(n)
    acc = np.zeros(N_DOFS)
    wander = np.zeros(N_DOFS)
    acc[:3] = ROOT_ACC_SD
    for k, name in enumerate(BALLS):
        if name in _BALL_SD_DEG:
            info[k] = 1.0 / np.deg2rad(_BALL_SD_DEG[name]) ** 2
        if name in _TWIST_SD_DEG:
            twist_axis[k] = _LONG_AXIS[name]
            twist_info[k] = 1.0 / np.deg2rad(_TWIST_SD_DEG[name]) ** 2
        acc[ball_slice(name)] = _ACC_SD[name]
        if name in _LONG_AXIS:
            acc[ball_slice(name)] /= np.where(_LONG_AXIS[name], _TWIST_STIFFER, 1.0)
        if name.endswith("shoulder"):
            wander[ball_slice(name).start] = 1.0 / _TWIST_WANDER**2
    kinds = [a.removeprefix("left_").removeprefix("right_") for a in ANGLES]
    table = np.deg2rad([_ANGLE_RANGE_DEG[k] for k in kinds])
    for name, kind in zip(ANGLES, kinds, strict=True):
        acc[angle_index(name)] = _ACC_SD[kind]
        if kind == "forearm":
            wander[angle_index(name)] = 1.0 / _TWIST_WANDER**2
    return Prior(
        ball_mean=mean,
        ball_info=share * info,
        twist_axis=twist_axis,
        twist_info=share * twist_info,
        angle_mean=table[:, 0].copy(),
        angle_info=share / table[:, 1] ** 2,
        angle_low=table[:, 2].copy(),
        angle_high=table[:, 3].copy(),
        limit_info=(1.0 if limits else 1e-6) / np.deg2rad(4.0) ** 2,
        acc_info=REFERENCE_RATE_HZ / acc**2,
        vel_info=wander,
    )
