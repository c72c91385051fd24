"""A sensor that rides a soft mount: its response on a fine grid, and where the search for its mode begins."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from imusim.identification.parameters import Parameters
from imusim.identification.sources import Seen, Source
from imusim.sensor.rocking import GYRATION_M, Mount, Ringing
from imusim.types import Floats

_RATE_HZ = 400.0
_MOST = 600_000  # grid instants; a longer recording has a coarser grid
_FREQUENCIES_HZ = (4.0, 5.5, 7.0, 8.5, 10.0, 11.5, 13.0, 15.0, 18.0, 22.0)
_DAMPINGS = (0.04, 0.12, 0.35)


class Gridded:
    """A source with what its origin sees on a fine uniform grid, where a mount's mode can be run through.

    Parameters
    ----------
    source : any source; NaN (gaps) are bridged by straight lines for the mode's sake
    """

    def __init__(self, source: Source) -> None:
        self._source, self.span = source, source.span
        length = max(source.span[1] - source.span[0], 1e-3)
        self.rate_hz = min(_RATE_HZ, _MOST / length)
        self.grid = source.span[0] + np.arange(int(length * self.rate_hz) + 1) / self.rate_hz
        seen = source.at(self.grid)
        self.seen = Seen(*(_bridged(x) for x in (seen.force, seen.rate, seen.turn)))
        self.moving = None if seen.moving is None else _bridged(seen.moving)

    def at(self, time_s: Floats) -> Seen:
        """Return what is seen at instants (N,) · s."""
        return self._source.at(time_s)

    def slopes(self, time_s: Floats) -> Seen:
        """Return the time derivatives of `at`."""
        return self._source.slopes(time_s)

    def forcing(self, p: Parameters) -> Floats:
        """Return the specific force (G, 3) at the lever arm on the grid."""
        r = p.lever_arm_m
        force = self.seen.force
        if p.body_scale != 1.0 and self.moving is not None:
            force = force + (p.body_scale - 1.0) * self.moving
        return force + np.cross(self.seen.turn, r) + np.cross(self.seen.rate, np.cross(self.seen.rate, r))

    def coordinate(self, p: Parameters, time_s: Floats) -> Floats:
        """Return η, η̇, η̈ (N, 3) of the parameters' mount at instants (N,) · s."""
        assert p.mount is not None
        own = Ringing(p.mount, self.rate_hz).coordinate(self.forcing(p), self.seen.turn)
        return self.between(own, time_s)

    def between(self, values: Floats, time_s: Floats) -> Floats:
        """Interpolate columns (G, K) of the grid at instants (N,): straight lines, 0.4 % at 12 Hz."""
        return np.stack([np.interp(time_s, self.grid, c) for c in values.T], axis=1)


def ridden(
    source: Gridded, p: Parameters, time_s: Floats, force: Floats, rate: Floats
) -> tuple[Floats, Floats]:
    """Return specific force and rate (N, 3), frame axes, of a sensor on the parameters' mount, from those of a rigid one."""
    assert p.mount is not None
    return Ringing(p.mount, source.rate_hz).applied(source.coordinate(p, time_s), force, rate)


def first_modes(source: Gridded, time_s: Floats, residual: Floats, p: Parameters) -> Iterator[Parameters]:
    """Yield parameters with a mount worth trying: for every frequency and damping of a grid the mode that fits best.

    Parameters
    ----------
    source, time_s : the motion side, and the source's instants (N,) · s
    residual : (N, 6), frame axes, what the rigid model leaves

    Notes
    -----
    With u = (f, ρ α) the mode leaves ``−[d, ρ c][d, ρ c]ᵀ s² u/(s² + …)``, acc in d and ρ times the turning in c: a
    linear regression of six outputs on six filtered inputs, of which the dominant symmetric part of rank one is the mode.
    """
    force = source.forcing(p)
    known = np.isfinite(residual).all(axis=1)
    y = residual[known] - residual[known].mean(axis=0)
    y = y * np.array([1.0] * 3 + [GYRATION_M] * 3)
    size = np.sqrt(np.mean(y**2, axis=0)) + 1e-12
    found: list[tuple[float, Parameters]] = []
    inputs = np.hstack([force, GYRATION_M * source.seen.turn])
    zero = np.zeros_like(force)
    for hz in _FREQUENCIES_HZ:
        for damping in _DAMPINGS:
            probe = Ringing(Mount("", hz, damping, (1.0, 0.0, 0.0)), source.rate_hz)
            columns = []
            for k in range(6):
                probe.settle()
                columns.append(probe.coordinate(np.hstack([inputs[:, k : k + 1], zero[:, :2]]), zero)[:, 1:])
            rates = source.between(np.stack([c[:, 0] for c in columns], axis=1), time_s[known])
            accelerations = source.between(np.stack([c[:, 1] for c in columns], axis=1), time_s[known])
            both = np.zeros((6, 6))
            for c in range(6):
                x = accelerations if c < 3 else rates
                x = x - x.mean(axis=0)
                ridge = 1e-3 * np.trace(x.T @ x) / 6.0 * np.eye(6)
                both[c] = np.linalg.solve(x.T @ x + ridge, x.T @ y[:, c])
            values, vectors = np.linalg.eigh(0.5 * (both + both.T))
            shape = vectors[:, -1] * np.sqrt(max(values[-1], 1e-4))
            left = y - np.hstack(
                [
                    np.outer(accelerations @ shape, shape[:3]),
                    np.outer(rates @ shape, shape[3:]),
                ]
            )
            left = left - left.mean(axis=0)
            cost = float(np.sum(np.log(np.sqrt(np.mean(left**2, axis=0)) / size + 1e-12)))
            shift, turn = shape[:3], shape[3:] / GYRATION_M
            mount = Mount("", hz, damping, _three(shift), _three(turn))
            found.append((cost, replace(p, mount=mount)))
    for _, start in sorted(found, key=lambda pair: pair[0])[:3]:
        yield start


def _three(v: Floats) -> tuple[float, float, float]:
    return float(v[0]), float(v[1]), float(v[2])


def _bridged(x: Floats) -> Floats:
    """Columns (G, 3) with NaN filled by straight lines."""
    known = np.isfinite(x).all(axis=1)
    if known.all() or not known.any():
        return np.where(np.isfinite(x), x, 0.0)
    at = np.arange(x.shape[0])
    return np.stack([np.interp(at, at[known], c[known]) for c in x.T], axis=1)
