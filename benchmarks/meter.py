"""A stopwatch for a shared machine: wall time, CPU time of all our threads, and how busy others kept the cores."""

from __future__ import annotations

import os
import platform
import time
from contextlib import contextmanager
from dataclasses import dataclass

_BUSY = (
    0,
    1,
    2,
    5,
    6,
    7,
)  # /proc/stat: user nice system irq softirq steal; the rest is idle or counted twice


@dataclass
class Cost:
    """Seconds of wall and CPU time, and the cores that other processes used meanwhile (nan where unknown)."""

    wall_s: float = 0.0
    cpu_s: float = 0.0
    others: float = float("nan")


@contextmanager
def meter():
    """Measure a block; the `Cost` is filled in at its end."""
    cost = Cost()
    busy, wall, cpu = _busy_s(), time.perf_counter(), time.process_time()
    yield cost
    cost.cpu_s = time.process_time() - cpu
    cost.wall_s = time.perf_counter() - wall
    cost.others = max(0.0, _busy_s() - busy - cost.cpu_s) / max(cost.wall_s, 1e-9)


def _busy_s() -> float:
    """CPU seconds that all cores have worked since boot."""
    try:
        with open("/proc/stat") as stream:
            ticks = [int(v) for v in stream.readline().split()[1:]]
    except OSError:
        return float("nan")
    return sum(ticks[i] for i in _BUSY) / os.sysconf("SC_CLK_TCK")


def machine() -> str:
    """Processor, cores and memory, in a line."""
    model = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo") as stream:
            model = next(line.split(":")[1].strip() for line in stream if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores ({model}), {memory:.0f} GB, no GPU"
