"""`imusim validate` as users meet it: a logger's file with its own clock, names and units, worn on the wrong side."""

import json
import subprocess
import sys

import numpy as np
import pytest

import imusim as im
from benchmarks.fidelity.planted import made_trajectory, read_by
from imusim.conventions import STANDARD_GRAVITY

PLACES = ("left_wrist", "right_wrist", "right_thigh")


def run(folder, *words):
    command = [sys.executable, "-m", "imusim.cli", "validate", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=300)


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """Simulated sim.parquet; real.csv in g and deg/s by a clock in ms that began long before, with the wrists exchanged."""
    folder = tmp_path_factory.mktemp("lab")
    trajectory = made_trajectory(11, 30.0, frames=3)
    rec = im.simulate(trajectory, rate_hz=60)
    im.Recording(rec.time_s, rec.acc, rec.gyro, PLACES).save(folder / "sim.parquet")
    real = read_by(trajectory, 4, offset_s=0.4, names=PLACES)
    names = [
        f"{p}_{s}_{a}"
        for p in ("right_wrist", "left_wrist", "right_thigh")
        for s in ("acc", "gyro")
        for a in "xyz"
    ]
    numbers = np.concatenate([real.acc / STANDARD_GRAVITY, np.degrees(real.gyro)], axis=2).reshape(
        real.time_s.size, -1
    )
    clock = 500_000_000 + 1000 * real.time_s
    rows = [",".join(["timestamp", *names])]
    rows += [f"{t:.3f}," + ",".join(f"{v:.6f}" for v in row) for t, row in zip(clock, numbers, strict=True)]
    (folder / "real.csv").write_text("\n".join(rows) + "\n")
    return folder


def test_what_was_read_and_what_is_wrong_is_printed(lab):
    done = run(lab, "sim.parquet", "real.csv")
    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()
    assert said[0] == "real.csv: time: 'timestamp', taken for ms"
    assert "'right_wrist_acc_x' … and 2 more, g, by the size of gravity" in said[1]
    assert "'right_wrist_gyro_x' … and 2 more, deg/s, by its size" in said[2]
    assert said[3].startswith("right_wrist does not match")
    assert said[4].startswith("left_wrist does not match")
    assert said[5].startswith("right_thigh matches closely")
    assert "left_wrist and right_wrist look exchanged" in said[6]
    assert "nothing in common" in said[7]
    assert said[-1] == "wrote validation.json, validation.md, validation.png to validation"
    page = (lab / "validation" / "validation.md").read_text()
    assert "look exchanged" in page
    assert "by the size of gravity" in page
    kept = json.loads((lab / "validation" / "validation.json").read_text())
    assert kept["pairs"] == {p: p for p in PLACES}
    assert (lab / "validation" / "validation.png").stat().st_size > 20_000


def test_put_right_it_matches(lab):
    exchanged = ("left_wrist=right_wrist", "right_wrist=left_wrist", "right_thigh=right_thigh")
    done = run(lab, "sim.parquet", "real.csv", "--match", *exchanged, "--out", "right")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("matches closely") == 3
    assert "exchanged" not in done.stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--align", "rotation"), 'do not overlap for long enough. Add "time" to align'),
        (("--gyro-unit", "rad/s"), "looks like deg/s, wanted rad/s"),
        (("--align", "time,rotations"), "Did you mean 'rotation'?"),
    ],
)
def test_errors_are_one_sentence_and_leave_nothing(lab, words, message):
    done = run(lab, "sim.parquet", "real.csv", *words, "--out", "none")
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (lab / "none").exists()
