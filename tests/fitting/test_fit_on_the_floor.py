"""People on hands, seat and back: what rests stays on the floor, and a plank feels gravity only.

Made motions, exact contacts, landmarks with MediaPipe-like noise (`benchmarks/fit/landmark_noise.py`).
"""

import numpy as np
import pytest
from scipy.ndimage import minimum_filter1d

import imusim as im
from benchmarks.fit import landmark_noise, motions, world
from imusim.fitting import contact
from imusim.fitting.landmarks import AT, CONTACTS

INNER = slice(9, -9)  # the ends of a clip, 0.3 s, know less
PALMS = [("left_wrist", "left_index", "left_pinky"), ("right_wrist", "right_index", "right_pinky")]


def fitted(name, seed=1):
    """A made motion's true landmarks (T, 33, 3) m · world, the fitted ones, the fitted motion."""
    made = motions.ALL[name]()
    time_s, marks = world.frames(made, 30.0)
    middle = marks.mean(axis=(0, 1))
    middle[2] = max(middle[2], 0.5)
    view = landmark_noise.view_of(middle, made.azimuth_deg, 3.8)
    track = landmark_noise.observe(time_s, marks, view, landmark_noise.MEDIAPIPE_LIKE, seed)
    motion = im.fit(track, height_m=im.open_body().stature(None), progress=False)
    return marks[INNER], world.marks_of(motion)[INNER], motion


def part(marks, names):
    return marks[:, [AT[n] for n in names]].mean(axis=1)


@pytest.mark.parametrize("name", ["push-up", "plank"])
def test_hands_stay_on_the_floor(name):
    truth, found, motion = fitted(name)
    for palm in PALMS:
        off = part(found, palm) - part(truth, palm)
        assert (
            np.abs(off[:, 2]).max() < 0.02
        )  # 0.2 to 2.0 cm over seven draws of the noise, 1.2 in the middle
        assert np.linalg.norm(off - off.mean(axis=0), axis=1).max() < 0.022
    assert motion.metadata["gravity"][0]["rests_on_floor"]
    if name == "plank":
        force = np.linalg.norm(world.signals(motion).acc, axis=-1)
        assert np.abs(force - 9.80665).max() < 0.1


def test_the_back_of_a_sit_up_lies_on_the_floor():
    """From a fifth of a second after it has come down to a fifth before it rises; in between, smoothing shows (4 cm)."""
    truth, found, _ = fitted("sit-up")
    shoulders = truth[:, AT["left_shoulder"], 2]
    lying = minimum_filter1d(shoulders < shoulders.min() + 0.003, 13)
    assert lying.mean() > 0.1
    for side in ("hip", "shoulder"):
        both = [f"left_{side}", f"right_{side}"]
        off = (part(found, both) - part(truth, both))[lying]
        assert np.abs(off[:, 2]).max() < 0.02  # 0.5 to 1.4 cm over seven draws of the noise
    feet = part(found, CONTACTS[:4]) - part(truth, CONTACTS[:4])
    assert np.abs(feet[:, 2]).max() < 0.03


def test_what_moves_or_is_high_does_not_rest():
    time_s = np.arange(60) / 30
    marks = np.zeros((60, 33, 3))
    marks[..., 2] = 4.0
    marks[:, :, 1] = 0.5  # y down: all on the ground
    marks[:, AT["left_index"], 0] = 0.5 * time_s  # slides
    marks[:, AT["right_index"], 1] = -0.5  # a metre up
    trust = np.ones((60, 33))
    rest = contact.resting(time_s, np.ones((60, 4)), trust, marks)[30]
    got = dict(zip(CONTACTS, rest, strict=True))
    assert got["left_index"] < 0.05
    assert got["right_index"] < 0.05
    assert got["left_pinky"] > 0.9
    assert got["left_shoulder"] > 0.9
