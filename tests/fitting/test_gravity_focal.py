"""Focal length from right angles: synthetic rooms, clutter, and the calibrated laboratory views."""

import xml.etree.ElementTree as ET

import numpy as np
import pytest
from stick_figure import angle_deg

from imusim.fitting.gravity_focal import focal_from_lines
from imusim.fitting.gravity_lines import up_from_lines
from imusim.fitting.gravity_tilt import up_from_tilt

SIZE = (1920, 1080)


def _room(up, heading_deg, focal, rng, each=14, clutter=40):
    """Edges of furniture in three directions at right angles, and clutter, with 0.5 px of noise."""
    ahead = np.cross(up, [1.0, 0, 0])
    ahead /= np.linalg.norm(ahead)
    side = np.cross(ahead, up)
    h = np.radians(heading_deg)
    axes = [up, np.cos(h) * ahead + np.sin(h) * side, np.cos(h) * side - np.sin(h) * ahead]
    lines = []
    for axis in axes:
        start = np.c_[rng.uniform(-3, 3, each), rng.uniform(-1.5, 1.5, each), rng.uniform(4, 9, each)]
        end = start + axis * rng.uniform(0.5, 1.5, each)[:, None]
        lines.append(
            np.c_[start[:, :2] / start[:, 2:], end[:, :2] / end[:, 2:]] * focal + np.tile(SIZE, 2) / 2
        )
    start = rng.uniform([0, 0], SIZE, (clutter, 2))
    angle, length = rng.uniform(0, np.pi, clutter), rng.uniform(60, 300, clutter)
    lines.append(np.c_[start, start + length[:, None] * np.c_[np.cos(angle), np.sin(angle)]])
    lines = np.concatenate(lines)
    return lines + rng.normal(0, 0.5, lines.shape)


@pytest.mark.parametrize("seed", range(8))
def test_rooms_tell_the_focal_length(seed):
    rng = np.random.default_rng(seed)
    focal = SIZE[0] * rng.uniform(0.6, 1.2)
    up = up_from_tilt(rng.uniform(8, 25), rng.uniform(-10, 10))
    found = focal_from_lines(_room(up, rng.uniform(20, 70), focal, rng), SIZE)
    assert found is not None
    error = np.log(found.focal_px / focal)
    assert abs(error) < 0.1
    assert abs(error) < 3 * found.log_sd


def test_clutter_does_not():
    told = 0
    for seed in range(12):
        rng = np.random.default_rng(seed)
        told += (
            focal_from_lines(_room(up_from_tilt(10, 0), 45, 1600, rng, each=0, clutter=120), SIZE) is not None
        )
    assert told == 0


def test_no_lines():
    assert focal_from_lines(np.zeros((0, 4)), SIZE) is None


@pytest.mark.asset
def test_laboratory_views():
    """Four cameras calibrated by motion capture, pitched 18 to 25° and rolled up to 26°: focal length and up."""
    av = pytest.importorskip("av")
    pytest.importorskip("cv2")
    import imusim as im
    from imusim.video.lines import Background

    for camera in ET.parse(im.asset("calibration_cams")).getroot().iter("camera"):
        m = camera.find("transform").attrib
        true_up = np.array([float(m["r13"]), -float(m["r23"]), -float(m["r33"])])
        true_focal = float(camera.find("intrinsic").get("focalLengthU")) / 64
        background = Background()
        with av.open(str(im.asset(f"clip_{camera.get('serial')}"))) as clip:
            for i, frame in enumerate(clip.decode(video=0)):
                if i % 10 == 0:
                    background.add(frame.to_ndarray(format="rgb24"))
                    size = (frame.width, frame.height)
        segments = background.segments()
        found = focal_from_lines(segments, size)
        assert found is not None
        assert abs(np.log(found.focal_px / true_focal)) < 0.06
        guess = true_up + np.random.default_rng(0).normal(0, 0.07, 3)
        lines = up_from_lines(segments, size, true_focal, guess)
        assert lines is not None
        assert angle_deg(lines.up_c, true_up) < 1.5
