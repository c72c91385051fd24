"""A skeleton with joint rotations, as BVH and MVNX hold it, becomes a Motion on a plain skeleton in T pose."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imusim.body import SkeletonBody
from imusim.errors import QualityWarning
from imusim.fitting.positions import local_quaternions
from imusim.fitting.rest_pose import make_frames
from imusim.fitting.skeleton_frames import smpl_joints, t_pose, unit
from imusim.fitting.skeleton_pose import rotations
from imusim.motion_io.world import find_world
from imusim.rotation import to_matrix
from imusim.types import Floats, Motion

_ALIKE = np.cos(np.radians(25.0))
_LIMBS = ("hip", "knee", "ankle", "elbow", "wrist")


@dataclass(frozen=True)
class Tree:
    """What a file says of a skeleton in motion, in its own axes and unit.

    Parameters
    ----------
    names, parents : J joints, parents before children
    offsets : (J, 3), each joint in its parent's frame, rest pose; the root's is not used
    rotations_wxyz : (T, J, 4), joint to parent (the root's to the file's axes)
    root : (T, 3), position of the root joint
    """

    names: tuple[str, ...]
    parents: NDArray[np.int64]
    offsets: Floats
    rotations_wxyz: Floats
    root: Floats

    def posed(self) -> tuple[Floats, Floats]:
        """Rotations (T, J, 3, 3) to the file's axes and positions (T, J, 3) in its unit."""
        turn = to_matrix(self.rotations_wxyz)
        where = np.empty((*turn.shape[:2], 3))
        for j, k in enumerate(self.parents):
            if k < 0:
                where[:, j] = self.root
            else:
                turn[:, j] = turn[:, k] @ turn[:, j]
                where[:, j] = where[:, k] + turn[:, k] @ self.offsets[j]
        return turn, where


def as_motion(
    tree: Tree,
    time_s: Floats,
    *,
    up: str,
    unit: str | None,
    given_up: str | None,
    given_unit: str | None,
    source: str,
    metadata: dict[str, Any],
) -> Motion:
    """Put a tree into the world, with a rest pose in which x is to the person's left and y up.

    Where the file's own rest pose is a T pose (in whatever axes) the joint frames stay parallel to it; else each
    joint's frame is turned so that the rest pose is one, by the mean over the clip of how the bones lie.

    Parameters
    ----------
    tree : the file
    time_s : (T,) · s

    Other Parameters
    ----------------
    up, unit, given_up, given_unit, source : see `find_world`
    metadata : of the motion
    """
    turn, where = tree.posed()
    if _calibration_pose(where):
        warnings.warn(
            QualityWarning(f"{source}: the first frame is a calibration pose, far from the second; left out"),
            stacklevel=4,
        )
        turn, where, time_s = turn[1:], where[1:], time_s[1:] - time_s[1]
        metadata = {**metadata, "calibration_pose_left_out": True}
    world = find_world(
        where,
        tree.names,
        tree.parents,
        up=up,
        unit=unit,
        given_up=given_up,
        given_unit=given_unit,
        source=source,
    )
    where = world.points(where)
    turn = world.axes @ turn
    change, kept = _to_t_pose(tree, turn, where)
    rest = np.zeros((len(tree.names), 3))
    for j, k in enumerate(tree.parents):
        if k >= 0:
            rest[j] = rest[k] + world.metres * change[k].T @ tree.offsets[j]
    body = SkeletonBody(tree.names, tree.parents, rest, name=source)
    about = {**metadata, **world.about, "rest_pose": "the file's" if kept else "turned into a T pose"}
    quats = local_quaternions(turn @ change, tree.parents)
    return Motion(time_s, where[:, 0], quats, body, metadata=about)


def _calibration_pose(where: Floats) -> bool:
    """Whether the first frame stands apart: some exporters (MVN) put the T pose there."""
    if len(where) < 4:
        return False
    step = np.linalg.norm(np.diff(where, axis=0), axis=2).mean(axis=1)
    size = float(np.ptp(where[1], axis=0).max())
    return bool(step[0] > 0.1 * size and step[0] > 10.0 * step[1:].max())


def _to_t_pose(tree: Tree, turn: Floats, where: Floats) -> tuple[Floats, bool]:
    """For each joint the rotation (J, 3, 3) from its new frame to the file's, and whether the rest pose is kept."""
    common = _kept(tree)
    if common is not None:
        return np.tile(common, (len(tree.names), 1, 1)), True
    some = np.unique(np.linspace(0, len(turn) - 1, 200).astype(int))
    frames = make_frames(tree.names, tree.parents, where[some])
    bones = where[some] - where[some][:, np.maximum(tree.parents, 0)]
    wanted = rotations(frames, bones)
    return _nearest(np.einsum("tjba,tjbc->jac", turn[some], wanted)), False


def _kept(tree: Tree) -> Floats | None:
    """Rotation (3, 3) from a T pose's axes to the file's, if the limbs of the file's rest pose lie as in a T pose."""
    smpl = smpl_joints(tree.names, tree.parents)
    wanted = t_pose(tree.names, tree.parents, smpl)
    limbs = [smpl[f"{s}_{n}"] for s in ("left", "right") for n in _LIMBS if f"{s}_{n}" in smpl]
    limbs = [j for j in limbs if np.linalg.norm(tree.offsets[j]) > 0]
    hips = {smpl.get("left_hip"), smpl.get("right_hip")}  # where the pelvis is, conventions differ
    if len(limbs) < 4 or not set(limbs) - hips:
        return None
    seen = unit(tree.offsets[limbs])
    common = _axes_nearest(_nearest(np.einsum("ja,jb->ab", seen, wanted[limbs])))
    alike = (seen * (wanted[limbs] @ common.T)).sum(axis=1) > _ALIKE
    return common if all(ok for j, ok in zip(limbs, alike, strict=True) if j not in hips) else None


def _nearest(matrix: Floats) -> Floats:
    """Rotations nearest to matrices (..., 3, 3)."""
    u, _, vt = np.linalg.svd(matrix)
    u[..., :, 2] *= np.sign(np.linalg.det(u @ vt))[..., None]
    return u @ vt


def _axes_nearest(turn: Floats) -> Floats:
    """The nearest of the 24 rotations that exchange axes, (3, 3)."""
    best, value = np.eye(3), -np.inf
    for i in range(3):
        for j in range(3):
            for signs in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
                if i == j:
                    continue
                a, b = signs[0] * np.eye(3)[i], signs[1] * np.eye(3)[j]
                candidate = np.stack([a, b, np.cross(a, b)], axis=1)
                score = float(np.sum(candidate * turn))
                if score > value:
                    best, value = candidate, score
    return best
