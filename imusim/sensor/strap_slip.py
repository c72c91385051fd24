"""Strap slip: the mounting turns slowly while the sensor is worn."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial

import numpy as np

from imusim._kernels.noise import turned, turns
from imusim.errors import ConfigError
from imusim.sensor.bias_instability import GaussMarkov
from imusim.sensor.signals import Context, PerAxis, Remembering, Signals, Step, per_axis, unchanged


@dataclass(frozen=True)
class StrapSlip(Remembering):
    """The sensor's axes turn by small angles θ(t) about x, y, z, each an Ornstein–Uhlenbeck process: ``y = R(θ)ᵀ x``.

    The rate of slipping itself (θ̇, well below 0.01 rad/s) is left out of the gyroscope.

    Parameters
    ----------
    angle_sd_deg : standard deviation of the angles · degrees, one number or (x, y, z)
    tau_s : correlation time · s

    Raises
    ------
    ConfigError
        On negative angles and on a correlation time that is not positive.
    """

    angle_sd_deg: PerAxis = 0.0
    tau_s: float = 300.0

    def __post_init__(self) -> None:
        per_axis(self.angle_sd_deg, "angle_sd_deg")
        if not (self.tau_s > 0 and math.isfinite(self.tau_s)):
            raise ConfigError(f"tau_s={self.tau_s!r}: wanted a positive time in s")

    def start(self, context: Context) -> Step:
        """Return the term at work at the beginning of a recording."""
        sd = np.deg2rad(per_axis(self.angle_sd_deg, "angle_sd_deg"))
        if not sd.any():
            return unchanged
        process = GaussMarkov(np.array([self.tau_s]), sd, "angle", context)

        def step(signals: Signals) -> Signals:
            angles = np.zeros(signals.acc.shape)
            process(angles, angles)
            matrix = np.empty((*angles.shape, 3))
            turns(angles, matrix)
            change = partial(turned, matrix)
            return signals.mapped({"acc": change, "gyro": change, "mag": change})

        return step
