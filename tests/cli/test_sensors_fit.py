"""`imusim sensors fit`, end to end: a simulated device at rest → a preset that brings its noise back; and bad files."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from imusim.allan import allan_deviation, read_static
from imusim.cli import main
from imusim.errors import QualityWarning
from imusim.recording import Recording
from imusim.sensor import (
    BiasInstability,
    Context,
    Quantisation,
    RateRandomWalk,
    Signals,
    WhiteNoise,
    find,
)

DPS, G = np.pi / 180, 9.80665
RATE = 10.0
ACC_N, GYRO_N = 150e-6 * G, 0.007 * DPS  # one-sided
GYRO_B = 10 * DPS / 3600
HEADER = "time_s,ax,ay,az,gx,gy,gz"


def at_rest(hours=2.0, seed=0):
    samples = int(hours * 3600 * RATE)
    acc = np.tile([0.1, -0.2, 9.79], (samples, 1, 1))
    gyro = np.tile([0.01, -0.004, 0.002], (samples, 1, 1))
    signals = Signals(np.arange(samples) / RATE, acc, gyro)
    for name, term in (
        ("flicker", BiasInstability(40e-6 * G, GYRO_B)),
        ("walk", RateRandomWalk(1e-6 * G, 20 * DPS / 3600 / 60)),
        ("white", WhiteNoise(ACC_N, GYRO_N)),
        ("step", Quantisation(G / 16384, DPS / 262)),
    ):
        signals = term(signals, Context(RATE, seed, ("still",), name))
    return signals


def write_table(path, signals, header=HEADER, acc=1.0, gyro=1.0, time=1.0):
    columns = [signals.time_s * time, signals.acc[:, 0] * acc, signals.gyro[:, 0] * gyro]
    np.savetxt(path, np.column_stack(columns), delimiter=",", fmt="%.9g", header=header, comments="")
    return path


@pytest.fixture(scope="module")
def static(tmp_path_factory):
    folder = tmp_path_factory.mktemp("static")
    return at_rest(), folder


def run(*args):
    return subprocess.run(
        [sys.executable, "-m", "imusim.cli", "sensors", *args],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "COLUMNS": "120"},
    )


def refused(capsys, *args):
    """Run in this process; return the one sentence of the error."""
    with pytest.raises(SystemExit) as stopped:
        main(["sensors", "fit", *map(str, args)])
    assert stopped.value.code == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("imusim: error:")]
    assert len(lines) == 1
    return lines[0]


def leftovers(folder: Path):
    return sorted(p.name for p in folder.iterdir())


def test_a_table_becomes_a_preset(static):
    signals, folder = static
    header = "time_s,ax_g,ay_g,az_g,gx_dps,gy_dps,gz_dps"
    path = write_table(folder / "static.csv", signals, header, acc=1 / G, gyro=1 / DPS)
    out = folder / "out"
    done = run("fit", str(path), "--name", "my watch", "--out", str(out))
    assert done.returncode == 0, done.stderr
    assert leftovers(out) == ["my_watch.yaml", "my_watch_allan.png"]
    assert (out / "my_watch_allan.png").read_bytes().startswith(b"\x89PNG")
    for words in ("acc  N", "gyro B", "°/h/√h", "µg", "95 %:", "wrote my_watch.yaml"):
        assert words in done.stdout
    assert "still" not in done.stderr
    sensor = find(out / "my_watch.yaml")
    assert sensor.name == "my watch"
    assert not sensor.notional
    terms = {type(term).__name__: term for term in sensor.terms}
    acc, gyro = terms["WhiteNoise"].sigma(RATE)
    assert acc == pytest.approx(np.full(3, ACC_N * np.sqrt(RATE / 2)), rel=0.03)
    assert gyro == pytest.approx(np.full(3, GYRO_N * np.sqrt(RATE / 2)), rel=0.03)
    assert np.array(terms["BiasInstability"].gyro_rad_s) == pytest.approx(np.full(3, GYRO_B), rel=0.3)
    assert terms["Quantisation"].acc_lsb_m_s2 == pytest.approx(G / 16384, rel=1e-3)
    assert terms["Quantisation"].gyro_lsb_rad_s == pytest.approx(DPS / 262, rel=1e-3)
    # what the preset simulates has the device's Allan deviation
    zero = Signals(signals.time_s, np.zeros_like(signals.acc), np.zeros_like(signals.gyro))
    again = sensor.apply(zero, RATE, seed=3)
    taus = [0.1, 1.0, 10.0, 60.0]
    device = allan_deviation(signals.gyro[:, 0], RATE, taus).deviation
    simulated = allan_deviation(again.gyro[:, 0], RATE, taus).deviation
    assert simulated == pytest.approx(device, rel=0.2)
    assert simulated[:2] == pytest.approx(device[:2], rel=0.04)


def test_the_list_stays_what_it_was():
    plain, listed = run(), run("list")
    assert plain.returncode == listed.returncode == 0
    assert plain.stdout == listed.stdout
    assert "Bosch BMI270" in plain.stdout


def test_recordings_of_imusim_and_tables_are_read_alike(static, tmp_path):
    signals, _ = static
    few = signals.part(0, 3000)
    rec = Recording(few.time_s, few.acc, few.gyro, ("wrist",), unit="m/s2")
    for suffix in (".csv", ".parquet", ".npz"):
        rec.save(tmp_path / f"rec{suffix}")
        static_rec = read_static(tmp_path / f"rec{suffix}")
        assert static_rec.rate_hz == RATE
        assert np.array_equal(static_rec.gyro, few.gyro[:, 0])
    for header, scale in (
        (HEADER, {}),
        ("timestamp_ms,accel_x,accel_y,accel_z,gyro_x,gyro_y,gyro_z", {"time": 1e3}),
        (
            "t [us],acc_x [mg],acc_y [mg],acc_z [mg],gyr_x [rad/s],gyr_y [rad/s],gyr_z [rad/s]",
            {"time": 1e6, "acc": 1e3 / G},
        ),
        ("Time,AccX,AccY,AccZ,GyroX (deg/s),GyroY (deg/s),GyroZ (deg/s)", {"acc": 1 / G, "gyro": 1 / DPS}),
        ("time,ax (m/s^2),ay (m/s^2),az (m/s^2),wx (mdps),wy (mdps),wz (mdps)", {"gyro": 1e3 / DPS}),
    ):
        table = read_static(write_table(tmp_path / "table.csv", few, header, **scale))
        assert table.rate_hz == pytest.approx(RATE, rel=1e-5)
        assert np.allclose(table.acc, few.acc[:, 0], rtol=1e-6, atol=1e-9)
        assert np.allclose(table.gyro, few.gyro[:, 0], rtol=1e-6, atol=1e-9)
    semicolons = (tmp_path / "table.csv").read_text().replace(",", ";")
    (tmp_path / "semi.txt").write_text("# exported by a logger\n" + semicolons)
    assert read_static(tmp_path / "semi.txt").acc.shape == (3000, 3)
    bare = write_table(tmp_path / "table.csv", few)
    assert read_static(bare, rate_hz=20.0).rate_hz == 20.0
    assert read_static(bare, gyro_unit="deg/s").gyro == pytest.approx(few.gyro[:, 0] * DPS, rel=1e-6)
    assert any("rad/s is assumed" in remark for remark in read_static(bare).remarks)


def test_the_longest_piece_without_holes_is_used(static, tmp_path):
    few = static[0].part(0, 3000)
    path = write_table(tmp_path / "holes.csv", few)
    lines = path.read_text().splitlines()
    lines[501] = lines[501].rsplit(",", 1)[0] + ","  # an empty cell
    del lines[2001:2050]  # lost packets
    path.write_text("\n".join(lines) + "\n")
    piece = read_static(path)
    assert np.allclose(piece.gyro, few.gyro[501:2000, 0], rtol=1e-6, atol=1e-9)
    assert any("2 holes" in remark for remark in piece.remarks)


def test_a_short_or_shaken_recording_is_told(static, tmp_path):
    few = static[0].part(0, 3000)
    shaken = few.gyro.copy()
    shaken[1500:1530] += np.random.default_rng(0).normal(0, 0.5, (30, 1, 3))
    path = write_table(tmp_path / "short.csv", few.with_(gyro=shaken))
    with pytest.warns(QualityWarning) as said:
        main_quietly(["sensors", "fit", str(path), "--out", str(tmp_path)])
    text = " ".join(str(one.message) for one in said)
    assert "not still" in text
    assert "too short for the K of gyro" in text
    assert " h would show" in text or "30 days" in text
    assert (tmp_path / "short.yaml").is_file()


def main_quietly(args):
    import warnings

    show = warnings.showwarning
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("imusim.cli._show_warning", show)
            main(args)
    finally:
        warnings.showwarning = show


def test_bad_files_are_refused_in_one_sentence(static, tmp_path, capsys):
    few = static[0].part(0, 600)
    folder = tmp_path / "in"
    folder.mkdir()

    def table(text):
        (folder / "bad.csv").write_text(text)
        return folder / "bad.csv"

    rows = "0,0,0,9.8,0,0,0\n0.1,0,0,9.8,0,0,0\n"
    assert "no such file" in refused(capsys, folder / "none.csv")
    assert "is a folder" in refused(capsys, folder)
    assert "is empty" in refused(capsys, table(""))
    assert "no rows" in refused(capsys, table(HEADER + "\n"))
    assert "no header" in refused(capsys, table(rows))
    said = refused(capsys, table("time,ax,ay,az,gx,gy\n0,0,0,9.8,0,0\n"))
    assert "lacks gyro_z" in said
    assert "time, ax, ay, az" in said
    assert "'abc' in row 2" in refused(capsys, table(f"{HEADER}\n0,0,0,9.8,0,0,0\n0.1,0,0,abc,0,0,0\n"))
    assert "could both be" in refused(capsys, table("time,ax,acc_x,ay,az,gx,gy,gz\n0,0,0,0,9.8,0,0,0\n"))
    assert "does not increase" in refused(capsys, table(f"{HEADER}\n" + rows + rows))
    assert "raw counts" in refused(capsys, write_table(folder / "raw.csv", few, acc=1600.0))
    no_time = write_table(folder / "none.csv", few, "index,ax,ay,az,gx,gy,gz")
    assert "--rate" in refused(capsys, no_time)
    assert "between 0.1 and 20000" in refused(capsys, no_time, "--rate", "0")
    short = write_table(folder / "short.csv", few.part(0, 100))
    assert "wanted 256" in refused(capsys, short)
    dead = write_table(folder / "dead.csv", few.with_(gyro=np.zeros_like(few.gyro)))
    assert "gyro x never changes" in refused(capsys, dead)
    (folder / "binary.csv").write_bytes(bytes(range(256)) * 20)
    assert "not a text file" in refused(capsys, folder / "binary.csv")
    (folder / "binary.npz").write_bytes(b"PK nothing" * 20)
    assert "binary.npz" in refused(capsys, folder / "binary.npz")
    both = np.repeat(few.acc, 2, axis=1), np.repeat(few.gyro, 2, axis=1)
    Recording(few.time_s, *both, ("left", "right"), unit="m/s2").save(folder / "two.npz")
    assert "--sensor left" in refused(capsys, folder / "two.npz")
    assert "Did you mean 'left'" in refused(capsys, folder / "two.npz", "--sensor", "lefd")
    fine = write_table(folder / "fine.csv", few)
    assert "name" in refused(capsys, fine, "--name", "///")
    assert "cannot write" in refused(capsys, fine, "--out", fine)
    assert not [name for name in leftovers(folder) if name.endswith((".yaml", ".png")) or "partial" in name]
