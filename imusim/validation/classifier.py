"""Can a classifier tell simulated from real? Windows' statistics, a linear discriminant, cross-validated in time."""

from __future__ import annotations

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.stats import rankdata

from imusim.types import Floats

_WINDOW_S = 2.0
_FOLDS = 5
_LEAST = 10  # windows of each kind
_MOST_WINDOWS = 600
_BANDS_HZ = ((0.5, 2.0), (2.0, 5.0), (5.0, 10.0), (10.0, 20.0), (20.0, 50.0))


def discriminability(simulated: Floats, real: Floats, rate_hz: float) -> float:
    """Return the area under the ROC curve of telling windows apart; NaN with fewer than ten windows.

    Parameters
    ----------
    simulated, real : (N, C), the same instants, NaN where unknown
    rate_hz : their rate · Hz

    Notes
    -----
    Features of a 2 s window, per channel: mean, logarithm of the standard deviation, of the mean absolute difference
    between neighbours and of the power in five bands, skewness, kurtosis. Both windows of a moment are in the same
    fold, and folds are
    stretches of time, so that neither the moment nor its neighbours can be learnt by heart.
    """
    length = max(8, round(_WINDOW_S * rate_hz))
    count = simulated.shape[0] // length
    if count < _LEAST:
        return float("nan")
    starts = np.arange(count)
    if count > _MOST_WINDOWS:
        starts = np.linspace(0, count - 1, _MOST_WINDOWS).astype(np.int64)
    a = simulated[: count * length].reshape(count, length, -1)[starts]
    b = real[: count * length].reshape(count, length, -1)[starts]
    good = np.isfinite(a).all(axis=(1, 2)) & np.isfinite(b).all(axis=(1, 2))
    if good.sum() < _LEAST:
        return float("nan")
    x, y = _features(a[good], rate_hz), _features(b[good], rate_hz)
    fold = (np.arange(x.shape[0]) * _FOLDS) // x.shape[0]
    scores = np.empty((2, x.shape[0]))
    for k in range(_FOLDS):
        out = fold == k
        direction, offset = _discriminant(x[~out], y[~out])
        scores[0, out], scores[1, out] = (x[out] - offset) @ direction, (y[out] - offset) @ direction
    ranks = rankdata(scores.ravel())
    n = x.shape[0]
    return float((ranks[:n].sum() - n * (n + 1) / 2) / (n * n))


def _features(windows: Floats, rate_hz: float) -> Floats:
    """(W, F) of windows (W, L, C)."""
    mean, spread = windows.mean(axis=1), windows.std(axis=1)
    z = (windows - mean[:, None]) / (spread[:, None] + 1e-9)
    rough = np.abs(np.diff(windows, axis=1)).mean(axis=1)
    power = (
        np.abs(np.fft.rfft((windows - mean[:, None]) * np.hanning(windows.shape[1])[:, None], axis=1)) ** 2
    )
    frequency = np.fft.rfftfreq(windows.shape[1], 1.0 / rate_hz)
    bands = [
        np.log(power[:, (frequency >= low) & (frequency < high)].mean(axis=1) + 1e-6)
        for low, high in _BANDS_HZ
        if ((frequency >= low) & (frequency < high)).any()
    ]
    parts = [mean, np.log(spread + 1e-3), np.log(rough + 1e-4), (z**3).mean(axis=1), (z**4).mean(axis=1)]
    return np.hstack([*parts, *bands])


def _discriminant(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Direction (F,) from real to simulated, and the centre; shrunk within-class covariance."""
    both = np.vstack([x, y])
    scale = both.std(axis=0) + 1e-9
    within = np.vstack([x - x.mean(axis=0), y - y.mean(axis=0)]) / scale
    cov = within.T @ within / within.shape[0]
    cov += 0.1 * np.eye(cov.shape[0])
    difference = (x.mean(axis=0) - y.mean(axis=0)) / scale
    return cho_solve(cho_factor(cov), difference) / scale, both.mean(axis=0)
