"""Dynamic time warping inside a band."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, error_model="numpy", nogil=True)
def banded(a, b, band, now, before):
    """Mean absolute difference along the cheapest monotonic path; a, b (N,) same unit, |i − j| ≤ band samples.

    now, before : (2 band + 1, 2) scratch: cost so far and steps so far. Steps are (1,1), (1,0), (0,1), each paid once.
    """
    n = a.size
    width = 2 * band + 1
    before[:, 0] = np.inf
    before[:, 1] = 0.0
    for i in range(n):
        for k in range(width):
            now[k, 0] = np.inf
            now[k, 1] = 0.0
        for k in range(width):
            j = i + k - band
            if j < 0 or j >= n:
                continue
            best, steps = np.inf, 0.0
            if i == 0 and j == 0:
                best = 0.0
            if before[k, 0] < best:  # from (i − 1, j − 1)
                best, steps = before[k, 0], before[k, 1]
            if k + 1 < width and before[k + 1, 0] < best:  # from (i − 1, j)
                best, steps = before[k + 1, 0], before[k + 1, 1]
            if k > 0 and now[k - 1, 0] < best:  # from (i, j − 1)
                best, steps = now[k - 1, 0], now[k - 1, 1]
            now[k, 0] = best + abs(a[i] - b[j])
            now[k, 1] = steps + 1.0
        for k in range(width):
            before[k, 0] = now[k, 0]
            before[k, 1] = now[k, 1]
    return before[band, 0] / max(before[band, 1], 1.0)
