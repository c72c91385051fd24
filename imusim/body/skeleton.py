"""A body without a skin: joints and bones, as BVH, TRC and depth cameras give them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from imusim._kernels import posing as _k
from imusim.body.skinned import Posed, check_pose
from imusim.errors import FrameError, ShapeError
from imusim.types import Floats, as_floats


@dataclass(frozen=True, eq=False)
class SkeletonBody:
    """Joints and rigid bones with one fixed shape.

    Parameters
    ----------
    joint_names : J names
    parents : (J,), −1 for the root (the first), parents before children
    rest_joints_m : (J, 3) · m · B axes, joint positions in the rest pose (all rotations identity)

    Other Parameters
    ----------------
    name : what the body is called in outputs
    metadata : where it came from

    Raises
    ------
    ShapeError
        If the arrays do not fit together, or a parent does not come before its child.
    """

    joint_names: tuple[str, ...]
    parents: NDArray[np.int64]
    rest_joints_m: Floats
    name: str = "skeleton"
    metadata: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "joint_names", tuple(self.joint_names))
        count = len(self.joint_names)
        put(self, "parents", check_parents(self.parents, count))
        put(self, "rest_joints_m", as_floats(self.rest_joints_m, "rest_joints_m", (count, 3)))
        if len(set(self.joint_names)) != count:
            raise ShapeError("joint_names must differ from each other")

    @property
    def n_shape(self) -> int:
        """Zero: a plain skeleton has no shape coefficients."""
        return 0

    @property
    def weights(self) -> None:
        """None: no skin."""

    @property
    def faces(self) -> None:
        """None: no skin."""

    def rest_joints(self, shape: ArrayLike | None = None) -> Floats:
        """Joint positions in the rest pose, (J, 3) · m · B axes."""
        if shape is not None and np.size(shape):
            raise ShapeError(f"a plain skeleton has no shape coefficients, got {np.size(shape)}")
        return self.rest_joints_m.copy()

    def rest_vertices(self, shape: ArrayLike | None = None) -> None:
        """None: no skin."""

    def stature(self, shape: ArrayLike | None = None) -> float:
        """Height from the lowest to the highest joint in the rest pose, m (less than the person's)."""
        return float(np.ptp(self.rest_joints(shape)[:, 1]))

    def pose(
        self,
        root_position_m: ArrayLike,
        joint_rotation_wxyz: ArrayLike,
        shape: ArrayLike | None = None,
        vertices: bool | ArrayLike = False,
    ) -> Posed:
        """Put the skeleton in T poses; see `SkinnedBody.pose`. There are never vertices."""
        root, q = check_pose(root_position_m, joint_rotation_wxyz, len(self.joint_names))
        rotation, position = np.empty((*q.shape[:2], 3, 3)), np.empty((*q.shape[:2], 3))
        if _k.pose_joints(q, self.rest_joints(shape), self.parents, root, rotation, position):
            raise FrameError("joint_rotation_wxyz has a quaternion of no length or that is not finite.")
        return Posed(position, None, rotation)


def check_parents(parents: ArrayLike, count: int) -> NDArray[np.int64]:
    """Return parents (J,) as int64, or raise ShapeError if they are not a tree in order."""
    out = np.ascontiguousarray(parents, dtype=np.int64)
    if out.shape != (count,) or count == 0:
        raise ShapeError(f"parents has shape {out.shape}, wanted ({count},), one for each joint")
    if out[0] != -1 or (out[1:] < 0).any() or (out >= np.arange(count)).any():
        raise ShapeError("parents must be −1 for the first joint, and an earlier joint for every other")
    return out
