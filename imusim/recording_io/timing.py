"""Time stamps of real recordings: units, repeats, bursts."""

from __future__ import annotations

import re

import numpy as np

from imusim.errors import TimeError
from imusim.types import Floats

UNITS = {"s": 1.0, "sec": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_BURST = 0.25  # a step shorter than this share of the mean is one of a burst
_BURST_SHARE = 0.2
_RATES_HZ = (4.0, 5000.0)


def in_seconds(time: Floats, written: str) -> tuple[Floats, str]:
    """Return time · s, and its unit, by what the header says or else what makes a likely rate."""
    unit = re.sub(r"[^a-zµ]", "", written.lower())
    if unit in UNITS:
        return _shifted(time, UNITS[unit]), unit
    finite = time[np.isfinite(time)]
    step = float((finite[-1] - finite[0]) / max(finite.size - 1, 1)) if finite.size > 1 else 0.0
    for unit in ("s", "ms", "us", "ns"):
        rate = 1.0 / max(step * UNITS[unit], 1e-30)
        if _RATES_HZ[0] <= rate <= _RATES_HZ[1]:
            return _shifted(time, UNITS[unit]), f"taken for {unit}"
    raise TimeError(
        f"the time column has steps of {step:.3g} on average: in no unit (s, ms, us, ns) a sampling rate between "
        f"{_RATES_HZ[0]:g} and {_RATES_HZ[1]:g} Hz. Give rate_hz (--rate-hz)."
    )


def _shifted(time: Floats, factor: float) -> Floats:
    """Seconds; clocks that count nanoseconds since 1970 keep their digits only relative to a whole second."""
    start = np.floor(time[np.isfinite(time)][:1] * factor).sum()
    return (time - start / factor) * factor + (start if start < 1e6 else 0.0)


def spread_bursts(time: Floats) -> Floats | None:
    """Return even instants if time stamps (T,) · s are those of packets, not of samples; None if they are fine.

    A line through the stamps: the clock's mean rate. Its offset is the mean delay of transport, which an alignment in
    time takes up.
    """
    if time.size < 20:
        return None
    steps = np.diff(time)
    mean = float((time[-1] - time[0]) / steps.size)
    if mean <= 0 or np.mean(steps < _BURST * mean) < _BURST_SHARE:
        return None
    index = np.arange(time.size, dtype=np.float64)
    slope, at = np.polyfit(index, time, 1)
    even = at + slope * index
    # gaps are not bursts: the stamps must stay near the line
    return even if slope > 0 and np.abs(even - time).max() < max(1.0, 30 * mean) else None


def increasing(time: Floats) -> tuple[np.ndarray, Floats, list[str]]:
    """Return which samples to keep, their increasing times · s, and what was done to get there.

    Raises
    ------
    TimeError
        If fewer than two samples are left.
    """
    said: list[str] = []
    keep = np.flatnonzero(np.isfinite(time))
    if keep.size < time.size:
        said.append(f"{time.size - keep.size} samples without a time were dropped")
    t = time[keep]
    even = spread_bursts(t)
    if even is not None:
        worst = float(np.abs(even - t).max())
        return (
            keep,
            even,
            [*said, f"time stamps come in bursts: spread evenly, by up to {1e3 * worst:.0f} ms"],
        )
    if t.size > 1 and (np.diff(t) <= 0).any():
        order = np.argsort(t, kind="stable")
        first = np.concatenate([[True], np.diff(t[order]) > 0])
        keep = keep[order[first]]
        repeated = t.size - keep.size
        said.append(
            "samples were sorted by time"
            if not repeated
            else f"{repeated} samples with a repeated time were dropped, the rest sorted by time"
        )
        t = time[keep]
    if t.size < 2:
        raise TimeError(f"{t.size} sample(s) with a time of their own, wanted two or more")
    return keep, t, said
