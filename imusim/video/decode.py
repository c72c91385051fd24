"""Video file → frames with their true time stamps, upright, one at a time.

The time of a frame is its presentation stamp times the stream's time base, which is exact for phones'
variable frame rate where ``index / fps`` is not. Time starts at the first frame.
"""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imusim.errors import MissingExtra, QualityWarning, VideoError

Frame = NDArray[np.uint8]

_FULL_FRAME_MM = 36.0  # width of the film that "35 mm equivalent" focal lengths refer to


@dataclass(frozen=True)
class VideoInfo:
    """What a video file says about itself.

    Parameters
    ----------
    path : the file
    size_px : (width, height) of the upright image as stored in the file, before any downscaling
    fps : average frame rate, Hz (0 if the file does not say)
    duration_s : length, s (0 if the file does not say)
    frames : number of frames (0 if the file does not say; an estimate for some containers)
    rotation_deg : counter-clockwise turn that makes the stored picture upright: 0, 90, 180 or 270
    focal_px : focal length in pixels of the upright image if the file carries a 35 mm equivalent, else None
    tags : the file's own metadata
    """

    path: Path
    size_px: tuple[int, int]
    fps: float
    duration_s: float
    frames: int
    rotation_deg: int
    focal_px: float | None
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass
class DecodeCounts:
    """What happened while decoding; filled in as `frames` runs."""

    decoded: int = 0
    out_of_order: int = 0
    damaged: int = 0
    last_time_s: float = 0.0
    truncated: bool = False


def probe(path: Path | str) -> VideoInfo:
    """Read what the file says about itself (decodes one frame).

    Raises
    ------
    VideoError
        If there is no such file, or it is not a video, or holds no picture.
    MissingExtra
        If PyAV is not installed.
    """
    av = _av()
    path = Path(path)
    with _opened(path) as container:
        stream = _picture(container, path)
        rotation = 0
        try:
            for frame in container.decode(stream):
                rotation = _turn(frame)
                break
            else:
                raise VideoError(f"{path} holds no frame that can be decoded.")
        except av.error.FFmpegError as error:
            raise VideoError(f"{path} cannot be decoded: {_reason(error)}.") from None
        width, height = stream.codec_context.width, stream.codec_context.height
        size = (height, width) if rotation % 180 else (width, height)
        fps = float(stream.average_rate or stream.guessed_rate or 0)
        tags = {**container.metadata, **stream.metadata}
        duration = _duration_s(container, stream)
        count = stream.frames or round(duration * fps)
        return VideoInfo(path, size, fps, duration, count, rotation, focal_from_tags(tags, size), tags)


def frames(
    path: Path | str,
    fps: float | None = None,
    *,
    max_side: int | None = None,
    counts: DecodeCounts | None = None,
    after_s: float = -1.0,
) -> Iterator[tuple[float, Frame]]:
    """Yield (time_s, rgb) of a video, frame by frame; nothing is kept.

    Parameters
    ----------
    path : video file
    fps : look at no more than this many frames a second: by time stamps, the first frame at or after each
        multiple of 1/fps; None: every frame
    max_side : frames whose longer side exceeds this are scaled down by the decoder (pixels)
    counts : filled in while running
    after_s : frames up to this time are decoded but not yielded

    Yields
    ------
    time_s : float, s from the first frame, strictly increasing
    rgb : (height, width, 3) uint8, upright, C-contiguous

    Raises
    ------
    VideoError
        As `probe`, or if not one frame can be decoded.

    Warns
    -----
    QualityWarning
        If the file ends early or part of it cannot be decoded (once, at the end, saying how much).
    """
    av = _av()
    path = Path(path)
    if fps is not None and not (math.isfinite(fps) and fps > 0):
        raise VideoError(f"fps={fps}: wanted a positive number of frames a second, or None for all of them.")
    counts = counts if counts is not None else DecodeCounts()
    with _opened(path) as container:
        stream = _picture(container, path)
        stream.thread_type = "AUTO"
        expected = _duration_s(container, stream)
        first: float | None = None
        latest = -math.inf
        due = 0
        reason = ""
        packets = container.demux(stream)
        while True:
            try:
                packet = next(packets)
                decoded = packet.decode()
            except StopIteration:
                break
            except av.error.FFmpegError as error:
                reason = _reason(error)
                counts.damaged += 1
                if counts.damaged > 1000 or isinstance(error, av.error.EOFError):
                    break
                continue
            for frame in decoded:
                if frame.pts is None or frame.time_base is None:
                    counts.out_of_order += 1
                    continue
                stamp = float(frame.pts * frame.time_base)
                if stamp <= latest:
                    counts.out_of_order += 1
                    continue
                first = stamp if first is None else first
                latest = stamp
                counts.decoded += 1
                counts.last_time_s = time_s = stamp - first
                if fps is not None:
                    if time_s < due / fps - 1e-6:
                        continue
                    due = math.floor(time_s * fps + 1e-6) + 1
                if time_s > after_s:
                    yield time_s, _upright(frame, max_side)
    if first is None:
        raise VideoError(f"{path} holds no frame that can be decoded{f' ({reason})' if reason else ''}.")
    step = counts.last_time_s / max(counts.decoded - 1, 1)
    counts.truncated = expected > 0 and counts.last_time_s + step < 0.95 * expected - 0.2
    if counts.truncated or counts.damaged:
        whole = f" of {expected:.2f} s" if expected else ""
        detail = f"{counts.damaged} damaged pieces skipped" if counts.damaged else "the file ends early"
        warnings.warn(
            QualityWarning(f"{path}: decoded {counts.last_time_s + step:.2f} s{whole}; {detail}."),
            stacklevel=2,
        )
    if counts.out_of_order:
        warnings.warn(
            QualityWarning(f"{path}: {counts.out_of_order} frames without a later time stamp were dropped."),
            stacklevel=2,
        )


def focal_from_tags(tags: Mapping[str, str], size_px: tuple[int, int]) -> float | None:
    """Focal length in pixels from a 35 mm equivalent in the file's tags, or None.

    f_px = f_35 / 36 mm × longer side: phones refer the equivalent to the long side of the film (36 mm).
    """
    for key, value in tags.items():
        name = key.lower().replace("-", "_").replace(" ", "_")
        if "35mm" not in name.replace("_", "") and "35mm" not in name:
            continue
        number = re.search(r"\d+(?:\.\d+)?", str(value))
        if number and 5.0 <= float(number.group()) <= 1000.0:
            return float(number.group()) / _FULL_FRAME_MM * max(size_px)
    return None


def _av() -> Any:
    try:
        import av
    except ImportError:
        raise MissingExtra("video", "Reading a video") from None
    return av


def _opened(path: Path) -> Any:
    av = _av()
    if not path.exists():
        raise VideoError(f"{path}: no such file.")
    if path.is_dir():
        raise VideoError(f"{path} is a folder. Give a video file.")
    if path.stat().st_size == 0:
        raise VideoError(f"{path} is empty (0 bytes).")
    try:
        return av.open(str(path))
    except (av.error.FFmpegError, OSError) as error:
        raise VideoError(f"{path} is not a video that can be read: {_reason(error)}.") from None


def _picture(container: Any, path: Path) -> Any:
    for stream in container.streams.video:
        if not int(stream.disposition) & 0x400:  # a cover picture of an audio file is no video
            return stream
    what = "only sound" if container.streams.audio else "no video stream"
    raise VideoError(f"{path} holds {what}. Give a file with a picture.")


def _duration_s(container: Any, stream: Any) -> float:
    """What the file says of its length, s; 0 if it says nothing."""
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    return container.duration / 1e6 if container.duration else 0.0


def _reason(error: BaseException) -> str:
    return str(getattr(error, "strerror", None) or error).strip().rstrip(".")


def _turn(frame: Any) -> int:
    return round(frame.rotation / 90.0) * 90 % 360


def _upright(frame: Any, max_side: int | None) -> Frame:
    """RGB of a frame, turned upright, contiguous (the decoder pads rows at some widths)."""
    width, height = frame.width, frame.height
    if max_side is not None and max(width, height) > max_side:
        scale = max_side / max(width, height)
        width, height = max(2, round(width * scale)), max(2, round(height * scale))
    rgb = frame.to_ndarray(format="rgb24", width=width, height=height)
    return np.ascontiguousarray(np.rot90(rgb, _turn(frame) // 90))
