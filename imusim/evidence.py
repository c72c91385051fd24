"""How much to smooth: settings of the penalised spline that the data make most likely (REML).

The model of one group of channels is ``y = B c + e`` with quintic B-splines B on uniform knots and

* signal: coefficients with prior precision ``(λ/σ²) [w⁻²ᵐ D_mᵀD_m + w⁻²ᵏ D_kᵀD_k]``, differences of order m > k: a
  spectrum that falls like ω⁻²ᵏ up to the corner w (rad per sample) and like ω⁻²ᵐ beyond it. One penalty alone
  (a smoothing spline) would have to have the same slope at 0.3 Hz as at the edge of what the body can do;
* noise: variance σ² × the given relative variances, correlated in time as AR(1) with colour φ (a pose
  estimator that filters its output makes φ > 0).

λ, w, m, k, φ maximise the restricted likelihood; σ² is profiled out. A binned periodogram (Whittle's
approximation) searches everywhere; the exact banded likelihood then decides between the best few and polishes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import lgamma, log

import numpy as np
from numpy.typing import NDArray

from imusim._kernels import pspline as _k
from imusim.types import Floats

ORDERS = ((3, 1), (4, 1), (6, 1), (8, 1), (4, 2), (6, 2), (8, 2), (4, 3), (6, 3))
MOST_COLOUR = 0.95
"""Noise that remembers longer is taken for motion."""
COLOURS = (0.0, 0.3, 0.5, 0.65, 0.8, 0.9)
_CORNERS = np.exp(np.arange(-3.2, 0.61, 0.4))
_STRENGTHS = np.arange(-14.0, 14.1, 2.0)
_LOG_STRENGTH = (-16.0, 18.0)
_COLOUR_PRIOR = 8.0  # −2 log prior of φ is −8 log(1 − φ): a weak pull away from noise that looks like motion
_LINK = 2.5  # samples further apart than this many knot intervals have independent noise
_TRIED = 4  # orders whose settings the exact likelihood polishes
CHUNK = 500  # samples of each stretch that long clips are judged by
_MANY = 30_000  # coefficients; of so many, bands are not kept
FEW = 12  # with fewer samples nothing can be chosen
_OWN_FOUR = 4.0  # numbers that a group of its own costs: order, strength, corner, colour
# No motion is quite stationary, so any two channels differ by an amount that grows with their length. Gains of −2 log
# likelihood a sample: swinging leg, hand-moved chain, unstruck feet at most 0.09; struck feet at least 0.44.
_OWN_SHARE = 0.2
# The same for noise with colour, a sample and channel: clean 30 Hz poses of a chain gain 0.00 to 0.04 and lose the top of
# their motion to it (acc rmse 0.32 instead of 0.26 … 0.30 m/s² against the IMUs); noisy ones at 256 Hz gain 0.10 to 0.17.
_COLOUR_SHARE = 0.03


@dataclass(frozen=True)
class Settings:
    """One choice of the smoothing.

    Parameters
    ----------
    order, low_order : m, k
    log_strength : log λ
    corner : w, rad per knot interval
    colour : φ over one knot interval
    """

    order: int
    low_order: int
    log_strength: float
    corner: float
    colour: float


DEFAULT = Settings(4, 2, 0.0, 0.5, 0.0)
"""For too few samples to choose: a cut-off near a twelfth of the sampling rate, straight lines untouched."""


def low_pass(corner: float) -> Settings:
    """Settings of a given bandwidth: amplitude 1/(1 + ½ (x⁸ + x⁶)), x = ω/corner, corner in rad per knot interval."""
    strength = -log(2.0)
    low, high = corner_limits(4, strength)
    return Settings(4, 3, strength, float(np.exp(np.clip(log(corner), low, high))), 0.0)


def corner_limits(order: int, log_strength: float = 0.0) -> tuple[float, float]:
    """log w between which the normal equations stay well conditioned: λ (2/w)²ᵐ ≤ 10¹²."""
    room = 12.0 * log(10.0) - max(log_strength, 0.0)
    return max(-3.4, log(2.0) - room / (2 * order)), 0.7


def log_volume(n: int, k: int) -> float:
    """log |D_k D_kᵀ| of k-th differences of n values.

    The Gram determinant of polynomials on a grid (discrete Chebyshev norms) over a Vandermonde determinant.
    """
    total = 0.0
    for i in range(k):
        total += 2 * lgamma(i + 1) - lgamma(2 * i + 1) - lgamma(2 * i + 2) + log(n)
        total += sum(log(n * n - j * j) for j in range(1, i + 1))
    return total


class Penalties:
    """Penalty bands and prior determinants for N coefficients; made on demand and shared by all groups."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._bands: dict[tuple[int, int], Floats] = {}
        self._tables: dict[tuple[int, int], tuple[Floats, Floats]] = {}

    def band(self, order: int, count: int | None = None) -> Floats:
        """D_orderᵀ D_order, (N, 9)."""
        n = self.count if count is None else count
        if (order, n) not in self._bands:
            if n > _MANY and len(self._bands) > 1:
                self._bands.clear()
            band = np.empty((n, _k.WIDTH + 1))
            _k.difference_penalty(order, band)
            self._bands[order, n] = band
        return self._bands[order, n]

    def log_determinant(self, order: int, low: int, log_corner: float) -> float:
        """Log pseudo-determinant of w⁻²ᵐ D_mᵀD_m + w⁻²ᵏ D_kᵀD_k = D_kᵀ (w⁻²ᵐ D_{m−k}ᵀD_{m−k} + w⁻²ᵏ I) D_k."""
        if (order, low) not in self._tables:
            x = np.linspace(*corner_limits(order), 24)
            n = self.count - low
            scratch = np.empty((n, _k.WIDTH + 1))
            high, one = self.band(order - low, n), self.band(0, n)
            zero = np.zeros_like(high)
            y = [
                _k.factor(zero, high, float(np.exp(-2 * (order - low) * v)), one, 1.0, scratch)
                - 2 * low * n * v
                for v in x
            ]
            self._tables[order, low] = x, np.array(y) + log_volume(self.count, low)
        x, y = self._tables[order, low]
        return _cubic(x, y, log_corner)


def _cubic(x: Floats, y: Floats, at: float) -> float:
    """Cubic through the four table entries around `at`; x uniform."""
    s = (at - x[0]) / (x[1] - x[0])
    i = int(min(max(np.floor(s) - 1, 0), x.size - 4))
    u = s - i
    a, b, c, d = y[i : i + 4]
    return float(
        -a * (u - 1) * (u - 2) * (u - 3) / 6
        + b * u * (u - 2) * (u - 3) / 2
        - c * u * (u - 1) * (u - 3) / 2
        + d * u * (u - 1) * (u - 2) / 6
    )


def _strengths(s: Settings) -> tuple[float, float]:
    """Factors of the penalties of the high and the low order."""
    strength = np.exp(s.log_strength)
    return float(strength * s.corner ** (-2 * s.order)), float(strength * s.corner ** (-2 * s.low_order))


def drowned(s: Settings, rss: float, total: float) -> bool:
    """Whether a residual sum of squares that is a difference from `total` is lost in its rounding.

    It is off by about the rounding of the largest entries of the matrix.
    """
    a, b = _strengths(s)
    return rss < 1e-12 * total * (1.0 + 4.0**s.order * a + 4.0**s.low_order * b)


class Evidence:
    """Restricted likelihood of one group of channels.

    Parameters
    ----------
    x : (n,), times in knot intervals from the first knot
    y : (n, C), values, near zero mean
    sd : (n,), relative noise sd
    penalties : for as many coefficients as the stretch needs
    floor : variance below which nothing is resolved (rounding of the input)
    """

    def __init__(self, x: Floats, y: Floats, sd: Floats, penalties: Penalties, floor: float) -> None:
        self.x, self.y, self.sd, self.penalties, self.floor = x, y, sd, penalties, floor
        self.scale = float(np.mean(y**2)) + floor
        n = penalties.count
        self._factor = np.empty((n, _k.WIDTH + 1))
        self._z = np.empty((n, y.shape[1]))
        self._normal: dict[float, tuple[Floats, Floats, float, float]] = {}

    def normal(self, colour: float) -> tuple[Floats, Floats, float, float]:
        """Normal equations for noise of that colour: band, right-hand side, Σ y², Σ log v."""
        if colour not in self._normal:
            if len(self._normal) > 12:
                self._normal.clear()
            band = np.empty((self.penalties.count, _k.WIDTH + 1))
            rhs = np.empty((self.penalties.count, self.y.shape[1]))
            self._normal[colour] = (band, rhs, *_k.gram(self.x, self.y, self.sd, colour, _LINK, band, rhs))
        return self._normal[colour]

    def factorise(self, s: Settings) -> tuple[float, float, float]:
        """Factor for the settings: log|A|, residual sum of squares (penalised), Σ log v."""
        band, rhs, total, log_v = self.normal(s.colour)
        a, b = _strengths(s)
        log_a = _k.factor(
            band, self.penalties.band(s.order), a, self.penalties.band(s.low_order), b, self._factor
        )
        if not np.isfinite(log_a):
            return np.inf, np.inf, log_v
        rss = total - _k.forward(self._factor, rhs, self._z)
        if drowned(s, rss, total):
            rss = self.misfit(s, self.y, self.solution()[0])
        return log_a, rss, log_v

    def misfit(self, s: Settings, y: Floats, c: Floats) -> float:
        """Residual sum of squares (penalised) of values y (n, C) at coefficients c (N, C), from the residuals."""
        a, b = _strengths(s)
        return _k.misfit(self.x, y, self.sd, s.colour, _LINK, c, s.order, a, s.low_order, b)

    def variance(self, s: Settings) -> float:
        """Profiled noise variance of the settings just factorised."""
        n, channels = self.y.shape
        rss = self.factorise(s)[1]
        return (max(rss, 0.0) + n * channels * self.floor) / (channels * max(n - s.low_order, 1))

    def solution(self) -> tuple[Floats, Floats]:
        """Coefficients (N, C) and the factor (N, 9) of the settings just factorised."""
        c = self._z.copy()
        _k.backward(self._factor, c)
        return c, self._factor

    def cost(self, s: Settings) -> float:
        """−2 log restricted likelihood − 2 log prior, up to a constant."""
        log_a, rss, log_v = self.factorise(s)
        if not np.isfinite(log_a):
            return np.inf
        n, channels = self.y.shape
        k = s.low_order
        variance = (max(rss, 0.0) + n * channels * self.floor) / (channels * max(n - k, 1))
        prior = self.penalties.log_determinant(s.order, k, float(np.log(s.corner)))
        prior += (self.penalties.count - k) * s.log_strength
        # the k polynomials without a prior are given a wide one, so that orders can be compared
        wide = k * np.log(10.0 * self.scale * self.penalties.count)
        one = (n - k) * np.log(variance) + wide + log_a - prior + log_v
        return channels * one - _COLOUR_PRIOR * np.log1p(-s.colour)


def choose(stretches: list[Evidence], colour: float | None = None) -> Settings:
    """Return the most likely settings for one group, judged by one or more stretches of its clip.

    Parameters
    ----------
    stretches : of one group
    colour : φ over one knot interval where the source's noise is known; None: chosen too
    """
    n = sum(e.y.shape[0] for e in stretches)
    if n < FEW:
        return DEFAULT
    starts = _candidates(stretches, COLOURS if colour is None else (colour,))
    known = colour is not None

    price = 0.0 if known else _COLOUR_SHARE * sum(e.y.size for e in stretches)

    def cost(s: Settings) -> float:
        return sum(e.cost(s) for e in stretches) + (price if s.colour > 0 else 0.0)

    ranked = [s for _, _, s in sorted((cost(s), i, s) for i, s in enumerate(starts))]
    # one start for each order: the grid is coarse, and all colours of an order end at the same place
    tried: dict[tuple[int, int], Settings] = {}
    for s in ranked:
        tried.setdefault((s.order, s.low_order), s)
    best_cost, best = min(
        (polish(cost, s, known) for s in list(tried.values())[:_TRIED]), key=lambda found: found[0]
    )
    if best.colour > 0 and not known:
        best_cost, best = min(
            (best_cost, best), polish(cost, replace(best, colour=0.0)), key=lambda found: found[0]
        )
    return best


def choose_alike(groups: list[list[Evidence]], colour: float | None = None) -> list[Settings]:
    """Return the settings of groups that share one choice, unless each on its own is clearly more likely.

    What a group of its own gains has to pay for its numbers (Schwarz 1978) and for what stationary models always gain.
    """
    own = [choose(stretches, colour) for stretches in groups]
    n = sum(e.y.shape[0] for e in groups[0])
    if len(groups) < 2 or n < FEW:
        return own
    shared = choose([e for stretches in groups for e in stretches], colour)
    gain = sum(
        e.cost(shared) - e.cost(s) for stretches, s in zip(groups, own, strict=True) for e in stretches
    )
    price = (len(groups) - 1) * (_OWN_FOUR * log(n) + _OWN_SHARE * n)
    return own if gain > price else [shared] * len(groups)


def _candidates(stretches: list[Evidence], colours: tuple[float, ...]) -> list[Settings]:
    """The best strength and corner of every order and colour, by the periodogram."""
    power, count, frequency = _periodogram(stretches)
    orders = np.array(ORDERS, dtype=np.int64)
    shape = (len(ORDERS), len(colours), _CORNERS.size, _STRENGTHS.size)
    score = np.empty(shape)
    _k.whittle(power, count, frequency, orders, _CORNERS, _STRENGTHS, np.array(colours), score)
    for i, (m, _) in enumerate(ORDERS):
        for j, strength in enumerate(_STRENGTHS):
            score[i][:, np.log(_CORNERS) < corner_limits(m, strength)[0], j] = np.inf
    flat = score.reshape(shape[0], shape[1], -1)
    where = flat.argmin(axis=2)
    value = np.take_along_axis(flat, where[..., None], axis=2)[..., 0]
    # a colour is worth an exact look only if it is not clearly worse than the best of its order
    keep = value <= value.min(axis=1, keepdims=True) + 0.03 * count.sum()
    keep[:, 0] = True  # the least colour
    out = []
    for o, q in zip(*np.nonzero(keep), strict=True):
        w, l = divmod(int(where[o, q]), _STRENGTHS.size)
        m, k = ORDERS[o]
        out.append(Settings(m, k, float(_STRENGTHS[l]), float(_CORNERS[w]), colours[q]))
    return out


def _periodogram(stretches: list[Evidence]) -> tuple[Floats, Floats, Floats]:
    """Mean power over channels and stretches, Hann taper, in about 150 bins: power, bins merged, rad per knot."""
    total, n = 0.0, min(max(round(float(e.x[-1] - e.x[0])) + 1, 4) for e in stretches)
    taper = 0.5 - 0.5 * np.cos(2 * np.pi * (np.arange(n) + 0.5) / n)
    for e in stretches:
        at = e.x[0] + np.arange(n)
        y = np.stack([np.interp(at, e.x, column) for column in e.y.T], axis=1)
        line = np.stack([np.ones(n), np.linspace(-1, 1, n)], axis=1)
        y = y - line @ np.linalg.lstsq(line, y, rcond=None)[0]
        f = np.fft.rfft(y * taper[:, None], axis=0)
        total = total + (f.real**2 + f.imag**2).mean(axis=1) / (taper**2).sum() + e.floor
    power = np.asarray(total) / len(stretches)
    first = min(2, power.size - 2)  # the taper smears the trend over the first bins
    frequency = 2 * np.pi * np.arange(power.size) / n
    edges = np.unique(
        np.concatenate(
            [np.arange(first, min(60, power.size)), np.linspace(first, power.size, 100).astype(int)]
        )
    )
    edges = edges[(edges >= first) & (edges < power.size)]
    count = np.diff(np.append(edges, power.size)).astype(np.float64)
    return np.add.reduceat(power, edges) / count, count, np.add.reduceat(frequency, edges) / count


def polish(cost, start: Settings, colour_known: bool = False) -> tuple[float, Settings]:
    """Nelder and Mead's simplex (1965) over log λ, log w and, if the noise has colour that is not known, φ."""
    free = 3 if start.colour > 0 and not colour_known else 2

    def settings(p: NDArray[np.float64]) -> Settings:
        strength = float(np.clip(p[0], *_LOG_STRENGTH))
        return Settings(
            start.order,
            start.low_order,
            strength,
            float(np.exp(np.clip(p[1], *corner_limits(start.order, strength)))),
            float(np.clip(p[2], 0.0, MOST_COLOUR)) if free == 3 else start.colour,
        )

    def f(p: NDArray[np.float64]) -> float:
        return cost(settings(p))

    origin = np.array([start.log_strength, np.log(start.corner), start.colour][:free])
    step = np.array([1.2, 0.25 if start.corner < 1.5 else -0.25, 0.08])[:free]
    simplex = [origin, *(origin + step * e for e in np.eye(free))]
    values = [f(p) for p in simplex]
    for _ in range(40):
        order = np.argsort(values)
        simplex, values = [simplex[i] for i in order], [values[i] for i in order]
        if values[-1] - values[0] < 0.3:  # a tenth of a standard deviation of the settings
            break
        centre = np.mean(simplex[:-1], axis=0)
        p = 2.0 * centre - simplex[-1]
        v = f(p)
        if v < values[0]:
            q = 3.0 * centre - 2.0 * simplex[-1]
            u = f(q)
            simplex[-1], values[-1] = (q, u) if u < v else (p, v)
        elif v < values[-2]:
            simplex[-1], values[-1] = p, v
        else:
            q = 0.5 * (centre + (p if v < values[-1] else simplex[-1]))
            u = f(q)
            if u < min(v, values[-1]):
                simplex[-1], values[-1] = q, u
            else:
                simplex = [simplex[0], *(0.5 * (simplex[0] + s) for s in simplex[1:])]
                values = [values[0], *(f(s) for s in simplex[1:])]
    i = int(np.argmin(values))
    return values[i], settings(simplex[i])
