"""Turn-on bias: an offset that stays for one recording."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from imusim.sensor.signals import (
    Context,
    PerAxis,
    Remembering,
    Step,
    check_law,
    draw_within,
    per_axis,
    unchanged,
)
from imusim.types import Floats


@dataclass(frozen=True)
class Bias(Remembering):
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

    def start(self, context: Context) -> Step:
        """Return the term at work at the beginning of a recording."""
        steps = {
            signal: _Offset(self._drawn(signal, limit, known, context))
            for signal, limit, known in (
                ("acc", self.acc_limit_m_s2, self.acc_m_s2),
                ("gyro", self.gyro_limit_rad_s, self.gyro_rad_s),
            )
            if per_axis(limit, "limit").any() or per_axis(known, "offset", signed=True).any()
        }
        return (lambda x: x.mapped(steps)) if steps else unchanged

    def _drawn(self, signal: str, limit: PerAxis, known: PerAxis, context: Context) -> Floats:
        limits, fixed = per_axis(limit, "limit"), per_axis(known, "offset", signed=True)
        return fixed + draw_within(limits, self.law, context, signal)


class _Offset:
    """A constant (S, 3) on one signal."""

    def __init__(self, offset: Floats) -> None:
        self.offset = offset

    def __call__(self, x: Floats, out: Floats) -> None:
        np.add(x, self.offset, out=out)
