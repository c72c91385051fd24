"""From key poses to smooth curves: quintic pieces whose ends meet in value, slope and curvature."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def derivatives(
    time_s: Floats, values: Floats, sharpness: float, still: NDArray[np.bool_]
) -> tuple[Floats, Floats]:
    """Slopes and curvatures that make key poses look moved by muscles.

    Where an angle turns round, its slope is zero and its curvature that of a cosine to the neighbours (times
    `sharpness`: 0 is minimum jerk, which comes to rest; 1 swings through), less if one side is much flatter. On the way
    between, the slope is the weighted harmonic mean of both sides (as in monotone interpolation, so nothing overshoots),
    the curvature zero.

    Parameters
    ----------
    time_s : (K,) · s, strictly increasing
    values : (K, D)
    sharpness : 0 … 1
    still : (K,) bool, keys where everything rests

    Returns
    -------
    (K, D) per s and (K, D) per s²
    """
    step = np.diff(time_s)[:, None]
    change = np.diff(values, axis=0)
    slope, curve = np.zeros_like(values), np.zeros_like(values)
    if len(values) > 2:
        a, b = change[:-1] / step[:-1], change[1:] / step[1:]
        w1, w2 = 2 * step[1:] + step[:-1], step[1:] + 2 * step[:-1]
        same = a * b > 0
        with np.errstate(divide="ignore", invalid="ignore"):
            slope[1:-1] = np.where(same, (w1 + w2) / (w1 / a + w2 / b), 0.0)
        turn = 0.25 * np.pi**2 * (b / step[1:] - a / step[:-1])
        # no more than the flatter side can take without a bump
        most = 0.75 * np.pi**2 * np.minimum(np.abs(b) / step[1:], np.abs(a) / step[:-1])
        curve[1:-1] = np.where(same, 0.0, sharpness * np.clip(turn, -most, most))
    moves = ~still[:, None]
    return slope * moves, curve * moves


def evaluate(nodes_s: Floats, value: Floats, slope: Floats, curve: Floats, at_s: Floats) -> Floats:
    """Quintic Hermite curves through nodes (K, D) at times (T,) · s; the ends are kept outside. Returns (T, D)."""
    t = np.clip(at_s, nodes_s[0], nodes_s[-1])
    i = np.clip(np.searchsorted(nodes_s, t, side="right") - 1, 0, len(nodes_s) - 2)
    h = (nodes_s[i + 1] - nodes_s[i])[:, None]
    u = (t - nodes_s[i])[:, None] / h
    u3 = u * u * u
    s = u3 * (10 + u * (-15 + 6 * u))
    out = value[i] + (value[i + 1] - value[i]) * s
    out += h * (slope[i] * (u - u3 * (6 + u * (-8 + 3 * u))) + slope[i + 1] * (u3 * (-4 + u * (7 - 3 * u))))
    square = u * u
    out += (
        0.5
        * h
        * h
        * (curve[i] * (square + u3 * (-3 + u * (3 - u))) + curve[i + 1] * (u3 * (1 + u * (-2 + u))))
    )
    return out


def ramp(u: Floats) -> Floats:
    """C² step from 0 to 1 while u goes from 0 to 1."""
    v = np.clip(u, 0.0, 1.0)
    return v * v * v * (10 + v * (-15 + 6 * v))
