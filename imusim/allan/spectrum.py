"""Expected power of N, B and K in the cosine transform of a recording.

The powers of the orthonormal DCT-II of n samples, at f_j = j · rate / (2n), are to a still sensor what the periodogram
is, without its leakage: white noise and a random walk are *exactly* uncorrelated in this basis (a walk reflected at both
ends is continuous), and so is, nearly, what lies between them. No taper, no differences, no detrending is needed, and
no information is lost.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imusim.types import Floats

_SINGLE = 64  # lowest frequencies that stay alone
_PER_OCTAVE = 24


@dataclass(frozen=True)
class Bins:
    """Bins of neighbouring cosine frequencies and what the three noises put into them.

    Parameters
    ----------
    first : (m,), index j ≥ 1 of the first frequency of each bin
    count : (m,), frequencies in it: a power is χ² with that many degrees of freedom
    frequency_hz : (m,) · Hz, mean
    expected : (3, m) · Hz-free, mean power per unit N², B² and K² (a sample's variance per unit coefficient)
    """

    first: NDArray[np.int64]
    count: Floats
    frequency_hz: Floats
    expected: Floats


@functools.lru_cache(maxsize=16)
def bins_of(samples: int, rate_hz: float, taus_s: tuple[float, ...], highest_hz: float) -> Bins:
    """Return the bins for `samples` at `rate_hz`, from the lowest frequency to `highest_hz`.

    Parameters
    ----------
    samples : n
    rate_hz : sampling rate · Hz
    taus_s : correlation times of the Gauss–Markov processes that the flicker noise is made of, evenly spaced in their
        logarithm · s (`imusim.sensor.BiasInstability`)
    highest_hz : frequencies above are left out · Hz
    """
    last = min(samples - 1, max(8, math.floor(2 * samples * highest_hz / rate_hz)))
    alone = np.arange(1, min(_SINGLE, last) + 1)
    octaves = math.log2(max(last, _SINGLE) / _SINGLE)
    edges = _SINGLE * 2.0 ** np.linspace(0.0, octaves, max(2, math.ceil(octaves * _PER_OCTAVE) + 1))
    edges = np.unique(np.rint(edges)).astype(np.int64) + 1  # first index of a bin
    first = np.unique(np.concatenate([alone, edges[edges <= last]]))
    j = np.arange(1, last + 1)
    count = np.diff(np.append(first, last + 1)).astype(np.float64)
    powers = np.empty((3, first.size))
    half_sine = np.sin(np.pi * j / (2 * samples))
    powers[0] = rate_hz
    powers[1] = np.add.reduceat(flicker_power(samples, rate_hz, taus_s, half_sine), first - 1) / count
    powers[2] = np.add.reduceat(1.0 / (4.0 * rate_hz * half_sine**2), first - 1) / count
    frequency = np.add.reduceat(j * rate_hz / (2.0 * samples), first - 1) / count
    return Bins(first, count, frequency, powers)


def flicker_power(samples: int, rate_hz: float, taus_s: tuple[float, ...], half_sine: Floats) -> Floats:
    """Return the expected DCT-II powers of flicker noise with B = 1, exactly.

    A sampled Gauss–Markov process has a tridiagonal inverse covariance. That differs from one which the DCT-II makes
    diagonal in its two corners only, so the powers follow from the Sherman–Morrison formula, apart for the
    symmetric (even j) and the antisymmetric (odd j) corner.

    Parameters
    ----------
    samples : n
    rate_hz : sampling rate · Hz
    taus_s : correlation times, two or more · s
    half_sine : (m,), sin(π j / 2n) for j = 1 … m

    Returns
    -------
    Floats
        (m,) powers; for frequencies well inside the band they are ``rate · 1 / (2π f)``.
    """
    j = np.arange(1, half_sine.size + 1)
    even = j % 2 == 0
    corner = 4.0 / samples * (1.0 - half_sine**2)  # square of the DCT vector on (e_first ± e_last)/√2
    variance = math.log(taus_s[1] / taus_s[0]) / math.pi
    total = np.zeros(half_sine.size)
    for tau in taus_s:
        x = 1.0 / (tau * rate_hz)
        phi, gap = math.exp(-x), -math.expm1(-x)
        lam = gap * (1.0 + phi) / (gap * gap + 4.0 * phi * half_sine**2)
        span = -math.expm1(-2.0 * samples * x)
        one = (1.0 + math.exp(-2.0 * samples * x) + phi + math.exp(-(2 * samples - 1) * x)) / span
        other = math.exp(-(samples - 1) * x) * (1.0 + phi) ** 2 / span
        inverse = (1.0 + phi) / phi if phi > 0 else math.inf
        shrink = np.where(even, 1.0 / (inverse + one + other), 1.0 / (inverse + one - other))
        total += variance * (lam - lam * lam * corner * shrink)
    return total


def binned_powers(x: Floats, bins: Bins) -> Floats:
    """Return the mean DCT-II power in every bin: x (n, C) → (m, C)."""
    from scipy.fft import dct

    last = int(bins.first[-1] + bins.count[-1]) - 1
    amplitudes = np.asarray(dct(x - x.mean(axis=0), type=2, norm="ortho", axis=0))[1 : last + 1]
    return np.add.reduceat(amplitudes**2, bins.first - 1, axis=0) / bins.count[:, None]
