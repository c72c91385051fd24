"""Bandwidth: the chip's low-pass filter, with its delay."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.linalg import expm

from imusim._kernels.noise import biquad
from imusim.errors import ConfigError
from imusim.sensor.signals import Context, Remembering, Step, unchanged
from imusim.types import Floats


@dataclass(frozen=True)
class Bandwidth(Remembering):
    """Butterworth low-pass of the analogue front end or of the chip's digital filter; delays as a real one does.

    The analogue prototype ``1 / (s² + √2 s + 1)`` (order 2; ``1 / (s + 1)`` of order 1; two sections of order 4) is made
    discrete exactly for input that is linear between samples (first-order hold), so any cut-off is right, also one
    above the Nyquist frequency. The group delay at low frequencies is 1/(2π f) for order 1, √2/(2π f) for order 2,
    2.613/(2π f) for order 4. The filter starts settled on the first sample.

    Parameters
    ----------
    acc_hz : −3 dB frequency of the accelerometer · Hz; infinite (the default) filters nothing
    gyro_hz : of the gyroscope · Hz
    mag_hz : of the magnetometer · Hz
    order : 1, 2 or 4

    Raises
    ------
    ConfigError
        On frequencies that are not positive, and on another order.
    """

    acc_hz: float = math.inf
    gyro_hz: float = math.inf
    mag_hz: float = math.inf
    order: int = 2

    def __post_init__(self) -> None:
        for name in ("acc_hz", "gyro_hz", "mag_hz"):
            if not getattr(self, name) > 0:
                raise ConfigError(f"{name}={getattr(self, name)!r}: wanted a positive frequency in Hz")
        if self.order not in (1, 2, 4):
            raise ConfigError(f"order={self.order!r}: wanted 1, 2 or 4")

    def delay_s(self, cutoff_hz: float) -> float:
        """Return the group delay at low frequencies of a cut-off in Hz, s."""
        return {1: 1.0, 2: math.sqrt(2.0), 4: 2.6131259}[self.order] / (2.0 * math.pi * cutoff_hz)

    def start(self, context: Context) -> Step:
        """Return the term at work at the beginning of a recording."""
        steps = {
            name: SecondOrder(
                [_sections(f, self.order, context.rate_hz)] * len(context.sensors),
            )
            for name, f in (("acc", self.acc_hz), ("gyro", self.gyro_hz), ("mag", self.mag_hz))
            if not math.isinf(f)
        }
        return (lambda x: x.mapped(steps)) if steps else unchanged


def _sections(cutoff_hz: float, order: int, rate_hz: float) -> Floats:
    w = 2.0 * math.pi * cutoff_hz
    if order == 1:
        return discrete([0.0, 0.0, w], [0.0, 1.0, w], rate_hz)[None]
    angles = [math.pi / 4] if order == 2 else [math.pi / 8, 3 * math.pi / 8]
    return np.stack([discrete([0.0, 0.0, w * w], [1.0, 2 * math.cos(a) * w, w * w], rate_hz) for a in angles])


def discrete(numerator: list[float], denominator: list[float], rate_hz: float) -> Floats:
    """Return the filter ``N(s)/D(s)`` of second order at most as (5,): b0, b1, b2, a1, a2, by first-order hold.

    Parameters
    ----------
    numerator, denominator : three coefficients each, highest power first
    rate_hz : of the samples · Hz
    """
    n2, n1, n0 = numerator
    d2, d1, d0 = denominator
    h = 1.0 / rate_hz
    if d2 == 0.0:  # first order
        a, b, c, d = np.array([[-d0 / d1]]), np.array([1.0]), np.array([(n0 - n1 * d0 / d1) / d1]), n1 / d1
    else:  # controllable form
        a, b = np.array([[0.0, 1.0], [-d0 / d2, -d1 / d2]]), np.array([0.0, 1.0])
        c, d = np.array([(n0 - n2 * d0 / d2) / d2, (n1 - n2 * d1 / d2) / d2]), n2 / d2
    # exact for input u₀ + (u₁ − u₀) t/h (Franklin, Powell, Workman 1998, section 4.3.3): exp of the augmented system
    n = b.size
    big = np.zeros((n + 2, n + 2))
    big[:n, :n], big[:n, n], big[n, n + 1] = a * h, b * h, 1.0
    step = expm(big)
    phi, g1, g2 = step[:n, :n], step[:n, n], step[:n, n + 1]
    # x₁ = Φ x₀ + (Γ₁ − Γ₂) u₀ + Γ₂ u₁; with ξ = x − Γ₂ u: ξ₁ = Φ ξ₀ + (Γ₁ − Γ₂ + Φ Γ₂) u₀, y = C ξ + (d + C Γ₂) u
    gain, direct = g1 - g2 + phi @ g2, d + c @ g2
    out = np.zeros(5)
    if n == 1:
        out[0], out[1], out[3] = direct, c[0] * gain[0] - direct * phi[0, 0], -phi[0, 0]
        return out
    trace, det = phi[0, 0] + phi[1, 1], phi[0, 0] * phi[1, 1] - phi[0, 1] * phi[1, 0]
    first = c @ gain  # C adj(z − Φ) Γ = z C Γ + C (Φ − tr Φ) Γ
    second = c @ (phi @ gain) - trace * first
    out[:] = direct, first - direct * trace, second + direct * det, -trace, det
    return out


class SecondOrder:
    """Cascades of second-order sections, one cascade a sensor, on one signal (T, S, 3).

    Parameters
    ----------
    sections : S arrays (n, 5): b0, b1, b2, a1, a2; gain 1 at zero frequency, so that the filter can start settled
    """

    def __init__(self, sections: list[Floats]) -> None:
        wide = np.repeat(np.stack(sections), 3, axis=0)  # (3 S, n, 5)
        self.sections = [np.ascontiguousarray(wide[:, k].T) for k in range(wide.shape[1])]
        self.states = [np.full((2, wide.shape[0]), np.nan) for _ in self.sections]  # NaN: not settled yet

    def __call__(self, x: Floats) -> Floats:
        """Return the next block, filtered; behind a gap (NaN) the filter starts settled again."""
        flat = np.ascontiguousarray(x).reshape(x.shape[0], 3 * x.shape[1])
        for c, state in zip(self.sections, self.states, strict=True):
            out = np.empty_like(flat)
            biquad(flat, c[:3], c[3:], state, out)
            flat = out
        return flat.reshape(x.shape)
