"""The fit on made-up people, where the truth is known, and on what footage does to it."""

import dataclasses
import warnings

import numpy as np
import pytest
from made_tracks import made_state, made_track, skeleton_of

import imusim as im
from imusim import rotation
from imusim.errors import ConfigError, NoPersonError, QualityWarning, ShapeError, UnitError
from imusim.fitting import joints_px, refine, root, shape, trust
from imusim.fitting.landmarks import AT, body_marks
from imusim.fitting.project import joints_world


@pytest.fixture(scope="module")
def body():
    return im.open_body()


@pytest.fixture(scope="module")
def scene(body):
    """Two seconds of marching, its noisy track, the fit, and the true joints in camera axes."""
    time = np.arange(60) / 30
    skel = skeleton_of()
    state = made_state(time)
    track = made_track(time, state, skel, seed=5)
    rot, pos, _ = refine.pose(skel, state)
    return track, rot, pos, im.fit(track, body, body.stature(None), progress=False)


def local_quaternions(rot, parents, axes):
    local = np.empty_like(rot)
    for j, k in enumerate(parents):
        local[:, j] = axes @ rot[:, j] if k < 0 else np.swapaxes(rot[:, k], 1, 2) @ rot[:, j]
    return rotation.from_matrix(local)


def axes_of(motion, shot="0"):
    return np.array(motion.metadata["camera"]["pose"][shot]["R_wc"])


def errors(motion, rot):
    """Angle (T, J) rad between fitted and true joint rotations."""
    return rotation.angle(
        motion.joint_rotation_wxyz, local_quaternions(rot, motion.body.parents, axes_of(motion))
    )


def some(track, **changes):
    return dataclasses.replace(track, **changes)


def without(track, frames):
    marks, px, quality = track.landmarks_m.copy(), track.landmarks_px.copy(), track.quality.copy()
    marks[frames], px[frames], quality[frames] = np.nan, np.nan, 0.0
    return some(track, landmarks_m=marks, landmarks_px=px, quality=quality)


def test_exact_landmarks_give_back_the_pose(body):
    """Without noise only the priors and the estimated bone lengths keep the fit from the truth.

    The process prior takes a march's turning points for a little noise, about 2° of 5°; joints are stated to ±4°. Single
    frames start at the truth here, so a fit that stops short of its own optimum comes out better (5.3°).
    """
    time = np.arange(45) / 30
    skel, state = skeleton_of(), made_state(time)
    track = made_track(time, state, skel, noise=0.0)
    motion = im.fit(track, body, body.stature(None), progress=False)
    rot, pos, _ = refine.pose(skel, state)
    assert np.rad2deg(np.sqrt(np.mean(errors(motion, rot) ** 2))) < 5.0
    found = (joints_world(motion) - joints_world(motion)[:, :1]) @ axes_of(motion)
    assert np.sqrt(np.mean((found - (pos - pos[:, :1])) ** 2)) < 0.02
    assert np.abs(motion.shape).max() < 0.5


def test_refinement_finds_the_pose_that_single_frames_cannot(scene, body):
    track, rot, _, motion = scene
    single = im.fit(track, body, body.stature(None), refine=False, progress=False)
    refined, initial = (np.rad2deg(np.sqrt(np.mean(errors(m, rot) ** 2))) for m in (motion, single))
    assert refined < 6.3
    assert refined < 0.4 * initial


def test_standard_deviations_cover_the_errors(scene):
    """Errors over stated sd: about one, on the whole; not so small that the figure says nothing."""
    _track, rot, _, motion = scene
    moved = ~np.isin(motion.body.joint_names, ["left_hand", "right_hand", "left_foot", "right_foot"])
    per_axis = errors(motion, rot)[:, moved] / np.sqrt(3.0)
    ratio = np.sqrt(np.mean((per_axis / motion.rotation_sd_rad[:, moved]) ** 2))
    assert 0.3 < ratio < 1.3
    assert (motion.confidence >= 0).all()
    assert (motion.confidence <= 1).all()


def test_image_positions_come_back_through_the_camera(scene):
    _track, _, pos, motion = scene
    want = 1000.0 * pos[..., :2] / pos[..., 2:] + [640.0, 360.0]
    joints = [motion.body.joint_names.index(n) for n in ("left_elbow", "right_wrist", "left_ankle", "pelvis")]
    assert np.sqrt(np.mean((joints_px(motion) - want)[:, joints] ** 2)) < 8.0  # 25 mm at 4 m are 6 px
    assert motion.metadata["residual"]["rms_mm"] < 20.0
    with pytest.raises(ConfigError, match="camera"):
        joints_px(dataclasses.replace(motion, metadata={}))


def test_world_frame(scene):
    _, _, _, motion = scene
    np.testing.assert_allclose(motion.root_position_m[0, :2], 0.0, atol=1e-12)
    assert 0.8 < motion.root_position_m[:, 2].mean() < 1.05
    feet = joints_world(motion)[
        :, [motion.body.joint_names.index(f"{s}_ankle") for s in ("left", "right")], 2
    ]
    assert 0.0 < feet.min() < 0.15
    dots = (motion.joint_rotation_wxyz[1:] * motion.joint_rotation_wxyz[:-1]).sum(-1)
    assert (dots > 0).all()


def test_bones_keep_their_length_and_knees_bend_one_way(scene):
    _, _, _, motion = scene
    points = joints_world(motion)
    parents = motion.body.parents[1:]
    lengths = np.linalg.norm(points[:, 1:] - points[:, parents], axis=-1)
    assert np.ptp(lengths, axis=0).max() < 1e-9
    knees = [motion.body.joint_names.index(f"{s}_knee") for s in ("left", "right")]
    flexion = rotation.to_rotvec(motion.joint_rotation_wxyz[:, knees])[..., 0]
    assert flexion.min() > np.deg2rad(-8.0)


def test_a_still_picture_is_a_still_person(body):
    """Constant landmarks, wrong as they may be, must give a motion without any motion."""
    time = np.arange(50) / 30
    skel = skeleton_of()
    state = made_state(time, swing=0.0)
    track = made_track(time, state, skel, still_noise=True)
    motion = im.fit(track, body, 1.7, progress=False)
    assert np.ptp(motion.root_position_m, axis=0).max() < 1e-6
    assert np.abs(np.diff(motion.joint_rotation_wxyz, axis=0)).max() < 1e-7


def test_same_track_same_bits(scene, body):
    track, _, _, motion = scene
    again = im.fit(track, body, body.stature(None), progress=False)
    assert again.joint_rotation_wxyz.tobytes() == motion.joint_rotation_wxyz.tobytes()
    assert again.root_position_m.tobytes() == motion.root_position_m.tobytes()


def test_short_gap_is_bridged_with_less_confidence(scene, body):
    track, rot, _, _ = scene
    motion = im.fit(without(track, slice(20, 28)), body, 1.7, progress=False)
    assert motion.valid.all()
    assert (motion.shot == 0).all()
    assert motion.metadata["gaps"]["bridged"] == 1
    knee = motion.body.joint_names.index("left_knee")
    assert motion.confidence[24, knee] < 0.5 * motion.confidence[10, knee]
    bends = np.sqrt(
        3.0 * (motion.rotation_sd_rad[:, knee] ** 2 - trust.MODEL_SD**2) - 2.0 * trust.FIXED_AXIS_SD**2
    )
    assert bends[24] > 1.5 * bends[10]
    assert np.rad2deg(np.sqrt(np.mean(errors(motion, rot)[20:28] ** 2))) < 15.0


def test_long_gap_is_marked_and_never_invented(scene, body):
    track, *_ = scene
    with pytest.warns(QualityWarning, match="away too long"):
        motion = im.fit(without(track, slice(20, 40)), body, 1.7, progress=False)
    assert not motion.valid[20:40].any()
    assert motion.valid[:20].all()
    assert motion.valid[40:].all()
    assert np.isnan(motion.root_position_m[20:40]).all()
    assert motion.shot[10] != motion.shot[50]


def test_shot_cut_divides(scene, body):
    track, *_ = scene
    cut = some(track, shot=(np.arange(60) >= 30).astype(np.int64))
    motion = im.fit(cut, body, 1.7, progress=False)
    assert motion.valid.all()
    assert motion.shot[29] != motion.shot[30]
    assert set(motion.metadata["camera"]["pose"]) == {"0", "1"}


def test_person_who_comes_back_is_bridged_and_one_who_does_not_is_cut(scene, body):
    track, *_ = scene
    marks, px = track.landmarks_m.copy(), track.landmarks_px.copy()
    px[25:31] += [400.0, 30.0]
    switched = np.zeros(60, dtype=bool)
    switched[[25, 31]] = True
    with pytest.warns(QualityWarning, match="another person"):
        motion = im.fit(
            some(track, landmarks_m=marks, landmarks_px=px, switched=switched), body, 1.7, progress=False
        )
    assert (motion.shot == 0).all()
    assert np.abs(np.diff(motion.root_position_m, axis=0)).max() < 0.1
    px[31:] += [400.0, 30.0]
    switched[31] = False
    with pytest.warns(QualityWarning, match="another person"):
        motion = im.fit(some(track, landmarks_px=px, switched=switched), body, 1.7, progress=False)
    assert motion.shot[24] != motion.shot[25]


def test_some_missing_landmarks_and_confused_sides_do_no_harm(scene, body):
    track, rot, _, _ = scene
    marks, px = track.landmarks_m.copy(), track.landmarks_px.copy()
    swap = list(range(33))
    for name, i in AT.items():
        if name.startswith("left_"):
            j = AT["right_" + name[5:]]
            swap[i], swap[j] = j, i
    marks[30:33], px[30:33] = marks[30:33][:, swap], px[30:33][:, swap]  # left and right confused
    marks[10, 5] = np.nan
    motion = im.fit(some(track, landmarks_m=marks, landmarks_px=px), body, body.stature(None), progress=False)
    assert motion.valid.all()
    jump = np.rad2deg(rotation.angle(motion.joint_rotation_wxyz[1:], motion.joint_rotation_wxyz[:-1]))
    assert jump.max() < 30.0
    assert np.rad2deg(np.sqrt(np.mean(errors(motion, rot) ** 2))) < 8.0


def test_nobody_and_too_short(scene, body):
    track, *_ = scene
    with pytest.raises(NoPersonError, match="no person"):
        im.fit(without(track, slice(None)), body, 1.7, progress=False)
    with pytest.raises(NoPersonError, match="3 of 60 frames"):
        im.fit(without(track, slice(3, None)), body, 1.7, progress=False)


@pytest.mark.parametrize(
    ("height", "hint"),
    [(17, "1.70"), (170, "1.70"), (1700, "1.70"), (68, "1.73"), (-1, "0.5"), ("tall", "number")],
)
def test_absurd_heights_are_refused_with_a_hint(scene, height, hint):
    with pytest.raises(UnitError, match=hint):
        im.fit(scene[0], height_m=height)


def test_focal_length_is_said_or_assumed_aloud(scene, body):
    track, _, _, motion = scene
    assert motion.metadata["camera"]["focal_source"] == "metadata"
    with pytest.warns(QualityWarning, match="focal length not known"):
        assumed = im.fit(some(track, focal_px=None), body, 1.7, progress=False)
    assert assumed.metadata["camera"]["focal_px"] == pytest.approx(0.85 * 1280)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        own = im.fit(some(track, focal_px=None), body, 1.7, focal_px=1000.0, progress=False)
    assert own.metadata["camera"]["focal_source"] == "user"
    with pytest.raises(ConfigError, match="pixels"):
        im.fit(track, body, focal_px=26.0)


@pytest.mark.parametrize("height", [1.5, 1.65, 1.9])
def test_height_anchors_the_shape(scene, body, height):
    track, *_ = scene
    lengths = shape.bone_lengths(track.landmarks_m, track.visibility)
    found = shape.fit_shape(body, body_marks(body), lengths, height)
    assert body.stature(found.shape) == pytest.approx(height, abs=1e-3)
    assert found.height_sd_m == 0.0


def test_without_height_an_adult_is_estimated(scene, body):
    track, *_ = scene
    lengths = shape.bone_lengths(track.landmarks_m, track.visibility)
    found = shape.fit_shape(body, body_marks(body), lengths, None)
    assert 1.5 < found.height_m < 1.9
    assert 0.03 < found.height_sd_m < 0.15
    small = shape.fit_shape(body, body_marks(body), {k: 0.8 * v for k, v in lengths.items()}, None)
    assert small.height_m < found.height_m - 0.02


def test_stretched_bones_have_the_bodys_length(scene, body):
    track, *_ = scene
    skel = skeleton_of()
    lengths = shape.bone_lengths(track.landmarks_m, track.visibility)
    stretched = shape.stretch(track.landmarks_m, lengths, skel.marks)
    again = shape.bone_lengths(stretched, track.visibility)
    want = np.linalg.norm(skel.marks[AT["left_knee"]] - skel.marks[AT["left_ankle"]])
    assert again["ankle"] == pytest.approx(want, rel=0.02)


def test_root_translation_is_exact_on_exact_pixels():
    rng = np.random.default_rng(0)
    points = rng.normal(scale=0.4, size=(7, 12, 3))
    where = rng.uniform([-1, -1, 3], [1, 1, 6], size=(7, 3))
    seen = points + where[:, None]
    px = 900.0 * seen[..., :2] / seen[..., 2:] + [400.0, 300.0]
    found = root.root_translation(points, px, np.ones((7, 12)), 900.0, np.array([400.0, 300.0]))
    np.testing.assert_allclose(found, where, atol=1e-9)


def test_smooth_depth_keeps_lines_and_removes_noise():
    time = np.cumsum(np.random.default_rng(1).uniform(0.02, 0.05, size=200))
    line = 3.0 + 0.4 * time
    np.testing.assert_allclose(root.smooth_depth(time, line, np.ones(200)), line, atol=1e-6)
    noisy = line + np.random.default_rng(2).normal(scale=0.1, size=200)
    assert np.std(root.smooth_depth(time, noisy, np.ones(200)) - line) < 0.04


def test_long_clips_are_fitted_in_parts_that_agree(monkeypatch, body):
    time = np.arange(150) / 30
    skel, state = skeleton_of(), made_state(time)
    track = made_track(time, state, skel, seed=3)
    whole = im.fit(track, body, 1.7, progress=False)
    monkeypatch.setattr(refine, "CHUNK", 90)
    monkeypatch.setattr(refine, "OVERLAP", 60)
    parts = im.fit(track, body, 1.7, progress=False)
    assert np.rad2deg(rotation.angle(whole.joint_rotation_wxyz, parts.joint_rotation_wxyz)).max() < 1.5
    assert np.abs(whole.root_position_m - parts.root_position_m).max() < 0.02


def test_a_plain_body_is_refused(scene):
    from imusim.body import SkeletonBody

    stick = SkeletonBody(("a", "b"), np.array([-1, 0]), np.array([[0, 0, 0], [0, 1, 0.0]]))
    with pytest.raises(ShapeError, match="SMPL"):
        im.fit(scene[0], stick, 1.7, progress=False)
