"""Many copies of one simple shape as one mesh: sensors as boxes, axes and bones as rods, joints as balls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from imusim.types import Floats, as_floats


@dataclass(frozen=True, eq=False)
class Copies:
    """N copies of a shape, each moved by its own affine map.

    Parameters
    ----------
    corners : (V, 3), vertices of the shape
    triangles : (F, 3), counter-clockwise from outside
    count : N
    """

    corners: Floats
    triangles: NDArray[np.int64]
    count: int

    @classmethod
    def boxes(cls, count: int) -> Self:
        """Return cubes of edge 1 about the origin."""
        from trimesh.creation import box

        # every face has corners of its own, so that edges are sharp
        mesh = box(extents=(1.0, 1.0, 1.0))
        split = mesh.triangles.reshape(-1, 3)
        return cls(np.asarray(split), np.arange(len(split)).reshape(-1, 3), count)

    @classmethod
    def rods(cls, count: int, sides: int = 10) -> Self:
        """Return cylinders of radius 1 from z = 0 to z = 1."""
        from trimesh.creation import cylinder

        mesh = cylinder(radius=1.0, height=1.0, sections=sides)
        return cls(np.asarray(mesh.vertices) + [0.0, 0.0, 0.5], np.asarray(mesh.faces, dtype=np.int64), count)

    @classmethod
    def balls(cls, count: int) -> Self:
        """Return balls of radius 1."""
        from trimesh.creation import icosphere

        mesh = icosphere(subdivisions=2, radius=1.0)
        return cls(np.asarray(mesh.vertices), np.asarray(mesh.faces, dtype=np.int64), count)

    @property
    def faces(self) -> NDArray[np.int64]:
        """Triangles of all copies, (N F, 3)."""
        step = np.arange(self.count)[:, None, None] * len(self.corners)
        return (self.triangles[None] + step).reshape(-1, 3)

    def colours(self, colours: ArrayLike) -> Floats:
        """Colours (N V, 3) of all vertices from one for each copy, (N, 3)."""
        return np.repeat(as_floats(colours, "colours", (self.count, 3)), len(self.corners), axis=0)

    def vertices(self, place_m: Floats, axes: Floats) -> Floats:
        """Vertices (N V, 3) with copy n at ``place_m[n] + axes[n] @ corner``; (N, 3) and (N, 3, 3)."""
        moved = np.einsum("nij,vj->nvi", axes, self.corners) + place_m[:, None]
        return moved.reshape(-1, 3)


def along(start_m: Floats, end_m: Floats, radius_m: float | Floats) -> Floats:
    """Axes (N, 3, 3) that take a unit rod to one from `start_m` to `end_m`, both (N, 3), of that radius."""
    bone = end_m - start_m
    length = np.linalg.norm(bone, axis=1, keepdims=True)
    z = np.where(length > 1e-9, bone / np.maximum(length, 1e-9), [0.0, 0.0, 1.0])
    other = np.eye(3)[np.argmin(np.abs(z), axis=1)]
    x = np.cross(other, z)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    radius = np.broadcast_to(np.asarray(radius_m, dtype=np.float64), (len(bone),))[:, None]
    return np.stack([x * radius, np.cross(z, x) * radius, bone], axis=2)
