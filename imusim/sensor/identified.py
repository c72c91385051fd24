"""Errors that particular devices were found to have: scale, bias and noise by the sensor's name."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from imusim.errors import ConfigError
from imusim.sensor.signals import Context, Remembering, Step, unchanged
from imusim.types import Floats

Triple = tuple[float, float, float]


@dataclass(frozen=True)
class DeviceErrors:
    """One device's errors: read = scale · true + bias + noise.

    Parameters
    ----------
    sensor : its name in a recording
    acc_scale, gyro_scale : (x, y, z), 1 for a perfect one
    acc_bias, gyro_bias : (x, y, z) · m/s², rad/s
    acc_density, gyro_density : white noise, one-sided · m/s²/√Hz, rad/s/√Hz
    """

    sensor: str
    acc_scale: Triple = (1.0, 1.0, 1.0)
    gyro_scale: Triple = (1.0, 1.0, 1.0)
    acc_bias: Triple = (0.0, 0.0, 0.0)
    gyro_bias: Triple = (0.0, 0.0, 0.0)
    acc_density: float = 0.0
    gyro_density: float = 0.0

    def __post_init__(self) -> None:
        for name in ("acc_scale", "gyro_scale", "acc_bias", "gyro_bias"):
            if np.shape(getattr(self, name)) != (3,) or not np.isfinite(getattr(self, name)).all():
                raise ConfigError(f"{self.sensor}: {name}={getattr(self, name)!r}, wanted three numbers")
        for name in ("acc_density", "gyro_density"):
            if not getattr(self, name) >= 0:
                raise ConfigError(f"{self.sensor}: {name}={getattr(self, name)!r}, wanted 0 or more")


@dataclass(frozen=True)
class IdentifiedErrors(Remembering):
    """What `imusim.identify` found of every device; a sensor that is not named is left as it is.

    Parameters
    ----------
    devices : one a sensor
    """

    devices: tuple[DeviceErrors, ...] = ()

    def start(self, context: Context) -> Step:
        """Return the term at work at the beginning of a recording."""
        known = {d.sensor: d for d in self.devices}
        at = [(s, known[name]) for s, name in enumerate(context.sensors) if name in known]
        if not at:
            return unchanged
        steps = {}
        for signal in ("acc", "gyro"):
            streams = list(context.streams(signal))
            steps[signal] = _Errors([(s, d, streams[s]) for s, d in at], signal, context.rate_hz)
        return lambda x: x.mapped(steps)


class _Errors:
    """Errors of the devices that are known, on one signal; nothing is done to the others, nor by what is perfect."""

    def __init__(
        self, devices: list[tuple[int, DeviceErrors, np.random.Generator]], signal: str, rate_hz: float
    ) -> None:
        self.devices = [
            (
                s,
                np.array(getattr(d, f"{signal}_scale")),
                np.array(getattr(d, f"{signal}_bias")),
                getattr(d, f"{signal}_density") * np.sqrt(rate_hz / 2.0),
                rng,
            )
            for s, d, rng in devices
        ]

    def __call__(self, x: Floats, out: Floats) -> None:
        if out is not x:
            out[...] = x
        for s, scale, bias, noise, rng in self.devices:
            if (scale != 1.0).any():
                out[:, s] *= scale
            if bias.any():
                out[:, s] += bias
            if noise > 0:
                out[:, s] += noise * rng.standard_normal((out.shape[0], 3))
