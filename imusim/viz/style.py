"""Colours and type that every picture shares."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

AXIS_COLOURS = ("#c8402f", "#1f8a4c", "#2364aa")
"""x, y, z: red, green, blue, dark enough for white paper (told apart by lightness, too)."""

INK = "#22272e"
MUTED = "#6b7480"
FAINT = "#d9dde2"
PAPER = "#ffffff"
GAP = "#e6e8eb"
GOOD = "#1f8a4c"
DOUBTFUL = "#d99000"
BAD = "#c8402f"
LEFT = "#2f9bd8"
RIGHT = "#f2a33a"
MIDDLE = "#ffffff"
SENSOR = "#c8402f"


def quality_colour(value: float) -> str:
    """Return green, amber or red for a quality or confidence, 0 … 1."""
    return GOOD if value >= 0.6 else DOUBTFUL if value >= 0.35 else BAD


def new_figure(width_in: float, height_in: float, dpi: float = 100.0) -> Figure:
    """Return a figure drawn by Agg, without pyplot and its global state."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width_in, height_in), dpi=dpi, facecolor=PAPER)
    FigureCanvasAgg(figure)
    return figure


def quiet_axes(ax: Axes, size: float = 7.0) -> None:
    """Draw only the left and bottom edges, thin, with small tick labels."""
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        ax.spines[side].set_color(FAINT)
        ax.spines[side].set_linewidth(0.8)
    ax.tick_params(labelsize=size, colors=MUTED, length=2.5, width=0.6, pad=1.5)


@contextmanager
def tolerant_fonts() -> Iterator[None]:
    """Draw file names in scripts that the font lacks as boxes, without a warning."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from")
        yield


def text(where: Any, x: float, y: float, words: str, **style: Any) -> Any:
    """Write words as they are: no mathematics between dollar signs."""
    return where.text(x, y, words, parse_math=False, **({"color": INK, "fontsize": 8} | style))
