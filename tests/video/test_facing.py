"""Front and back: looks that disagree are kept apart, the clip decides; and what the network sees is upright."""

import cv2
import numpy as np
import pytest
from stick_people import template

from imusim.video.estimator import Landmarks
from imusim.video.facing import better_seen, by_facing, facing_px
from imusim.video.lines import Background
from imusim.video.pipeline import Harvest
from imusim.video.second_look import agreed, by_spread
from imusim.video.sides import exchange_order, untangle_sides
from imusim.video.upright import Upright, worth_a_try

SCALE = 200.0
OTHER = exchange_order()


def front(x=300.0, narrow=1.0) -> Landmarks:
    body = template() * (narrow, 1.0, 1.0)
    return Landmarks(body, np.array([x, 300.0]) + SCALE * body[:, :2], np.full(33, 0.9), np.full(33, 0.9))


def back(x=300.0) -> Landmarks:
    """The same pixels read as a back: names exchanged, wrists bent to the wrong side."""
    seen = front(x)
    world = seen.world_m[OTHER].copy()
    world[15:23, 2] += 0.4
    return Landmarks(world, seen.px[OTHER], seen.visibility, seen.presence)


def test_facing_follows_the_person_however_they_lean():
    for lean in (0.0, 0.7, 1.6, 3.0):
        c, s = np.cos(lean), np.sin(lean)
        turned = front().px @ np.array([[c, s], [-s, c]])
        assert facing_px(turned) == pytest.approx(0.28 * SCALE)
        assert facing_px(turned[OTHER]) == pytest.approx(-0.28 * SCALE)


def test_looks_that_see_a_back_are_not_averaged_with_those_that_see_a_front():
    mean = agreed([back(), front(), front(), front(narrow=0.2)])  # the last is between both: left out
    np.testing.assert_allclose(mean.world_m, front().world_m, atol=1e-12)
    assert mean.other is not None
    np.testing.assert_allclose(mean.other.world_m, back().world_m, atol=1e-12)
    assert agreed([front(), front()]).other is None
    from_the_side = [front(narrow=0.1), front(narrow=-0.1)]
    assert [g for g, _ in by_facing(from_the_side)] == [from_the_side]  # nothing there says front or back


def test_the_clip_decides_which_look_is_meant():
    """Most looks of some frames see a back; the front that a few saw has the right depth and is taken instead."""
    t, count = np.arange(60) / 30, 60
    harvest = Harvest(33)
    for i in range(count):
        mostly_back = 20 <= i < 30
        person = agreed(
            [back(300 + i), back(300 + i), front(300 + i)] if mostly_back else [front(300 + i)] * 3
        )
        harvest.time_s.append(float(t[i]))
        harvest.rows.append(np.zeros((33, 6), np.float32))
        harvest.shot.append(0)
        harvest.quality.append(1.0)
        harvest.switched.append(False)
        harvest.revise(i, person, 1.0)
    assert sorted(harvest.others) == list(range(20, 30))
    raw = harvest.arrays()
    named = untangle_sides(
        raw["time_s"], raw["landmarks_m"], raw["landmarks_px"], raw["visibility"], raw["shot"]
    )
    assert named[3].sum() == 10
    assert abs(named[0][25, 15, 2] - front().world_m[15, 2]) > 0.3  # names are right again, depth is not
    np.testing.assert_array_equal(
        better_seen(raw["landmarks_px"], named[1], harvest.others), np.arange(20, 30)
    )
    again = Harvest(33)
    again.restore(harvest.checkpoint(25), {})
    assert sorted(again.others) == list(range(20, 25))
    np.testing.assert_array_equal(again.others[22], harvest.others[22])


def street(roll_deg: float, size=(640, 480), focal=0.85 * 640) -> np.ndarray:
    """Posts and window frames seen by a level camera that is turned about its axis."""
    image = np.full((size[1], size[0], 3), 210, np.uint8)
    c, s = np.cos(np.radians(roll_deg)), np.sin(np.radians(roll_deg))

    def px(x, y, z):
        p = np.array([c * x - s * y, s * x + c * y]) / z * focal + np.array(size) / 2
        return tuple(int(v) for v in np.rint(p))

    for x, z in ((-2.5, 6), (-1.6, 5), (-0.7, 6), (0.4, 5), (1.2, 6), (2.2, 5), (2.9, 7)):
        cv2.line(image, px(x, -1.6, z), px(x, 1.4, z), (40, 40, 40), 3)
    return image


@pytest.mark.parametrize("roll", [0.0, 10.0, -7.0])
def test_up_is_found_from_what_stands_in_the_background(roll):
    background = Background()
    for _ in range(3):
        background.add(street(roll))
    upright = Upright(lambda: background, (640, 480))
    # a picture turned clockwise by the roll: upright things lean to the right by it
    assert np.degrees(upright(np.array([320.0, 240.0]))) == pytest.approx(roll, abs=1.0)
    empty = Upright(Background, (640, 480))
    assert empty(np.array([100.0, 100.0])) == 0.0


def test_upright_squares_are_tried_with_who_leans_and_not_with_who_stands_or_lies():
    lean = np.radians(np.arange(-180, 181))
    share = np.array([worth_a_try(float(x)) for x in lean])
    np.testing.assert_allclose(share, share[::-1], atol=1e-9)
    assert worth_a_try(np.radians(5)) == worth_a_try(np.radians(-90)) == worth_a_try(np.radians(170)) == 0.0
    assert worth_a_try(np.radians(-40)) == 1.0
    assert np.abs(np.diff(share)).max() <= 0.1 + 1e-9  # nowhere a jump


def test_looks_that_agree_are_believed():
    rng = np.random.default_rng(0)

    def looks(noise, off):
        return [
            Landmarks(
                p.world_m, p.px + SCALE * (off + rng.normal(0, noise, (33, 2))), p.visibility, p.presence
            )
            for p in [front()] * 4
        ]

    steady, shaky = looks(0.005, 0.0), looks(0.06, 0.04)
    believed = [by_spread(steady)] * 4 + [by_spread(shaky)] * 4
    assert believed[0] > 15 * believed[4]
    off = [np.abs(agreed(steady + shaky, w).px - front().px).mean() / SCALE for w in (believed, None)]
    assert off[0] < 0.005 < 0.6 * off[1]
    # eight shaky looks that see a back do not outvote four that agree on a front
    wrong = [Landmarks(p.world_m[OTHER], p.px[OTHER], p.visibility, p.presence) for p in looks(0.06, 0.0) * 2]
    voted = agreed(wrong + steady, [by_spread(shaky)] * 8 + [believed[0]] * 4)
    assert facing_px(voted.px) > 0
    assert voted.other is not None
    assert facing_px(voted.other.px) < 0
