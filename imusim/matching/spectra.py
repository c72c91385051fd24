"""The spectral map: a filter without phase that takes away, and noise for what is missing.

Cameras and optical systems see a few Hz. Above, a virtual signal holds next to nothing, a real one what skin, strap and
device add to it; a gain would only blow up the virtual one's own errors. So the gain is at most one, and what is missing is
added as coloured noise, as loud as the movement of the moment: on UTD-MHAD the power of both signals above 8 Hz goes with
that below 5 Hz from window to window (logarithmic slope 0.8 to 1.1).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import fftconvolve, firwin2, oaconvolve

from imusim.errors import TimeError
from imusim.types import Floats

_WINDOW_S = 2.56
_LEAST_GAIN = 0.1
_TAPS_S = 2.0
_BRIDGED_S = 0.5
_LOUDEST = 3.0  # times the usual loudness: most of the added noise
_TRIMMED = 0.1  # share of the windows, the loudest, that say nothing


def learn_spectrum(
    signal: str, virtual: Floats, real: Floats, virtual_hz: float, real_hz: float
) -> dict[str, Any]:
    """Return frequencies (F,) · Hz, gains (3, F), the density of the noise to add (3, F) · unit²/Hz, and the usual loudness.

    virtual, real : (N, 3), NaN where unknown
    """
    f_virtual, ours = power(virtual, virtual_hz, trimmed=_TRIMMED)
    f_real, theirs = power(real, real_hz, trimmed=_TRIMMED)
    top = min(f_virtual[-1], f_real[-1])
    frequency = f_virtual[f_virtual <= top]
    gains, fills = [], []
    for a, b in zip(ours.T, theirs.T, strict=True):
        have, want = (_level(frequency, x) for x in (a[: frequency.size], np.interp(frequency, f_real, b)))
        gain = np.clip(np.sqrt(want / have), _LEAST_GAIN, 1.0)
        gain[0] = 1.0
        fill = np.maximum(want - gain**2 * have, 0.0)
        fill[0] = 0.0
        gains.append(gain.tolist())
        fills.append(fill.tolist())
    return {
        "frequency_hz": frequency.tolist(),
        f"{signal}_gain": gains,
        f"{signal}_fill": fills,
        f"{signal}_loudness": _loudness(virtual, virtual_hz),
    }


def map_spectrum(
    step: Mapping[str, Any], signal: str, x: Floats, rate_hz: float, rng: np.random.Generator
) -> None:
    """Filter (N, 3) in place and add noise.

    Symmetric taps, ends mirrored; straight lines across short gaps, each stretch by itself.
    """
    frequency = np.asarray(step["frequency_hz"])
    taps = 2 * (int(min(_TAPS_S * rate_hz, 0.5 * x.shape[0])) // 2) + 1
    if taps < 3:
        return
    loud = _loud(x, rate_hz, step[f"{signal}_loudness"])
    grid = np.linspace(0.0, 0.5 * rate_hz, 513)
    known = np.flatnonzero(np.isfinite(x).all(axis=1))
    runs = np.split(known, np.flatnonzero(np.diff(known) > _BRIDGED_S * rate_hz) + 1)
    for c, gain, fill in zip(x.T, step[f"{signal}_gain"], step[f"{signal}_fill"], strict=True):
        filter_ = firwin2(taps, grid, np.interp(grid, frequency, gain), fs=rate_hz)
        # nothing is known above the real recording's half rate
        colour = firwin2(
            taps, grid, np.sqrt(rate_hz * np.interp(grid, frequency, fill, right=0.0)), fs=rate_hz
        )
        noise = loud * oaconvolve(rng.standard_normal(c.size + taps - 1), colour, mode="valid")
        for run in runs:
            if run.size < 2:
                continue
            whole = np.interp(np.arange(run[0], run[-1] + 1), run, c[run])
            middle = float(whole.mean())
            padded = np.pad(whole - middle, taps // 2, mode="reflect")
            c[run] = (oaconvolve(padded, filter_, mode="valid") + middle)[run - run[0]] + noise[run]


def power(x: Floats, rate_hz: float, *, trimmed: float = 0.0) -> tuple[Floats, Floats]:
    """Return frequencies (F,) · Hz and power density (F, 3) of x (N, 3), the mean over windows without a gap.

    Parameters
    ----------
    trimmed : share of the loudest windows to leave out, frequency by frequency: a landmark that jumps once is louder than
        all the rest together
    """
    length = max(32, round(_WINDOW_S * rate_hz))
    known: NDArray[np.bool_] = np.asarray(np.isfinite(x).all(axis=1))
    starts = np.arange(0, x.shape[0] - length + 1, length // 2)
    starts = [s for s in starts if np.all(known[s : s + length])]
    if not starts:
        raise TimeError(f"no stretch of {_WINDOW_S:g} s without a gap to learn a spectrum from")
    windows = np.stack([x[s : s + length] for s in starts])
    taper = np.hanning(length + 1)[:-1][:, None]
    spectrum = np.fft.rfft((windows - windows.mean(axis=1, keepdims=True)) * taper, axis=1)
    each = np.abs(spectrum) ** 2 / (rate_hz * np.sum(taper**2))
    kept = np.sort(each, axis=0)[: int(np.ceil((1.0 - trimmed) * each.shape[0]))]
    return np.arange(each.shape[1]) * (rate_hz / length), np.asarray(kept.mean(axis=0), dtype=np.float64)


def _level(frequency: Floats, power: Floats) -> Floats:
    """The power, averaged over a third of an octave and at least three bins."""
    total = np.concatenate([[0.0], np.cumsum(power)])
    at = np.arange(power.size)
    half = np.maximum(1, np.round(at * (2 ** (1 / 6) - 1)).astype(int))
    low, high = np.maximum(at - half, 1), np.minimum(at + half + 1, power.size)
    return (total[high] - total[np.minimum(low, high - 1)]) / (high - np.minimum(low, high - 1)) + 1e-30


def _envelope(x: Floats, rate_hz: float) -> Floats:
    """How much (N, 3) moves around each instant (N,), root mean square over about a second; 0 where nothing is known."""
    taper = np.hanning(max(3, round(_WINDOW_S / 2 * rate_hz)) + 2)[1:-1]
    known = np.isfinite(x).all(axis=1)
    weight = np.maximum(fftconvolve(known.astype(np.float64), taper, mode="same"), 1e-9)
    total = np.zeros(x.shape[0])
    for c in x.T:
        v = np.where(known, c, 0.0)
        mean = fftconvolve(v, taper, mode="same") / weight
        total += fftconvolve(np.where(known, (v - mean) ** 2, 0.0), taper, mode="same")
    return np.sqrt(np.maximum(total, 0.0) / weight)


def _loudness(x: Floats, rate_hz: float) -> float:
    """The usual envelope: with it, what `_loud` gives has a mean square of one."""
    envelope = _envelope(x, rate_hz)[np.isfinite(x).all(axis=1)]
    level = float(np.sqrt(np.mean(envelope**2))) + 1e-12
    for _ in range(20):  # what is cut off above is missed below
        level *= float(np.sqrt(np.mean(np.minimum(envelope / level, _LOUDEST) ** 2)))
    return level


def _loud(x: Floats, rate_hz: float, usual: float) -> Floats:
    return np.minimum(_envelope(x, rate_hz) / usual, _LOUDEST)
