"""`imusim simulate` on motion files: body, height and rate are honoured, and what means nothing there is refused."""

import warnings

import numpy as np
import pytest

import imusim as im
from imusim.cli import main
from imusim.errors import QualityWarning
from imusim.motion_io import read_motion
from tests.motion.test_readers_made import amass, some_poses

BVH = (
    """HIERARCHY
ROOT Hips
{
  OFFSET 0 0 0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
"""
    + "{limbs}}}\nMOTION\nFrames: {count}\nFrame Time: {interval}\n{rows}"
)


def limb(names, offsets):
    text = "End Site\n{\nOFFSET 0 -0.1 0.1\n}\n"
    for name, offset in zip(names[::-1], offsets[::-1], strict=True):
        text = f"JOINT {name}\n{{\nOFFSET {offset}\nCHANNELS 3 Zrotation Xrotation Yrotation\n{text}}}\n"
    return text


def walk_bvh(path, interval="0.01", count=150):
    """Somebody 1.7 m tall who swings an arm: m, y up."""
    limbs = ""
    for side, s in (("Left", 1), ("Right", -1)):
        limbs += limb(
            [f"{side}UpLeg", f"{side}Leg", f"{side}Foot"], [f"{s * 0.09} -0.05 0", "0 -0.42 0", "0 -0.41 0"]
        )
    arms = "".join(
        limb(
            [f"{side}Arm", f"{side}ForeArm", f"{side}Hand"],
            [f"{s * 0.18} 0.2 0", f"{s * 0.28} 0 0", f"{s * 0.25} 0 0"],
        )
        for side, s in (("Left", 1), ("Right", -1))
    )
    head = limb(["Neck", "Head"], ["0 0.25 0", "0 0.1 0"])
    limbs += (
        "JOINT Spine\n{\nOFFSET 0 0.2 0\nCHANNELS 3 Zrotation Xrotation Yrotation\n" + arms + head + "}\n"
    )
    width = limbs.count("CHANNELS 3") * 3
    t = np.arange(count) * 0.01
    rows = np.zeros((count, 6 + width))
    rows[:, :3] = [0, 0.93, 0]
    arm = limbs[: limbs.index("JOINT LeftArm")].count("CHANNELS 3")
    rows[:, 6 + 3 * arm] = -60 + 20 * np.sin(2 * np.pi * t)
    text = "\n".join(" ".join(f"{v:.5f}" for v in row) for row in rows)
    path.write_text(
        BVH.replace("{\n", "{{\n", 1).format(limbs=limbs, count=count, interval=interval, rows=text)
    )
    return path


def simulated(source, out, *options, body=None):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", QualityWarning)
        main(
            ["simulate", str(source), "--out", str(out), "--placements", "left_wrist", "--sensor", "ideal",
             "--no-report", "--rate-hz", "50", *options]
        )  # fmt: skip
        return read_motion(out / "motion.npz", body=body), im.Recording.load(out / "imu.parquet")


def refused(capsys, *args):
    with pytest.raises(SystemExit) as stop:
        main(["simulate", *(str(a) for a in args)])
    assert stop.value.code == 2
    return capsys.readouterr().err


def test_height_moves_a_bare_skeleton_on_to_the_open_body(tmp_path):
    source = walk_bvh(tmp_path / "walk.bvh")
    plain, at_bone = simulated(source, tmp_path / "plain")
    assert plain.body.weights is None  # without a height it is simulated as it is
    motion, _ = simulated(source, tmp_path / "small", "--height-m", "1.5")
    assert motion.body is im.open_body()
    assert im.open_body().stature(motion.shape) == pytest.approx(1.5, abs=0.01)
    tall, _ = simulated(source, tmp_path / "tall", "--height-m", "1.9")
    assert im.open_body().stature(tall.shape) == pytest.approx(1.9, abs=0.01)
    assert tall.root_position_m[0, 2] > motion.root_position_m[0, 2] + 0.1
    assert np.isfinite(at_bone.acc).all()


def test_height_scales_accelerations_of_a_motion_with_a_skin(tmp_path):
    amass(tmp_path / "a.npz", some_poses(24, frames=240))
    small, low = simulated(tmp_path / "a.npz", tmp_path / "small", "--height-m", "1.5")
    tall, high = simulated(tmp_path / "a.npz", tmp_path / "tall", "--height-m", "1.9")
    for motion, height in ((small, 1.5), (tall, 1.9)):
        assert im.open_body().stature(motion.shape) == pytest.approx(height, abs=0.01)
    moving = [np.linalg.norm(r.acc[:, 0], axis=1).std() for r in (low, high)]
    assert moving[1] > 1.1 * moving[0]
    np.testing.assert_allclose(low.gyro, high.gyro, atol=0.02)  # angles are nobody's height


def test_body_is_used_with_the_files_shape(tmp_path):
    model = im.open_body()
    np.savez(
        tmp_path / "mine.npz", v_template=1.1 * model.v_template, shapedirs=model.shapedirs, f=model.faces,
        J_regressor=model.J_regressor, weights=model.weights,
        kintree_table=np.array([np.r_[0, model.parents[1:]], np.arange(24)]),
    )  # fmt: skip
    betas = np.r_[0.5, -0.5, np.zeros(8)]
    poses = some_poses(24, frames=120)
    np.savez(
        tmp_path / "a.npz",
        poses=poses,
        trans=np.tile([0, 0, 0.9], (120, 1)),
        betas=betas,
        mocap_framerate=60.0,
    )
    given = ("--body", str(tmp_path / "mine.npz"))
    with_body = simulated(tmp_path / "a.npz", tmp_path / "out", *given, body=im.load_body(given[1]))[0]
    assert with_body.body.name == "mine"
    np.testing.assert_allclose(with_body.shape, betas)
    source = walk_bvh(tmp_path / "walk.bvh")  # a skeleton moves on to it
    moved = simulated(source, tmp_path / "moved", *given, body=im.load_body(given[1]))[0]
    assert moved.body.name == "mine"
    assert moved.metadata["retarget"]["from"] != "mine"


def test_rate_is_the_users(tmp_path, capsys):
    poses = some_poses(24, frames=60)
    np.savez(tmp_path / "wham.npz", poses=poses, trans=np.zeros((60, 3)))
    with pytest.warns(QualityWarning) as said:
        im.read_motion(tmp_path / "wham.npz")
    assert any("--motion-rate-hz" in str(w.message) for w in said)
    motion, recording = simulated(tmp_path / "wham.npz", tmp_path / "fast", "--motion-rate-hz", "60")
    np.testing.assert_allclose(np.diff(motion.time_s), 1 / 60)
    assert recording.time_s[-1] <= 59 / 60 + 1e-9
    source = walk_bvh(tmp_path / "walk.bvh", interval="0")  # a file that says nothing sensible
    assert "--motion-rate-hz" in refused(capsys, source)
    motion, _ = simulated(source, tmp_path / "bvh", "--motion-rate-hz", "100")
    np.testing.assert_allclose(np.diff(motion.time_s), 0.01)


def test_what_means_nothing_is_refused(tmp_path, capsys):
    source = walk_bvh(tmp_path / "walk.bvh")
    error = refused(capsys, source, "--camera-tilt-deg", "5", "--focal-px", "900")
    assert "--camera-tilt-deg, --focal-px: for videos only" in error
    assert "for motion files" in refused(capsys, __file__, "--motion-rate-hz", "30")
    assert "wanted 1 to 10000 Hz" in refused(capsys, source, "--motion-rate-hz", "0")
    assert "no such body model file" in refused(capsys, source, "--body", tmp_path / "none.npz")
    assert "height" in refused(capsys, source, "--height-m", "175")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["walk.bvh"]


def test_a_skeleton_without_arms_says_what_would_help(tmp_path, capsys):
    source = walk_bvh(tmp_path / "legs.bvh")
    text = source.read_text()
    source.write_text(text.replace("Arm\n", "Wing\n").replace("ForeWing", "Tip").replace("Hand", "End"))
    error = refused(capsys, source, "--placements", "left_wrist", "--no-report")
    assert "--height-m (or --body)" in error
    main(["simulate", str(source), "--placements", "left_wrist", "--no-report", "--height-m", "1.7"])
    error = capsys.readouterr().err
    assert "has no left_shoulder, left_elbow, right_shoulder, right_elbow" in error
