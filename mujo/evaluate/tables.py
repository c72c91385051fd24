"""results.csv → one table a data set, in Markdown and CSV."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mujo.data import card
from mujo.evaluate.plan import FOREST
from mujo.evaluate.results import Results
from mujo.files import write_whole
from mujo.metrics import person_interval
from mujo.splits import parse_labelled

NO_LABEL = "none"


@dataclass(frozen=True)
class Summary:
    """All seeds of one setting.

    Attributes
    ----------
    method : encoder, objective, mode in words
    labelled : "f0.05" or "k4"
    mean, sd : of macro-F1 over seeds (each on its fold)
    low, high : 95 % interval, people drawn
    units, windows : labelled bouts and windows, medians
    seeds : how many
    counts : (P, K, K), confusion matrix of each person
    """

    method: str
    labelled: str
    mean: float
    sd: float
    low: float
    high: float
    units: int
    windows: int
    seeds: int
    counts: np.ndarray


def method_name(row: Mapping[str, str]) -> str:
    """What was compared, in words."""
    if row["encoder"] == FOREST:
        return "statistics + random forest"
    variant = row["variant"].removeprefix("transfer").removeprefix(", ")
    together = variant.startswith("together")
    left_out = variant.removeprefix("together").removeprefix(", ")
    beside = ", beside simulated windows" if together else ""
    if left_out not in ("main", "", "corpus"):
        beside += f" [{left_out}]"
    if row["init"] == "scratch":
        if row["mode"] == "zeroshot":
            return f"{row['encoder']}, supervised on simulated windows alone"
        return f"{row['encoder']}, from scratch{beside}"
    how = {"probe": "probe", "zeroshot": "zero-shot by names"}.get(row["mode"], "fine-tuned")
    return f"{row['encoder']}, {row['objective']}, {how}{beside}"


def section_of(row: Mapping[str, str]) -> str:
    """The table that a row belongs in: its data set, and what kind of run it is."""
    if row["variant"].startswith("transfer"):
        return f"{row['dataset']}-transfer"
    known = row["variant"] in ("main", "corpus", "together")
    return row["dataset"] if known else f"{row['dataset']}-ablations"


def title_of(section: str) -> str:
    """Heading of a table."""
    dataset, _, kind = section.partition("-")
    return (
        card(dataset).title
        + {"": "", "transfer": ": cross-modal transfer", "ablations": ": what is left out"}[kind]
    )


def summaries(results: Results) -> dict[str, list[Summary]]:
    """Table (see `section_of`) → summaries, by method and then by how much is labelled."""
    groups: dict[tuple[str, str, str], list[dict[str, str]]] = defaultdict(list)
    for row in results.rows():
        labelled = NO_LABEL if row["mode"] == "zeroshot" else row["labelled"]
        groups[section_of(row), method_name(row), labelled].append(row)
    out: dict[str, list[Summary]] = defaultdict(list)
    for (dataset, method, labelled), rows in groups.items():
        scores = np.array([float(r["macro_f1"]) for r in rows])
        people: dict[str, np.ndarray] = {}
        for row in rows:  # a person who was tested with several seeds counts once, with all of them
            for person, counts in results.people_of(row).items():
                people[person] = people.get(person, 0) + counts
        counts = np.array(list(people.values()))
        low, high = person_interval(counts)
        out[dataset].append(
            Summary(
                method, labelled, float(scores.mean()), float(scores.std(ddof=1)) if len(scores) > 1 else float("nan"),
                low, high, int(np.median([int(r["n_units"]) for r in rows])),
                int(np.median([int(r["n_train"]) for r in rows])), len(rows), counts,
            )
        )  # fmt: skip
    return {d: sorted(s, key=lambda s: (s.method, order(s.labelled))) for d, s in out.items()}


def order(labelled: str) -> tuple[int, float]:
    """Sort key: no label, fractions, bouts a class; each by size."""
    if labelled == NO_LABEL:
        return (-1, 0.0)
    how = parse_labelled(labelled)
    return (1, how.units) if how.units is not None else (0, how.fraction or 0.0)


def write_tables(results: Results) -> list[Path]:
    """Write <data set>.md and .csv, and tables.md with all of them."""
    files, pages = [], []
    for dataset, found in sorted(summaries(results).items()):
        page = table(dataset, found)
        lines = ["method,labelled,macro_f1,sd,low,high,labelled_bouts,labelled_windows,seeds,people"]
        lines += [
            f'"{s.method}",{s.labelled},{s.mean:.4f},{s.sd:.4f},{s.low:.4f},{s.high:.4f},{s.units},{s.windows},{s.seeds},'
            f"{len(s.counts)}"
            for s in found
        ]
        write_whole(results.folder / f"{dataset}.md", page)
        write_whole(results.folder / f"{dataset}.csv", "\n".join(lines) + "\n")
        files += [results.folder / f"{dataset}.md", results.folder / f"{dataset}.csv"]
        pages.append(page)
    if pages:
        write_whole(results.folder / "tables.md", "\n".join(pages))
        files.append(results.folder / "tables.md")
    return files


def table(dataset: str, found: list[Summary]) -> str:
    """A Markdown table: methods down, labels across; mean ± sd over seeds [95 % interval over people]."""
    columns = sorted({s.labelled for s in found}, key=order)
    size = {c: next(s for s in found if s.labelled == c) for c in columns}
    heads = [_head(c, size[c]) for c in columns]
    lines = [
        f"## {title_of(dataset)}",
        "",
        "Macro-F1 on people who were not trained on: mean ± standard deviation over runs (folds and seeds) [95 % interval, "
        "people drawn]; n: labelled bouts.",
        "",
        "| method | " + " | ".join(heads) + " |",
        "|---|" + "---|" * len(columns),
    ]
    for method in dict.fromkeys(s.method for s in found):
        cells = {s.labelled: s for s in found if s.method == method}
        texts = [_cell(cells[c]) if c in cells else "" for c in columns]
        lines.append(f"| {method} | " + " | ".join(texts) + " |")
    seeds = sorted({s.seeds for s in found})
    lines += ["", f"Runs a cell: {', '.join(map(str, seeds))}.", ""]
    return "\n".join(lines)


def _head(labelled: str, size: Summary) -> str:
    if labelled == NO_LABEL:
        return "no label"
    how = parse_labelled(labelled)
    what = f"{how.units} a class" if how.units is not None else f"{100 * (how.fraction or 0):g} %"
    return f"{what} ({size.units} bouts, {size.windows} windows)"


def _cell(s: Summary) -> str:
    spread = f" ± {s.sd:.3f}" if s.seeds > 1 else ""
    interval = f" [{s.low:.2f}, {s.high:.2f}]" if np.isfinite(s.low) else ""
    return f"{s.mean:.3f}{spread}{interval}"
