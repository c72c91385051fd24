"""A grid on files of six made-up people: rows, tables, plots; killed ten times, it ends with the same rows."""

import csv
import itertools
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from mujo.errors import ConfigError, ImusimError
from mujo.evaluate import Results, Settings, evaluate, plan, write_plots, write_tables
from mujo.evaluate.plan import GRIDS, Run
from mujo.evaluate.results import COLUMNS
from mujo.evaluate.work import do_job, do_run
from mujo.splits import Labelled

pytestmark = pytest.mark.xdist_group("grid")


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """HAPT's layout: six people, three activities of different frequency, two bouts each."""
    raw = tmp_path_factory.mktemp("hapt") / "RawData"
    raw.mkdir()
    rng = np.random.default_rng(0)
    labels = []
    for person in range(1, 7):
        parts = []
        for k, activity in enumerate((1, 2, 5, 1, 2, 5)):
            t = np.arange(300) / 50
            wave = np.sin(2 * np.pi * (1 + k % 3) * t)[:, None] * (k % 3 != 2)
            parts.append(np.hstack([0.3 * wave, 0.1 * wave, 1 + 0 * wave, wave, 0 * wave, wave]))
            labels.append((person, person, activity, 300 * k + 1, 300 * k + 300))
        x = np.concatenate(parts)
        x += rng.normal(0, 0.1, x.shape)
        np.savetxt(raw / f"acc_exp{person:02d}_user{person:02d}.txt", x[:, :3], fmt="%.5f")
        np.savetxt(raw / f"gyro_exp{person:02d}_user{person:02d}.txt", x[:, 3:], fmt="%.5f")
    np.savetxt(raw / "labels.txt", labels, fmt="%d")
    return raw.parent


def rows_of(folder: Path) -> list[dict[str, str]]:
    """Rows without what differs from machine to machine, sorted."""
    rows = [{k: v for k, v in r.items() if k not in ("seconds", "commit")} for r in Results(folder).rows()]
    return sorted(rows, key=lambda r: tuple(r.values()))


def test_the_report_grid_covers_what_is_promised():
    runs = list(itertools.chain(*plan("report", ["motionsense", "spar"])))
    assert len({r.key for r in runs}) == len(runs)
    scratch = [r for r in runs if r.dataset == "spar" and r.encoder == "fcn" and r.init == "scratch"]
    assert {str(r.labelled) for r in scratch} == {
        "f0.01", "f0.02", "f0.05", "f0.1", "f0.2", "f0.5", "f1", "k1", "k2", "k4", "k8",
    }  # fmt: skip
    assert {r.seed for r in scratch} == {r.fold for r in scratch} == set(range(5))
    compared = {(r.objective, r.mode, str(r.labelled)) for r in runs if r.init == "pretrained"}
    assert len(compared) == 3 * 2 * 3
    assert {r.encoder for r in runs} >= {
        "fcn",
        "random_forest",
        "resnet1d",
        "patchtransformer",
        "deepconvlstm",
    }
    with pytest.raises(ImusimError, match="motionsense"):
        plan("quick", ["motionsens"])
    with pytest.raises(ImusimError, match="report"):
        plan("reprt", ["spar"])
    assert all(g.cut for g in GRIDS.values())


def test_rows_tables_plots_and_going_on(made, tmp_path):
    said: list[str] = []
    options = {
        "grid": "quick",
        "roots": {"hapt": str(made)},
        "steps": 0.05,
        "progress": False,
        "say": said.append,
    }
    assert evaluate(["hapt"], tmp_path, **options) == []
    text = (tmp_path / "results.csv").read_text()
    assert tuple(next(csv.reader([text.splitlines()[0]]))) == COLUMNS
    rows = rows_of(tmp_path)
    assert len(rows) == 8
    assert any("minutes on 2 processes" in line for line in said)
    best = [r for r in rows if r["encoder"] == "random_forest" and r["labelled"] == "f1"]
    assert float(best[0]["macro_f1"]) > 0.9
    pretrained = [r for r in rows if r["objective"] == "simclr"]
    assert {r["target_motion_used"] for r in pretrained} == {"yes"}
    for name in ("hapt.md", "hapt.csv", "tables.md", "learning_curves.png", "confusion_hapt.png"):
        assert (tmp_path / name).stat().st_size > 100
    said.clear()
    evaluate(["hapt"], tmp_path, **options)  # nothing is left to do
    assert "0 to do" in said[0]
    assert (tmp_path / "results.csv").read_text() == text
    with pytest.raises(ConfigError, match="another --out"):
        evaluate(["hapt"], tmp_path, **{**options, "steps": 0.5})


def test_a_run_is_written_once_and_half_a_line_is_no_row(made, tmp_path):
    settings = Settings((("hapt", str(made)),), 0.05)
    run = Run("hapt", "random_forest", "none", "scratch", "finetune", Labelled(1.0), 0, 0)
    results = Results(tmp_path)
    row, people = do_run(tmp_path, run, settings)
    assert results.add(run, row, people)
    assert not results.add(run, row, people)
    with open(results.path, "a") as stream:
        stream.write("hapt,fcn,no")  # killed while writing
    assert len(results.rows()) == 1
    other = Run("hapt", "random_forest", "none", "scratch", "finetune", Labelled(1.0), 1, 1)
    assert results.add(other, *do_run(tmp_path, other, settings))
    assert [r["fold"] for r in results.rows()] == ["0", "1"]
    assert write_tables(results)
    assert write_plots(results)
    total = sum(results.people_of(results.rows()[0]).values())
    assert total.sum() == int(results.rows()[0]["n_test"])


def test_a_bad_run_is_written_down_and_the_others_go_on(made, tmp_path):
    settings = Settings((("hapt", str(made)),), 0.05)
    bad = Run("hapt", "fnc", "none", "scratch", "finetune", Labelled(1.0), 0, 0)
    good = Run("hapt", "random_forest", "none", "scratch", "finetune", Labelled(1.0), 0, 0)
    assert do_job(str(tmp_path), [bad, good], settings) == [bad.key]
    assert "fcn" in next((tmp_path / "failures").iterdir()).read_text()
    assert len(Results(tmp_path).rows()) == 1


SCRIPT = """
from mujo.evaluate import evaluate
if __name__ == "__main__":
    evaluate(["hapt"], {out!r}, grid="quick", roots={{"hapt": {root!r}}}, steps=0.05, progress=False)
"""


@pytest.mark.slow
def test_killed_ten_times_it_ends_with_the_same_rows(made, tmp_path):
    script = tmp_path / "run.py"
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    script.write_text(SCRIPT.format(out=str(whole), root=str(made)))
    started = time.monotonic()
    subprocess.run([sys.executable, str(script)], check=True, stdout=subprocess.DEVNULL)
    takes = time.monotonic() - started
    script.write_text(SCRIPT.format(out=str(killed), root=str(made)))
    for moment in np.random.default_rng(1).uniform(0.3, 1.0, 10) * takes:
        process = subprocess.Popen(
            [sys.executable, str(script)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            process.wait(moment)
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)  # the parent only: its workers must notice, or do no harm
            process.wait()
    subprocess.run([sys.executable, str(script)], check=True, stdout=subprocess.DEVNULL)
    assert rows_of(killed) == rows_of(whole)
    assert len(rows_of(killed)) == len({tuple(r.values()) for r in rows_of(killed)}) == 8
