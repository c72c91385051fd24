"""The skeleton drawn on a video frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from imusim.types import Body, Floats
from imusim.viz.style import BAD, INK, LEFT, MIDDLE, RIGHT, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Edges = tuple[tuple[int, int], ...]

_BLAZEPOSE = (
    ("left_shoulder", "right_shoulder"), ("left_hip", "right_hip"),
    *((f"{s}_{a}", f"{s}_{b}") for s in ("left", "right") for a, b in (
        ("shoulder", "elbow"), ("elbow", "wrist"), ("wrist", "index"), ("wrist", "pinky"), ("shoulder", "hip"),
        ("hip", "knee"), ("knee", "ankle"), ("ankle", "heel"), ("ankle", "foot_index"), ("heel", "foot_index"),
    )),
    ("nose", "left_ear"), ("nose", "right_ear"),
)  # fmt: skip


def landmark_edges(names: Sequence[str]) -> Edges:
    """Return the pairs of landmarks that are joined, for those of BlazePose's names that are there."""
    at = {name: i for i, name in enumerate(names)}
    return tuple((at[a], at[b]) for a, b in _BLAZEPOSE if a in at and b in at)


def bone_edges(body: Body) -> Edges:
    """Return (parent, joint) of every bone."""
    return tuple((int(parent), i) for i, parent in enumerate(body.parents) if parent >= 0)


def draw_skeleton(
    ax: Axes,
    points_px: Floats,
    names: Sequence[str],
    edges: Edges,
    *,
    doubtful: bool = False,
    width: float = 2.2,
) -> None:
    """Draw a skeleton on axes that show the frame in pixels: the person's left blue, right orange; red if doubtful.

    Parameters
    ----------
    ax : axes in pixel coordinates
    points_px : (J, 2) · pixels; points that are not finite are left out
    names : J names; "left_" and "right_" choose the colour
    edges : pairs of points that are joined
    doubtful : True where the pose should not be trusted
    width : line width · points
    """
    from matplotlib.collections import LineCollection

    seen: NDArray[np.bool_] = np.asarray(np.isfinite(points_px).all(axis=-1))
    lines = [(a, b) for a, b in edges if seen[a] and seen[b]]
    if not lines:
        return
    segments = [points_px[[a, b]] for a, b in lines]
    colours = [BAD if doubtful else _side(names[a], names[b]) for a, b in lines]
    ax.add_collection(
        LineCollection(segments, colors=INK, linewidths=width + 1.6, alpha=0.75, capstyle="round")
    )
    ax.add_collection(LineCollection(segments, colors=colours, linewidths=width, capstyle="round"))


def overlay(
    rgb: NDArray[np.uint8], points_px: Floats, names: Sequence[str], edges: Edges, *, doubtful: bool = False
) -> NDArray[np.uint8]:
    """Return a copy of the frame, (H, W, 3) uint8, with the skeleton drawn on it; arguments as `draw_skeleton`."""
    height, width = rgb.shape[:2]
    figure = new_figure(width / 100.0, height / 100.0)
    ax = figure.add_axes((0, 0, 1, 1))
    ax.imshow(rgb, interpolation="nearest", extent=(0, width, height, 0), aspect="auto")
    draw_skeleton(ax, points_px, names, edges, doubtful=doubtful, width=max(1.5, 0.0035 * max(width, height)))
    ax.set(xlim=(0, width), ylim=(height, 0))
    ax.set_axis_off()
    canvas = figure.canvas
    canvas.draw()
    drawn = np.asarray(canvas.buffer_rgba())[..., :3]  # type: ignore[attr-defined]
    return np.ascontiguousarray(drawn[:height, :width])


def _side(*names: str) -> str:
    if all(name.startswith("left") for name in names):
        return LEFT
    if all(name.startswith("right") for name in names):
        return RIGHT
    for name in names:  # a limb's root hangs on a joint of the trunk
        if name.startswith("left"):
            return LEFT if not any(n.startswith("right") for n in names) else MIDDLE
        if name.startswith("right"):
            return RIGHT if not any(n.startswith("left") for n in names) else MIDDLE
    return MIDDLE
