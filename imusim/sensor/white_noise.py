"""White noise, by a data sheet's density or by a random-walk coefficient."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from imusim.errors import ConfigError
from imusim.sensor.signals import Context, PerAxis, Signals, per_axis
from imusim.types import Floats


@dataclass(frozen=True)
class WhiteNoise:
    """White noise over the whole band up to the Nyquist frequency.

    There are two conventions, √2 apart; the argument's name says which one is meant:

    * a data sheet's density n is one-sided: ``σ = n √(rate/2)``;
    * the Allan coefficient N of IEEE Std 952 (and Kalibr's "noise density") is two-sided:
      ``σ = N √rate``, ``N = n/√2``, Allan deviation ``N/√τ``.

    Parameters
    ----------
    acc_density_one_sided : n · (m/s²)/√Hz, one number or (x, y, z)
    gyro_density_one_sided : n · (rad/s)/√Hz
    velocity_random_walk : N of the accelerometer · (m/s)/√s = (m/s²)/√Hz, instead of the density
    angle_random_walk : N of the gyroscope · rad/√s = (rad/s)/√Hz, instead of the density

    Raises
    ------
    ConfigError
        On negative values, or if both conventions are used for one signal.
    """

    acc_density_one_sided: PerAxis = 0.0
    gyro_density_one_sided: PerAxis = 0.0
    velocity_random_walk: PerAxis = 0.0
    angle_random_walk: PerAxis = 0.0

    def __post_init__(self) -> None:
        self.sigma(1.0)

    def sigma(self, rate_hz: float) -> tuple[Floats, Floats]:
        """Return the standard deviations of a sample, acc (3,) · m/s² and gyro (3,) · rad/s."""
        acc = self._sigma("acc_density_one_sided", "velocity_random_walk", rate_hz)
        return acc, self._sigma("gyro_density_one_sided", "angle_random_walk", rate_hz)

    def _sigma(self, density: str, walk: str, rate_hz: float) -> Floats:
        n, coefficient = per_axis(getattr(self, density), density), per_axis(getattr(self, walk), walk)
        if n.any() and coefficient.any():
            raise ConfigError(
                f"{density} and {walk} are two names of one noise (N = n/√2). Give one of them."
            )
        return n * math.sqrt(rate_hz / 2.0) + coefficient * math.sqrt(rate_hz)

    def __call__(self, signals: Signals, context: Context) -> Signals:
        """Return the signals with this error on them."""
        acc, gyro = self.sigma(context.rate_hz)
        return signals.with_(
            acc=_noisy("acc", signals.acc, acc, context), gyro=_noisy("gyro", signals.gyro, gyro, context)
        )


def _noisy(signal: str, x: Floats, sigma: Floats, context: Context) -> Floats:
    if not sigma.any():
        return x
    y = np.empty_like(x)
    for s, rng in enumerate(context.streams(signal)):
        noise = rng.standard_normal((x.shape[0], 3))
        noise *= sigma
        np.add(x[:, s], noise, out=y[:, s])
    return y
