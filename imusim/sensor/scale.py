"""Scale factor and cross-axis error: ``y = (I + M) x``."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from imusim.errors import ConfigError
from imusim.sensor.signals import Context, PerAxis, Signals, check_law, draw_within, per_axis
from imusim.types import Floats

Matrix = tuple[tuple[float, float, float], tuple[float, float, float], tuple[float, float, float]]


@dataclass(frozen=True)
class ScaleCrossAxis:
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

    def __call__(self, signals: Signals, context: Context) -> Signals:
        """Return the signals with this error on them."""
        return signals.with_(
            acc=self._of("acc", signals.acc, context), gyro=self._of("gyro", signals.gyro, context)
        )

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

    def _of(self, signal: str, x: Floats, context: Context) -> Floats:
        limits, known = self._limits(signal), self._matrix(signal)
        if not limits.any() and not known.any():
            return x
        m = np.stack(
            [np.eye(3) + known + draw_within(limits, self.law, rng) for rng in context.streams(signal)]
        )
        y = np.empty_like(x)
        for i in range(3):
            row = x[..., 0] * m[:, i, 0]
            row += x[..., 1] * m[:, i, 1]
            row += x[..., 2] * m[:, i, 2]
            y[..., i] = row
        return y
