"""The wrist from Kinect skeletons: a swinging arm in closed form, an alignment put in and found, and the real sensor."""

import numpy as np
import pytest
from scipy.io import savemat
from scipy.spatial.transform import Rotation

from mujo.corpus.kinect import Trial, fit_alignment, kinect_clips, read_trials, wrist_force
from mujo.errors import DatasetError

_STANDING = {
    0: (0, 1.65, 2.5), 1: (0, 1.42, 2.5), 2: (0, 1.15, 2.5), 3: (0, 0.95, 2.5),
    4: (-0.18, 1.40, 2.5), 5: (-0.2, 1.12, 2.5), 6: (-0.2, 0.87, 2.5), 7: (-0.2, 0.78, 2.5),
    8: (0.18, 1.40, 2.5), 12: (-0.09, 0.9, 2.5), 13: (-0.09, 0.5, 2.5), 14: (-0.09, 0.1, 2.5),
    15: (-0.09, 0.03, 2.4), 16: (0.09, 0.9, 2.5), 17: (0.09, 0.5, 2.5), 18: (0.09, 0.1, 2.5), 19: (0.09, 0.03, 2.4),
}  # fmt: skip
"""Joints of the first Kinect without the right arm · m · y up, z away."""


def swing(t, amplitude=0.6, hertz=0.5):
    """Angle of the arm from straight down, its rate, its acceleration · rad, rad/s, rad/s²."""
    w = 2 * np.pi * hertz
    return amplitude * np.sin(w * t), amplitude * w * np.cos(w * t), -amplitude * w**2 * np.sin(w * t)


def write_swinging_arm(folder, samples=200, frames=80):
    """A person standing, the straight right arm swinging to and from the camera: files as UTD-MHAD has them."""
    angle = swing(np.linspace(0, samples / 50, frames))[0]
    x = np.zeros((20, 3, frames))
    for j, p in _STANDING.items():
        x[j] = np.array(p, float)[:, None]
    for j, along in ((9, 0.28), (10, 0.53), (11, 0.61)):
        down = np.array(_STANDING[8])[:, None] + along * np.stack([0 * angle, -np.cos(angle), -np.sin(angle)])
        x[j] = down
    savemat(folder / "a1_s1_t1_skeleton.mat", {"d_skel": x})
    savemat(folder / "a1_s1_t1_inertial.mat", {"d_iner": np.ones((samples, 6))})


def test_a_swinging_arm(tmp_path):
    """Turning about the shoulder: r θ̈ + g sin θ along the swing, r θ̇² + g cos θ along the arm."""
    write_swinging_arm(tmp_path)
    (trial,) = read_trials(tmp_path)
    force = wrist_force(trial)[10:-10]
    angle, rate, acceleration = swing(trial.time_s[10:-10])
    r = 0.28 + 0.9 * 0.25  # upper arm, and nine tenths of the forearm
    truth = np.hypot(r * acceleration + 9.80665 * np.sin(angle), r * rate**2 + 9.80665 * np.cos(angle))
    assert np.sqrt(np.mean((np.linalg.norm(force, axis=1) - truth) ** 2)) < 0.15  # of a range of 3.6


def test_a_skeleton_is_missing(tmp_path):
    write_swinging_arm(tmp_path)
    (tmp_path / "a1_s1_t1_skeleton.mat").rename(tmp_path / "a2_s1_t1_skeleton.mat")
    with pytest.raises(DatasetError, match="no skeleton beside it"):
        read_trials(tmp_path)
    with pytest.raises(DatasetError, match="no trial"):
        fit_alignment([])


def test_an_alignment_is_found():
    """Signals of known delay and rotation, noise of a tenth of their size: both come back."""
    rng = np.random.default_rng(0)
    R = Rotation.from_rotvec([0.7, -1.9, 0.4]).as_matrix()
    trials = []
    for _ in range(6):
        phase = rng.uniform(0, 6, 9).reshape(3, 3)
        size = rng.normal(size=(3, 3)) * 3

        def force(t, phase=phase, size=size):
            waves = np.sin(np.array([1.0, 4.0, 9.0]) * t[:, None, None] + phase)
            return (size * waves).sum(axis=2) + [0.0, 0.0, 9.8]

        made = force(np.arange(800) / 200)
        real = force(np.arange(200) / 50 + 0.045) @ R.T + rng.normal(size=(200, 3)) * 0.5
        trials.append(Trial(0, "1", 1, None, made, real))
    found = fit_alignment(trials)
    assert found.delay_s == pytest.approx(0.045)
    assert np.degrees(Rotation.from_matrix(found.R_sf @ R.T).magnitude()) < 1.0


@pytest.mark.data
def test_the_real_wrist():
    """The alignment of two people holds for another one: the axes correlate, and the clips are whole."""
    from scipy.signal import butter, sosfiltfilt

    trials = read_trials(every=8)
    assert len(trials) == 84
    alignment = fit_alignment([t for t in trials if t.person in "12"])
    assert 0.03 <= alignment.delay_s <= 0.075
    np.testing.assert_allclose(alignment.R_sf @ alignment.R_sf.T, np.eye(3), atol=1e-9)
    low = butter(2, 5.0, fs=50, output="sos")
    r = []
    for t in trials:
        if t.person == "3":
            made = sosfiltfilt(low, wrist_force(t, alignment.delay_s), axis=0)[5:-5] @ alignment.R_sf.T
            real = sosfiltfilt(low, t.acc, axis=0)[5:-5]
            r.append([np.corrcoef(made[:, i], real[:, i])[0, 1] for i in range(3)])
    assert np.nanmedian(r, axis=0).mean() > 0.65
    from mujo.data.utd_mhad import CARD

    texts = {name: ((name,), np.ones((1, 4), np.float32)) for name in CARD.classes}
    clips = kinect_clips(trials[:30], alignment, texts)
    assert {c.split for c in clips} == {"train", "validation"}
    assert not {c.group for c in clips if c.split == "train"} & {
        c.group for c in clips if c.split == "validation"
    }
    assert np.isnan(clips[0].imu[..., 3:]).all()
    assert np.isfinite(clips[0].imu[..., :3]).all()
    assert np.isfinite(clips[0].pose).all()
