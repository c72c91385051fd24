"""The Allan deviation that coefficients stand for, and how long a recording must be to show them."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from imusim.allan.likelihood import CHI2_95, Problem, maximise
from imusim.allan.spectrum import bins_of
from imusim.types import Floats

_LONGEST_S = 30 * 86_400.0
_POWER_80 = 2.0  # (1.96 + 0.84)² / 1.96²: then four recordings of five exclude 0


def model_deviation(
    tau_s: ArrayLike, N: float, B: float, K: float, flicker_taus_s: tuple[float, ...]
) -> tuple[Floats, Floats, Floats]:
    """Return the Allan deviations of N, B and K, each (A,) in the unit of B; their squares add up.

    ``N/√τ``, ``K √(τ/3)``, and for each Gauss–Markov process of the flicker noise, x = τ/τ_c:
    ``σ² (2/x) (1 − (3 − 4 e⁻ˣ + e⁻²ˣ)/(2x))`` (IEEE Std 952-1997, annex C.1.3).

    Parameters
    ----------
    tau_s : (A,) · s
    N, B, K : coefficients · u/√Hz, u, u/√s
    flicker_taus_s : correlation times of the processes · s (`Coefficients.flicker_taus_s`)
    """
    tau = np.atleast_1d(np.asarray(tau_s, dtype=np.float64))
    variance = B * B * math.log(flicker_taus_s[1] / flicker_taus_s[0]) / math.pi
    flicker = np.zeros_like(tau)
    for correlation in flicker_taus_s:
        x = tau / correlation
        e = -np.expm1(-x)  # 3 − 4 e⁻ˣ + e⁻²ˣ = 2e + e² with e = 1 − e⁻ˣ
        exact = 2.0 / x * (1.0 - (2.0 * e + e * e) / (2.0 * x))
        flicker += variance * np.where(x < 1e-3, 2.0 * x / 3.0, exact)
    return N / np.sqrt(tau), np.sqrt(flicker), K * np.sqrt(tau / 3.0)


def needed_duration_s(
    which: str, N: float, B: float, K: float, flicker_taus_s: tuple[float, ...], rate_hz: float, from_s: float
) -> float:
    """Return how long a recording must be to tell B or K from 0 four times of five · s; inf if longer than 30 days.

    Parameters
    ----------
    which : "B" or "K"
    N, B, K : the coefficients, the one asked for not 0
    flicker_taus_s : as in `Coefficients`
    rate_hz : sampling rate; a tenth of it and 2 Hz do for this · Hz
    from_s : shortest duration to consider · s
    """
    theta = np.array([N * N, B * B, K * K])
    at = {"B": 1, "K": 2}[which]
    if theta[at] == 0 or theta[0] == 0:
        return math.inf
    rate = min(rate_hz, 2.0)
    duration = from_s
    while duration <= _LONGEST_S:
        bins = bins_of(max(64, round(duration * rate)), rate, flicker_taus_s, rate / 2)
        expected = theta @ bins.expected
        whole = Problem(expected, bins.count, bins.expected)
        without = Problem(expected, bins.count, np.ascontiguousarray(np.delete(bins.expected, at, axis=0)))
        if maximise(without)[0] - whole.deviance(theta) > _POWER_80 * CHI2_95:
            return duration
        duration *= 1.25
    return math.inf
