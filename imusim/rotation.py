"""Rotations as quaternions (Hamilton, **wxyz**), matrices and rotation vectors; any leading shape.

SciPy and roma write xyzw; everything here is scalar first. ``q_ws`` takes sensor vectors to world:
``v_w = rotate(q_ws, v_s)`` and ``multiply(q_wb, q_bs)`` is ``q_ws``.

>>> import numpy as np
>>> q = from_rotvec([0.0, 0.0, np.pi / 2])
>>> np.round(rotate(q, [1.0, 0.0, 0.0]), 12) + 0.0
array([0., 1., 0.])
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from imusim._kernels import rotation as _k
from imusim.errors import FrameError, ShapeError
from imusim.types import Floats

__all__ = [
    "IDENTITY",
    "angle",
    "between",
    "conjugate",
    "from_matrix",
    "from_rotvec",
    "left_jacobian",
    "left_jacobian_inverse",
    "multiply",
    "normalise",
    "random",
    "right_jacobian",
    "right_jacobian_inverse",
    "rotate",
    "rotate_inverse",
    "sign_continuous",
    "to_matrix",
    "to_rotvec",
]

IDENTITY = (1.0, 0.0, 0.0, 0.0)
"""The rotation that does nothing, wxyz."""


def _rows(value: ArrayLike, name: str, tail: tuple[int, ...]) -> tuple[Floats, tuple[int, ...]]:
    """Return `value` as (N, *tail) and its leading shape."""
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ShapeError(f"{name} is not an array of numbers: {error}") from None
    if array.ndim < len(tail) or array.shape[array.ndim - len(tail) :] != tail:
        wanted = ", ".join(str(n) for n in tail)
        raise ShapeError(f"{name} has shape {array.shape}, wanted (..., {wanted})")
    lead = array.shape[: array.ndim - len(tail)]
    return np.ascontiguousarray(array.reshape((-1, *tail))), lead


def _pair(
    a: ArrayLike, b: ArrayLike, names: tuple[str, str], width: int
) -> tuple[Floats, Floats, tuple[int, ...]]:
    """Broadcast the leading shapes of a (..., 4) and b (..., width) against each other; rows and lead."""
    rows_a, lead_a = _rows(a, names[0], (4,))
    rows_b, lead_b = _rows(b, names[1], (width,))
    if lead_a == lead_b:
        return rows_a, rows_b, lead_a
    try:
        lead = np.broadcast_shapes(lead_a, lead_b)
    except ValueError:
        raise ShapeError(
            f"{names[0]} {(*lead_a, 4)} and {names[1]} {(*lead_b, width)} do not broadcast"
        ) from None
    rows_a = np.broadcast_to(rows_a.reshape((*lead_a, 4)), (*lead, 4)).reshape(-1, 4)
    rows_b = np.broadcast_to(rows_b.reshape((*lead_b, width)), (*lead, width)).reshape(-1, width)
    return np.ascontiguousarray(rows_a), np.ascontiguousarray(rows_b), lead


def multiply(a: ArrayLike, b: ArrayLike) -> Floats:
    """Hamilton product a b: the rotation b, then a.

    Parameters
    ----------
    a, b : (..., 4), wxyz; leading shapes broadcast

    Raises
    ------
    ShapeError
        If a shape does not end in 4 or they do not broadcast.
    """
    rows_a, rows_b, lead = _pair(a, b, ("a", "b"), 4)
    out = np.empty_like(rows_a)
    _k.multiply(rows_a, rows_b, out)
    return out.reshape((*lead, 4))


def conjugate(q: ArrayLike) -> Floats:
    """Inverse of unit quaternions (..., 4), wxyz."""
    rows, lead = _rows(q, "q", (4,))
    return (rows * np.array([1.0, -1.0, -1.0, -1.0])).reshape((*lead, 4))


def rotate(q: ArrayLike, v: ArrayLike) -> Floats:
    """Rotate vectors: R(q) v.

    Parameters
    ----------
    q : (..., 4), unit quaternions wxyz
    v : (..., 3), vectors in the frame that q takes from; leading shapes broadcast
    """
    rows_q, rows_v, lead = _pair(q, v, ("q", "v"), 3)
    out = np.empty_like(rows_v)
    _k.rotate(rows_q, rows_v, out)
    return out.reshape((*lead, 3))


def rotate_inverse(q: ArrayLike, v: ArrayLike) -> Floats:
    """Rotate vectors back: R(q)ᵀ v, so ``v_s = rotate_inverse(q_ws, v_w)``.

    Parameters
    ----------
    q : (..., 4), unit quaternions wxyz
    v : (..., 3), vectors in the frame that q takes to; leading shapes broadcast
    """
    return rotate(conjugate(q), v)


def normalise(q: ArrayLike, tolerance: float | None = None) -> Floats:
    """Scale quaternions (..., 4) to unit length; NaN rows stay NaN.

    Parameters
    ----------
    q : (..., 4), wxyz
    tolerance : largest allowed distance of a norm from 1; None: any norm but zero

    Raises
    ------
    FrameError
        If a norm is zero, or further from 1 than `tolerance`.
    """
    rows, lead = _rows(q, "q", (4,))
    norm = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    if (norm == 0.0).any():
        raise FrameError(f"quaternion {int(np.argmax(norm == 0.0))} is zero, which is no rotation")
    if tolerance is not None:
        off = np.abs(norm - 1.0)
        if (off > tolerance).any():
            i = int(np.nanargmax(off))
            raise FrameError(
                f"quaternion {i} has norm {norm[i]:.4g}, wanted 1 within {tolerance:g}. Wanted unit quaternions "
                "wxyz; normalise them, or convert rotation vectors with imusim.rotation.from_rotvec."
            )
    return (rows / norm[:, None]).reshape((*lead, 4))


def sign_continuous(q: ArrayLike) -> Floats:
    """Flip signs along the first axis so that neighbours in time are on the same side: (T, ..., 4), wxyz.

    q and −q are one rotation, but only a continuous sequence can be differentiated. NaN rows are stepped over.
    """
    rows, lead = _rows(q, "q", (4,))
    if not lead:
        raise ShapeError("q has shape (4,), wanted (T, ..., 4)")
    cube = rows.reshape((lead[0], -1, 4))
    out = np.empty_like(cube)
    _k.sign_continuous(cube, out)
    return out.reshape((*lead, 4))


def from_rotvec(rotvec: ArrayLike) -> Floats:
    """Exponential map: rotation vectors (..., 3) · rad → unit quaternions (..., 4), wxyz."""
    rows, lead = _rows(rotvec, "rotvec", (3,))
    out = np.empty((rows.shape[0], 4))
    _k.exp(rows, out)
    return out.reshape((*lead, 4))


def to_rotvec(q: ArrayLike) -> Floats:
    """Logarithm: unit quaternions (..., 4), wxyz → rotation vectors (..., 3) · rad, length at most π."""
    rows, lead = _rows(q, "q", (4,))
    out = np.empty((rows.shape[0], 3))
    _k.log(rows, out)
    return out.reshape((*lead, 3))


def to_matrix(q: ArrayLike) -> Floats:
    """Rotation matrices (..., 3, 3) of unit quaternions (..., 4), wxyz."""
    rows, lead = _rows(q, "q", (4,))
    out = np.empty((rows.shape[0], 3, 3))
    _k.to_matrix(rows, out)
    return out.reshape((*lead, 3, 3))


def from_matrix(matrix: ArrayLike) -> Floats:
    """Unit quaternions (..., 4), wxyz, w ≥ 0, of rotation matrices (..., 3, 3), which are not checked."""
    rows, lead = _rows(matrix, "matrix", (3, 3))
    out = np.empty((rows.shape[0], 4))
    _k.from_matrix(rows, out)
    return out.reshape((*lead, 4))


def angle(a: ArrayLike, b: ArrayLike = IDENTITY) -> Floats:
    """Angle of the rotation from b to a, (...,) · rad, 0 … π; a, b (..., 4) unit quaternions wxyz."""
    d = multiply(conjugate(b), a)
    return 2.0 * np.arctan2(np.linalg.norm(d[..., 1:], axis=-1), np.abs(d[..., 0]))


def between(a: ArrayLike, b: ArrayLike) -> Floats:
    """Shortest rotation that takes direction a to direction b.

    Parameters
    ----------
    a, b : (..., 3), not zero, any length; leading shapes broadcast

    Returns
    -------
    (..., 4) unit quaternions wxyz; for opposite directions, half a turn about some normal
    """
    u, v = np.broadcast_arrays(np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64))
    if u.shape[-1:] != (3,):
        raise ShapeError(f"a and b have shape {u.shape}, wanted (..., 3)")
    length = np.linalg.norm(u, axis=-1, keepdims=True), np.linalg.norm(v, axis=-1, keepdims=True)
    if (length[0] == 0).any() or (length[1] == 0).any():
        raise FrameError("a direction is the zero vector, which points nowhere")
    u, v = u / length[0], v / length[1]
    half = u + v
    short = np.linalg.norm(half, axis=-1, keepdims=True)
    other = np.where(np.abs(u[..., :1]) < 0.9, [1.0, 0.0, 0.0], [0.0, 1.0, 0.0])
    normal = np.cross(u, other)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    h = np.where(short > 1e-9, half / np.where(short > 1e-9, short, 1.0), normal)
    return np.concatenate([np.sum(u * h, axis=-1, keepdims=True), np.cross(u, h)], axis=-1)


def random(shape: int | tuple[int, ...] = (), *, seed: int | np.random.Generator = 0) -> Floats:
    """Uniformly distributed unit quaternions, (*shape, 4), wxyz."""
    lead = (shape,) if isinstance(shape, int) else tuple(shape)
    q = np.random.default_rng(seed).standard_normal((*lead, 4))
    return q / np.linalg.norm(q, axis=-1, keepdims=True)


def _jacobian(rotvec: ArrayLike, sign: float, inverse: bool) -> Floats:
    rows, lead = _rows(rotvec, "rotvec", (3,))
    out = np.empty((rows.shape[0], 3, 3))
    _k.jacobian(rows, sign, inverse, out)
    return out.reshape((*lead, 3, 3))


def left_jacobian(rotvec: ArrayLike) -> Floats:
    """J_l (..., 3, 3) with exp(v + δ) ≈ exp(J_l(v) δ) exp(v); rotvec (..., 3) · rad."""
    return _jacobian(rotvec, 1.0, False)


def right_jacobian(rotvec: ArrayLike) -> Floats:
    """J_r (..., 3, 3) with exp(v + δ) ≈ exp(v) exp(J_r(v) δ); rotvec (..., 3) · rad."""
    return _jacobian(rotvec, -1.0, False)


def left_jacobian_inverse(rotvec: ArrayLike) -> Floats:
    """Inverse of `left_jacobian`, (..., 3, 3); rotvec (..., 3) · rad, shorter than 2π."""
    return _jacobian(rotvec, 1.0, True)


def right_jacobian_inverse(rotvec: ArrayLike) -> Floats:
    """Inverse of `right_jacobian`, (..., 3, 3); rotvec (..., 3) · rad, shorter than 2π."""
    return _jacobian(rotvec, -1.0, True)
