"""Scale factor and cross-axis error: ``y = (I + M) x``."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from imusim._kernels.noise import matrices
from imusim.errors import ConfigError
from imusim.sensor.signals import (
    Context,
    PerAxis,
    Remembering,
    Step,
    check_law,
    draw_within,
    per_axis,
    unchanged,
)
from imusim.types import Floats

Matrix = tuple[tuple[float, float, float], tuple[float, float, float], tuple[float, float, float]]


@dataclass(frozen=True)
class ScaleCrossAxis(Remembering):
    """Scale factor and cross-axis sensitivity (misaligned axes included), ``y = (I + M) x``.

    M is the given matrix plus, for every sensor and seed, a drawn one: its diagonal within the scale limits,
    its other six entries within the cross-axis limit of their row. Data sheets give such limits.

    Parameters
    ----------
    acc_scale_limit, gyro_scale_limit : limit of the scale error, 1 (0.03: ±3 %); one number or (x, y, z)
    acc_cross_axis_limit, gyro_cross_axis_limit : limit of each off-diagonal entry, 1
    acc_matrix, gyro_matrix : (3, 3) known M, added to what is drawn, 1
    law : "uniform" or "normal" (3 standard deviations at the limit, cut there)

    Raises
    ------
    ConfigError
        On negative limits and on another law.
    """

    acc_scale_limit: PerAxis = 0.0
    gyro_scale_limit: PerAxis = 0.0
    acc_cross_axis_limit: PerAxis = 0.0
    gyro_cross_axis_limit: PerAxis = 0.0
    acc_matrix: Matrix | None = None
    gyro_matrix: Matrix | None = None
    law: str = "uniform"

    def __post_init__(self) -> None:
        check_law(self.law)
        for signal in ("acc", "gyro"):
            self._limits(signal)
            self._matrix(signal)

    def start(self, context: Context) -> Step:
        """Return the term at work at the beginning of a recording."""
        steps = {}
        for signal in ("acc", "gyro"):
            limits, known = self._limits(signal), self._matrix(signal)
            if limits.any() or known.any():
                m = np.eye(3) + known + draw_within(limits, self.law, context, signal)
                steps[signal] = LinearMap(m)
        return (lambda x: x.mapped(steps)) if steps else unchanged

    def _limits(self, signal: str) -> Floats:
        scale = per_axis(getattr(self, f"{signal}_scale_limit"), f"{signal}_scale_limit")
        cross = per_axis(getattr(self, f"{signal}_cross_axis_limit"), f"{signal}_cross_axis_limit")
        limits = np.repeat(cross[:, None], 3, axis=1)
        np.fill_diagonal(limits, scale)
        return limits

    def _matrix(self, signal: str) -> Floats:
        given = getattr(self, f"{signal}_matrix")
        matrix = np.zeros((3, 3)) if given is None else np.asarray(given, dtype=np.float64)
        if matrix.shape != (3, 3) or not np.isfinite(matrix).all():
            raise ConfigError(f"{signal}_matrix: wanted 3 × 3 finite numbers, got shape {matrix.shape}")
        return matrix


class LinearMap:
    """A matrix (S, 3, 3) on one signal (T, S, 3)."""

    def __init__(self, matrix: Floats) -> None:
        self.matrix = np.ascontiguousarray(matrix)

    def __call__(self, x: Floats, out: Floats) -> None:
        """Write ``matrix @ x`` into out."""
        matrices(self.matrix, x, out)
