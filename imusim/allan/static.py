"""A recording of a device at rest: its signals, and whether it was."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from imusim.errors import TimeError
from imusim.types import Floats, as_floats

DPS = math.pi / 180.0
_BLOCK_S = 1.0
_ROUGH = 5.0  # times the usual standard deviation within a block
_SHIFT = (0.5, 2.0 * DPS)  # m/s², rad/s: further from the median than drift goes
_NEVER = (0.5, 5.0 * DPS)  # m/s², rad/s: no sensor at rest is this noisy


@dataclass(frozen=True)
class StaticRecording:
    """Signals of one sensor at rest, evenly sampled and without holes.

    Parameters
    ----------
    acc : (T, 3) · m/s²
    gyro : (T, 3) · rad/s
    rate_hz : sampling rate · Hz
    source : what it was read from
    remarks : what had to be assumed or left out, one sentence each
    """

    acc: Floats
    gyro: Floats
    rate_hz: float
    source: str = ""
    remarks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "acc", as_floats(self.acc, "acc", (None, 3)))
        object.__setattr__(self, "gyro", as_floats(self.gyro, "gyro", (None, 3)))

    @property
    def duration_s(self) -> float:
        """Length · s."""
        return self.acc.shape[0] / self.rate_hz

    def motion(self) -> tuple[float, float] | None:
        """Return how long the device was not at rest and when first, (s, s), or None if it was at rest.

        A second counts as moved if a signal varies five times as much as it usually does, or its mean is further
        from the median than 0.5 m/s² or 2 °/s.
        """
        size = max(10, round(_BLOCK_S * self.rate_hz))
        count = self.acc.shape[0] // size
        if count == 0:
            return None
        moved = np.zeros(count, dtype=bool)
        for signal, shift, never in zip((self.acc, self.gyro), _SHIFT, _NEVER, strict=True):
            blocks = signal[: count * size].reshape(count, size, 3)
            spread, mean = blocks.std(axis=1), blocks.mean(axis=1)
            usual = np.median(spread, axis=0)
            moved |= (spread > _ROUGH * np.maximum(usual, 1e-12)).any(axis=1) & (spread > 0.02 * never).any(
                axis=1
            )
            moved |= (np.abs(mean - np.median(mean, axis=0)) > shift).any(axis=1)
            moved |= (spread > never).any(axis=1)
        if not moved.any():
            return None
        return float(moved.sum() * size / self.rate_hz), float(np.flatnonzero(moved)[0] * size / self.rate_hz)


def longest_piece(time_s: Floats | None, values: Floats, rate_hz: float | None) -> tuple[slice, float, str]:
    """Return the longest piece without holes, its rate · Hz, and a remark if it is not all.

    Parameters
    ----------
    time_s : (T,) · s, or None if `rate_hz` is given
    values : (T, C); NaN is a hole
    rate_hz : sampling rate · Hz if it is known: then time is not looked at

    Raises
    ------
    TimeError
        If time does not increase or neither time nor rate is there, and if nothing is left.
    """
    ok = np.asarray(np.isfinite(values).all(axis=1))
    breaks = ~ok
    if rate_hz is None:
        if time_s is None:
            raise TimeError("there is no time column, so the sampling rate is unknown. Pass --rate, in Hz.")
        ok &= np.isfinite(time_s)
        gaps = np.diff(time_s)
        if gaps.size == 0 or not (gaps[np.isfinite(gaps)] > 0).all():
            raise TimeError("time does not increase from row to row. Sort the rows, or pass --rate in Hz.")
        breaks = ~ok
        breaks[1:] |= ~(gaps < 1.5 * np.nanmedian(gaps))
    edges = np.flatnonzero(np.concatenate([[True], breaks[1:], [True]]))
    k = int(np.argmax(np.diff(edges)))
    first, last = int(edges[k]), int(edges[k + 1])
    first += int(not ok[first])
    if last - first < 2:
        raise TimeError("no two samples follow each other without a hole. Check the columns.")
    if rate_hz is None:
        assert time_s is not None
        rate_hz = float(np.round((last - first - 1) / (time_s[last - 1] - time_s[first]), 6))
    total = values.shape[0]
    said = (
        ""
        if last - first >= total
        else (
            f"there are {edges.size - 2} holes; the longest piece without one, {(last - first) / rate_hz / 60:.1f} min "
            f"of {total / rate_hz / 60:.1f}, is used"
        )
    )
    return slice(first, last), rate_hz, said
