"""Quintic splines in nodal form, and the pieces of a clip that one spline may cover.

A `Spline` keeps the value, first and second derivative of every channel at every node; between nodes lies the
quintic Hermite polynomial. Interpolation and smoothing (`imusim.smoothing`) both end in this form.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from imusim._kernels import spline as _k
from imusim.errors import ShapeError, TimeError
from imusim.types import Floats, as_floats, check_time

_END_POINTS = (
    8  # points of the polynomial that sets the end derivatives: 6 is 40 times worse there, 9 rounds more
)


@dataclass(frozen=True)
class Spline:
    """A C² (or smoother) quintic spline of C channels.

    Parameters
    ----------
    time_s : (n,) · s, nodes, strictly increasing
    nodes : (n, C, 3): value, first and second derivative (per s, per s²) of every channel at every node
    """

    time_s: Floats
    nodes: Floats

    def __post_init__(self) -> None:
        t = check_time(self.time_s)
        if t.size == 0:
            raise TimeError("a spline needs at least one node")
        nodes = np.asarray(self.nodes, dtype=np.float64)
        if nodes.ndim != 3 or nodes.shape[0] != t.size or nodes.shape[2] != 3:
            raise ShapeError(f"nodes has shape {nodes.shape}, wanted ({t.size}, any, 3)")
        object.__setattr__(self, "time_s", t)
        # channels innermost in memory, so that kernels run along them
        object.__setattr__(self, "nodes", np.ascontiguousarray(nodes.transpose(0, 2, 1)).transpose(0, 2, 1))

    @property
    def channel_last(self) -> Floats:
        """The nodes as (n, 3, C), contiguous: what the kernels read."""
        return self.nodes.transpose(0, 2, 1)

    def part(self, first_s: float, last_s: float) -> Spline:
        """Return a spline with the same values from `first_s` to `last_s`: this one."""
        del first_s, last_s
        return self

    def evaluate(self, time_s: ArrayLike) -> Floats:
        """Value, first and second derivative.

        Parameters
        ----------
        time_s : (T,) · s, in any order; outside the nodes the ends go on with constant second derivative

        Returns
        -------
        (T, C, 3): value, first and second derivative (per s, per s²)
        """
        query = as_floats(time_s, "time_s", (None,))
        out = np.empty((query.size, 3, self.nodes.shape[1]))
        _k.evaluate(self.time_s, self.channel_last, query, out)
        return out.transpose(0, 2, 1)


def interpolate(time_s: ArrayLike, values: ArrayLike) -> Spline:
    """Fit the C⁴ quintic spline through samples; O(n), one factorisation for all channels.

    First and second derivatives at the two ends are those of the polynomial through the first (last) 8 points.
    With fewer samples than 6 the result is the polynomial of degree n − 1, so one sample gives a constant.

    Parameters
    ----------
    time_s : (n,) · s, strictly increasing, any spacing
    values : (n, C), finite

    Raises
    ------
    ShapeError, TimeError
        On wrong shapes, values that are not finite, times that do not increase.
    """
    t = check_time(time_s)
    y = as_floats(values, "values", (t.size, None))
    if not np.isfinite(y).all():
        raise ShapeError(
            f"values has {int((~np.isfinite(y)).sum())} entries that are not finite; drop those samples"
        )
    if t.size == 0:
        raise TimeError("a spline needs at least one sample")
    nodes = np.empty((t.size, 3, y.shape[1]))
    nodes[:, 0] = y
    interpolate_nodes(t, nodes)
    return Spline(t, nodes.transpose(0, 2, 1))


def interpolate_nodes(t: Floats, nodes: Floats) -> None:
    """Fill in the derivatives: t (n,) s, nodes (n, 3, C) with values at [:, 0]; unchecked, in place."""
    n = t.size
    nodes[0, 1:] = 0.0
    nodes[-1, 1:] = 0.0
    m = min(n, _END_POINTS)
    if m > 1:
        first, last = end_weights(t[:m], 0), end_weights(t[n - m :], m - 1)
        for i in range(m):  # not a matrix product, whose bits would depend on the number of channels
            nodes[0, 1:] += first[:, i, None] * nodes[i, 0]
            nodes[-1, 1:] += last[:, i, None] * nodes[n - m + i, 0]
    if n > 2:
        _k.interpolate(t, nodes)


def end_weights(t: Floats, at: int) -> Floats:
    """Weights (2, m) of the samples at t (m,) s for the first and second derivative, at node `at`, of the
    polynomial through them."""
    scale = t[-1] - t[0]
    s = (t - t[at]) / scale
    inverse = np.linalg.inv(np.vander(s, increasing=True))
    second = 2.0 * inverse[2] if t.size > 2 else np.zeros(t.size)
    return np.stack([inverse[1] / scale, second / scale**2])


def runs(
    time_s: Floats, valid: NDArray[np.bool_], shot: NDArray[np.int64] | None, max_gap_s: float
) -> list[NDArray[np.int64]]:
    """Split samples into the pieces that one spline may cover.

    Parameters
    ----------
    time_s : (T,) · s
    valid : (T,) bool, samples to use
    shot : (T,) int or None; a change starts a new piece
    max_gap_s : longest time without a valid sample that is still bridged · s

    Returns
    -------
    list of index arrays into the samples, in order of time
    """
    index = np.flatnonzero(valid)
    if index.size == 0:
        return []
    cut = np.diff(time_s[index]) > max_gap_s
    if shot is not None:
        # also when the shot changes and changes back between two valid samples
        changes = np.concatenate([[0], np.cumsum(np.diff(shot) != 0)])
        cut |= np.diff(changes[index]) != 0
    return np.split(index, np.flatnonzero(cut) + 1)


def piece_bounds(time_s: Floats, pieces: list[NDArray[np.int64]]) -> Floats:
    """Where each piece is believed: (P, 2) · s, half a sample beyond its ends but never past the midpoint to
    the next piece."""
    if not pieces:
        return np.zeros((0, 2))
    half = 0.5 * np.median(np.diff(time_s)) if time_s.size > 1 else 0.0
    first = np.array([time_s[p[0]] for p in pieces])
    last = np.array([time_s[p[-1]] for p in pieces])
    bounds = np.stack([first - half, last + half], axis=1)
    middle = 0.5 * (last[:-1] + first[1:])
    bounds[1:, 0] = np.maximum(bounds[1:, 0], middle)
    bounds[:-1, 1] = np.minimum(bounds[:-1, 1], middle)
    return bounds
