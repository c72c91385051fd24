"""`report.png`: one picture that shows whether it worked.

From top to bottom: frames of the video with the skeleton on the person; the body with the numbered sensors, the
quality over time and its figures; the traces of every sensor with their uncertainty.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from imusim._version import __version__
from imusim.errors import ImusimError
from imusim.types import Floats, Motion, Placement, PoseTrack
from imusim.viz.figures import quality_figures
from imusim.viz.overlay import bone_edges, draw_skeleton, landmark_edges
from imusim.viz.plot import draw_sensors
from imusim.viz.style import (
    BAD,
    DOUBTFUL,
    FAINT,
    GOOD,
    INK,
    MUTED,
    SENSOR,
    new_figure,
    quiet_axes,
    text,
    tolerant_fonts,
)
from imusim.viz.traces import runs, shade

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from imusim.kinematics import Sites
    from imusim.recording import Recording

Frames = Sequence[tuple[float, NDArray[np.uint8]]]

WIDTH, HEAD, STRIP, MIDDLE, CAPTION = 16.0, 0.85, 3.0, 3.9, 0.28  # inches
FRAMES = 6
LOW_QUALITY = 0.35


def report(
    path: str | Path,
    *,
    recording: Recording,
    motion: Motion | None = None,
    ideal: Recording | None = None,
    track: PoseTrack | None = None,
    video: str | Path | None = None,
    frames: Frames | None = None,
    joints_px: Floats | None = None,
    warnings: Sequence[str] = (),
    title: str | None = None,
) -> Path:
    """Draw a result into a PNG.

    Parameters
    ----------
    path : file to write
    recording : the sensors' signals

    Other Parameters
    ----------------
    motion : the motion that they came from
    ideal : the perfect sensors' signals; the figures are taken from these if given
    track : what the pose estimator saw, for the quality over time and, without `joints_px`, the skeleton
    video : video file to sample frames from, unless `frames` is given
    frames : (time · s, rgb uint8) of up to six frames
    joints_px : (T, J, 2) · pixels, the fitted joints in the video at the motion's times; if not given,
        the fit's camera projects them, else the detected landmarks are drawn
    warnings : what to say about doubtful things
    title : headline; the video's or file's name if not given

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    from imusim.export.atomic import written_together

    path = Path(path)
    said = list(warnings)
    if frames is None:
        frames = _sampled(video, track, motion, said) if video is not None else []
    with tolerant_fonts():
        figure = draw_report(
            recording, motion, ideal, track, frames, joints_px, said, title or _title(video, recording)
        )
        with written_together(path) as (temporary,):
            about = {"Software": f"imusim {__version__}"}
            figure.savefig(temporary, format="png", metadata=about, pil_kwargs={"compress_level": 3})
    return path


def draw_report(
    recording: Recording,
    motion: Motion | None,
    ideal: Recording | None,
    track: PoseTrack | None,
    frames: Frames,
    joints_px: Floats | None,
    warnings: Sequence[str],
    title: str,
) -> Figure:
    """Return the report as a figure; arguments as `report`."""
    count = len(recording.sensors)
    columns = 1 if count <= 3 else 2
    row = 1.5 if count <= 8 else 1.3
    traces = row * (-(-count // columns) or 1)
    strip = STRIP + CAPTION if frames else 0.0
    rows = quality_figures(recording, motion, track, ideal)
    timeline = 1.5 if track is not None or motion is not None else 0.0
    middle = MIDDLE if motion is not None else timeline + 1.5
    height = HEAD + strip + middle + 0.55 + traces + 0.25
    figure = new_figure(WIDTH, height)
    text(figure, 0.25 / WIDTH, 1 - 0.3 / height, title, fontsize=17, weight="bold", va="center")
    text(
        figure, 0.25 / WIDTH, 1 - 0.62 / height, _subtitle(recording), fontsize=9.5, color=MUTED, va="center"
    )
    top = HEAD
    if frames:
        _draw_strip(figure, top, frames, _skeletons(frames, motion, track, joints_px))
        top += strip
    left = 0.2
    if motion is not None:
        _draw_body(figure, top, left, motion, _sites(recording, motion))
        left += 5.4
    cuts = _cuts(track, motion)
    _draw_quality(figure, top, left, motion, track, cuts)
    _draw_figures(figure, top + timeline, left, middle - timeline, rows, warnings)
    top += middle + 0.45
    draw_sensors(figure, recording, top, traces, columns=columns, cuts_s=cuts, numbered=True)
    return figure


# what to draw ---------------------------------------------------------------------------------------------


def _title(video: str | Path | None, recording: Recording) -> str:
    source = video if video is not None else recording.metadata.get("source")
    return Path(str(source)).name if source else "virtual IMU recording"


def _subtitle(recording: Recording) -> str:
    meta = recording.metadata
    sensor = meta.get("sensor")
    name = sensor.get("name") if isinstance(sensor, Mapping) else sensor
    parts = [
        f"sensor: {name}" if name else "",
        f"{len(recording.sensors)} sensor{'s' if len(recording.sensors) > 1 else ''}",
    ]
    if recording.time_s.size > 1:
        parts += [f"{recording.rate_hz:g} Hz", f"{recording.duration_s:.2f} s"]
    parts.append(f"axes: {meta['axes']}" if "axes" in meta else "")
    parts.append(f"seed {meta['seed']}" if "seed" in meta else "")
    parts.append(f"imusim {meta.get('imusim', __version__)}")
    return "   ·   ".join(part for part in parts if part)


def _sampled(video: str | Path, track: PoseTrack | None, motion: Motion | None, said: list[str]) -> Frames:
    """Six frames spread over the time in which the person was seen; a video that fails becomes a warning."""
    from imusim.viz.frames import frames_at

    times = np.zeros(0)
    if track is not None:
        times = track.time_s[track.detected] if track.detected.any() else track.time_s
    elif motion is not None:
        times = motion.time_s[motion.valid] if motion.valid.any() else motion.time_s
    if not times.size:
        return []
    at = np.unique(
        np.linspace(0, times.size - 1, FRAMES + 2 if times.size > 3 * FRAMES else FRAMES).round().astype(int)
    )
    at = at[1:-1] if times.size > 3 * FRAMES else at
    try:
        return frames_at(video, [float(t) for t in times[at]], max_side=1920)
    except (ImusimError, OSError) as error:
        said.append(f"no frames in this report: {error}")
        return []


Skeleton = tuple[Floats, tuple[str, ...], tuple[tuple[int, int], ...], float, str]
"""Points (J, 2) in pixels of the frame, names, edges, quality, what it is."""


def _skeletons(
    frames: Frames, motion: Motion | None, track: PoseTrack | None, joints_px: Floats | None
) -> list[Skeleton | None]:
    """For every frame the skeleton to draw: the fitted one if it can be had, else the detected landmarks."""
    times = np.array([time for time, _ in frames])
    fitted = None
    if motion is not None:
        index = _nearest(motion.time_s, times)
        everywhere = joints_px if joints_px is not None else _projected(motion)
        fitted = None if everywhere is None else everywhere[index]
        if fitted is not None:  # the nearest known frame may not be near
            fitted = np.where(motion.valid[index][:, None, None], fitted, np.nan)
    out: list[Skeleton | None] = []
    for i, time in enumerate(times):
        quality, k = 1.0, 0
        if track is not None and track.time_s.size:
            k = int(_nearest(track.time_s, np.array([time]))[0])
            quality = float(track.quality[k])
        scale = _scale(frames[i][1], track)
        if fitted is not None and motion is not None:
            out.append(
                (
                    fitted[i] * scale,
                    tuple(motion.body.joint_names),
                    bone_edges(motion.body),
                    quality,
                    "fitted skeleton",
                )
            )
        elif track is not None and track.time_s.size:
            px = np.where(track.visibility[k][:, None] > 0.1, track.landmarks_px[k], np.nan) * scale
            out.append(
                (
                    px,
                    track.landmark_names,
                    landmark_edges(track.landmark_names),
                    quality,
                    "detected landmarks",
                )
            )
        else:
            out.append(None)
    return out


def _projected(motion: Motion) -> Floats | None:
    """The fitted joints in the video, (T, J, 2) · pixels, or None if the motion was not fitted to one."""
    from imusim.fitting import joints_px

    if not motion.metadata.get("camera"):
        return None
    return joints_px(motion)


def _scale(rgb: NDArray[np.uint8], track: PoseTrack | None) -> float:
    return 1.0 if track is None else rgb.shape[1] / track.image_size_px[0]


def _nearest(known: Floats, wanted: Floats) -> NDArray[np.intp]:
    right = np.clip(np.searchsorted(known, wanted), 0, known.size - 1)
    left = np.maximum(right - 1, 0)
    return np.where(np.abs(known[left] - wanted) <= np.abs(known[right] - wanted), left, right)


def _cuts(track: PoseTrack | None, motion: Motion | None) -> tuple[float, ...]:
    if track is not None:
        shot, t = track.shot, track.time_s
    elif motion is not None:
        shot, t = motion.shot, motion.time_s
    else:
        return ()
    return tuple(float(t[i]) for i in np.flatnonzero(np.diff(shot)) + 1)


def _sites(recording: Recording, motion: Motion | None) -> Sites | None:
    """Where the sensors are on the body, from the placements in the recording's metadata, or None."""
    described = recording.metadata.get("placements")
    if motion is None or not isinstance(described, Sequence) or len(described) != len(recording.sensors):
        return None
    from imusim.placement import attach

    try:
        return attach(motion.body, motion.shape, [Placement(**_tuples(p)) for p in described])
    except (ImusimError, TypeError):
        return None


def _tuples(described: Mapping[str, Any]) -> dict[str, Any]:
    """Placement arguments as they were before JSON made lists of tuples."""
    deep = {
        k: tuple(map(tuple, v))
        for k, v in described.items()
        if k in ("axes_xyz", "device_xyz") and v is not None
    }
    flat = {k: tuple(v) for k, v in described.items() if k not in deep and isinstance(v, list)}
    return {**described, **flat, **deep}


# drawing --------------------------------------------------------------------------------------------------


def _draw_strip(figure: Figure, top: float, frames: Frames, skeletons: Sequence[Skeleton | None]) -> None:
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
        x0, x1, y0, y1 = _crop(rgb, skeleton, span, aspect)
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


def _crop(
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


def _draw_body(figure: Figure, top: float, left: float, motion: Motion, sites: Sites | None) -> None:
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


def _draw_quality(
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


def _draw_figures(
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
