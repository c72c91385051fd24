"""Draw a body with sensors on it: shaded skin, dots, axes and labels that do not overlap.

python -m imusim.viz.body_view --out docs      # writes docs/placements.png and docs/placements.md
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from imusim.body import Posed, SkeletonBody, SkinnedBody
from imusim.errors import ConfigError
from imusim.kinematics import Sites
from imusim.placement import locate
from imusim.types import Body, Floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes

VIEWS = {
    "front": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
    "back": ((-1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, -1.0)),
    "left": ((0.0, 0.0, -1.0), (0.0, 1.0, 0.0), (1.0, 0.0, 0.0)),
    "right": ((0.0, 0.0, 1.0), (0.0, 1.0, 0.0), (-1.0, 0.0, 0.0)),
}
"""View → directions of the picture's right, its up, and towards the viewer, in y-up body axes."""

AXIS_COLOURS = ("#d62728", "#2ca02c", "#1f77b4")
SKIN = (0.90, 0.84, 0.78)
DOT = "#111111"


def draw_body(
    ax: Axes,
    vertices: ArrayLike,
    faces: NDArray[np.int64],
    positions: ArrayLike | None = None,
    labels: Sequence[str] | None = None,
    *,
    axes: ArrayLike | None = None,
    view: str | ArrayLike = "front",
    skin: ArrayLike = SKIN,
    alpha: float = 1.0,
    zorder: float = 1.0,
    relief: float = 0.58,
) -> Floats:
    """Draw a shaded mesh, nearest faces last (painter's algorithm), and sensors on it.

    Parameters
    ----------
    ax : matplotlib axes; they get an equal aspect and no frame
    vertices : (V, 3) · m
    faces : (F, 3), counter-clockwise from outside

    Other Parameters
    ----------------
    positions : (S, 3) · m, sensors; those on the side that this view does not show are drawn pale
    labels : S labels: numbers (up to three letters) go into the dots, longer ones into columns beside the body
    axes : (S, 3, 3), columns are the sensors' x, y, z axes; None: not drawn
    view : a name in `VIEWS` (for y-up axes), or (3, 3) rows: right, up, towards the viewer
    skin : (3,) red, green, blue of a face that looks at the light, or (F, 3): of each face
    alpha : 1 for solid skin, less to see joints through it
    zorder : matplotlib's drawing order
    relief : how much darker a face is that looks away from the light, 0 … 1

    Returns
    -------
    (3, 3) the view's matrix: ``points @ matrix.T`` are picture x, picture y, nearness.
    """
    from matplotlib.collections import PolyCollection

    matrix = view_matrix(view)
    seen = np.asarray(vertices, dtype=np.float64) @ matrix.T
    corners = seen[faces]  # (F, 3, 3)
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    size = np.linalg.norm(normal, axis=1)
    front = (normal[:, 2] > 0.0) & (size > 0.0)
    corners, normal = corners[front], normal[front] / size[front, None]
    order = np.argsort(corners[..., 2].mean(axis=1), kind="stable")
    corners, normal = corners[order], normal[order]
    paint = np.broadcast_to(np.asarray(skin, dtype=np.float64), (len(faces), 3))[front][order]
    light = np.array([-0.35, 0.45, 0.82])
    shade = 1.0 - relief + relief * np.clip(normal @ (light / np.linalg.norm(light)), 0.0, 1.0)
    colour = np.concatenate([paint * shade[:, None], np.full((shade.size, 1), alpha)], axis=1)
    edge: Any = "none" if alpha < 1.0 else colour
    flat: Any = corners[..., :2]
    ax.add_collection(
        PolyCollection(flat, facecolors=colour, edgecolors=edge, linewidths=0.25, zorder=zorder)
    )
    _frame(ax, seen)
    if positions is not None and len(spots := np.asarray(positions, dtype=np.float64).reshape(-1, 3)):
        pale = _on_far_side(seen, faces, spots @ matrix.T)
        draw_sensors(ax, spots, names=labels, axes=axes, view=matrix, pale=pale)
    return matrix


def _on_far_side(seen: Floats, faces: NDArray[np.int64], points: Floats) -> NDArray[np.bool_]:
    """(S,) True where a point lies nearer to the back of what is drawn than to its front, by 2 cm or more."""
    corners = seen[faces]
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    out = np.zeros(len(points), dtype=np.bool_)
    for i, p in enumerate(points):
        with np.errstate(divide="ignore", invalid="ignore"):
            v = ((p[0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (p[1] - a[:, 1]) * (c[:, 0] - a[:, 0])) / area
            w = ((b[:, 0] - a[:, 0]) * (p[1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (p[0] - a[:, 0])) / area
        over = (v >= 0) & (w >= 0) & (v + w <= 1)
        if over.any():
            depth = a[over, 2] + v[over] * (b - a)[over, 2] + w[over] * (c - a)[over, 2]
            out[i] = (depth.max() - p[2]) > (p[2] - depth.min()) + 0.02
    return out


def draw_bones(ax: Axes, joints: ArrayLike, parents: ArrayLike, *, view: str | ArrayLike = "front") -> Floats:
    """Draw a skeleton's bones as lines, joints (J, 3) · m; returns the view's matrix like `draw_body`."""
    from matplotlib.collections import LineCollection

    matrix = view_matrix(view)
    seen = np.asarray(joints, dtype=np.float64) @ matrix.T
    pairs = [(seen[p, :2], seen[j, :2]) for j, p in enumerate(np.asarray(parents)) if p >= 0]
    ax.add_collection(LineCollection(pairs, colors="#888888", linewidths=2.0, zorder=2.0))
    _frame(ax, seen)
    return matrix


def draw_sensors(
    ax: Axes,
    positions: ArrayLike,
    *,
    names: Sequence[str] | None = None,
    axes: ArrayLike | None = None,
    view: str | ArrayLike = "front",
    pale: ArrayLike | None = None,
    axis_length_m: float = 0.07,
    font_size: float = 7.5,
) -> None:
    """Draw sensors as dots, with their axes (x red, y green, z blue) and labels in two columns beside the body.

    Parameters
    ----------
    positions : (S, 3) · m

    Other Parameters
    ----------------
    names : S labels; None: dots only
    axes : (S, 3, 3), columns are the sensor's x, y, z axes; None: no axes
    view : as for `draw_body`
    pale : (S,) bool, sensors to draw pale
    axis_length_m : length of the axes in the picture
    font_size : of the labels, points
    """
    matrix = view_matrix(view)
    seen = np.asarray(positions, dtype=np.float64) @ matrix.T
    if axes is not None:
        tips = (
            np.einsum("ab,sbk->ska", matrix, np.asarray(axes, dtype=np.float64)) * axis_length_m
        )  # (S, axis, 3)
        for k, colour in enumerate(AXIS_COLOURS):
            for at, tip in zip(seen, tips[:, k], strict=True):
                ax.plot(
                    [at[0], at[0] + tip[0]], [at[1], at[1] + tip[1]], color=colour, lw=1.3, zorder=5 + tip[2]
                )
    strength = np.where(np.zeros(len(seen), dtype=np.bool_) if pale is None else np.asarray(pale), 0.35, 1.0)
    numbered = names is not None and all(len(n) <= 3 for n in names)
    for i, at in enumerate(seen):
        style = {"ms": 9.5 if numbered else 4.0, "mew": 0.6, "alpha": strength[i], "zorder": 6 + strength[i]}
        ax.plot(at[0], at[1], "o", mfc=DOT, mec="white", **style)
        if names is not None and numbered:
            ax.text(at[0], at[1], names[i], color="white", fontsize=6, ha="center", va="center", zorder=7.5)
    if names is not None and not numbered:
        _labels(ax, seen[:, :2], list(names), font_size)


def _labels(ax: Axes, at: Floats, names: list[str], font_size: float) -> None:
    """Put labels in a column at each side, in the order of their heights, with lines to the dots."""
    x0, x1 = ax.get_xlim()
    y0, y1 = ax.get_ylim()
    middle = 0.5 * (x0 + x1)
    side = at[:, 0] > middle + 1e-3
    central = np.abs(at[:, 0] - middle) <= 0.03
    for i in np.flatnonzero(central)[np.argsort(-at[central, 1])]:  # the middle ones to the emptier side
        side[i] = side[~central | (np.arange(len(side)) < i)].sum() * 2 < len(side)
    step = (y1 - y0) * min(0.045, 0.98 / max(1, side.sum(), (~side).sum()))
    for right in (False, True):
        rows = np.flatnonzero(side == right)
        rows = rows[np.argsort(at[rows, 1], kind="stable")]
        heights = _spread(at[rows, 1], step, y0 + 0.5 * step, y1 - 0.5 * step)
        x = x1 if right else x0
        for row, height in zip(rows, heights, strict=True):
            ax.annotate(
                names[row],
                xy=(at[row, 0], at[row, 1]),
                xytext=(x, height),
                ha="left" if right else "right",
                va="center",
                fontsize=font_size,
                annotation_clip=False,
                arrowprops={"arrowstyle": "-", "lw": 0.5, "color": "#555555", "shrinkA": 1, "shrinkB": 2},
                zorder=6,
            )


def _spread(wanted: Floats, step: float, low: float, high: float) -> Floats:
    """Move sorted heights as little as needed for gaps ≥ step (pool adjacent violators), within low … high."""
    blocks: list[list[float]] = []  # [mean of (wanted − k step), count]
    for k, value in enumerate(wanted):
        blocks.append([float(value) - k * step, 1.0])
        while len(blocks) > 1 and blocks[-2][0] >= blocks[-1][0]:
            mean, count = blocks.pop()
            blocks[-1] = [
                (blocks[-1][0] * blocks[-1][1] + mean * count) / (blocks[-1][1] + count),
                blocks[-1][1] + count,
            ]
    base = np.concatenate([np.full(int(c), m) for m, c in blocks]) if blocks else np.zeros(0)
    base = np.clip(base, low, max(low, high - (len(wanted) - 1) * step))
    return base + step * np.arange(len(wanted))


def relaxed_pose(body: Body, shape: ArrayLike | None = None) -> Posed:
    """Pose the body for a picture: root at the origin, arms hanging 60° below the T pose, in the body's own axes."""
    q = np.zeros((len(body.joint_names), 4))
    q[:, 0] = 1.0
    for name, sign in (("left_shoulder", -1.0), ("right_shoulder", 1.0)):
        if name in body.joint_names:
            q[body.joint_names.index(name)] = [np.cos(np.pi / 6), 0.0, 0.0, sign * np.sin(np.pi / 6)]
    if not isinstance(body, (SkinnedBody, SkeletonBody)):
        raise ConfigError(f"cannot pose a {type(body).__name__} for a picture")
    return body.pose(np.zeros(3), q, shape=None if shape is None or np.size(shape) == 0 else shape)


def draw_placements(
    ax: Axes,
    body: Body,
    shape: ArrayLike | None,
    sites: Sites,
    *,
    view: str = "front",
    labels: bool = True,
    alpha: float = 1.0,
    font_size: float = 7.5,
    axis_length_m: float = 0.07,
) -> None:
    """Draw a body with its arms lowered and the sensors at `sites` (from `imusim.placement.attach`) on it."""
    posed = relaxed_pose(body, shape)
    if posed.vertices is not None and body.faces is not None:
        draw_body(ax, posed.vertices[0], body.faces, view=view, alpha=alpha)
    else:
        draw_bones(ax, posed.joints[0], body.parents, view=view)
    where, axes = locate(sites, posed)
    draw_sensors(
        ax,
        where[0],
        names=sites.names if labels else None,
        axes=axes[0],
        view=view,
        axis_length_m=axis_length_m,
        font_size=font_size,
    )


def view_matrix(view: str | ArrayLike) -> Floats:
    """Rows (3, 3): picture right, picture up, towards the viewer."""
    if isinstance(view, str):
        if view not in VIEWS:
            raise ConfigError(f"view={view!r}, wanted one of {', '.join(VIEWS)}, or a (3, 3) matrix")
        return np.asarray(VIEWS[view])
    return np.asarray(view, dtype=np.float64)


def _frame(ax: Axes, seen: Floats) -> None:
    low, high = seen[:, :2].min(axis=0), seen[:, :2].max(axis=0)
    ax.set_xlim(low[0] - 0.12, high[0] + 0.12)
    ax.set_ylim(low[1] - 0.03, high[1] + 0.03)
    ax.set_aspect("equal")
    ax.axis("off")
