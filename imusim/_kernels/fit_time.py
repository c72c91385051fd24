"""How the unknowns of a clip may change in time: squared second (and first) differences, irregular steps.

A scalar's second difference is 2 ((x₂ − x₁)/h₂ − (x₁ − x₀)/h₁)/(h₁ + h₂); a rotation's is the same of
the vectors Log(R_tᵀ R_{t+1}). Weights are inverse spectral densities of white acceleration (velocity), so that the
same prior serves any frame rate. Exact Jacobians: the inverse left and right Jacobians of SO(3).
"""

from __future__ import annotations

import numpy as np
from numba import njit

from imusim._kernels.fit_chain import multiply
from imusim._kernels.rotation import from_matrix, jacobian, log


@njit(cache=True, error_model="numpy", nogil=True)
def _add_block(block, d0, left, right, info):
    """block (D, D)[d0:d0+3, d0:d0+3] += leftᵀ diag(info) right, with left, right (3, 3), info (3,)."""
    for i in range(3):
        for j in range(3):
            total = 0.0
            for a in range(3):
                total += left[a, i] * info[a] * right[a, j]
            block[d0 + i, d0 + j] += total


@njit(cache=True, error_model="numpy", nogil=True)
def _add_vector(grad, d0, left, info, r):
    """grad (D,)[d0:d0+3] += leftᵀ diag(info) r, with left (3, 3), info and r (3,)."""
    for i in range(3):
        for a in range(3):
            grad[d0 + i] += left[a, i] * info[a] * r[a]


@njit(cache=True, error_model="numpy", nogil=True)
def _scalar_differences(prior, h1, h2, x0, x1, x2, d, t, a0, a1, a2, grad):
    """Second difference of one scalar unknown d at frames t, t+1, t+2 (values x0, x1, x2); returns cost."""
    k = 2.0 / (h1 + h2)
    c0, c2 = k / h1, k / h2
    c1 = -c0 - c2
    r = c0 * x0 + c1 * x1 + c2 * x2
    w = prior.acc_info[d] * 0.5 * (h1 + h2)
    a0[t, d, d] += w * c0 * c0
    a0[t + 1, d, d] += w * c1 * c1
    a0[t + 2, d, d] += w * c2 * c2
    a1[t, d, d] += w * c0 * c1
    a1[t + 1, d, d] += w * c1 * c2
    a2[t, d, d] += w * c0 * c2
    grad[t, d] += w * c0 * r
    grad[t + 1, d] += w * c1 * r
    grad[t + 2, d] += w * c2 * r
    return 0.5 * w * r * r


@njit(cache=True, error_model="numpy", nogil=True)
def time_terms(time, prior, root, balls, angles, a0, a1, a2, grad):
    """Add first and second differences in time of all unknowns to the blocks (T, D, D) and grad (T, D); returns cost."""
    count, n_balls, n_angles = root.shape[0], balls.shape[1], angles.shape[1]
    cost = 0.0
    first_angle = 3 + 3 * n_balls
    for t in range(count - 2):
        h1 = time[t + 1] - time[t]
        h2 = time[t + 2] - time[t + 1]
        for a in range(3):
            cost += _scalar_differences(
                prior, h1, h2, root[t, a], root[t + 1, a], root[t + 2, a], a, t, a0, a1, a2, grad
            )
        for k in range(n_angles):
            cost += _scalar_differences(
                prior,
                h1,
                h2,
                angles[t, k],
                angles[t + 1, k],
                angles[t + 2, k],
                first_angle + k,
                t,
                a0,
                a1,
                a2,
                grad,
            )
    for t in range(count - 1):
        h = time[t + 1] - time[t]
        for k in range(n_angles + 3):
            d = k if k < 3 else first_angle + k - 3
            w = prior.vel_info[d] / h
            if w == 0.0:
                continue
            r = root[t + 1, k] - root[t, k] if k < 3 else angles[t + 1, k - 3] - angles[t, k - 3]
            cost += 0.5 * w * r * r
            grad[t, d] -= w * r
            grad[t + 1, d] += w * r
            a0[t, d, d] += w
            a0[t + 1, d, d] += w
            a1[t, d, d] -= w
    step = np.empty((count - 1, 3, 3))
    quats = np.empty((count - 1, 4))
    phi = np.empty((count - 1, 3))  # Log(R_tᵀ R_{t+1})
    back = np.empty((count - 1, 3, 3))  # −d phi / d (earlier rotation)
    ahead = np.empty((count - 1, 3, 3))  # d phi / d (later rotation)
    turned = np.empty((3, 3))
    j0 = np.empty((3, 3))
    j1 = np.empty((3, 3))
    j2 = np.empty((3, 3))
    r3 = np.empty(3)
    info = np.empty(3)
    for k in range(n_balls):
        d0 = 3 + 3 * k
        for t in range(count - 1):
            for a in range(3):
                for b in range(3):
                    turned[a, b] = balls[t, k, b, a]
            multiply(turned, balls[t + 1, k], step[t])
        from_matrix(step, quats)
        log(quats, phi)
        jacobian(phi, -1.0, True, ahead)
        jacobian(phi, 1.0, True, back)
        for t in range(count - 1):
            h2 = time[t + 1] - time[t]
            for a in range(3):
                info[a] = prior.vel_info[d0 + a] / h2
                cost += 0.5 * info[a] * phi[t, a] * phi[t, a]
                for b in range(3):
                    j0[a, b] = -back[t, a, b]
                    j1[a, b] = ahead[t, a, b]
            if info[0] + info[1] + info[2] > 0.0:
                _add_block(a0[t], d0, j0, j0, info)
                _add_block(a0[t + 1], d0, j1, j1, info)
                _add_block(a1[t], d0, j0, j1, info)
                _add_vector(grad[t], d0, j0, info, phi[t])
                _add_vector(grad[t + 1], d0, j1, info, phi[t])
            if t == 0:
                continue
            h1 = time[t] - time[t - 1]
            scale = 2.0 / (h1 + h2)
            for a in range(3):
                r3[a] = scale * (phi[t, a] / h2 - phi[t - 1, a] / h1)
                info[a] = prior.acc_info[d0 + a] * 0.5 * (h1 + h2)
                cost += 0.5 * info[a] * r3[a] * r3[a]
                for b in range(3):
                    j0[a, b] = scale * back[t - 1, a, b] / h1
                    j1[a, b] = -scale * (back[t, a, b] / h2 + ahead[t - 1, a, b] / h1)
                    j2[a, b] = scale * ahead[t, a, b] / h2
            _add_block(a0[t - 1], d0, j0, j0, info)
            _add_block(a0[t], d0, j1, j1, info)
            _add_block(a0[t + 1], d0, j2, j2, info)
            _add_block(a1[t - 1], d0, j0, j1, info)
            _add_block(a1[t], d0, j1, j2, info)
            _add_block(a2[t - 1], d0, j0, j2, info)
            _add_vector(grad[t - 1], d0, j0, info, r3)
            _add_vector(grad[t], d0, j1, info, r3)
            _add_vector(grad[t + 1], d0, j2, info, r3)
    return cost
