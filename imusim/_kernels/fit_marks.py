"""Landmark terms of the fit's normal equations: coloured noise, so that neighbouring frames hang together.

With u the residual of a landmark over its standard deviation and a first-order autoregressive noise of correlation φ from
frame to frame, the cost is ½ Σ (u_t − φ_t u_{t−1})²/(1 − φ_t²). Multiplied out it is ½ Σ q_t r_t² + Σ p_t r_{t−1} r_t with
the coefficients that `imusim.fitting.noise` gives. Metric landmarks have any origin: their q-weighted mean
residual is taken out of every frame, exactly, in residuals and Jacobians.
"""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, error_model="numpy", nogil=True)
def project(clip, t, marks, ray):
    """ray (L, 5) ← image residual u, v (px) and its derivatives k = f/z, ∂u/∂z, ∂v/∂z of marks (L, 3); 0 if too near."""
    for l in range(marks.shape[0]):
        z = marks[l, 2]
        if z > 0.1:
            k = clip.focal / z
            ray[l, 0] = k * marks[l, 0] + clip.centre[0] - clip.marks2[t, l, 0]
            ray[l, 1] = k * marks[l, 1] + clip.centre[1] - clip.marks2[t, l, 1]
            ray[l, 2] = k
            ray[l, 3] = -k * marks[l, 0] / z
            ray[l, 4] = -k * marks[l, 1] / z
        else:
            for a in range(5):
                ray[l, a] = 0.0


@njit(cache=True, error_model="numpy", nogil=True)
def centre_metric(chain, clip, t, marks, jac, off, slope, build):
    """off (L, 3) ← metric residuals of frame t less their mean; slope (3, D) ← the mean's derivative (if `build`)."""
    for a in range(3):
        total = 0.0
        mean = 0.0
        for l in range(marks.shape[0]):
            q = clip.q3[t, l, a]
            off[l, a] = marks[l, a] - clip.marks3[t, l, a]
            total += q
            mean += q * off[l, a]
        scale = 1.0 / total if total > 0.0 else 0.0
        for l in range(marks.shape[0]):
            off[l, a] -= mean * scale
        if build:
            for d in range(slope.shape[1]):
                slope[a, d] = 0.0
            for l in range(marks.shape[0]):
                q = clip.q3[t, l, a] * scale
                for i in range(chain.mark_dofs.shape[1]):
                    d = chain.mark_dofs[l, i]
                    if d < 0:
                        break
                    slope[a, d] += q * jac[l, a, d]


@njit(cache=True, error_model="numpy", nogil=True)
def same_frame(chain, clip, t, jac, ray, off, slope, hess, grad, weighted, build):
    """Add ½ Σ q r² of frame t to hess (D, D) and grad (D,); returns it. weighted (3, D) is work space."""
    n_marks, n_dofs = off.shape[0], grad.shape[0]
    cost = 0.0
    m = np.zeros((3, 3))
    v = np.zeros(3)
    for l in range(n_marks):
        q2 = clip.q2[t, l]
        u, w, k, p, r = ray[l, 0], ray[l, 1], ray[l, 2], ray[l, 3], ray[l, 4]
        cost += 0.5 * q2 * (u * u + w * w)
        for a in range(3):
            cost += 0.5 * clip.q3[t, l, a] * off[l, a] * off[l, a]
        if not build:
            continue
        for a in range(3):
            m[a, a] = clip.q3[t, l, a]
            v[a] = clip.q3[t, l, a] * off[l, a]
        m[0, 0] += q2 * k * k
        m[1, 1] += q2 * k * k
        m[2, 2] += q2 * (p * p + r * r)
        m[0, 2] = q2 * k * p
        m[1, 2] = q2 * k * r
        v[0] += q2 * k * u
        v[1] += q2 * k * w
        v[2] += q2 * (p * u + r * w)
        if m[0, 0] == 0.0 and m[2, 2] == 0.0:
            continue
        for i in range(chain.mark_dofs.shape[1]):
            d = chain.mark_dofs[l, i]
            if d < 0:
                break
            j0, j1, j2 = jac[l, 0, d], jac[l, 1, d], jac[l, 2, d]
            grad[d] += j0 * v[0] + j1 * v[1] + j2 * v[2]
            weighted[0, d] = m[0, 0] * j0 + m[0, 2] * j2
            weighted[1, d] = m[1, 1] * j1 + m[1, 2] * j2
            weighted[2, d] = m[0, 2] * j0 + m[1, 2] * j1 + m[2, 2] * j2
            for n in range(i + 1):
                e = chain.mark_dofs[l, n]
                hess[d, e] += j0 * weighted[0, e] + j1 * weighted[1, e] + j2 * weighted[2, e]
    if build:
        for a in range(3):  # the free mean takes its share of the information
            total = 0.0
            for l in range(n_marks):
                total += clip.q3[t, l, a]
            for d in range(n_dofs):
                s = total * slope[a, d]
                if s != 0.0:
                    for e in range(d + 1):
                        hess[d, e] -= s * slope[a, e]
        for d in range(n_dofs):
            for e in range(d):
                hess[e, d] = hess[d, e]
    return cost


@njit(cache=True, error_model="numpy", nogil=True)
def next_frame(
    chain,
    clip,
    t,
    jac,
    jac_b,
    ray,
    ray_b,
    off,
    off_b,
    slope,
    slope_b,
    cross,
    grad,
    grad_b,
    rows,
    rows_b,
    work,
    build,
):
    """Add Σ p r_{t−1} r_t to the block cross (D, D) of (t−1, t) and both gradients; returns it. `_b`: of frame t − 1.

    rows, rows_b, work (3, D) are work space.
    """
    n_marks, n_dofs = off.shape[0], grad.shape[0]
    cost = 0.0
    m = np.zeros((3, 3))
    v = np.zeros(3)
    v_b = np.zeros(3)
    total = np.zeros(3)
    lean = np.zeros(3)
    lean_b = np.zeros(3)
    for a in range(3):
        for d in range(n_dofs):
            rows[a, d] = 0.0
            rows_b[a, d] = 0.0
    for l in range(n_marks):
        p2 = clip.p2[t, l]
        p3 = clip.p3[t, l]
        if p2 == 0.0 and p3[0] == 0.0 and p3[2] == 0.0:
            continue
        u, w, k, p, r = ray[l, 0], ray[l, 1], ray[l, 2], ray[l, 3], ray[l, 4]
        u_b, w_b, k_b, p_b, r_b = ray_b[l, 0], ray_b[l, 1], ray_b[l, 2], ray_b[l, 3], ray_b[l, 4]
        cost += p2 * (u * u_b + w * w_b)
        for a in range(3):
            cost += p3[a] * off[l, a] * off_b[l, a]
        if not build:
            continue
        for a in range(3):
            v[a] = p3[a] * off_b[l, a]
            v_b[a] = p3[a] * off[l, a]
            total[a] += p3[a]
            lean[a] += v[a]
            lean_b[a] += v_b[a]
        v[0] += p2 * k * u_b
        v[1] += p2 * k * w_b
        v[2] += p2 * (p * u_b + r * w_b)
        v_b[0] += p2 * k_b * u
        v_b[1] += p2 * k_b * w
        v_b[2] += p2 * (p_b * u + r_b * w)
        m[0, 0] = p3[0] + p2 * k_b * k
        m[1, 1] = p3[1] + p2 * k_b * k
        m[2, 2] = p3[2] + p2 * (p_b * p + r_b * r)
        m[0, 2] = p2 * k_b * p
        m[1, 2] = p2 * k_b * r
        m[2, 0] = p2 * p_b * k
        m[2, 1] = p2 * r_b * k
        size = 0
        for i in range(chain.mark_dofs.shape[1]):
            d = chain.mark_dofs[l, i]
            if d < 0:
                break
            size += 1
            j0, j1, j2 = jac[l, 0, d], jac[l, 1, d], jac[l, 2, d]
            grad[d] += j0 * v[0] + j1 * v[1] + j2 * v[2]
            grad_b[d] += jac_b[l, 0, d] * v_b[0] + jac_b[l, 1, d] * v_b[1] + jac_b[l, 2, d] * v_b[2]
            work[0, i] = m[0, 0] * j0 + m[0, 2] * j2
            work[1, i] = m[1, 1] * j1 + m[1, 2] * j2
            work[2, i] = m[2, 0] * j0 + m[2, 1] * j1 + m[2, 2] * j2
            for a in range(3):
                rows[a, d] += p3[a] * jac[l, a, d]
                rows_b[a, d] += p3[a] * jac_b[l, a, d]
        for i in range(size):
            d = chain.mark_dofs[l, i]
            b0, b1, b2 = jac_b[l, 0, d], jac_b[l, 1, d], jac_b[l, 2, d]
            for n in range(size):
                cross[d, chain.mark_dofs[l, n]] += b0 * work[0, n] + b1 * work[1, n] + b2 * work[2, n]
    if build:
        for a in range(3):
            for d in range(n_dofs):
                grad[d] -= slope[a, d] * lean[a]
                grad_b[d] -= slope_b[a, d] * lean_b[a]
                s, w = slope_b[a, d], rows_b[a, d] - total[a] * slope_b[a, d]
                if s != 0.0 or w != 0.0:
                    for e in range(n_dofs):
                        cross[d, e] -= w * slope[a, e] + s * rows[a, e]
    return cost
