"""Where a ray meets the skin of one segment, and the nearest point of a skin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imusim.types import Floats

_REACH_M = 0.4
"""Skin farther than this from the bone is not the segment's own."""


@dataclass(frozen=True)
class SkinHit:
    """A point inside a triangle of a mesh.

    Parameters
    ----------
    face : row of the mesh's faces
    barycentric : (3,), ≥ 0, sum 1
    point : (3,) · m · axes of the mesh
    """

    face: int
    barycentric: Floats
    point: Floats


def segment_faces(faces: NDArray[np.int64], weights: Floats, joints: list[int]) -> NDArray[np.int64]:
    """Rows of `faces` (F, 3) whose three corners are moved at least half by `joints`; weights (V, J)."""
    return np.flatnonzero((weights[:, joints].sum(axis=1)[faces] >= 0.5).all(axis=1))


def outermost_hit(
    vertices: Floats, faces: NDArray[np.int64], origin: Floats, direction: Floats
) -> SkinHit | None:
    """Last place where the ray from `origin` along the unit vector `direction` leaves the mesh, or None.

    Möller and Trumbore, "Fast, minimum storage ray/triangle intersection", J. Graphics Tools 2(1), 1997.
    Edges count as inside, since rays in the plane of symmetry run along them. The last hit is the skin:
    earlier ones are folds inside (mouth, eye sockets).
    """
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    e1, e2 = b - a, c - a
    p = np.cross(direction, e2)
    det = np.einsum("ij,ij->i", e1, p)
    with np.errstate(divide="ignore", invalid="ignore"):
        s = origin - a
        u = np.einsum("ij,ij->i", s, p) / det
        q = np.cross(s, e1)
        v = q @ direction / det
        t = np.einsum("ij,ij->i", e2, q) / det
        slack = 1e-9
        inside = (u >= -slack) & (v >= -slack) & (u + v <= 1.0 + slack) & (t > 0.0) & (t <= _REACH_M)
        inside &= np.abs(det) > 1e-14
    rows = np.flatnonzero(inside)
    if rows.size == 0:
        return None
    row = int(rows[np.argmax(t[rows])])
    return _hit(vertices, faces, row, np.array([1.0 - u[row] - v[row], u[row], v[row]]))


def nearest_point(vertices: Floats, faces: NDArray[np.int64], point: Floats) -> SkinHit:
    """Nearest point of the mesh to `point` (3,)."""
    from trimesh.triangles import closest_point, points_to_barycentric

    # from the point, in millimetres: trimesh takes products of four lengths below 1e-12 for nothing
    corners = 1e3 * (vertices[faces] - point)
    found = closest_point(corners, np.zeros((len(faces), 3)))
    row = int(np.argmin((found**2).sum(axis=1)))
    return _hit(vertices, faces, row, points_to_barycentric(corners[row : row + 1], found[row : row + 1])[0])


def face_normal(vertices: Floats, faces: NDArray[np.int64], hit: SkinHit) -> Floats:
    """Outward unit normal (3,) of the skin at a hit, smoothed over the corners' triangles."""
    corners = faces[hit.face]
    out = np.zeros(3)
    for corner, weight in zip(corners, hit.barycentric, strict=True):
        rows = faces[(faces == corner).any(axis=1)]
        n = np.cross(
            vertices[rows[:, 1]] - vertices[rows[:, 0]], vertices[rows[:, 2]] - vertices[rows[:, 0]]
        ).sum(axis=0)
        out += weight * n / np.linalg.norm(n)
    return out / np.linalg.norm(out)


def _hit(vertices: Floats, faces: NDArray[np.int64], row: int, barycentric: Floats) -> SkinHit:
    bary = np.clip(barycentric, 0.0, None)
    bary /= bary.sum()
    return SkinHit(row, bary, bary @ vertices[faces[row]])
