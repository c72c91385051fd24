"""RGB frames into a video file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imusim.atomic import written_together
from imusim.errors import ConfigError, MissingExtra, OutputError, ShapeError

SUFFIXES = (".mp4", ".mov", ".mkv")
_CODECS = ("libx264", "h264", "mpeg4")


@contextmanager
def video_file(
    path: Path | str, size_px: tuple[int, int], fps: float, *, quality: int = 20
) -> Iterator[Callable[[NDArray[np.uint8]], None]]:
    """Yield a function that appends a frame, (H, W, 3) uint8; at the end the file appears, whole.

    Parameters
    ----------
    path : .mp4, .mov or .mkv
    size_px : (width, height) of every frame; an odd edge is repeated, since the format wants even sizes
    fps : frames a second

    Other Parameters
    ----------------
    quality : constant rate factor of H.264: 0 … 51, less is better

    Raises
    ------
    ConfigError
        On another suffix, and rates outside 0.1 … 1000.
    MissingExtra
        If PyAV is not installed.
    OutputError
        If the file cannot be written; after any error what was there before is still there.
    """
    try:
        import av
        from av.error import FFmpegError
    except ImportError:
        raise MissingExtra("video", "Writing a video") from None
    path = Path(path)
    if path.suffix.lower() not in SUFFIXES:
        raise ConfigError(f"{path.name}: wanted a video file, {', '.join(SUFFIXES)}")
    if not 0.1 <= fps <= 1000.0:
        raise ConfigError(f"fps={fps:g}, wanted 0.1 to 1000 frames a second")
    width, height = size_px
    with written_together(path) as (temporary,):
        try:
            with av.open(str(temporary), "w", options={"movflags": "+faststart"}) as container:
                stream: Any = _stream(container, av, Fraction(fps).limit_denominator(100_000), quality)
                stream.width, stream.height = width + width % 2, height + height % 2
                stream.pix_fmt = "yuv420p"
                stream.thread_type = "AUTO"

                def append(rgb: NDArray[np.uint8]) -> None:
                    if rgb.shape != (height, width, 3) or rgb.dtype != np.uint8:
                        raise ShapeError(
                            f"a frame is {rgb.dtype} of shape {rgb.shape}, wanted uint8 ({height}, {width}, 3)"
                        )
                    even = np.pad(rgb, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
                    for packet in stream.encode(av.VideoFrame.from_ndarray(even, format="rgb24")):
                        container.mux(packet)

                yield append
                for packet in stream.encode(None):
                    container.mux(packet)
        except FFmpegError as error:
            raise OutputError(
                f"cannot write {path}: {error.strerror or error}. Nothing was left half-written."
            ) from None


def _stream(container: Any, av: Any, rate: Fraction, quality: int) -> Any:
    for codec in _CODECS:
        try:
            stream = container.add_stream(codec, rate=rate)
        except (ValueError, av.error.FFmpegError):  # not in this build
            continue
        if codec != "mpeg4":
            stream.options = {"crf": str(quality), "preset": "veryfast"}
        return stream
    raise OutputError("this build of PyAV has no encoder for H.264 or MPEG-4. Install av from PyPI.")
