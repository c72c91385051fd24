"""From motion to ideal samples: at instants, averaged over the output interval, or as increments."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from imusim.conventions import GRAVITY_W
from imusim.rotation import conjugate, multiply, rotate_inverse, to_rotvec
from imusim.types import Floats, Kinematics

SAMPLING = ("instant", "average", "increments")

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(4)


def ideal_signals(k: Kinematics) -> tuple[Floats, Floats]:
    """Return what perfect sensors at the frames of `k` measure.

    Returns
    -------
    acc : (T, S, 3) · m/s² · sensor axes, specific force ``R_wsᵀ (a_w − g_w)``
    gyro : (T, S, 3) · rad/s · sensor axes, ``R_wsᵀ ω_w``
    """
    q = k.orientation
    return rotate_inverse(q, k.acceleration - np.asarray(GRAVITY_W)), rotate_inverse(q, k.angular_velocity)


def averages(motion: Callable[[Floats], Kinematics], start_s: Floats, end_s: Floats) -> tuple[Floats, Floats]:
    """Return specific force and angular rate averaged over intervals, each in the sensor's axes of the moment.

    What an integrating front end puts out without coning and sculling correction. Gauss–Legendre quadrature with four
    nodes an interval, exact for polynomials of degree 7.

    Parameters
    ----------
    motion : kinematics at any instants (n,) · s
    start_s, end_s : (T,) · s, ends of the intervals

    Returns
    -------
    acc : (T, S, 3) · m/s²
    gyro : (T, S, 3) · rad/s
    """
    half = 0.5 * (end_s - start_s)
    t = (start_s + half)[:, None] + half[:, None] * _NODES
    out = []
    for x in ideal_signals(motion(t.ravel())):
        out.append(np.einsum("tnsc,n->tsc", x.reshape(*t.shape, *x.shape[1:]), 0.5 * _WEIGHTS))
    return out[0], out[1]


def increments(before: Kinematics, after: Kinematics) -> tuple[Floats, Floats]:
    """Return velocity and angle increments over intervals, coning and sculling included.

    ``Δv = R(t₀)ᵀ (v(t₁) − v(t₀) − g Δt)`` in the axes that the sensor had at the start of the interval, and Δθ the rotation
    vector with ``R(t₁) = R(t₀) exp([Δθ]×)``: what a strapdown integrates without error (Savage 1998), taken from the
    motion itself rather than from sums of samples.

    Parameters
    ----------
    before, after : kinematics at the starts and the ends of T intervals

    Returns
    -------
    velocity : (T, S, 3) · m/s
    angle : (T, S, 3) · rad
    """
    dt = (after.time_s - before.time_s)[:, None, None]
    turn = to_rotvec(multiply(conjugate(before.orientation), after.orientation))
    gained = after.velocity - before.velocity - np.asarray(GRAVITY_W) * dt
    return rotate_inverse(before.orientation, gained), turn
