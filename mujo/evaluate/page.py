"""Run files → docs/results.md (its tables), docs/results.csv, docs/results.png: `python -m mujo.evaluate.page RUNS DOCS`.

What people wrote in results.md stays; the tables between the two marks are replaced.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from mujo.data import card
from mujo.evaluate.plots import write_plots
from mujo.evaluate.results import Results
from mujo.evaluate.tables import NO_LABEL, method_name, order, section_of, summaries, table
from mujo.files import write_section, write_whole
from mujo.metrics import macro_f1

BEGIN, END = "<!-- tables: begin -->", "<!-- tables: end -->"
HEADLINE = "fine-tuned, beside simulated windows"


def write_page(runs: Path, docs: Path) -> list[Path]:
    """Write the three files; returns their paths."""
    results = Results(runs)
    found = summaries(results)
    parts = [headline(results)]
    sections = sorted(found, key=lambda s: (s.count("-"), s.endswith("transfer") and -1, s))
    parts += [table(section, found[section]) for section in sections]
    page = docs / "results.md"
    write_section(page, "Results", BEGIN, END, "\n".join(parts))
    rows = docs / "results.csv"
    write_whole(rows, results.path.read_text())
    write_plots(results)
    shutil.copyfile(results.folder / "learning_curves.png", docs / "results.png")
    return [page, rows, docs / "results.png"]


def headline(results: Results) -> str:
    """Pre-trained against from scratch, paired by seed and person: the difference and its interval."""
    lines = [
        "## Pre-trained against from scratch",
        "",
        "Difference in macro-F1, same people, same labelled recordings: mean over seeds, each on its fold (that of all "
        "people's confusion matrices added up) [95 % interval of the latter, people drawn]. Bold: the interval is above "
        "zero. Simulated windows are kept in up to three recordings a class.",
        "",
        "| data set | labelled | from scratch | pre-trained, fine-tuned beside simulated windows | difference | zero-shot "
        "by names, no label | frozen probe: difference | from scratch beside simulated windows: difference |",
        "|---|---|---|---|---|---|---|---|",
    ]
    by: dict[tuple[str, str, str], list[Mapping[str, str]]] = {}
    for row in results.rows():
        if section_of(row) == row["dataset"]:
            how = NO_LABEL if row["mode"] == "zeroshot" else row["labelled"]
            by.setdefault((row["dataset"], method_name(row), how), []).append(row)
    cells = sorted(
        {(d, how) for d, m, how in by if m == "fcn, from scratch"}, key=lambda c: (c[0], order(c[1]))
    )
    for dataset, how in cells:
        scratch = by[dataset, "fcn, from scratch", how]
        best = by.get((dataset, f"fcn, mujo, {HEADLINE}", how), [])
        probe = by.get((dataset, "fcn, mujo, probe", how), [])
        plain = by.get((dataset, "fcn, from scratch, beside simulated windows", how), [])
        zero = by.get((dataset, "fcn, mujo, zero-shot by names", NO_LABEL), [])
        units = int(np.median([int(r["n_units"]) for r in scratch]))
        lines.append(
            f"| {card(dataset).title.split(' (')[0]} | {100 * float(how[1:]):g} %, {units} bouts | {_mean(scratch)} | "
            f"{_mean(best)} | "
            f"{difference(results, best, scratch)} | {_mean(zero)} | {difference(results, probe, scratch)} | "
            f"{difference(results, plain, scratch)} |"
        )
    return "\n".join([*lines, ""])


def difference(
    results: Results, ours: Sequence[Mapping[str, str]], theirs: Sequence[Mapping[str, str]]
) -> str:
    """Mean difference over the seeds that both have; that of the pooled confusion matrices and its interval."""
    pairs = [(a, b) for a in ours for b in theirs if (a["fold"], a["seed"]) == (b["fold"], b["seed"])]
    if not pairs:
        return ""
    mean = np.mean([float(a["macro_f1"]) - float(b["macro_f1"]) for a, b in pairs])
    people: dict[str, list[np.ndarray]] = {}
    for a, b in pairs:
        mine, other = results.people_of(a), results.people_of(b)
        for person in mine:
            known = people.setdefault(person, [np.zeros_like(mine[person]), np.zeros_like(other[person])])
            known[0], known[1] = known[0] + mine[person], known[1] + other[person]
    mine, other = (np.array([p[i] for p in people.values()]) for i in (0, 1))
    low, high = paired_interval(mine, other)
    pooled = float(macro_f1(mine.sum(axis=0)) - macro_f1(other.sum(axis=0)))
    text = f"{mean:+.3f} ({pooled:+.3f}) [{low:+.2f}, {high:+.2f}]"
    return f"**{text}**" if low > 0 else text


def paired_interval(
    mine: np.ndarray, other: np.ndarray, draws: int = 2000, seed: int = 0
) -> tuple[float, float]:
    """95 % percentile bootstrap interval of a difference in macro-F1, the same people drawn for both.

    Parameters
    ----------
    mine, other : (P, K, K), confusion matrices of each person
    """
    people = len(mine)
    if people < 2:
        return float("nan"), float("nan")
    times = np.random.default_rng(seed).multinomial(people, np.full(people, 1.0 / people), size=draws)
    values = [macro_f1(np.einsum("dp,pij->dij", times, c)) for c in (mine, other)]
    low, high = np.quantile(values[0] - values[1], [0.025, 0.975])
    return float(low), float(high)


def _mean(rows: Sequence[Mapping[str, str]]) -> str:
    return f"{np.mean([float(r['macro_f1']) for r in rows]):.3f}" if rows else ""


if __name__ == "__main__":
    for path in write_page(Path(sys.argv[1]), Path(sys.argv[2])):
        print(f"wrote {path}")
