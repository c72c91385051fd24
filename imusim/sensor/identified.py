"""Errors that particular devices were found to have: scale, bias and noise by the sensor's name."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from imusim.errors import ConfigError
from imusim.sensor.signals import Context, Remembering, Signals, Step, unchanged

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
        if not any(name in known for name in context.sensors):
            return unchanged
        own = [known.get(name, DeviceErrors(name)) for name in context.sensors]
        steps = {}
        for signal in ("acc", "gyro"):
            scale = np.array([getattr(d, f"{signal}_scale") for d in own])
            bias = np.array([getattr(d, f"{signal}_bias") for d in own])
            noise = np.array([getattr(d, f"{signal}_density") for d in own]) * np.sqrt(context.rate_hz / 2.0)
            steps[signal] = (scale, bias, noise, list(context.streams(signal)))

        def step(signals: Signals) -> Signals:
            out = {}
            for signal, (scale, bias, noise, streams) in steps.items():
                y = getattr(signals, signal) * scale + bias
                for s, rng in enumerate(streams):
                    if noise[s] > 0:
                        y[:, s] += noise[s] * rng.standard_normal((y.shape[0], 3))
                out[signal] = y
            return signals.with_(**out)

        return step
