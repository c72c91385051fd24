"""Clock: the instants at which a device really samples."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from imusim._kernels.noise import lagrange6
from imusim.errors import ConfigError
from imusim.sensor.signals import Context, check_law, draw_within
from imusim.types import Floats


@dataclass(frozen=True)
class Clock:
    """Skew, offset and jitter of every device's own clock: sample k is taken at ``t₀ + (1 + s)(tₖ − t₀) + o + jₖ``.

    It comes before all error terms: it decides where the truth is sampled. ``time_s`` stays the nominal time that the device
    writes down, the true instants are kept beside it (``Recording.true_time_s``).

    Parameters
    ----------
    skew_limit_ppm : limit of the drawn skew s · 1e-6
    offset_limit_s : limit of the drawn offset o · s
    jitter_s : standard deviation of the white jitter j · s
    skew_ppm, offset_s : known parts
    law : "uniform" or "normal" (3 standard deviations at the limit, cut there)

    Raises
    ------
    ConfigError
        On negative limits, a skew of 1 % or more, and another law.
    """

    skew_limit_ppm: float = 0.0
    offset_limit_s: float = 0.0
    jitter_s: float = 0.0
    skew_ppm: float = 0.0
    offset_s: float = 0.0
    law: str = "uniform"

    def __post_init__(self) -> None:
        check_law(self.law)
        for name in ("skew_limit_ppm", "offset_limit_s", "jitter_s"):
            if not (getattr(self, name) >= 0 and math.isfinite(getattr(self, name))):
                raise ConfigError(f"{name}={getattr(self, name)!r}: wanted a finite number, 0 or more")
        if not (abs(self.skew_ppm) + self.skew_limit_ppm < 1e4 and math.isfinite(self.offset_s)):
            raise ConfigError(
                f"skew of {abs(self.skew_ppm) + self.skew_limit_ppm:g} ppm: wanted less than 1 % (1e4)"
            )

    @property
    def perfect(self) -> bool:
        """Whether samples are taken exactly when they say."""
        return not (
            self.skew_limit_ppm or self.offset_limit_s or self.jitter_s or self.skew_ppm or self.offset_s
        )

    def start(self, context: Context, first_s: float) -> RunningClock:
        """Return the clocks of all sensors at the beginning of a recording that starts at `first_s`."""
        return RunningClock(self, context, first_s)


PERFECT = Clock()


class RunningClock:
    """The clocks of S devices, block by block."""

    def __init__(self, clock: Clock, context: Context, first_s: float) -> None:
        self.first, self.jitter = first_s, clock.jitter_s
        one = np.ones(1)
        skew = draw_within(clock.skew_limit_ppm * one, clock.law, context, "skew")[:, 0]
        offset = draw_within(clock.offset_limit_s * one, clock.law, context, "offset")[:, 0]
        self.skew = 1e-6 * (clock.skew_ppm + skew)
        self.offset = clock.offset_s + offset
        self.rngs = list(context.streams("time")) if clock.jitter_s > 0 else []

    def instants(self, time_s: Floats) -> Floats:
        """Return the true instants (T, S) · s of the next nominal ones (T,) · s."""
        true = time_s[:, None] + (time_s[:, None] - self.first) * self.skew + self.offset
        if self.jitter > 0:
            true += self.jitter * np.stack([rng.standard_normal(time_s.size) for rng in self.rngs], axis=1)
        return true


def resample(time_s: Floats, x: Floats, true_s: Floats) -> Floats:
    """Return x (n, S, C), known at time_s (n,) · s, at instants true_s (T, S) · s of each sensor.

    Fifth-order polynomials through the six nearest samples; instants outside the known times take the value at
    the end. With fewer than six samples x is taken as it is at the nearest one.
    """
    inside = np.clip(true_s, time_s[0], time_s[-1])
    if time_s.size < 6:
        near = np.abs(inside[:, :, None] - time_s).argmin(axis=2)
        return np.take_along_axis(x, near[:, :, None], axis=0)
    out = np.empty((*true_s.shape, x.shape[2]))
    lagrange6(np.ascontiguousarray(time_s), np.ascontiguousarray(x), inside, out)
    return out
