"""Which rule: tried on training people alone, `python -m mujo.evaluate.selection RUNS DOCS` (table in docs/selection.md).

In every fold, some of its training people (a quarter; two at least) stand in for test people, who are not looked at;
the others are trained on, with few labelled recordings a class, or all. What a fold's rule is must follow from its own
training people: the rule with the highest macro-F1, mean over data sets and amounts. The joint spaces are those of the
results (no data set's signals are in them).
"""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from mujo.data import Windows
from mujo.encoders import build
from mujo.evaluate.joint_work import augmentation_of, joint_of, names_of, prepare
from mujo.evaluate.plan import FOLDS, RESULT_GRIDS, Run
from mujo.evaluate.recipes import CANDIDATES, CHOSEN, Labels, Rule, fit
from mujo.evaluate.variants import variant
from mujo.evaluate.work import Settings, start_worker, windows_of
from mujo.files import write_section, write_whole
from mujo.metrics import confusion, macro_f1
from mujo.splits import Labelled, labelled_units, parse_labelled, person_folds
from mujo.training import seeded

AMOUNTS = {"k1": tuple(range(FOLDS))}
"""Labelled recordings a class (or all: "f1"), and the folds in which they are tried. The rule is chosen by the first."""
SCRATCH = "from scratch"
BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"


@dataclass(frozen=True)
class Inner:
    """People of one fold: those who are trained on, and those who stand in for test people."""

    train: tuple[str, ...]
    held_out: tuple[str, ...]


def inner_people(people: Sequence[str], fold: int) -> Inner:
    """Split a fold's training people: a quarter (two at least) is held out."""
    test = person_folds(people, FOLDS)[fold]
    left = [p for p in people if p not in test]
    held = person_folds(left, min(4, len(left) // 2), seed=1 + fold)[0]
    return Inner(tuple(p for p in left if p not in held), held)


class Trial:
    """A data set and a fold: its training people, some of them held out; a rule is tried on them by `score`."""

    def __init__(self, folder: Path, dataset: str, fold: int, settings: Settings) -> None:
        everybody = windows_of(dataset, settings)
        self.inner = inner_people(sorted(set(everybody.person.tolist())), fold)
        # test people are gone from here on
        self.windows = windows = _of_people(everybody, (*self.inner.train, *self.inner.held_out))
        self.train = np.flatnonzero(np.isin(windows.person, self.inner.train))
        self.held_out = np.flatnonzero(np.isin(windows.person, self.inner.held_out))
        self.run = Run(dataset, "fcn", "mujo", "pretrained", "finetune", Labelled(1.0), fold, 0, "together")
        self.variant = variant(self.run.variant)
        self.ready = prepare(folder, self.run, self.variant, windows, self.train, mark="-inner")
        self.model = joint_of(folder, self.run, self.variant, settings.steps, self.ready, self.train)
        self.names = names_of(self.model, dataset, windows, self.ready, self.train)

    def score(self, name: str, amount: str) -> float:
        """Macro-F1 of a rule (or `SCRATCH`) on the held-out training people."""
        ready, windows, seed = self.ready, self.windows, self.run.fold
        units = labelled_units(windows, self.inner.train, parse_labelled(amount), seed)
        chosen = self.train[np.isin(windows.unit[self.train], units)]
        labels = Labels(ready.X[chosen], windows.y[chosen], len(units))
        with seeded(seed):
            fresh = build(self.run.encoder)
        plain = name == SCRATCH
        classifier = fit(
            CANDIDATES.get(name, Rule()), fresh if plain else self.model.imu, labels,
            None if plain else (ready.X_sim, ready.y_sim), self.names,
            augmentation=augmentation_of(self.run, self.variant), pretrained=not plain,
            n_classes=len(windows.classes), layout=ready.layout, seed=seed,
        )  # fmt: skip
        guess = classifier.predict(ready.X[self.held_out])
        return float(macro_f1(confusion(windows.y[self.held_out], guess, len(windows.classes))))


def _of_people(windows: Windows, people: Sequence[str]) -> Windows:
    keep = np.isin(windows.person, list(people))
    fields = ("X", "y", "person", "unit", "start_s")
    return replace(windows, **{name: getattr(windows, name)[keep] for name in fields})


def do_cell(folder: str, dataset: str, fold: int, settings: Settings) -> None:
    """Scores of all rules on a data set and fold, kept in a file; what is there is not done again."""
    path = Path(folder) / "selection" / f"{dataset}-fold{fold}.json"
    known = json.loads(path.read_text()) if path.is_file() else {}
    trial = None
    for amount, folds in AMOUNTS.items():
        for name in (SCRATCH, *CANDIDATES) if fold in folds else ():
            if amount in known.get(name, {}):
                continue
            trial = trial or Trial(Path(folder), dataset, fold, settings)
            known.setdefault(name, {})[amount] = round(trial.score(name, amount), 4)
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, json.dumps(known, indent=1) + "\n")


def chosen_by_fold(
    found: Mapping[tuple[str, int], Mapping[str, Mapping[str, float]]], amount: str
) -> dict[int, str]:
    """Fold → the rule with the highest mean over data sets at this amount, of those that were tried on all of them."""
    out = {}
    for fold in sorted({f for _, f in found}):
        cells = [c for (_, f), c in found.items() if f == fold]
        mean = {
            name: float(np.mean([c[name][amount] for c in cells]))
            for name in CANDIDATES
            if all(amount in c.get(name, {}) for c in cells)
        }
        if mean:
            out[fold] = max(mean, key=lambda name: mean[name])
    return out


def read_cells(folder: Path) -> dict[tuple[str, int], dict[str, dict[str, float]]]:
    """What `do_cell` has written: (data set, fold) → rule → amount → macro-F1."""
    out = {}
    for path in sorted((folder / "selection").glob("*-fold*.json")):
        dataset, fold = path.stem.rsplit("-fold", 1)
        out[dataset, int(fold)] = json.loads(path.read_text())
    return out


def table(found: Mapping[tuple[str, int], Mapping[str, Mapping[str, float]]]) -> str:
    """Markdown: rules down, data sets across, means over folds; then what each fold chose."""
    datasets = sorted({d for d, _ in found})
    lines = []
    for amount in AMOUNTS:
        folds = sorted({f for (_, f), c in found.items() if amount in c.get(SCRATCH, {})})
        if not folds:
            continue
        what = "all recordings" if amount == "f1" else f"{amount[1:]} labelled recording a class"
        lines += [
            f"Macro-F1 on held-out training people, {what}, mean over folds {', '.join(map(str, folds))}:", "",
            "| rule | " + " | ".join(datasets) + " | mean |", "|---|" + "---|" * (len(datasets) + 1),
        ]  # fmt: skip
        for name in (SCRATCH, *CANDIDATES):
            texts, means = [], []
            for dataset in datasets:
                cells = [c for (d, _), c in found.items() if d == dataset and amount in c.get(SCRATCH, {})]
                tried = [c[name][amount] for c in cells if amount in c.get(name, {})]
                means.append(float(np.mean(tried)) if len(tried) == len(cells) else float("nan"))
                texts.append(
                    f"{means[-1]:.3f}" if len(tried) == len(cells) else f"{len(tried)} of {len(cells)} folds"
                )
            whole = f"{np.mean(means):.3f}" if np.isfinite(means).all() else ""
            mark = "**" if name == CHOSEN else ""
            lines.append(f"| {mark}{name}{mark} | " + " | ".join([*texts, whole]) + " |")
        lines.append("")
    picked = chosen_by_fold(found, next(iter(AMOUNTS)))
    said = "; ".join(f"fold {f}: {name}" for f, name in picked.items())
    return "\n".join([*lines, f"Highest mean, fold by fold: {said}.", ""])


def main(runs: Path, docs: Path, processes: int = 2, settings: Settings | None = None) -> None:
    """Do what is not done, and write the table into docs/selection.md."""
    settings = settings or Settings()
    context = multiprocessing.get_context("spawn")
    cells = [(d, f) for f in range(FOLDS) for d in RESULT_GRIDS["results"].labelled]
    with ProcessPoolExecutor(processes, context, initializer=start_worker, initargs=(os.getpid(),)) as pool:
        waiting = [pool.submit(do_cell, str(runs), d, f, settings) for d, f in cells]
        for future in waiting:
            future.result()
    write_section(docs / "selection.md", "Selection", BEGIN, END, table(read_cells(runs)))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
