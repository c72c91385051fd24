"""Non-linearity of the scale factor: second and third order."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from imusim._kernels.noise import bend
from imusim.sensor.signals import Context, PerAxis, Signals, per_axis


@dataclass(frozen=True)
class NonLinearity:
    """``y = x + k₂ x² + k₃ x³`` on every axis (K₂, K₃ of IEEE Std 1293).

    A data sheet's "non-linearity 0.5 % of full scale" R read as a cubic is ``k₃ = 0.005 / R²``.

    Parameters
    ----------
    acc_quadratic : k₂ of the accelerometer · 1/(m/s²), one number or (x, y, z), of either sign
    acc_cubic : k₃ · 1/(m/s²)²
    gyro_quadratic : k₂ of the gyroscope · 1/(rad/s)
    gyro_cubic : k₃ · 1/(rad/s)²

    Raises
    ------
    ConfigError
        On values that are not finite.
    """

    acc_quadratic: PerAxis = 0.0
    acc_cubic: PerAxis = 0.0
    gyro_quadratic: PerAxis = 0.0
    gyro_cubic: PerAxis = 0.0

    def __post_init__(self) -> None:
        for name in ("acc_quadratic", "acc_cubic", "gyro_quadratic", "gyro_cubic"):
            per_axis(getattr(self, name), name, signed=True)

    def __call__(self, signals: Signals, context: Context) -> Signals:
        """Return the signals with this error on them."""
        steps = {}
        for signal in ("acc", "gyro"):
            k2 = per_axis(getattr(self, f"{signal}_quadratic"), "k2", signed=True)
            k3 = per_axis(getattr(self, f"{signal}_cubic"), "k3", signed=True)
            if k2.any() or k3.any():
                steps[signal] = partial(bend, k2, k3)
        return signals.mapped(steps)
