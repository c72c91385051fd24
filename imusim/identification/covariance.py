"""How well parameters are known when residuals are correlated in time, and which directions are not known at all.

The estimate weighs all samples alike, so with residual covariance Γ (stationary in each channel, by an
autoregressive model of the residuals) its covariance is ``H⁻¹ (Jᵀ W Γ W J + Λ) H⁻¹`` with ``H = Jᵀ W J + Λ``: the
sandwich of
White and of Newey and West, with a parametric spectrum in the middle. Λ is the prior's precision.

The spectrum is itself known from these residuals alone: of a slow parameter (a bias) the standard deviation may rest on few
independent stretches. Its degrees of freedom (Satterthwaite's ``2 v² / var v``, the variance of the spectrum by the
asymptotic covariance of an autoregression) make a 95 % interval Student's, not Gauss's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.signal import lfilter

from imusim.identification.autoregression import autocovariance, autoregression, shape_covariance, stretches
from imusim.types import Floats

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


def covariance(state: Residuals, prior_sd: Floats) -> tuple[Floats, Floats]:
    """Return the covariance (P, P) of the parameters, and the degrees of freedom (P,) that its diagonal rests on."""
    count = prior_sd.size
    if count == 0:
        return np.zeros((0, 0)), np.zeros(0)
    known = np.isfinite(state.residual)
    residual = np.where(known, state.residual, 0.0) / state.sigma
    jacobian = np.where(known[:, :, None], state.jacobian, 0.0) / state.sigma[:, None]
    prior = np.diag(1.0 / prior_sd**2)
    flat = jacobian.reshape(-1, count)
    information = flat.T @ flat + prior
    inverse: Floats = np.asarray(np.linalg.inv(information), dtype=np.float64)
    middle = prior.copy()
    doubt = np.zeros(count)  # variance of the diagonal
    pieces = stretches(state.time_s)
    lags = [autocovariance([residual[p, c] for p in pieces], [known[p, c] for p in pieces]) for c in range(6)]
    counts = known.sum(axis=0)
    models = [autoregression(x, int(n)) for x, n in zip(lags, counts, strict=True)]
    taken = _taken(models, jacobian, inverse, known, pieces)
    for c in range(6):
        n = int(counts[c])
        if n < 4:
            continue
        whole = lags[c] + taken[c]
        shape, variance = autoregression(whole, n)
        part, slopes = _through(jacobian[:, c], pieces, inverse, shape, variance)
        middle += part
        own = np.einsum("pi,ij,pj->p", inverse, part, inverse)
        doubt += 2.0 / n * own**2
        doubt += np.einsum("pk,kl,pl->p", slopes, shape_covariance(whole, shape, variance, n), slopes)
    out = inverse @ middle @ inverse
    out = 0.5 * (out + out.T)
    return out, 2.0 * np.diag(out) ** 2 / np.maximum(doubt, 1e-300)


def _through(
    jacobian: Floats, pieces: Sequence[slice], inverse: Floats, shape: Floats, variance: float
) -> tuple[Floats, Floats]:
    """Jᵀ Γ J (P, P) of one channel's noise, and how the diagonal of H⁻¹ Jᵀ Γ J H⁻¹ changes with its shape (P, order)."""
    count, order = jacobian.shape[1], shape.size
    middle, slopes = np.zeros((count, count)), np.zeros((count, order))
    for p in pieces:
        size = 1 << int(np.ceil(np.log2(2 * (p.stop - p.start))))
        transfer = 1.0 / np.fft.rfft(np.concatenate([[1.0], -shape]), size)
        power = variance * np.abs(transfer) ** 2 / size
        power[1:-1] *= 2.0
        seen = np.fft.rfft(jacobian[p], size, axis=0)
        middle += np.real((seen.conj() * power[:, None]).T @ seen)
        if order:
            share = np.abs(seen @ inverse) ** 2 * power[:, None]
            angle = 2.0 * np.pi * np.arange(power.size) / size
            for k in range(order):  # ∂ log S / ∂ φ_k
                slopes[:, k] += share.T @ (2.0 * np.real(np.exp(-1j * (k + 1) * angle) * transfer))
    return middle, slopes


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
