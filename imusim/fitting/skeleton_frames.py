"""The joints of a plain skeleton: names, tree, and the T pose that its rotations are told from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imusim.body import SkeletonBody, open_body
from imusim.errors import UnknownNameError
from imusim.placement.joints import find_joint
from imusim.types import Floats


@dataclass(frozen=True)
class Frames:
    """How the joints of a skeleton get their rotations.

    Parameters
    ----------
    names : J names
    parents : (J,)
    smpl : SMPL name → joint, for those that the skeleton has
    rest : (J, 3) · m · B, vector from the parent to each joint in the T pose (zero for the root)
    shoulder_share : of the line of the shoulders, beside that of the hips, in where the thorax faces
    """

    names: tuple[str, ...]
    parents: NDArray[np.int64]
    smpl: dict[str, int]
    rest: Floats
    shoulder_share: float = 1.0

    def body(self, name: str) -> SkeletonBody:
        """The skeleton as a body: its rest pose is the T pose, y up."""
        joints = np.zeros_like(self.rest)
        for j, k in enumerate(self.parents):
            joints[j] = self.rest[j] + (joints[k] if k >= 0 else 0.0)
        return SkeletonBody(self.names, self.parents, joints, name=name)


def smpl_joints(names: tuple[str, ...], parents: NDArray[np.int64]) -> dict[str, int]:
    """SMPL name → joint of a skeleton with those names (J,) and parents (J,); a joint is used once."""
    body = SkeletonBody(names, parents, np.zeros((len(names), 3)))
    found: dict[str, int] = {}
    for name in open_body().joint_names:
        try:
            joint = find_joint(body, name)
        except UnknownNameError:
            continue
        if joint not in found.values():
            found[name] = joint
    return found


def unit(v: Floats) -> Floats:
    """Vectors (..., 3) of length one; short ones stay short."""
    return v / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), 1e-9)


def t_pose(names: tuple[str, ...], parents: NDArray[np.int64], smpl: dict[str, int]) -> Floats:
    """Unit vectors (J, 3) from the parent to each joint in the T pose, those of the open body where it has them."""
    model = open_body()
    model_rest = model.rest_joints()
    back = {j: n for n, j in smpl.items()}
    out = np.zeros((len(names), 3))
    for j, k in enumerate(parents):
        if k < 0:
            continue
        a, b = _named(int(k), parents, back), _named_below(j, parents, back)
        if a is not None and b is not None and a != b:
            way = model_rest[model.joint_names.index(b)] - model_rest[model.joint_names.index(a)]
        else:
            way = _guess(j, int(k), names, back)
        out[j] = unit(way)
    return out


def _named(j: int, parents: NDArray[np.int64], back: dict[int, str]) -> str | None:
    """SMPL name of a joint, or of the nearest one above it that has one."""
    while j >= 0:
        if j in back:
            return back[j]
        j = int(parents[j])
    return None


def _named_below(j: int, parents: NDArray[np.int64], back: dict[int, str]) -> str | None:
    """SMPL name of a joint, or of the only one below it that has one."""
    while j not in back:
        below = np.flatnonzero(parents == j)
        if below.size != 1:
            return None
        j = int(below[0])
    return back[j]


def _guess(j: int, k: int, names: tuple[str, ...], back: dict[int, str]) -> Floats:
    """Direction in the T pose of a bone that the open body does not have."""
    name, above = names[j].lower(), back.get(k, "")
    side = (
        1.0
        if "left" in name or name.endswith("_l")
        else -1.0
        if "right" in name or name.endswith("_r")
        else 0.0
    )
    if "heel" in name:
        return np.array([0.0, -0.8, -0.6])
    if any(part in name for part in ("toe", "foot")) or "ankle" in above or "foot" in above:
        return np.array([0.3 * side * ("small" in name), -0.3, 1.0])
    if any(part in name for part in ("thumb", "index", "pinky", "hand", "tip")) or "wrist" in above:
        forward = 0.6 * ("thumb" in name) + 0.25 * ("index" in name) - 0.25 * ("pinky" in name)
        return np.array([side or 1.0, 0.0, forward])
    if "nose" in name or "eye" in name:
        return np.array([0.3 * side, 0.5, 1.0])
    return np.array([0.5 * side, 1.0, 0.0])


def through(frames: Frames, j: int) -> list[int]:
    """Joints whose bones fix the rotation of `j`: those below it, or below a joint in the same place."""
    out: list[int] = []
    for c in rigid(frames, j):
        out += [c] if np.any(frames.rest[c]) else rigid(frames, c)
    return out


def rigid(frames: Frames, j: int) -> list[int]:
    """Joints below `j` that move with it as one piece."""
    children = [int(c) for c in np.flatnonzero(frames.parents == j)]
    if len(children) < 2:
        return children
    loose = {frames.smpl.get("neck"), frames.smpl.get("head")}
    rigid = [c for c in children if c not in loose]
    return rigid or children
