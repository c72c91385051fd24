"""Real clips, their pose tracks and motions: estimated once a test session."""

from __future__ import annotations

import functools
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture(scope="session")
def clips(tmp_path_factory):
    """Give pose tracks and motions of clips by name, each computed once."""
    pytest.importorskip("mediapipe")
    return Clips(tmp_path_factory.mktemp("clips"))


class Clips:
    """Lazily computed material of the sample clips."""

    VIEWS = ("clip_cam01", "clip_cam02", "clip_cam03", "clip_cam04")

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.track = functools.cache(self._track)
        self.motion = functools.cache(self._motion)

    def _track(self, name_or_path: str):
        import imusim as im
        from imusim.demo import WALKER_BOX

        path = Path(name_or_path) if name_or_path.endswith(".mp4") else im.asset(name_or_path)
        person = WALKER_BOX if name_or_path == "clip_walking" else "largest"
        return im.estimate_pose(path, person=person, progress=False)

    def _motion(self, name_or_path: str, height_m: float | None = None, focal_px: float | None = None):
        import warnings

        import imusim as im

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", im.errors.QualityWarning)
            return im.fit(
                self.track(name_or_path),
                body=im.open_body(),
                height_m=height_m,
                focal_px=focal_px,
                progress=False,
            )

    @functools.cached_property
    def true_up_c(self) -> dict[str, np.ndarray]:
        """Up direction (3,) in camera axes of each calibrated view, from the laboratory's calibration."""
        import imusim as im

        ups = {}
        for view, camera in zip(
            self.VIEWS, ET.parse(im.asset("calibration_cams")).getroot().iter("camera"), strict=True
        ):
            m = camera.find("transform").attrib
            # Qualisys cameras look along −z with y up: x, −y, −z are ours (x right, y down, z away)
            ups[view] = np.array([float(m["r13"]), -float(m["r23"]), -float(m["r33"])])
        return ups

    @functools.cached_property
    def true_focal_px(self) -> dict[str, float]:
        """Focal length · px of each calibrated view (the file counts in 1/64 px)."""
        import imusim as im

        cameras = ET.parse(im.asset("calibration_cams")).getroot().iter("camera")
        return {
            v: float(c.find("intrinsic").get("focalLengthU")) / 64
            for v, c in zip(self.VIEWS, cameras, strict=True)
        }


def write_clip(path: Path, frames, rate: int) -> Path:
    """Encode rgb frames (H, W, 3) uint8 as an H.264 clip of high quality."""
    import av

    with av.open(str(path), "w") as container:
        stream = None
        for rgb in frames:
            if stream is None:
                stream = container.add_stream(
                    "libx264", rate=rate, options={"crf": "12", "preset": "veryfast"}
                )
                stream.width, stream.height = rgb.shape[1] // 2 * 2, rgb.shape[0] // 2 * 2
                stream.pix_fmt = "yuv420p"
            rgb = np.ascontiguousarray(rgb[: stream.height, : stream.width])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(rgb, format="rgb24")))
        container.mux(stream.encode())
    return path


def read_frames(path: Path):
    """All frames of a clip, rgb (H, W, 3) uint8."""
    import av

    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            yield frame.to_ndarray(format="rgb24")
