"""Quantisation: the digital word."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial

import numpy as np

from imusim.errors import ConfigError
from imusim.sensor.signals import Context, Signals
from imusim.types import Floats


@dataclass(frozen=True)
class Quantisation:
    """Round to whole steps (LSB); codes outside a signed word of `bits` stick at its ends. 0 rounds nothing.

    The error is close to uniform, variance LSB²/12, while the signal moves by more than a step.

    Parameters
    ----------
    acc_lsb_m_s2 : step of the accelerometer · m/s²
    gyro_lsb_rad_s : step of the gyroscope · rad/s
    mag_lsb_ut : step of the magnetometer · µT
    bits : word length of the two's complement output, or None for one without ends

    Raises
    ------
    ConfigError
        On negative steps, or fewer than 2 bits.
    """

    acc_lsb_m_s2: float = 0.0
    gyro_lsb_rad_s: float = 0.0
    bits: int | None = 16
    mag_lsb_ut: float = 0.0

    def __post_init__(self) -> None:
        for name in ("acc_lsb_m_s2", "gyro_lsb_rad_s", "mag_lsb_ut"):
            step = getattr(self, name)
            if not (step >= 0 and math.isfinite(step)):
                raise ConfigError(f"{name}={step!r}: wanted a finite step, 0 or more")
        if self.bits is not None and not 2 <= self.bits <= 52:
            raise ConfigError(f"bits={self.bits}: wanted a word of 2 to 52 bits, or None")

    def __call__(self, signals: Signals, context: Context) -> Signals:
        """Return the signals with this error on them."""
        steps = {"acc": self.acc_lsb_m_s2, "gyro": self.gyro_lsb_rad_s, "mag": self.mag_lsb_ut}
        return signals.mapped({name: partial(self._round, step) for name, step in steps.items() if step > 0})

    def _round(self, step: float, x: Floats, out: Floats) -> None:
        codes = np.divide(x, step, out=out)
        np.rint(codes, out=codes)
        if self.bits is not None:
            half = 2.0 ** (self.bits - 1)
            np.clip(codes, -half, half - 1, out=codes)
        codes *= step
