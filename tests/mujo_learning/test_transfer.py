"""Cross-modal transfer on the real recordings, in a short form: who is seen, and that the motion teaches the wrist."""

from functools import lru_cache

import numpy as np
import pytest

from mujo.corpus.kinect import read_trials
from mujo.evaluate import transfer
from mujo.evaluate.plan import Run
from mujo.evaluate.transfer import FOLDS, columns, fold_clips, in_band, transfer_guesses, transfer_windows
from mujo.metrics import confusion, macro_f1
from mujo.splits import Labelled, split

pytestmark = [pytest.mark.data, pytest.mark.asset, pytest.mark.xdist_group("transfer")]


@pytest.fixture(scope="module", autouse=True)
def fewer_trials():
    """Every third recording: the others cost half a minute and show nothing else."""
    whole = transfer._trials
    transfer._trials = lru_cache(lambda root: read_trials(root, every=3))
    transfer.fold_clips.cache_clear()
    yield
    transfer._trials = whole
    transfer.fold_clips.cache_clear()


def run_of(init="pretrained", mode="zeroshot", variant="transfer", fold=3):
    return Run(
        "utd_mhad",
        "fcn",
        "mujo" if init == "pretrained" else "none",
        init,
        mode,
        Labelled(units=1),
        fold,
        0,
        variant,
    )


def test_only_training_people_move():
    for fold, tested in enumerate(FOLDS[:2]):
        people = {c.group.split("_")[0].removeprefix("s") for c in fold_clips(None, fold)}
        assert people == {str(p) for p in range(1, 9)} - set(tested)
    assert (
        max(len(c.imu) for c in fold_clips(None, 0)) == 170
    )  # windows of 3 s begin within 0.4 s of the start
    assert sorted(p for pair in FOLDS for p in pair) == [str(p) for p in range(1, 9)]


def test_motion_with_names_teaches_the_wrist(tmp_path):
    """A third of the steps: names alone and one trial a class are far above chance; test people's windows are unread."""
    windows = transfer_windows(None)
    parts = split(windows, FOLDS[3], Labelled(units=1), 0)
    options = (windows, parts.labelled, parts.unlabelled)
    truth = windows.y[parts.test]
    scores = {}
    for run in (run_of(), run_of(mode="finetune", variant="transfer, together")):
        found = transfer_guesses(tmp_path, run, 0.3, None, *options)(parts.test)
        scores[run.mode] = float(macro_f1(confusion(truth, found, len(windows.classes))))
    assert scores["zeroshot"] > 0.3  # chance: 0.05
    assert scores["finetune"] > 0.4
    import dataclasses

    X = windows.X.copy()
    X[parts.test] = 7.0
    other = dataclasses.replace(windows, X=X)
    first = transfer_guesses(tmp_path / "a", run_of(), 0.02, None, *options)(parts.labelled)
    second = transfer_guesses(tmp_path / "b", run_of(), 0.02, None, other, *options[1:])(parts.labelled)
    np.testing.assert_array_equal(first, second)


def test_what_rows_say():
    assert columns(run_of("scratch", "finetune")) == {
        "pretrain_corpus": "none", "target_motion_used": "no", "alignment": "none",
    }  # fmt: skip
    assert columns(run_of())["alignment"] == "paired"


def test_the_band():
    t = np.arange(150) / 50
    slow, fast = np.sin(2 * np.pi * 1.0 * t), np.sin(2 * np.pi * 15.0 * t)
    X = np.stack([slow, fast])[None].astype(np.float32)
    Y = in_band(X)
    assert np.abs(Y[0, 0] - slow)[20:-20].max() < 0.02
    assert np.abs(Y[0, 1])[20:-20].max() < 0.02
