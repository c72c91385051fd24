"""Everybody is followed under one name: crossings that colours decide, crossings that nobody can decide."""

import numpy as np
import pytest
from stick_people import GREEN, RED, draw, template

from imusim.video.crowd import Crowd
from imusim.video.estimator import LANDMARK_NAMES, Landmarks, RegionEstimator
from imusim.video.naming import name_people
from imusim.video.region import Region

SIZE = (640, 360)
SCALE = 80.0
BLUE = (40, 60, 220)


class Sees:
    """Knows the scene: (x, depth, colour) of each. Who stands behind somebody is not seen; a square shows the nearest."""

    name = "knows the scene"
    landmark_names = LANDMARK_NAMES

    def __init__(self):
        self.scene = []

    def people(self):
        found = []
        for x, depth, _ in self.scene:
            if not any(abs(x - other) < 0.3 * SCALE and near < depth for other, near, _ in self.scene):
                body = template()
                px = np.array([x, 180.0]) + SCALE * body[:, :2]
                around = Region(np.array([x, 180.0]), 2.5 * SCALE, 0.0)
                found.append(Landmarks(body, px, np.full(33, 0.95), np.full(33, 0.95), around))
        return found

    def candidates(self, rgb):
        return self.people() if rgb.shape[:2] == SIZE[::-1] else []

    def look(self, part, region, *, mirrored=False):
        def far(person):
            return abs(person.region.centre[0] - region.centre[0])

        best = min(self.people(), key=far, default=None)
        return best if best is not None and far(best) < 0.8 * SCALE else None

    def __call__(self, rgb, time_s): ...
    def reset(self): ...
    def close(self): ...


def picture(scene):
    image = np.full((SIZE[1], SIZE[0], 3), 90, np.uint8)
    for x, _, colour in sorted(scene, key=lambda p: -p[1]):
        draw(image, x, 180, SCALE, colour)
    return image


def follow(scenes, fps=30.0):
    """Return for each person found: (rows, x of the hips there, Named)."""
    estimator = Sees()
    assert isinstance(estimator, RegionEstimator)
    crowd, rows = Crowd(estimator, SIZE), []
    for i, scene in enumerate(scenes):
        estimator.scene = scene
        seen = crowd(picture(scene), i / fps, i)
        for k, s in enumerate(seen):
            if k == len(rows):
                rows.append({})
            for back in range(s.retract):
                rows[k].pop(i - 1 - back, None)
            if s.person is not None:
                rows[k][i] = s.person.px[[23, 24], 0].mean()
    out = []
    for person in name_people(crowd.members, crowd.meetings, len(scenes)):
        found = {r: x for s in person.stretches for r, x in rows[s.member].items() if s.first <= r < s.last}
        out.append((np.array(sorted(found)), np.array([found[r] for r in sorted(found)]), person))
    return [p for p in out if p[0].size >= 5]


def crossing(colours, back=False, count=150):
    """Two walk towards each other, pass (or turn round behind one another), and go on."""
    scenes = []
    for i in range(count):
        s = 440.0 * i / count
        if back and i > count / 2:
            s = 440.0 - s
        scenes.append([(100 + s, 2.0, colours[0]), (540 - s, 1.0, colours[1])])
    return scenes


@pytest.mark.parametrize("colours", [(RED, GREEN), (GREEN, RED), (RED, BLUE)])
@pytest.mark.parametrize("back", [False, True])
def test_names_survive_a_crossing_that_colours_decide(colours, back):
    scenes = crossing(colours, back)
    people = follow(scenes)
    assert len(people) == 2
    assert all(not p.cut for *_, p in people)
    for (rows, x, _), who in zip(people, (0, 1), strict=True):
        true = np.array([scenes[r][who][0] for r in rows])
        off = np.abs(x - true)
        assert rows[0] <= 20
        assert rows[-1] == len(scenes) - 1
        assert np.median(off) < 2.0
        assert (off < 30).mean() > 0.97  # while one hides, a frame or two may show the other
        assert (off[rows > 110] < 4).all()
        assert (off[rows < 60] < 4).all()


def test_people_who_look_alike_are_cut_where_one_hid_the_other():
    people = follow(crossing((RED, RED)))
    assert len(people) == 4
    before, after = people[:2], people[2:]
    for rows, _, person in before:
        assert len(person.cut) == 1
        assert 50 < rows[-1] < 75  # ends where they meet, at frame 75
    for rows, _, person in after:
        assert not person.cut
        assert 75 < rows[0] < 100
        assert rows[-1] == 149


def test_people_who_look_alike_keep_their_names_side_by_side():
    scenes = [[(150 + i, 1.0, RED), (190 + i, 1.5, RED)] for i in range(100)]  # 0.5 m apart all the while
    people = follow(scenes)
    assert len(people) == 2
    for (rows, x, person), who in zip(people, (0, 1), strict=True):
        np.testing.assert_allclose(x, [scenes[r][who][0] for r in rows], atol=4.0)
        assert not person.cut


def test_who_comes_later_leaves_or_comes_back_has_one_name():
    def scene(i):
        there = [(120.0, 1.0, RED)]
        if 40 <= i < 90 or i >= 160:
            there.append((520.0, 1.0, GREEN))
        return there

    people = follow([scene(i) for i in range(220)])
    assert [p[0][0] < 5 for p in people] == [True, False]
    rows = people[1][0]
    assert 40 <= rows[0] < 80  # seen twice first, or it might be a poster that flickers
    assert rows[-1] == 219
    assert not np.any((rows >= 90) & (rows < 160))


def test_somebody_else_who_comes_to_the_same_place_later_is_somebody_else():
    def scene(i):
        return [(120.0, 1.0, RED), *([(520.0, 1.0, GREEN if i < 90 else BLUE)] if not 90 <= i < 150 else [])]

    people = follow([scene(i) for i in range(220)])
    assert len(people) == 3
    assert people[1][0][-1] < 90
    assert people[2][0][0] >= 150


def test_a_cut_keeps_who_can_be_told_by_colours():
    estimator = Sees()
    crowd = Crowd(estimator, SIZE)
    for i in range(80):
        if i == 40:
            crowd.new_shot(i)
        red, green = ((150.0, 450.0), (500.0, 200.0))[i >= 40]
        estimator.scene = [(red, 1.0, RED), (green, 1.0, GREEN)]
        seen = crowd(picture(estimator.scene), i / 30, i)
    assert len(seen) == 2
    assert [round(s.person.px[[23, 24], 0].mean()) for s in seen] == [500, 200]
