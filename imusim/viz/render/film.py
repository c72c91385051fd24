"""A motion as a film: the body with its sensors, beside the video it came from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imusim.body import Posed
from imusim.errors import ConfigError
from imusim.export.film import video_file
from imusim.kinematics import Sites
from imusim.types import Floats, Motion
from imusim.viz.render.background import gradient
from imusim.viz.render.camera import Camera
from imusim.viz.render.clothes import Outfit
from imusim.viz.render.figures import Figure, posed_frames
from imusim.viz.render.renderer import Floor, Light, Renderer
from imusim.viz.render.views import floor_height, source_view, walking_view

Picture = NDArray[np.uint8]
_MOST_FPS = 30.0
_LAMP_C = np.array([-0.6, -1.3, -0.8])  # behind the camera, up, to its left
_BAR_PX = 4
_BAR_COLOUR, _BAR_REST = (200, 64, 47), (217, 221, 226)


def film(
    path: Path | str,
    motion: Motion,
    sites: Sites | None = None,
    *,
    video: Path | str | None = None,
    view: str | None = None,
    fps: float | None = None,
    height_px: int = 480,
    outfit: Outfit | None = None,
    progress: bool = True,
) -> int:
    """Write a video of a motion.

    Parameters
    ----------
    path : file to write, .mp4
    motion : what is shown; frames that are not valid show an empty floor
    sites : sensors on its body, from `imusim.placement.attach`: drawn as boxes with their axes (x red, y green,
        z blue), and named below the picture

    Other Parameters
    ----------------
    video : the video that the motion was fitted to: shown to the left, sensors marked
    view : "source" (as the video's camera saw it), "front", "side" or "back" (a camera that walks along); None:
        source if the motion has a camera, else front
    fps : frames a second; None: the motion's own, 30 at most
    height_px : of the picture, without the names below it
    outfit : what the body wears
    progress : whether to show a progress bar on a terminal

    Returns
    -------
    int
        The number of frames written.

    Raises
    ------
    ConfigError, VideoError, OutputError, MissingExtra, MissingSystemPackage
        On settings that cannot be, a damaged video, a file that cannot be written, parts that are missing.
    """
    from tqdm import tqdm

    if not 64 <= height_px <= 4320:
        raise ConfigError(f"height_px={height_px}, wanted 64 to 4320 pixels")
    if not motion.valid.any():
        raise ConfigError("this motion has no valid frame: there is nothing to show")
    times = _instants(motion, fps)
    index = np.clip(np.searchsorted(motion.time_s, times + 1e-6, side="right") - 1, 0, None)
    rate = 1.0 / (times[1] - times[0]) if times.size > 1 else 1.0
    known = motion.metadata.get("camera")
    view = view or ("source" if known else "front")
    size = _panel(motion, height_px, view)
    camera = source_view(motion, size) if view == "source" else walking_view(motion, size, view)
    own = None if video is None else _source_frames(video, times, height_px)
    marks = _marker(motion, sites) if own is not None and known and sites is not None else None
    with Renderer() as renderer:
        figure = Figure(renderer, motion, sites, outfit)
        floor = Floor(height_m=floor_height(_lowest(motion)))
        backdrop = gradient(size)
        first = None if own is None else next(own)
        width = size[0] + (0 if first is None else first.shape[1])
        legend = _legend([] if sites is None else list(sites.names), figure, width)
        whole = (width, height_px + _BAR_PX + legend.shape[0])
        bar = tqdm(
            total=len(times), desc="render", unit="frame", disable=None if progress else True, leave=False
        )
        with video_file(path, whole, rate) as append, bar:
            for k, (i, posed) in enumerate(zip(index, posed_frames(motion, index), strict=True)):
                scene = [] if posed is None else figure.scene(posed)
                seen_from = camera(int(i))
                light = Light(_tuple(seen_from.R_cw.T @ _LAMP_C))
                panels = [renderer.frame(seen_from, scene, background=backdrop, floor=floor, light=light)]
                if own is not None:
                    left = first if k == 0 else next(own)
                    assert left is not None
                    if marks is not None and posed is not None:
                        left = _marked(left, marks(int(i), posed, left), figure.colours)
                    panels.insert(0, left)
                append(np.vstack([np.hstack(panels), _bar(width, (k + 1) / len(times)), legend]))
                bar.update()
    return len(times)


def _tuple(v: Floats) -> tuple[float, float, float]:
    return float(v[0]), float(v[1]), float(v[2])


def _instants(motion: Motion, fps: float | None) -> Floats:
    """Evenly spaced times of the film's frames, s, from the motion's first to its last."""
    t = motion.time_s
    if fps is None:
        fps = min(_MOST_FPS, 1.0 / float(np.median(np.diff(t)))) if t.size > 1 else 1.0
    if not 0.1 <= fps <= 1000.0:
        raise ConfigError(f"fps={fps:g}, wanted 0.1 to 1000 frames a second")
    return t[0] + np.arange(int((t[-1] - t[0]) * fps + 1e-6) + 1) / fps


def _panel(motion: Motion, height_px: int, view: str) -> tuple[int, int]:
    if view != "source":
        return (height_px * 4 // 3, height_px)
    known = motion.metadata.get("camera")
    if not known:
        return (height_px, height_px)  # refused by source_view in words
    across, down = (float(c) for c in known["centre_px"])
    return (max(2, round(height_px * across / down)), height_px)


def _source_frames(video: Path | str, times: Floats, height_px: int) -> Iterator[Picture]:
    """The video's frame at each of the times, scaled to one height; after its end its last one, paler."""
    from imusim.video.decode import frames, probe

    info = probe(video)
    width, height = info.size_px
    wide = max(2, round(width * height_px / height))
    stream = frames(video, max_side=max(wide, height_px))
    latest: Picture | None = None
    pending = next(stream, None)
    for t in times:
        while pending is not None and (latest is None or pending[0] <= t + 1e-6):
            latest = _fitted(pending[1], (wide, height_px))
            pending = next(stream, None)
        assert latest is not None
        over = pending is None and t > info.duration_s + 0.5 > 0.5
        yield latest // 2 + 127 if over else latest


def _fitted(picture: Picture, size: tuple[int, int]) -> Picture:
    """Scale to exactly that size: the decoder has brought it near."""
    if picture.shape[:2] == (size[1], size[0]):
        return picture
    from PIL import Image

    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BILINEAR))


def _marker(motion: Motion, sites: Sites) -> Callable[[int, Posed, Picture], Floats]:
    """(frame, pose, its picture) → pixels (S, 2) of the sensors in the source's picture."""
    from imusim.placement import locate

    cameras: dict[tuple[int, int], Callable[[int], Camera]] = {}

    def pixels(i: int, posed: Posed, picture: Picture) -> Floats:
        size = (picture.shape[1], picture.shape[0])
        view = cameras.setdefault(size, source_view(motion, size))
        return view(i).project(locate(sites, posed)[0][0])

    return pixels


def _marked(picture: Picture, points_px: Floats, colours: Floats) -> Picture:
    """A copy with a dot, dark-rimmed, at each point."""
    out = picture.copy()
    height, width = out.shape[:2]
    r = max(2.0, height / 130)
    reach = int(np.ceil(r + 1.5))
    for (u, v), colour in zip(points_px, colours, strict=True):
        if not (np.isfinite(u) and -reach < u < width + reach and -reach < v < height + reach):
            continue
        x = np.arange(max(0, int(u) - reach), min(width, int(u) + reach + 1))
        y = np.arange(max(0, int(v) - reach), min(height, int(v) + reach + 1))
        d = np.hypot(x[None] + 0.5 - u, y[:, None] + 0.5 - v)
        spot = out[y[0] : y[-1] + 1, x[0] : x[-1] + 1] if x.size and y.size else None
        if spot is not None:
            spot[d < r + 1.3] = 20
            spot[d < r] = np.round(255 * colour)
    return out


def _lowest(motion: Motion, count: int = 40) -> Floats:
    """z of the lowest point of the body in up to `count` of its valid frames, m."""
    seen = np.flatnonzero(motion.valid)
    some = seen[np.linspace(0, len(seen) - 1, min(count, len(seen))).astype(int)]
    out = []
    for posed in posed_frames(motion, some):
        if posed is not None:
            points = posed.joints if posed.vertices is None else posed.vertices
            out.append(float(points[..., 2].min()))
    return np.array(out)


def _bar(width: int, share: float) -> Picture:
    """How far the film has come, as a line."""
    line = np.empty((_BAR_PX, width, 3), dtype=np.uint8)
    line[:] = _BAR_REST
    line[:, : round(share * width)] = _BAR_COLOUR
    return line


def _legend(names: list[str], figure: Figure, width: int) -> Picture:
    """The sensors' names with their colours, in rows, (H, width, 3)."""
    if not names:
        return np.zeros((0, width, 3), dtype=np.uint8)
    from imusim.viz.style import new_figure, text, tolerant_fonts

    size, column = 13, 12 + 8 * max(len(n) for n in names) + 22
    columns = max(1, width // column)
    rows = -(-len(names) // columns)
    height = rows * (size + 8) + 8
    drawing: Any = new_figure(width / 100.0, height / 100.0)
    ax = drawing.add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, width), ylim=(height, 0))
    ax.set_axis_off()
    for i, (name, colour) in enumerate(zip(names, figure.colours, strict=True)):
        x, y = 10 + (i % columns) * (width // columns), 4 + (i // columns + 0.5) * (size + 8)
        ax.plot([x + 5], [y], "s", ms=7, mfc=colour, mec="#222222", mew=0.5)
        text(ax, x + 16, y, name, fontsize=size * 0.72, va="center_baseline")
    with tolerant_fonts():
        drawing.canvas.draw()
    return np.ascontiguousarray(np.asarray(drawing.canvas.buffer_rgba())[:height, :width, :3])
