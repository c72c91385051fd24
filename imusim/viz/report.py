"""`report.png`: one picture that shows whether it worked.

From top to bottom: frames of the video with the skeleton on the person; the body with the numbered sensors, the
quality over time and its figures; the traces of every sensor with their uncertainty.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from imusim._version import __version__
from imusim.errors import ImusimError
from imusim.types import Floats, Motion, Placement, PoseTrack
from imusim.viz.figures import quality_figures
from imusim.viz.overlay import bone_edges, landmark_edges
from imusim.viz.panels import (
    CAPTION,
    FRAMES,
    MIDDLE,
    STRIP,
    WIDTH,
    Frames,
    Skeleton,
    draw_body_panel,
    draw_figures,
    draw_quality,
    draw_strip,
)
from imusim.viz.plot import draw_sensors
from imusim.viz.style import MUTED, new_figure, text, tolerant_fonts

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from imusim.kinematics import Sites
    from imusim.recording import Recording


HEAD = 0.85  # inches


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
    from imusim.atomic import written_together

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
        draw_strip(figure, top, frames, _skeletons(frames, motion, track, joints_px))
        top += strip
    left = 0.2
    if motion is not None:
        draw_body_panel(figure, top, left, motion, _sites(recording, motion))
        left += 5.4
    cuts = _cuts(track, motion)
    draw_quality(figure, top, left, motion, track, cuts)
    draw_figures(figure, top + timeline, left, middle - timeline, rows, warnings)
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
        rate = float(
            meta.get("rate_hz", recording.rate_hz)
        )  # of a long one only a part of the samples may be here
        parts += [f"{rate:g} Hz", f"{recording.duration_s:.2f} s"]
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

    camera = motion.metadata.get("camera")
    if not isinstance(camera, Mapping) or not {"focal_px", "centre_px", "pose"} <= set(camera):
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
