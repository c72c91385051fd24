"""The `mujo` command: what it lists, what it writes, and one clear sentence when something is wrong."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest


def run(*args: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mujo.cli", *args],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, **env},
    )


def wrong(done: subprocess.CompletedProcess[str], *words: str) -> None:
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    errors = [line for line in done.stderr.splitlines() if line.startswith("mujo: error:")]
    assert len(errors) == 1, done.stderr
    for word in words:
        assert word in errors[0]


def test_datasets_lists_all_and_says_what_is_here(tmp_path):
    (tmp_path / "hapt").mkdir()
    done = run("datasets", MUJO_DATA=str(tmp_path))
    assert done.returncode == 0
    for key in ("mmfit", "myogym", "motionsense", "mhealth", "utd_mhad", "spar", "hapt", "dsads"):
        assert f"\n{key} " in done.stdout
    assert str(tmp_path / "hapt") in done.stdout
    one = run("datasets", "mmfit", MUJO_DATA=str(tmp_path))
    assert "mmfit.github.io" in one.stdout
    assert "jumping_jacks" in one.stdout
    damaged = run("datasets", "hapt", MUJO_DATA=str(tmp_path))
    assert damaged.returncode == 0
    assert "failed" in damaged.stdout


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("finetune", "nothing"), ("unknown data set", "motionsense")),
        (("finetune", "myogym"), ("MyoGym.mat", "MUJO_DATA")),
        (("finetune", "spar", "--fold", "9"), ("fold=9",)),
        (("finetune", "spar", "--encoder", "fcnn"), ("fcn",)),
        (("finetune", "spar", "--mode", "probe"), ("Give a .safetensors file",)),
        (("finetune", "spar", "--encoder", "none.safetensors"), ("no such file",)),
        (("finetune", "spar", "--encoder", "weights.pth"), ("can run code",)),
        (("finetune", "spar", "--fraction", "2"), ("fraction=2",)),
        (("finetune", "spar", "--fraction", ".5", "--units-per-class", "2"), ("not both",)),
        (("evaluate", "--datasets", "spra"), ("unknown data set", "spar")),
        (("evaluate", "--datasets", "spar", "--out", "/proc/nowhere"), ("cannot be written",)),
    ],
)
def test_one_clear_sentence(args, words, tmp_path):
    wrong(run(*args, MUJO_DATA=str(tmp_path)), *words)


@pytest.mark.asset
@pytest.mark.slow
def test_finetune_writes_what_it_says_and_its_encoder_can_be_probed(tmp_path):
    first = run("finetune", "spar", "--units-per-class", "1", "--out", str(tmp_path / "a"))
    assert first.returncode == 0, first.stderr
    scores = json.loads((tmp_path / "a" / "scores.json").read_text())
    assert scores["labelled_recordings"] == 7
    assert f"macro-F1 {scores['macro_f1']:.3f}" in first.stdout
    counts = np.genfromtxt(tmp_path / "a" / "confusion.csv", delimiter=",", skip_header=1)[:, 1:]
    assert counts.sum() == scores["test_windows"]
    again = run(
        "finetune", "spar", "--mode", "probe", "--encoder", str(tmp_path / "a" / "encoder.safetensors"), "--fold", "1",
        "--out", str(tmp_path / "b"),
    )  # fmt: skip
    assert again.returncode == 0, again.stderr
    assert {p.name for p in Path(tmp_path / "b").iterdir()} == {
        "scores.json",
        "confusion.csv",
        "encoder.safetensors",
    }


def test_importing_mujo_loads_nothing_heavy():
    code = "import sys, mujo; print([m for m in ('torch', 'pandas', 'sklearn', 'scipy', 'numba') if m in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"
