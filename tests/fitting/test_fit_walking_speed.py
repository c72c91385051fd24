"""How fast someone walks, across the view and along it: from one camera, towards it, away, past it.

Made gait, landmarks with MediaPipe-like noise (`benchmarks/fit/landmark_noise.py`), less than two seconds, height given.
"""

import numpy as np
import pytest

import imusim as im
from benchmarks.fit import landmark_noise, motions, world
from imusim.fitting import contact
from imusim.fitting.gravity_tilt import tilt_from_up
from imusim.fitting.landmarks import AT, CONTACTS

HIPS = [AT["left_hip"], AT["right_hip"]]
FRAMES = slice(40, 94)


def speed(time_s, place):
    return float(np.linalg.norm(np.polyfit(time_s, place, 1)[0][:2]))


@pytest.fixture(scope="module")
def errors():
    """Relative error of the speed, by azimuth of the camera and draw of the noise."""
    time_s, marks = (x[FRAMES] for x in world.frames(motions.walk(4.0), 30.0))
    time_s = time_s - time_s[0]
    middle = marks.mean(axis=(0, 1))
    true = speed(time_s, marks[:, HIPS].mean(axis=1))
    found = {}
    for azimuth in (0.0, 45.0, 135.0, 180.0):
        view = landmark_noise.view_of([*middle[:2], 0.9], azimuth, 4.5, 18.0)
        for seed in (1, 2):
            track = landmark_noise.observe(time_s, marks, view, landmark_noise.MEDIAPIPE_LIKE, seed)
            motion = im.fit(
                track,
                height_m=im.open_body().stature(None),
                camera_tilt_deg=tilt_from_up(view.R_cw[:, 2]),
                progress=False,
            )
            found[azimuth, seed] = speed(motion.time_s, motion.root_position_m) / true - 1.0
    return found


def test_walking_speed_is_right_to_five_percent_from_all_sides(errors):
    off = np.array(list(errors.values()))
    assert np.abs(off).mean() < 0.035
    assert np.abs(off).max() < 0.07
    assert abs(off.mean()) < 0.03  # feet that are held while they swing make everybody slow


def test_a_foot_that_swings_towards_the_camera_does_not_rest():
    time_s = np.arange(40) / 30
    marks = np.zeros((40, 33, 3))
    marks[..., 2] = 5.0
    marks[:, AT["left_heel"], 2] -= 1.5 * time_s
    rest = contact.resting(time_s, np.ones((40, 4)), np.ones((40, 33)), marks)[20]
    got = dict(zip(CONTACTS, rest, strict=True))
    assert got["left_heel"] < 0.05
    assert got["right_heel"] > 0.95
