"""Recordings in files: round trips to the bit, conventions, damage, and folders that cannot be written."""

import json
import pickle
import subprocess
import sys
import zipfile

import numpy as np
import pandas as pd
import pytest
from made_recordings import assert_same_bits, recording

import imusim as im
from imusim.errors import (
    ConfigError,
    MotionFileError,
    OutputError,
    QualityWarning,
    UnknownNameError,
)


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
