"""Noise that is correlated in time: autocovariances with gaps, and the autoregression that they make likeliest."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from scipy.linalg import solve_toeplitz, toeplitz

from imusim.types import Floats

_ORDERS = (0, 1, 2, 3, 4, 6, 8, 12, 16, 24)


def stretches(time_s: Floats) -> list[slice]:
    """Runs of samples without a gap."""
    if time_s.size < 2:
        return [slice(0, time_s.size)]
    steps = np.diff(time_s)
    cuts = np.flatnonzero(steps > 1.8 * np.median(steps)) + 1
    bounds = np.concatenate([[0], cuts, [time_s.size]])
    return [slice(int(a), int(b)) for a, b in pairwise(bounds)]


def autocovariance(parts: Sequence[Floats], known: Sequence[np.ndarray]) -> Floats:
    """Autocovariance at lags 0 … L of several stretches, zeros where unknown: (L + 1,), tapered by its pair counts."""
    total = sum(p.size for p in parts)
    most = int(min(_ORDERS[-1], max(1, total // 12), max(p.size for p in parts) - 1))
    sums = np.zeros(most + 1)
    counts = np.zeros(most + 1)
    for x, k in zip(parts, known, strict=True):
        for lag in range(min(most, x.size - 1) + 1):
            sums[lag] += x[lag:] @ x[: x.size - lag]
            counts[lag] += np.count_nonzero(k[lag:] & k[: k.size - lag])
    return sums / np.maximum(counts[0], 1.0)


def autoregression(lags: Floats, n: int) -> tuple[Floats, float]:
    """Coefficients (p,) and innovation variance of the autoregression that Akaike's criterion likes best."""
    best = (np.inf, np.zeros(0), max(float(lags[0]), 1e-30))
    for order in _ORDERS:
        if order >= lags.size:
            break
        if order == 0:
            shape, variance = np.zeros(0), float(lags[0])
        else:
            column = lags[:order] * (1.0 + 1e-9 * (np.arange(order) == 0))
            try:
                shape = np.asarray(solve_toeplitz(column, lags[1 : order + 1]), dtype=np.float64)
            except np.linalg.LinAlgError:  # no such process: nothing was read, or the lags are of no spectrum
                break
            variance = float(lags[0] - shape @ lags[1 : order + 1])
        variance = max(variance, 1e-12 * float(lags[0]), 1e-30)
        score = n * np.log(variance) + 2.0 * order
        if score < best[0]:
            best = (score, shape, variance)
    return best[1], best[2]


def shape_covariance(lags: Floats, shape: Floats, variance: float, n: int) -> Floats:
    """Covariance (p, p) of the coefficients that `autoregression` found in n samples: σ²/n Γ⁻¹ (Mann and Wald)."""
    if shape.size == 0:
        return np.zeros((0, 0))
    gamma = toeplitz(lags[: shape.size]) + 1e-9 * float(lags[0]) * np.eye(shape.size)
    return np.asarray(variance / n * np.linalg.inv(gamma), dtype=np.float64)
