"""Saturation: the full-scale range."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial

import numpy as np

from imusim.errors import ConfigError
from imusim.sensor.signals import Context, Signals
from imusim.types import Floats


@dataclass(frozen=True)
class Saturation:
    """Clip to ± the full-scale range; infinite (the default) clips nothing.

    Parameters
    ----------
    acc_range_m_s2 : full scale of the accelerometer · m/s²
    gyro_range_rad_s : full scale of the gyroscope · rad/s
    mag_range_ut : full scale of the magnetometer · µT

    Raises
    ------
    ConfigError
        Unless the ranges are positive.
    """

    acc_range_m_s2: float = math.inf
    gyro_range_rad_s: float = math.inf
    mag_range_ut: float = math.inf

    def __post_init__(self) -> None:
        for name in ("acc_range_m_s2", "gyro_range_rad_s", "mag_range_ut"):
            if not getattr(self, name) > 0:
                raise ConfigError(f"{name}={getattr(self, name)!r}: wanted a positive range")

    def __call__(self, signals: Signals, context: Context) -> Signals:
        """Return the signals with this error on them."""
        limits = {"acc": self.acc_range_m_s2, "gyro": self.gyro_range_rad_s, "mag": self.mag_range_ut}
        return signals.mapped(
            {name: partial(_clip, limit) for name, limit in limits.items() if not math.isinf(limit)}
        )


def _clip(limit: float, x: Floats, out: Floats) -> None:
    np.clip(x, -limit, limit, out=out)
