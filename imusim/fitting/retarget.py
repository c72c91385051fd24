"""`fit` for a Motion: the same movement on another body, joint by joint by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from imusim import rotation
from imusim._kernels import posing as _k
from imusim.body import open_body
from imusim.errors import ConfigError, ShapeError
from imusim.fitting.positions import local_quaternions
from imusim.fitting.shape import check_height
from imusim.fitting.skeleton_frames import smpl_joints, unit
from imusim.types import Body, Floats, Motion

_AIMED = ("collar", "shoulder", "elbow", "wrist", "hip", "knee", "ankle")
_END = {
    "collar": "shoulder", "shoulder": "elbow", "elbow": "wrist", "wrist": "hand", "hip": "knee", "knee": "ankle",
    "ankle": "foot",
}  # fmt: skip
_LENGTHS = (
    ("left_hip", "left_knee"), ("left_knee", "left_ankle"), ("left_shoulder", "left_elbow"), ("left_elbow", "left_wrist"),
    ("right_hip", "right_knee"), ("right_knee", "right_ankle"), ("right_shoulder", "right_elbow"),
    ("right_elbow", "right_wrist"),
)  # fmt: skip
_LENGTH_SD_M = 0.01
_HEIGHT_SD_M = 0.002
_AT_FLOOR_M = 0.15


def retarget(motion: Motion, body: Body | None = None, height_m: float | None = None) -> Motion:
    """Move a motion on to another body.

    Segments keep their directions (pelvis, trunk and head their orientation); joints that only one of the two
    skeletons has follow their neighbours. The body's shape, if it has one, is fitted to the limbs of the old one. The path
    of the hips is scaled by the length of the legs; feet that were on the floor stay on it.

    Parameters
    ----------
    motion : any motion, of a skeleton whose joints have names that are known (SMPL, BVH, MVN, Kinect)
    body : the new body, with SMPL's joints; None: the open body
    height_m : the person's height, if the new body is to have it

    Returns
    -------
    Motion
        ``metadata["retarget"]`` says which joint went where, and the scale.

    Raises
    ------
    ShapeError
        If one of the two has no hips or knees that are known by name.
    UnitError
        If the height cannot be meant.
    """
    height = check_height(height_m)
    target: Body = open_body() if body is None else body
    if target is motion.body and height is None:
        return motion
    if not motion.valid.any():
        raise ShapeError("none of the motion's frames is valid")
    turn, where = _posed(motion)
    source = smpl_joints(tuple(motion.body.joint_names), np.asarray(motion.body.parents))
    names = smpl_joints(tuple(target.joint_names), np.asarray(target.parents))
    needed = ("left_hip", "right_hip", "left_knee", "right_knee")
    for found, what in ((source, motion.body), (names, target)):
        lacking = [n for n in needed if n not in found]
        if lacking:
            raise ShapeError(
                f"moving a motion on needs hips and knees on both bodies; {what.name!r} lacks {', '.join(lacking)}"
            )
    old_rest = motion.body.rest_joints(motion.shape)
    shape = _shape(target, names, old_rest, source, height)
    rest = target.rest_joints(shape if shape.size else None)
    ends = _Ends(source, old_rest, names, rest)
    turned = _rotations(target, names, ends, motion, turn, where)
    scale = _leg(rest, names) / max(_leg(old_rest, source), 1e-6)
    path = _root(target, names, rest, turned, where, source, scale, shape)
    rows = [source.get(n) for n in _owners(target, names, source)]
    pick = np.array([0 if r is None else r for r in rows])
    root = np.full((motion.time_s.size, 3), np.nan)
    quats = np.full((motion.time_s.size, len(target.joint_names), 4), np.nan)
    root[motion.valid], quats[motion.valid] = path, local_quaternions(turned, np.asarray(target.parents))
    return Motion(
        motion.time_s, root, quats, target,
        shape=shape, shot=motion.shot, valid=motion.valid, confidence=motion.confidence[:, pick],
        rotation_sd_rad=None if motion.rotation_sd_rad is None else motion.rotation_sd_rad[:, pick],
        root_sd_m=motion.root_sd_m, up_sd_deg=motion.up_sd_deg, bandwidth_hz=motion.bandwidth_hz,
        metadata={
            **motion.metadata,
            "retarget": {
                "from": motion.body.name, "scale": scale,
                "joints": {n: motion.body.joint_names[j] for n, j in source.items() if n in names},
            },
        },
    )  # fmt: skip


@dataclass(frozen=True)
class _Ends:
    """Both skeletons in their rest poses, by SMPL name."""

    old: dict[str, int]
    old_rest: Floats
    new: dict[str, int]
    new_rest: Floats

    def align(self, name: str) -> Floats:
        """Rotation (3, 3) that takes the new segment's rest direction to the old one's; identity if one has no end."""
        side, _, part = name.partition("_")
        end = f"{side}_{_END.get(part, '')}"
        if part not in _AIMED or any(n not in table for table in (self.old, self.new) for n in (name, end)):
            return np.eye(3)
        a = unit(self.new_rest[self.new[end]] - self.new_rest[self.new[name]])
        b = unit(self.old_rest[self.old[end]] - self.old_rest[self.old[name]])
        return rotation.to_matrix(rotation.between(a, b))


def _posed(motion: Motion) -> tuple[Floats, Floats]:
    """Rotations (n, J, 3, 3) to the world and positions (n, J, 3) of the joints in the valid frames."""
    count = len(motion.body.joint_names)
    good = np.flatnonzero(motion.valid)
    a, b = np.empty((good.size, count, 3, 3)), np.empty((good.size, count, 3))
    rest = motion.body.rest_joints(motion.shape if motion.shape.size else None)
    parents = np.ascontiguousarray(motion.body.parents, dtype=np.int64)
    quats, root = motion.joint_rotation_wxyz[good], motion.root_position_m[good]
    _k.pose_joints(quats, np.ascontiguousarray(rest), parents, root, a, b)
    return a, b


def _thorax(source: dict[str, int], parents: np.ndarray) -> int:
    """Joint of the old skeleton that carries the arms."""
    for part in ("collar", "shoulder"):
        if f"left_{part}" in source:
            return max(int(parents[source[f"left_{part}"]]), 0)
    return source.get("spine3", source.get("spine2", source.get("spine1", source.get("pelvis", 0))))


def _rotations(
    target: Body, names: dict[str, int], ends: _Ends, motion: Motion, turn: Floats, where: Floats
) -> Floats:
    """Rotation (T, J, 3, 3) of every joint of the new body to the world."""
    source, old_parents = ends.old, np.asarray(motion.body.parents)
    thorax, pelvis = _thorax(source, old_parents), source.get("pelvis", 0)
    own = {n for n in ("spine1", "spine2", "spine3") if n in source}
    out = np.empty((turn.shape[0], len(target.joint_names), 3, 3))
    back = {j: n for n, j in names.items()}
    bend = None if len(own) == 3 else _rotvec(turn[:, pelvis], turn[:, thorax])
    for j, k in enumerate(target.parents):
        name = back.get(j, "")
        if name == "pelvis" or k < 0:
            out[:, j] = turn[:, pelvis]
        elif name.startswith("spine") and bend is not None:
            part = {"spine1": 1 / 3, "spine2": 2 / 3, "spine3": 1.0}[name]
            out[:, j] = turn[:, pelvis] @ rotation.to_matrix(rotation.from_rotvec(part * bend))
        elif name in ("neck", "head") and source.get("neck") == thorax:
            out[:, j] = _head(ends, turn[:, thorax], where)
        elif name in source:
            out[:, j] = turn[:, source[name]] @ ends.align(name)
        else:
            out[:, j] = out[:, int(k)]
    return out


def _rotvec(a: Floats, b: Floats) -> Floats:
    return rotation.to_rotvec(rotation.from_matrix(np.swapaxes(a, 1, 2) @ b))


def _head(ends: _Ends, thorax: Floats, where: Floats) -> Floats:
    """Thorax turned so that the neck points at the head, where a skeleton's neck carries the shoulders."""
    if "head" not in ends.old:
        return thorax
    seen = unit(where[:, ends.old["head"]] - where[:, ends.old["neck"]])
    rest = unit(ends.old_rest[ends.old["head"]] - ends.old_rest[ends.old["neck"]])
    start = thorax @ rest
    return rotation.to_matrix(rotation.between(start, seen)) @ thorax


def _owners(target: Body, names: dict[str, int], source: dict[str, int]) -> list[str]:
    """For each new joint the SMPL name of itself or the nearest joint above that the old skeleton has."""
    back = {j: n for n, j in names.items()}
    out = []
    for joint in range(len(target.joint_names)):
        j = joint
        while j >= 0 and back.get(j) not in source:
            j = int(target.parents[j])
        out.append(back[j] if j >= 0 else "pelvis")
    return out


def _leg(rest: Floats, names: dict[str, int]) -> float:
    """Length of a leg, hip to ankle (or knee), m, mean of both sides."""
    total = 0.0
    for side in ("left", "right"):
        chain = [names[f"{side}_{n}"] for n in ("hip", "knee", "ankle") if f"{side}_{n}" in names]
        total += float(np.linalg.norm(np.diff(rest[chain], axis=0), axis=1).sum())
    return 0.5 * total


def _shape(
    target: Body, names: dict[str, int], old_rest: Floats, source: dict[str, int], height: float | None
) -> Floats:
    """Shape (B,) whose limbs are as long as the old ones, near the mean body; the height if it is given."""
    count = target.n_shape
    if count == 0:
        return np.zeros(0)
    pairs = [p for p in _LENGTHS if all(n in names and n in source for n in p)]
    wanted = np.array([np.linalg.norm(old_rest[source[a]] - old_rest[source[b]]) for a, b in pairs])
    stature: Any = getattr(target, "stature", None)

    def figures(beta: Floats) -> Floats:
        rest = target.rest_joints(beta)
        return np.array([float(np.linalg.norm(rest[names[a]] - rest[names[b]])) for a, b in pairs])

    beta = np.zeros(count)
    for _ in range(4):  # nearly linear
        now = figures(beta)
        jacobian = np.stack([(figures(beta + 0.1 * e) - now) / 0.1 for e in np.eye(count)], axis=1)
        rows, off = [jacobian / _LENGTH_SD_M], [(wanted - now) / _LENGTH_SD_M]
        if height is not None and stature is not None:
            tall = float(stature(beta))
            slope = np.array([(float(stature(beta + 0.1 * e)) - tall) / 0.1 for e in np.eye(count)])
            rows, off = [slope[None] / _HEIGHT_SD_M], [np.array([height - tall]) / _HEIGHT_SD_M]
            rows.append(jacobian / (10 * _LENGTH_SD_M))
            off.append((wanted - now) / (10 * _LENGTH_SD_M))
        a = np.concatenate([*rows, np.eye(count)])
        b = np.concatenate([*off, -beta])
        beta = beta + np.linalg.lstsq(a, b, rcond=None)[0]
    if not np.isfinite(beta).all():
        raise ConfigError("the motion's skeleton has bones of no length; give its shape")
    return np.asarray(np.clip(beta, -4.0, 4.0), dtype=np.float64)


def _root(
    target: Body,
    names: dict[str, int],
    rest: Floats,
    turned: Floats,
    where: Floats,
    source: dict[str, int],
    scale: float,
    shape: Floats,
) -> Floats:
    """Path of the new root: the middle of the hips scaled with the legs, soles on the old floor."""
    hips = 0.5 * (where[:, source["left_hip"]] + where[:, source["right_hip"]])
    feet = [source[n] for s in ("left", "right") for n in (f"{s}_foot", f"{s}_ankle") if n in source]
    feet = feet or [source["left_knee"], source["right_knee"]]
    lowest = float(np.percentile(where[:, feet, 2].min(axis=1), 2))
    floor = 0.0 if abs(lowest) < _AT_FLOOR_M else lowest - 0.02
    path = hips.copy()
    start = hips[0]
    path[:, :2] = start[:2] + scale * (hips[:, :2] - start[:2])
    path[:, 2] = floor + scale * (hips[:, 2] - floor)
    middle = 0.5 * (rest[names["left_hip"]] + rest[names["right_hip"]]) - rest[0]
    root = path - turned[:, 0] @ middle
    new = [names[n] for s in ("left", "right") for n in (f"{s}_foot", f"{s}_ankle") if n in names]
    if not new or abs(lowest - floor) >= _AT_FLOOR_M:
        return root
    joints = _positions(target, rest, turned, root)
    skin = target.rest_vertices(shape if shape.size else None)
    sole = float(skin[:, 1].min()) if skin is not None else float(rest[new, 1].min()) - 0.02
    above = rest[new, 1] - sole
    gap = float(np.percentile((joints[:, new, 2] - above).min(axis=1), 2)) - floor
    root[:, 2] -= gap
    return root


def _positions(target: Body, rest: Floats, turned: Floats, root: Floats) -> Floats:
    out = np.empty((*turned.shape[:2], 3))
    for j, k in enumerate(target.parents):
        out[:, j] = root if k < 0 else out[:, k] + turned[:, k] @ (rest[j] - rest[k])
    return out
