"""Signals against time: three coloured lines, their uncertainty, gaps and cuts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from imusim.types import Floats
from imusim.viz.style import AXIS_COLOURS, FAINT, GAP, MUTED

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BINS = 450
"""Pieces of time that a long signal is reduced to."""

DENSE = 10
"""From so many samples a piece on, the span of each piece is drawn instead of lines."""


def envelope(time_s: Floats, *signals: Floats, bins: int = BINS) -> tuple[Floats, ...]:
    """Reduce long signals to the minimum and maximum of each of `bins` pieces of time, so that no peak is lost.

    Parameters
    ----------
    time_s : (T,) · s
    *signals : (T, C) each
    bins : pieces; up to three samples a piece nothing is reduced

    Returns
    -------
    time_s : (2 bins,) or as it came
    *signals : (2 bins, C), per piece the minimum, then the maximum; NaN where a piece has no number
    """
    if time_s.size <= 3 * bins:
        return (time_s, *signals)
    starts = np.linspace(0, time_s.size, bins, endpoint=False).astype(np.intp)
    ends = np.append(starts[1:], time_s.size) - 1
    centre = (time_s[starts] + time_s[ends]) / 2
    half = (time_s[ends] - time_s[starts]) / 4
    out: list[Floats] = [np.stack([centre - half, centre + half], axis=1).ravel()]
    for signal in signals:
        low, high = np.fmin.reduceat(signal, starts, axis=0), np.fmax.reduceat(signal, starts, axis=0)
        out.append(np.stack([low, high], axis=1).reshape(2 * bins, -1))
    return tuple(out)


def runs(mask: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Return (first, last) of each run of True, (R, 2)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return edges.reshape(-1, 2) - [0, 1]


def draw_traces(
    ax: Axes,
    time_s: Floats,
    signal: Floats,
    sd: Floats | None = None,
    *,
    gap: NDArray[np.bool_] | None = None,
    cuts_s: tuple[float, ...] = (),
    least_span: float = 0.0,
    place: tuple[float, float] | None = None,
) -> None:
    """Draw x, y and z of one sensor.

    Parameters
    ----------
    ax : axes to draw on
    time_s : (T,) · s
    signal : (T, 3)
    sd : (T, 3) or None, shaded as ± 2 standard deviations (not in long recordings, where the signals' span is)
    gap : (T,) bool or None, samples without a value, shaded grey
    cuts_s : times of shot cuts, dashed
    least_span : the vertical axis spans at least this, so that a still sensor looks still
    place : (bottom, top) in the vertical unit of `ax`: draw there with a scale of its own, so that many sensors
        share one `Axes` (one for each takes most of the time of a picture); None: all of `ax`
    """
    t, y = envelope(time_s, signal)
    dense = time_s.size > DENSE * BINS
    low = high = None
    if sd is not None and not dense:
        _, low = envelope(time_s, signal - 2 * sd)
        _, high = envelope(time_s, signal + 2 * sd)
        if time_s.size > t.size:  # the least and the greatest of each piece, twice
            low, high = np.repeat(low[::2], 2, axis=0), np.repeat(high[1::2], 2, axis=0)
    least, most = limits(y, low, high, least_span)
    bottom, top = (least, most) if place is None else place
    scale = (top - bottom) / (most - least)

    def at(value: Any) -> Any:
        return np.clip(bottom + (value - least) * scale, bottom, top)

    shade(ax, time_s, gap, (bottom, top))
    for cut in cuts_s:
        ax.plot([cut, cut], [bottom, top], color=MUTED, linewidth=0.8, linestyle=(0, (4, 3)), zorder=1)
    if time_s.size > 1:
        ax.set_xlim(time_s[0], time_s[-1])
        if least < 0 < most:
            ax.plot(time_s[[0, -1]], at(np.zeros(2)), color=FAINT, linewidth=0.7, zorder=1)
    for i, colour in enumerate(AXIS_COLOURS):
        if dense:  # lines would be solid blocks: the span of each piece, and its middle
            centre, lower, upper = (t[::2] + t[1::2]) / 2, at(y[::2, i]), at(y[1::2, i])
            ax.fill_between(centre, lower, upper, color=colour, alpha=0.3, linewidth=0, zorder=2)
            ax.plot(centre, (lower + upper) / 2, color=colour, linewidth=0.9, zorder=3 + i)
            continue
        if low is not None and high is not None:
            ax.fill_between(t, at(low[:, i]), at(high[:, i]), color=colour, alpha=0.16, linewidth=0, zorder=2)
        ax.plot(t, at(y[:, i]), color=colour, linewidth=0.9, zorder=3 + i, solid_joinstyle="round")
    _scale_lines(ax, least, most, bottom, top, at)


def _scale_lines(ax: Axes, least: float, most: float, bottom: float, top: float, at: Any) -> None:
    """Draw a vertical scale from `least` to `most` at the left edge between `bottom` and `top`."""
    from matplotlib.ticker import MaxNLocator

    edge = ax.get_yaxis_transform()
    ax.plot([0, 0], [bottom, top], transform=edge, color=FAINT, linewidth=0.9, clip_on=False, zorder=2)
    ticks = np.asarray(MaxNLocator(4, steps=[1, 2, 5, 10]).tick_values(least, most))
    for tick in ticks[(ticks >= least) & (ticks <= most)]:
        ax.annotate(
            f"{tick:g}".replace("-", "\N{MINUS SIGN}"),
            (0, float(at(tick))),
            xycoords=edge,
            xytext=(-3, 0),
            textcoords="offset points",
            ha="right",
            va="center",
            fontsize=7,
            color=MUTED,
            annotation_clip=False,
        )


def shade(
    ax: Axes, time_s: Floats, gap: NDArray[np.bool_] | None, between: tuple[float, float] | None = None
) -> None:
    """Shade the samples of `gap`, over the full height or between two values."""
    if gap is None or not gap.any() or time_s.size < 2:
        return
    step = float(np.median(np.diff(time_s)))
    spans = [(float(time_s[a]) - step / 2, float(time_s[b] - time_s[a]) + step) for a, b in runs(gap)]
    where = ax.get_xaxis_transform() if between is None else ax.transData
    bottom, top = (0.0, 1.0) if between is None else between
    ax.broken_barh(spans, (bottom, top - bottom), transform=where, facecolor=GAP, edgecolor="none", zorder=0)


def limits(y: Floats, low: Floats | None, high: Floats | None, least_span: float) -> tuple[float, float]:
    """Vertical limits: the lines whole, and of the bands no more than half the lines' span beyond them."""
    if not np.isfinite(y).any():
        return -1.0, 1.0
    bottom, top = float(np.nanmin(y)), float(np.nanmax(y))
    spare = 0.5 * max(top - bottom, least_span)
    if low is not None and high is not None and np.isfinite(low).any():
        bottom = max(min(bottom, float(np.nanmin(low))), bottom - spare)
        top = min(max(top, float(np.nanmax(high))), top + spare)
    missing = max(0.0, least_span - (top - bottom)) / 2
    margin = 0.06 * max(top - bottom, least_span, 1e-9)
    return bottom - missing - margin, top + missing + margin
