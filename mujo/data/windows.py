"""Bouts → windows: resampling that does not alias, windows that cross nothing."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from imusim.errors import QualityWarning
from mujo.data.dataset import Bout, Dataset
from mujo.errors import ConfigError, DatasetError, unknown_name

AXES = ("x", "y", "z")


@dataclass(frozen=True)
class Windows:
    """N windows of C channels and T samples.

    Attributes
    ----------
    X : (N, C, T) float32 · m/s², rad/s · device axes, sensor by sensor: acc x y z, then gyro x y z
    y : (N,) int, index into `classes`
    person : (N,) str
    unit : (N,) int, number of the bout in the data set: what is labelled as a whole
    start_s : (N,) · s, of the window in its bout
    channel_names : C names such as "pocket.acc.x"
    classes : names of the data set's classes
    rate_hz : of the windows
    padded : windows whose bout was shorter than a window; its last sample is repeated
    dropped : windows left out since samples were missing (NaN)
    """

    X: NDArray[np.float32]
    y: NDArray[np.int64]
    person: NDArray[np.str_]
    unit: NDArray[np.int64]
    start_s: NDArray[np.float64]
    channel_names: tuple[str, ...]
    classes: tuple[str, ...]
    rate_hz: float
    padded: int = 0
    dropped: int = 0

    def __iter__(self) -> Iterator[NDArray]:
        """Unpack as ``X, y, person``."""
        return iter((self.X, self.y, self.person))

    def __len__(self) -> int:
        """Number of windows."""
        return len(self.y)


def resample(x: NDArray[np.float64], from_hz: float, to_hz: float) -> NDArray[np.float64]:
    """Resample along the first axis, without phase shift; what the lower rate cannot hold is filtered out.

    Polyphase FIR filter (Kaiser window), `scipy.signal.resample_poly`; the ends continue as straight lines.
    """
    if from_hz == to_hz:
        return x
    from scipy.signal import resample_poly

    ratio = Fraction(to_hz / from_hz).limit_denominator(1000)
    return resample_poly(x, ratio.numerator, ratio.denominator, axis=0, padtype="line")


def cut_windows(
    data: Dataset,
    window_s: float,
    overlap: float,
    rate_hz: float,
    sensors: Sequence[str] | None,
    channels: Sequence[str],
    null: str,
) -> Windows:
    """See `Dataset.windows`."""
    if not (math.isfinite(window_s) and math.isfinite(rate_hz) and window_s > 0 and rate_hz > 0):
        raise ConfigError(f"window_s={window_s}, rate_hz={rate_hz}: wanted positive numbers")
    length = round(window_s * rate_hz)
    if length < 2:
        raise ConfigError(
            f"a window of {window_s:g} s at {rate_hz:g} Hz has {length} sample(s); wanted two or more"
        )
    if not 0.0 <= overlap < 1.0:
        raise ConfigError(f"overlap={overlap}: wanted 0 ≤ overlap < 1")
    if null not in ("keep", "drop"):
        raise ConfigError(f'null={null!r}: wanted "keep" or "drop"')
    wanted = _channels(data, sensors, channels)
    places = {sensor for sensor, _ in wanted}
    skip = data.classes.index(data.null_class) if null == "drop" and data.null_class else -1
    parts: list[tuple[int, Bout, NDArray[np.int64], NDArray[np.float32]]] = []
    hop = max(1, round(length * (1.0 - overlap)))
    padded = dropped = 0
    for number, bout in enumerate(data.bouts):
        if bout.label == skip or not places <= bout.signals.keys():
            continue
        signal = np.concatenate([bout.signals[s][c] for s, c in wanted], axis=1)
        signal = resample(signal, data.rate_hz, rate_hz)
        if len(signal) < length:
            signal = np.pad(signal, ((0, length - len(signal)), (0, 0)), mode="edge")
            padded += 1
        starts = np.arange(0, len(signal) - length + 1, hop)
        view = np.lib.stride_tricks.sliding_window_view(signal, length, axis=0)[starts]
        whole = np.isfinite(view).all(axis=(1, 2))
        dropped += int((~whole).sum())
        parts.append((number, bout, starts[whole], view[whole].astype(np.float32)))
    count = sum(len(p[2]) for p in parts)
    if not count:
        raise DatasetError(f"{data.key}: no window of {window_s:g} s is left for sensors {sorted(places)}.")
    empty = sorted({b.person for b in data.bouts} - {b.person for _, b, starts, _ in parts if len(starts)})
    if empty:
        said = f"{data.key}: no window is left of the people {', '.join(empty)}"
        warnings.warn(QualityWarning(said), stacklevel=3)
    lengths = [len(p[2]) for p in parts]
    return Windows(
        X=np.concatenate([p[3] for p in parts]),
        y=np.repeat([p[1].label for p in parts], lengths).astype(np.int64),
        person=np.repeat([p[1].person for p in parts], lengths).astype(np.str_),
        unit=np.repeat([p[0] for p in parts], lengths).astype(np.int64),
        start_s=np.concatenate([p[2] for p in parts]) / rate_hz,
        channel_names=tuple(f"{s}.{c}.{a}" for s, c in wanted for a in AXES),
        classes=data.classes,
        rate_hz=rate_hz,
        padded=padded,
        dropped=dropped,
    )


def _channels(data: Dataset, sensors: Sequence[str] | None, channels: Sequence[str]) -> list[tuple[str, str]]:
    """(sensor, "acc" | "gyro") in the order of the output."""
    if isinstance(sensors, str) or isinstance(channels, str):
        raise ConfigError('sensors and channels are lists of names, such as ["pocket"] and ["acc"]')
    for c in channels:
        if c not in ("acc", "gyro"):
            raise unknown_name("channel", c, ("acc", "gyro"))
    if sensors is None:
        sensors = [s for s in data.sensors if s in data.bouts[0].signals]
    found = []
    for sensor in sensors:
        has = data.channels(sensor)
        found += [(sensor, c) for c in ("acc", "gyro") if c in channels and c in has]
    if not found:
        has = {s: data.channels(s) for s in sensors}
        raise DatasetError(f"{data.key}: no {' or '.join(channels)} there; measured were {has}")
    return found
