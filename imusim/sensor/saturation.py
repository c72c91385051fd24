"""Saturation: the full-scale range."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from imusim.errors import ConfigError
from imusim.sensor.signals import Context, Signals


@dataclass(frozen=True)
class Saturation:
    """Clip to ± the full-scale range; infinite (the default) clips nothing.

    Parameters
    ----------
    acc_range_m_s2 : full scale of the accelerometer · m/s²
    gyro_range_rad_s : full scale of the gyroscope · rad/s

    Raises
    ------
    ConfigError
        Unless the ranges are positive.
    """

    acc_range_m_s2: float = math.inf
    gyro_range_rad_s: float = math.inf

    def __post_init__(self) -> None:
        for name in ("acc_range_m_s2", "gyro_range_rad_s"):
            if not getattr(self, name) > 0:
                raise ConfigError(f"{name}={getattr(self, name)!r}: wanted a positive range")

    def __call__(self, signals: Signals, context: Context) -> Signals:
        """Return the signals with this error on them."""
        acc, gyro = self.acc_range_m_s2, self.gyro_range_rad_s
        return signals.with_(
            acc=None if math.isinf(acc) else np.clip(signals.acc, -acc, acc),
            gyro=None if math.isinf(gyro) else np.clip(signals.gyro, -gyro, gyro),
        )
