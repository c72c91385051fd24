"""Scores of simulated signals against a sensor's: norms, and axes after one mounting rotation."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, sosfiltfilt

Floats = NDArray[np.float64]
EDGE_S = 0.1


def low_passed(x: Floats, cutoff_hz: float, rate_hz: float) -> Floats:
    """x (N,) or (N, C) below a cut-off, second order, without phase; ends of 0.1 s dropped."""
    edge = round(EDGE_S * rate_hz)
    return sosfiltfilt(_sections(cutoff_hz, rate_hz), x, axis=0)[edge:-edge]


@lru_cache
def _sections(cutoff_hz: float, rate_hz: float) -> Floats:
    return butter(2, cutoff_hz, fs=rate_hz, output="sos")


def r_of_norms(made: Floats, real: Floats, cutoff_hz: float, rate_hz: float) -> Floats:
    """Pearson's r of the norms of each of made (D, N, 3) with that of real (N, 3), (D,)."""
    a = low_passed(np.linalg.norm(made, axis=2).T, cutoff_hz, rate_hz)
    b = low_passed(np.linalg.norm(real, axis=1), cutoff_hz, rate_hz)
    return np.array([np.corrcoef(column, b)[0, 1] for column in a.T])


def outer(made: tuple[Floats, Floats], real: tuple[Floats, Floats]) -> Floats:
    """What one trial says of the mounting: Σ real madeᵀ (3, 3) of force and rate, each over its own scale.

    Parameters
    ----------
    made, real : specific force (N, 3) · m/s² and angular rate (N, 3) · rad/s
    """
    total = np.zeros((3, 3))
    for m, r, scale in zip(made, real, (9.80665, 2.0), strict=True):
        fine = np.linalg.norm(m, axis=1) < 4.0 * scale + 1e-9  # no leaps of a joint
        total += r[fine].T @ m[fine] / (scale**2 * max(fine.sum(), 1))
    return total


def mounting(total: Floats) -> Floats:
    """Rotation (3, 3), made axes to the sensor's, from a sum of `outer` (Kabsch 1976)."""
    u, _, vt = np.linalg.svd(total)
    return u @ np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ vt))]) @ vt


def by_axis(made: Floats, real: Floats) -> tuple[Floats, Floats]:
    """Pearson's r and RMSE of each axis, (3,) each."""
    with np.errstate(invalid="ignore", divide="ignore"):
        r = [np.corrcoef(a, b)[0, 1] for a, b in zip(made.T, real.T, strict=True)]
    return np.array(r), np.sqrt(((made - real) ** 2).mean(axis=0))
