"""The panels of the report: frames with the skeleton, the body with the sensors, quality over time, figures."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from imusim.types import Floats, Motion, PoseTrack
from imusim.viz.overlay import draw_skeleton
from imusim.viz.style import BAD, DOUBTFUL, FAINT, GOOD, INK, MUTED, SENSOR, quiet_axes, text
from imusim.viz.traces import runs, shade

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from imusim.kinematics import Sites

WIDTH, STRIP, MIDDLE, CAPTION = 16.0, 3.0, 3.9, 0.28
"""Inches: the report's width, the heights of the frames, of body and quality, of the line under the frames."""

FRAMES = 6
LOW_QUALITY = 0.35

Frames = Sequence[tuple[float, NDArray[np.uint8]]]
"""(time · s, (H, W, 3) uint8 rgb) of some frames."""

Skeleton = tuple[Floats, tuple[str, ...], tuple[tuple[int, int], ...], float, str]
"""Points (J, 2) in pixels of the frame, names, edges, quality, what it is."""


def draw_strip(figure: Figure, top: float, frames: Frames, skeletons: Sequence[Skeleton | None]) -> None:
    """Draw frames side by side, each cut out around the person with the skeleton on it."""
    height = figure.get_figheight()
    gap = 0.1
    width = (WIDTH - 0.5 - gap * (FRAMES - 1)) / FRAMES
    aspect = width / STRIP
    span = max((_extent(s[0], aspect) for s in skeletons if s is not None), default=0.0)
    left = 0.25 + (WIDTH - 0.5 - len(frames) * (width + gap) + gap) / 2 * (len(frames) < FRAMES)
    for i, ((time, rgb), skeleton) in enumerate(zip(frames, skeletons, strict=True)):
        ax = figure.add_axes(
            ((left + i * (width + gap)) / WIDTH, 1 - (top + STRIP) / height, width / WIDTH, STRIP / height)
        )
        ax.set_axis_off()
        x0, x1, y0, y1 = crop(rgb, skeleton, span, aspect)
        piece = rgb[y0:y1, x0:x1]
        stride = max(1, piece.shape[0] // 700)
        ax.imshow(piece[::stride, ::stride], extent=(x0, x1, y1, y0), interpolation="antialiased")
        label = f"{time:.2f} s"
        if skeleton is not None:
            points, names, edges, quality, _ = skeleton
            draw_skeleton(ax, points, names, edges, doubtful=quality < LOW_QUALITY)
            label += f"  ·  quality {quality:.2f}" if np.isfinite(points).any() else "  ·  nobody"
        ax.set(xlim=(x0, x1), ylim=(y1, y0))
        box = {"facecolor": "black", "alpha": 0.55, "edgecolor": "none", "pad": 2.5}
        text(ax, 0.03, 0.97, label, transform=ax.transAxes, va="top", fontsize=8, color="white", bbox=box)
    what = next((s[4] for s in skeletons if s is not None), "")
    caption = (
        f"{what}: the person's left in blue, right in orange; red where the pose should not be trusted"
        if what
        else ""
    )
    text(
        figure, 0.25 / WIDTH, 1 - (top + STRIP + 0.14) / height, caption, fontsize=8, color=MUTED, va="center"
    )


def _extent(points: Floats, aspect: float) -> float:
    """Height of the window that holds the points, pixels."""
    known = points[np.isfinite(points).all(axis=-1)]
    return max(np.ptp(known[:, 1]), np.ptp(known[:, 0]) / aspect) if len(known) > 1 else 0.0


def crop(
    rgb: NDArray[np.uint8], skeleton: Skeleton | None, span: float, aspect: float
) -> tuple[int, int, int, int]:
    """Window (x0, x1, y0, y1) in pixels about the person, of the strip's aspect, inside the frame if it fits."""
    height, width = rgb.shape[:2]
    known = np.zeros((0, 2)) if skeleton is None else skeleton[0][np.isfinite(skeleton[0]).all(axis=-1)]
    h = min(max(1.35 * span, 160.0), height) if span > 0 else height
    w = h * aspect
    if w > width:
        w, h = width, min(width / aspect, height)
    centre = (known.min(axis=0) + known.max(axis=0)) / 2 if len(known) else np.array([width / 2, height / 2])
    x0 = int(np.clip(centre[0] - w / 2, 0, max(width - w, 0)))
    y0 = int(np.clip(centre[1] - h / 2, 0, max(height - h, 0)))
    return x0, min(width, x0 + max(2, round(w))), y0, min(height, y0 + max(2, round(h)))


def draw_body_panel(figure: Figure, top: float, left: float, motion: Motion, sites: Sites | None) -> None:
    """Draw the body from the front and the back, the sensors numbered as their traces, faint on the far side."""
    from imusim.placement import locate
    from imusim.viz.body_view import draw_body, draw_bones, relaxed_pose

    height = figure.get_figheight()
    body = motion.body
    posed = relaxed_pose(body, motion.shape)
    for i, view in enumerate(("front", "back")):
        width = 2.6
        ax = figure.add_axes(
            (
                (left + i * width) / WIDTH,
                1 - (top + MIDDLE - 0.1) / height,
                width / WIDTH,
                (MIDDLE - 0.35) / height,
            )
        )
        if posed.vertices is not None and body.faces is not None:
            matrix = draw_body(ax, posed.vertices[0], body.faces, view=view)
        else:
            matrix = draw_bones(ax, posed.joints[0], body.parents, view=view)
        if sites is not None:
            spots = locate(sites, posed)[0][0] @ matrix.T
            bones = sites.weights @ posed.joints[0] @ matrix.T
            _draw_spots(ax, spots, spots[:, 2] >= bones[:, 2] - 0.005)
        where = (left + (i + 0.5) * width) / WIDTH, 1 - (top + 0.12) / height
        text(figure, *where, view, fontsize=9, color=MUTED, ha="center", va="center")


def _draw_spots(ax: Any, spots: Floats, near: NDArray[np.bool_]) -> None:
    """Draw numbered dots, pushed apart where they would cover each other; those on the far side are faint."""
    low, high = ax.get_ylim()
    apart = 0.052 * (high - low)
    shown = spots[:, :2].copy()
    for _ in range(60):
        difference = shown[:, None] - shown[None]
        distance = np.linalg.norm(difference, axis=-1)
        np.fill_diagonal(distance, np.inf)
        close = distance < apart
        if not close.any():
            break
        away = np.where(
            distance[..., None] > 1e-9, difference / np.maximum(distance, 1e-9)[..., None], [[[1.0, 0.0]]]
        )
        shown += 0.25 * (np.where(close, apart - distance, 0.0)[..., None] * away).sum(axis=1)
    for s in np.argsort(near, kind="stable"):
        alpha = 1.0 if near[s] else 0.3
        if np.linalg.norm(shown[s] - spots[s, :2]) > 0.3 * apart:
            ax.plot(*np.stack([spots[s, :2], shown[s]]).T, color=INK, linewidth=0.7, alpha=alpha, zorder=6)
        ax.plot(*shown[s], "o", color=SENSOR, markersize=10.5, markeredgecolor="white", alpha=alpha, zorder=7)
        x, y = shown[s]
        number = {
            "fontsize": 6.5,
            "weight": "bold",
            "color": "white",
            "ha": "center",
            "va": "center_baseline",
        }
        text(ax, x, y, str(s + 1), zorder=8, **number)


def draw_quality(
    figure: Figure,
    top: float,
    left: float,
    motion: Motion | None,
    track: PoseTrack | None,
    cuts: tuple[float, ...],
) -> None:
    """Draw the quality of every frame against time."""
    if track is not None:
        t, quality, gap, name = track.time_s, track.quality, ~track.detected, "pose quality, frame by frame"
    elif motion is not None:
        t, quality, gap = motion.time_s, motion.confidence.mean(axis=1), ~motion.valid
        name = "mean confidence of the joints, frame by frame"
    else:
        return
    height = figure.get_figheight()
    ax = figure.add_axes(
        ((left + 0.35) / WIDTH, 1 - (top + 1.15) / height, (WIDTH - left - 0.6) / WIDTH, 0.85 / height)
    )
    quality = np.where(gap, 0.0, np.nan_to_num(quality))
    if t.size > 3000:  # the worst of each piece tells more than the mean
        starts = np.linspace(0, t.size, 1500, endpoint=False).astype(np.intp)
        t, quality, gap = t[starts], np.minimum.reduceat(quality, starts), np.logical_or.reduceat(gap, starts)
    shade(ax, t, gap)
    for low, high, colour in ((0.6, 1.01, GOOD), (LOW_QUALITY, 0.6, DOUBTFUL), (-0.01, LOW_QUALITY, BAD)):
        part = (quality >= low) & (quality < high) & ~gap
        step = float(np.median(np.diff(t))) if t.size > 1 else 1.0
        for a, b in runs(part):
            x = np.concatenate([[t[a] - step / 2], t[a : b + 1], [t[b] + step / 2]])
            y = np.concatenate([[quality[a]], quality[a : b + 1], [quality[b]]])
            ax.fill_between(x, 0, y, color=colour, alpha=0.75, linewidth=0)
    for cut in cuts:
        ax.axvline(cut, color=INK, linewidth=0.9, linestyle=(0, (4, 3)))
    if track is not None and track.switched.any():
        at = track.time_s[track.switched]
        ax.plot(at, np.full(at.size, 1.0), "v", color=BAD, markersize=5, clip_on=False)
    ax.set_ylim(0, 1.02)
    ax.set_yticks([0, 0.5, 1])
    if t.size > 1:
        ax.set_xlim(t[0], t[-1])
    quiet_axes(ax)
    ax.grid(axis="y", color=FAINT, linewidth=0.6)
    ax.set_axisbelow(True)
    where = (left + 0.35) / WIDTH, 1 - (top + 0.12) / height
    notes = [name, "grey: nobody" if gap.any() else "", "dashed: shot cut" if cuts else ""]
    notes.append("▼ person switch" if track is not None and track.switched.any() else "")
    text(figure, *where, "   ·   ".join(n for n in notes if n), fontsize=9, color=MUTED, va="center")
    ax.set_xlabel("time [s]", fontsize=7, color=MUTED, labelpad=1)


def draw_figures(
    figure: Figure,
    top: float,
    left: float,
    room_in: float,
    rows: Sequence[tuple[str, str, str]],
    warnings: Sequence[str],
) -> None:
    """Write the quality figures in two columns and the warnings under them."""
    height = figure.get_figheight()
    width = WIDTH - left - 0.6
    half = -(-len(rows) // 2)
    line = 0.205
    for i, (label, value, colour) in enumerate(rows):
        x = left + 0.35 + (i // half) * width / 2
        y = 1 - (top + 0.15 + (i % half) * line) / height
        text(figure, x / WIDTH, y, label, fontsize=9, color=MUTED, va="center")
        text(figure, (x + 1.55) / WIDTH, y, value, fontsize=9, color=colour, weight="bold", va="center")
    y = top + 0.15 + half * line + 0.12
    room = int((room_in - (y - top)) / 0.17)
    lines = [
        w for said in warnings for w in textwrap.wrap(f"! {said}", int(width * 14.5), subsequent_indent="   ")
    ]
    if len(lines) > room:
        lines = [
            *lines[: max(room - 1, 0)],
            f"   … and more: {len(warnings)} warnings in all, see the terminal",
        ]
    for i, words in enumerate(lines):
        where = (left + 0.35) / WIDTH, 1 - (y + i * 0.17) / height
        text(figure, *where, words, fontsize=8.5, color="#9a6700", va="center")
    if not warnings:
        text(
            figure,
            (left + 0.35) / WIDTH,
            1 - y / height,
            "no warnings",
            fontsize=8.5,
            color=GOOD,
            va="center",
        )
