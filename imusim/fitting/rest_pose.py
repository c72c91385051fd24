"""The T pose of a skeleton that is known by the positions of its joints only."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from imusim.fitting.skeleton_frames import Frames, smpl_joints, t_pose, through, unit
from imusim.fitting.skeleton_pose import rotations
from imusim.types import Floats


def make_frames(
    names: tuple[str, ...], parents: NDArray[np.int64], positions: Floats, shoulder_share: float = 1.0
) -> Frames:
    """T pose of a skeleton: directions of the open body, lengths and shapes of branching joints from the data.

    Parameters
    ----------
    names, parents : J joints, parents first
    positions : (T, J, 3) · m · W; frames with NaN are left out joint by joint
    shoulder_share : of the line of the shoulders in where the thorax faces (`trunk`)
    """
    smpl = smpl_joints(names, parents)
    bones = _bones(positions, parents)
    length = _median(np.linalg.norm(bones, axis=2))
    rest = length[:, None] * t_pose(names, parents, smpl)
    frames = Frames(names, parents, smpl, rest, shoulder_share)
    some = bones[:: max(1, len(bones) // 400)]
    some = some[np.isfinite(some).all(axis=(1, 2))]
    if len(some):
        for _ in range(3):
            _reshape(frames, some, rotations(frames, some))
    return frames


def _median(x: Floats) -> Floats:
    """Median over the first axis of what is finite; 0 where nothing is."""
    out = np.zeros(x.shape[1])
    for j in range(x.shape[1]):
        good = x[np.isfinite(x[:, j]), j]
        out[j] = np.median(good) if good.size else 0.0
    return out


def _reshape(frames: Frames, bones: Floats, rotation: Floats) -> None:
    """Replace bones that leave branching joints by their mean in the joint's frame, lengths kept."""
    for j in range(len(frames.names)):
        members = through(frames, j)
        if len(members) < 2:
            continue
        for c in members:
            mean = np.median(np.einsum("tba,tb->ta", rotation[:, j], bones[:, c]), axis=0)
            size = np.median(np.linalg.norm(bones[:, c], axis=1))
            frames.rest[c] = size * unit(mean)


def _bones(positions: Floats, parents: NDArray[np.int64]) -> Floats:
    """Vectors from parents to joints, (T, J, 3); the root's is zero."""
    out = positions - positions[:, np.maximum(parents, 0)]
    out[:, parents < 0] = 0.0
    return out
