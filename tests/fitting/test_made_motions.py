"""The made motions that the fit is judged on: what rests does rest, and the noise is what it says it is."""

import numpy as np
import pytest

from benchmarks.fit import landmark_noise, motions, world
from imusim.fitting.landmarks import AT


@pytest.mark.parametrize("name", ["squat", "arm raises", "punches", "push-up", "plank", "sit-up"])
def test_contacts_stay_where_they_are(name):
    made = motions.ALL[name]()
    _, marks = world.frames(made, 30.0)
    resting = marks[:, [AT[n] for n in made.on_floor]]
    assert np.abs(resting - resting[0]).max() < 1e-9
    assert resting[..., 2].min() > 0.0
    assert resting[..., 2].max() < 0.13


def test_a_plank_feels_gravity_only():
    truth = world.signals(motions.plank(2.0).motion, "none", np.arange(0.1, 1.8, 0.05))
    np.testing.assert_allclose(np.linalg.norm(truth.acc, axis=-1), 9.80665, atol=1e-6)


def test_walking_speed_is_the_one_asked_for():
    motion = motions.walk(speed=1.1).motion
    assert np.polyfit(motion.time_s, motion.root_position_m[:, 1], 1)[0] == pytest.approx(-1.1, abs=1e-9)


def test_noise_has_the_stated_size_and_seed():
    time_s, marks = world.frames(motions.plank(), 30.0)
    view = landmark_noise.view_of(marks.mean(axis=(0, 1)), 80.0, 4.0)
    first, again, other = (
        landmark_noise.observe(time_s, marks, view, landmark_noise.WHITE_1CM, seed) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first.landmarks_px, again.landmarks_px)
    assert (first.landmarks_px != other.landmarks_px).any()
    seen = (marks - view.place_m) @ view.R_cw.T
    exact = view.focal_px * seen[..., :2] / seen[..., 2:] + 0.5 * np.asarray(view.size_px)
    off_m = (first.landmarks_px - exact) * seen[..., 2:] / view.focal_px
    assert off_m.std() == pytest.approx(0.01, rel=0.05)
