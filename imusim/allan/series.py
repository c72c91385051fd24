"""What every analysis here takes: an evenly sampled series without holes."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from imusim.errors import ConfigError, ShapeError
from imusim.types import Floats


def checked_series(x: ArrayLike, rate_hz: float) -> tuple[Floats, bool]:
    """Return x as (T, C) float64, and whether it was (T,).

    Raises
    ------
    ShapeError
        If x is neither (T,) nor (T, C), or holds NaN or infinities.
    ConfigError
        If the rate is not positive.
    """
    if not (np.isfinite(rate_hz) and rate_hz > 0):
        raise ConfigError(f"rate_hz={rate_hz!r}: wanted a positive sampling rate in Hz")
    series = np.asarray(x, dtype=np.float64)
    if series.ndim not in (1, 2) or series.shape[0] == 0 or series.size == 0:
        raise ShapeError(f"x has shape {series.shape}, wanted (T,) or (T, C)")
    holes = int(series.size - np.isfinite(series).sum())
    if holes:
        raise ShapeError(
            f"x holds {holes} values that are NaN or infinite; a hole makes every averaging time wrong. "
            "Pass the longest piece without holes."
        )
    return (series[:, None], True) if series.ndim == 1 else (series, False)
