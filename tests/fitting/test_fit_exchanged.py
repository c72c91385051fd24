"""Left and right named wrongly for a few frames are put right, and nothing else is touched."""

import numpy as np
import pytest
from made_tracks import FOCAL, SIZE, made_state, skeleton_of

from imusim.fitting import exchanged, refine
from imusim.fitting.landmarks import AT, NAMES

RATE = 30.0
COUNT = 40
LEGS = [AT[f"left_{p}"] for p in exchanged.LIMBS[0]], [AT[f"right_{p}"] for p in exchanged.LIMBS[0]]


def seen_of():
    """Landmarks, pixels and visibility of a made motion with some noise."""
    time = np.arange(COUNT) / RATE
    marks = refine.pose(skeleton_of(), made_state(time))[2]
    px = FOCAL * marks[..., :2] / marks[..., 2:] + 0.5 * np.asarray(SIZE)
    px += np.random.default_rng(5).normal(scale=2.0, size=px.shape)
    return time, marks, px, np.tile(np.linspace(0.5, 1.0, len(NAMES)), (COUNT, 1))


def named_wrongly(frames, *arrays):
    out = [a.copy() for a in arrays]
    for a in out:
        for left, right in zip(*LEGS, strict=True):
            a[frames, left], a[frames, right] = a[frames, right].copy(), a[frames, left].copy()
    return out


@pytest.mark.parametrize("frames", [slice(12, 13), slice(20, 22), slice(30, 33)])
def test_exchanged_legs_are_put_right(frames):
    time, *right = seen_of()
    found = exchanged.mend(time, *named_wrongly(frames, *right), np.ones(COUNT, dtype=bool))
    for got, want in zip(found, right, strict=True):
        np.testing.assert_array_equal(got, want)


def test_a_pair_of_frames_not_seen_between_does_no_harm():
    time, *right = seen_of()
    seen = np.ones(COUNT, dtype=bool)
    seen[14:16] = False
    wrong = named_wrongly(slice(12, 13), *right)
    for a in wrong:
        a[14:16] = np.nan
    got = exchanged.mend(time, *wrong, seen)
    np.testing.assert_array_equal(got[1][seen], right[1][seen])


def test_what_lasts_is_left_alone():
    """Half a second of crossed legs is a pose."""
    time, *right = seen_of()
    wrong = named_wrongly(slice(10, 25), *right)
    for got, want in zip(exchanged.mend(time, *wrong, np.ones(COUNT, dtype=bool)), wrong, strict=True):
        np.testing.assert_array_equal(got, want)


def test_nothing_happens_to_a_proper_track():
    time, *right = seen_of()
    for got, want in zip(exchanged.mend(time, *right, np.ones(COUNT, dtype=bool)), right, strict=True):
        np.testing.assert_array_equal(got, want)
    for got, want in zip(
        exchanged.mend(time, *right, np.arange(COUNT) < 2), right, strict=True
    ):  # too few to tell
        np.testing.assert_array_equal(got, want)
