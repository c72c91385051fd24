"""Soft tissue: a sensor on skin rings after impacts."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from imusim.errors import ConfigError
from imusim.sensor.bandwidth import SecondOrder, discrete
from imusim.sensor.signals import Context, Remembering, Step, unchanged
from imusim.types import Floats


@dataclass(frozen=True)
class SoftTissue(Remembering):
    """The sensor's mass on the spring and damper of skin and strap, driven by the segment's specific force.

    ``y = (2ζω₀ s + ω₀²) / (s² + 2ζω₀ s + ω₀²) x``: slow motion and gravity pass, ringing at ω₀ = 2π f; discrete exactly for
    input that is linear between samples. The damping ratio follows from the peak gain P of that filter at resonance.
    The same with its own figures for rotation (gyroscope). Every sensor and seed draws its own f and P: normal, P cut
    below 1.02 and f below half its mean.

    Impact-driven figures at the shank (literature, second-hand): posterior f 9.8 ± 2.7 Hz, P 2.18 ± 0.63;
    anterior f 18.2 ± 12.1 Hz, P 1.55 ± 0.35. The frontal thigh is the most stable site, the proximal shank the worst.

    Parameters
    ----------
    frequency_hz : mean resonance of the accelerometer's part · Hz; 0 (the default): rigid
    frequency_sd_hz : its spread between wearers · Hz
    peak_gain : mean of P, 1.02 or more
    peak_gain_sd : its spread
    rotation_frequency_hz : mean resonance of rotation · Hz; 0: the gyroscope is rigid with the segment
    rotation_frequency_sd_hz : its spread · Hz
    sensors : part of the name of the sensors it applies to ("shin"), "" for all

    Raises
    ------
    ConfigError
        On negative numbers and on a peak gain below 1.02.
    """

    frequency_hz: float = 0.0
    frequency_sd_hz: float = 0.0
    peak_gain: float = 2.0
    peak_gain_sd: float = 0.0
    rotation_frequency_hz: float = 0.0
    rotation_frequency_sd_hz: float = 0.0
    sensors: str = ""

    def __post_init__(self) -> None:
        for name in (
            "frequency_hz",
            "frequency_sd_hz",
            "peak_gain_sd",
            "rotation_frequency_hz",
            "rotation_frequency_sd_hz",
        ):
            if not (getattr(self, name) >= 0 and math.isfinite(getattr(self, name))):
                raise ConfigError(f"{name}={getattr(self, name)!r}: wanted a finite number, 0 or more")
        if not (self.peak_gain >= 1.02 and math.isfinite(self.peak_gain)):
            raise ConfigError(f"peak_gain={self.peak_gain!r}: wanted 1.02 or more (1 is a rigid mount)")

    def start(self, context: Context) -> Step:
        """Return the term at work at the beginning of a recording."""
        steps = {}
        for signal, mean, sd in (
            ("acc", self.frequency_hz, self.frequency_sd_hz),
            ("gyro", self.rotation_frequency_hz, self.rotation_frequency_sd_hz),
        ):
            if mean == 0:
                continue
            u = ndtri(context.uniforms(signal, 2))
            w = 2.0 * math.pi * np.maximum(mean + sd * u[:, 0], 0.5 * mean)
            z = damping_of(np.maximum(self.peak_gain + self.peak_gain_sd * u[:, 1], 1.02))
            zero = np.zeros_like(w)
            c = discrete(
                np.stack([zero, 2 * z * w, w * w], axis=1),
                np.stack([zero + 1, 2 * z * w, w * w], axis=1),
                context.rate_hz,
            )
            c[[self.sensors not in name for name in context.sensors]] = (1.0, 0.0, 0.0, 0.0, 0.0)
            steps[signal] = SecondOrder(c[:, None])
        return (lambda x: x.mapped(steps)) if steps else unchanged


def peak_of(damping: ArrayLike) -> Floats:
    """Return the largest gain over frequency of ``(2ζs + 1)/(s² + 2ζs + 1)``, for any shape of ζ.

    With v = (ω/ω₀)², ``G² = (1 + 4ζ²v)/((1 − v)² + 4ζ²v)`` is largest at ``v = (√(1 + 8ζ²) − 1)/(4ζ²)``.
    """
    a = 4.0 * np.square(damping)
    v = (np.sqrt(1.0 + 2.0 * a) - 1.0) / a
    return np.sqrt((1.0 + a * v) / ((1.0 - v) ** 2 + a * v))


def damping_of(peak: ArrayLike) -> Floats:
    """Return the damping ratios of peak gains P above 1, any shape.

    With s = √(1 + 8ζ²) the peak is ``P² = (s + 1)²/((s − 1)(s + 3))``, so ``s = 2P/√(P² − 1) − 1``.
    """
    p = np.asarray(peak, dtype=np.float64)
    s = 2.0 * p / np.sqrt(p * p - 1.0) - 1.0
    return np.sqrt((s * s - 1.0) / 8.0)
