"""Normal equations of the fit of a whole clip, with analytic Jacobians, block-pentadiagonal in time.

The cost is ½ Σ of squared, information-weighted residuals: 3D landmarks up to a free shift per frame (they are
hip-centred), 2D landmarks through a pinhole, both with noise that is coloured in time, points of the body that rest
and the floor they rest on, priors and limits on the pose, and second (first) differences in time. The weights that
make it robust are part of the coefficients and stand still (iteratively reweighted least squares,
`imusim.fitting.noise`): gradient and Hessian are those of one least-squares problem, Gauss–Newton's.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from imusim._kernels.fit_chain import (
    landmark_jacobian,
    multiply,
    place_landmarks,
    pose_joints,
)
from imusim._kernels.fit_marks import centre_metric, next_frame, project, same_frame
from imusim._kernels.fit_time import time_terms
from imusim._kernels.rotation import from_matrix, jacobian, log


class Clip(NamedTuple):
    """What was seen in T frames: L landmarks, C points that may rest, a pinhole camera."""

    time: NDArray[np.float64]  # (T,) s
    marks3: NDArray[np.float64]  # (T, L, 3) m, camera axes, true scale, any origin
    q3: NDArray[np.float64]  # (T, L, 3) 1/m², of squares; 0: not seen
    p3: NDArray[np.float64]  # (T, L, 3) 1/m², of products with the frame before
    marks2: NDArray[np.float64]  # (T, L, 2) px
    q2: NDArray[np.float64]  # (T, L) 1/px²
    p2: NDArray[np.float64]  # (T, L) 1/px²
    contact_mark: NDArray[np.int64]  # (C,) landmark of each contact point
    contact_info: NDArray[np.float64]  # (T, C) 1/m², of the displacement since the frame before
    floor_up: NDArray[np.float64]  # (3,) unit, normal of the floor, camera axes
    floor_height: NDArray[np.float64]  # (T, C) m, of each contact point along floor_up when it rests
    floor_info: NDArray[np.float64]  # (T, C) 1/m², of that height
    focal: float  # px
    centre: NDArray[np.float64]  # (2,) px


class Prior(NamedTuple):
    """What is believed before looking: information (1/sd²) per unknown; B balls, Q angles, D unknowns."""

    ball_mean: NDArray[np.float64]  # (B, 3, 3)
    ball_info: NDArray[np.float64]  # (B, 3) 1/rad²
    twist_axis: NDArray[np.float64]  # (B, 3) unit, the long axis of the limb
    twist_info: NDArray[np.float64]  # (B,) 1/rad²
    angle_mean: NDArray[np.float64]  # (Q,) rad
    angle_info: NDArray[np.float64]  # (Q,) 1/rad²
    angle_low: NDArray[np.float64]  # (Q,) rad
    angle_high: NDArray[np.float64]  # (Q,) rad
    limit_info: float  # 1/rad² beyond the limits
    acc_info: NDArray[np.float64]  # (D,) 1/(unit/s²)²/s
    vel_info: NDArray[np.float64]  # (D,) 1/(unit/s)²/s


@njit(cache=True, error_model="numpy", nogil=True)
def _pose_terms(prior, balls, angles, hess, grad):
    """Add priors and limits of one frame, balls (B, 3, 3) and angles (Q,) rad, to hess, grad; returns their cost."""
    cost = 0.0
    n_balls = balls.shape[0]
    quats = np.empty((n_balls, 4))
    away = np.empty((n_balls, 3, 3))
    vectors = np.empty((n_balls, 3))
    slope = np.empty((n_balls, 3, 3))
    turned = np.empty((3, 3))
    v = np.empty(3)
    for k in range(n_balls):
        for a in range(3):
            for b in range(3):
                turned[a, b] = prior.ball_mean[k, b, a]
        multiply(turned, balls[k], away[k])
    from_matrix(away, quats)
    log(quats, vectors)
    jacobian(vectors, -1.0, True, slope)
    from_matrix(balls, quats)
    for k in range(n_balls):
        d0 = 3 + 3 * k
        q = quats[k]
        for a in range(3):
            w = prior.ball_info[k, a]
            if w == 0.0:
                continue
            cost += 0.5 * w * vectors[k, a] ** 2
            for i in range(3):
                grad[d0 + i] += w * slope[k, a, i] * vectors[k, a]
                for j in range(3):
                    hess[d0 + i, d0 + j] += w * slope[k, a, i] * slope[k, a, j]
        if prior.twist_info[k] > 0.0:
            # twist τ = 2 atan2(a·q_v, q_w); under q ← q ⊗ (1, δ/2): dq_w = −q_v·δ/2, dq_v = (q_w δ + q_v × δ)/2
            ax, ay, az = prior.twist_axis[k, 0], prior.twist_axis[k, 1], prior.twist_axis[k, 2]
            along = ax * q[1] + ay * q[2] + az * q[3]
            norm2 = q[0] * q[0] + along * along
            if norm2 < 0.02:  # swung by nearly half a turn: the twist is not defined
                continue
            twist = 2.0 * np.arctan2(along, q[0])
            # (a × q_v)·δ = a·(q_v × δ)
            v[0] = (q[0] * (q[0] * ax + ay * q[3] - az * q[2]) + along * q[1]) / norm2
            v[1] = (q[0] * (q[0] * ay + az * q[1] - ax * q[3]) + along * q[2]) / norm2
            v[2] = (q[0] * (q[0] * az + ax * q[2] - ay * q[1]) + along * q[3]) / norm2
            w = prior.twist_info[k]
            cost += 0.5 * w * twist * twist
            for i in range(3):
                grad[d0 + i] += w * v[i] * twist
                for j in range(3):
                    hess[d0 + i, d0 + j] += w * v[i] * v[j]
    first = 3 + 3 * balls.shape[0]
    for k in range(angles.shape[0]):
        d = first + k
        r = angles[k] - prior.angle_mean[k]
        w = prior.angle_info[k]
        cost += 0.5 * w * r * r
        grad[d] += w * r
        hess[d, d] += w
        over = 0.0
        if angles[k] < prior.angle_low[k]:
            over = angles[k] - prior.angle_low[k]
        elif angles[k] > prior.angle_high[k]:
            over = angles[k] - prior.angle_high[k]
        if over != 0.0:
            cost += 0.5 * prior.limit_info * over * over
            grad[d] += prior.limit_info * over
            hess[d, d] += prior.limit_info
    return cost


@njit(cache=True, error_model="numpy", nogil=True)
def _contact_terms(chain, clip, t, marks, before, jac, jac_b, hess_b, cross, hess, grad_b, grad, build):
    """Add points that stay where they were between frames t−1 and t: blocks (D, D) of (t−1, t−1), (t−1, t), (t, t)."""
    cost = 0.0
    for i in range(clip.contact_mark.shape[0]):
        w = clip.contact_info[t, i]
        if w == 0.0:
            continue
        l = clip.contact_mark[i]
        r0, r1, r2 = marks[l, 0] - before[l, 0], marks[l, 1] - before[l, 1], marks[l, 2] - before[l, 2]
        cost += 0.5 * w * (r0 * r0 + r1 * r1 + r2 * r2)
        if not build:
            continue
        for p in range(chain.mark_dofs.shape[1]):
            d = chain.mark_dofs[l, p]
            if d < 0:
                break
            n0, n1, n2 = w * jac[l, 0, d], w * jac[l, 1, d], w * jac[l, 2, d]
            b0, b1, b2 = w * jac_b[l, 0, d], w * jac_b[l, 1, d], w * jac_b[l, 2, d]
            grad[d] += n0 * r0 + n1 * r1 + n2 * r2
            grad_b[d] -= b0 * r0 + b1 * r1 + b2 * r2
            for k in range(chain.mark_dofs.shape[1]):
                e = chain.mark_dofs[l, k]
                if e < 0:
                    break
                hess[d, e] += n0 * jac[l, 0, e] + n1 * jac[l, 1, e] + n2 * jac[l, 2, e]
                hess_b[d, e] += b0 * jac_b[l, 0, e] + b1 * jac_b[l, 1, e] + b2 * jac_b[l, 2, e]
                cross[d, e] -= b0 * jac[l, 0, e] + b1 * jac[l, 1, e] + b2 * jac[l, 2, e]
    return cost


@njit(cache=True, error_model="numpy", nogil=True)
def _floor_terms(chain, clip, t, marks, jac, hess, grad, build):
    """Add the heights of what rests on the floor in frame t to hess (D, D), grad (D,); returns their cost."""
    cost = 0.0
    n = clip.floor_up
    for i in range(clip.contact_mark.shape[0]):
        w = clip.floor_info[t, i]
        if w == 0.0:
            continue
        l = clip.contact_mark[i]
        r = n[0] * marks[l, 0] + n[1] * marks[l, 1] + n[2] * marks[l, 2] - clip.floor_height[t, i]
        cost += 0.5 * w * r * r
        if not build:
            continue
        for p in range(chain.mark_dofs.shape[1]):
            d = chain.mark_dofs[l, p]
            if d < 0:
                break
            up = w * (n[0] * jac[l, 0, d] + n[1] * jac[l, 1, d] + n[2] * jac[l, 2, d])
            grad[d] += up * r
            for k in range(chain.mark_dofs.shape[1]):
                e = chain.mark_dofs[l, k]
                if e < 0:
                    break
                hess[d, e] += up * (n[0] * jac[l, 0, e] + n[1] * jac[l, 1, e] + n[2] * jac[l, 2, e])
    return cost


@njit(cache=True, error_model="numpy", nogil=True)
def normal_equations(chain, clip, prior, root, balls, angles, a0, a1, a2, grad, build):
    """Gauss–Newton blocks a0, a1, a2 (T, D, D), gradient grad (T, D) and cost at root (T, 3) m, balls, angles.

    Blocks as in `imusim._kernels.solve`; everything in camera axes. With `build` False only the cost is right; the
    arrays are scratch.
    """
    count, n_dofs = grad.shape
    n_joints, n_marks = chain.parent.shape[0], chain.mark_joint.shape[0]
    if build:
        a0[:] = 0.0
        a1[:] = 0.0
        a2[:] = 0.0
        grad[:] = 0.0
    rot = np.zeros((n_joints, 3, 3))
    pos = np.zeros((n_joints, 3))
    axes = np.zeros((n_joints, 2, 3))
    marks = np.zeros((2, n_marks, 3))
    jac = np.zeros((2, n_marks, 3, n_dofs))
    ray = np.zeros((2, n_marks, 5))
    off = np.zeros((2, n_marks, 3))
    slope = np.zeros((2, 3, n_dofs))
    work = np.zeros((3, 3, n_dofs))
    cost = 0.0
    for t in range(count):
        i, j = t % 2, (t + 1) % 2
        pose_joints(chain, root[t], balls[t], angles[t], rot, pos, axes)
        place_landmarks(chain, rot, pos, marks[i])
        if build:
            landmark_jacobian(chain, rot, pos, axes, jac[i])
        project(clip, t, marks[i], ray[i])
        centre_metric(chain, clip, t, marks[i], jac[i], off[i], slope[i], build)
        cost += same_frame(chain, clip, t, jac[i], ray[i], off[i], slope[i], a0[t], grad[t], work[0], build)
        cost += _floor_terms(chain, clip, t, marks[i], jac[i], a0[t], grad[t], build)
        cost += _pose_terms(prior, balls[t], angles[t], a0[t], grad[t])
        if t > 0:
            cost += next_frame(
                chain, clip, t, jac[i], jac[j], ray[i], ray[j], off[i], off[j], slope[i], slope[j],
                a1[t - 1], grad[t], grad[t - 1], work[0], work[1], work[2], build,
            )  # fmt: skip
            cost += _contact_terms(
                chain, clip, t, marks[i], marks[j], jac[i], jac[j],
                a0[t - 1], a1[t - 1], a0[t], grad[t - 1], grad[t], build,
            )  # fmt: skip
    return cost + time_terms(clip.time, prior, root, balls, angles, a0, a1, a2, grad)
