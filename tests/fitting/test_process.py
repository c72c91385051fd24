"""The process noise that evidence chooses follows the clip, not the steps of the search."""

import numpy as np
from made_tracks import made_state, made_track, skeleton_of

import imusim as im


def test_a_little_more_noise_changes_the_process_noise_a_little():
    time = np.arange(60) / 30
    skel, state = skeleton_of(), made_state(time)
    body = im.open_body()
    found = []
    for noise in np.linspace(0.30, 0.40, 6):
        motion = im.fit(made_track(time, state, skel, noise=noise, seed=3), body, 1.7, progress=False)
        found.append([motion.metadata["process"][g] for g in ("root", "left_arm", "right_leg")])
    steps = np.abs(np.diff(np.log(found), axis=0))
    assert steps.max() < 0.2  # a grid would have steps or none
    assert (steps > 1e-4).sum() >= 8
