"""Splines of long recordings: kept as what they are made from, and made window by window where they are asked for."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

import numpy as np

from imusim.spline import Spline, interpolate_nodes
from imusim.types import Floats

LONG_BYTES = 64 * 2**20  # of nodes; shorter recordings are solved at once and kept
_NODES = (128, 1024)  # a window: the larger, if it is not more than
_NUMBERS = 2**20  # values
_BEYOND = 64  # samples on either side that a window is solved with
_KEPT = 3  # windows kept


class LongSpline:
    """A spline whose nodes take three times the memory of what they are made from, or more.

    Parameters
    ----------
    time_s : (n,) · s, nodes, strictly increasing
    channels : C
    make : ``make(first, last)`` gives the nodes first … last − 1 as (last − first, 3, C)
    """

    def __init__(self, time_s: Floats, channels: int, make: Callable[[int, int], Floats]) -> None:
        self.time_s = time_s
        self._window_size = min(max(_NUMBERS // channels, _NODES[0]), _NODES[1])
        self._make = make
        self._made: OrderedDict[int, Floats] = OrderedDict()

    def part(self, first_s: float, last_s: float) -> Spline:
        """Return a spline with the same values from `first_s` to `last_s`, to the bit, wherever else it is asked."""
        n, size = self.time_s.size, self._window_size
        ends = np.array([first_s, last_s])
        a, b = np.clip(np.searchsorted(self.time_s, ends, side="right") - 1, 0, max(n - 2, 0)) // size
        nodes = [self._window(int(k)) for k in range(a, b + 1)]
        last = min(n, (b + 1) * size + 1)
        joined = nodes[0] if a == b else np.concatenate([*(x[:size] for x in nodes[:-1]), nodes[-1]])
        return Spline(self.time_s[a * size : last], joined.transpose(0, 2, 1))

    def _window(self, k: int) -> Floats:
        """Nodes of window k and the first one behind it."""
        if k not in self._made:
            first, behind = k * self._window_size, (k + 1) * self._window_size + 1
            self._made[k] = self._make(first, min(self.time_s.size, behind))
            if len(self._made) > _KEPT:
                self._made.popitem(last=False)
        self._made.move_to_end(k)
        return self._made[k]


def interpolate_whole(time_s: Floats, values: Floats) -> Spline | LongSpline:
    """Return the C⁴ quintic spline through samples, (n,) · s and (n, C), finite: at once, or in windows if they are many."""
    if 24 * values.size > LONG_BYTES:
        return interpolate_long(time_s, values)
    nodes = np.empty((time_s.size, 3, values.shape[1]))
    nodes[:, 0] = values
    interpolate_nodes(time_s, nodes)
    return Spline(time_s, nodes.transpose(0, 2, 1))


def interpolate_long(time_s: Floats, values: Floats) -> LongSpline:
    """Return the C⁴ quintic spline through samples; unchecked.

    A window is solved together with 64 samples on either side. What is wrong at the ends of that dies out by a factor of
    0.43 a sample (the larger root inside the unit circle of z⁴ + 26 z³ + 66 z² + 26 z + 1), so inside the window it is the
    spline of the whole recording, to rounding.

    Parameters
    ----------
    time_s : (n,) · s, strictly increasing
    values : (n, C), finite
    """

    def make(first: int, last: int) -> Floats:
        a, b = max(0, first - _BEYOND), min(time_s.size, last + _BEYOND)
        nodes = np.empty((b - a, 3, values.shape[1]))
        nodes[:, 0] = values[a:b]
        interpolate_nodes(time_s[a:b], nodes)
        return nodes[first - a : last - a]

    return LongSpline(time_s, values.shape[1], make)
