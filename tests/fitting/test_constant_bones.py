"""Joints moved on to constant bones: the condition holds, the shift is the least, smooth paths stay smooth."""

import numpy as np
import pytest
from scipy.optimize import minimize

from imusim.fitting.constant_bones import find_bonds, keep_bones
from imusim.fitting.positions import skeleton_motion
from imusim.fitting.rest_pose import make_frames
from imusim.kinematics import BodyTrajectory
from imusim.motion_io.layouts import KINECT20

NAMES, PARENTS = KINECT20.joints, KINECT20.parents


def standing(frames=60, hz=20.0, noise_m=0.0, seed=0):
    """Joints (T, J, 3) of a person who bends and waves the right arm, constant bones, z up."""
    t = np.arange(frames) / hz
    place = {
        "left_hip": (0.1, 0, 0.95), "right_hip": (-0.1, 0, 0.95), "spine2": (0, 0, 1.15), "neck": (0, 0, 1.45),
        "head": (0, 0, 1.65), "left_shoulder": (0.2, 0, 1.42), "right_shoulder": (-0.2, 0, 1.42),
        "left_elbow": (0.25, 0, 1.15), "left_wrist": (0.25, 0.05, 0.92), "left_hand": (0.25, 0.07, 0.85),
        "left_knee": (0.1, 0.02, 0.52), "right_knee": (-0.1, 0.02, 0.52), "left_ankle": (0.1, 0, 0.1),
        "right_ankle": (-0.1, 0, 0.1), "left_foot": (0.1, 0.15, 0.05), "right_foot": (-0.1, 0.15, 0.05),
    }  # fmt: skip
    x = {n: np.tile(np.array(p, float), (frames, 1)) for n, p in place.items()}
    a, b = 0.8 * np.sin(2 * np.pi * 0.7 * t), 0.6 + 0.5 * np.sin(2 * np.pi * 0.9 * t)
    upper = np.stack([-np.cos(a) * 0.8, 0.6 * np.ones_like(a), np.sin(a)], 1)
    upper /= np.linalg.norm(upper, axis=1, keepdims=True)
    fore = upper + np.stack([np.zeros_like(b), b, 0.5 * b], 1)
    fore /= np.linalg.norm(fore, axis=1, keepdims=True)
    x["right_elbow"] = x["right_shoulder"] + 0.28 * upper
    x["right_wrist"] = x["right_elbow"] + 0.24 * fore
    x["right_hand"] = x["right_wrist"] + 0.08 * fore
    x["pelvis"] = 0.5 * (x["left_hip"] + x["right_hip"])
    columns = np.stack([x[n] for n in KINECT20.points], axis=1)
    columns += noise_m * np.random.default_rng(seed).standard_normal(columns.shape)
    return t, KINECT20.positions(columns)


def test_constant_bones_are_left_alone():
    _, x = standing()
    frames = make_frames(NAMES, PARENTS, x)
    moved = keep_bones(x, np.ones(x.shape[:2], bool), frames)
    assert np.abs(moved - x).max() < 1e-5  # what stopping at 1 µm leaves


def test_shift_is_the_least_that_keeps_the_lengths():
    _, x = standing(frames=5, noise_m=0.02)
    frames = make_frames(NAMES, PARENTS, standing()[1])
    moved = keep_bones(x, np.ones(x.shape[:2], bool), frames)
    bonds, length = find_bonds(frames)
    size = np.linalg.norm(np.einsum("ej,tji->tei", bonds, moved), axis=2)
    assert np.abs(size - length).max() < 1e-5
    # the same frame by a general solver; only the joints that are held
    held = np.flatnonzero(bonds.any(axis=0))
    doubt = {"hip": 0.3, "shoulder": 1, "knee": 2, "elbow": 1, "ankle": 10, "wrist": 1}
    weight = np.array([doubt.get(NAMES[j].rpartition("_")[2], 0.25) for j in held]) ** -2.0
    start = x[0, held]

    def cost(v):
        d = v.reshape(-1, 3) - start
        return 1e4 * float((weight[:, None] * d * d).sum())

    def off(v):
        return np.linalg.norm(bonds[:, held] @ v.reshape(-1, 3), axis=1) - length

    best = minimize(
        cost, start.ravel(), method="SLSQP", constraints={"type": "eq", "fun": off}, options={"ftol": 1e-12, "maxiter": 500}
    )  # fmt: skip
    assert best.success
    assert cost(moved[0, held].ravel()) == pytest.approx(best.fun, rel=1e-3)


def test_pelvis_stays_between_the_hips():
    _, x = standing(noise_m=0.02)
    moved = keep_bones(x, np.ones(x.shape[:2], bool), make_frames(NAMES, PARENTS, x))
    hips = [NAMES.index("left_hip"), NAMES.index("right_hip")]
    middle = moved[:, hips].mean(axis=1)
    assert np.abs(moved[:, NAMES.index("pelvis")] - middle).max() < 1e-3


def test_a_chain_that_is_pressed_together_still_converges():
    """A sitting person as a Kinect sees one: thighs 12 cm longer than they are push the hips into the trunk."""
    _, x = standing(frames=20)
    frames = make_frames(NAMES, PARENTS, x)
    for side in ("left", "right"):
        knee = NAMES.index(f"{side}_knee")
        x[:, [knee, NAMES.index(f"{side}_ankle")], 2] -= np.linspace(0, 0.12, 20)[:, None]
    moved = keep_bones(x, np.ones(x.shape[:2], bool), frames)
    bonds, length = find_bonds(frames)
    size = np.linalg.norm(np.einsum("ej,tji->tei", bonds, moved), axis=2)
    assert np.abs(size - length).max() < 1e-3


def test_the_motion_is_where_the_joints_were_moved_to():
    """Rotations and constant bones give back the joints: what is differentiated is what was fitted."""
    t, x = standing(noise_m=0.01)
    motion = skeleton_motion(t, x, NAMES, PARENTS, smoothing="none")
    frames = make_frames(NAMES, PARENTS, x)
    moved = keep_bones(x, np.ones(x.shape[:2], bool), frames)
    got = BodyTrajectory(motion, "none").joints(t)
    for name in ("right_wrist", "left_elbow", "right_knee", "left_ankle", "neck"):
        off = np.linalg.norm(got[:, NAMES.index(name)] - moved[:, NAMES.index(name)], axis=1)
        assert off.max() < 8e-3, name  # the frames are found once more from positions that were moved


def test_noise_of_a_forearm_does_not_swell_on_its_way_to_the_wrist():
    """Along bones of constant length the wrist is no worse than the joint that was given."""
    t, truth = standing(frames=80)
    _, x = standing(frames=80, noise_m=0.015, seed=3)
    motion = skeleton_motion(t, x, NAMES, PARENTS, hand_share=0.5)
    wrist = NAMES.index("right_wrist")
    off = np.linalg.norm(BodyTrajectory(motion, "none").joints(t)[:, wrist] - truth[:, wrist], axis=1)
    given = np.linalg.norm(x[:, wrist] - truth[:, wrist], axis=1)
    assert np.sqrt((off**2).mean()) < 0.7 * np.sqrt((given**2).mean())


def test_stated_deviations_are_of_the_size_of_the_errors():
    """Directions of bones and the root: error over stated sd, ten draws of 1.5 cm white noise, is near one."""
    t, truth = standing(frames=80)
    turns, roots = [], []
    bones = [
        (f"{s}_{a}", f"{s}_{b}") for s in ("left", "right") for a, b in (("elbow", "wrist"), ("hip", "knee"))
    ]
    for seed in range(10):
        motion = skeleton_motion(t, standing(frames=80, noise_m=0.015, seed=seed)[1], NAMES, PARENTS)
        got = BodyTrajectory(motion, "none").joints(t)
        for start, end in bones:
            a, b = NAMES.index(start), NAMES.index(end)
            way, wanted = (x[:, b] - x[:, a] for x in (got, truth))
            sine = np.linalg.norm(np.cross(way, wanted), axis=1)
            angle = sine / np.linalg.norm(way, axis=1) / np.linalg.norm(wanted, axis=1)
            turns.append(angle / np.sqrt(2.0) / motion.rotation_sd_rad[:, a])
        roots.append((motion.root_position_m - truth[:, 0]) / motion.root_sd_m)
        assert np.all((motion.confidence > 0.2) & (motion.confidence <= 1.0))
    # the sd of a rotation has the unseen twist in it, that of a thigh most of all
    assert 0.15 < np.sqrt(np.mean(np.square(turns))) < 1.5
    assert 0.3 < np.sqrt(np.mean(np.square(roots))) < 1.7


def test_a_joint_that_was_not_seen_is_doubted():
    t, x = standing(frames=80, noise_m=0.01)
    x[30:36, NAMES.index("right_wrist")] = np.nan
    motion = skeleton_motion(t, x, NAMES, PARENTS)
    elbow = NAMES.index("right_elbow")
    assert motion.rotation_sd_rad[32, elbow] > 2.0 * motion.rotation_sd_rad[10, elbow]
    assert motion.confidence[32, elbow] < 0.8 * motion.confidence[10, elbow]


def test_smooth_positions_are_not_smoothed_twice():
    """The simulated wrist follows the fitted joints, not a second choice of smoothing."""
    t, x = standing(frames=80, noise_m=0.005)
    motion = skeleton_motion(t, x, NAMES, PARENTS)
    assert motion.bandwidth_hz is not None
    a, b = (BodyTrajectory(motion, s).joints(t)[:, NAMES.index("right_wrist")] for s in ("auto", "none"))
    assert np.sqrt(((a - b) ** 2).sum(axis=1).mean()) < 2e-3
