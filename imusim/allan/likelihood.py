"""Maximum likelihood of a few variances that add up, and intervals from its profile.

Powers P_b with m_b degrees of freedom have the mean ``μ_b = Σ_i θ_i w_ib + floor_b``; up to a constant twice the log
likelihood is ``−Σ m (ln μ + P/μ)`` (Whittle). Parameters are fitted as logarithms, and their absence is tried, too.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imusim._kernels.variances import descend, deviance
from imusim.types import Floats

CHI2_95 = 3.841458820694124
"""95 % quantile of χ² with one degree of freedom."""

_ITERATIONS = 80
_TOLERANCE = 1e-7


@dataclass(frozen=True)
class Problem:
    """Powers and what each variance adds to them.

    Parameters
    ----------
    powers : (m,), measured
    count : (m,), degrees of freedom of each
    weights : (p, m), expected power per unit variance
    floor : known power that is there in any case
    """

    powers: Floats
    count: Floats
    weights: Floats
    floor: float = 0.0

    def deviance(self, theta: Floats) -> float:
        """Return −2 ln likelihood, up to a constant, of variances theta (p,)."""
        return float(deviance(self.powers, self.count, self.weights, self.floor, theta))

    def information(self, theta: Floats) -> Floats:
        """Return the expected (Fisher) information on theta, (p, p)."""
        mean = theta @ self.weights + self.floor
        return 0.5 * (self.weights * (self.count / mean**2)) @ self.weights.T

    def scales(self) -> Floats:
        """Return the variances with which each noise alone would explain half of the power, (p,)."""
        return np.array([0.5 * np.median(self.powers / w) for w in self.weights])


def _descend(problem: Problem, theta: Floats, free: NDArray[np.bool_]) -> tuple[float, Floats]:
    """Fisher scoring on ln theta of the free parameters (bool (p,)); zeros stay zero."""
    theta = theta.copy()
    args = (problem.powers, problem.count, problem.weights, problem.floor)
    return float(descend(*args, theta, free, _ITERATIONS, _TOLERANCE)), theta


def maximise(problem: Problem) -> tuple[float, Floats]:
    """Return the least deviance and the variances there, (p,); variances may be 0."""
    scales = problem.scales()
    everything = np.ones(scales.size, dtype=bool)
    best = (np.inf, scales)
    for present in itertools.product((True, False), repeat=scales.size - 1):
        used = np.array([True, *present])
        for strength in (1.0, 0.03):
            start = np.where(used, scales, 0.0)
            start[1:] *= strength
            found = _descend(problem, start, everything)
            if found[0] < best[0] - 1e-9:
                best = found
    value, theta = best
    for i in range(1, scales.size):  # a logarithm never gets to 0
        without = theta.copy()
        without[i] = 0.0
        if problem.deviance(without) < value + 1e-3:
            theta = without
    return problem.deviance(theta), theta


def interval(problem: Problem, best: tuple[float, Floats], which: int) -> tuple[float, float]:
    """Return the 95 % profile-likelihood interval of one variance; its lower end is 0 where 0 is not excluded."""
    least, theta = best
    free = np.ones(theta.size, dtype=bool)
    free[which] = False
    scales = problem.scales()
    state = {"theta": theta}

    def excess(value: float) -> float:
        """√(deviance above the least) − 1.96, the others being fitted."""
        found = (np.inf, theta)
        warm, reset = state["theta"].copy(), np.where(free, 0.3 * scales, 0.0)
        for start in (warm, reset):
            start[which] = value
            trial = _descend(problem, np.where(free & (start <= 0), 1e-3 * scales, start), free)
            found = trial if trial[0] < found[0] else found
        state["theta"] = found[1]
        return float(np.sqrt(max(found[0] - least, 0.0)) - np.sqrt(CHI2_95))

    step = float(np.sqrt(1.0 / max(problem.information(theta)[which, which], 1e-300)))
    peak = theta[which]
    inside, outside = peak, peak + 2.0 * step
    for _ in range(60):
        if excess(outside) > 0:
            break
        inside, outside = outside, outside + 2.0 * (outside - peak)
    high = _root(excess, inside, outside)
    state["theta"] = theta
    if peak == 0 or excess(0.0) <= 0:
        return 0.0, high
    return _root(excess, peak, 0.0), high


def _root(excess: Callable[[float], float], inside: float, outside: float) -> float:
    """Illinois method between a point inside the interval and one outside."""
    at_inside, at_outside = excess(inside), excess(outside)
    side = 0
    for _ in range(40):
        middle = (inside * at_outside - outside * at_inside) / (at_outside - at_inside)
        value = excess(middle)
        if abs(value) < 2e-3 or abs(outside - inside) < 1e-6 * abs(inside):
            return middle
        if value > 0:
            outside, at_outside = middle, value
            at_inside *= 0.5 if side == 1 else 1.0
            side = 1
        else:
            inside, at_inside = middle, value
            at_outside *= 0.5 if side == -1 else 1.0
            side = -1
    return inside
