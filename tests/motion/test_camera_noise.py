"""What is known of a camera's errors: they last for a while, and a Kinect's skeletons are late."""

import numpy as np
import pytest
from scipy.io import savemat

import imusim as im
from imusim.errors import MotionFileError, ShapeError
from imusim.motion_io.kinect import DELAY_S
from imusim.motion_io.layouts import KINECT20
from imusim.smoothing import smooth

HZ, MEMORY_S = 20.0, 0.2


def lasting_noise(rng, count, channels, sd):
    """Noise whose correlation falls to 1/e in MEMORY_S, (count, channels)."""
    colour = np.exp(-1.0 / (HZ * MEMORY_S))
    out = rng.standard_normal((count, channels))
    for i in range(1, count):
        out[i] = colour * out[i - 1] + np.sqrt(1.0 - colour**2) * out[i]
    return sd * out


def test_errors_that_last_are_not_taken_for_motion():
    """An arm at up to 1.5 Hz behind 2 cm that last 0.2 s: told so, the acceleration is nearer to the truth, its sd true."""
    t = np.arange(80) / HZ
    off = {None: [], MEMORY_S: []}
    actual, stated = [], []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        f, phase = rng.uniform(0.3, 1.5, (3, 6)), rng.uniform(0, 6.28, (3, 6))
        w = 2 * np.pi * f
        angle = t[:, None, None] * w + phase
        truth = (0.08 * np.sin(angle)).sum(axis=1)
        acc = (-0.08 * w**2 * np.sin(angle)).sum(axis=1)
        seen = truth + lasting_noise(rng, t.size, 6, 0.02)
        for memory in off:
            found = smooth(t, seen, groups=np.zeros(6, int), noise_memory_s=memory)
            made = found.spline.evaluate(t)[:, :, 2]
            off[memory].append(np.sqrt(((made - acc)[4:-4] ** 2).mean()))
        actual.append(((made - acc)[4:-4] ** 2).mean())
        stated.append((found.sd[4:-4, :, 2] ** 2).mean())
        assert found.settings[0]["noise_colour"] == pytest.approx(np.exp(-1.0 / (HZ * MEMORY_S)))
    assert all(a < b for a, b in zip(off[MEMORY_S], off[None], strict=True))
    assert np.mean(off[MEMORY_S]) < 0.95 * np.mean(off[None])
    assert 0.6 < np.sqrt(np.mean(actual) / np.mean(stated)) < 1.7


@pytest.mark.parametrize("memory", [0.0, -1.0, np.nan])
def test_a_memory_is_a_time(memory):
    with pytest.raises(ShapeError, match="noise_memory_s"):
        smooth(np.arange(20.0), np.zeros((20, 3)), noise_memory_s=memory)


def kinect_file(path):
    """A made skeleton of 40 frames that sways, as UTD-MHAD writes it."""
    place = {
        "head": (0, 0.7), "neck": (0, 0.5), "spine2": (0, 0.1), "pelvis": (0, 0), "shoulder": (0.2, 0.45),
        "elbow": (0.25, 0.2), "wrist": (0.25, -0.05), "hand": (0.25, -0.12), "hip": (0.1, -0.05), "knee": (0.1, -0.5),
        "ankle": (0.1, -0.9), "foot": (0.1, -0.95),
    }  # fmt: skip
    x = np.zeros((40, 20, 3))
    for j, name in enumerate(KINECT20.points):
        side, _, part = name.partition("_")
        across, up = place[part or side]
        x[:, j] = [across * {"left": -1, "right": 1}.get(side, 0), up, 3.0 - 0.1 * (part == "foot")]
    x[:, :, 0] += 0.2 * np.sin(np.arange(40) / 6.0)[:, None] * (x[:, :, 1] + 1.0)
    savemat(path, {"d_skel": x.transpose(1, 2, 0)})
    return path


@pytest.mark.filterwarnings("ignore::imusim.errors.QualityWarning")
def test_a_kinects_delay_is_taken_off(tmp_path):
    path = kinect_file(tmp_path / "a.mat")
    usual, prescribed, more = (im.read_motion(path, rate_hz=20.0, delay_s=d) for d in (None, 0.0, 0.1))
    assert DELAY_S > 0
    for motion, late in ((usual, DELAY_S), (prescribed, 0.0), (more, 0.1)):
        np.testing.assert_allclose(motion.time_s, np.arange(40) / 20.0 - late, atol=1e-12)
        assert motion.metadata["delay_s"] == late
    # the signal is the same one, earlier by the delay
    at = np.arange(10, 90) / 50.0
    early = im.simulate(usual, ["right_wrist"], time_s=at - DELAY_S)
    level = im.simulate(prescribed, ["right_wrist"], time_s=at)
    np.testing.assert_allclose(early.acc, level.acc, atol=1e-6)


def test_a_delay_is_refused_where_it_means_nothing(tmp_path):
    path = kinect_file(tmp_path / "a.mat")
    with pytest.raises(MotionFileError, match="delay_s"):
        im.read_motion(path, rate_hz=20.0, delay_s=float("nan"))
    np.save(tmp_path / "a.npy", np.zeros((10, 22, 3)))
    with pytest.raises(MotionFileError, match="delay_s"):
        im.read_motion(tmp_path / "a.npy", delay_s=0.1)
