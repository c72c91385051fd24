"""A body painted with a figure of every skin vertex, such as how strongly it accelerates in a sweep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from imusim.atomic import written_together
from imusim.body import Posed
from imusim.errors import ConfigError, ShapeError
from imusim.placement.everywhere import vertex_indices
from imusim.types import Body, Floats
from imusim.viz.body_view import VIEWS, draw_body, relaxed_pose
from imusim.viz.style import FAINT, INK, MUTED, new_figure, text

if TYPE_CHECKING:
    from matplotlib.colors import Colormap, Normalize
    from matplotlib.figure import Figure

    from imusim.sweeping import SweepStatistics

COLOURS = ("viridis", 0.14, 1.0)
"""matplotlib's colour map, even to the eye and safe for colour-blind ones, and the part of it that is not too dark for
shading to be seen on it."""

_SCALE_IN = 3.1  # inches a metre of body
_GAP_IN, _BAR_IN, _EDGE_IN = 0.15, 1.15, 0.3
_TITLE_IN, _FOOT_IN = 0.62, 0.15


@dataclass(frozen=True, eq=False)
class Paint:
    """One figure of every vertex, for one row of the picture.

    Parameters
    ----------
    values : (S,), the figure at each of the vertices; one that is not finite is drawn grey
    title : what it is, for people
    unit : its unit
    limits : (low, high) ends of the colour scale; None: 0 and the largest value
    """

    values: Floats
    title: str
    unit: str
    limits: tuple[float, float] | None = None


def painted_body(
    paints: Paint | Sequence[Paint],
    body: Body,
    shape: ArrayLike | None = None,
    *,
    vertices: ArrayLike | None = None,
    pose: Posed | None = None,
    views: Sequence[str] = ("front", "back", "left"),
) -> Figure:
    """Paint a body with figures of its skin vertices: a row each, seen from several sides, with a colour bar.

    Parameters
    ----------
    paints : what to paint
    body : a body with a skin
    shape : shape coefficients of the body, or None for the mean

    Other Parameters
    ----------------
    vertices : (S,) the vertices that the values belong to; None: all. Skin without a value is grey
    pose : the body in another pose, y up and facing +z (its first frame is drawn); None: arms lowered
    views : names in `imusim.viz.body_view.VIEWS`

    Raises
    ------
    ConfigError, ShapeError
        On a body without a skin, an unknown view, and values that do not fit the vertices.
    """
    from matplotlib.colors import Normalize

    rows = [paints] if isinstance(paints, Paint) else list(paints)
    skin = (relaxed_pose(body, shape) if pose is None else pose).vertices
    if skin is None or body.faces is None:
        raise ConfigError(f"{body.name} has no skin to paint")
    if not rows or not views:
        raise ConfigError("nothing to paint. Give at least one Paint and one view.")
    unknown = [v for v in views if v not in VIEWS]
    if unknown:
        raise ConfigError(f"view {unknown[0]!r}, wanted one of {', '.join(VIEWS)}")
    skin = skin[0]
    sizes = [np.ptp(skin @ np.asarray(VIEWS[v]).T, axis=0)[:2] + [0.06, 0.06] for v in views]
    widths = [_SCALE_IN * float(s[0]) for s in sizes]
    tall = _SCALE_IN * max(float(s[1]) for s in sizes)
    width = 2 * _EDGE_IN + sum(widths) + _GAP_IN * len(views) + _BAR_IN
    row_height = tall + _TITLE_IN + _FOOT_IN
    height = row_height * len(rows)
    figure = new_figure(width, height, dpi=150)
    colours = _colours()
    for r, paint in enumerate(rows):
        values = _all_vertices(paint, vertices, skin.shape[0])
        low, high = paint.limits or (0.0, float(np.nanmax(values, initial=0.0)) or 1.0)
        scale = Normalize(low, high)
        faces = _face_colours(values, body, colours, scale)
        foot = height - (r + 1) * row_height + _FOOT_IN
        title = foot + tall + 0.5 * _TITLE_IN
        text(figure, _EDGE_IN / width, title / height, paint.title, fontsize=12, fontweight="bold")
        left = _EDGE_IN
        for view, wide in zip(views, widths, strict=True):
            ax = figure.add_axes((left / width, foot / height, wide / width, tall / height))
            matrix = draw_body(ax, skin, body.faces, view=view, skin=faces, relief=0.3)
            seen = (skin @ matrix.T)[:, :2]
            middle = 0.5 * (seen[:, 0].min() + seen[:, 0].max())
            floor = seen[:, 1].min() - 0.03
            ax.set_xlim(middle - 0.5 * wide / _SCALE_IN, middle + 0.5 * wide / _SCALE_IN)
            ax.set_ylim(floor, floor + tall / _SCALE_IN)
            label = {"left": "left side", "right": "right side"}.get(view, view)
            centre = (left + 0.5 * wide) / width
            text(figure, centre, (foot + tall) / height, label, color=MUTED, fontsize=9, ha="center")
            left += wide + _GAP_IN
        _bar(figure, (left + 0.1, foot + 0.15 * tall, 0.16, 0.7 * tall), colours, scale, paint.unit)
    return figure


def paint_statistics(
    statistics: SweepStatistics,
    body: Body,
    shape: ArrayLike | None = None,
    *,
    figure: str = "rms",
    **drawing: Any,
) -> Figure:
    """Paint a body with what `imusim.sweep_statistics` found: linear acceleration and angular rate.

    Parameters
    ----------
    statistics : figures of the vertices
    body, shape : the body that the motion was of

    Other Parameters
    ----------------
    figure : "rms" (root mean square) or "peak" (largest value)
    drawing : `pose` and `views` of `painted_body`

    Raises
    ------
    ConfigError
        If `figure` is neither.
    """
    named = {"rms": "root mean square", "peak": "largest value"}
    if figure not in named:
        raise ConfigError(f"figure={figure!r}, wanted rms or peak")
    acc, gyro = (getattr(statistics, f"{kind}_{figure}") for kind in ("acc", "gyro"))
    paints = (
        Paint(acc, f"Linear acceleration, {named[figure]}", "m/s²"),
        Paint(gyro, f"Angular rate, {named[figure]}", "rad/s"),
    )
    return painted_body(paints, body, shape, vertices=statistics.vertices, **drawing)


def save_picture(figure: Figure, path: Path | str) -> None:
    """Write a figure to a .png, .pdf or .svg file, whole or not at all.

    Raises
    ------
    ConfigError, OutputError
        On another suffix, and if the file cannot be written.
    """
    path = Path(path)
    kind = path.suffix.lower().removeprefix(".")
    if kind not in ("png", "pdf", "svg"):
        raise ConfigError(f"{path.name}: wanted a picture's name that ends in .png, .pdf or .svg")
    with written_together(path) as (temporary,):
        figure.savefig(temporary, format=kind)


def _colours() -> Colormap:
    from matplotlib import colormaps
    from matplotlib.colors import ListedColormap

    name, first, last = COLOURS
    return ListedColormap(colormaps[name](np.linspace(first, last, 256)))


def _all_vertices(paint: Paint, vertices: ArrayLike | None, count: int) -> Floats:
    """Values of all V vertices, (V,), NaN where there is none."""
    chosen = vertex_indices(vertices, count)
    values = np.asarray(paint.values, dtype=np.float64)
    if values.shape != chosen.shape:
        raise ShapeError(f"{paint.title!r} has values of shape {values.shape}, wanted ({chosen.size},)")
    out = np.full(count, np.nan)
    out[chosen] = np.where(np.isfinite(values), values, np.nan)
    return out


def _face_colours(values: Floats, body: Body, colours: Colormap, scale: Normalize) -> Floats:
    """Red, green, blue (F, 3) of every face: of the mean of its corners, grey if one has no value."""
    assert body.faces is not None
    mean = values[body.faces].mean(axis=1)
    out = np.asarray(colours(scale(np.nan_to_num(mean))))[:, :3]
    out[np.isnan(mean)] = 0.85
    return out


def _bar(figure: Figure, box_in: tuple[float, ...], colours: Colormap, scale: Normalize, unit: str) -> None:
    """Draw a colour bar in a box (left, bottom, width, height) of inches."""
    from matplotlib.cm import ScalarMappable

    width, height = figure.get_size_inches()
    x, y, w, h = box_in
    ax = figure.add_axes((x / width, y / height, w / width, h / height))
    bar = figure.colorbar(ScalarMappable(scale, colours), cax=ax)
    bar.outline.set_edgecolor(FAINT)  # pyright: ignore[reportAttributeAccessIssue, reportCallIssue]
    ax.tick_params(labelsize=8.5, colors=INK, length=2.5, width=0.6)
    text(figure, x / width, (y + h + 0.1) / height, unit, fontsize=9.5)
