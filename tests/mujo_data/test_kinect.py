"""The wrist from Kinect joints: an arm on a circle in closed form, and the real sensor."""

import numpy as np
import pytest

from mujo.corpus.kinect import Trial, fit_mounting, kinect_clips, read_trials, wrist_force


def arm_on_a_circle(omega: float = 3.0, radius: float = 0.3) -> Trial:
    """Forearm pointing from the centre of a level circle to the wrist on it; the shoulders one above the other."""
    t = np.arange(200) / 50
    joints = np.zeros((200, 20, 3))
    joints[:, 5], joints[:, 9] = [0.0, 0.0, 0.3], [0.0, 0.0, 0.7]
    joints[:, 11] = radius * np.stack([np.cos(omega * t), np.sin(omega * t), 0 * t], axis=1)
    return Trial(0, "1", 1, joints, np.zeros((200, 3)))


def test_centripetal_and_gravity():
    force = wrist_force(arm_on_a_circle())
    inner = force[30:170]
    np.testing.assert_allclose(inner[:, 0], -0.3 * 9.0, atol=1e-3)  # towards the elbow
    np.testing.assert_allclose(inner[:, 1], 9.80665, atol=1e-3)
    np.testing.assert_allclose(inner[:, 2], 0.0, atol=1e-3)


@pytest.mark.data
def test_the_real_wrist():
    """The mounting fitted on two people holds for another one: axes correlate, and the clips are whole."""
    from scipy.signal import butter, sosfiltfilt

    trials = read_trials()
    assert len(trials) == 671
    R = fit_mounting([t for t in trials if t.person in "12"])
    np.testing.assert_allclose(R @ R.T, np.eye(3), atol=1e-9)
    low = butter(2, 5.0, fs=50, output="sos")
    r = []
    for t in trials:
        if t.person == "3":
            made, real = wrist_force(t)[5:-5] @ R.T, sosfiltfilt(low, t.acc, axis=0)[5:-5]
            r.append([np.corrcoef(made[:, i], real[:, i])[0, 1] for i in range(3)])
    assert np.nanmedian(r, axis=0).mean() > 0.5
    from mujo.data.utd_mhad import CARD

    texts = {name: ((name,), np.ones((1, 4), np.float32)) for name in CARD.classes}
    clips = kinect_clips(trials[:30], R, texts)
    assert {c.split for c in clips} == {"train", "validation"}
    assert not {c.group for c in clips if c.split == "train"} & {
        c.group for c in clips if c.split == "validation"
    }
    assert np.isnan(clips[0].imu[..., 3:]).all()
    assert clips[0].pose.shape[1:] == (16, 3)
