"""How a sensor is turned against a simulated one, without labels and without paired motion.

People who wear a sensor in one way, doing roughly what the corpus does, give signals whose distribution is the
simulated one's, turned. The rotation is found that brings the two distributions closest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imusim.conventions import STANDARD_GRAVITY
from mujo.encoders.frontend import GYRO_UNIT
from mujo.errors import ShapeError

Floats = NDArray[np.float64]
_FEATURES = 256
_KEPT = 500


@dataclass(frozen=True)
class Alignment:
    """A rotation found from unlabelled signals.

    Attributes
    ----------
    R_cd : (3, 3), device axes to the corpus' axes
    distance : between the distributions after turning (maximum mean discrepancy, 0 … 2)
    before : the same without turning
    runner_up : the best distance among rotations more than 45° away: close to `distance` means that it is ambiguous
    """

    R_cd: Floats
    distance: float
    before: float
    runner_up: float


def fit_rotation(real: NDArray[np.float32], simulated: NDArray[np.float32], seed: int = 0) -> Alignment:
    """Find the rotation from device axes to the axes of the corpus.

    Parameters
    ----------
    real : (N, 3 or 6, T) · m/s², rad/s · windows of training people, device axes, no labels
    simulated : (M, 3 or 6, T), the same channels of the corpus
    seed : of what is drawn

    Returns
    -------
    Alignment

    Raises
    ------
    ShapeError
        If the channels differ, or there are fewer than 20 windows on a side.

    Notes
    -----
    Every window becomes a few vectors that turn with the sensor: specific force and angular rate at two instants a
    quarter of the window apart, the mean specific force (posture). Distributions of these are compared by their
    maximum mean discrepancy with Gaussian kernels of two widths, in random features (Rahimi and Recht 2007); 576
    rotations that cover SO(3) evenly are tried, the best eight refined by shrinking random steps.
    """
    if real.ndim != 3 or real.shape[1] != simulated.shape[1] or real.shape[1] not in (3, 6):
        raise ShapeError(
            f"real {real.shape} and simulated {simulated.shape}: wanted (N, 3 or 6, T) of the same channels"
        )
    if min(len(real), len(simulated)) < 20:
        raise ShapeError(
            f"{len(real)} real and {len(simulated)} simulated windows: wanted 20 or more of each"
        )
    rng = np.random.default_rng(seed)
    a, b = _vectors(real, rng), _vectors(simulated, rng)  # (n, V, 3)
    waves = rng.normal(size=(a.shape[1], 3, _FEATURES)) * np.repeat([1.0, 2.5], _FEATURES // 2)
    shift = rng.uniform(0, 2 * np.pi, _FEATURES)
    waves = waves.reshape(-1, _FEATURES)

    def mean_features(x: Floats) -> Floats:
        return np.cos(x.reshape(len(x), -1) @ waves + shift).mean(axis=0)

    target = mean_features(b)

    def distance(R: Floats) -> float:
        return float(np.sqrt(2.0 / _FEATURES) * np.linalg.norm(mean_features(a @ R.T) - target))

    tried = np.concatenate([np.eye(3)[None], cover(rng)])
    costs = np.array([distance(R) for R in tried])
    found: list[tuple[float, Floats]] = []
    for i in np.argsort(costs)[:8]:
        R, cost = tried[i], costs[i]
        for size in np.repeat(np.deg2rad([20.0, 12.0, 7.0, 4.0, 2.0]), 7):
            other = _small(rng.normal(size=3) * size / np.sqrt(3)) @ R
            new = distance(other)
            if new < cost:
                R, cost = other, new
        found.append((float(cost), R))
    best_cost, best = min(found, key=lambda f: f[0])
    far = [c for c, R in [*found, *zip(costs.tolist(), tried, strict=True)] if angle_deg(R, best) > 45.0]
    return Alignment(best, best_cost, float(costs[0]), min(far))


def turn(X: NDArray[np.float32], R_cd: Floats) -> NDArray[np.float32]:
    """Turn windows (N, 3 or 6, T) of one sensor from device axes to the corpus' axes."""
    parts = X.reshape(len(X), -1, 3, X.shape[2])
    return np.einsum("ij,nkjt->nkit", R_cd, parts).reshape(X.shape).astype(np.float32)


def angle_deg(A: Floats, B: Floats) -> float:
    """Angle between two rotations · degrees."""
    return float(np.rad2deg(np.arccos(np.clip((np.trace(A.T @ B) - 1) / 2, -1, 1))))


def cover(rng: np.random.Generator, count: int = 576) -> Floats:
    """Rotation matrices (count, 3, 3) that cover SO(3) evenly: 24 of the cube, each with the same small turns."""
    from scipy.spatial.transform import Rotation

    cube = Rotation.create_group("O").as_matrix()
    turns = Rotation.from_rotvec(rng.uniform(-0.55, 0.55, (count // 24, 3))).as_matrix()
    turns[0] = np.eye(3)
    return np.einsum("aij,bjk->abik", turns, cube).reshape(-1, 3, 3)


def _vectors(X: NDArray[np.float32], rng: np.random.Generator) -> Floats:
    """Vectors of windows, (n, V, 3), in g and 4 rad/s."""
    chosen = rng.permutation(len(X))[:_KEPT]
    x = X[chosen].astype(np.float64)
    acc = x[:, :3] / STANDARD_GRAVITY
    length = x.shape[2]
    first = rng.integers(0, length - length // 4, len(x))
    row = np.arange(len(x))
    parts = [acc.mean(axis=2), acc[row, :, first], acc[row, :, first + length // 4]]
    if x.shape[1] == 6:
        gyro = x[:, 3:] / GYRO_UNIT
        parts += [gyro[row, :, first], gyro[row, :, first + length // 4]]
    return np.stack(parts, axis=1)


def _small(vector: Floats) -> Floats:
    from scipy.spatial.transform import Rotation

    return Rotation.from_rotvec(vector).as_matrix()
