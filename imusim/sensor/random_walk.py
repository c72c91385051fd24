"""Rate random walk: a bias that wanders off without limit."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from imusim._kernels.noise import add_random_walk
from imusim.sensor.signals import Context, PerAxis, Signals, per_axis
from imusim.types import Floats


@dataclass(frozen=True)
class RateRandomWalk:
    """Bias that does a random walk: ``b += K √dt · n`` from 0; Allan deviation ``K √(τ/3)``.

    Not to be taken for angle random walk, which is white noise of the rate: see `WhiteNoise`.

    Parameters
    ----------
    acc_m_s2_per_sqrt_s : coefficient K of the accelerometer · (m/s²)/√s, one number or (x, y, z)
    gyro_rad_s_per_sqrt_s : coefficient K of the gyroscope · (rad/s)/√s

    Raises
    ------
    ConfigError
        On negative coefficients.
    """

    acc_m_s2_per_sqrt_s: PerAxis = 0.0
    gyro_rad_s_per_sqrt_s: PerAxis = 0.0

    def __post_init__(self) -> None:
        per_axis(self.acc_m_s2_per_sqrt_s, "acc_m_s2_per_sqrt_s")
        per_axis(self.gyro_rad_s_per_sqrt_s, "gyro_rad_s_per_sqrt_s")

    def __call__(self, signals: Signals, context: Context) -> Signals:
        """Return the signals with this error on them."""
        return signals.with_(
            acc=self._of("acc", signals.acc, self.acc_m_s2_per_sqrt_s, context),
            gyro=self._of("gyro", signals.gyro, self.gyro_rad_s_per_sqrt_s, context),
        )

    def _of(self, signal: str, x: Floats, coefficient: PerAxis, context: Context) -> Floats:
        k = per_axis(coefficient, "coefficient")
        if not k.any():
            return x
        samples = x.shape[0]
        y = x.copy()
        for s, rng in enumerate(context.streams(signal)):
            walk = np.zeros((samples, 3))
            add_random_walk(
                rng.standard_normal((max(samples - 1, 0), 3)), k / math.sqrt(context.rate_hz), walk
            )
            y[:, s] += walk
        return y
