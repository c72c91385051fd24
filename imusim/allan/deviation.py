"""The overlapping Allan deviation of a signal, with its interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from imusim._kernels.allan import second_difference_power
from imusim.allan.noise_type import MOST, overlapping_edf, power_law
from imusim.allan.series import checked_series
from imusim.errors import ConfigError, TimeError
from imusim.types import Floats

_PER_OCTAVE = 6


@dataclass(frozen=True)
class AllanCurve:
    """Overlapping Allan deviation of C signals at A averaging times.

    Parameters
    ----------
    tau_s : (A,) · s, averaging times: whole numbers of samples
    deviation : (A, C), or (A,) for one signal · unit of the signal
    low, high : like deviation, ends of the 95 % interval (χ²)
    edf : like deviation, equivalent degrees of freedom
    samples : length of the series
    """

    tau_s: Floats
    deviation: Floats
    low: Floats
    high: Floats
    edf: Floats
    samples: int


def allan_deviation(x: ArrayLike, rate_hz: float, taus_s: ArrayLike | None = None) -> AllanCurve:
    """Return the overlapping Allan deviation of rate data (angular rate, specific force).

    ``σ²(τ) = Σ (θ[i+2m] − 2 θ[i+m] + θ[i])² / (2 τ² (n − 2m + 1))`` with θ the integral of x and τ = m/rate
    (IEEE Std 952-1997, annex C; NIST SP 1065, section 5.2.4). Linear in the length for every averaging time.

    Parameters
    ----------
    x : (T,) or (T, C), evenly sampled
    rate_hz : sampling rate · Hz
    taus_s : averaging times · s, rounded to whole samples; not given: six an octave, from one sample to a fifth of the
        recording

    Raises
    ------
    ShapeError
        If x is neither (T,) nor (T, C), or holds NaN.
    TimeError
        If x is shorter than three samples, or than twice an averaging time that was asked for.
    ConfigError
        If the rate or an averaging time is not positive.
    """
    series, single = checked_series(x, rate_hz)
    samples, channels = series.shape
    if samples < 3:
        raise TimeError(f"got {samples} samples, wanted 3 or more for an Allan deviation")
    lags = _default_lags(samples) if taus_s is None else _asked_lags(taus_s, rate_hz, samples)
    deviation = np.empty((lags.size, channels))
    edf = np.empty((lags.size, channels))
    for c in range(channels):
        phase = np.zeros(samples + 1)
        np.cumsum(series[:, c] - series[:, c].mean(), out=phase[1:])
        alpha = 2
        for a, m in enumerate(lags):
            deviation[a, c] = np.sqrt(second_difference_power(phase, int(m)) / 2.0) / m
            # noise grows redder with time; where there are too few averages it stays as it was
            found = power_law(np.diff(phase[: m * MOST : m]))
            alpha = min(alpha, 0 if a == 0 and found is None else 2 if found is None else found)
            edf[a, c] = overlapping_edf(alpha, samples, int(m))
    low, high = _interval(deviation, edf)
    columns = [v[:, 0] if single else v for v in (deviation, low, high, edf)]
    return AllanCurve(lags / rate_hz, *columns, samples=samples)


def _interval(deviation: Floats, edf: Floats) -> tuple[Floats, Floats]:
    from scipy.special import chdtri

    return deviation * np.sqrt(edf / chdtri(edf, 0.025)), deviation * np.sqrt(edf / chdtri(edf, 0.975))


def _default_lags(samples: int) -> np.ndarray:
    longest = max(1, samples // 5)
    count = int(np.ceil(np.log2(longest) * _PER_OCTAVE)) + 1 if longest > 1 else 1
    return np.unique(np.rint(np.geomspace(1, longest, count))).astype(np.int64)


def _asked_lags(taus_s: ArrayLike, rate_hz: float, samples: int) -> np.ndarray:
    taus = np.atleast_1d(np.asarray(taus_s, dtype=np.float64))
    if taus.ndim != 1 or not (np.isfinite(taus).all() and (taus > 0).all()):
        raise ConfigError("taus_s: wanted positive averaging times in s, a list of numbers")
    lags = np.unique(np.maximum(1, np.rint(taus * rate_hz))).astype(np.int64)
    if 2 * lags[-1] > samples:
        raise TimeError(
            f"averaging over {lags[-1] / rate_hz:g} s takes a recording of twice that; this one lasts "
            f"{samples / rate_hz:g} s. Ask for shorter times."
        )
    return lags
