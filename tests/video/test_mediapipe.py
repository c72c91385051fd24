"""The real estimator on real clips (fetched once)."""

import ctypes
import itertools
import os
import sys
import zipfile

import numpy as np
import pytest
from make_video import write_video

from imusim.assets import asset
from imusim.errors import AssetError, MissingSystemPackage, NoPersonError, UnknownNameError
from imusim.video import estimate_pose, frames

pytest.importorskip("mediapipe")
from imusim.video import mediapipe_pose
from imusim.video.appearance import BODY, region_around
from imusim.video.blazepose import BlazePose
from imusim.video.mediapipe_pose import MediaPipePose, preflight
from imusim.video.native_log import quiet_native_log
from imusim.video.pose_model import pose_task, write_bundle
from imusim.video.region import Region, window

HIPS = [23, 24]


def test_missing_system_library_names_the_package(monkeypatch):
    real = ctypes.CDLL

    def without_egl(name, *args, **kwargs):
        if "EGL" in str(name):
            raise OSError("cannot open shared object file")
        return real(name, *args, **kwargs)

    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(mediapipe_pose.ctypes, "CDLL", without_egl)
    with pytest.raises(MissingSystemPackage, match="apt-get install -y libegl1"):
        preflight()


def test_native_log_is_hidden_and_everything_else_is_not(capfd):
    with quiet_native_log():
        os.write(2, b"W0000 00:00:1790000000.0 123 calc.cc:78] Using NORM_RECT\nreal trouble\n")
        os.write(2, b"INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\n")
        print("python says", file=sys.stderr)
    err = capfd.readouterr().err
    assert "real trouble" in err
    assert "python says" in err
    assert "NORM_RECT" not in err
    assert "XNNPACK" not in err


def test_members_of_the_bundle_are_stored_and_aligned(tmp_path):
    write_bundle(tmp_path / "a.task", b"d" * 1001, b"l" * 77)
    write_bundle(tmp_path / "b.task", b"d" * 1001, b"l" * 77)
    data = (tmp_path / "a.task").read_bytes()
    assert data == (tmp_path / "b.task").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.task") as bundle:
        assert bundle.namelist() == ["pose_detector.tflite", "pose_landmarks_detector.tflite"]
        assert bundle.read("pose_landmarks_detector.tflite") == b"l" * 77
        for info in bundle.infolist():
            assert info.compress_type == zipfile.ZIP_STORED
    assert data.index(b"d" * 1001) % 64 == 0
    assert data.index(b"l" * 77) % 64 == 0


def test_model_that_is_not_one(tmp_path):
    with pytest.raises(UnknownNameError, match="full"):
        pose_task("ful")
    with pytest.raises(AssetError, match="no such file"):
        pose_task(tmp_path / "none.task")
    (tmp_path / "bad.task").write_bytes(b"nonsense")
    estimator = MediaPipePose(tmp_path / "bad.task")
    with pytest.raises(AssetError, match="not a pose model"):
        estimator(np.zeros((64, 64, 3), np.uint8), 0.0)
    write_bundle(tmp_path / "odd.task", b"d", b"l")
    for name in ("bad.task", "odd.task"):
        with pytest.raises(AssetError, match="not a pose model"):
            BlazePose(tmp_path / name)


@pytest.fixture(scope="module")
def blazepose():
    estimator = BlazePose(pose_task("full"))
    yield estimator
    estimator.close()


@pytest.mark.asset
def test_our_reading_of_the_network_is_mediapipes(blazepose):
    """The same network on nearly the same square: both settle on the first picture by their own last answers."""
    for name in ("clip_cam01", "clip_cam04"):
        _, rgb = next(frames(asset(name)))
        reference = MediaPipePose(pose_task("full"))
        for k in range(5):
            theirs = reference(rgb, float(k))
        reference.close()
        region = region_around(theirs)
        for _ in range(5):
            ours = blazepose.look(window(rgb, region, 256), region)
            region = ours.region
        tall = np.ptp(theirs.px, axis=0).max()
        assert np.median(np.linalg.norm(ours.px - theirs.px, axis=1)) < 0.012 * tall
        assert np.median(np.linalg.norm(ours.world_m - theirs.world_m, axis=1)) < 0.04
        np.testing.assert_allclose(ours.visibility[BODY].mean(), theirs.visibility[BODY].mean(), atol=0.1)


@pytest.mark.asset
def test_mirror_image_and_turned_square_give_the_same_person(blazepose):
    _, rgb = next(frames(asset("clip_cam04")))
    region = region_around(blazepose.candidates(rgb)[0])
    part = window(rgb, region, 256)
    plain = blazepose.look(part, region)
    mirrored = blazepose.look(part, region, mirrored=True)
    turned = blazepose.look(part, Region(region.centre, region.side, region.angle + 0.1))
    tall = np.ptp(plain.px, axis=0).max()
    for other in (mirrored, turned):
        assert np.median(np.linalg.norm(other.px - plain.px, axis=1)) < 0.012 * tall
        assert np.median(np.linalg.norm(other.world_m - plain.world_m, axis=1)) < 0.04
    assert blazepose.look(part, Region(np.array([20.0, 20.0]), 60.0, 0.0)) is None  # nobody in the corner


@pytest.mark.asset
def test_walker_is_followed_past_the_bystander():
    track = estimate_pose(asset("clip_walking"), person="1400,540,260,430", fps=15.0, progress=False)
    t, hips = track.time_s, track.landmarks_px[:, HIPS].mean(axis=1)
    walks = (t > 1.5) & (t < 6.2)  # before, she is behind a tree; after, she leaves the picture
    assert track.detected[walks].mean() > 0.95
    assert not track.detected[t < 1.2].any()
    assert not track.detected[t > 7.0].any()  # the man who jumps down is not taken for her
    seen = walks & track.detected
    # one steady walk from the right edge to the left; the bystander is 300 px higher
    slope, start = np.polyfit(t[seen], hips[seen, 0], 1)
    assert -300 < slope < -250
    assert np.abs(hips[seen, 0] - (slope * t[seen] + start)).max() < 60
    assert hips[seen, 1].min() > 690
    assert not track.switched.any()
    assert not track.shot.any()
    assert np.median(track.quality[seen]) > 0.5
    assert track.metadata["camera_moving_fraction"] == 0.0


@pytest.mark.asset
def test_same_clip_same_bits_and_no_noise_on_stderr(capfd):
    tracks = [estimate_pose(asset("clip_cam01"), fps=12.0, progress=False) for _ in range(2)]
    assert tracks[0].detected.all()
    np.testing.assert_array_equal(tracks[0].landmarks_m, tracks[1].landmarks_m)
    np.testing.assert_array_equal(tracks[0].landmarks_px, tracks[1].landmarks_px)
    out, err = capfd.readouterr()
    assert (out, err) == ("", "")


@pytest.mark.asset
def test_left_and_right_stay_apart_where_the_estimator_flips():
    """Camera 2: face hidden, the bare estimator takes his front for his back in 27 of 100 frames."""
    track = estimate_pose(asset("clip_cam02"), progress=False)
    assert track.detected.mean() > 0.98
    left, right = track.landmarks_px[:, 11, 0], track.landmarks_px[:, 12, 0]
    assert (left > right)[np.abs(left - right) > 40].all()  # he faces the camera throughout
    assert len(track.metadata["sides_exchanged"]) < 15  # 27 and more with squares that only turn with him


@pytest.mark.asset
def test_two_clips_joined_by_a_hard_cut(tmp_path):
    a = [f for _, f in itertools.islice(frames(asset("clip_cam01"), max_side=640), 40)]
    b = [f for _, f in itertools.islice(frames(asset("clip_cam04"), max_side=640), 40)]
    height, width = (min(x[0].shape[k] for x in (a, b)) // 2 * 2 for k in (0, 1))
    path = write_video(
        tmp_path / "cut.mp4", [np.ascontiguousarray(f[:height, :width]) for f in a + b], fps=60
    )
    track = estimate_pose(path, progress=False)
    np.testing.assert_array_equal(track.shot, [0] * 40 + [1] * 40)
    assert track.detected.mean() > 0.9


@pytest.mark.asset
def test_constant_picture_has_nobody_in_it(tmp_path):
    path = write_video(tmp_path / "grey.mp4", [np.full((240, 320, 3), 127, np.uint8)] * 20)
    with pytest.raises(NoPersonError):
        estimate_pose(path, progress=False)


@pytest.mark.asset
def test_padded_rows_are_no_trap():
    """MediaPipe ignores strides: a view into a wider array must give what its copy gives."""
    _, rgb = next(frames(asset("clip_cam01")))
    padded = np.zeros((rgb.shape[0], rgb.shape[1] + 24, 3), np.uint8)
    padded[:, : rgb.shape[1]] = rgb
    estimator = MediaPipePose(pose_task("full"))
    try:
        whole, view = estimator.candidates(rgb), estimator.candidates(padded[:, : rgb.shape[1]])
    finally:
        estimator.close()
    assert len(whole) == len(view) == 1
    np.testing.assert_array_equal(whole[0].px, view[0].px)
