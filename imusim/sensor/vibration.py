"""Vibration: acceleration with a given spectral density, as of a vehicle or a machine."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import fft

from imusim._kernels.noise import add_channels
from imusim.errors import ConfigError
from imusim.sensor.signals import Context, Remembering, Step, unchanged
from imusim.types import Floats

_TAPS = 512  # of the shaping filter: resolution rate/512
_WINDOW = 2048  # samples filtered at once, whatever the blocks that are asked for

Density = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Vibration(Remembering):
    """Stationary Gaussian vibration of every axis, of a one-sided power spectral density given at some frequencies.

    The density is linear between its points in log f and log S (the usual form of vibration specifications), and zero
    outside them. It is resolved to a 512th of the sampling rate.

    Parameters
    ----------
    acc_psd : (Hz, (m/s²)²/Hz) pairs, frequencies increasing; empty (the default): none. In g²/Hz times 96.17
    gyro_psd : (Hz, (rad/s)²/Hz) pairs

    Raises
    ------
    ConfigError
        On frequencies that are not positive and increasing, and on densities that are not positive.
    """

    acc_psd: Density = ()
    gyro_psd: Density = ()

    def __post_init__(self) -> None:
        for name in ("acc_psd", "gyro_psd"):
            table = np.asarray(getattr(self, name), dtype=np.float64)
            if table.size == 0:
                continue
            if table.ndim != 2 or table.shape[1] != 2 or table.shape[0] < 2:
                raise ConfigError(f"{name}: wanted two or more pairs (frequency Hz, density)")
            if not (np.isfinite(table).all() and (table > 0).all() and (np.diff(table[:, 0]) > 0).all()):
                raise ConfigError(f"{name}: wanted positive, increasing frequencies and positive densities")

    def start(self, context: Context) -> Step:
        """Return the term at work at the beginning of a recording."""
        steps = {
            name: _Shaped(np.asarray(psd, dtype=np.float64), name, context)
            for name, psd in (("acc", self.acc_psd), ("gyro", self.gyro_psd))
            if len(psd)
        }
        return (lambda x: x.mapped(steps)) if steps else unchanged


def density(table: Floats, f: Floats) -> Floats:
    """Return the one-sided density at frequencies f from a table (n, 2), zero outside it."""
    with np.errstate(divide="ignore"):
        log = np.interp(np.log(f), np.log(table[:, 0]), np.log(table[:, 1]))
    return np.where((f >= table[0, 0]) & (f <= table[-1, 0]), np.exp(log), 0.0)


class _Shaped:
    """Filtered white noise for one signal, block by block."""

    def __init__(self, table: Floats, signal: str, context: Context) -> None:
        f = np.asarray(np.fft.rfftfreq(_TAPS, 1.0 / context.rate_hz), dtype=np.float64)
        # white noise of variance 1 has the one-sided density 2/rate
        gain = np.sqrt(density(table, f) * context.rate_hz / 2.0)
        taps = np.roll(np.fft.irfft(gain, _TAPS), _TAPS // 2)
        self.taps = np.fft.rfft(taps, _WINDOW)
        self.streams = list(context.streams(signal))
        self.past = self._noise(_TAPS - 1)
        self.ready = np.empty((self.past.shape[0], 0))
        self.used = 0

    def _noise(self, count: int) -> Floats:
        noise = np.empty((len(self.streams), 3, count))
        for rng, own in zip(self.streams, noise, strict=True):
            rng.standard_normal(out=own)
        return noise.reshape(3 * len(self.streams), count)

    def _more(self) -> Floats:
        """Overlap–save: the window's first part wraps round and is thrown away."""
        noise = np.concatenate([self.past, self._noise(_WINDOW - _TAPS + 1)], axis=1)
        self.past = noise[:, -(_TAPS - 1) :].copy()
        seen = np.asarray(fft.irfft(np.asarray(fft.rfft(noise, axis=1)) * self.taps, _WINDOW, axis=1))
        return seen[:, _TAPS - 1 :]

    def __call__(self, x: Floats, out: Floats) -> None:
        while x.shape[0] > self.ready.shape[1] - self.used:
            self.ready = np.concatenate([self.ready[:, self.used :], self._more()], axis=1)
            self.used = 0
        add_channels(self.ready, self.used, x, out)
        self.used += x.shape[0]
