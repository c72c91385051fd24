"""A T-pose only, a child, someone seated, someone cut off at the waist: what is seen is fitted, the rest unknown.

Made motions of the open body, landmarks with MediaPipe-like noise (`benchmarks/fit/landmark_noise.py`).
"""

import numpy as np
import pytest

import imusim as im
from benchmarks.fit import landmark_noise, motions, world
from benchmarks.fit.figure import Pose, Reach, Swing, motion_of, turn, unit
from imusim.fitting import shape

X = np.array([1.0, 0, 0])
LEGS = ("hip", "knee", "ankle", "heel", "foot_index")
HEIGHT_M = im.open_body().stature(None)


def seen(made, distance_m=3.8, scale=1.0, hidden=(), middle=None, seed=1):
    """Track and camera of a made motion, its person `scale` times as tall."""
    time_s, marks = world.frames(made, 30.0)
    marks = scale * marks
    aim = marks.mean(axis=(0, 1)) if middle is None else middle
    view = landmark_noise.view_of(aim, made.azimuth_deg, distance_m)
    noise = landmark_noise.MEDIAPIPE_LIKE
    return landmark_noise.observe(time_s, marks, view, noise, seed, hidden), view


def up_error_deg(motion, view):
    up = np.array(motion.metadata["gravity"][0]["up_c"])
    return float(np.degrees(np.arccos(np.clip(up @ view.R_cw[:, 2], -1, 1))))


def of_joint(motion, values, name):
    return values[:, list(motion.body.joint_names).index(name)]


def standing_still(seconds, arms):
    t = np.arange(round(seconds * motions.RATE_HZ)) / motions.RATE_HZ
    pelvis = np.tile([0.0, 0.0, 0.95], (t.size, 1))
    legs = {
        f"{s}_leg": Reach(np.tile([x, 0.03, 0.076], (t.size, 1)), np.array([0.0, -1.0, 0.0]), np.eye(3))
        for s, x in (("left", 0.1), ("right", -0.1))
    }
    return motions.Made("still", motion_of(Pose(t, pelvis, turn(X, 0 * t), limbs=legs | arms(t))), (), 15.0)


def t_pose(t):
    out = {"left_arm": X, "right_arm": -X}
    hint = np.array([0.0, 1.0, 0.0])
    return {n: Swing(np.tile(v, (t.size, 1)), np.tile(v, (t.size, 1)), hint) for n, v in out.items()}


def seated(seconds=5.0):
    """On a chair, feet on the ground, an arm that goes up and down."""
    t = np.arange(round(seconds * motions.RATE_HZ)) / motions.RATE_HZ
    lift = 0.5 - 0.5 * np.cos(2 * np.pi * 0.7 * t)
    limbs: dict = {
        f"{s}_leg": Reach(np.tile([x, -0.42, 0.076], (t.size, 1)), np.array([0.0, -1.0, 1.0]), np.eye(3))
        for s, x in (("left", 0.1), ("right", -0.1))
    }
    for side, sign in (("left", 1), ("right", -1)):
        out = np.deg2rad(15 + 60 * lift)
        upper = unit(np.stack([sign * np.sin(out), -0.3 + 0 * t, -np.cos(out)], axis=-1))
        fore = unit(upper + [0.0, -0.5, 0.0])
        limbs[f"{side}_arm"] = Swing(upper, fore, np.array([0.2 * sign, 1.0, -0.2]))
    pelvis = np.tile([0.0, 0.0, 0.5], (t.size, 1))
    return motions.Made("seated", motion_of(Pose(t, pelvis, turn(X, 0 * t - 4), limbs=limbs)), (), 40.0)


def test_a_t_pose_alone_is_a_still_person():
    """Straight arms say nothing of their twist: it must not wind up."""
    track, view = seen(standing_still(3.0, t_pose))
    motion = im.fit(track, height_m=HEIGHT_M, progress=False)
    recording = world.signals(motion)
    assert np.abs(np.linalg.norm(recording.acc, axis=-1) - 9.80665).max() < 1.0
    assert np.linalg.norm(recording.gyro, axis=-1).max() < 1.5
    assert up_error_deg(motion, view) < 2.5 * motion.up_sd_deg


@pytest.mark.parametrize("height_m", [1.1, None])
def test_a_child_is_as_tall_as_said_else_taller_and_said_to_be_uncertain(height_m):
    """A single camera cannot tell a child that is near from an adult further away."""
    track, view = seen(motions.squat(5.0), 2.6, 1.1 / HEIGHT_M)
    motion = im.fit(track, height_m=height_m, progress=False)
    found = motion.metadata["height"]
    assert motion.valid.all()
    assert up_error_deg(motion, view) < 2.5 * motion.up_sd_deg
    if height_m is None:
        assert found["source"] == "estimated"
        assert 1.1 < found["height_m"] < 1.45
        assert found["height_m"] - 1.1 < 1.5 * found["sd_m"]
        assert found["sd_m"] < 0.25
    else:
        assert found["height_m"] == pytest.approx(1.1, abs=2e-3)
        down = np.ptp(motion.root_position_m[15:-15, 2])
        assert down == pytest.approx(0.36 * 1.1 / HEIGHT_M, rel=0.4)


def test_an_adult_of_unknown_height_is_known_to_a_hand():
    track, _ = seen(motions.squat(3.0), 3.8)
    found = im.fit(track, progress=False).metadata["height"]
    assert abs(found["height_m"] - HEIGHT_M) < 2.0 * found["sd_m"]
    assert found["sd_m"] < 0.11


def test_the_likely_height_is_what_people_drawn_at_random_have():
    """Adults and children with the stated statures, seen at the stated scales: those who come out at 1.2, 1.35 and 1.6 m."""
    rng = np.random.default_rng(3)
    child = rng.random(2_000_000) < shape.CHILD_SHARE
    height = np.where(
        child, rng.normal(*shape.CHILD_HEIGHT_M, child.size), rng.normal(*shape.ADULT_HEIGHT_M, child.size)
    )
    mean, sd = shape.ESTIMATOR_SCALE
    scale = rng.normal(mean, np.where(child, shape.CHILD_SCALE_SD, sd))
    for size in (1.2, 1.35, 1.6):
        those = height[np.abs(height / scale - size) < 0.01]
        found = shape.likely_height(size)
        assert found == pytest.approx((those.mean(), those.std()), abs=0.012)


def test_someone_seated_stays_on_the_chair():
    track, view = seen(seated(), 3.2)
    motion = im.fit(track, height_m=HEIGHT_M, progress=False)
    assert up_error_deg(motion, view) < 2.0 * motion.up_sd_deg
    assert motion.root_position_m[:, 2].mean() == pytest.approx(0.5, abs=0.08)
    pelvis = im.simulate(motion, ["pelvis"], sensor="ideal", rate_hz=100).acc[:, 0]
    assert np.abs(np.linalg.norm(pelvis, axis=-1) - 9.80665).max() < 0.8


def test_who_is_cut_off_at_the_waist_has_a_known_trunk_and_unknown_legs():
    made = motions.punches(4.0)
    chest = np.array([0.0, 0.0, 1.3])
    track, _ = seen(made, 2.2, hidden=LEGS, middle=chest)
    motion = im.fit(track, height_m=HEIGHT_M, progress=False)
    assert motion.valid.all()
    for side in ("left", "right"):
        for joint in ("knee", "ankle"):
            assert of_joint(motion, motion.confidence, f"{side}_{joint}").max() < 0.15
            assert np.rad2deg(of_joint(motion, motion.rotation_sd_rad, f"{side}_{joint}")).min() > 20
        assert np.median(of_joint(motion, motion.confidence, f"{side}_elbow")) > 0.6
    recording = im.simulate(motion, ["left_wrist", "right_ankle"], sensor="ideal", rate_hz=100)
    confidence = np.nanmedian(recording.confidence, axis=0)
    assert confidence[0] > 3.0 * confidence[1]
    assert confidence[1] < 0.15
    assert np.isfinite(recording.acc).all()
    at = np.arange(0.3, 3.6, 0.01)
    truth, found = world.signals(made.motion, "none", at), world.signals(motion, "auto", at)
    wrists = [np.linalg.norm(r.gyro[:, :2], axis=-1) for r in (truth, found)]
    for side in (0, 1):
        assert np.corrcoef(wrists[0][:, side], wrists[1][:, side])[0, 1] > 0.7


def test_legs_that_are_not_in_the_picture_at_all():
    """Landmarks that the estimator puts below the picture's edge are next to nothing, whatever their visibility."""
    track, _ = seen(motions.arm_raises(4.0), 1.6, middle=np.array([0.0, 0.0, 1.35]))
    ankles = [track.landmark_names.index(f"{s}_ankle") for s in ("left", "right")]
    assert (track.landmarks_px[track.detected][:, ankles, 1] > track.image_size_px[1]).all()
    motion = im.fit(track, height_m=HEIGHT_M, progress=False)
    assert motion.valid.all()
    assert np.isfinite(motion.joint_rotation_wxyz).all()
    assert np.median(of_joint(motion, motion.confidence, "left_ankle")) < 0.45
    assert np.median(of_joint(motion, motion.confidence, "left_elbow")) > 0.7
