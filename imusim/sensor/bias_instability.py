"""Bias instability: flicker noise as a sum of first-order Gauss–Markov processes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from imusim._kernels.noise import add_gauss_markov
from imusim.errors import ConfigError
from imusim.sensor.signals import Context, PerAxis, Signals, per_axis
from imusim.types import Floats

_STEPS_PER_TAU = 32  # a slow process is drawn this often in its correlation time and is linear between


@dataclass(frozen=True)
class BiasInstability:
    """In-run bias drift with the 1/f spectrum of flicker noise; the Allan deviation has a floor of 0.664 B.

    The two-sided density ``S(f) = B² / (2π f)`` (IEEE Std 952-1997, annex C) is made of n first-order
    Gauss–Markov processes with correlation times log-spaced over `tau_s`. With Δ the spacing in ln τ, the
    integral of ``2σ²τ / (1 + ω²τ²)`` over ln τ gives each the variance ``σ² = B² Δ / π``. They start from
    their stationary law, so a recording does not begin without drift.

    Parameters
    ----------
    acc_m_s2 : coefficient B of the accelerometer · m/s², one number or (x, y, z)
    gyro_rad_s : coefficient B of the gyroscope · rad/s
    tau_s : shortest and longest correlation time · s; the floor holds between averaging times of about these
    processes : number of processes, 1 or more. One is the usual rough model, a bump and not a floor: its Allan
        deviation peaks at 0.617 σ at 1.89 τ; then B is taken for σ, and `tau_s` must be a single time twice.

    Raises
    ------
    ConfigError
        On negative coefficients, and on correlation times that do not increase.
    """

    acc_m_s2: PerAxis = 0.0
    gyro_rad_s: PerAxis = 0.0
    tau_s: tuple[float, float] = (1.0, 3000.0)
    processes: int = 8

    def __post_init__(self) -> None:
        per_axis(self.acc_m_s2, "acc_m_s2")
        per_axis(self.gyro_rad_s, "gyro_rad_s")
        low, high = self.tau_s
        one = self.processes == 1
        if not (low > 0 and math.isfinite(high) and (low == high if one else low < high)):
            raise ConfigError(
                f"tau_s={self.tau_s}: wanted (shortest, longest) correlation time in s, the same twice for one process"
            )
        if self.processes < 1:
            raise ConfigError(f"processes={self.processes}: wanted 1 or more (8 gives a floor)")

    def taus_s(self) -> Floats:
        """Return the correlation times, (n,) · s."""
        return np.geomspace(*self.tau_s, self.processes)

    def __call__(self, signals: Signals, context: Context) -> Signals:
        """Return the signals with this error on them."""
        return signals.with_(
            acc=self._of("acc", signals.acc, self.acc_m_s2, context),
            gyro=self._of("gyro", signals.gyro, self.gyro_rad_s, context),
        )

    def _of(self, signal: str, x: Floats, coefficient: PerAxis, context: Context) -> Floats:
        b = per_axis(coefficient, "coefficient")
        if not b.any():
            return x
        taus = self.taus_s()
        sigma = b if self.processes == 1 else b * math.sqrt(math.log(taus[1] / taus[0]) / math.pi)
        samples = x.shape[0]
        steps = [max(1, math.floor(tau * context.rate_hz / _STEPS_PER_TAU)) for tau in taus]
        y = x.copy()
        drift = np.empty((samples, 3))
        for s, rng in enumerate(context.streams(signal)):
            drift[:] = 0.0
            # one generator a process, so that a longer recording begins like a shorter one
            for tau, step, child in zip(taus, steps, rng.spawn(len(steps)), strict=True):
                normals = child.standard_normal((2 + max(samples - 1, 0) // step, 3))
                phi = math.exp(-step / (tau * context.rate_hz))
                add_gauss_markov(normals, phi, sigma, step, drift)
            y[:, s] += drift
        return y
