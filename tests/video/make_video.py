"""Small videos for the tests, written with PyAV."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np


def write_video(
    path: Path,
    images: Iterable[np.ndarray],
    times_s: Sequence[float] | None = None,
    *,
    fps: int = 30,
    codec: str = "libx264",
    tags: dict[str, str] | None = None,
    options: dict[str, str] | None = None,
) -> Path:
    """Encode RGB images; `times_s` gives each its own time stamp (variable frame rate)."""
    with av.open(str(path), "w") as container:
        for key, value in (tags or {}).items():
            container.metadata[key] = value
        stream = None
        for i, image in enumerate(images):
            if stream is None:
                stream = container.add_stream(codec, rate=fps)
                stream.height, stream.width = image.shape[:2]
                stream.pix_fmt = "yuv420p"
                stream.options = {"crf": "10", "preset": "ultrafast", **(options or {})}
                stream.codec_context.time_base = Fraction(1, 90000)
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.time_base = Fraction(1, 90000)
            frame.pts = round((times_s[i] if times_s is not None else i / fps) * 90000)
            for packet in stream.encode(frame):
                container.mux(packet)
        if stream is not None:
            for packet in stream.encode():
                container.mux(packet)
    return path


def write_sound(path: Path) -> Path:
    """A second of a tone, no picture."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=16000)
        stream.layout = "mono"
        t = np.arange(16000) / 16000
        wave = (0.2 * np.sin(2 * np.pi * 440 * t)).astype(np.float32)[None]
        for i in range(0, 15360, 1024):
            frame = av.AudioFrame.from_ndarray(wave[:, i : i + 1024].copy(), format="fltp", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = 16000, i, Fraction(1, 16000)
            for packet in stream.encode(frame):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return path


def set_rotation(path: Path, degrees: int) -> Path:
    """Patch the track's display matrix in an mp4 file, as a phone held upright writes it.

    ISO 14496-12 tkhd: 3x3 matrix, 16.16 fixed point (2.30 in the last column); a player turns the picture
    clockwise by `degrees`.
    """
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4
    version = data[at]
    matrix = at + 4 + (32 if version else 20) + 16
    c, s = {90: (0, 1), 180: (-1, 0), 270: (0, -1), 0: (1, 0)}[degrees]
    values = [c, s, 0, -s, c, 0, 0, 0, 1]
    scale = [1 << 16, 1 << 16, 1 << 30] * 3
    for i, (v, k) in enumerate(zip(values, scale, strict=True)):
        data[matrix + 4 * i : matrix + 4 * i + 4] = int(v * k).to_bytes(4, "big", signed=True)
    path.write_bytes(bytes(data))
    return path


def gradient(width: int, height: int, shift: int = 0) -> np.ndarray:
    """A smooth picture whose corners differ: red grows to the right, green downwards."""
    x = np.linspace(20, 220, width)[None, :] + np.zeros((height, 1))
    y = np.linspace(20, 220, height)[:, None] + np.zeros((1, width))
    return np.stack([x, y, np.full_like(x, 60 + shift)], axis=-1).astype(np.uint8)
