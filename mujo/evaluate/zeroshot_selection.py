"""How much of the normalisation statistics unlabelled windows give: `python -m mujo.evaluate.zeroshot_selection RUNS DOCS`.

Zero-shot by names on held-out training people (those of `mujo.evaluate.selection`; test people are not looked at), with no,
all, or a part of the statistics from the inner training people's unlabelled windows (table in docs/selection.md).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from mujo.evaluate.joint_work import names_of
from mujo.evaluate.plan import FOLDS, RESULT_GRIDS
from mujo.evaluate.selection import Trial
from mujo.evaluate.work import Settings
from mujo.files import write_section, write_whole
from mujo.joint.adapt import HALF
from mujo.metrics import confusion, macro_f1

SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
BEGIN, END = "<!-- names: begin -->", "<!-- names: end -->"
Scores = Mapping[tuple[str, int], list[float]]


def scores(trial: Trial, dataset: str) -> list[float]:
    """Macro-F1 of zero-shot on the held-out training people, for each of `SHARES`."""
    X, y = trial.ready.X[trial.held_out], trial.windows.y[trial.held_out]
    out = []
    for share in SHARES:
        names = names_of(trial.model, dataset, trial.windows, trial.ready, trial.train, share)
        out.append(round(float(macro_f1(confusion(y, names.guess(X), len(trial.windows.classes)))), 4))
    return out


def measure(runs: Path, settings: Settings | None = None) -> dict[tuple[str, int], list[float]]:
    """(data set, fold) → `scores`; what is in the folder is not done again."""
    found = {}
    for dataset in RESULT_GRIDS["results"].labelled:
        for fold in range(FOLDS):
            path = runs / "selection" / f"names-{dataset}-{fold}.json"
            if not path.is_file():
                path.parent.mkdir(parents=True, exist_ok=True)
                trial = Trial(runs, dataset, fold, settings or Settings())
                write_whole(path, json.dumps(scores(trial, dataset)) + "\n")
            found[dataset, fold] = json.loads(path.read_text())
    return found


def table(found: Scores) -> str:
    """Markdown: shares down, data sets across, means over folds; then what each fold alone would choose."""
    datasets = sorted({d for d, _ in found})
    lines = [
        "Zero-shot by names, macro-F1 on held-out training people, mean over folds:", "",
        "| of the unlabelled windows | " + " | ".join(datasets) + " | mean |", "|---|" + "---|" * (len(datasets) + 1),
    ]  # fmt: skip
    for i, share in enumerate(SHARES):
        means = [
            float(np.mean([s[i] for (d, _), s in found.items() if d == dataset])) for dataset in datasets
        ]
        mark = "**" if share == HALF else ""
        cells = [f"{m:.3f}" for m in (*means, np.mean(means))]
        lines.append(f"| {mark}{share:g}{mark} | " + " | ".join(cells) + " |")
    folds = sorted({f for _, f in found})
    best = [
        SHARES[int(np.argmax(np.mean([s for (_, g), s in found.items() if g == f], axis=0)))] for f in folds
    ]
    said = ", ".join(f"fold {f}: {share:g}" for f, share in zip(folds, best, strict=True))
    return "\n".join([*lines, "", f"Highest mean, fold by fold: {said}.", ""])


def main(runs: Path, docs: Path) -> None:
    """Measure what is not measured, and write the table into docs/selection.md."""
    write_section(docs / "selection.md", "Selection", BEGIN, END, table(measure(runs)))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
