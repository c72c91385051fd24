"""Files of real sensors: every layout gives the same recording, in SI, and says how it was read."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import imusim as im
from imusim.errors import MotionFileError, TimeError, UnitError
from imusim.recording_io import read_recording

G = 9.80665
N, RATE = 200, 50.0


@pytest.fixture(scope="module")
def signals():
    """Time s, acc m/s² and gyro rad/s (N, 3) of one sensor."""
    g = np.random.default_rng(0)
    acc = np.array([0, 0, G]) + np.cumsum(0.1 * g.normal(size=(N, 3)), axis=0)
    return np.arange(N) / RATE, acc, np.cumsum(0.05 * g.normal(size=(N, 3)), axis=0)


def check(rec, signals, *, names=None, at=0.0, rtol=1e-6):
    time, acc, gyro = signals
    if names is not None:
        assert rec.sensors == names
    np.testing.assert_allclose(rec.time_s, time + at, atol=1e-6)
    for s in range(len(rec.sensors)):
        np.testing.assert_allclose(rec.acc[:, s], acc, rtol=rtol, atol=1e-5)
        np.testing.assert_allclose(rec.gyro[:, s], gyro, rtol=rtol, atol=1e-5)
    assert rec.metadata["read"]


def write(path: Path, header, columns, sep=","):
    rows = [sep.join(header)] + [sep.join(f"{v:.9g}" for v in row) for row in np.column_stack(columns)]
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("header", "sep", "time", "acc", "gyro"),
    [
        (("time", "acc_x", "acc_y", "acc_z", "gyro_x", "gyro_y", "gyro_z"), ",", 1.0, 1.0, 1.0),
        (("t [ms]", "Ax (g)", "Ay (g)", "Az (g)", "Gx (deg/s)", "Gy (deg/s)", "Gz (deg/s)"), ";", 1e3, 1 / G, 180 / np.pi),
        (("timestamp_us", "accel.x", "accel.y", "accel.z", "gyro.x", "gyro.y", "gyro.z"), "\t", 1e6, 1e3 / G, 1.0),
    ],
)  # fmt: skip
def test_csv_in_other_peoples_units(tmp_path, signals, header, sep, time, acc, gyro):
    t, a, w = signals
    path = write(tmp_path / "logger.csv", header, [t * time, a * acc, w * gyro], sep)
    check(read_recording(path), signals, names=("logger",), rtol=1e-5)


def test_our_own_columns_from_somebody_else(tmp_path, signals):
    """Without our header or sidecar a file is read like any logger's: its units are looked at, and said."""
    t, a, w = signals
    names = ("left_wrist", "pelvis")
    header = ["time_s", *(f"{s}_{k}_{x}" for s in names for k in ("acc", "gyro") for x in "xyz")]
    slow = 0.3 * w * np.degrees(1.0) / np.quantile(np.linalg.norm(w, axis=1), 0.95)  # 17 deg/s
    path = write(tmp_path / "lab.csv", header, [t, a / G, np.degrees(w), a / G, slow])
    rec = read_recording(path)
    np.testing.assert_allclose(rec.acc[:, 1], a, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(rec.gyro[:, 0], w, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(rec.gyro[:, 1], np.radians(slow), rtol=1e-5, atol=1e-5)  # one logger, one unit
    assert any("and 1 more, g" in line for line in rec.metadata["read"])
    rec.save(tmp_path / "own.csv")
    np.testing.assert_allclose(read_recording(tmp_path / "own.csv").gyro, rec.gyro, rtol=1e-12)
    with pytest.raises(UnitError, match="Raw counts"):
        read_recording(write(tmp_path / "raw.csv", header, [t, 1670 * a, 940 * w, 1670 * a, 940 * w]))


def test_csv_of_several_sensors_without_a_clock(tmp_path, signals):
    _, a, w = signals
    header = [f"{s}_{k}_{x}" for s in ("left_wrist", "pelvis") for k in ("acc", "gyr") for x in "xyz"]
    path = write(tmp_path / "two.csv", header, [a, w, a, w])
    check(read_recording(path, rate_hz=RATE), signals, names=("left_wrist", "pelvis"))
    with pytest.raises(TimeError, match="rate_hz"):
        read_recording(path)
    said = "# sampling frequency: 50\n" + path.read_text()
    path.write_text(said)
    check(read_recording(path), signals)


def test_parquet_and_npz(tmp_path, signals):
    t, a, w = signals
    names = ["time", *(f"acc_{x}" for x in "xyz"), *(f"gyro_{x}" for x in "xyz")]
    pd.DataFrame(np.column_stack([t, a, w]), columns=names).to_parquet(tmp_path / "chest.parquet")
    check(read_recording(tmp_path / "chest.parquet"), signals, names=("chest",))
    np.savez(tmp_path / "chest.npz", time=t, acc=a, gyro=w)
    check(read_recording(tmp_path / "chest.npz"), signals, names=("chest",))
    np.savez(tmp_path / "many.npz", acc=np.stack([a, a], axis=1), gyro=np.stack([w, w], axis=1), fs=RATE)
    check(read_recording(tmp_path / "many.npz"), signals, names=("s0", "s1"))


def test_npz_never_unpickles(tmp_path, signals):
    class Evil:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "pwned"),))

    np.savez(tmp_path / "evil.npz", acc=np.array([Evil()], dtype=object))
    with pytest.raises(MotionFileError):
        read_recording(tmp_path / "evil.npz")
    assert not (tmp_path / "pwned").exists()


def test_euroc_folder(tmp_path, signals):
    """Nanoseconds since 1970, gyro first, by the names of the data set."""
    t, a, w = signals
    header = [
        "#timestamp [ns]",
        *(f"w_RS_S_{x} [rad s^-1]" for x in "xyz"),
        *(f"a_RS_S_{x} [m s^-2]" for x in "xyz"),
    ]
    folder = tmp_path / "mav0" / "imu0"
    folder.mkdir(parents=True)
    start = 1403636579758555392
    stamps = start + np.round(t * 1e9).astype(np.int64)
    rows = [",".join([str(s), *(f"{v:.9g}" for v in (*g, *f))]) for s, g, f in zip(stamps, w, a, strict=True)]
    (folder / "data.csv").write_text("\n".join([",".join(header), *rows]) + "\n")
    for given in (tmp_path, folder, folder / "data.csv"):
        rec = read_recording(given)
        assert rec.sensors == ("imu0",)
        np.testing.assert_allclose(np.diff(rec.time_s), 1 / RATE, atol=2e-6)
        np.testing.assert_allclose(rec.acc[:, 0], a, rtol=1e-6, atol=1e-5)
        np.testing.assert_allclose(rec.gyro[:, 0], w, rtol=1e-6, atol=1e-5)
    (tmp_path / "empty").mkdir()
    with pytest.raises(MotionFileError, match=r"data\.csv"):
        read_recording(tmp_path / "empty")


def test_phones_gravity_apart(tmp_path, signals):
    """Apple: user acceleration and gravity in g, of the other sign."""
    t, a, w = signals
    header = [
        "time",
        *(f"gravity.{x}" for x in "xyz"),
        *(f"userAcceleration.{x}" for x in "xyz"),
        *(f"rotationRate.{x}" for x in "xyz"),
    ]
    gravity = np.tile([0.0, 0.0, -1.0], (N, 1))
    path = write(tmp_path / "phone.csv", header, [t, gravity, -a / G - gravity, w])
    check(read_recording(path), signals, names=("phone",), rtol=1e-5)


def test_mvnx_of_a_made_turn(tmp_path):
    """A sensor that turns about x by 1 rad/s and accelerates by 2 m/s² along the world's y."""
    t = np.arange(60) / 60.0
    frames = []
    for i, s in enumerate(t):
        q = f"{np.cos(s / 2)} {np.sin(s / 2)} 0 0"
        frames.append(
            f'<frame time="{round(1e3 * s)}" index="{i}" type="normal">'
            f"<sensorFreeAcceleration>0 2 0</sensorFreeAcceleration><sensorOrientation>{q}</sensorOrientation></frame>"
        )
    text = (
        '<mvnx xmlns="http://www.xsens.com/mvn/mvnx"><subject frameRate="60"><sensors>'
        f'<sensor label="LeftForeArm"/></sensors><frames>{"".join(frames)}</frames></subject></mvnx>'
    )
    (tmp_path / "clip.mvnx").write_text(text)
    rec = read_recording(tmp_path / "clip.mvnx")
    assert rec.sensors == ("left_fore_arm",)
    np.testing.assert_allclose(rec.gyro[:, 0], np.tile([1.0, 0, 0], (60, 1)), atol=1e-6)
    exact = np.stack([0 * t, 2 * np.cos(t) + G * np.sin(t), G * np.cos(t) - 2 * np.sin(t)], axis=1)
    np.testing.assert_allclose(rec.acc[:, 0], exact, atol=1e-6)
    (tmp_path / "cut.mvnx").write_text(text[: len(text) // 2])
    with pytest.raises(MotionFileError, match="damaged"):
        read_recording(tmp_path / "cut.mvnx")


def test_what_is_no_recording_is_said(tmp_path, signals):
    t, a, w = signals
    header = ["time", "linear_acc_x", "linear_acc_y", "linear_acc_z", "gyro_x", "gyro_y", "gyro_z"]
    with pytest.raises(MotionFileError, match="without gravity"):
        read_recording(write(tmp_path / "linear.csv", header, [t, a, w]))
    header[1:4] = ["acc_x", "acc_y", "acc_z"]
    with pytest.raises(UnitError, match="median length"):
        read_recording(write(tmp_path / "counts.csv", header, [t, 700 * a, w]))
    check(read_recording(write(tmp_path / "ok.csv", header, [t, a / G, w]), acc_unit="g"), signals, rtol=1e-5)
    (tmp_path / "noise.parquet").write_bytes(b"PAR1 nothing")
    for bad in ("noise.parquet", "missing.csv"):
        with pytest.raises(MotionFileError):
            read_recording(tmp_path / bad)


def test_our_own_files_come_back(tmp_path, signals):
    t, a, w = signals
    rec = im.Recording(t, a[:, None], w[:, None], ("left_wrist",), unit="m/s2", gyro_unit="rad/s")
    for suffix in ("csv", "parquet", "npz"):
        rec.save(tmp_path / f"own.{suffix}")
        again = read_recording(tmp_path / f"own.{suffix}")
        assert again.sensors == ("left_wrist",)
        np.testing.assert_allclose(again.acc, rec.acc, atol=1e-9)


@pytest.mark.data
def test_real_files(request):
    root = Path(os.environ.get("MUJO_DATA", ""))
    if not (root / "mvnx" / "test_mocap.mvnx").is_file():
        pytest.skip("MUJO_DATA is not set")
    rec = read_recording(root / "mvnx" / "test_mocap.mvnx")
    assert len(rec.sensors) == 11
    assert np.median(np.linalg.norm(rec.acc, axis=-1)) == pytest.approx(G, rel=0.05)
    table = read_recording(root / "swing" / "swing_imu.csv")
    assert set(table.sensors) == {"upper_leg", "lower_leg", "foot"}
    assert table.rate_hz == pytest.approx(256.0, rel=0.01)
    assert np.median(np.linalg.norm(table.acc, axis=-1)) == pytest.approx(G, rel=0.1)
