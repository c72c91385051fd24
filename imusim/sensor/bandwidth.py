"""Bandwidth: the chip's low-pass filter, with its delay."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
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
                np.repeat(_sections(f, self.order, context.rate_hz)[None], len(context.sensors), axis=0),
            )
            for name, f in (("acc", self.acc_hz), ("gyro", self.gyro_hz), ("mag", self.mag_hz))
            if not math.isinf(f)
        }
        return (lambda x: x.mapped(steps)) if steps else unchanged


def _sections(cutoff_hz: float, order: int, rate_hz: float) -> Floats:
    """(n, 5): the sections of a Butterworth low-pass."""
    w = 2.0 * math.pi * cutoff_hz
    if order == 1:
        return discrete([[0.0, 0.0, w]], [[0.0, 1.0, w]], rate_hz)
    angles = np.array([math.pi / 4] if order == 2 else [math.pi / 8, 3 * math.pi / 8])
    one = np.ones_like(angles)
    top = np.stack([0 * one, 0 * one, w * w * one], axis=1)
    return discrete(top, np.stack([one, 2 * np.cos(angles) * w, w * w * one], axis=1), rate_hz)


def discrete(numerator: ArrayLike, denominator: ArrayLike, rate_hz: float) -> Floats:
    """Return filters ``N(s)/D(s)`` of second order at most as (m, 5): b0, b1, b2, a1, a2, by first-order hold.

    Parameters
    ----------
    numerator, denominator : (m, 3), coefficients, highest power first; all of one order
    rate_hz : of the samples · Hz
    """
    top, bottom = np.asarray(numerator, dtype=np.float64), np.asarray(denominator, dtype=np.float64)
    h, m = 1.0 / rate_hz, top.shape[0]
    second = bool((bottom[:, 0] != 0).any())
    n = 2 if second else 1
    lead = bottom[:, 2 - n]
    d = top[:, 2 - n] / lead
    c = (top[:, 3 - n :] - d[:, None] * bottom[:, 3 - n :])[:, ::-1] / lead[
        :, None
    ]  # (m, n), lowest power first
    # controllable form, exact for input u₀ + (u₁ − u₀) t/h: exponential of the augmented system (Franklin, Powell and
    # Workman 1998, section 4.3.3)
    big = np.zeros((m, n + 2, n + 2))
    if second:
        big[:, 0, 1] = h
    big[:, n - 1, :n] = -h * bottom[:, 3 - n :][:, ::-1] / lead[:, None]
    big[:, n - 1, n] = h
    big[:, n, n + 1] = 1.0
    step = expm(big)
    phi, g1, g2 = step[:, :n, :n], step[:, :n, n], step[:, :n, n + 1]
    # x₁ = Φ x₀ + (Γ₁ − Γ₂) u₀ + Γ₂ u₁; with ξ = x − Γ₂ u: ξ₁ = Φ ξ₀ + (Γ₁ − Γ₂ + Φ Γ₂) u₀, y = C ξ + (d + C Γ₂) u
    gain, direct = g1 - g2 + np.einsum("mij,mj->mi", phi, g2), d + (c * g2).sum(axis=1)
    first = (c * gain).sum(axis=1)
    out = np.zeros((m, 5))
    out[:, 0] = direct
    if n == 1:
        out[:, 1], out[:, 3] = first - direct * phi[:, 0, 0], -phi[:, 0, 0]
        return out
    trace = phi[:, 0, 0] + phi[:, 1, 1]
    determinant = phi[:, 0, 0] * phi[:, 1, 1] - phi[:, 0, 1] * phi[:, 1, 0]
    # C adj(z − Φ) Γ = z C Γ + C (Φ − tr Φ) Γ
    rest = (c * np.einsum("mij,mj->mi", phi, gain)).sum(axis=1) - trace * first
    out[:, 1], out[:, 2] = first - direct * trace, rest + direct * determinant
    out[:, 3], out[:, 4] = -trace, determinant
    return out


class SecondOrder:
    """Cascades of second-order sections, one cascade a sensor, on one signal (T, S, 3).

    Parameters
    ----------
    sections : (S, n, 5): b0, b1, b2, a1, a2; gain 1 at zero frequency, so that the filter can start settled
    """

    def __init__(self, sections: Floats) -> None:
        wide = np.repeat(sections, 3, axis=0)  # (3 S, n, 5)
        self.sections = [np.ascontiguousarray(wide[:, k].T) for k in range(wide.shape[1])]
        self.states = [np.full((2, wide.shape[0]), np.nan) for _ in self.sections]  # NaN: not settled yet

    def __call__(self, x: Floats, out: Floats) -> None:
        """Write the next block, filtered, into out; behind a gap (NaN) the filter starts settled again."""
        for c, state in zip(self.sections, self.states, strict=True):
            biquad(x, c[:3], c[3:], state, out)
            x = out
