"""Hard and soft iron: what the device itself does to its magnetometer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from imusim.errors import ConfigError
from imusim.sensor.scale import LinearMap, Matrix
from imusim.sensor.signals import (
    Context,
    PerAxis,
    Remembering,
    Signals,
    Step,
    check_law,
    draw_within,
    per_axis,
    unchanged,
)
from imusim.types import Floats


@dataclass(frozen=True)
class HardSoftIron(Remembering):
    """``m = (I + A) b + h``: magnets in the device add h, its soft iron bends the field by A.

    Parameters
    ----------
    hard_limit_ut : limit of the drawn h · µT, one number or (x, y, z)
    soft_limit : limit of each entry of the drawn A, 1
    hard_ut : known h · µT
    soft_matrix : (3, 3) known A, 1
    law : "uniform" or "normal" (3 standard deviations at the limit, cut there)

    Raises
    ------
    ConfigError
        On negative limits, another law or a wrong matrix.
    """

    hard_limit_ut: PerAxis = 0.0
    soft_limit: float = 0.0
    hard_ut: PerAxis = 0.0
    soft_matrix: Matrix | None = None
    law: str = "uniform"

    def __post_init__(self) -> None:
        check_law(self.law)
        per_axis(self.hard_limit_ut, "hard_limit_ut")
        per_axis(self.soft_limit, "soft_limit")
        per_axis(self.hard_ut, "hard_ut", signed=True)
        if self.soft_matrix is not None and np.shape(self.soft_matrix) != (3, 3):
            raise ConfigError(f"soft_matrix: wanted 3 × 3 numbers, got shape {np.shape(self.soft_matrix)}")

    def start(self, context: Context) -> Step:
        """Return the term at work at the beginning of a recording."""
        limit, known = per_axis(self.hard_limit_ut, "limit"), per_axis(self.hard_ut, "hard", signed=True)
        soft = (
            np.zeros((3, 3)) if self.soft_matrix is None else np.asarray(self.soft_matrix, dtype=np.float64)
        )
        bound = np.full((3, 3), float(self.soft_limit))
        if not (limit.any() or known.any() or soft.any() or bound.any()):
            return unchanged
        hard = known + draw_within(limit, self.law, context, "mag")
        bend = LinearMap(np.eye(3) + soft + draw_within(bound, self.law, context, "soft"))

        def change(x: Floats, out: Floats) -> None:
            bend(x, out)
            out += hard

        def step(signals: Signals) -> Signals:
            return signals.mapped({"mag": change})

        return step
