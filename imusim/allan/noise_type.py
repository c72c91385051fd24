"""Which noise dominates at an averaging time, and how much the overlapping Allan deviation knows there."""

from __future__ import annotations

import math

import numpy as np

from imusim.types import Floats

_FEWEST = 64  # averages that the identification wants
MOST = 100_000  # more do not tell more


def power_law(averages: Floats) -> int | None:
    """Return α of the density f^α that dominates, from the lag-1 autocorrelation; None if there are too few averages.

    2: white phase noise (quantised angles), 0: white noise, −1: flicker, −2: random walk.
    The method is W. Riley's and C. Greenhall's ("Power law noise identification using the lag 1 autocorrelation", 2004).

    Parameters
    ----------
    averages : (n,), means of the signal over neighbouring averaging times
    """
    if averages.size < _FEWEST:
        return None
    z, differences = averages[:MOST], 0
    while True:
        z = z - z.mean()
        energy = float(z @ z)
        r = float(z[1:] @ z[:-1]) / energy if energy > 0 else 0.0
        delta = r / (1.0 + r) if r > -1 else -1.0
        if delta < 0.25 or differences == 2:
            return max(-2, min(2, -round(2.0 * delta) - 2 * differences))
        z, differences = np.diff(z), differences + 1


def overlapping_edf(alpha: int, samples: int, m: int) -> float:
    """Return the equivalent degrees of freedom of an overlapping Allan deviation.

    The approximations are those of NIST SP 1065 (W. Riley, 2008), table 5; N there are phases, one more than samples.

    Parameters
    ----------
    alpha : exponent of the dominant noise, −2 … 2
    samples : length of the series
    m : averaging time in samples
    """
    n = samples + 1
    if alpha >= 2:
        edf = (n + 1) * (n - 2 * m) / (2 * (n - m))
    elif alpha == 1:
        edf = math.exp(math.sqrt(math.log((n - 1) / (2 * m)) * math.log((2 * m + 1) * (n - 1) / 4)))
    elif alpha == 0:
        edf = (3 * (n - 1) / (2 * m) - 2 * (n - 2) / n) * 4 * m * m / (4 * m * m + 5)
    elif alpha == -1:
        edf = 2 * (n - 2) ** 2 / (2.3 * n - 4.9) if m == 1 else 5 * n * n / (4 * m * (n + 3 * m))
    else:
        edf = (n - 2) / m * ((n - 1) ** 2 - 3 * m * (n - 1) + 4 * m * m) / (n - 3) ** 2
    return max(1.0, edf)
