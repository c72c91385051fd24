"""What a worker process does: pre-train if needed, train, test, write a row; run after run."""

from __future__ import annotations

import os
import subprocess
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from mujo.data import Windows, load
from mujo.errors import ImusimError
from mujo.evaluate.plan import FOLDS, FOREST, PROTOCOL, Run
from mujo.evaluate.results import Results
from mujo.files import write_whole
from mujo.metrics import accuracy, confusion, macro_f1
from mujo.splits import person_folds, split


@dataclass(frozen=True)
class Settings:
    """What all runs of a grid share.

    Parameters
    ----------
    roots : data set → folder; those that are not there are looked for under ``MUJO_DATA``
    steps : share of the usual numbers of optimiser steps (1: as published)
    """

    roots: tuple[tuple[str, str], ...] = ()
    steps: float = 1.0


def do_job(folder: str, runs: Sequence[Run], settings: Settings) -> list[str]:
    """Do the runs that are not in the results yet; return the keys of those that failed (failures/ says why)."""
    results = Results(folder)
    done = results.done()
    failed = []
    for run in runs:
        if run.key in done:
            continue
        try:
            row, people = do_run(results.folder, run, settings)
        except Exception as error:  # one bad run must not stop the others; it is written down
            said = str(error) if isinstance(error, ImusimError) else traceback.format_exc()
            (results.folder / "failures").mkdir(exist_ok=True)
            write_whole(results.folder / "failures" / (run.key.replace("/", "_") + ".txt"), said + "\n")
            failed.append(run.key)
            continue
        results.add(run, row, people)
    return failed


def do_run(folder: Path, run: Run, settings: Settings) -> tuple[dict[str, object], dict[str, np.ndarray]]:
    """Train and test once: (row of results.csv, person → confusion matrix)."""
    if run.transfer:
        from mujo.evaluate.transfer import FOLDS as PAIRS
        from mujo.evaluate.transfer import transfer_windows

        windows, test_people = transfer_windows(dict(settings.roots).get(run.dataset)), PAIRS[run.fold]
    else:
        windows = windows_of(run.dataset, settings)
        test_people = person_folds(sorted(set(windows.person.tolist())), FOLDS)[run.fold]
    parts = split(windows, test_people, run.labelled, run.seed)
    started = time.perf_counter()
    guess = guesses(folder, run, settings, windows, parts.labelled, parts.unlabelled)(parts.test)
    seconds = time.perf_counter() - started
    truth, person = windows.y[parts.test], windows.person[parts.test]
    count = len(windows.classes)
    people = {str(p): confusion(truth[person == p], guess[person == p], count) for p in np.unique(person)}
    total = np.sum(list(people.values()), axis=0)
    pretrained = run.init == "pretrained"
    named = {
        "pretrain_corpus": f"{run.dataset}:training people, unlabelled" if pretrained else "none",
        "target_motion_used": "yes" if pretrained else "no",
        "alignment": "none",
    }
    if run.transfer:
        from mujo.evaluate.transfer import columns

        named = columns(run)
    elif run.simulated:
        from mujo.evaluate.joint_work import columns

        named = columns(run)
    row = {
        "fraction": f"{len(parts.labelled) / len(parts.unlabelled):.6g}"
        if run.labelled.units
        else run.labelled.fraction,
        "macro_f1": f"{float(macro_f1(total)):.6f}",
        "accuracy": f"{accuracy(total):.6f}",
        "n_train": len(parts.labelled),
        "n_test": len(parts.test),
        "seconds": f"{seconds:.2f}",
        "commit": commit(),
        **named,
        "n_units": parts.units,
    }
    return row, people


def guesses(
    folder: Path, run: Run, settings: Settings, windows: Windows, labelled: np.ndarray, unlabelled: np.ndarray
) -> Callable[[np.ndarray], np.ndarray]:
    """Train as the run says; returns the function from windows (indices) to guesses. Sees training windows only."""
    if run.encoder == FOREST:
        from mujo.classical import forest, statistics

        found = statistics(windows.X[labelled], windows.rate_hz)
        return lambda test: forest(
            found, windows.y[labelled], statistics(windows.X[test], windows.rate_hz), run.seed
        )
    if run.transfer:
        from mujo.evaluate.transfer import transfer_guesses

        root = dict(settings.roots).get(run.dataset)
        return transfer_guesses(folder, run, settings.steps, root, windows, labelled, unlabelled)
    if run.simulated:
        from mujo.evaluate.joint_work import corpus_guesses

        return corpus_guesses(folder, run, settings.steps, windows, labelled, unlabelled)
    from mujo.finetune import train_classifier
    from mujo.layout import Layout
    from mujo.training import DEFAULT

    layout = Layout.of(windows.channel_names)
    classifier = train_classifier(
        encoder_of(folder, run, settings, windows, unlabelled),
        windows.X[labelled],
        windows.y[labelled],
        n_classes=len(windows.classes),
        layout=layout,
        mode=run.mode,
        pretrained=run.init == "pretrained",
        budget=scaled(DEFAULT, settings.steps),
        seed=run.seed,
    )
    return lambda test: classifier.predict(windows.X[test])


def encoder_of(folder: Path, run: Run, settings: Settings, windows: Windows, unlabelled: np.ndarray):
    """Fresh weights, or the encoder pre-trained on these windows: from its file, or trained now and kept."""
    from mujo.checkpoint import load_encoder, save_encoder
    from mujo.encoders import build
    from mujo.layout import Layout
    from mujo.pretrain import STEPS, pretrain_self_supervised
    from mujo.training import seeded

    if run.init == "scratch":
        with seeded(run.seed):
            return build(run.encoder)
    path = folder / "encoders" / f"{run.encoder_key}.safetensors"
    if not path.is_file():
        encoder = pretrain_self_supervised(
            windows.X[unlabelled],
            layout=Layout.of(windows.channel_names),
            objective=run.objective,
            encoder=run.encoder,
            budget=scaled(STEPS, settings.steps),
            seed=run.seed,
            unfinished=path.with_suffix(".unfinished"),
        )
        card = {"objective": run.objective, "corpus": f"{run.dataset}, unlabelled, all but fold {run.fold}"}
        save_encoder(path, encoder, card)
    return load_encoder(path)[0]


def scaled(budget, share: float):
    """The same budget with so many times the steps."""
    from dataclasses import replace

    if share == 1.0:
        return budget
    least, most = (max(1, round(share * n)) for n in (budget.least_steps, budget.most_steps))
    return replace(budget, epochs=budget.epochs * share, least_steps=least, most_steps=most)


@lru_cache(maxsize=2)
def windows_of(key: str, settings: Settings) -> Windows:
    """Windows of a data set by the protocol."""
    return load(key, dict(settings.roots).get(key)).windows(**PROTOCOL.get(key, {}))


@lru_cache(maxsize=1)
def commit() -> str:
    """Short hash of the source tree, or the version where there is none."""
    from imusim._version import __version__

    try:
        place = Path(__file__).resolve().parent
        said = subprocess.run(
            ["git", "-C", str(place), "describe", "--always", "--dirty"],
            capture_output=True,
            text=True,
            timeout=10,
        )
        return said.stdout.strip() or __version__
    except (OSError, subprocess.TimeoutExpired):
        return __version__


def start_worker(parent: int) -> None:
    """Prepare a worker process: one thread, and an end when the parent is gone."""
    os.environ["OMP_NUM_THREADS"] = "1"

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
    import torch

    torch.set_num_threads(1)
