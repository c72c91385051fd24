"""The second look: smooth squares, agreed names, nothing lost. The estimator here is one whose noise is known."""

import numpy as np
import pytest
from stick_people import template

from imusim.errors import ConfigError
from imusim.video.estimator import LANDMARK_NAMES, Landmarks, RegionEstimator
from imusim.video.leaving import leaving
from imusim.video.region import Region, Window
from imusim.video.second_look import SecondLook, agreed, check_passes, variations
from imusim.video.sides import READINGS, exchange_order
from imusim.video.track import Tracked

SCALE = 200.0
PART = Window(np.zeros((4, 4, 3), np.uint8), np.zeros(2), np.ones(2))


def person(centre, region=None) -> Landmarks:
    body = template()
    return Landmarks(body, centre + SCALE * body[:, :2], np.full(33, 0.9), np.full(33, 0.9), region)


class Noisy:
    """Sees the true person, displaced as its square is displaced: what makes real landmarks noisy."""

    name = "noisy"
    landmark_names = LANDMARK_NAMES

    def __init__(self, true):
        self.true, self.asked = true, []

    def look(self, part, region, *, mirrored=False):
        self.asked.append((region, mirrored))
        return person(self.true + 0.3 * (region.centre - self.true), region)

    def __call__(self, rgb, time_s): ...
    def candidates(self, rgb): ...
    def reset(self): ...
    def close(self): ...


def walk(second, rng, count=90, fps=60.0, gap=()):
    """Feed a walk whose first look is noisy; returns (row, true place, landmarks)."""
    out = []
    for i in range(count):
        t = i / fps
        true = np.array([100.0 + 250.0 * t, 300.0])
        second.estimator.true = true
        noisy = Region(true + rng.normal(0, 8.0, 2), 500 * np.exp(rng.normal(0, 0.03)), rng.normal(0, 0.03))
        seen = Tracked(None if i in gap else person(true, noisy), 1.0, False, 0, PART)
        out += list(second.add(i, t, seen))
    return out + list(second.end())


def test_squares_are_smooth_and_every_frame_comes_back_once():
    estimator = Noisy(np.zeros(2))
    assert isinstance(estimator, RegionEstimator)
    second = SecondLook(estimator, 2)
    rows = [row for row, _ in walk(second, np.random.default_rng(0))]
    assert rows == list(range(90))
    assert second.first_row is None
    regions = [r for r, mirrored in estimator.asked if not mirrored]
    assert len(regions) == 90
    assert sum(m for _, m in estimator.asked) == 90
    t = np.arange(90) / 60
    off = np.array([r.centre for r in regions]) - np.column_stack([100 + 250 * t, np.full(90, 300.0)])
    assert off.std() < 8.0 / 2.5  # a line through 2·0.15 s·√π·60 ≈ 32 frames, less at the ends
    assert off[20:70].std() < 8.0 / 4
    assert np.std([np.log(r.side) for r in regions]) < 0.03 / 4
    jitter = np.diff(off[20:70], axis=0).std()
    assert jitter < 0.5  # the first look's would be 11 px from frame to frame


def test_gaps_end_a_stretch_and_frames_taken_back_are_forgotten():
    second = SecondLook(Noisy(np.zeros(2)), 1)
    rows = [row for row, _ in walk(second, np.random.default_rng(1), gap=range(30, 60))]
    assert rows == [*range(30), *range(60, 90)]
    for i in range(10):
        assert not list(
            second.add(
                i, i / 60, Tracked(person(np.zeros(2), Region(np.zeros(2), 9.0, 0.0)), 1.0, False, 0, PART)
            )
        )
    second.forget(6)
    assert second.first_row == 0
    assert [row for row, _ in second.end()] == list(range(6))


def test_a_repeated_picture_keeps_its_landmarks():
    estimator = Noisy(np.array([50.0, 50.0]))
    second = SecondLook(estimator, 4)
    out = []
    for i in range(50):
        region = Region(np.array([50.0 + i, 50.0]), 400.0, 0.0)
        out += list(second.add(i, i / 30, Tracked(person(np.zeros(2), region), 1.0, False, 0, PART, i > 0)))
    out += list(second.end())
    assert len(out) == 50
    assert len(estimator.asked) == 4
    assert all(p is out[0][1] for _, p in out)


def test_names_are_agreed_before_averaging():
    true = person(np.array([300.0, 300.0]))
    everything = exchange_order()
    flipped = Landmarks(true.world_m[everything], true.px[everything], true.visibility, true.presence)
    legs = Landmarks(true.world_m[READINGS[1]], true.px[READINGS[1]], true.visibility, true.presence)
    mean = agreed([true, flipped, legs, true])
    np.testing.assert_allclose(mean.px, true.px, atol=1e-9)
    np.testing.assert_allclose(mean.world_m, true.world_m, atol=1e-12)


def test_one_wild_answer_moves_the_mean_little():
    rng = np.random.default_rng(2)
    true = person(np.array([300.0, 300.0]))
    found = [
        Landmarks(
            true.world_m, true.px + rng.normal(0, 0.01 * SCALE, (33, 2)), true.visibility, true.presence
        )
        for _ in range(4)
    ]
    wild = found[3].px.copy()
    wild[15] += 0.5 * SCALE  # a wrist somewhere else
    mean = agreed([*found[:3], Landmarks(true.world_m, wild, true.visibility, true.presence)])
    assert np.linalg.norm(mean.px[15] - true.px[15]) < 0.03 * SCALE  # a plain mean: 0.18


def test_variations_are_symmetric_and_passes_are_checked():
    for passes in (2, 4, 8, 16):
        sizes, turns, mirrored = zip(*variations(passes), strict=True)
        assert np.mean(sizes) == pytest.approx(1.0)
        assert sum(turns) == pytest.approx(0.0)
        assert sum(mirrored) == passes // 2
        assert len(set(variations(passes))) == passes
    assert variations(1) == [(1.0, 0.0, False)]
    assert (check_passes(None, 900), check_passes(None, 1e5), check_passes(3, 1e5)) == (4, 2, 3)
    for wrong in (0, 17, 2.5, True):
        with pytest.raises(ConfigError, match="1 to 16"):
            check_passes(wrong, 10)


def test_who_walks_out_is_cut_back_to_where_they_are_whole_who_stays_is_kept():
    t = np.arange(90) / 30
    world = np.repeat(template()[None], 90, axis=0)
    shot = np.zeros(90, np.int64)

    def px(x):
        return np.stack([x[:, None] + SCALE * world[..., 0], 300 + SCALE * world[..., 1]], axis=-1)

    x = 500 - 240 * t  # leaves at the left edge, x = 0, from about t = 1.7 on
    gone = leaving(t, world, px(x), shot, (640, 720))
    first = np.flatnonzero(gone)[0]
    assert gone[first:].all()
    assert x[first] == pytest.approx(0.45 * SCALE, abs=10)
    stays = leaving(t, world, px(np.full(90, 60.0)), shot, (640, 720))
    assert not stays.any()
    assert not leaving(t, world, px(np.full(90, 320.0)), shot, (640, 720)).any()
