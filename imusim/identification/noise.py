"""How loud a real sensor's own noise can be at most: the floor of its spectrum where a person hardly moves."""

from __future__ import annotations

import numpy as np

from imusim.types import Floats

_WINDOW_S = 1.0
_LEAST = 16


def density_floor(signal: Floats, rate_hz: float) -> float:
    """Return an upper bound of the white noise, one-sided · unit/√Hz; 0 if there is no whole second.

    The upper quarter of the spectrum of the quietest tenth of all one-second windows, mean over axes.

    Parameters
    ----------
    signal : (N, 3), NaN where unknown
    rate_hz : sampling rate · Hz
    """
    length = max(_LEAST, int(_WINDOW_S * rate_hz))
    count = signal.shape[0] // length
    windows = signal[: count * length].reshape(count, length, 3)
    windows = windows[np.isfinite(windows).all(axis=(1, 2))]
    if windows.shape[0] == 0:
        return 0.0
    taper = np.hanning(length)[:, None]
    change = (windows - windows.mean(axis=1, keepdims=True)) * taper
    power = 2.0 * np.abs(np.fft.rfft(change, axis=1)) ** 2 / (rate_hz * (taper**2).sum())
    upper = power[:, int(0.75 * power.shape[1]) :].mean(axis=(1, 2))
    quiet = np.sort(upper)[: max(1, upper.size // 10)]
    return float(np.sqrt(quiet.mean()))
