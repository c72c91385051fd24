"""results.csv → learning curves and confusion matrices."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mujo.data import card
from mujo.evaluate.results import Results
from mujo.evaluate.tables import Summary, summaries, title_of
from mujo.splits import parse_labelled


def write_plots(results: Results) -> list[Path]:
    """Draw learning_curves.png, and confusion_<data set>.png of the best method with all labels."""
    import matplotlib

    matplotlib.use("Agg")
    found = summaries(results)
    if not found:
        return []
    files = [_curves(found, results.folder / "learning_curves.png")]
    for dataset, rows in found.items():
        full = [s for s in rows if s.labelled == "f1"]
        if full:
            best = max(full, key=lambda s: s.mean)
            files.append(_confusion(dataset, best, results.folder / f"confusion_{dataset}.png"))
    return files


def _curves(found: dict[str, list[Summary]], path: Path) -> Path:
    import matplotlib.pyplot as plt

    names = [n for n in sorted(found) if "-" not in n] or sorted(found)
    figure, axes = plt.subplots(
        1, len(names), figsize=(5.2 * len(names), 4.6), squeeze=False, layout="constrained"
    )
    methods = list(dict.fromkeys(s.method for d in names for s in found[d] if s.labelled.startswith("f")))
    colours = dict(zip(methods, plt.get_cmap("tab10")(np.arange(len(methods)) % 10), strict=True))
    for axis, dataset in zip(axes[0], names, strict=True):
        for method in methods:
            rows = [s for s in found[dataset] if s.method == method and s.labelled.startswith("f")]
            if not rows:
                continue
            x = np.array([100 * (parse_labelled(s.labelled).fraction or 0.0) for s in rows])
            y, low, high = (np.array([getattr(s, n) for s in rows]) for n in ("mean", "low", "high"))
            style = "-" if "scratch" in method else "--" if "probe" in method else "-."
            axis.plot(x, y, style, marker="o", ms=4, color=colours[method], label=method)
            if "scratch" in method and len(rows) > 1:
                axis.fill_between(x, low, high, color=colours[method], alpha=0.12, lw=0)
        axis.set_xscale("log")
        axis.set_xticks([1, 2, 5, 10, 20, 50, 100], ["1", "2", "5", "10", "20", "50", "100"])
        axis.set_ylim(0, 1)
        axis.grid(alpha=0.25)
        axis.set_title(title_of(dataset).split(" (")[0], fontsize=10)
        axis.set_xlabel("labelled bouts, %")
    axes[0][0].set_ylabel("macro-F1, unseen people")
    handles = {h.get_label(): h for a in axes[0] for h in a.get_lines()}
    figure.legend(
        handles.values(), handles.keys(), loc="outside lower center", ncols=4, fontsize=8, frameon=False
    )
    figure.savefig(path, dpi=120)
    plt.close(figure)
    return path


def _confusion(dataset: str, best: Summary, path: Path) -> Path:
    import matplotlib.pyplot as plt

    counts = best.counts.sum(axis=0)
    used = np.flatnonzero(counts.sum(axis=1) > 0)
    counts = counts[np.ix_(used, used)]
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    names = [card(dataset.split("-")[0]).classes[i] for i in used]
    side = 2.5 + 0.36 * len(names)
    figure, axis = plt.subplots(figsize=(side + 1.5, side), layout="constrained")
    picture = axis.imshow(share, cmap="Blues", vmin=0, vmax=1)
    axis.set_xticks(range(len(names)), names, rotation=90, fontsize=7)
    axis.set_yticks(range(len(names)), names, fontsize=7)
    for i, j in zip(*np.nonzero(share >= 0.05), strict=True):
        axis.text(j, i, f"{100 * share[i, j]:.0f}", ha="center", va="center", fontsize=6,
                  color="white" if share[i, j] > 0.5 else "black")  # fmt: skip
    axis.set_xlabel("guessed")
    axis.set_ylabel("true")
    axis.set_title(f"{best.method}, all labels: macro-F1 {best.mean:.3f}\n% of each true class", fontsize=9)
    figure.colorbar(picture, ax=axis, shrink=0.7)
    figure.savefig(path, dpi=120)
    plt.close(figure)
    return path
