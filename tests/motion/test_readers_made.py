"""Motion readers on made files that are true to their format."""

import numpy as np
import pytest

import imusim as im
from imusim import rotation
from imusim.conventions import Q_WB_REST
from imusim.errors import QualityWarning


def amass(path, poses, rate_key="mocap_framerate", **more):
    frames = len(poses)
    trans = np.linspace([0, 0, 0.9], [1, 0.5, 0.9], frames)
    np.savez(
        path, poses=poses, trans=trans, betas=np.arange(16.0), gender="female", **{rate_key: 120.0}, **more
    )
    return trans


def some_poses(joints, frames=30, seed=0):
    """Rotation vectors (T, 3 J) of somebody upright in a world with z up."""
    rng = np.random.default_rng(seed)
    local = 0.2 * rng.normal(size=(1, joints, 3)) * np.sin(np.linspace(0, 3, frames))[:, None, None]
    turned = rotation.multiply(np.broadcast_to(Q_WB_REST, (frames, 4)), rotation.from_rotvec(local[:, 0]))
    local[:, 0] = rotation.to_rotvec(turned)
    return local.reshape(frames, -1)


@pytest.mark.parametrize("key", ["mocap_framerate", "mocap_frame_rate"])
@pytest.mark.parametrize("joints", [22, 24])
def test_amass_round_trip(tmp_path, key, joints):
    poses = some_poses(joints)
    trans = amass(tmp_path / "a.npz", poses, key)
    motion = im.read_motion(tmp_path / "a.npz")
    assert motion.body is im.open_body()
    np.testing.assert_allclose(np.diff(motion.time_s), 1 / 120)
    np.testing.assert_allclose(motion.root_position_m, trans, atol=1e-12)
    wanted = rotation.from_rotvec(poses.reshape(len(poses), -1, 3))
    assert rotation.angle(motion.joint_rotation_wxyz[:, :joints], wanted).max() < 1e-7
    assert motion.metadata["gender"] == "female"
    np.testing.assert_allclose(motion.metadata["betas"], np.arange(16.0))


def test_amass_hands_are_left_out_and_said(tmp_path):
    poses = some_poses(52)
    amass(tmp_path / "a.npz", poses)
    with pytest.warns(QualityWarning, match="hands"):
        motion = im.read_motion(tmp_path / "a.npz")
    wanted = rotation.from_rotvec(poses.reshape(len(poses), -1, 3))[:, :22]
    assert rotation.angle(motion.joint_rotation_wxyz[:, :22], wanted).max() < 1e-7


def walk():
    """The open body in motion: (motion, joint positions (T, 24, 3))."""
    rng = np.random.default_rng(3)
    t = np.arange(60) / 30
    quats = rotation.from_rotvec(0.35 * rng.normal(size=(1, 24, 3)) * np.sin(4 * t + 1)[:, None, None])
    quats[:, 0] = rotation.multiply(
        np.broadcast_to(Q_WB_REST, (60, 4)), rotation.from_rotvec(0.2 * np.sin(2 * t)[:, None] * [0, 1, 0])
    )
    quats[:, [3, 6, 9, 12]] = rotation.from_rotvec(
        0.1 * np.sin(3 * t)[:, None, None] * np.ones((1, 4, 1)) * [1, 0.3, 0]
    )
    root = np.stack([0.1 * np.sin(t), 0.8 * t, 0.95 + 0.02 * np.sin(8 * t)], axis=1)
    body = im.open_body()
    motion = im.Motion(t, root, quats, body)
    return motion, body.pose(root, quats).joints


Y_UP = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])  # world (z up) to axes with y up


def joints_of(motion):
    if motion.shape.size:
        return motion.body.pose(motion.root_position_m, motion.joint_rotation_wxyz, motion.shape).joints
    return motion.body.pose(motion.root_position_m, motion.joint_rotation_wxyz).joints


def off(motion, truth, names):
    """Median distance · m of named joints from the truth, both about the pelvis."""
    at = [motion.body.joint_names.index(n) for n in names]
    back = [im.open_body().joint_names.index(n) for n in names]
    got = joints_of(motion)
    got = got[:, at] - got[:, :1]
    return float(np.median(np.linalg.norm(got - (truth[:, back] - truth[:, :1]), axis=2)))


LIMBS = ["left_wrist", "right_elbow", "left_knee", "right_ankle"]


@pytest.mark.parametrize("shape", ["3d", "flat"])
def test_humanml3d(tmp_path, shape):
    _, truth = walk()
    joints = truth[:, :22] @ Y_UP.T
    np.save(tmp_path / "000001.npy", joints.astype(np.float32) if shape == "3d" else joints.reshape(60, -1))
    motion = im.read_motion(tmp_path / "000001.npy")
    np.testing.assert_allclose(np.diff(motion.time_s), 1 / 20)  # the data set's rate
    assert motion.body.joint_names == im.open_body().joint_names[:22]
    assert off(motion, truth, LIMBS) < 0.01


def test_positions_in_millimetres_and_upside_down_are_noticed(tmp_path):
    _, truth = walk()
    np.save(tmp_path / "a.npy", 1000.0 * truth[:, :22] @ Y_UP.T * [1, -1, -1])
    with pytest.warns(QualityWarning) as said:
        motion = im.read_motion(tmp_path / "a.npy")
    texts = " ".join(str(w.message) for w in said)
    assert "mm" in texts
    assert "-y" in texts
    assert (motion.metadata["unit"], motion.metadata["up"]) == ("mm", "-y")
    assert off(motion, truth, LIMBS) < 0.01


def test_recording_from_positions_is_that_of_the_motion(tmp_path):
    """Positions say nothing of twist, but all of where a wrist goes."""
    motion, truth = walk()
    np.savez(tmp_path / "a.npz", joints=truth, rate_hz=30.0)
    read = im.read_motion(tmp_path / "a.npz", up="z")
    real, got = (
        im.simulate(m, ["left_wrist_joint", "right_ankle_joint"], rate_hz=60, sensor="ideal")
        for m in (motion, read)
    )
    a, b = (np.linalg.norm(r.acc[6:-6], axis=2) for r in (real, got))
    assert np.corrcoef(a[:, 0], b[: len(a), 0])[0, 1] > 0.97
    assert np.corrcoef(a[:, 1], b[: len(a), 1])[0, 1] > 0.97


def trc(path, names, points, rate=60.0, units="mm", frames=None):
    count = len(points) if frames is None else frames
    head = [
        f"PathFileType\t4\t(X/Y/Z)\t{path.name}",
        "DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\tOrigDataStartFrame\tOrigNumFrames",
        f"{rate}\t{rate}\t{count}\t{len(names)}\t{units}\t{rate}\t1\t{count}",
        "Frame#\tTime\t" + "\t\t\t".join(names) + "\t\t",
        "\t\t" + "\t".join(f"{c}{i + 1}" for i in range(len(names)) for c in "XYZ"),
        "",
    ]
    rows = [
        f"{i + 1}\t{i / rate:.6f}\t" + "\t".join("" if np.isnan(v) else f"{v:.5f}" for v in p.ravel())
        for i, p in enumerate(points)
    ]
    path.write_text("\n".join([*head, *rows]) + "\n")


CENTRES = {
    "Hip": "pelvis", "RHip": "right_hip", "RKnee": "right_knee", "RAnkle": "right_ankle", "RBigToe": "right_foot",
    "LHip": "left_hip", "LKnee": "left_knee", "LAnkle": "left_ankle", "LBigToe": "left_foot", "Neck": "neck",
    "Head": "head", "RShoulder": "right_shoulder", "RElbow": "right_elbow", "RWrist": "right_wrist",
    "LShoulder": "left_shoulder", "LElbow": "left_elbow", "LWrist": "left_wrist",
}  # fmt: skip


def centres(truth):
    names = im.open_body().joint_names
    return np.stack([truth[:, names.index(n)] for n in CENTRES.values()], axis=1)


@pytest.mark.parametrize(("units", "scale"), [("m", 1.0), ("mm", 1000.0)])
def test_trc_with_joint_centres_and_a_gap(tmp_path, units, scale):
    _, truth = walk()
    points = scale * centres(truth) @ Y_UP.T
    points[20:23, 15] = np.nan  # an empty cell each
    trc(tmp_path / "a.trc", list(CENTRES), points, units=units)
    motion = im.read_motion(tmp_path / "a.trc")
    np.testing.assert_allclose(np.diff(motion.time_s), 1 / 60, atol=2e-6)
    assert off(motion, truth, LIMBS) < 0.01


def plug_in_gait(truth):
    """Markers as a laboratory would put them on, from where the joints are (metres, z up)."""
    at = {n: truth[:, i] for i, n in enumerate(im.open_body().joint_names)}
    out = {}
    left = at["left_hip"] - at["right_hip"]
    left /= np.linalg.norm(left, axis=1, keepdims=True)
    trunk = at["neck"] - 0.5 * (at["left_hip"] + at["right_hip"])
    trunk /= np.linalg.norm(trunk, axis=1, keepdims=True)
    forward = np.cross(left, trunk)
    forward /= np.linalg.norm(forward, axis=1, keepdims=True)
    up = np.cross(forward, left)
    middle = 0.5 * (at["left_hip"] + at["right_hip"])
    width, depth = 0.24, 0.15
    front = middle + (0.24 * depth + 0.0099) * forward + (0.30 * width + 0.0109) * up
    for s, sign in (("L", 1), ("R", -1)):
        out[f"{s}ASI"] = front + sign * width / 2 * left
        out[f"{s}PSI"] = front - depth * forward + sign * 0.05 * left
        side = "left" if s == "L" else "right"
        for joint, a, b in (("knee", "KNE", "KNM"), ("ankle", "ANK", "ANM")):
            out[s + a] = at[f"{side}_{joint}"] + sign * 0.05 * left
            out[s + b] = at[f"{side}_{joint}"] - sign * 0.05 * left
        out[f"{s}TOE"], out[f"{s}SHO"] = at[f"{side}_foot"], at[f"{side}_shoulder"] + 0.04 * up
        out[f"{s}ELB"] = at[f"{side}_elbow"]
        out[f"{s}WRA"] = at[f"{side}_wrist"] + 0.03 * forward
        out[f"{s}WRB"] = at[f"{side}_wrist"] - 0.03 * forward
    for i, n in enumerate(("LFHD", "RFHD", "LBHD", "RBHD")):
        out[n] = at["head"] + 0.08 * (forward * (1 if i < 2 else -1) + left * (1 if i % 2 == 0 else -1))
    return out


def test_c3d_with_plug_in_gait_markers(tmp_path):
    ezc3d = pytest.importorskip("ezc3d")
    _, truth = walk()
    marks = plug_in_gait(truth)
    file = ezc3d.c3d()
    points = np.stack([1000.0 * m for m in marks.values()], axis=1)  # (T, M, 3) mm
    file["parameters"]["POINT"]["RATE"]["value"] = [60.0]
    file["parameters"]["POINT"]["UNITS"]["value"] = ["mm"]
    file["parameters"]["POINT"]["LABELS"]["value"] = [f"Anna:{n}" for n in marks]
    file["data"]["points"] = np.concatenate([points, np.ones((*points.shape[:2], 1))], axis=2).transpose(
        2, 1, 0
    )
    file.write(str(tmp_path / "a.c3d"))
    motion = im.read_motion(tmp_path / "a.c3d")
    np.testing.assert_allclose(np.diff(motion.time_s), 1 / 60)
    assert motion.metadata["unit"] == "mm"
    got = joints_of(motion)
    names = motion.body.joint_names
    ours = {n: got[:, names.index(n)] for n in names}
    back = im.open_body().joint_names
    for joint in ("left_hip", "right_knee", "left_ankle", "right_wrist", "left_elbow"):
        wanted = truth[:, back.index(joint)]
        assert np.median(np.linalg.norm(ours[joint] - wanted, axis=1)) < 0.03, joint


def test_estimator_files(tmp_path):
    """GVHMR's and WHAM's keys, y up, no frame rate; matrices as 4DHumans has them."""
    poses = some_poses(24, seed=5)
    vectors = poses.reshape(len(poses), -1, 3)
    y_up = rotation.from_matrix(Y_UP)
    vectors[:, 0] = rotation.to_rotvec(rotation.multiply(y_up, rotation.from_rotvec(vectors[:, 0])))
    wanted = rotation.from_rotvec(poses.reshape(len(poses), -1, 3)[:, 1:22])
    trans = np.linspace([0, 0.9, 0], [0, 0.9, 1], len(poses))
    files = {
        "gvhmr": {
            "global_orient": vectors[:, 0],
            "body_pose": vectors[:, 1:22].reshape(len(poses), -1),
            "transl": trans,
        },
        "wham": {
            "pose_world": vectors.reshape(len(poses), -1),
            "trans_world": trans,
            "betas": np.zeros((len(poses), 10)),
        },
        "4dhumans": {
            "global_orient": rotation.to_matrix(rotation.from_rotvec(vectors[:, :1])),
            "body_pose": rotation.to_matrix(rotation.from_rotvec(vectors[:, 1:])),
            "pred_cam_t": trans,
        },
    }
    for name, arrays in files.items():
        np.savez(tmp_path / f"{name}.npz", **arrays)
        motion = im.read_motion(tmp_path / f"{name}.npz", rate_hz=25)
        assert motion.metadata["up"] == "y", name
        assert rotation.angle(motion.joint_rotation_wxyz[:, 1:22], wanted).max() < 1e-6, name
        np.testing.assert_allclose(motion.root_position_m[:, 2], 0.9)
        np.testing.assert_allclose(np.diff(motion.time_s), 0.04)
    with pytest.warns(QualityWarning, match="rate"):
        im.read_motion(tmp_path / "wham.npz")


def test_torch_file(tmp_path):
    torch = pytest.importorskip("torch")
    poses = some_poses(22, seed=6)
    y_up = rotation.multiply(rotation.from_matrix(Y_UP), rotation.from_rotvec(poses[:, :3]))
    held = {
        "global_orient": torch.tensor(rotation.to_rotvec(y_up)),
        "body_pose": torch.tensor(poses[:, 3:], dtype=torch.float32),
        "transl": torch.zeros(len(poses), 3), "betas": torch.zeros(len(poses), 10),
    }  # fmt: skip
    torch.save({"smpl_params_global": held, "K_fullimg": torch.eye(3)[None]}, tmp_path / "hmr4d_results.pt")
    motion = im.read_motion(tmp_path / "hmr4d_results.pt", rate_hz=30)
    wanted = rotation.from_rotvec(poses.reshape(len(poses), -1, 3))
    assert rotation.angle(motion.joint_rotation_wxyz[:, :22], wanted).max() < 1e-6


@pytest.mark.parametrize("form", ["lists", "dictionaries"])
def test_mediapipe_world_landmarks_as_json(tmp_path, form):
    import json

    from imusim.fitting.landmarks import NAMES

    _, truth = walk()
    at = {n: truth[:, i] for i, n in enumerate(im.open_body().joint_names)}
    marks = np.zeros((60, 33, 3))
    for i, name in enumerate(NAMES):
        side, _, part = name.partition("_")
        joint = {
            "foot_index": "foot",
            "index": "hand",
            "pinky": "hand",
            "thumb": "hand",
            "heel": "ankle",
        }.get(part, part)
        marks[:, i] = at.get(f"{side}_{joint}", at["head"])
    marks -= 0.5 * (marks[:, 23:24] + marks[:, 24:25])
    camera = marks @ np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]]).T  # x right, y down, z away
    rows = camera.tolist()
    if form == "dictionaries":
        rows = [[dict(zip("xyz", m, strict=True), visibility=0.9) for m in f] for f in rows]
    (tmp_path / "a.json").write_text(json.dumps({"rate_hz": 30, "landmarks": rows}))
    motion = im.read_motion(tmp_path / "a.json")
    assert motion.metadata["up"] == "-y"
    assert off_names(motion, truth, ["left_wrist", "right_knee", "left_elbow"]) < 0.05


def off_names(motion, truth, names):
    got, back = joints_of(motion), im.open_body().joint_names
    mid = lambda x, n: 0.5 * (x[:, n.index("left_hip")] + x[:, n.index("right_hip")])  # noqa: E731
    mine = motion.body.joint_names
    a = np.stack([got[:, mine.index(n)] for n in names], axis=1) - mid(got, mine)[:, None]
    b = np.stack([truth[:, back.index(n)] for n in names], axis=1) - mid(truth, back)[:, None]
    return float(np.median(np.linalg.norm(a - b, axis=2)))
