"""Films decoded again: the right length, the body and its sensors where the camera sees them, nothing half-written."""

import json

import av
import numpy as np
import pytest

import imusim as im
from imusim import cli, rotation
from imusim.body import SkeletonBody
from imusim.conventions import Q_WB_REST
from imusim.errors import ConfigError, MotionFileError, OutputError, ShapeError
from imusim.export.film import video_file
from imusim.filming import film_file, find_shown, read_sensors
from imusim.placement import attach, locate, resolve
from imusim.viz.render import Camera
from imusim.viz.render.film import film
from imusim.viz.render.views import VIEWS, source_view, walking_view

CAMERA = Camera.looking_at((320, 240), (0.8, -3.6, 1.3), (0.3, 0.0, 0.9), focal_px=330)


def waving(body=None, seconds=1.0, rate_hz=25.0, valid=None, **more):
    """A body that drifts to its left and lifts its left arm."""
    body = im.open_body() if body is None else body
    t = np.arange(round(seconds * rate_hz) + 1) / rate_hz
    q = np.zeros((t.size, len(body.joint_names), 4))
    q[..., 0] = 1.0
    q[:, 0] = Q_WB_REST
    if "left_shoulder" in body.joint_names:
        angle = np.stack([0 * t, 0 * t, -1.2 + t], axis=1)
        q[:, body.joint_names.index("left_shoulder")] = rotation.from_rotvec(angle)
    root = np.stack([0.4 * t, 0 * t, np.full_like(t, 0.96)], axis=1)
    return im.Motion(t, root, q, body=body, valid=np.ones(t.size, bool) if valid is None else valid, **more)


def with_camera(motion_maker=waving, **more):
    pose = {"0": {"R_wc": CAMERA.R_cw.T.tolist(), "position_w_m": CAMERA.position_m.tolist()}}
    camera = {"focal_px": 660.0, "centre_px": [320.0, 240.0], "pose": pose}
    return motion_maker(metadata={"camera": camera, "video": "clip.mp4"}, **more)


def decoded(path):
    with av.open(str(path)) as container:
        frames = [
            (float(f.pts * f.time_base), f.to_ndarray(format="rgb24")) for f in container.decode(video=0)
        ]
    return np.array([t for t, _ in frames]), np.stack([f for _, f in frames]).astype(int)


def test_film_has_the_motions_own_times_and_the_body_moves(opengl, tmp_path):
    count = film(tmp_path / "a.mp4", waving(), view="front", height_px=120)
    time_s, rgb = decoded(tmp_path / "a.mp4")
    assert count == len(time_s) == 26
    np.testing.assert_allclose(np.diff(time_s), 0.04, atol=1e-4)
    assert rgb.shape[1:] == (124, 160, 3)
    assert np.abs(rgb[0] - rgb[-1])[:120].max() > 60  # the arm
    bar = (np.abs(rgb[:, 121:123] - [200, 64, 47]).max(axis=-1) < 40).mean(axis=(1, 2))
    np.testing.assert_allclose(bar, (np.arange(26) + 1) / 26, atol=0.03)


def test_sensors_are_drawn_where_the_camera_sees_them(opengl, tmp_path):
    motion = with_camera()
    sites = attach(motion.body, motion.shape, resolve("left_wrist,sternum"))
    film(tmp_path / "with.mp4", motion, sites, height_px=480)
    film(tmp_path / "without.mp4", motion, None, height_px=480)
    (_, marked), (_, plain) = (decoded(tmp_path / f"{n}.mp4") for n in ("with", "without"))
    view = source_view(motion, (640, 480))
    np.testing.assert_allclose(view(0).project([0.3, 0, 0.9]), CAMERA.project([0.3, 0, 0.9]) * 2)
    for i in (0, 12, 25):
        posed = motion.body.pose(motion.root_position_m[i], motion.joint_rotation_wxyz[i])
        u, v = view(i).project(locate(sites, posed)[0][0]).T
        differs = np.abs(marked[i, :480] - plain[i, :480]).max(axis=-1) > 50
        ys, xs = np.nonzero(differs)
        assert differs.sum() > 60
        off = np.min(np.hypot(xs[:, None] - u, ys[:, None] - v), axis=1)
        assert (
            np.quantile(off, 0.98) < 30
        )  # compression moves a pixel here and there; a box of 4 cm and axes of 8.5 cm at 3.6 m
        assert all(np.hypot(xs - a, ys - b).min() < 3 for a, b in zip(u, v, strict=True))


def test_source_frames_stand_beside_the_body_in_step(opengl, tmp_path):
    with video_file(tmp_path / "clip.mp4", (64, 48), 10.0, quality=5) as append:
        for k in range(11):  # frame k is grey 20 k
            append(np.full((48, 64, 3), 20 * k, dtype=np.uint8))
    film(tmp_path / "a.mp4", with_camera(), video=tmp_path / "clip.mp4", height_px=96)
    time_s, rgb = decoded(tmp_path / "a.mp4")
    assert rgb.shape[2] == 128 + 128
    grey = rgb[:, 10:80, 10:100].mean(axis=(1, 2, 3))
    np.testing.assert_allclose(grey, 20 * np.floor(time_s * 10 + 1e-3), atol=4)


def test_frames_without_a_person_show_the_floor_alone(opengl, tmp_path):
    valid = np.ones(26, bool)
    valid[10:15] = False
    film(tmp_path / "a.mp4", with_camera(valid=valid), height_px=120)
    _, rgb = decoded(tmp_path / "a.mp4")
    person = np.abs(rgb[:, :120] - rgb[12, :120]).max(axis=-1) > 70
    assert (person.sum(axis=(1, 2)) > 200).tolist() == valid.tolist()


@pytest.mark.parametrize("view", VIEWS)
def test_walking_camera_keeps_a_bare_skeleton_in_the_picture(opengl, tmp_path, view):
    model = im.open_body()
    bones = SkeletonBody(model.joint_names, model.parents, model.rest_joints())
    motion = waving(bones, seconds=0.2)
    film(tmp_path / "a.mp4", motion, view=view, height_px=96)
    camera = walking_view(motion, (128, 96), view)
    joints = bones.pose(motion.root_position_m, motion.joint_rotation_wxyz).joints
    _, rgb = decoded(tmp_path / "a.mp4")
    for i in range(len(rgb)):
        uv = camera(i).project(joints[i])
        assert ((uv > 2) & (uv < [126, 94])).all()
    assert np.abs(rgb[0, :96] - rgb[0, 2, 2]).max(axis=-1).max() > 60
    left, right = (
        camera(0).project(joints[0, bones.joint_names.index(f"{s}_shoulder")])[0] for s in ("left", "right")
    )
    assert (left > right) == (view == "front") or view == "side"


def test_an_error_leaves_the_file_that_was_there(opengl, tmp_path, monkeypatch):
    path = tmp_path / "a.mp4"
    path.write_bytes(b"before")

    def write(*widths):
        with video_file(path, (32, 32), 10.0) as append:
            for width in widths:
                append(np.zeros((32, width, 3), np.uint8))

    with pytest.raises(ShapeError, match="a frame is"):
        write(32, 32, 30)
    assert path.read_bytes() == b"before"
    assert [p.name for p in tmp_path.iterdir()] == ["a.mp4"]
    with (
        pytest.raises(ConfigError, match="wanted a video file"),
        video_file(tmp_path / "a.avi", (8, 8), 10.0),
    ):
        pass
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError), video_file(tmp_path / "file" / "b.mp4", (32, 32), 10.0):
        pass


def test_settings_that_cannot_be_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="no valid frame"):
        film(tmp_path / "a.mp4", waving(valid=np.zeros(26, bool)))
    with pytest.raises(ConfigError, match="no camera of its own"):
        film(tmp_path / "a.mp4", waving(), view="source")
    with pytest.raises(ConfigError, match="fps"):
        film(tmp_path / "a.mp4", waving(), fps=-1.0)
    with pytest.raises(ConfigError, match="height_px"):
        film(tmp_path / "a.mp4", waving(), height_px=3)


def test_command_on_a_folder_uses_its_sensors_and_video(opengl, tmp_path, capsys):
    folder = tmp_path / "clip_imu"
    motion = with_camera()
    rec = im.simulate(motion, ["left_wrist", "right_ankle"], rate_hz=50, axes="android", smoothing="none")
    rec.save(folder / "imu.parquet")
    im.save_motion(folder / "motion.npz", motion)
    with video_file(tmp_path / "clip.mp4", (64, 48), 10.0) as append:
        append(np.full((48, 64, 3), 90, dtype=np.uint8))
    shown = find_shown(folder)
    assert [p.name for p in shown.placements] == ["left_wrist", "right_ankle"]
    assert shown.placements == resolve("left_wrist,right_ankle")
    assert (shown.axes, shown.video) == ("device", tmp_path / "clip.mp4")
    cli.main(["render", str(folder), "--height-px", "96"])
    assert "26 frames" in capsys.readouterr().out
    assert decoded(folder / "body.mp4")[1].shape[2] == 256
    with pytest.raises(ConfigError, match="is the input"):
        film_file(folder, tmp_path / "clip.mp4")
    with pytest.raises(ConfigError, match=r"no motion\.npz"):
        find_shown(tmp_path)
    (folder / "imu.json").write_text(json.dumps({"metadata": {"placements": [{"wrong": 1}]}}))
    with pytest.raises(MotionFileError, match=r"imu\.json"):
        read_sensors(folder / "imu.json")
