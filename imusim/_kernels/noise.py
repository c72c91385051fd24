"""Recursions of slow noise processes; the normal numbers come in, so nothing here is random."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, error_model="numpy", nogil=True)
def add_gauss_markov(normals: np.ndarray, phi: float, sigma: np.ndarray, step: int, out: np.ndarray) -> int:
    """Normals (M, C), sigma (C,), out (T, C) += a stationary first-order Gauss–Markov process; M ≥ 2 + (T−1)//step.

    The process is ``x₀ = σ n₀, xₖ₊₁ = φ xₖ + σ √(1−φ²) nₖ₊₁`` at every `step`-th sample and linear between.
    Returns 0, or 1 if there are too few normals (`out` is then untouched).
    """
    samples, channels = out.shape
    if samples == 0:
        return 0
    if normals.shape[0] < 2 + (samples - 1) // step:
        return 1
    kick = np.sqrt(1.0 - phi * phi)
    for c in range(channels):
        x = sigma[c] * normals[0, c]
        k = 0
        i = 0
        while i < samples:
            k += 1
            following = phi * x + sigma[c] * kick * normals[k, c]
            slope = (following - x) / step
            for j in range(min(step, samples - i)):
                out[i + j, c] += x + j * slope
            x = following
            i += step
    return 0


@njit(cache=True, error_model="numpy", nogil=True)
def add_random_walk(normals: np.ndarray, scale: np.ndarray, out: np.ndarray) -> int:
    """Normals (T−1, C), scale (C,), out (T, C) += a random walk that starts at 0 with steps ``scale · n``.

    Returns 0, or 1 if there are too few normals (`out` is then untouched).
    """
    samples, channels = out.shape
    if normals.shape[0] < samples - 1:
        return 1
    for c in range(channels):
        b = 0.0
        for i in range(1, samples):
            b += scale[c] * normals[i - 1, c]
            out[i, c] += b
    return 0
