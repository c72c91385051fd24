"""White noise, by a data sheet's density or by a random-walk coefficient."""

from __future__ import annotations

import math
from dataclasses import dataclass

from imusim._kernels.noise import add_white
from imusim.errors import ConfigError
from imusim.sensor.signals import (
    Context,
    PerAxis,
    Remembering,
    Step,
    per_axis,
    standard_normals,
    unchanged,
)
from imusim.types import Floats


@dataclass(frozen=True)
class WhiteNoise(Remembering):
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
    mag_density_one_sided : n of the magnetometer · µT/√Hz
    enbw_hz : equivalent noise bandwidth of the chip's filter · Hz, or None. A chip that samples its wide-band
        output slowly folds all its noise into the band: then ``σ = n √enbw`` (N = n/√2 alike), still white.
        A bandwidth below the Nyquist frequency colours the noise: put a `Bandwidth` behind this term instead

    Raises
    ------
    ConfigError
        On negative values, or if both conventions are used for one signal.
    """

    acc_density_one_sided: PerAxis = 0.0
    gyro_density_one_sided: PerAxis = 0.0
    velocity_random_walk: PerAxis = 0.0
    angle_random_walk: PerAxis = 0.0
    mag_density_one_sided: PerAxis = 0.0
    enbw_hz: float | None = None

    def __post_init__(self) -> None:
        if self.enbw_hz is not None and not (self.enbw_hz > 0 and math.isfinite(self.enbw_hz)):
            raise ConfigError(f"enbw_hz={self.enbw_hz!r}: wanted a positive bandwidth in Hz, or None")
        self.sigma(1.0)
        per_axis(self.mag_density_one_sided, "mag_density_one_sided")

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
        band = rate_hz / 2.0 if self.enbw_hz is None else self.enbw_hz
        return n * math.sqrt(band) + coefficient * math.sqrt(2.0 * band)

    def start(self, context: Context) -> Step:
        """Return the term at work at the beginning of a recording."""
        acc, gyro = self.sigma(context.rate_hz)
        band = context.rate_hz / 2.0 if self.enbw_hz is None else self.enbw_hz
        mag = per_axis(self.mag_density_one_sided, "mag_density_one_sided") * math.sqrt(band)
        steps = {
            name: _Noise(name, sigma, context)
            for name, sigma in (("acc", acc), ("gyro", gyro), ("mag", mag))
            if sigma.any()
        }
        return (lambda x: x.mapped(steps)) if steps else unchanged


class _Noise:
    """White noise on one signal (n, S, 3); every sensor has its own stream."""

    def __init__(self, signal: str, sigma: Floats, context: Context) -> None:
        self.sigma, self.streams = sigma, list(context.streams(signal))

    def __call__(self, x: Floats, out: Floats) -> None:
        add_white(standard_normals(self.streams, x.shape[0]), self.sigma, x, out)
