"""A long recording goes into its files in pieces: the same files to the last bit, and a picture with its peaks."""

import numpy as np
import pytest

import imusim as im
from imusim import streamed
from imusim.conventions import Q_WB_REST
from imusim.motion_io import save_motion
from imusim.options import SensorOptions
from imusim.workflow import simulate_file

PLACES = "left_wrist,right_thigh"


@pytest.fixture(scope="module")
def walk(tmp_path_factory):
    """Twenty seconds of a swinging arm, a gap of two seconds in them, as a motion file."""
    body = im.open_body()
    t = np.arange(0.0, 20.0, 1 / 30)
    quats = np.zeros((t.size, 24, 4))
    quats[..., 0] = 1.0
    quats[:, 0] = Q_WB_REST  # upright
    half = 0.5 * np.sin(2 * np.pi * 0.8 * t)
    arm = body.joint_names.index("left_shoulder")
    quats[:, arm] = np.stack([np.cos(half), np.zeros_like(t), np.zeros_like(t), np.sin(half)], axis=1)
    motion = im.Motion(
        time_s=t, root_position_m=np.tile([0.0, 0.0, 0.95], (t.size, 1)), joint_rotation_wxyz=quats, body=body,
        valid=(t < 8) | (t > 10),
    )  # fmt: skip
    return save_motion(tmp_path_factory.mktemp("walk") / "walk.npz", motion)


@pytest.mark.parametrize("sensor", ["bmi270", "ideal"])
def test_pieces_make_the_same_files(walk, tmp_path, monkeypatch, sensor):
    options = SensorOptions(placements=PLACES, sensor=sensor, seed=3)
    whole = simulate_file(walk, tmp_path / "whole", sensors=options, report=False)
    monkeypatch.setattr(streamed, "WHOLE", 1000)
    assert streamed.is_long(im.read_motion(walk), options, ("parquet",))
    pieces = simulate_file(walk, tmp_path / "pieces", sensors=options, report=False)
    assert [f.name for f in pieces.files] == [f.name for f in whole.files]
    for one, other in zip(whole.files, pieces.files, strict=True):
        if one.suffix == ".json":
            assert one.read_text() == other.read_text()
        if one.suffix == ".parquet":
            a, b = im.Recording.load(one).arrays(), im.Recording.load(other).arrays()
            assert a.keys() == b.keys()
            for name in a:
                np.testing.assert_array_equal(a[name], b[name], err_msg=name)


def test_the_picture_keeps_the_peaks_and_says_the_rate(walk, tmp_path, monkeypatch):
    monkeypatch.setattr(streamed, "SHOWN", 100)
    motion = im.read_motion(walk)
    shown = streamed.write_streamed(tmp_path, motion, SensorOptions(placements=PLACES, sensor="bmi270"))
    for stem, part in shown.items():
        whole = im.Recording.load(tmp_path / f"{stem}.parquet")
        assert 100 <= part.time_s.size < 130
        assert (np.diff(part.time_s) > 0).all()
        assert np.nanmax(np.linalg.norm(part.acc, axis=-1)) == np.nanmax(np.linalg.norm(whole.acc, axis=-1))
        assert part.metadata["rate_hz"] == 100.0


def test_other_formats_and_axes_are_made_whole(walk, monkeypatch):
    monkeypatch.setattr(streamed, "WHOLE", 1000)
    motion, options = im.read_motion(walk), SensorOptions(placements=PLACES)
    assert not streamed.is_long(motion, options, ("parquet", "csv"))
    assert not streamed.is_long(motion, SensorOptions(placements=PLACES, axes="coremotion"), ("parquet",))
