"""Motions in files: round trips to the bit, skeletons, bodies, damage."""

import numpy as np
import pytest
from made_recordings import recording

import imusim as im
from imusim.errors import (
    FrameError,
    MotionFileError,
    OutputError,
    QualityWarning,
)


def motion(body, samples=30, seed=0, **more):
    rng = np.random.default_rng(seed)
    q = rng.normal(size=(samples, len(body.joint_names), 4))
    q /= np.linalg.norm(q, axis=-1, keepdims=True)
    return im.Motion(np.arange(samples) / 30, rng.normal(size=(samples, 3)), q, body, **more)


def skeleton(name="stick"):
    return im.body.SkeletonBody(
        ("root", "head"), np.array([-1, 0]), np.array([[0, 0, 0], [0, 0.5, 0.0]]), name=name
    )


def assert_same_motion(a, b):
    for name in (
        "time_s",
        "root_position_m",
        "shape",
        "shot",
        "valid",
        "confidence",
        "rotation_sd_rad",
        "root_sd_m",
    ):
        x, y = getattr(a, name), getattr(b, name)
        assert (x is None) == (y is None)
        if x is not None:
            assert x.tobytes() == y.tobytes(), name
    # quaternions are normalised again when the motion is made
    assert np.abs(a.joint_rotation_wxyz - b.joint_rotation_wxyz).max() < 3e-16
    assert a.up_sd_deg == b.up_sd_deg
    assert a.metadata == b.metadata


def test_motion_round_trip(tmp_path):
    body = im.open_body()
    n, j = 30, len(body.joint_names)
    rng = np.random.default_rng(1)
    m = motion(
        body,
        shape=rng.normal(size=body.n_shape),
        shot=np.arange(n) // 10,
        valid=rng.uniform(size=n) > 0.2,
        confidence=rng.uniform(size=(n, j)),
        rotation_sd_rad=rng.uniform(size=(n, j)),
        root_sd_m=rng.uniform(size=(n, 3)),
        up_sd_deg=1.5,
        metadata={"focal_px": 1000.5, "assumed": ["focal"]},
    )
    assert im.save_motion(tmp_path / "motion.npz", m) == tmp_path / "motion.npz"
    again = im.read_motion(tmp_path / "motion.npz")
    assert again.body is body
    assert_same_motion(m, again)
    assert [p.name for p in tmp_path.iterdir()] == ["motion.npz"]


def test_a_plain_skeleton_travels_with_its_motion(tmp_path):
    m = motion(skeleton())
    im.save_motion(tmp_path / "motion", m)
    again = im.read_motion(tmp_path / "motion.npz")
    assert_same_motion(m, again)
    assert again.body.name == "stick"
    assert (again.body.rest_joints() == skeleton().rest_joints()).all()


def test_another_body_must_be_given_again(tmp_path, monkeypatch):
    m = motion(skeleton())
    monkeypatch.setattr("imusim.motion_io.npz._kind", lambda body: "given")
    im.save_motion(tmp_path / "motion.npz", m)
    with pytest.raises(MotionFileError, match=r"body 'stick', which is not part of imusim.*body=load_body"):
        im.read_motion(tmp_path / "motion.npz")
    assert_same_motion(m, im.read_motion(tmp_path / "motion.npz", body=skeleton()))
    with pytest.warns(QualityWarning, match="another version"):
        im.read_motion(tmp_path / "motion.npz", body=skeleton("other"))
    with pytest.raises(MotionFileError, match="other joints"):
        im.read_motion(tmp_path / "motion.npz", body=im.open_body())


def test_damaged_motions(tmp_path):
    path = tmp_path / "motion.npz"
    with pytest.raises(MotionFileError, match="no such file"):
        im.read_motion(path)
    with pytest.raises(MotionFileError, match="is a folder"):
        im.read_motion(tmp_path)
    im.save_motion(path, motion(skeleton()))
    whole = path.read_bytes()
    for content in (b"", b"nothing", whole[: len(whole) // 2]):
        path.write_bytes(content)
        with pytest.raises(MotionFileError):
            im.read_motion(path)
    recording().save(path)
    with pytest.raises(MotionFileError, match="wanted a motion"):
        im.read_motion(path)
    path.write_bytes(whole)
    with pytest.raises(MotionFileError, match="not a recording of this version"):
        im.Recording.load(path)
    (tmp_path / "walk.xyz").write_text("hello")
    with pytest.raises(MotionFileError, match=r"\.xyz is not supported. Supported: \.npz"):
        im.read_motion(tmp_path / "walk.xyz")
    with pytest.raises(OutputError):
        im.save_motion("/proc/nowhere/motion.npz", motion(skeleton()))


def test_a_motion_with_broken_rotations_is_refused(tmp_path):
    path = tmp_path / "motion.npz"
    im.save_motion(path, motion(skeleton()))
    with np.load(path) as file:
        arrays = dict(file)
    arrays["joint_rotation_wxyz"] *= 2
    np.savez(path, **arrays)
    with pytest.raises(MotionFileError, match="unit quaternions"):
        im.read_motion(path)
    with pytest.raises(FrameError):
        im.Motion(arrays["time_s"], arrays["root_position_m"], arrays["joint_rotation_wxyz"], skeleton())
