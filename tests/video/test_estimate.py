import json
import os
import warnings
from dataclasses import replace

import numpy as np
import pytest
from make_video import write_video
from stick_people import GREEN, RED, ColourEstimator, draw

from imusim import PoseTrack, estimate_pose
from imusim.errors import ConfigError, MotionFileError, NoPersonError, OutputError, QualityWarning, VideoError
from imusim.video import load_track, save_track
from imusim.video.cache import cached_track
from imusim.video.pipeline import in_thread

SIZE = (320, 180)


def background(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.kron(rng.integers(30, 130, (9, 16, 3)), np.ones((20, 20, 1))).astype(np.uint8)


def walk(count=40, seed=0, start=60.0, speed=3.0, colour=RED):
    for i in range(count):
        image = background(seed)
        draw(image, start + speed * i, 90, 60, colour)
        yield image


@pytest.fixture
def clip(tmp_path):
    return write_video(tmp_path / "walk.mp4", walk())


def run(path, **options):
    options.setdefault("estimator", ColourEstimator())
    return estimate_pose(path, progress=False, **options)


def test_track_of_a_drawn_walker(clip):
    track = run(clip)
    assert isinstance(track, PoseTrack)
    assert track.detected.all()
    np.testing.assert_allclose(track.time_s, np.arange(40) / 30, atol=1e-4)
    np.testing.assert_allclose(
        track.landmarks_px[:, [23, 24], 0].mean(axis=1), 60 + 3.0 * np.arange(40), atol=2.5
    )
    assert track.image_size_px == SIZE
    assert not track.shot.any()
    assert track.focal_px is None
    json.dumps(dict(track.metadata))  # plain values only
    assert run(clip, focal_px=400.0).focal_px == 400.0


def test_large_video_is_tracked_in_pixels_of_the_file(tmp_path):
    def large():
        for i in range(20):
            image = np.full((540, 2400, 3), 90, np.uint8)
            draw(image, 1200 + 5 * i, 270, 200, RED)
            yield image

    track = run(write_video(tmp_path / "large.mp4", large()), person="1050,50,300,450")
    assert track.image_size_px == (2400, 540)
    np.testing.assert_allclose(
        track.landmarks_px[:, [23, 24], 0].mean(axis=1), 1200 + 5 * np.arange(20), atol=4
    )


def test_hard_cut_starts_a_new_shot_and_a_new_track(tmp_path):
    images = [*walk(25, seed=1), *walk(25, seed=2, start=250.0, speed=-3.0)]
    track = run(write_video(tmp_path / "cut.mp4", images))
    np.testing.assert_array_equal(track.shot, [0] * 25 + [1] * 25)
    assert track.detected[20:30].all()
    assert abs(track.landmarks_px[25, 23, 0] - 250) < 15  # found at once on the other side


def test_nobody(tmp_path):
    still = write_video(tmp_path / "still.mp4", [np.full((180, 320, 3), 127, np.uint8)] * 30)
    with pytest.raises(NoPersonError, match="no person"):
        run(still)
    brief = [*[background(0)] * 20, *walk(8), *[background(0)] * 20]
    with pytest.raises(NoPersonError, match=r"0\.[12]\d s only"):
        run(write_video(tmp_path / "brief.mp4", brief))


def test_switch_and_moving_camera_warn(tmp_path):
    images = [*walk(20), *[background(0)] * 100, *walk(20, start=200, speed=-2.0, colour=GREEN)]
    with pytest.warns(QualityWarning, match="another person"):
        track = run(write_video(tmp_path / "two.mp4", images))
    assert track.switched.sum() == 1
    wide = np.kron(np.random.default_rng(5).integers(30, 130, (9, 80, 3)), np.ones((20, 20, 1))).astype(
        np.uint8
    )
    pan = []
    for i in range(60):
        image = wide[:, 3 * i : 3 * i + 320].copy()
        draw(image, 160, 90, 60, RED)
        pan.append(image)
    with pytest.warns(QualityWarning, match="background moves"):
        run(write_video(tmp_path / "pan.mp4", pan))


def test_bad_settings(clip):
    for options, error in (
        ({"person": "tall"}, ConfigError),
        ({"focal_px": -3.0}, ConfigError),
        ({"fps": -1.0}, VideoError),
    ):
        with pytest.raises(error):
            run(clip, **options)


def test_result_is_cached_and_reused_only_for_the_same_question(clip, tmp_path):
    cache = tmp_path / "out" / "pose.npz"

    def calls(**options) -> int:
        estimator = ColourEstimator()
        run(clip, estimator=estimator, cache=cache, **options)
        return estimator.calls

    assert calls() == 42  # two to settle on the person
    assert calls() == 0
    assert calls(fps=10.0) > 0
    assert calls(fps=10.0) == 0
    assert calls(fps=10.0, person="centre") > 0
    assert calls(fps=10.0, person="centre", focal_px=300.0) == 0  # says nothing about the landmarks
    write_video(clip, walk(30, start=80.0))  # another video of the same name
    assert calls(fps=10.0, person="centre") > 0
    for damage in (b"", b"not a zip", cache.read_bytes()[:-200]):
        cache.write_bytes(damage)
        assert calls(fps=10.0, person="centre") > 0
    assert [p.name for p in cache.parent.iterdir()] == ["pose.npz"]


def test_cached_track_is_the_same_track(clip, tmp_path):
    first = run(clip, cache=tmp_path / "pose.npz")
    again = run(clip, cache=tmp_path / "pose.npz")
    for name in ("time_s", "landmarks_m", "landmarks_px", "visibility", "quality", "shot", "switched"):
        np.testing.assert_array_equal(getattr(first, name), getattr(again, name))
    assert dict(first.metadata) == dict(again.metadata)


def test_save_and_load(clip, tmp_path):
    track = replace(run(clip), focal_px=812.5)
    loaded = load_track(save_track(tmp_path / "t.npz", track))
    np.testing.assert_array_equal(loaded.landmarks_m, track.landmarks_m)
    assert (loaded.focal_px, loaded.image_size_px, loaded.landmark_names) == (
        812.5,
        SIZE,
        track.landmark_names,
    )
    with np.load(tmp_path / "t.npz", allow_pickle=False) as file:  # no pickles inside
        assert all(file[n].dtype != object for n in file.files)
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    for path in (tmp_path / "none.npz", tmp_path / "other.npz"):
        with pytest.raises(MotionFileError):
            load_track(path)
    assert cached_track(tmp_path / "t.npz", "another key") is None


def test_killed_while_writing_leaves_the_old_file(clip, tmp_path, monkeypatch):
    track = run(clip)
    path = save_track(tmp_path / "t.npz", track)
    before = path.read_bytes()

    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        save_track(path, replace(track, focal_px=1.0))
    assert path.read_bytes() == before
    assert not [p for p in tmp_path.iterdir() if p.name.endswith(".tmp")]


def test_folder_that_cannot_be_written(clip, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match="cannot write"):
        save_track(tmp_path / "file" / "pose.npz", run(clip))


def test_interrupted_run_goes_on_from_its_checkpoint(clip, tmp_path, monkeypatch):
    from imusim.video import pipeline

    real = pipeline.run
    monkeypatch.setattr("imusim.video.run", lambda *a, **k: real(*a, every=10, **k))

    class Fails(ColourEstimator):
        def __call__(self, rgb, time_s):
            if self.calls == 25:
                raise KeyboardInterrupt
            return super().__call__(rgb, time_s)

    cache = tmp_path / "pose.npz"
    with pytest.raises(KeyboardInterrupt):
        run(clip, estimator=Fails(), cache=cache)
    assert not cache.exists()
    second = ColourEstimator()
    track = run(clip, estimator=second, cache=cache)
    assert second.calls == 22  # frames 20 … 39, and two to settle
    np.testing.assert_allclose(track.time_s, np.arange(40) / 30, atol=1e-4)
    np.testing.assert_allclose(
        track.landmarks_px, run(clip).landmarks_px, atol=2.1
    )  # the colour boxes are found on a grid of 2 px
    assert [p.name for p in tmp_path.iterdir() if "pose" in p.name] == ["pose.npz"]


def test_decoder_thread_passes_errors_on_and_stops_when_left():
    def source():
        yield 0.0, np.zeros((1, 1, 3), np.uint8)
        raise VideoError("broken")

    items = in_thread(source())
    assert next(items)[0] == 0.0
    with pytest.raises(VideoError, match="broken"):
        next(items)
    made = []

    def endless():
        for i in range(10**9):
            made.append(i)
            yield float(i), np.zeros((1, 1, 3), np.uint8)

    items = in_thread(endless(), size=4)
    assert [t for t, _ in (next(items), next(items))] == [0.0, 1.0]
    items.close()
    assert len(made) < 12  # bounded: never far ahead of what is used


def test_quiet_without_a_terminal(clip, capfd):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        estimate_pose(clip, estimator=ColourEstimator(), progress=True)
    out, err = capfd.readouterr()
    assert (out, err) == ("", "")
