"""Temperature: bias and scale that follow a temperature track."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from imusim._kernels.noise import warm
from imusim.errors import ConfigError
from imusim.sensor.signals import (
    Context,
    PerAxis,
    Remembering,
    Signals,
    Step,
    check_law,
    draw_within,
    per_axis,
    unchanged,
)
from imusim.types import Floats


@dataclass(frozen=True)
class Temperature(Remembering):
    """``y = (1 + s (T − T₀)) x + b (T − T₀)``, linear in the die's temperature T, with T₀ where it was calibrated.

    b and s are drawn for every sensor and seed within the limits (data sheets give limits), plus the known parts.

    Parameters
    ----------
    track_c : temperature as (time s, °C) pairs, linear between them and constant outside; one pair: constant
    reference_c : T₀ · °C
    acc_bias_limit_per_k : limit of b of the accelerometer · (m/s²)/K, one number or (x, y, z)
    gyro_bias_limit_per_k : limit of b of the gyroscope · (rad/s)/K
    acc_scale_limit_per_k, gyro_scale_limit_per_k : limits of s · 1/K
    acc_bias_per_k, gyro_bias_per_k, acc_scale_per_k, gyro_scale_per_k : known parts, of either sign
    law : "uniform" or "normal" (3 standard deviations at the limit, cut there)

    Raises
    ------
    ConfigError
        On negative limits, another law, or a track whose times do not increase.
    """

    track_c: tuple[tuple[float, float], ...] = ((0.0, 25.0),)
    reference_c: float = 25.0
    acc_bias_limit_per_k: PerAxis = 0.0
    gyro_bias_limit_per_k: PerAxis = 0.0
    acc_scale_limit_per_k: PerAxis = 0.0
    gyro_scale_limit_per_k: PerAxis = 0.0
    acc_bias_per_k: PerAxis = 0.0
    gyro_bias_per_k: PerAxis = 0.0
    acc_scale_per_k: PerAxis = 0.0
    gyro_scale_per_k: PerAxis = 0.0
    law: str = "uniform"

    def __post_init__(self) -> None:
        check_law(self.law)
        track = np.asarray(self.track_c, dtype=np.float64)
        if track.ndim != 2 or track.shape[1:] != (2,) or not np.isfinite(track).all():
            raise ConfigError("track_c: wanted pairs of time in s and °C, such as ((0, 22), (600, 34))")
        if (np.diff(track[:, 0]) <= 0).any():
            raise ConfigError("track_c: wanted times that increase")
        for signal in ("acc", "gyro"):
            for kind in ("bias", "scale"):
                per_axis(getattr(self, f"{signal}_{kind}_limit_per_k"), f"{signal}_{kind}_limit_per_k")
                per_axis(getattr(self, f"{signal}_{kind}_per_k"), f"{signal}_{kind}_per_k", signed=True)

    def start(self, context: Context) -> Step:
        """Return the term at work at the beginning of a recording."""
        track = np.asarray(self.track_c, dtype=np.float64)
        if (track[:, 1] == self.reference_c).all():
            return unchanged
        drawn = {
            s: (self._drawn(s, "bias", context), self._drawn(s, "scale", context)) for s in ("acc", "gyro")
        }
        drawn = {s: (b, k) for s, (b, k) in drawn.items() if b.any() or k.any()}
        if not drawn:
            return unchanged

        def step(signals: Signals) -> Signals:
            above = np.interp(signals.time_s, track[:, 0], track[:, 1]) - self.reference_c

            return signals.mapped({s: partial(warm, above, b, k) for s, (b, k) in drawn.items()})

        return step

    def _drawn(self, signal: str, kind: str, context: Context) -> Floats:
        limit = per_axis(getattr(self, f"{signal}_{kind}_limit_per_k"), "limit")
        known = per_axis(getattr(self, f"{signal}_{kind}_per_k"), "known", signed=True)
        return known + draw_within(limit, self.law, context, f"{signal} {kind}")
