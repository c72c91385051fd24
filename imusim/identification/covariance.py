"""How well parameters are known when residuals are correlated in time, and which directions are not known at all.

The estimate weighs all samples alike, so with residual covariance Γ (stationary in each channel, by an
autoregressive model of the residuals) its covariance is ``H⁻¹ (Jᵀ W Γ W J + Λ) H⁻¹`` with ``H = Jᵀ W J + Λ``: the
sandwich of
White and of Newey and West, with a parametric spectrum in the middle. Λ is the prior's precision.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.linalg import solve_toeplitz
from scipy.signal import lfilter

from imusim.types import Floats

_ORDERS = (0, 1, 2, 3, 4, 6, 8, 12, 16, 24)
_DRAWS, _BURN = 12, 400


@dataclass(frozen=True)
class Residuals:
    """Residuals of one sensor.

    Parameters
    ----------
    time_s : (N,) · s
    residual : (N, 6), NaN where unknown
    jacobian : (N, 6, P)
    sigma : (6,), their root mean squares
    """

    time_s: Floats
    residual: Floats
    jacobian: Floats
    sigma: Floats


def covariance(state: Residuals, prior_sd: Floats) -> Floats:
    """Return the covariance (P, P) of the parameters."""
    count = prior_sd.size
    if count == 0:
        return np.zeros((0, 0))
    known = np.isfinite(state.residual)
    residual = np.where(known, state.residual, 0.0) / state.sigma
    jacobian = np.where(known[:, :, None], state.jacobian, 0.0) / state.sigma[:, None]
    prior = np.diag(1.0 / prior_sd**2)
    flat = jacobian.reshape(-1, count)
    information = flat.T @ flat + prior
    inverse: Floats = np.asarray(np.linalg.inv(information), dtype=np.float64)
    middle = prior.copy()
    pieces = stretches(state.time_s)
    lags = [autocovariance([residual[p, c] for p in pieces], [known[p, c] for p in pieces]) for c in range(6)]
    counts = known.sum(axis=0)
    models = [autoregression(x, int(n)) for x, n in zip(lags, counts, strict=True)]
    taken = _taken(models, jacobian, inverse, known, pieces)
    for c in range(6):
        n = int(counts[c])
        if n < 4:
            continue
        shape, variance = autoregression(lags[c] + taken[c], n)
        for p in pieces:
            size = 1 << int(np.ceil(np.log2(2 * (p.stop - p.start))))
            spectrum = variance / np.abs(np.fft.rfft(np.concatenate([[1.0], -shape]), size)) ** 2
            seen = np.fft.rfft(jacobian[p, c], size, axis=0)
            weight = np.full(spectrum.size, 2.0)
            weight[0] = 1.0
            weight[-1] = 1.0
            middle += np.real((seen.conj() * (spectrum * weight)[:, None]).T @ seen) / size
    out = inverse @ middle @ inverse
    return 0.5 * (out + out.T)


def _taken(
    models: Sequence[tuple[Floats, float]],
    jacobian: Floats,
    inverse: Floats,
    known: np.ndarray,
    pieces: Sequence[slice],
) -> list[Floats]:
    """What the fit takes away of each channel's autocovariance (6 × (L + 1,)).

    Slow noise looks much like slow parameters (biases), so residuals have less of it than the noise had. Noise of the
    first models is drawn, projected as the residuals were, and the mean loss returned (parametric bootstrap).
    """
    rng = np.random.default_rng(0)
    n, _, count = jacobian.shape
    flat = jacobian.reshape(-1, count)
    loss: list[Floats] = []
    for draw in range(_DRAWS):
        noise = np.empty((n, 6))
        for c, (shape, variance) in enumerate(models):
            white = np.sqrt(variance) * rng.standard_normal(n + _BURN)
            noise[:, c] = np.asarray(lfilter([1.0], np.concatenate([[1.0], -shape]), white))[_BURN:]
        noise[~known] = 0.0
        left = noise - (flat @ (inverse @ (flat.T @ noise.ravel()))).reshape(n, 6)
        left[~known] = 0.0
        for c in range(6):
            masks = [known[p, c] for p in pieces]
            lost = autocovariance([noise[p, c] for p in pieces], masks) - autocovariance(
                [left[p, c] for p in pieces], masks
            )
            if draw == 0:
                loss.append(lost / _DRAWS)
            else:
                loss[c] += lost / _DRAWS
    return loss


def stretches(time_s: Floats) -> list[slice]:
    """Runs of samples without a gap."""
    if time_s.size < 2:
        return [slice(0, time_s.size)]
    steps = np.diff(time_s)
    cuts = np.flatnonzero(steps > 1.8 * np.median(steps)) + 1
    bounds = np.concatenate([[0], cuts, [time_s.size]])
    return [slice(int(a), int(b)) for a, b in pairwise(bounds)]


def autocovariance(parts: Sequence[Floats], known: Sequence[np.ndarray]) -> Floats:
    """Autocovariance at lags 0 … L of several stretches, zeros where unknown: (L + 1,), tapered by its pair counts."""
    total = sum(p.size for p in parts)
    most = int(min(_ORDERS[-1], max(1, total // 12), max(p.size for p in parts) - 1))
    sums = np.zeros(most + 1)
    counts = np.zeros(most + 1)
    for x, k in zip(parts, known, strict=True):
        for lag in range(min(most, x.size - 1) + 1):
            sums[lag] += x[lag:] @ x[: x.size - lag]
            counts[lag] += np.count_nonzero(k[lag:] & k[: k.size - lag])
    return sums / np.maximum(counts[0], 1.0)


def autoregression(lags: Floats, n: int) -> tuple[Floats, float]:
    """Coefficients (p,) and innovation variance of the autoregression that Akaike's criterion likes best."""
    best = (np.inf, np.zeros(0), max(float(lags[0]), 1e-30))
    for order in _ORDERS:
        if order >= lags.size:
            break
        if order == 0:
            shape, variance = np.zeros(0), float(lags[0])
        else:
            column = lags[:order] * (1.0 + 1e-9 * (np.arange(order) == 0))
            try:
                shape = np.asarray(solve_toeplitz(column, lags[1 : order + 1]), dtype=np.float64)
            except np.linalg.LinAlgError:  # no such process: nothing was read, or the lags are of no spectrum
                break
            variance = float(lags[0] - shape @ lags[1 : order + 1])
        variance = max(variance, 1e-12 * float(lags[0]), 1e-30)
        score = n * np.log(variance) + 2.0 * order
        if score < best[0]:
            best = (score, shape, variance)
    return best[1], best[2]


def unidentified(names: Sequence[str], cov: Floats, scale: Floats) -> tuple[str, ...]:
    """Return the directions, in words, along which the standard deviation is beyond `scale` (P,).

    They are eigenvectors of the covariance in units of the scale: the small eigenvalues of the information.
    """
    if cov.size == 0:
        return ()
    values, vectors = np.linalg.eigh(cov / np.outer(scale, scale))
    said = []
    for value, vector in zip(values[::-1], vectors.T[::-1], strict=True):
        if value <= 1.0:
            break
        vector = vector * np.sign(vector[np.argmax(np.abs(vector))])
        main = [int(i) for i in np.argsort(-np.abs(vector)) if abs(vector[i]) > 0.25]
        shown = " ".join(f"{vector[i]:+.2f}·{names[i]}" for i in main)
        i = main[0]
        unit = _unit_of(names[i])
        size = np.sqrt(value) * scale[i] * abs(vector[i])
        said.append(f"{shown} (± {size:.2g} {unit} in {names[i]})")
    return tuple(said)


def _unit_of(name: str) -> str:
    for start, unit in (
        ("time", "s"),
        ("rotation", "rad"),
        ("lever", "m"),
        ("acc_bias", "m/s²"),
        ("gyro_bias", "rad/s"),
    ):
        if name.startswith(start):
            return unit
    return "of 1"
