"""G-sensitivity: a gyroscope that feels acceleration."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from imusim._kernels.noise import add_product
from imusim.errors import ConfigError
from imusim.sensor.scale import Matrix
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


@dataclass(frozen=True)
class GSensitivity(Remembering):
    """Linear acceleration sensitivity, ``ω += G f``, f being the specific force that the device feels.

    G is the given matrix plus, for every sensor and seed, one drawn within the limit.

    Parameters
    ----------
    limit_rad_s_per_m_s2 : limit of each of the nine entries, by row · (rad/s)/(m/s²);
        0.1 dps/g is 0.1 · π/180 / 9.80665 = 1.78e-4
    matrix : (3, 3) known G · (rad/s)/(m/s²)
    law : "uniform" or "normal" (3 standard deviations at the limit, cut there)

    Raises
    ------
    ConfigError
        On a negative limit, another law or a wrong matrix.
    """

    limit_rad_s_per_m_s2: PerAxis = 0.0
    matrix: Matrix | None = None
    law: str = "uniform"

    def __post_init__(self) -> None:
        check_law(self.law)
        per_axis(self.limit_rad_s_per_m_s2, "limit_rad_s_per_m_s2")
        if self.matrix is not None and (
            np.shape(self.matrix) != (3, 3) or not np.isfinite(np.asarray(self.matrix, dtype=float)).all()
        ):
            raise ConfigError(f"matrix: wanted 3 × 3 finite numbers, got shape {np.shape(self.matrix)}")

    def start(self, context: Context) -> Step:
        """Return the term at work at the beginning of a recording."""
        limit = np.repeat(per_axis(self.limit_rad_s_per_m_s2, "limit")[:, None], 3, axis=1)
        known = np.zeros((3, 3)) if self.matrix is None else np.asarray(self.matrix, dtype=np.float64)
        if not limit.any() and not known.any():
            return unchanged
        g = known + draw_within(limit, self.law, context, "gyro")

        return lambda signals: signals.mapped({"gyro": partial(add_product, g, signals.acc)})
