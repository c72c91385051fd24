"""Bias instability: flicker noise as a sum of first-order Gauss–Markov processes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from imusim._kernels.noise import add_lines
from imusim.errors import ConfigError
from imusim.sensor.signals import Context, PerAxis, Remembering, Step, per_axis, standard_normals, unchanged
from imusim.types import Floats

_STEPS_PER_TAU = 32  # a slow process is drawn this often in its correlation time and is linear between


@dataclass(frozen=True)
class BiasInstability(Remembering):
    """In-run bias drift with the 1/f spectrum of flicker noise; the Allan deviation has a floor of 0.664 B.

    The two-sided density ``S(f) = B² / (2π f)`` (IEEE Std 952-1997, annex C) is made of n first-order
    Gauss–Markov processes with correlation times log-spaced over `tau_s`. With Δ the spacing in ln τ, the
    integral of ``2σ²τ / (1 + ω²τ²)`` over ln τ gives each the variance ``σ² = B² Δ / π``. They start from
    their stationary law, so a recording does not begin without drift.

    Parameters
    ----------
    acc_m_s2 : coefficient B of the accelerometer · m/s², one number or (x, y, z)
    gyro_rad_s : coefficient B of the gyroscope · rad/s
    tau_s : shortest and longest correlation time · s; the floor holds between averaging times of about these
    processes : number of processes, 1 or more. One is the usual rough model, a bump and not a floor: its Allan
        deviation peaks at 0.617 σ at 1.89 τ; then B is taken for σ, and `tau_s` must be a single time twice.

    Raises
    ------
    ConfigError
        On negative coefficients, and on correlation times that do not increase.
    """

    acc_m_s2: PerAxis = 0.0
    gyro_rad_s: PerAxis = 0.0
    tau_s: tuple[float, float] = (1.0, 3000.0)
    processes: int = 8

    def __post_init__(self) -> None:
        per_axis(self.acc_m_s2, "acc_m_s2")
        per_axis(self.gyro_rad_s, "gyro_rad_s")
        low, high = self.tau_s
        one = self.processes == 1
        if not (low > 0 and math.isfinite(high) and (low == high if one else low < high)):
            raise ConfigError(
                f"tau_s={self.tau_s}: wanted (shortest, longest) correlation time in s, the same twice for one process"
            )
        if self.processes < 1:
            raise ConfigError(f"processes={self.processes}: wanted 1 or more (8 gives a floor)")

    def taus_s(self) -> Floats:
        """Return the correlation times, (n,) · s."""
        return np.geomspace(*self.tau_s, self.processes)

    def start(self, context: Context) -> Step:
        """Return the term at work at the beginning of a recording."""
        steps = {}
        for signal, coefficient in (("acc", self.acc_m_s2), ("gyro", self.gyro_rad_s)):
            b = per_axis(coefficient, "coefficient")
            if b.any():
                taus = self.taus_s()
                sigma = b if self.processes == 1 else b * math.sqrt(math.log(taus[1] / taus[0]) / math.pi)
                steps[signal] = GaussMarkov(taus, sigma, signal, context)
        return (lambda x: x.mapped(steps)) if steps else unchanged


class GaussMarkov:
    """A sum of stationary first-order Gauss–Markov processes for every axis of S sensors, block by block.

    Parameters
    ----------
    taus_s : (n,) · s, correlation times
    sigma : (3,), standard deviation of each process, x, y, z
    signal : name of the random stream
    context : of the recording
    """

    def __init__(self, taus_s: Floats, sigma: Floats, signal: str, context: Context) -> None:
        steps = [max(1, math.floor(tau * context.rate_hz / _STEPS_PER_TAU)) for tau in taus_s]
        phi = np.exp(-np.array(steps) / (np.asarray(taus_s) * context.rate_hz))
        self.lines = SlowLines(phi, np.sqrt(1.0 - phi * phi)[:, None] * sigma, steps, sigma, signal, context)

    def __call__(self, x: Floats, out: Floats) -> None:
        """Write x (T, S, 3) with the next block added into out."""
        self.lines(x, out)


class SlowLines:
    """Slow processes for every axis of S sensors, drawn at nodes and linear between them, block by block.

    Parameters
    ----------
    phi : (P,), what a value keeps from node to node (1: random walk)
    kick : (P, 3), standard deviation of what comes new, x, y, z
    steps : P numbers of samples between nodes
    first : (3,), standard deviation of the first value
    signal : name of the random stream
    context : of the recording
    """

    def __init__(
        self, phi: Floats, kick: Floats, steps: list[int], first: Floats, signal: str, context: Context
    ) -> None:
        self.phi, self.kick, self.steps = phi, np.ascontiguousarray(kick), np.array(steps)
        self.streams = list(context.streams(signal))
        begin = standard_normals(self.streams, 2 * len(steps)).transpose(1, 0, 2)
        self.now = np.ascontiguousarray(begin[::2] * first)
        self.following = phi[:, None, None] * self.now + self.kick[:, None] * begin[1::2]
        self.position = np.array([0] * len(steps) + [-1])
        self.line = np.zeros((2, len(self.streams), 3))

    def __call__(self, x: Floats, out: Floats) -> None:
        """Write x (T, S, 3) with the next block added into out."""
        if out is not x:
            out[...] = x
        needed = int((np.maximum(self.position[:-1] + x.shape[0] - 1, 0) // self.steps).sum())
        normals = standard_normals(self.streams, needed)
        state = self.now, self.following, self.position, self.line
        add_lines(normals, self.phi, self.kick, self.steps, *state, out)
