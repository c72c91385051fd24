"""Motion readers on real files: frames, units and what an independent reading of the file gives."""

import io
import warnings
import zipfile

import numpy as np
import pytest
from scipy.io import loadmat
from scipy.spatial.transform import Rotation

import imusim as im
from imusim.errors import QualityWarning
from imusim.motion_io.kinect import DELAY_S

pytestmark = pytest.mark.data


def joints(motion):
    return motion.body.pose(motion.root_position_m, motion.joint_rotation_wxyz).joints


def by_name(motion, name):
    return joints(motion)[:, motion.body.joint_names.index(name)]


def test_bvh_walk(data_root):
    motion = im.read_motion(data_root / "swing/walk.bvh")
    assert motion.time_s.size == 471
    np.testing.assert_allclose(np.diff(motion.time_s), 1 / 120, rtol=1e-5)
    # independent: the file's first frame, intrinsic ZXY by SciPy, y up and centimetres
    text = (data_root / "swing/walk.bvh").read_text().split("Frame Time:")[1].split("\n")[1:]
    v = np.array([[float(x) for x in line.split()] for line in text if line.strip()])
    turn = Rotation.from_euler("ZXY", v[:, 3:6], degrees=True)
    thigh = v[:, :3] + turn.apply([-8.42712, -9.96975, 4.14091])
    knee = thigh + (turn * Rotation.from_euler("ZXY", v[:, 6:9], degrees=True)).apply(
        [1.06314e-05, -40.2124, 0]
    )
    wanted = 0.01 * np.stack([knee[:, 0], -knee[:, 2], knee[:, 1]], axis=1)
    np.testing.assert_allclose(by_name(motion, "rtibia"), wanted, atol=1e-9)
    assert motion.metadata["unit"] == "cm"
    assert motion.metadata["up"] == "y"


def test_bvh_with_six_channels_a_joint(data_root, tmp_path):
    with zipfile.ZipFile(data_root / "bandai_namco/dataset.zip") as z:
        name = next(n for n in z.namelist() if n.endswith("walk_normal_001.bvh"))
        (tmp_path / "walk.bvh").write_bytes(z.read(name))
    motion = im.read_motion(tmp_path / "walk.bvh")
    assert motion.time_s.size == 195
    assert motion.body.joint_names[0] == "Hips"  # joint_Root only carries it
    assert motion.metadata["unit"] == "cm"
    assert 1.4 < motion.metadata["stature_m"] < 1.9
    feet = joints(motion)[:, [motion.body.joint_names.index(f"Toes_{s}") for s in "LR"], 2]
    assert 0.0 < feet.min() < 0.06
    # in the T pose the left is at +x, the head up, toes forward
    rest = dict(zip(motion.body.joint_names, motion.body.rest_joints(), strict=True))
    assert rest["Hand_L"][0] > 0.4
    assert rest["Head"][1] > 0.4
    assert rest["Toes_L"][2] > rest["Foot_L"][2] + 0.05
    # he walks where he faces: forward in the pelvis's own axes is the way he goes
    forward = Rotation.from_quat(motion.joint_rotation_wxyz[:, 0][:, [1, 2, 3, 0]]).apply([0, 0, 1.0])
    going = np.diff(motion.root_position_m[:, :2], axis=0)
    cosine = (
        (forward[1:, :2] * going).sum(1)
        / np.linalg.norm(forward[1:, :2], axis=1)
        / np.linalg.norm(going, axis=1)
    )
    assert np.median(cosine) > 0.95


def test_kinect_skeleton(data_root, tmp_path):
    with zipfile.ZipFile(data_root / "utd_mhad/Skeleton.zip") as z:
        raw = z.read("Skeleton/a1_s1_t1_skeleton.mat")
    with zipfile.ZipFile(data_root / "utd_mhad/Inertial.zip") as z:
        real = loadmat(io.BytesIO(z.read("Inertial/a1_s1_t1_inertial.mat")))["d_iner"][:, :3] * 9.80665
    path = tmp_path / "a1_s1_t1_skeleton.mat"
    path.write_bytes(raw)
    with pytest.warns(QualityWarning, match="rate_hz"):
        im.read_motion(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", QualityWarning)
        motion = im.read_motion(path, rate_hz=14.6875)
    assert motion.time_s[-1] == pytest.approx(3.2 - DELAY_S)
    seen = loadmat(io.BytesIO(raw))["d_skel"].transpose(2, 0, 1)
    wrist = seen[:, 10] - 0.5 * (seen[:, 12] + seen[:, 16])  # the pelvis is between the hips
    wanted = np.stack([wrist[:, 0], -wrist[:, 2], wrist[:, 1]], axis=1)
    got = by_name(motion, "right_wrist") - by_name(motion, "pelvis")
    # the camera's arm is 7 % longer in some poses than in others, the skeleton's is not: all joints give way to that
    assert np.median(np.linalg.norm(got - wanted, axis=1)) < 0.10
    forearm = seen[:, 10] - seen[:, 9]
    forearm = np.stack([forearm[:, 0], -forearm[:, 2], forearm[:, 1]], axis=1)
    mine = by_name(motion, "right_wrist") - by_name(motion, "right_elbow")
    cosine = (forearm * mine).sum(1) / np.linalg.norm(forearm, axis=1) / np.linalg.norm(mine, axis=1)
    assert np.degrees(np.arccos(np.median(cosine))) < 8.0  # and is smoothed: he swipes
    bones = np.linalg.norm(by_name(motion, "right_wrist") - by_name(motion, "right_elbow"), axis=1)
    assert np.ptp(bones) < 1e-9
    recording = im.simulate(motion, ["right_wrist"], rate_hz=50)
    usual = np.median(np.linalg.norm(recording.acc, axis=-1))
    assert usual == pytest.approx(np.median(np.linalg.norm(real, axis=1)), abs=0.3)


def test_mvnx_against_its_bvh(data_root):
    """Two exports of one clip: MVN's BVH has the T pose instead of the first frame and looks north along another axis."""
    mvnx = im.read_motion(data_root / "mvnx/test_mocap.mvnx")
    with pytest.warns(QualityWarning, match="calibration"):
        bvh = im.read_motion(data_root / "mvnx/test_mocap.bvh")
    assert (mvnx.time_s.size, bvh.time_s.size) == (112, 111)
    np.testing.assert_allclose(np.diff(mvnx.time_s), 1 / 60)
    a, b = joints(mvnx)[1:], joints(bvh)
    turned = np.stack([a[..., 1], -a[..., 0], a[..., 2]], axis=-1)
    for one, other in (
        ("RightForeArm", "RightElbow"),
        ("LeftHand", "LeftWrist"),
        ("LeftLowerLeg", "LeftKnee"),
    ):
        i, j = mvnx.body.joint_names.index(one), bvh.body.joint_names.index(other)
        np.testing.assert_allclose(turned[:, i], b[:, j], atol=2e-5)
    one, other = (im.simulate(m, ["left_wrist"], rate_hz=60, sensor="ideal") for m in (mvnx, bvh))
    np.testing.assert_allclose(
        np.linalg.norm(one.gyro[7:-6, 0], axis=1), np.linalg.norm(other.gyro[6:-6, 0], axis=1), atol=0.15
    )


def test_cmu_clip(data_root):
    motion = im.read_motion(data_root / "swing/cmu_16_15.bvh")
    legs = im.read_motion(data_root / "swing/walk.bvh")  # the same trial, legs only
    np.testing.assert_allclose(by_name(motion, "lfoot"), by_name(legs, "lfoot"), atol=1e-6)
    assert motion.metadata["rest_pose"] == "turned into a T pose"
    feet = joints(motion)[:, [motion.body.joint_names.index(f"{s}toes") for s in "lr"], 2]
    assert 0.0 < feet.min() < 0.05


@pytest.mark.parametrize("name", ["swing/cmu_16_15.bvh", "mvnx/test_mocap.mvnx"])
def test_moved_on_to_the_open_body(data_root, name):
    old = im.read_motion(data_root / name)
    new = im.fit(old, body=im.open_body())
    assert new.body is im.open_body()
    from imusim.fitting.skeleton_frames import smpl_joints

    a, b = joints(old), new.body.pose(new.root_position_m, new.joint_rotation_wxyz, new.shape).joints
    at, to = smpl_joints(old.body.joint_names, old.body.parents), new.body.joint_names

    def way(x, names):
        d = x[:, names["knee"]] - x[:, names["hip"]], x[:, names["wrist"]] - x[:, names["elbow"]]
        return [v / np.linalg.norm(v, axis=1, keepdims=True) for v in d]

    for side in ("left", "right"):
        parts = {n: (at[f"{side}_{n}"], to.index(f"{side}_{n}")) for n in ("hip", "knee", "elbow", "wrist")}
        for u, v in zip(
            way(a, {n: p[0] for n, p in parts.items()}),
            way(b, {n: p[1] for n, p in parts.items()}),
            strict=True,
        ):
            assert np.degrees(np.arccos(np.clip((u * v).sum(1), -1, 1))).max() < 0.5
    # speeds of the pelvis scale with the legs, and the ground stays where it was
    scale = new.metadata["retarget"]["scale"]
    np.testing.assert_allclose(
        np.ptp(new.root_position_m[:, 1]), scale * np.ptp(old.root_position_m[:, 1]), rtol=0.05, atol=0.02
    )
    if name.startswith("swing"):
        skin = new.body.pose(
            new.root_position_m[::10], new.joint_rotation_wxyz[::10], new.shape, vertices=True
        ).vertices
        assert abs(skin[..., 2].min()) < 0.02
