"""Where the search begins: time offsets by cross-correlation, mounting rotation in closed form."""

from __future__ import annotations

import numpy as np
from scipy.signal import correlate, find_peaks

from imusim.identification.sources import Source
from imusim.rotation import from_matrix
from imusim.types import Floats

_GRID_HZ = 50.0
_LEAST_OVERLAP = 0.5  # of the shorter of the two
_CANDIDATES = 6
_MOST_SAMPLES = 200_000


def offsets(
    source: Source, time_s: Floats, values: Floats, *, turned: bool, max_offset_s: float | None = None
) -> Floats:
    """Return time offsets worth trying, (K,) · s, the likeliest first: t_source = t_real + offset.

    Parameters
    ----------
    source : the motion side
    time_s, values : (N,) · s and (N, 6), acc then gyro of the real sensor, NaN where unknown
    turned : the sensors' axes differ, so lengths of the vectors are compared instead of their components
    max_offset_s : largest offset · s; None: any that leaves half of the shorter one covered

    Notes
    -----
    Normalised cross-correlation on a uniform grid, summed over signals, weighted by the square root of the overlap (what
    its standard deviation by chance goes with). Sub-sample accuracy comes from Gauss–Newton afterwards.
    """
    length = max(source.span[1] - source.span[0], time_s[-1] - time_s[0])
    rate = min(_GRID_HZ, _MOST_SAMPLES / max(length, 1e-9))
    own = np.arange(source.span[0], source.span[1], 1.0 / rate)
    seen = source.at(own)
    ours = _features(np.hstack([seen.force, seen.rate]), turned)
    grid = np.arange(time_s[0], time_s[-1], 1.0 / rate)
    theirs = _features(_resampled(time_s, values, grid), turned)
    if own.size < 8 or grid.size < 8:
        return np.zeros(1)
    size = own.size + grid.size - 1
    known, score = np.zeros(size), np.zeros(size)
    for a, b in zip(ours.T, theirs.T, strict=True):
        there, here = np.isfinite(a).astype(float), np.isfinite(b).astype(float)
        a, b = np.nan_to_num(a), np.nan_to_num(b)
        if not (a.any() and b.any()):
            continue
        known = np.maximum(known, correlate(there, here, method="fft"))
        product = correlate(a, b, method="fft")
        powers = correlate(a * a, here, method="fft") * correlate(there, b * b, method="fft")
        floor = 1e-3 * float((a @ a) * (b @ b))
        score += product / np.sqrt(np.maximum(powers, max(floor, 1e-12)))
    lags = (np.arange(known.size) - (grid.size - 1)) / rate + own[0] - grid[0]
    allowed = known >= _LEAST_OVERLAP * min(own.size, grid.size)
    if max_offset_s is not None:
        allowed &= np.abs(lags) <= max_offset_s + 0.5 / rate
    if not allowed.any():
        return np.zeros(0)
    score = np.where(allowed, score * np.sqrt(np.maximum(known, 0.0)), -np.inf)
    finite = np.where(np.isfinite(score), score, score[allowed].min())
    peaks = find_peaks(np.concatenate([[finite.min() - 1], finite, [finite.min() - 1]]))[0] - 1
    if peaks.size == 0:
        peaks = np.array([int(np.argmax(finite))])
    best = peaks[np.argsort(-finite[peaks], kind="stable")][:_CANDIDATES]
    return lags[best]


def rotation(ours: Floats, theirs: Floats, *, biased: bool) -> Floats:
    """Return the rotation (4,) wxyz that takes their vectors to ours best (Wahba's problem, by SVD).

    Parameters
    ----------
    ours, theirs : (N, 6), acc then gyro, at the same instants
    biased : the gyroscopes' means may differ, so they are taken off
    """
    total = np.zeros((3, 3))
    for part, centred in ((slice(0, 3), False), (slice(3, 6), biased)):
        known = np.isfinite(ours[:, part]).all(axis=1) & np.isfinite(theirs[:, part]).all(axis=1)
        if known.sum() < 3:
            continue
        x, y = ours[known, part], theirs[known, part]
        if centred:
            x, y = x - x.mean(axis=0), y - y.mean(axis=0)
        size = np.sqrt(np.sum(x * x) * np.sum(y * y))
        if size > 0:
            total += x.T @ y / size
        if part.start == 0:  # what moves tells more than what always points up
            x, y = x - x.mean(axis=0), y - y.mean(axis=0)
            size = np.sqrt(np.sum(x * x) * np.sum(y * y))
            total += x.T @ y / size if size > 0 else 0.0
    u, _, vt = np.linalg.svd(total)
    matrix = u @ np.diag([1.0, 1.0, np.linalg.det(u @ vt)]) @ vt
    return from_matrix(matrix)


def _features(values: Floats, turned: bool) -> Floats:
    """Standardised signals (N, F): |acc| and |gyro|, or the six components."""
    if turned:
        values = np.stack(
            [np.linalg.norm(values[:, :3], axis=1), np.linalg.norm(values[:, 3:], axis=1)], axis=1
        )
    out = np.full(values.shape, np.nan)
    for x, y in zip(values.T, out.T, strict=True):
        known = np.isfinite(x)
        if known.any():
            spread = float(x[known].std())
            y[known] = (x[known] - x[known].mean()) / (spread if spread > 1e-9 else np.inf)
    return out


def _resampled(time_s: Floats, values: Floats, grid: Floats) -> Floats:
    """Values at the instants of a coarser grid: averages around each, so that nothing aliases; NaN in gaps."""
    out = np.full((grid.size, values.shape[1]), np.nan)
    if grid.size < 2:
        return out
    step = grid[1] - grid[0]
    for part in (slice(0, 3), slice(3, 6)):
        known = np.isfinite(values[:, part]).all(axis=1)
        t, v = time_s[known], values[known, part]
        if t.size < 2:
            continue
        if np.median(np.diff(t)) < 0.7 * step:
            sums = np.vstack([np.zeros(3), np.cumsum((v[1:] + v[:-1]) * 0.5 * np.diff(t)[:, None], axis=0)])
            low, high = np.clip(grid - step / 2, t[0], t[-1]), np.clip(grid + step / 2, t[0], t[-1])
            width = np.maximum(high - low, 1e-9)[:, None]
            out[:, part] = (
                np.stack([np.interp(high, t, c) - np.interp(low, t, c) for c in sums.T], axis=1) / width
            )
        else:
            out[:, part] = np.stack([np.interp(grid, t, c) for c in v.T], axis=1)
        near = np.clip(np.searchsorted(t, grid), 1, t.size - 1)
        gap = np.minimum(np.abs(grid - t[near - 1]), np.abs(t[near] - grid)) > max(0.1, 2 * step)
        out[gap, part] = np.nan
    return out
