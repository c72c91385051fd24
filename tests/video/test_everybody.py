"""A video of several people: a track each, kept and reused; on the real clip of two, both are found."""

import json

import numpy as np
import pytest
from make_video import write_video
from stick_people import GREEN, RED, ColourEstimator, ColourRegions, draw

import imusim as im
from imusim.errors import ConfigError, NoPersonError
from imusim.video.everybody import estimate_people

SIZE = (480, 270)


def passing(count=75):
    """One walks to the right, one to the left, in front."""
    for i in range(count):
        image = np.full((SIZE[1], SIZE[0], 3), 90, np.uint8)
        draw(image, 60 + 4.5 * i, 130, 70, RED)
        draw(image, 420 - 4.5 * i, 135, 78, GREEN)
        yield image


@pytest.fixture
def clip(tmp_path):
    return write_video(tmp_path / "two.mp4", passing())


def test_two_who_pass_each_other_have_a_track_each(clip):
    people = estimate_people(clip, estimator=ColourRegions(), passes=1, progress=False)
    assert list(people) == ["person_1", "person_2"]
    ways = []
    for track in people.values():
        assert track.time_s.size == 75
        found = np.flatnonzero(track.detected)
        x = track.landmarks_px[found][:, [23, 24], 0].mean(axis=1)
        ways.append(np.polyfit(found, x, 1)[0])
        hidden = (found > 30) & (found < 50)
        fit = np.polyfit(found[~hidden], x[~hidden], 1)
        assert np.abs(np.polyval(fit, found[~hidden]) - x[~hidden]).max() < 12
        assert not track.metadata["person"]["cut_s"]
    assert sorted(np.sign(ways)) == [-1, 1]
    assert np.abs(ways) == pytest.approx(4.5, abs=0.2)


def test_tracks_are_kept_and_reused_for_the_same_question_only(clip, tmp_path):
    cache, estimator = tmp_path / "people.npz", ColourRegions()
    first = estimate_people(clip, estimator=estimator, passes=1, cache=cache, progress=False)
    calls = estimator.calls
    again = estimate_people(clip, estimator=estimator, passes=1, cache=cache, progress=False)
    assert estimator.calls == calls
    assert list(first) == list(again)
    for name, track in first.items():
        for field in ("time_s", "landmarks_m", "landmarks_px", "visibility", "shot", "quality", "switched"):
            np.testing.assert_array_equal(getattr(track, field), getattr(again[name], field))
        assert dict(track.metadata) == dict(again[name].metadata)
    estimate_people(clip, estimator=estimator, passes=1, fps=15, cache=cache, progress=False)
    assert estimator.calls > calls
    cache.write_bytes(cache.read_bytes()[:2000])  # damaged: made anew
    assert len(estimate_people(clip, estimator=estimator, passes=1, cache=cache, progress=False)) == 2


def test_what_cannot_be_meant_is_said(clip, tmp_path):
    with pytest.raises(ConfigError, match="one person only"):
        estimate_people(clip, estimator=ColourEstimator(), progress=False)
    empty = write_video(tmp_path / "empty.mp4", (np.full((90, 160, 3), 80, np.uint8) for _ in range(20)))
    with pytest.raises(NoPersonError, match="nobody"):
        estimate_people(empty, estimator=ColourRegions(), progress=False)


def test_one_person_and_everybody_cannot_both_be_asked_for(clip, tmp_path):
    from imusim.everyone import simulate_everyone
    from imusim.options import PoseOptions

    with pytest.raises(ConfigError, match="--people all"):
        simulate_everyone(clip, tmp_path / "out", pose=PoseOptions(person="centre"))
    motion = tmp_path / "motion.npz"
    motion.write_bytes(b"")
    with pytest.raises(ConfigError, match="motion file"):
        simulate_everyone(motion, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.asset
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_both_people_of_the_real_clip_have_a_folder(tmp_path):
    """The walker of the sports2d clip (seen from 1.4 s on, behind a tree before) and the man who stands by the wall."""
    pytest.importorskip("mediapipe")
    from imusim.everyone import simulate_everyone
    from imusim.options import PoseOptions, SensorOptions

    def make():
        return simulate_everyone(
            im.asset("clip_walking"),
            tmp_path / "out",
            pose=PoseOptions(passes=1, fps=15),
            sensors=SensorOptions(placements=["left_wrist", "lower_back"]),
            report=False,
            progress=False,
        )

    made = make()
    told = json.loads((tmp_path / "out" / "people.json").read_text())["people"]
    assert list(told) == list(made) == ["person_1", "person_2"]
    spans = {n: (p["from_s"], p["to_s"]) for n, p in told.items()}
    walker = max(told, key=lambda n: told[n]["first_box_px"][3])
    assert 1.2 < spans[walker][0] < 2.2
    assert 6.0 < spans[walker][1] < 6.7
    recordings = {n: im.Recording.load(r.folder / "imu.parquet") for n, r in made.items()}
    for name, recording in recordings.items():
        assert recording.time_s[0] == pytest.approx(spans[name][0], abs=0.05)  # one clock
        assert np.isfinite(recording.acc).any()
        assert (tmp_path / "out" / name / "motion.npz").is_file()
    noise = [r.acc[50:150, 0] - np.mean(r.acc[50:150, 0], axis=0) for r in recordings.values()]
    assert abs(np.corrcoef(noise[0].ravel(), noise[1].ravel())[0, 1]) < 0.5
    before = (tmp_path / "out" / "people.npz").stat().st_mtime_ns
    make()
    assert (tmp_path / "out" / "people.npz").stat().st_mtime_ns == before
