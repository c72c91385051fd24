"""Turn-on bias: an offset that stays for one recording."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from imusim.sensor.signals import Context, PerAxis, Signals, check_law, draw_within, per_axis
from imusim.types import Floats


@dataclass(frozen=True)
class Bias:
    """Constant offset: a known part plus one drawn for every sensor and seed.

    Data sheets give limits, not standard deviations; every unit draws its own within them.

    Parameters
    ----------
    acc_limit_m_s2 : limit of the drawn accelerometer offset · m/s², one number or (x, y, z)
    gyro_limit_rad_s : limit of the drawn gyroscope offset · rad/s
    acc_m_s2, gyro_rad_s : known offsets, added to what is drawn · m/s², rad/s
    law : "uniform" or "normal" (3 standard deviations at the limit, cut there)

    Raises
    ------
    ConfigError
        On negative limits and on another law.

    See Also
    --------
    BiasInstability, RateRandomWalk : how a bias wanders during the recording
    """

    acc_limit_m_s2: PerAxis = 0.0
    gyro_limit_rad_s: PerAxis = 0.0
    acc_m_s2: PerAxis = 0.0
    gyro_rad_s: PerAxis = 0.0
    law: str = "uniform"

    def __post_init__(self) -> None:
        check_law(self.law)
        per_axis(self.acc_limit_m_s2, "acc_limit_m_s2")
        per_axis(self.gyro_limit_rad_s, "gyro_limit_rad_s")
        per_axis(self.acc_m_s2, "acc_m_s2", signed=True)
        per_axis(self.gyro_rad_s, "gyro_rad_s", signed=True)

    def __call__(self, signals: Signals, context: Context) -> Signals:
        """Return the signals with this error on them."""
        acc = self._of("acc", signals.acc, self.acc_limit_m_s2, self.acc_m_s2, context)
        gyro = self._of("gyro", signals.gyro, self.gyro_limit_rad_s, self.gyro_rad_s, context)
        return signals.with_(acc=acc, gyro=gyro)

    def _of(self, signal: str, x: Floats, limit: PerAxis, known: PerAxis, context: Context) -> Floats:
        limits, fixed = per_axis(limit, "limit"), per_axis(known, "offset", signed=True)
        if not limits.any() and not fixed.any():
            return x
        return x + np.stack([fixed + draw_within(limits, self.law, rng) for rng in context.streams(signal)])
