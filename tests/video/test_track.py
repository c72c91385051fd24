import numpy as np
import pytest
from stick_people import GREEN, RED, ColourEstimator, draw

from imusim.errors import ConfigError
from imusim.video.people import find_people, parse_person
from imusim.video.track import PersonTracker

SIZE = (640, 360)


def picture(*people) -> np.ndarray:
    image = np.full((SIZE[1], SIZE[0], 3), 90, np.uint8)
    for x, y, scale, colour in people:
        draw(image, x, y, scale, colour)
    return image


def follow(pictures, person="largest", fps=30.0, estimator=None):
    tracker = PersonTracker(estimator or ColourEstimator(), parse_person(person, SIZE), SIZE)
    return [tracker(image, i / fps) for i, image in enumerate(pictures)], tracker


def hips(tracked):
    return np.array(
        [[np.nan] * 2 if t.person is None else t.person.px[[23, 24]].mean(axis=0) for t in tracked]
    )


def test_landmarks_are_mapped_back_to_the_whole_picture():
    xs = np.linspace(60, 580, 60)
    tracked, _ = follow([picture((x, 180, 80, RED)) for x in xs])
    np.testing.assert_allclose(hips(tracked)[:, 0], xs, atol=1.5)
    np.testing.assert_allclose(hips(tracked)[:, 1], 180, atol=1.5)
    assert not any(t.switched for t in tracked)
    assert min(t.quality for t in tracked[5:55]) > 0.5


def test_largest_and_centre_and_box():
    scene = [picture((120, 180, 110, RED), (330, 180, 60, GREEN))] * 3
    assert hips(follow(scene, "largest")[0])[-1, 0] == pytest.approx(120, abs=2)
    assert hips(follow(scene, "centre")[0])[-1, 0] == pytest.approx(330, abs=2)
    assert hips(follow(scene, "280,120,100,130")[0])[-1, 0] == pytest.approx(330, abs=2)
    assert hips(follow(scene, "0.44,0.33,0.16,0.36")[0])[-1, 0] == pytest.approx(330, abs=2)


def test_box_waits_for_the_person_to_come():
    empty = [picture((120, 180, 110, RED))] * 20
    arrives = [picture((120, 180, 110, RED), (520, 180, 80, GREEN))] * 20
    tracked, _ = follow(empty + arrives, "470,100,100,170")
    assert all(t.person is None for t in tracked[:20])
    assert hips(tracked)[-1, 0] == pytest.approx(520, abs=2)


def test_start_time():
    tracked, _ = follow([picture((300, 180, 90, RED))] * 40, "largest@0.5")
    first = next(i for i, t in enumerate(tracked) if t.person is not None)
    assert first == 15


def test_a_leap_across_the_picture_is_not_followed():
    walk = [picture((100 + 2 * i, 180, 80, RED)) for i in range(20)]
    leap = [picture((500, 180, 80, GREEN))] * 10  # the person vanished, somebody else stands far away
    tracked, _ = follow(walk + leap)
    assert all(t.person is not None for t in tracked[:20])
    assert all(t.person is None for t in tracked[20:])


def test_found_again_after_being_hidden():
    def walk(i):
        return picture((100 + 4 * i, 180, 80, RED), (560, 180, 80, GREEN))

    hidden = [picture((560, 180, 80, GREEN))] * 12
    tracked, _ = follow(
        [walk(i) for i in range(30)] + hidden + [walk(42 + i) for i in range(30)], "60,60,90,250"
    )
    x = hips(tracked)[:, 0]
    assert np.isnan(x[30:42]).all()
    np.testing.assert_allclose(x[55:], [100 + 4 * (i) for i in range(55, 72)], atol=2)
    assert not any(t.switched for t in tracked)


def test_another_person_in_the_same_place_is_noticed_and_retracted():
    """One walks behind the other: place, size and speed say nothing, only the looks do."""
    first = [picture((200 + i, 180, 80, RED)) for i in range(40)]
    second = [picture((240 + i, 180, 80, GREEN)) for i in range(30)]
    tracked, _ = follow(first + second)
    told = [i for i, t in enumerate(tracked) if t.retract]
    assert told
    assert 40 < told[0] <= 46
    assert tracked[told[0]].retract == told[0] - 40  # every frame since the exchange is taken back
    assert not any(t.retract for t in tracked[:40])


def test_somebody_else_after_the_person_is_gone_for_long_is_flagged():
    first = [picture((200, 180, 80, RED))] * 30
    gone = [picture()] * 100
    second = [picture((420, 180, 80, GREEN))] * 30
    tracked, _ = follow(first + gone + second)
    switched = [i for i, t in enumerate(tracked) if t.switched]
    assert len(switched) == 1
    assert switched[0] >= 130


def test_somebody_else_after_a_cut_is_flagged_and_the_same_person_is_not():
    for colour, flagged in ((GREEN, True), (RED, False)):
        tracker = PersonTracker(ColourEstimator(), parse_person("largest", SIZE), SIZE)
        for i in range(20):
            tracker(picture((200, 180, 80, RED)), i / 30)
        tracker.new_shot()
        after = [tracker(picture((450, 180, 100, colour)), (20 + i) / 30) for i in range(10)]
        assert after[0].person is not None
        assert any(t.switched for t in after) is flagged


def test_small_people_are_found_in_tiles_once():
    people = find_people(ColourEstimator(), picture((80, 180, 60, RED), (560, 180, 60, GREEN)))
    assert sorted(round(p.px[[23, 24]].mean(axis=0)[0]) for p in people) == [
        pytest.approx(80, abs=2),
        pytest.approx(560, abs=2),
    ]


def test_a_place_beyond_the_picture_is_looked_for_in_the_picture_alone():
    looked_at = []

    class Noting(ColourEstimator):
        def candidates(self, rgb):
            looked_at.append(max(rgb.shape[:2]))
            return super().candidates(rgb)

    scene = picture((330, 180, 60, RED))
    found = find_people(Noting(), scene, within=np.array([-9000.0, -9000.0, 9000.0, 9000.0]))
    assert len(found) == 1
    assert max(looked_at) < 2 * max(SIZE)  # a window of 32,400 px is 3 GB
    assert find_people(Noting(), scene, within=np.array([700.0, 0.0, 900.0, 200.0])) == []


@pytest.mark.parametrize(
    "text",
    ["tallest", "1,2,3", "1,2,3,x", "10,10,0,50", "10,10,-5,50", "700,10,50,50", "1,2,3,nan", "largest@soon"],
)
def test_bad_choices(text):
    with pytest.raises(ConfigError):
        parse_person(text, SIZE)
