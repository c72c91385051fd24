"""Gauss–Newton on one sensor, with a covariance that knows that residuals are correlated in time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import fdtri, stdtrit

from imusim.identification import start as start_
from imusim.identification.autoregression import autocovariance, autoregression, stretches
from imusim.identification.covariance import Residuals, covariance, unidentified
from imusim.identification.model import corrected, linearise, predict, seen_there
from imusim.identification.parameters import BLOCKS, Parameters, names_of, numbers_of
from imusim.identification.soft import Gridded, first_modes
from imusim.identification.sources import Source
from imusim.sensor.rocking import Mount
from imusim.types import Floats

_ITERATIONS = 40
_ROUGH = ("time", "rotation", "bias")
_ROUGH_ITERATIONS = 8
_ROUGH_SAMPLES = 3_000
_MOST_SAMPLES = 16_000
_STRETCHES = 20
_LEAST = 12  # samples that a fit needs beyond its parameters
# No model is quite right, so any mode gains in proportion to the samples. −2 log likelihood a sample: a swinging leg and
# a rigid chain at most 0.09, the same chain on foam at least 0.35.
_SOFT_SHARE = 0.1
_FLOOR = 1e-9  # least residual sd, m/s² and rad/s


@dataclass(frozen=True)
class Fit:
    """What one sensor's alignment found.

    Parameters
    ----------
    parameters : the estimate
    blocks : what was estimated
    names : names of the numbers estimated, (P,)
    covariance : (P, P), of those numbers; rotations as turns about the real sensor's axes · rad
    freedom : (P,), degrees of freedom of its diagonal: how much residual noise told how loud it is
    residual_sd : root mean square residual of acc · m/s² and gyro · rad/s
    samples : instants used
    unidentified : directions that the data do not tell, in words
    converged : whether Gauss–Newton came to rest
    """

    parameters: Parameters
    blocks: tuple[str, ...]
    names: tuple[str, ...]
    covariance: Floats
    freedom: Floats
    residual_sd: tuple[float, float]
    samples: int
    unidentified: tuple[str, ...]
    converged: bool

    def sd(self, name: str) -> float:
        """Return the standard deviation of a number, 0 if it was not estimated."""
        if name not in self.names:
            return 0.0
        i = self.names.index(name)
        return float(np.sqrt(self.covariance[i, i]))

    def half_width(self, name: str, level: float = 0.95) -> float:
        """Return half the width of a number's interval at this level, by Student's t; 0 if it was not estimated."""
        if name not in self.names:
            return 0.0
        return self.sd(name) * float(stdtrit(self.freedom[self.names.index(name)], 0.5 + 0.5 * level))

    def holds(self, names: Sequence[str], error: Floats, level: float = 0.95) -> bool:
        """Return whether the joint region of some numbers, an ellipsoid of this probability, holds an error (K,).

        Hotelling's T² with the harmonic mean of their degrees of freedom: whatever axes a vector is written in, it is the
        same region.
        """
        at = [self.names.index(name) for name in names]
        k, freedom = len(at), float(1.0 / np.mean(1.0 / self.freedom[at]))
        if freedom <= k:
            return True
        rest = freedom - k + 1.0
        distance = float(error @ np.linalg.solve(self.covariance[np.ix_(at, at)], error))
        return distance <= k * freedom / rest * float(fdtri(k, rest, level))


def solve(
    source: Source,
    time_s: Floats,
    values: Floats,
    blocks: Sequence[str],
    *,
    max_offset_s: float | None = None,
    hints: Sequence[float] = (),
) -> Fit | None:
    """Find one sensor's parameters, by maximum likelihood; None if source and readings do not overlap.

    Parameters
    ----------
    source : what a perfect sensor at the frame's origin would read
    time_s, values : (N,) · s and (N, 6), acc and gyro as read, NaN where unknown or saturated
    blocks : what may differ, of `BLOCKS`
    max_offset_s : largest time offset looked for · s
    hints : more time offsets to start from · s
    """
    blocks = tuple(block for block in BLOCKS if block in blocks)
    begun = begin(source, time_s, values, blocks, max_offset_s=max_offset_s, hints=hints)
    if begun is None:
        return None
    used = thinned(time_s, _MOST_SAMPLES)
    t, y = time_s[used], values[used]
    rigid = tuple(b for b in blocks if b != "softtissue")
    p, _, converged = _descend(source, t, y, begun, rigid, _ITERATIONS)
    said: tuple[str, ...] = ()
    if rigid != blocks:
        gridded = Gridded(source)
        soft, rested = _softened(gridded, t, y, p, blocks)
        n = float(np.isfinite(y).any(axis=1).sum())
        more = len(BLOCKS["softtissue"][0]) * np.log(n) + _SOFT_SHARE * n
        if _whitened(t, y - predict(gridded, t, soft)) + more < _whitened(t, y - predict(source, t, p)):
            source, p, converged = gridded, soft, rested
        else:
            blocks, said = rigid, ("no soft mount: these data are not more likely with one",)
    prediction, jacobian = linearise(source, t, p, blocks)
    residual = y - prediction
    state = Residuals(t, residual, jacobian, _sigmas(residual))
    cov, freedom = covariance(state, numbers_of(blocks, 1))
    return Fit(
        p,
        blocks,
        names_of(blocks),
        cov,
        freedom,
        (float(state.sigma[0]), float(state.sigma[3])),
        int(np.isfinite(residual).any(axis=1).sum()),
        said + unidentified(names_of(blocks), cov, numbers_of(blocks, 2)),
        converged,
    )


def _whitened(t: Floats, residual: Floats) -> float:
    """−2 log likelihood of residuals (N, 6) that are an autoregression in each channel, its orders paid for."""
    pieces, total = stretches(t), 0.0
    for c in range(6):
        known = np.isfinite(residual[:, c])
        x = np.where(known, residual[:, c], 0.0)
        n = int(known.sum())
        if n > _LEAST:
            shape, variance = autoregression(
                autocovariance([x[p] for p in pieces], [known[p] for p in pieces]), n
            )
            total += n * float(np.log(variance)) + 2.0 * shape.size
    return total


def _softened(
    source: Gridded, t: Floats, y: Floats, rigid: Parameters, blocks: tuple[str, ...]
) -> tuple[Parameters, bool]:
    """The parameters with a soft mount, from the best few starts; the rigid estimate is where they begin."""
    at = rigid.source_time(t)
    force, rate = seen_there(source, at, rigid)
    left = corrected(y, rigid) - np.hstack([force, rate])
    prior = 1.0 / numbers_of(blocks, 1) ** 2
    best: tuple[float, Parameters, bool] | None = None
    for start in first_modes(source, at, left, rigid):
        start, _, _ = _descend(source, t, y, start, ("bias", "softtissue"), _ROUGH_ITERATIONS)
        cost = _cost(y - predict(source, t, start), start, blocks, prior)
        if best is None or cost < best[0]:
            best = cost, start, False
    if best is None:
        return replace(rigid, mount=Mount()), False
    p, _, converged = _descend(source, t, y, best[1], blocks, _ITERATIONS)
    return p, converged


def begin(
    source: Source,
    time_s: Floats,
    values: Floats,
    blocks: Sequence[str],
    *,
    max_offset_s: float | None = None,
    hints: Sequence[float] = (),
) -> Parameters | None:
    """Return time offset, rotation and bias roughly, of those asked for; None if source and readings do not overlap.

    Every candidate offset is followed downhill on some of the samples; the one with the least residual is kept.
    """
    rough = tuple(b for b in blocks if b in _ROUGH)
    rest = Parameters(time_reference_s=float(0.5 * (time_s[0] + time_s[-1])))
    used = thinned(time_s, _ROUGH_SAMPLES)
    t, y = time_s[used], values[used]
    found: tuple[float, Parameters] | None = None
    for p in _starts(source, time_s, values, t, y, rest, rough, max_offset_s, hints):
        p, cost, _ = _descend(source, t, y, p, rough, _ROUGH_ITERATIONS)
        if np.isfinite(cost) and (found is None or cost < found[0] - 1e-9):
            found = cost, p
    return None if found is None else found[1]


def thinned(time_s: Floats, most: int) -> NDArray[np.int64]:
    """Return the samples to use: all, or of a long recording stretches that are spread evenly over it."""
    n = time_s.size
    if n <= most:
        return np.arange(n)
    length = most // _STRETCHES
    first = np.linspace(0, n - length, _STRETCHES).astype(np.int64)
    return np.unique((first[:, None] + np.arange(length)).ravel())


def _starts(
    source: Source,
    time_s: Floats,
    values: Floats,
    t: Floats,
    y: Floats,
    rest: Parameters,
    blocks: tuple[str, ...],
    max_offset_s: float | None,
    hints: Sequence[float],
) -> list[Parameters]:
    shifts = np.zeros(1)
    if "time" in blocks:
        shifts = start_.offsets(
            source, time_s, values, turned="rotation" in blocks, max_offset_s=max_offset_s
        )
        new = [h for h in hints if not (np.abs(shifts - h) < 0.02).any()]
        shifts = np.concatenate([shifts, new])
    out = []
    for shift in shifts:
        p = replace(rest, time_offset_s=float(shift))
        if "rotation" in blocks and np.isfinite(predict(source, t, p)).any():
            p = replace(p, rotation_wxyz=start_.rotation(predict(source, t, p), y, biased="bias" in blocks))
        out.append(p)
    return out


def _descend(
    source: Source, t: Floats, y: Floats, p: Parameters, blocks: tuple[str, ...], most: int
) -> tuple[Parameters, float, bool]:
    """Levenberg–Marquardt; parameters, cost, whether it came to rest."""
    prior = 1.0 / numbers_of(blocks, 1) ** 2
    free = np.array([name.startswith(("time", "rotation")) for name in names_of(blocks)], dtype=bool)
    cost = _cost(y - predict(source, t, p), p, blocks, prior)
    if not blocks or not np.isfinite(cost):
        return p, cost, np.isfinite(cost)
    damping = 1e-6
    for _ in range(most):
        prediction, jacobian = linearise(source, t, p, blocks)
        residual = y - prediction
        known = np.isfinite(residual)
        scaled = np.where(known, residual, 0.0) / _sigmas(residual)
        j = (np.where(known[:, :, None], jacobian, 0.0) / _sigmas(residual)[:, None]).reshape(
            -1, jacobian.shape[2]
        )
        information = j.T @ j
        gradient = j.T @ scaled.ravel() - np.where(free, 0.0, prior * p.deviation(blocks))
        information[np.diag_indices_from(information)] += prior
        size = np.inf
        for _ in range(8):
            damped = information + damping * np.diag(np.diag(information))
            step: Floats = np.asarray(np.linalg.solve(damped, gradient), dtype=np.float64)
            trial = p.moved(step, blocks)
            new = _cost(y - predict(source, t, trial), trial, blocks, prior)
            if np.isfinite(new) and new <= cost + 1e-12 * abs(cost):
                size = float(np.sqrt(np.mean(step**2 * np.diag(information))))
                p, cost, damping = trial, new, max(damping * 0.1, 1e-9)
                break
            damping = max(damping * 10.0, 1e-4)
        if size < 1e-3 or np.isinf(size):  # at rest, or no direction is downhill any more
            return p, cost, True
    return p, cost, False


def _sigmas(residual: Floats) -> Floats:
    """Root mean square residual of acc and gyro, (6,)."""
    sizes = []
    for part in (residual[:, :3], residual[:, 3:]):
        known = part[np.isfinite(part)]
        sizes += [max(float(np.sqrt(np.mean(known**2))) if known.size else 1.0, _FLOOR)] * 3
    return np.array(sizes)


def _cost(residual: Floats, p: Parameters, blocks: tuple[str, ...], prior: Floats) -> float:
    """Minus twice the log-likelihood per number with the noise profiled out; ∞ with too little overlap."""
    known = np.isfinite(residual)
    count = int(known.sum())
    rows = int(known.any(axis=1).sum())
    if rows < _LEAST + prior.size // 3 or rows < 0.3 * np.isfinite(residual).shape[0]:
        return np.inf
    sigma = _sigmas(residual)
    total = sum(float(known[:, c].sum()) * 2.0 * np.log(sigma[c]) for c in range(6)) / count
    return total + float(prior @ p.deviation(blocks) ** 2) / count
