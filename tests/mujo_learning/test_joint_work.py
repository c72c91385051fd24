"""Runs of the results on made windows and clips: every kind of run, test people unread, what the rows say."""

import dataclasses

import numpy as np
import pytest
from made_clips import made_clips
from made_windows import made_windows

from mujo import corpus as shards
from mujo.corpus.corpora import sentence_features
from mujo.errors import ImusimError
from mujo.evaluate import joint_work
from mujo.evaluate.joint_work import columns, corpus, corpus_guesses, prepare
from mujo.evaluate.plan import RESULT_GRIDS, Run, plan
from mujo.evaluate.variants import variant
from mujo.joint.targets import class_texts
from mujo.splits import Labelled, split

pytestmark = [pytest.mark.asset, pytest.mark.xdist_group("joint_work")]
CLASSES = tuple(class_texts("spar"))
"""Seven; the windows have four of them."""


def run_of(objective="mujo", mode="finetune", name="main", units=1):
    init = "scratch" if objective == "none" else "pretrained"
    return Run("spar", "fcn", objective, init, mode, Labelled(units=units), 0, 0, name)


@pytest.fixture(scope="module")
def windows():
    return dataclasses.replace(made_windows(people=5, classes=4, length=100), classes=CLASSES)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A corpus of made clips under the names of SPAR's movements, and of two that SPAR does not have."""
    place = tmp_path_factory.mktemp("runs")
    clips = []
    for c in made_clips(movements=6):
        k = int(c.label[1:])
        label = class_texts("spar")[CLASSES[k]][1][0] if k < 4 else ("squats", "lunges")[k - 4]
        said = class_texts("spar")[CLASSES[k]][0] if k < 4 else (label,)
        features = sentence_features(said)
        places = ("left_wrist" if c.key[-1] in "0246" else "right_wrist", "chest")
        clips.append(
            dataclasses.replace(c, label=label, text=said, text_features=features, placements=places)
        )
    shards.write(clips, place / "corpus", progress=False)
    (place / "corpus" / "done").write_text("")
    return place


@pytest.fixture(autouse=True)
def short(monkeypatch):
    monkeypatch.setattr(joint_work, "STEPS", 40)
    monkeypatch.setattr(joint_work, "BATCH", 48)


def guesses_of(folder, run, windows, parts):
    return corpus_guesses(folder, run, 0.5, windows, parts.labelled, parts.unlabelled)(parts.test)


@pytest.mark.parametrize(
    "run",
    [
        run_of(mode="zeroshot"), run_of(mode="probe"), run_of(), run_of(name="together"),
        run_of("imu-text", name="together"), run_of("simclr", name="together"), run_of("none", name="together"),
        run_of(name="no target names", mode="zeroshot"), run_of(name="together, no text"), run_of(name="together, no gyro"),
        run_of(name="together, no placement match"),
    ],
    ids=lambda r: r.key,
)  # fmt: skip
def test_every_kind_of_run(folder, windows, run):
    parts = split(windows, ["p4"], run.labelled, 0)
    found = guesses_of(folder, run, windows, parts)
    assert found.shape == parts.test.shape
    assert set(found) <= set(range(4))
    if run.variant == "together" and run.mode == "finetune":
        assert (found == windows.y[parts.test]).mean() > 0.5  # made so that a person can tell them apart


def test_test_people_are_not_read(folder, windows):
    parts = split(windows, ["p4"], Labelled(units=1), 0)
    other = windows.X.copy(), windows.y.copy()
    other[0][parts.test] = np.random.default_rng(0).normal(size=other[0][parts.test].shape) * 50
    other[1][parts.test] = 0
    poisoned = dataclasses.replace(windows, X=other[0], y=other[1])
    training = parts.unlabelled
    for mode in ("zeroshot", "finetune"):
        run = run_of(mode=mode, name="together" if mode == "finetune" else "main")
        first, second = (
            corpus_guesses(folder, run, 0.5, w, parts.labelled, parts.unlabelled)(training)
            for w in (windows, poisoned)
        )
        np.testing.assert_array_equal(first, second)


def test_an_encoder_is_made_once(folder, windows):
    parts = split(windows, ["p4"], Labelled(units=1), 0)
    guesses_of(folder, run_of(name="together"), windows, parts)
    made = {p: p.stat().st_mtime_ns for p in (folder / "encoders").glob("*/joint.safetensors")}
    assert made
    first = guesses_of(folder, run_of(name="together"), windows, parts)
    np.testing.assert_array_equal(first, guesses_of(folder, run_of(name="together"), windows, parts))
    assert made == {p: p.stat().st_mtime_ns for p in made}


def test_leaving_out_leaves_out(folder, windows):
    everyone = np.arange(len(windows))
    acc = prepare(folder, run_of(), variant("no gyro"), windows, everyone)
    assert acc.X.shape[1] == acc.X_sim.shape[1] == 3
    unnamed = prepare(folder, run_of(), variant("no target names"), windows, everyone)
    assert len(unnamed.X_sim) == 0
    whole = prepare(folder, run_of(), variant("main"), windows, everyone)
    assert set(whole.y_sim) == set(range(4))
    assert {c.label for c in corpus(str(folder), "spar", False)} == {"squats", "lunges"}
    assert variant("together, no pose") == dataclasses.replace(variant("no pose"), together=True)
    with pytest.raises(ImusimError, match="no pose"):
        variant("no poses")


def test_what_rows_say_of_the_corpus():
    assert columns(run_of("none", name="main"))["pretrain_corpus"] == "none"
    assert columns(run_of("none", name="together"))["pretrain_corpus"] == "embedded"
    assert columns(run_of(name="own windows too"))["target_motion_used"] != "no"
    assert columns(run_of())["target_motion_used"] == "no"
    assert "without" in columns(run_of(name="no target names"))["pretrain_corpus"]


def test_the_results_grid_covers_what_is_promised():
    runs = [r for job in plan("results", [*RESULT_GRIDS["results"].labelled]) for r in job]
    assert len({r.key for r in runs}) == len(runs)
    for data, amounts in RESULT_GRIDS["results"].labelled.items():
        mine = [r for r in runs if r.dataset == data and not r.transfer]
        for objective, mode, name in (
            ("none", "finetune", "main"), ("mujo", "finetune", "together"), ("mujo", "probe", "main"),
        ):  # fmt: skip
            found = {
                (str(r.labelled), r.seed)
                for r in mine
                if (r.objective, r.mode, r.variant) == (objective, mode, name)
            }
            assert found == {(a, s) for a in amounts for s in range(5)}
        assert {r.objective for r in mine} == {"none", "mujo", "imu-text", "simclr", "masked", "augmentation"}
    transfer = [r for r in runs if r.transfer]
    assert {r.fold for r in transfer} == set(range(4))
    assert {r.variant for r in runs if "no " in r.variant} >= {"no pose", "together, no text"}
    keys = {r.key for r in runs}
    assert {r.key for job in plan("transfer", ["utd_mhad"]) for r in job} == {r.key for r in transfer}
    blind = [r for job in plan("zeroshot", [*RESULT_GRIDS["results"].labelled]) for r in job]
    assert {r.key for r in blind} == {k for k in keys if "/zeroshot/" in k} - {r.key for r in transfer}
