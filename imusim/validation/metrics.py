"""How alike two signals are: what each figure of a report means, one function a group."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.signal import correlate, find_peaks

from imusim._kernels.dtw import banded
from imusim.types import Floats

MEANING = {
    "n": "samples compared",
    "r": "Pearson correlation",
    "rmse": "root mean square difference, m/s² or rad/s",
    "nrmse": "rmse over the standard deviation of the real signal: 1 is no better than its mean",
    "mean_difference": "mean of simulated − real",
    "lag_s": "shift that would correlate best, s: positive if the simulated signal is late",
    "coherence": "magnitude-squared coherence, weighted by the power of both",
    "psd_distance_db": "rms difference of the logarithmic spectra over the band that holds 99 % of the real power, dB",
    "dtw": "mean difference along the best warping path of ± 0.25 s, over the real standard deviation",
    "peak_size": "median size of simulated over real peaks (those more than two standard deviations out)",
    "peak_lag_s": "median time of simulated − real peaks, s",
    "peaks_found": "share of real peaks with a simulated one within 0.15 s",
    "ks": "largest difference of the two distribution functions",
    "wasserstein": "Wasserstein-1 distance of the two distributions, m/s² or rad/s",
    "auc": "area under the curve of a classifier that tells simulated from real windows: 0.5 cannot, 1 always can",
}
"""Column of a report → what it is."""

_LAG_S = 0.25
_PEAK_S = 0.15
_DTW_HZ = 20.0
_DTW_SAMPLES = 4000
_QUANTILES = np.linspace(0.0005, 0.9995, 1000)


def compare(simulated: Floats, real: Floats, rate_hz: float) -> dict[str, float]:
    """Return every figure of `MEANING` but "auc" for two signals (N,) at the same instants, NaN where unknown.

    Spectra, lags and warping are taken on the longest stretch without a gap.
    """
    known = np.isfinite(simulated) & np.isfinite(real)
    s, r = simulated[known], real[known]
    out = basic(s, r)
    if s.size < 8:
        return out | dict.fromkeys([k for k in MEANING if k not in (*out, "auc")], np.nan)
    first, last = longest_run(known)
    a, b = simulated[first:last], real[first:last]
    spread = max(float(b.std()), 1e-12)
    out["lag_s"] = lag(a, b, rate_hz)
    out["coherence"], out["psd_distance_db"] = spectra(a, b, rate_hz)
    out["dtw"] = warped(a, b, rate_hz) / spread
    out["peak_size"], out["peak_lag_s"], out["peaks_found"] = peaks(a, b, rate_hz)
    out["ks"], out["wasserstein"] = distributions(s, r)
    return out


def basic(s: Floats, r: Floats) -> dict[str, float]:
    """Return n, r, rmse, nrmse and mean difference of finite signals (N,)."""
    if s.size < 2:
        return {"n": float(s.size), "r": np.nan, "rmse": np.nan, "nrmse": np.nan, "mean_difference": np.nan}
    rmse = float(np.sqrt(np.mean((s - r) ** 2)))
    spread = float(r.std())
    return {
        "n": float(s.size),
        "r": pearson(s, r),
        "rmse": rmse,
        "nrmse": rmse / spread if spread > 1e-12 else np.nan,
        "mean_difference": float(np.mean(s - r)),
    }


def pearson(a: Floats, b: Floats) -> float:
    """Return the correlation of two finite signals (N,); NaN if one does not move."""
    a, b = a - a.mean(), b - b.mean()
    size = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / size if size > 1e-12 * a.size else float("nan")


def longest_run(known: NDArray[np.bool_]) -> tuple[int, int]:
    """Return first and last + 1 of the longest run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], known.astype(np.int8), [0]])))
    if edges.size == 0:
        return 0, 0
    lengths = edges[1::2] - edges[::2]
    i = int(np.argmax(lengths))
    return int(edges[2 * i]), int(edges[2 * i + 1])


def lag(s: Floats, r: Floats, rate_hz: float) -> float:
    """Return by how much `s` is late · s, within ± 0.25 s, by a parabola through the best correlation."""
    most = min(int(_LAG_S * rate_hz), s.size // 3)
    if most < 1 or s.std() < 1e-12 or r.std() < 1e-12:
        return float("nan")
    full = correlate(s - s.mean(), r - r.mean(), method="fft")
    middle = r.size - 1
    part = full[middle - most : middle + most + 1]
    i = int(np.argmax(part))
    shift = 0.0
    if 0 < i < part.size - 1:
        left, mid, right = part[i - 1 : i + 2]
        bend = left - 2 * mid + right
        shift = 0.5 * (left - right) / bend if bend < 0 else 0.0
    return float((i - most + shift) / rate_hz)


def spectra(s: Floats, r: Floats, rate_hz: float) -> tuple[float, float]:
    """Return power-weighted coherence and the distance of the logarithmic spectra · dB."""
    length = int(min(s.size, max(32, 2.56 * rate_hz)))
    if s.size < 32 or s.std() < 1e-12 or r.std() < 1e-12:
        return float("nan"), float("nan")
    p, q, cross = cross_spectra(s, r, length)
    found = float("nan")
    if s.size >= 3 * length:
        both = np.abs(cross) ** 2 / np.maximum(p * q, 1e-300)
        weight = np.sqrt(p * q)[1:]
        found = float((both[1:] * weight).sum() / weight.sum())
    share = np.cumsum(q[1:]) / q[1:].sum()
    top = int(np.searchsorted(share, 0.99)) + 2
    floor = 1e-6 * float(q[1:].max())
    decibel = 10.0 * np.log10((p[1:top] + floor) / (q[1:top] + floor))
    return found, float(np.sqrt(np.mean(decibel**2)))


def cross_spectra(s: Floats, r: Floats, length: int) -> tuple[Floats, Floats, NDArray[np.complex128]]:
    """Return both power spectra and their cross spectrum (F,), Welch's way: Hann windows that overlap by half."""
    taper = np.hanning(length + 1)[:-1]
    parts = []
    for x in (s, r):
        windows = np.lib.stride_tricks.sliding_window_view(x, length)[:: length // 2]
        parts.append(np.fft.rfft((windows - windows.mean(axis=1, keepdims=True)) * taper, axis=1))
    a, b = parts
    return (np.abs(a) ** 2).mean(axis=0), (np.abs(b) ** 2).mean(axis=0), (np.conj(a) * b).mean(axis=0)


def warped(s: Floats, r: Floats, rate_hz: float) -> float:
    """Return the mean difference along the best warping path inside ± 0.25 s, at 20 Hz or less."""
    step = max(1, round(rate_hz / _DTW_HZ))
    n = s.size // step
    if n < 4:
        return float("nan")
    a = s[: n * step].reshape(n, step).mean(axis=1)
    b = r[: n * step].reshape(n, step).mean(axis=1)
    if n > _DTW_SAMPLES:  # the middle
        first = (n - _DTW_SAMPLES) // 2
        a, b = a[first : first + _DTW_SAMPLES], b[first : first + _DTW_SAMPLES]
    band = max(1, round(_LAG_S * rate_hz / step))
    scratch = np.empty((2, 2 * band + 1, 2))
    return float(banded(np.ascontiguousarray(a), np.ascontiguousarray(b), band, scratch[0], scratch[1]))


def peaks(s: Floats, r: Floats, rate_hz: float) -> tuple[float, float, float]:
    """Return size ratio, timing · s and share of the real signal's peaks, both ways up, that are there."""
    middle, spread = float(np.median(r)), float(r.std())
    sizes, times, count = [], [], 0
    reach = max(1, round(_PEAK_S * rate_hz))
    for sign in (1.0, -1.0):
        a, b = sign * (s - middle), sign * (r - middle)
        theirs = find_peaks(b, height=2.0 * spread, distance=reach)[0]
        ours = find_peaks(a, height=0.5 * spread, distance=max(1, reach // 2))[0]
        count += theirs.size
        if ours.size == 0 or theirs.size == 0:
            continue
        near = np.clip(np.searchsorted(ours, theirs), 1, max(ours.size - 1, 1))
        left, right = ours[near - 1], ours[np.minimum(near, ours.size - 1)]
        best = np.where(np.abs(left - theirs) <= np.abs(right - theirs), left, right)
        close = np.abs(best - theirs) <= reach
        sizes.append(a[best[close]] / b[theirs[close]])
        times.append((best[close] - theirs[close]) / rate_hz)
    if count == 0 or not sizes or sum(x.size for x in sizes) == 0:
        return float("nan"), float("nan"), 0.0 if count else float("nan")
    size, time = np.concatenate(sizes), np.concatenate(times)
    return float(np.median(size)), float(np.median(time)), size.size / count


def distributions(s: Floats, r: Floats) -> tuple[float, float]:
    """Return the Kolmogorov–Smirnov statistic and the Wasserstein-1 distance of two samples."""
    a, b = np.sort(s), np.sort(r)
    grid = np.concatenate([a, b])
    ks = np.abs(np.searchsorted(a, grid, "right") / a.size - np.searchsorted(b, grid, "right") / b.size).max()
    distance = np.abs(np.quantile(a, _QUANTILES) - np.quantile(b, _QUANTILES)).mean()
    return float(ks), float(distance)
