"""Normal equations of the fit of a whole clip, with analytic Jacobians, block-pentadiagonal in time.

The cost is ½ Σ of squared, information-weighted residuals: 3D landmarks up to a free shift per frame (they are
hip-centred), 2D landmarks through a pinhole, points that rest and the floor they rest on, priors and limits on the
pose, and second (first) differences in time. Landmarks and contacts enter through the Cauchy loss
½ c² n log(1 + m²/(c² n)), m² the squared Mahalanobis norm of an n-vector, as iteratively reweighted
least squares: the gradient is exact, the Hessian is Gauss–Newton's.
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
from imusim._kernels.fit_time import time_terms
from imusim._kernels.rotation import from_matrix, jacobian, log


class Clip(NamedTuple):
    """What was seen in T frames: L landmarks, C contact points, a pinhole camera."""

    time: NDArray[np.float64]  # (T,) s
    marks3: NDArray[np.float64]  # (T, L, 3) m, camera axes, true scale, any origin
    info3: NDArray[np.float64]  # (T, L, 3) 1/m², 0: not seen
    marks2: NDArray[np.float64]  # (T, L, 2) px
    info2: NDArray[np.float64]  # (T, L) 1/px²
    contact_mark: NDArray[np.int64]  # (C,) landmark of each contact point
    contact_info: NDArray[np.float64]  # (T, C) 1/m², of the displacement since the frame before
    floor_up: NDArray[np.float64]  # (3,) unit, normal of the floor, camera axes
    floor_height: NDArray[np.float64]  # (C,) m, of each contact point along floor_up when it rests
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
def _cauchy(m2, c2n):
    """Weight and ρ of the Cauchy loss for a squared norm m2, scale² × dimension c2n."""
    ratio = m2 / c2n
    return 1.0 / (1.0 + ratio), 0.5 * c2n * np.log1p(ratio)


@njit(cache=True, error_model="numpy", nogil=True)
def _landmark_terms(chain, clip, t, marks, jac, c2, hess, grad, rows, weighted):
    """Add the landmark terms of frame t to hess (D, D), grad (D,); returns their cost.

    marks (L, 3) and jac (L, 3, D) are the prediction; rows (3, D) and weighted (3, D) are work space.
    """
    n_marks, n_dofs = marks.shape[0], grad.shape[0]
    shift = np.zeros(3)
    total = np.zeros(3)
    weight3 = np.ones(n_marks)
    for _ in range(3):  # the shift that minimises the robust cost, by reweighting
        for a in range(3):
            shift[a] = 0.0
            total[a] = 0.0
        for l in range(n_marks):
            for a in range(3):
                w = weight3[l] * clip.info3[t, l, a]
                total[a] += w
                shift[a] += w * (marks[l, a] - clip.marks3[t, l, a])
        for a in range(3):
            shift[a] = shift[a] / total[a] if total[a] > 0.0 else 0.0
        for l in range(n_marks):
            m2 = 0.0
            for a in range(3):
                r = marks[l, a] - clip.marks3[t, l, a] - shift[a]
                m2 += clip.info3[t, l, a] * r * r
            weight3[l], _ = _cauchy(m2, 3.0 * c2)
    cost = 0.0
    for a in range(3):
        total[a] = 0.0
        for d in range(n_dofs):
            rows[a, d] = 0.0
    m = np.zeros((3, 3))
    v = np.zeros(3)
    for l in range(n_marks):
        m2 = 0.0
        for a in range(3):
            r = marks[l, a] - clip.marks3[t, l, a] - shift[a]
            m2 += clip.info3[t, l, a] * r * r
        w3, rho = _cauchy(m2, 3.0 * c2)
        cost += rho
        for a in range(3):
            for b in range(3):
                m[a, b] = 0.0
            info = w3 * clip.info3[t, l, a]
            m[a, a] = info
            v[a] = info * (marks[l, a] - clip.marks3[t, l, a] - shift[a])
            total[a] += info
        seen = m[0, 0] > 0.0
        z = marks[l, 2]
        if clip.info2[t, l] > 0.0 and z > 0.1:
            k = clip.focal / z
            px, py = -k * marks[l, 0] / z, -k * marks[l, 1] / z
            ru = k * marks[l, 0] + clip.centre[0] - clip.marks2[t, l, 0]
            rv = k * marks[l, 1] + clip.centre[1] - clip.marks2[t, l, 1]
            w2, rho = _cauchy(clip.info2[t, l] * (ru * ru + rv * rv), 2.0 * c2)
            cost += rho
            info = w2 * clip.info2[t, l]
            m[0, 0] += info * k * k
            m[1, 1] += info * k * k
            m[0, 2] += info * k * px
            m[2, 0] += info * k * px
            m[1, 2] += info * k * py
            m[2, 1] += info * k * py
            m[2, 2] += info * (px * px + py * py)
            v[0] += info * k * ru
            v[1] += info * k * rv
            v[2] += info * (px * ru + py * rv)
            seen = True
        if not seen:
            continue
        for i in range(chain.mark_dofs.shape[1]):
            d = chain.mark_dofs[l, i]
            if d < 0:
                break
            j0, j1, j2 = jac[l, 0, d], jac[l, 1, d], jac[l, 2, d]
            grad[d] += j0 * v[0] + j1 * v[1] + j2 * v[2]
            for a in range(3):
                weighted[a, d] = m[a, 0] * j0 + m[a, 1] * j1 + m[a, 2] * j2
                rows[a, d] += w3 * clip.info3[t, l, a] * jac[l, a, d]
            for k in range(i + 1):
                e = chain.mark_dofs[l, k]
                hess[d, e] += j0 * weighted[0, e] + j1 * weighted[1, e] + j2 * weighted[2, e]
    for a in range(3):  # the free shift takes its share of the information
        if total[a] > 0.0:
            for d in range(n_dofs):
                w = rows[a, d] / total[a]
                if w != 0.0:
                    for e in range(d + 1):
                        hess[d, e] -= w * rows[a, e]
    for d in range(n_dofs):
        for e in range(d):
            hess[e, d] = hess[d, e]
    return cost


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
def _contact_terms(
    chain, clip, t, marks, before, jac, jac_before, c2, h_before, h_cross, h_now, g_before, g_now
):
    """Add feet that stay where they were between frames t−1 and t: blocks (D, D) of (t−1, t−1), (t−1, t), (t, t)."""
    cost = 0.0
    for i in range(clip.contact_mark.shape[0]):
        info = clip.contact_info[t, i]
        if info == 0.0:
            continue
        l = clip.contact_mark[i]
        r0, r1, r2 = marks[l, 0] - before[l, 0], marks[l, 1] - before[l, 1], marks[l, 2] - before[l, 2]
        w, rho = _cauchy(info * (r0 * r0 + r1 * r1 + r2 * r2), 3.0 * c2)
        cost += rho
        w *= info
        for p in range(chain.mark_dofs.shape[1]):
            d = chain.mark_dofs[l, p]
            if d < 0:
                break
            n0, n1, n2 = w * jac[l, 0, d], w * jac[l, 1, d], w * jac[l, 2, d]
            b0, b1, b2 = w * jac_before[l, 0, d], w * jac_before[l, 1, d], w * jac_before[l, 2, d]
            g_now[d] += n0 * r0 + n1 * r1 + n2 * r2
            g_before[d] -= b0 * r0 + b1 * r1 + b2 * r2
            for k in range(chain.mark_dofs.shape[1]):
                e = chain.mark_dofs[l, k]
                if e < 0:
                    break
                h_now[d, e] += n0 * jac[l, 0, e] + n1 * jac[l, 1, e] + n2 * jac[l, 2, e]
                h_before[d, e] += (
                    b0 * jac_before[l, 0, e] + b1 * jac_before[l, 1, e] + b2 * jac_before[l, 2, e]
                )
                h_cross[d, e] -= b0 * jac[l, 0, e] + b1 * jac[l, 1, e] + b2 * jac[l, 2, e]
    return cost


@njit(cache=True, error_model="numpy", nogil=True)
def _floor_terms(chain, clip, t, marks, jac, c2, hess, grad):
    """Add the heights of what rests on the floor in frame t to hess (D, D), grad (D,); returns their cost."""
    cost = 0.0
    n = clip.floor_up
    for i in range(clip.contact_mark.shape[0]):
        info = clip.floor_info[t, i]
        if info == 0.0:
            continue
        l = clip.contact_mark[i]
        r = n[0] * marks[l, 0] + n[1] * marks[l, 1] + n[2] * marks[l, 2] - clip.floor_height[i]
        w, rho = _cauchy(info * r * r, c2)
        cost += rho
        w *= info
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
def normal_equations(chain, clip, prior, c, root, balls, angles, a0, a1, a2, grad):
    """Gauss–Newton blocks a0, a1, a2 (T, D, D), gradient grad (T, D) and cost at root (T, 3) m, balls, angles.

    c is the scale of the Cauchy loss in standard deviations (large: least squares). Blocks as in
    `imusim._kernels.solve`; everything in camera axes.
    """
    count, n_dofs = grad.shape
    n_joints, n_marks = chain.parent.shape[0], chain.mark_joint.shape[0]
    a0[:] = 0.0
    a1[:] = 0.0
    a2[:] = 0.0
    grad[:] = 0.0
    rot = np.zeros((n_joints, 3, 3))
    pos = np.zeros((n_joints, 3))
    axes = np.zeros((n_joints, 2, 3))
    marks = np.zeros((2, n_marks, 3))
    jac = np.zeros((2, n_marks, 3, n_dofs))
    rows = np.zeros((3, n_dofs))
    weighted = np.zeros((3, n_dofs))
    c2 = c * c
    cost = 0.0
    for t in range(count):
        now, before = t % 2, (t + 1) % 2
        pose_joints(chain, root[t], balls[t], angles[t], rot, pos, axes)
        place_landmarks(chain, rot, pos, marks[now])
        landmark_jacobian(chain, rot, pos, axes, jac[now])
        cost += _landmark_terms(chain, clip, t, marks[now], jac[now], c2, a0[t], grad[t], rows, weighted)
        cost += _floor_terms(chain, clip, t, marks[now], jac[now], c2, a0[t], grad[t])
        cost += _pose_terms(prior, balls[t], angles[t], a0[t], grad[t])
        if t > 0:
            cost += _contact_terms(
                chain, clip, t, marks[now], marks[before], jac[now], jac[before], c2,
                a0[t - 1], a1[t - 1], a0[t], grad[t - 1], grad[t],
            )  # fmt: skip
    return cost + time_terms(clip.time, prior, root, balls, angles, a0, a1, a2, grad)
