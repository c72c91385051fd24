"""Recordings and motions: checks, round trips to the bit, conventions, damage, and folders that cannot be written."""

import json
import pickle
import subprocess
import sys
import zipfile

import numpy as np
import pandas as pd
import pytest

import imusim as im
from imusim.errors import (
    ConfigError,
    FrameError,
    MotionFileError,
    OutputError,
    QualityWarning,
    ShapeError,
    TimeError,
    UnitError,
    UnknownNameError,
)

ARRAYS = ("time_s", "acc", "gyro", "mag", "acc_sd", "gyro_sd", "valid", "confidence")


def recording(samples=200, sensors=("left_wrist", "right_acc_pocket", "s_2"), seed=0, **more):
    rng = np.random.default_rng(seed)
    shape = (samples, len(sensors), 3)
    acc = rng.normal(0, 20, shape) * 10.0 ** rng.integers(-12, 3, shape)
    acc[0, 0] = (-0.0, 5e-324, 1.7e308)
    acc[5:9, 1] = np.nan
    acc[:, 2] = -3.0  # whole numbers must come back as floats
    acc[:, 2, 2] = -0.0
    valid = np.ones(shape[:2], bool)
    valid[5:9, 1] = False
    fields = {
        "acc": acc,
        "gyro": rng.normal(0, 3, shape),
        "mag": rng.normal(0, 30, shape),
        "acc_sd": rng.uniform(0, 1, shape),
        "gyro_sd": rng.uniform(0, 1, shape),
        "valid": valid,
        "confidence": rng.uniform(0, 1, shape[:2]),
        "metadata": {"seed": 3, "sensor": {"name": "Bosch BMI270"}, "note": "größer", "list": [1, 2.5, None]},
    }
    return im.Recording(np.arange(samples) / 100 + 0.3, sensors=sensors, unit="m/s2", **(fields | more))


def assert_same_bits(a, b, names=ARRAYS):
    for name in names:
        x, y = getattr(a, name), getattr(b, name)
        assert (x is None) == (y is None), name
        if x is not None:
            assert x.dtype == y.dtype, name
            # every NaN is as good as another
            assert np.where(np.isnan(x), 0, x).tobytes() == np.where(np.isnan(y), 0, y).tobytes(), name
            assert (np.isnan(x) == np.isnan(y)).all(), name


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".npz"])
@pytest.mark.parametrize("convention", ["si", "android"])
def test_round_trip_to_the_bit(tmp_path, suffix, convention):
    rec = recording()
    files = rec.save(tmp_path / f"imu{suffix}", convention=convention)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(p.name for p in files)
    again = im.Recording.load(tmp_path / f"imu{suffix}")
    assert again.sensors == rec.sensors
    assert again.metadata == rec.metadata
    assert_same_bits(rec, again)


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".npz"])
def test_core_motion_is_minus_the_specific_force_in_g(tmp_path, suffix):
    acc = np.zeros((4, 1, 3))
    acc[..., 2] = 9.80665
    sd = np.full_like(acc, 0.980665)
    rec = im.Recording(np.arange(4.0), acc, np.ones_like(acc), ("phone",), acc_sd=sd)
    rec.save(tmp_path / f"imu{suffix}", convention="coremotion")
    if suffix == ".npz":
        with np.load(tmp_path / "imu.npz") as file:
            stored, stored_sd, gyro = file["acc_g"][:, 0, 2], file["acc_sd_g"][:, 0, 0], file["gyro"][:, 0, 0]
            header = json.loads(str(file["header"]))
    else:
        read = pd.read_csv if suffix == ".csv" else pd.read_parquet
        frame = read(tmp_path / f"imu{suffix}")
        stored, stored_sd = frame["phone_acc_g_z"], frame["phone_acc_sd_g_x"]
        gyro, header = frame["phone_gyro_x"], json.loads((tmp_path / "imu.json").read_text())
        assert "phone_acc_z" not in frame
    assert np.asarray(stored) == pytest.approx(np.full(4, -1.0))
    assert np.asarray(stored_sd) == pytest.approx(np.full(4, 0.1))
    assert np.asarray(gyro) == pytest.approx(np.ones(4))
    assert header["convention"] == "coremotion"
    assert "minus the specific force" in header["convention_means"]
    (tmp_path / "imu.json").unlink(missing_ok=True)  # the columns alone must tell
    again = im.Recording.load(tmp_path / f"imu{suffix}")
    assert np.allclose(again.acc, acc, rtol=1e-15, atol=0)
    assert np.allclose(again.acc_sd, sd, rtol=1e-15, atol=0)


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_a_missing_sidecar_costs_little(tmp_path, suffix):
    rec = recording()
    rec.save(tmp_path / f"imu{suffix}")
    (tmp_path / "imu.json").unlink()
    again = im.Recording.load(tmp_path / f"imu{suffix}")
    assert again.sensors == rec.sensors
    assert_same_bits(rec, again)
    assert again.metadata == (rec.metadata if suffix == ".parquet" else {})


def test_a_sidecar_of_another_recording_is_left_aside(tmp_path):
    rec = recording()
    rec.save(tmp_path / "imu.csv")
    other = recording(50)
    other.save(tmp_path / "imu.parquet")  # same stem, so imu.json is the other's now
    with pytest.warns(QualityWarning, match="another recording"):
        assert_same_bits(im.Recording.load(tmp_path / "imu.csv"), rec)
    (tmp_path / "imu.json").write_text("{ half")
    with pytest.warns(QualityWarning, match="left aside"):
        im.Recording.load(tmp_path / "imu.csv")


def test_the_sidecar_says_what_is_in_the_file(tmp_path):
    rec = recording(
        metadata={"seed": 1, "path": tmp_path, "array": np.arange(3), "nan": np.nan, "inf": np.inf}
    )
    rec.save(tmp_path / "imu.parquet")
    sidecar = json.loads((tmp_path / "imu.json").read_text())
    assert sidecar["imusim"] == im.__version__
    assert sidecar["sensors"] == list(rec.sensors)
    assert sidecar["rate_hz"] == 100
    assert sidecar["metadata"] == {
        "seed": 1,
        "path": str(tmp_path),
        "array": [0, 1, 2],
        "nan": None,
        "inf": "inf",
    }
    assert "specific force" in sidecar["convention_means"]


def test_foreign_tables_are_read(tmp_path):
    frame = pd.DataFrame({"time_s": [0.0, 0.1, 0.2], "label": ["a", "b", "c"]})
    for column in [f"w_{k}_{a}" for k in ("acc", "gyro") for a in "xyz"]:
        frame[column] = [1.0, 2.0, np.nan]  # pandas writes an empty cell
    frame.to_csv(tmp_path / "a.csv", index=False)
    frame.to_parquet(tmp_path / "a.parquet")
    for name in ("a.csv", "a.parquet"):
        rec = im.Recording.load(tmp_path / name)
        assert rec.sensors == ("w",)
        assert rec.acc[:2, 0, 1].tolist() == [1.0, 2.0]
        assert np.isnan(rec.acc[2]).all()
    np.savez(tmp_path / "a.npz", time_s=[0.0, 1.0], acc=np.ones((2, 2, 3)), gyro=np.ones((2, 2, 3)))
    assert im.Recording.load(tmp_path / "a.npz").sensors == ("s0", "s1")


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".npz"])
def test_damaged_files(tmp_path, suffix):
    path = tmp_path / f"imu{suffix}"
    with pytest.raises(MotionFileError, match="no such file"):
        im.Recording.load(path)
    recording().save(path)
    whole = path.read_bytes()
    cases = [b"", b"not a recording", whole[: len(whole) // 2 + 7]]
    if suffix == ".csv":
        cases[2] = whole[: len(whole) // 2 + 7].rsplit(b",", 5)[0]  # a row that is too short
        cases.append(b"time_s,w_acc_x\n0,1\n")
        cases.append(
            b"time_s," + b",".join(b"w_%s_%s" % (k, a) for k in (b"acc", b"gyro") for a in (b"x", b"y", b"z"))
        )
        cases[-1] += b"\n0,a,b,c,d,e,f\n"
        cases.append(cases[-1].replace(b"a,b,c,d,e,f", b"1,1,1,1,1,1\n0,1,1,1,1,1,1"))  # time stands still
    for content in cases:
        path.write_bytes(content)
        (tmp_path / "imu.json").unlink(missing_ok=True)
        with pytest.raises(MotionFileError):
            im.Recording.load(path)


def test_pickles_are_refused(tmp_path):
    path = tmp_path / "evil.npz"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("acc.npy", pickle.dumps(print))
    with pytest.raises(MotionFileError):
        im.Recording.load(path)
    np.savez(path, time_s=np.arange(2.0), acc=np.array([[1, {}]], dtype=object), gyro=np.zeros((2, 1, 3)))
    with pytest.raises(MotionFileError, match="allow_pickle"):
        im.Recording.load(path)
    np.savez(path, time_s=np.arange(2.0))
    with pytest.raises(MotionFileError, match="wanted time_s"):
        im.Recording.load(path)


def test_unknown_suffix_and_convention(tmp_path):
    with pytest.raises(ConfigError, match=r"\.xlsx, wanted one of \.parquet, \.csv, \.npz"):
        recording().save(tmp_path / "imu.xlsx")
    with pytest.raises(UnknownNameError, match="Did you mean 'coremotion'"):
        recording().save(tmp_path / "imu.csv", convention="core_motion")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".npz"])
def test_a_folder_that_cannot_be_written(tmp_path, suffix):
    (tmp_path / "file").write_text("here")
    with pytest.raises(OutputError, match="cannot write"):
        recording().save(tmp_path / "file" / f"imu{suffix}")
    with pytest.raises(OutputError, match="cannot write"):
        recording().save(f"/proc/imu{suffix}")
    (tmp_path / f"imu{suffix}").mkdir()
    with pytest.raises(OutputError, match="folder"):
        recording().save(tmp_path / f"imu{suffix}")


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".npz"])
def test_a_disk_that_fills_up_leaves_the_old_files(tmp_path, suffix):
    path = tmp_path / f"imu{suffix}"
    old = recording(20)
    before = {p: p.read_bytes() for p in old.save(path)}
    script = (
        "import resource, signal, sys, numpy as np, imusim as im\n"
        "from imusim.errors import OutputError\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "x = np.random.default_rng(0).normal(size=(20000, 1, 3))\n"
        "rec = im.Recording(np.arange(20000.0), x, x, ('a',), unit='m/s2')\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "try:\n    rec.save(sys.argv[1])\n"
        "except OutputError as error:\n    print(error)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=False
    )
    assert "cannot write" in run.stdout, run.stderr
    assert {p: p.read_bytes() for p in tmp_path.iterdir()} == before


def test_a_failure_while_writing_the_second_file_leaves_neither(tmp_path, monkeypatch):
    monkeypatch.setattr(json, "dumps", lambda *a, **k: (_ for _ in ()).throw(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        recording().save(tmp_path / "imu.csv")
    assert list(tmp_path.iterdir()) == []


def test_to_dataframe():
    rec = recording()
    frame = rec.to_dataframe()
    assert list(frame)[:4] == ["time_s", "left_wrist_acc_x", "left_wrist_acc_y", "left_wrist_acc_z"]
    assert frame.shape == (200, 1 + 3 * 9)
    assert (frame["s_2_gyro_y"].to_numpy() == rec.gyro[:, 2, 1]).all()
    full = rec.to_dataframe(quality=True)
    assert full.shape == (200, 1 + 3 * 17)
    assert full["right_acc_pocket_valid"].dtype == bool


def test_checks():
    t, x = np.arange(3.0), np.full((3, 1, 3), 9.0)
    with pytest.raises(ShapeError, match=r"acc has shape \(3, 2, 3\), wanted \(3, 1, 3\)"):
        im.Recording(t, np.full((3, 2, 3), 9.0), x, ("a",))
    with pytest.raises(TimeError, match="increase strictly"):
        im.Recording(t[::-1], x, x, ("a",))
    with pytest.raises(ShapeError, match="different"):
        im.Recording(t, np.full((3, 2, 3), 9.0), np.full((3, 2, 3), 9.0), ("a", "a"))
    with pytest.raises(ShapeError, match="valid has shape"):
        im.Recording(t, x, x, ("a",), valid=np.ones(5))
    with pytest.raises(
        UnitError, match=r'^acc looks like g, not m/s² \(median norm 1\.00\)\. Pass unit="g"\.'
    ):
        im.Recording(t, np.array([[[0.0, 0, 1]]] * 3), x, ("a",))
    with pytest.raises(UnitError, match="wanted"):
        im.Recording(t, x, x, ("a",), unit="ft/s2")
    g = im.Recording(t, np.array([[[0.0, 0, 1]]] * 3), x, ("a",), unit="g")
    assert g.acc[0, 0, 2] == 9.80665
    assert im.Recording(t, x, x, "a", valid=[True, False, True]).valid.tolist() == [[True], [False], [True]]


def test_rate_select_repr():
    rec = recording()
    assert rec.rate_hz == 100.0
    assert "left_wrist, right_acc_pocket, s_2: 200 samples, 1.99 s, 100 Hz, Bosch BMI270" in repr(rec)
    one = rec.select(["s_2", "left_wrist"])
    assert one.sensors == ("s_2", "left_wrist")
    assert_same_bits(one.select("left_wrist"), rec.select("left_wrist"))
    with pytest.raises(UnknownNameError, match="left_wrist"):
        rec.select("left_wrst")
    x = np.full((4, 1, 3), 9.0)
    assert im.Recording([0, 0.02, 0.04, 5.0], x, x, ("a",)).rate_hz == pytest.approx(50)
    with pytest.raises(TimeError, match="no rate"):
        _ = im.Recording([0.0], x[:1], x[:1], ("a",)).rate_hz


def test_measure_keeps_quality_and_says_which_sensor():
    rec = recording()
    noisy = im.sensor.BMI270.measure(rec, seed=5)
    assert noisy.metadata["sensor"]["name"] == "Bosch BMI270"
    assert noisy.metadata["seed"] == 5
    assert (np.isnan(noisy.acc) == np.isnan(rec.acc)).all()
    assert_same_bits(noisy, rec, ("time_s", "mag", "acc_sd", "gyro_sd", "valid", "confidence"))
    assert not np.array_equal(noisy.gyro, rec.gyro)
    assert im.sensor.ideal.measure(rec) is rec
    one = im.sensor.BMI270.measure(rec.select("s_2"), seed=5)
    assert_same_bits(one, noisy.select("s_2"), ("acc", "gyro"))


# motions ---------------------------------------------------------------------------------------------------


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
