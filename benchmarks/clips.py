"""The clips that are measured on, and longer ones made of them."""

from __future__ import annotations

from pathlib import Path

import av
import cv2
import numpy as np

import imusim as im
from imusim.demo import CLIP, HEIGHT_M, WALKER_BOX

WALKING = CLIP
VIEWS = ("clip_cam01", "clip_cam02", "clip_cam03", "clip_cam04")


def person(name: str) -> str:
    """Whom to follow."""
    return WALKER_BOX if name == WALKING else "largest"


def height_m(name: str) -> float | None:
    """Height of the person, where the authors of the clip give it."""
    return HEIGHT_M if name == WALKING else None


def fps(name: str) -> int:
    """Frame rate of the clip."""
    return 30 if name == WALKING else 60


def pictures(name: str):
    """All frames, (H, W, 3) uint8."""
    with av.open(str(im.asset(name))) as source:
        for frame in source.decode(video=0):
            yield frame.to_ndarray(format="rgb24")


def encode(path: Path, images, rate: int, crf: int = 16) -> Path:
    """Write frames (H, W, 3) uint8 as H.264."""
    with av.open(str(path), "w") as target:
        stream = None
        for rgb in images:
            h, w = rgb.shape[0] // 2 * 2, rgb.shape[1] // 2 * 2
            if stream is None:
                options = {"crf": str(crf), "preset": "veryfast"}
                stream = target.add_stream("libx264", rate=rate, options=options)
                stream.width, stream.height, stream.pix_fmt = w, h, "yuv420p"
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb[:h, :w]), format="rgb24")
            target.mux(stream.encode(frame))
        target.mux(stream.encode())
    return path


def to_and_fro(path: Path, name: str, every: int = 1) -> Path:
    """The clip (or every so many frames of it) forwards and backwards: repeated, it has no cut."""
    images = list(pictures(name))[::every]
    return encode(path, (*images, *images[::-1]), fps(name) // every)


def repeated(path: Path, source: Path, seconds: float) -> Path:
    """A video again and again for so long, its packets copied."""
    with av.open(str(source)) as container:
        stream = container.streams.video[0]
        packets = [p for p in container.demux(stream) if p.dts is not None]
        first = min(p.pts for p in packets)
        step = round(1 / (stream.average_rate * stream.time_base))
        cycle = max(p.pts for p in packets) - first + step
        times = [(p.pts - first, p.dts - first) for p in packets]
        with av.open(str(path), "w") as target:
            out = target.add_stream_from_template(stream)
            for i in range(int(np.ceil(seconds / float(cycle * stream.time_base)))):
                for packet, (pts, dts) in zip(packets, times, strict=True):
                    packet.pts, packet.dts, packet.stream = pts + i * cycle, dts + i * cycle, out
                    target.mux_one(packet)
                    packet.time_base = stream.time_base
    return path


def turned(path: Path, name: str, angle_deg: float, most_deg: float) -> tuple[Path, str, np.ndarray]:
    """The clip turned in its plane (counter-clockwise), whom to follow in it, and where its pixels went, (2, 3).

    The canvas has room for a turn by `most_deg`: limbs near the border must not vanish by turning, and two clips that are
    turned differently have one size, as pictures of one camera have. Around the picture is its own border, blurred: an
    edge, or rows of pixels drawn out into streaks, would be straight lines that say which way is up.
    """
    width, height = next(pictures(name)).shape[1::-1]
    c, s = abs(np.cos(np.radians(most_deg))), abs(np.sin(np.radians(most_deg)))
    size = int(np.ceil((width * c + height * s) / 2)) * 2, int(np.ceil((width * s + height * c) / 2)) * 2
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), angle_deg, 1.0)
    matrix[:, 2] += (size[0] - width) / 2, (size[1] - height) / 2
    room = max(width, height) // 8
    moved = matrix.copy()
    moved[:, 2] -= matrix[:, :2] @ (room, room)
    images = (
        cv2.warpAffine(_faded(rgb, room), moved, size, borderMode=cv2.BORDER_REPLICATE)
        for rgb in pictures(name)
    )
    encode(path, images, fps(name), crf=12)
    who = person(name)
    if who != "largest":
        x, y, w, h = (float(v) for v in who.split(","))
        cx, cy = matrix @ [x + w / 2, y + h / 2, 1.0]
        who = f"{cx - w / 2:.0f},{cy - h / 2:.0f},{w:.0f},{h:.0f}"
    return path, who, matrix


def _faded(rgb: np.ndarray, room: int) -> np.ndarray:
    """The picture with `room` px around it, into which it fades (over 3 % of it)."""
    height, width = rgb.shape[:2]
    wide = cv2.copyMakeBorder(rgb, room, room, room, room, cv2.BORDER_REPLICATE)
    small = cv2.resize(wide, None, fx=1 / 16, fy=1 / 16, interpolation=cv2.INTER_AREA)
    blurred = cv2.GaussianBlur(small, (0, 0), 6, borderType=cv2.BORDER_REPLICATE)
    blurred = cv2.resize(blurred, wide.shape[1::-1], interpolation=cv2.INTER_CUBIC)
    x, y = (np.minimum(np.arange(n), np.arange(n)[::-1]) for n in (width, height))
    inside = np.clip(np.minimum(x[None], y[:, None]) / (0.03 * max(width, height)), 0.0, 1.0)
    share = cv2.copyMakeBorder(inside.astype(np.float32), room, room, room, room, cv2.BORDER_CONSTANT)[
        ..., None
    ]
    return (wide * share + blurred * (1.0 - share)).astype(np.uint8)
