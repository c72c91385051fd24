"""Rate random walk: a bias that wanders off without limit."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from imusim.sensor.bias_instability import SlowLines
from imusim.sensor.signals import Context, PerAxis, Remembering, Step, per_axis, unchanged

_NODES_HZ = 10.0


@dataclass(frozen=True)
class RateRandomWalk(Remembering):
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

    def start(self, context: Context) -> Step:
        """Return the term at work at the beginning of a recording."""
        steps = {}
        for signal, coefficient in (("acc", self.acc_m_s2_per_sqrt_s), ("gyro", self.gyro_rad_s_per_sqrt_s)):
            k = per_axis(coefficient, "coefficient")
            if k.any():
                # drawn ten times a second at most and linear between: exact at the nodes, and white noise hides the rest
                step = max(1, round(context.rate_hz / _NODES_HZ))
                kick = k * math.sqrt(step / context.rate_hz)
                steps[signal] = SlowLines(np.ones(1), kick[None], [step], np.zeros(3), signal, context)
        return (lambda x: x.mapped(steps)) if steps else unchanged
