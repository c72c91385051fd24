"""Impacts: velocity that jumps, which a smooth spline would erase.

At an impact the velocity changes by Δv within some milliseconds. Between samples 10 to 30 ms apart that is a kink in the
position, and smoothing rounds it off. If the instants are known (foot contacts, say), the kinks can be kept:

    y(t) = smooth(t) + Σ_k Δv_k ψ(t − t_k) + noise,

ψ'' being a half sine of unit area and the impact's duration less its smooth share,
with Δv estimated together with the smooth part (`trajectory.Trajectory(impacts_s=...)`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from imusim.errors import ConfigError, TimeError
from imusim.evidence import FEW, ORDERS, Evidence, Penalties, Settings, corner_limits, drowned, polish
from imusim.smoothing import SmoothResult, smooth
from imusim.types import Floats, as_floats

_WIDE_S = 0.4


def response(time_s: ArrayLike, impact_s: ArrayLike, duration_s: float) -> Floats:
    """Return ψ and its derivatives: position, velocity and acceleration of a velocity jump of 1 m/s at each impact.

    ψ'' is a half sine of unit area, ``π/(2 d) sin(π u/d)`` for 0 ≤ u ≤ d, u = t − t_k, less a raised cosine of unit
    area about the same middle and 0.8 s wide, which the smooth part has to offer anyway. So ψ is local, at most 0.1 m,
    and not a ramp that never ends.

    Parameters
    ----------
    time_s : (T,) · s
    impact_s : (K,) · s, beginnings
    duration_s : d · s

    Returns
    -------
    (3, T, K)
    """
    u = np.asarray(time_s, dtype=np.float64)[:, None] - np.asarray(impact_s, dtype=np.float64)
    x = np.clip(u / duration_s, 0.0, 1.0)
    a = np.where((u >= 0) & (u <= duration_s), np.pi / (2 * duration_s) * np.sin(np.pi * x), 0.0)
    v = 0.5 * (1.0 - np.cos(np.pi * x))
    p = 0.5 * duration_s * (x - np.sin(np.pi * x) / np.pi) + np.maximum(u - duration_s, 0.0)
    w = np.clip((u - 0.5 * duration_s) / _WIDE_S, -1.0, 1.0)  # −1 … 1 across the raised cosine
    a -= (1.0 + np.cos(np.pi * w)) / (2 * _WIDE_S)
    v -= 0.5 * (1.0 + w + np.sin(np.pi * w) / np.pi)
    p -= _WIDE_S * (0.25 * (1.0 + w) ** 2 - (1.0 + np.cos(np.pi * w)) / (2 * np.pi**2))
    p -= np.maximum(u - 0.5 * duration_s - _WIDE_S, 0.0)
    return np.stack([p, v, a])


def check_impacts(impacts_s: ArrayLike, duration_s: float) -> Floats:
    """Return impact times (K,) · s, sorted; raise if they or the duration make no sense."""
    t = np.sort(as_floats(impacts_s, "impacts_s", (None,)))
    if not np.isfinite(t).all():
        raise TimeError("impacts_s has values that are not finite")
    if not 0 < duration_s < 1:
        raise ConfigError(
            f"impact_duration_s={duration_s!r}: wanted a positive time below 1 s (a heel strike: 0.01 … 0.04)"
        )
    if t.size > 1 and np.diff(t).min() < duration_s:
        raise TimeError(
            f"two impacts are {np.diff(t).min():.3g} s apart, closer than their duration of {duration_s:g} s"
        )
    return t


class _Struck(Evidence):
    """Restricted likelihood with the jumps as further unknowns of every channel; white noise.

    With P the projection that the smoother leaves, ``Δv = (ΦᵀPΦ)⁻¹ ΦᵀPy``; the residual sum of squares falls by
    ``yᵀPΦ Δv`` and the likelihood gains ``log |ΦᵀPΦ|`` (Patterson and Thompson 1971).
    """

    def __init__(self, x: Floats, y: Floats, phi: Floats, floor: float) -> None:
        intervals = max(int(np.ceil(x[-1] - 1e-6)), 1)
        both = np.ascontiguousarray(np.concatenate([y, phi - phi.mean(axis=0)], axis=1))
        super().__init__(x, both, np.ones(x.size), Penalties(intervals + 5), floor)
        self.channels = y.shape[1]
        self.scale = float(np.mean(y**2)) + floor
        self.products = both.T @ both

    def jumps(self, s: Settings) -> tuple[Floats, float, float, float]:
        """Jumps (K, C), residual sum of squares, log |ΦᵀPΦ|, log |A|."""
        log_a = self.factorise(s)[0]
        if not np.isfinite(log_a):
            return np.zeros((self.y.shape[1] - self.channels, self.channels)), np.inf, np.inf, np.inf
        left = self.products - self._z.T @ self._z
        c = self.channels
        normal, mixed = left[c:, c:], left[c:, :c]
        try:
            root = np.linalg.cholesky(normal)
        except np.linalg.LinAlgError:
            return np.zeros_like(mixed), np.inf, np.inf, np.inf
        jump = np.asarray(np.linalg.solve(normal, mixed), dtype=np.float64)
        rss = float(np.trace(left[:c, :c]) - np.sum(mixed * jump))
        if drowned(s, rss, float(np.trace(self.products[:c, :c]))):
            smooth_part = self.solution()[0]
            rss = self.misfit(
                s, self.y[:, :c] - self.y[:, c:] @ jump, smooth_part[:, :c] - smooth_part[:, c:] @ jump
            )
        return jump, rss, 2.0 * float(np.log(np.diag(root)).sum()), log_a

    def cost(self, s: Settings) -> float:
        """−2 log restricted likelihood, up to a constant."""
        _, rss, log_jumps, log_a = self.jumps(s)
        if not np.isfinite(log_a):
            return np.inf
        n, total = self.y.shape
        k, free = s.low_order, n - s.low_order - (total - self.channels)
        variance = (max(rss, 0.0) + n * self.channels * self.floor) / (self.channels * max(free, 1))
        prior = self.penalties.log_determinant(s.order, k, float(np.log(s.corner)))
        prior += (self.penalties.count - k) * s.log_strength
        wide = k * np.log(10.0 * self.scale * self.penalties.count)
        return self.channels * (free * np.log(variance) + wide + log_a - prior + log_jumps)


def smooth_with_impacts(
    time_s: Floats, values: Floats, impacts_s: Floats, duration_s: float
) -> tuple[SmoothResult, Floats]:
    """Smooth channels that share their settings, and estimate what jumps at the impacts.

    Settings and jumps together by restricted likelihood, the noise taken for white.

    Parameters
    ----------
    time_s : (n,) · s
    values : (n, C), in m for jumps in m/s
    impacts_s : (K,) · s
    duration_s : of an impact · s

    Returns
    -------
    result : the smooth part
    jump : (K, C), Δv, in values' unit per s

    Raises
    ------
    TimeError
        If there are too few samples for so many impacts.
    """
    together = np.zeros(values.shape[1], dtype=np.int64)
    inside = (impacts_s > time_s[0]) & (impacts_s + duration_s < time_s[-1])
    jump = np.zeros((impacts_s.size, values.shape[1]))
    if not inside.any():
        return smooth(time_s, values, groups=together), jump
    if time_s.size < FEW + 4 * int(inside.sum()):
        raise TimeError(
            f"{int(inside.sum())} impacts in {time_s.size} samples: wanted at least {FEW + 4 * int(inside.sum())} samples"
        )
    phi = response(time_s, impacts_s[inside], duration_s)[0]
    spacing = float(np.median(np.diff(time_s)))
    floor = float((1e-11 * max(1.0, np.abs(values).max())) ** 2)
    evidence = _Struck((time_s - time_s[0]) / spacing, values - values.mean(axis=0), phi, floor)
    grid = [
        Settings(m, k, strength, float(corner), 0.0)
        for m, k in ORDERS
        for corner in np.exp(np.arange(-3.2, 0.61, 0.6))
        for strength in (-4.0, 0.0, 4.0, 8.0)
        if np.log(corner) >= corner_limits(m, strength)[0]
    ]
    starts = sorted(grid, key=evidence.cost)[:3]
    best = min((polish(evidence.cost, s) for s in starts), key=lambda found: found[0])[1]
    jump[inside] = evidence.jumps(best)[0]
    chosen = {
        "order": best.order,
        "low_order": best.low_order,
        "corner_hz": best.corner / (2.0 * np.pi * spacing),
        "log_strength": best.log_strength,
        "noise_colour": 0.0,
    }
    return smooth(time_s, values - phi @ jump[inside], groups=together, chosen=[chosen]), jump
