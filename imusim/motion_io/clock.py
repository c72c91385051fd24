"""Times of frames from a rate, checked."""

from __future__ import annotations

import numpy as np

from imusim.errors import ConfigError, MotionFileError
from imusim.types import Floats

SLOWEST_HZ, FASTEST_HZ = 1.0, 10_000.0
GIVE_RATE = "Give rate_hz= (on the command line --motion-rate-hz)."
"""What to do about a file without a rate, for messages."""


def check_rate(rate_hz: float, source: str = "rate_hz") -> float:
    """Return a frame rate, Hz.

    Raises
    ------
    ConfigError
        If it is none that a motion has.
    """
    rate = float(rate_hz)
    if not SLOWEST_HZ <= rate <= FASTEST_HZ:
        hint = "" if source.startswith(("rate_hz", "--")) else f". {GIVE_RATE}"
        raise ConfigError(
            f"{source}: a rate of {rate:g} frames a second; wanted {SLOWEST_HZ:g} to {FASTEST_HZ:g} Hz{hint}"
        )
    return rate


def frame_times(count: int, rate_hz: float, source: str) -> Floats:
    """Times of frames, (T,) · s, from 0.

    Raises
    ------
    MotionFileError
        If there are no frames.
    """
    if count < 1:
        raise MotionFileError(f"{source}: the motion is empty")
    return np.arange(count) / check_rate(rate_hz, source)
