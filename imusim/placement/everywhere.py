"""A site at every vertex of a body's skin, or at a chosen few."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from imusim.errors import ConfigError, ShapeError
from imusim.kinematics import Sites
from imusim.rotation import from_matrix
from imusim.types import Body, Floats


def attach_vertices(body: Body, shape: ArrayLike | None, vertices: ArrayLike | None = None) -> Sites:
    """Put a sensor on every skin vertex, or on some.

    Each sits on the skin itself (no lift), with the skin weights of its own vertex, so that its motion is exactly
    that of linear blend skinning.

    Parameters
    ----------
    body : a body with a skin
    shape : shape coefficients of the body, or None for the mean
    vertices : (S,) indices of the vertices wanted, in that order; None: all V

    Returns
    -------
    Sites
        Named "v0", "v1" ... by vertex. Sensor **z** is the skin's outward normal there (the mean of its triangles',
        weighted by area). **x** is the segment's direction as near to it as the skin allows: the bones' directions,
        blended with the skin weights, so that x turns smoothly from one segment to the next. y = z × x.

    Raises
    ------
    ConfigError
        If the body has no skin.
    ShapeError
        If an index is not one of a vertex.
    """
    given = None if shape is None or np.size(shape) == 0 else shape
    joints, skin = body.rest_joints(given), body.rest_vertices(given)
    if skin is None or body.weights is None or body.faces is None:
        raise ConfigError(
            f"{body.name} has no skin to put sensors on. Use a body with one, such as open_body()."
        )
    chosen = vertex_indices(vertices, skin.shape[0])
    weights = body.weights[chosen]
    offsets = weights[:, :, None] * (skin[chosen][:, None] - joints)  # (S, J, 3)
    out = vertex_normals(skin, body.faces)[chosen]
    axes = _axes(out, weights @ _bone_directions(joints, np.asarray(body.parents)))
    names = tuple(f"v{v}" for v in chosen)
    return Sites(names, weights, offsets, np.zeros((chosen.size, 3)), from_matrix(axes))


def vertex_indices(vertices: ArrayLike | None, count: int) -> NDArray[np.int64]:
    """Return the indices wanted, (S,), checked: each one of `count` vertices, none twice; None means all.

    Raises
    ------
    ShapeError
        If one is not.
    """
    if vertices is None:
        return np.arange(count)
    chosen = np.asarray(vertices)
    if chosen.ndim != 1 or chosen.size == 0 or not np.issubdtype(chosen.dtype, np.integer):
        raise ShapeError(f"vertices: shape {chosen.shape} of {chosen.dtype}, wanted a list of whole numbers")
    if chosen.min() < 0 or chosen.max() >= count:
        raise ShapeError(f"vertices: {chosen.min()} … {chosen.max()}, wanted 0 … {count - 1}")
    if np.unique(chosen).size < chosen.size:
        raise ShapeError("vertices: one is named twice")
    return chosen.astype(np.int64)


def vertex_normals(vertices: Floats, faces: NDArray[np.int64]) -> Floats:
    """Outward unit normals (V, 3) of a mesh: of the triangles at each vertex the mean, weighted by area.

    A vertex without a triangle points up.
    """
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    normal = np.cross(b - a, c - a)  # as long as twice the area
    out = np.zeros_like(vertices)
    for k in range(3):
        np.add.at(out, faces[:, k], normal)
    length = np.linalg.norm(out, axis=1)
    out[length < 1e-15] = [0.0, 1.0, 0.0]
    return out / np.where(length < 1e-15, 1.0, length)[:, None]


def _bone_directions(joints: Floats, parents: NDArray[np.int64]) -> Floats:
    """Unit direction (J, 3) of each joint's segment: to the mean of its children; of the last ones, as above them."""
    out = np.zeros_like(joints)
    for j in range(parents.size):
        below = np.flatnonzero(parents == j)
        if below.size and j > 0:
            out[j] = joints[below].mean(axis=0) - joints[j]
        elif j > 0:
            out[j] = joints[j] - joints[parents[j]]
        else:
            out[j] = [0.0, 1.0, 0.0]  # the pelvis: up the trunk, not down the legs
    return out / np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-12)


def _axes(out: Floats, along: Floats) -> Floats:
    """Sensor axes as columns (S, 3, 3): z is `out` (S, 3), x as near to `along` (S, 3) as that allows."""
    x = along - out * (out * along).sum(axis=1, keepdims=True)
    flat = np.linalg.norm(x, axis=1) < 1e-6  # the skin faces along the bone: fingertips, the crown
    other = np.eye(3)[np.argmin(np.abs(out[flat]), axis=1)]
    x[flat] = other - out[flat] * (out[flat] * other).sum(axis=1, keepdims=True)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    return np.asarray(np.stack([x, np.cross(out, x), out], axis=-1), dtype=np.float64)
