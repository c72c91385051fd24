"""Fisher scoring for variances that add up: the inner loop of the Whittle likelihood (`imusim.allan.likelihood`)."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, error_model="numpy", nogil=True)
def deviance(powers, count, weights, floor, theta):
    """Return Σ count (ln μ + power/μ), μ = Σ theta_i weights_i + floor; powers, count (m,), weights (p, m), theta (p,)."""
    total = 0.0
    for b in range(powers.size):
        mean = floor
        for i in range(theta.size):
            mean += theta[i] * weights[i, b]
        if not mean > 0.0:
            return np.inf
        total += count[b] * (np.log(mean) + powers[b] / mean)
    return total


@njit(cache=True, error_model="numpy", nogil=True)
def descend(powers, count, weights, floor, theta, free, iterations, tolerance):
    """Lower the deviance over the logarithms of the free, positive theta; change theta (p,) in place, return the deviance.

    Fisher scoring with Levenberg's damping; a step changes no logarithm by more than 3. free (p,) bool.
    """
    p = theta.size
    moving = np.empty(p, np.int64)
    q = 0
    for i in range(p):
        if free[i] and theta[i] > 0.0:
            moving[q] = i
            q += 1
    value = deviance(powers, count, weights, floor, theta)
    if q == 0:
        return value
    damping = 1e-3
    gradient = np.empty(q)
    curvature = np.empty((q, q))
    system = np.empty((q, q))
    share = np.empty(q)
    tried = theta.copy()
    for _ in range(iterations):
        gradient[:] = 0.0
        curvature[:] = 0.0
        for b in range(powers.size):
            mean = floor
            for i in range(p):
                mean += theta[i] * weights[i, b]
            slope = count[b] * (1.0 - powers[b] / mean)
            for i in range(q):
                share[i] = weights[moving[i], b] * theta[moving[i]] / mean
                gradient[i] += share[i] * slope
                for j in range(i + 1):
                    curvature[i, j] += count[b] * share[i] * share[j]
        improved = False
        new = value
        while damping < 1e9:
            for i in range(q):
                for j in range(q):
                    system[i, j] = curvature[i, j] if j <= i else curvature[j, i]
                system[i, i] += damping * curvature[i, i] + 1e-12 * powers.size
            step = np.linalg.solve(system, gradient)
            longest = np.abs(step).max()
            scale = 3.0 / longest if longest > 3.0 else 1.0
            for i in range(q):
                tried[moving[i]] = theta[moving[i]] * np.exp(-scale * step[i])
            new = deviance(powers, count, weights, floor, tried)
            if new <= value:
                improved = True
                break
            damping *= 8.0
        if not improved:
            break
        gain = value - new
        value = new
        theta[:] = tried
        damping = max(damping / 8.0, 1e-9)
        if gain < tolerance:
            break
    return value
