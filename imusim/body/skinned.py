"""A body with a skin: shape directions, a joint regressor and linear blend skinning (the SMPL formulation)."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from imusim._kernels import posing as _k
from imusim.errors import ConfigError, FrameError, ShapeError
from imusim.types import Floats, as_floats

_CHUNK_BYTES = 64e6


@dataclass(frozen=True, eq=False)
class Posed:
    """A body in T poses.

    Parameters
    ----------
    joints : (T, J, 3) · m, joint positions
    vertices : (T, V, 3) · m, skin vertices, or None if they were not asked for or there is no skin
    rotation : (T, J, 3, 3), takes each joint's frame to the axes of `joints`

    All in the axes that the root rotation leads to: the world's for a `Motion`, the body file's own (y up)
    where the root rotation is the identity.
    """

    joints: Floats
    vertices: Floats | None
    rotation: Floats


@dataclass(frozen=True, eq=False, repr=False)
class SkinnedBody:
    """Linear blend skinning after Loper et al., "SMPL: a skinned multi-person linear model", 2015.

    With shape β and joint rotations R_j, rest vertices ``v = v_template + shapedirs β``, rest joints
    ``J = J_regressor v``, pose correction ``posedirs vec(R_j − I)`` over the joints but the root, and
    ``x = Σ_j w_j (R̂_j (v − J_j) + p_j)`` with the global rotations R̂ and positions p.

    Parameters
    ----------
    name : what the body is called in outputs
    joint_names : J names
    parents : (J,) int64, −1 for the root, parents before children
    v_template : (V, 3) · m · B axes (x to the person's left, y up, z forward), rest pose
    shapedirs : (V, 3, B) · m per unit of shape coefficient
    J_regressor : (J, V), joints from vertices
    weights : (V, J) skin weights, rows sum to 1
    faces : (F, 3) int64, counter-clockwise from outside

    Other Parameters
    ----------------
    posedirs : (V, 3, 9 (J − 1)) pose corrections, or None
    metadata : where it came from
    """

    name: str
    joint_names: tuple[str, ...]
    parents: NDArray[np.int64]
    v_template: Floats
    shapedirs: Floats
    J_regressor: Floats
    weights: Floats
    faces: NDArray[np.int64]
    posedirs: Floats | None = None
    metadata: dict[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({self.name!r}, {len(self.joint_names)} joints, "
            f"{self.v_template.shape[0]} vertices, {self.n_shape} shape coefficients)"
        )

    @property
    def n_shape(self) -> int:
        """Number of shape coefficients."""
        return self.shapedirs.shape[2]

    @cached_property
    def _joint_basis(self) -> tuple[Floats, Floats]:
        """Rest joints are linear in shape: (J, 3) of the mean body and (J, 3, B)."""
        return self.J_regressor @ self.v_template, np.einsum(
            "jv,vcb->jcb", self.J_regressor, self.shapedirs, optimize=True
        )

    @cached_property
    def _sparse_weights(self) -> tuple[NDArray[np.int64], Floats]:
        """All weights that are not zero, largest first: joint index (V, K), weight (V, K)."""
        width = max(1, int((self.weights != 0).sum(axis=1).max()))
        index = np.argsort(-np.abs(self.weights), axis=1, kind="stable")[:, :width]
        return index.astype(np.int64), np.take_along_axis(self.weights, index, axis=1)

    def coefficients(self, shape: ArrayLike | None) -> Floats:
        """Return a full shape vector (B,): None is the mean body, a shorter vector is filled up with zeros.

        Raises
        ------
        ShapeError
            If there are more coefficients than the body has, or one is not finite.
        """
        out = np.zeros(self.n_shape)
        if shape is not None:
            given = as_floats(shape, "shape", (None,))
            if given.size > out.size:
                raise ShapeError(
                    f"shape has {given.size} coefficients, {self.name} has {out.size}. Drop the last ones."
                )
            if not np.isfinite(given).all():
                raise ShapeError("shape has coefficients that are not finite")
            out[: given.size] = given
        return out

    def rest_joints(self, shape: ArrayLike | None = None) -> Floats:
        """Joint positions in the rest pose, (J, 3) · m · B axes."""
        mean, basis = self._joint_basis
        return mean + basis @ self.coefficients(shape)

    def joint_shape_basis(self) -> Floats:
        """Derivative of the rest joints by the shape coefficients, (J, 3, B) · m · B axes."""
        return self._joint_basis[1]

    def rest_vertices(self, shape: ArrayLike | None = None) -> Floats:
        """Skin vertices in the rest pose, (V, 3) · m · B axes."""
        return self.v_template + self.shapedirs @ self.coefficients(shape)

    def stature(self, shape: ArrayLike | None = None) -> float:
        """Height from the lowest to the highest skin vertex in the rest pose, m."""
        return float(np.ptp(self.rest_vertices(shape)[:, 1]))

    def shape_for_height(self, height_m: float) -> Floats:
        """Return the most likely shape (B,) of a person of that height: the smallest |β| with that stature.

        Raises
        ------
        ConfigError
            If the height is not that of a person (0.8 to 2.5 m), or the body cannot reach it.
        """
        if not 0.8 <= height_m <= 2.5:
            raise ConfigError(
                f"height_m={height_m:g} is not the height of a person. Give metres, 0.8 to 2.5."
            )
        beta = np.zeros(self.n_shape)
        for _ in range(50):
            y = self.rest_vertices(beta)[:, 1]
            top, low = int(np.argmax(y)), int(np.argmin(y))
            missing = height_m - (y[top] - y[low])
            if abs(missing) < 1e-12:
                return beta
            slope = self.shapedirs[top, 1] - self.shapedirs[low, 1]
            size = float(slope @ slope)
            if size < 1e-12:
                break
            # the smallest vector on the plane {β : stature of these two vertices = height}
            beta = slope * (float(slope @ beta) + missing) / size
        if abs(self.stature(beta) - height_m) > 1e-6:
            raise ConfigError(f"no shape of {self.name} is {height_m:g} m tall")
        return beta

    def pose(
        self,
        root_position_m: ArrayLike,
        joint_rotation_wxyz: ArrayLike,
        shape: ArrayLike | None = None,
        vertices: bool | ArrayLike = True,
    ) -> Posed:
        """Put the body in T poses.

        Parameters
        ----------
        root_position_m : (T, 3) or (3,) · m, where the root joint goes. ``joints[:, 0]`` equals it. SMPL's
            `transl` is ``root_position_m − rest_joints(shape)[0]``.
        joint_rotation_wxyz : (T, J, 4) or (J, 4), unit quaternions, child to parent; the root's from B axes
            to the axes of the result

        Other Parameters
        ----------------
        shape : up to B shape coefficients
        vertices : True for all, False for none, or the indices of those wanted (memory: 24 bytes each a frame)

        Returns
        -------
        Posed
            With a leading T of 1 for a single pose.

        Raises
        ------
        ShapeError, FrameError
            On wrong shapes, on quaternions without length.
        """
        root, q = check_pose(root_position_m, joint_rotation_wxyz, len(self.joint_names))
        beta = self.coefficients(shape)
        rest = self.rest_joints(beta)
        rotation, position = np.empty((*q.shape[:2], 3, 3)), np.empty((*q.shape[:2], 3))
        if _k.pose_joints(q, rest, self.parents, root, rotation, position):
            raise FrameError("joint_rotation_wxyz has a quaternion of no length or that is not finite.")
        if vertices is False:
            return Posed(position, None, rotation)
        chosen: slice | NDArray[np.int64] = slice(None)
        if vertices is not True:
            chosen = np.asarray(vertices, dtype=np.int64)
        index, weight = (np.ascontiguousarray(a[chosen]) for a in self._sparse_weights)
        skin = np.ascontiguousarray(self.rest_vertices(beta)[chosen])
        out = np.empty((q.shape[0], skin.shape[0], 3))
        if self.posedirs is None:
            _k.blend_vertices(skin[None], rest, index, weight, rotation, position, out)
            return Posed(position, out, rotation)
        directions = self.posedirs[chosen].reshape(skin.size, -1)
        step = max(1, int(_CHUNK_BYTES / (8 * skin.size)))
        for start in range(0, q.shape[0], step):
            part = slice(start, start + step)
            correction = (bend_features(rotation[part], self.parents) @ directions.T).reshape(-1, *skin.shape)
            # one frame alone is a mesh for all frames: same thing
            _k.blend_vertices(
                skin + correction, rest, index, weight, rotation[part], position[part], out[part]
            )
        return Posed(position, out, rotation)


def bend_features(rotation: Floats, parents: NDArray[np.int64]) -> Floats:
    """vec(R_j − I) of the local rotations of all joints but the root, (T, 9 (J − 1)), from global (T, J, 3, 3)."""
    local = np.swapaxes(rotation[:, parents[1:]], -1, -2) @ rotation[:, 1:]
    return (local - np.eye(3)).reshape(rotation.shape[0], -1)


def check_pose(
    root_position_m: ArrayLike, joint_rotation_wxyz: ArrayLike, joints: int
) -> tuple[Floats, Floats]:
    """Return root (T, 3) and rotations (T, J, 4) as checked arrays; a single pose gets T = 1."""
    q = np.asarray(joint_rotation_wxyz, dtype=np.float64)
    q = as_floats(q[None] if q.ndim == 2 else q, "joint_rotation_wxyz", (None, joints, 4))
    root = np.asarray(root_position_m, dtype=np.float64)
    root = as_floats(root[None] if root.ndim == 1 else root, "root_position_m", (q.shape[0], 3))
    return root, q
