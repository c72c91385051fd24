"""N, B and K of a still sensor by maximum likelihood, with 95 % intervals."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from imusim.allan.likelihood import Problem, interval, maximise
from imusim.allan.series import checked_series
from imusim.allan.spectrum import binned_powers, bins_of
from imusim.errors import ConfigError, TimeError
from imusim.sensor import BiasInstability
from imusim.types import Floats

SHORTEST = 256
"""Fewest samples that are fitted."""


@dataclass(frozen=True)
class Estimate:
    """One coefficient of C signals.

    Parameters
    ----------
    value : (C,) or (), most likely value; 0 where the data show no sign of it
    low, high : like value, ends of the 95 % interval; low is 0 where the data do not exclude 0
    """

    value: Floats
    low: Floats
    high: Floats

    @property
    def identified(self) -> np.ndarray:
        """Whether the data exclude 0, (C,) or (); if not, only `high` says something."""
        return np.asarray(self.low > 0)


@dataclass(frozen=True)
class Coefficients:
    """Noise coefficients of C signals in the unit u of the signals (IEEE Std 952-1997, annex C; two-sided densities).

    Parameters
    ----------
    N : angle or velocity random walk · u/√Hz: density N², standard deviation of a sample N √rate
    B : bias instability (flicker) · u: density B²/(2π f), floor of the Allan deviation 0.664 B
    K : rate random walk · u/√s: density K²/(2π f)², Allan deviation K √(τ/3)
    flicker_taus_s : correlation times of the Gauss–Markov processes that stand for the flicker noise · s
    rate_hz : sampling rate · Hz
    samples : length of the recording
    highest_hz : highest frequency that was looked at · Hz
    misfit : (C,) or (), how far the spectrum is from the best N, B, K where it is farthest: standard deviations of
        an octave's mean power; above 5 something else is there (vibration, a filter, temperature)
    misfit_hz : (C,) or (), where that is · Hz
    """

    N: Estimate
    B: Estimate
    K: Estimate
    flicker_taus_s: tuple[float, ...]
    rate_hz: float
    samples: int
    highest_hz: float
    misfit: Floats
    misfit_hz: Floats

    @property
    def duration_s(self) -> float:
        """Length of the recording · s."""
        return self.samples / self.rate_hz


def fit_coefficients(
    x: ArrayLike,
    rate_hz: float,
    *,
    step: float = 0.0,
    flicker_s: tuple[float, float] | None = None,
    highest_hz: float | None = None,
) -> Coefficients:
    """Fit N, B and K to recordings of a still sensor.

    The likelihood is Whittle's, of the powers of the cosine transform (`imusim.allan.spectrum`: no leakage even from a
    random walk), under the sum of three densities; every signal has its own N, B and K. Intervals are profile
    likelihood, so that those of a coefficient that hides behind the others reach 0.

    Parameters
    ----------
    x : (T,) or (T, C), evenly sampled, in any unit; the mean does not matter
    rate_hz : sampling rate · Hz

    Other Parameters
    ----------------
    step : quantisation step · unit of x; its variance step²/12 is taken as known and is not in N
    flicker_s : shortest and longest correlation time of the flicker noise · s. Not given: that of
        `imusim.sensor.BiasInstability` or one without ends (1/f up to the Nyquist frequency), whichever is likelier
    highest_hz : look at frequencies up to this · Hz. Not given: rate/4, or 10 Hz if that is less, because the top of the
        band belongs to the chip's filter

    Raises
    ------
    ShapeError
        If x is not (T,) or (T, C), or holds NaN.
    TimeError
        If there are fewer than 256 samples.
    ConfigError
        If an option is out of range, or a signal does not vary at all.
    """
    series, single = checked_series(x, rate_hz)
    samples = series.shape[0]
    if samples < SHORTEST:
        raise TimeError(f"got {samples} samples, wanted {SHORTEST} or more to fit noise. Record for longer.")
    if (np.ptp(series, axis=0) == 0).any():
        at = int(np.flatnonzero(np.ptp(series, axis=0) == 0)[0])
        raise ConfigError(
            f"signal {at} never changes, so it has no noise to fit. Check that the device was on and not rounding."
        )
    highest = min(rate_hz / 4.0, 10.0) if highest_hz is None else float(highest_hz)
    if not 8 * rate_hz / samples < highest <= rate_hz / 2:
        raise ConfigError(f"highest_hz={highest:g}: wanted at most half of the rate, {rate_hz / 2:g} Hz")
    if not (math.isfinite(step) and step >= 0):
        raise ConfigError(f"step={step!r}: wanted a quantisation step, 0 or more")

    bands = (
        [_taus(flicker_s)]
        if flicker_s is not None
        else [BiasInstability().taus_s(), _endless(samples, rate_hz)]
    )
    fits = [_fit_all(series, rate_hz, tuple(map(float, taus)), highest, step) for taus in bands]
    chosen = int(np.argmin([sum(best[0] for _, best in fit) for fit in fits]))
    fit, taus = fits[chosen], tuple(map(float, bands[chosen]))

    values = np.array([best[1] for _, best in fit])
    ends = np.array([[interval(problem, best, i) for i in range(3)] for problem, best in fit])
    frequency = bins_of(samples, rate_hz, taus, highest).frequency_hz
    misfits = np.array([_misfit(problem, best[1], frequency) for problem, best in fit])

    def shaped(column: Floats) -> Floats:
        return column[0] if single else column

    estimates = [
        Estimate(*(shaped(np.sqrt(v)) for v in (values[:, i], ends[:, i, 0], ends[:, i, 1])))
        for i in range(3)
    ]
    return Coefficients(
        *estimates,
        flicker_taus_s=taus,
        rate_hz=float(rate_hz),
        samples=samples,
        highest_hz=highest,
        misfit=shaped(misfits[:, 0]),
        misfit_hz=shaped(misfits[:, 1]),
    )


def _fit_all(
    series: Floats, rate_hz: float, taus: tuple[float, ...], highest: float, step: float
) -> list[tuple[Problem, tuple[float, Floats]]]:
    bins = bins_of(series.shape[0], rate_hz, taus, highest)
    powers = binned_powers(series, bins)
    floor = step * step / 12.0
    problems = [
        Problem(np.ascontiguousarray(np.maximum(p, 1e-300)), bins.count, bins.expected, floor)
        for p in powers.T
    ]
    return [(problem, maximise(problem)) for problem in problems]


def _taus(band: tuple[float, float]) -> Floats:
    """Correlation times from the shortest to the longest, as densely as the simulator's."""
    low, high = band
    if not 0 < low < high < math.inf:
        raise ConfigError(f"flicker_s={band}: wanted (shortest, longest) correlation time in s")
    return np.geomspace(low, high, max(2, math.ceil(math.log(high / low) / 1.15) + 1))


def _endless(samples: int, rate_hz: float) -> Floats:
    """Correlation times for 1/f over all frequencies that a recording has.

    Those below half a sample are left out: folded at the Nyquist frequency they would add what a chip's filter removes. So
    the density is within 3 % of B²/(2π f) up to a quarter of the rate.
    """
    return _taus((0.5 / rate_hz, 10.0 * samples / rate_hz))


def _misfit(problem: Problem, theta: Floats, frequency: Floats) -> tuple[float, float]:
    """Largest departure of an octave's mean power from the model, in standard deviations, and its frequency · Hz."""
    ratio = problem.powers / (theta @ problem.weights + problem.floor)
    octave = np.floor(np.log2(frequency / frequency[0]))
    scores = []
    for k in np.unique(octave):
        of = octave == k
        count = problem.count[of].sum()
        mean = (problem.count[of] @ ratio[of]) / count
        # cube roots of χ² are nearly normal (Wilson and Hilferty 1931)
        z = (mean ** (1 / 3) - (1 - 2 / (9 * count))) / math.sqrt(2 / (9 * count))
        scores.append((abs(z), float(np.exp(np.mean(np.log(frequency[of]))))))
    return max(scores)
