"""What is run: the grids, run by run, declared before anything starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mujo.data import KEYS
from mujo.errors import ConfigError, unknown_name
from mujo.splits import FRACTIONS, UNITS_A_CLASS, Labelled, parse_labelled

FOLDS = 5
FOREST = "random_forest"
TRANSFERS = ("transfer", "transfer, together")
"""Variants of the cross-modal transfer (`mujo.evaluate.transfer`)."""

PROTOCOL: dict[str, dict[str, Any]] = {
    "mmfit": {"window_s": 5.0, "sensors": ["left_wrist", "right_wrist"]},
    "utd_mhad": {"sensors": ["right_wrist"]},
}
"""Arguments of `Dataset.windows` that differ from the defaults (2 s, half overlapping, 50 Hz, all sensors, acc, gyro)."""


@dataclass(frozen=True)
class Run:
    """One training and one test; its fields identify it in results.csv.

    Parameters
    ----------
    dataset, encoder : names
    objective : "none" (from scratch); "simclr", "masked", "augmentation"; "mujo" (the joint space), "imu-text" (of it)
    init : "scratch" or "pretrained"
    mode : "finetune", "probe", or "zeroshot" (by the classes' names)
    labelled : how much is labelled
    fold : of the people
    seed : of everything random
    variant : "main": pre-trained on the target's unlabelled windows, or nothing pre-trained; others are pre-trained on
        the simulated corpus (`mujo.evaluate.variants`)
    """

    dataset: str
    encoder: str
    objective: str
    init: str
    mode: str
    labelled: Labelled
    fold: int
    seed: int
    variant: str = "main"

    @property
    def key(self) -> str:
        """Unique name."""
        parts = (self.dataset, self.encoder, self.objective, self.variant, self.init, self.mode)
        return "/".join([*parts, str(self.labelled), f"fold{self.fold}", f"seed{self.seed}"])

    @property
    def simulated(self) -> bool:
        """Whether simulated signals have a part in it."""
        return self.variant != "main" or self.objective in ("mujo", "imu-text")

    @property
    def transfer(self) -> bool:
        """Whether it is one of the cross-modal transfer (`mujo.evaluate.transfer`)."""
        return self.variant.startswith("transfer")

    @property
    def encoder_key(self) -> str:
        """Name of the pre-trained encoder it starts from."""
        return f"{self.dataset}-{self.encoder}-{self.objective}-fold{self.fold}-seed{self.seed}"


@dataclass(frozen=True)
class Grid:
    """What is varied, and what was cut to make it fit.

    Parameters
    ----------
    fractions, units : of labels, for scratch and forest
    compared : fractions for the self-supervised objectives
    seeds : how many; seed s is tested on fold s mod 5, so five seeds test everybody exactly once
    objectives : self-supervised, each probed and fine-tuned
    others : further encoders, from scratch with all labels
    other_seeds : seeds of those
    other_sets : data sets of those
    cut : what was left out, in words
    """

    fractions: tuple[float, ...]
    units: tuple[int, ...]
    compared: tuple[float, ...]
    seeds: int
    objectives: tuple[str, ...]
    others: tuple[str, ...]
    other_seeds: int
    other_sets: tuple[str, ...]
    cut: str


GRIDS = {
    "quick": Grid((0.1, 1.0), (1,), (1.0,), 1, ("simclr",), (), 0, (), "one seed, one fold, three settings: a smoke test"),
    "report": Grid(
        FRACTIONS, UNITS_A_CLASS, (0.01, 0.1, 1.0), 5, ("simclr", "masked", "augmentation"),
        ("patchtransformer", "deepconvlstm", "resnet1d"), 2, ("utd_mhad", "spar"),
        "seeds and folds go together (seed s on fold s) instead of being crossed; compared objectives at three "
        "fractions; encoders other than fcn with all labels on two sets and two seeds",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class ResultGrid:
    """What is run for docs/results.md: encoders pre-trained on the simulated corpus beside training from scratch.

    Parameters
    ----------
    labelled : data set → how much is labelled; amounts that give the same bouts are run once
    compared : data set → those at which the compared objectives are run (at the first, training from scratch beside
        simulated windows too)
    ablated : data set → those at which parts are left out
    objectives : compared, on the same clips
    ablations : variants
    seeds : seed s is tested on fold s
    transfer_seeds : of the cross-modal transfer, crossed with its four folds
    cut : what was left out, in words
    only : mode whose runs alone are done, "" for all
    """

    labelled: Mapping[str, tuple[str, ...]]
    compared: Mapping[str, tuple[str, ...]]
    ablated: Mapping[str, tuple[str, ...]]
    objectives: tuple[str, ...]
    ablations: tuple[str, ...]
    seeds: int
    transfer_seeds: int
    cut: str
    only: str = ""


_EACH_ONCE = {
    "motionsense": ("f0.01", "f0.05", "f0.1", "f1", "f0.2", "f0.5"),
    "mhealth": ("f0.01", "f0.2", "f1", "f0.5"),
    "utd_mhad": ("f0.01", "f0.1", "f0.2", "f1", "f0.5"),
    "spar": ("f0.01", "f0.1", "f0.2", "f1", "f0.5"),
}
"""In the order in which they are run."""
_COMPARED = {
    "motionsense": ("f0.01", "f0.1"),
    "mhealth": ("f0.01", "f0.2"),
    "utd_mhad": ("f0.01", "f0.2"),
    "spar": ("f0.01", "f0.2"),
}
_RESULTS = ResultGrid(
    _EACH_ONCE,
    _COMPARED,
    {"motionsense": ("f0.01",), "spar": ("f0.01",)},
    ("imu-text", "simclr", "masked", "augmentation"),
    (
        "no text", "no pose", "no gyro", "no augmentation", "no placement match", "no alignment",
        "no adaptation", "no target names", "quarter of the corpus", "own windows too",
    ),
    5,
    2,
    "seeds and folds go together (seed s on fold s) instead of being crossed; shares that give the same recordings are "
    "run once; compared objectives at the smallest and a middle share, training from scratch beside simulated windows "
    "at the smallest; ablations by zero-shot and fine-tuning, on two sets, at the smallest share; one seed of "
    "pre-training; cross-modal transfer with two seeds on each of four folds",
)  # fmt: skip
RESULT_GRIDS = {
    "results": _RESULTS,
    "transfer": replace(
        _RESULTS, labelled={"utd_mhad": ()}, compared={}, ablated={}, cut="the cross-modal transfer of the results alone"
    ),
    "zeroshot": replace(
        _RESULTS, compared={}, transfer_seeds=0, only="zeroshot", cut="the results' rows without any label alone"
    ),
    "results-quick": ResultGrid(
        dict.fromkeys(_EACH_ONCE, ("f0.01",)), dict.fromkeys(_EACH_ONCE, ("f0.01",)), {}, ("simclr",), (), 1, 0,
        "one seed, one share: a smoke test",
    ),
}  # fmt: skip


def grid_of(name: str) -> Grid | ResultGrid:
    """The grid of that name.

    Raises
    ------
    UnknownNameError
    """
    every = {**GRIDS, **RESULT_GRIDS}
    if name not in every:
        raise unknown_name("grid", name, every)
    return every[name]


def plan_results(grid: ResultGrid, datasets: Sequence[str], encoder: str) -> list[list[Run]]:
    """Runs of a result grid, what matters most first."""
    for data in datasets:
        if data not in grid.labelled:
            raise unknown_name("data set of the results", data, grid.labelled)

    def runs(data, objective, modes, variant, labelled):
        init = "scratch" if objective == "none" else "pretrained"
        pairs = [(m, parse_labelled(t)) for m in modes for t in (("f1",) if m == "zeroshot" else labelled)]
        every = range(grid.seeds)
        return [
            Run(data, encoder, objective, init, m, how, s % FOLDS, s, variant)
            for s in every
            for m, how in pairs
        ]

    jobs: list[list[Run]] = []
    for number in range(max(map(len, grid.labelled.values()))):
        for data in datasets:
            how = grid.labelled[data][number : number + 1]
            if not how:
                continue
            first = ("zeroshot",) if number == 0 else ()
            jobs.append(
                runs(data, "mujo", (*first, "probe"), "main", how)
                + runs(data, "mujo", ("finetune",), "together", how)
                + (runs(data, "mujo", ("finetune",), "main", how) if number == 0 else [])
            )
            jobs.append(runs(data, "none", ("finetune",), "main", how))
    jobs += plan_transfer(grid, encoder) if "utd_mhad" in datasets else []
    for number in range(max(map(len, grid.compared.values()), default=0)):
        for data in datasets:
            how = grid.compared[data][number : number + 1]
            if number == 0:
                jobs.append(runs(data, "none", ("finetune",), "together", how))
            jobs += [runs(data, o, ("finetune",), "together", how) for o in grid.objectives]
    for data in datasets:
        for name in grid.ablations if grid.ablated.get(data) else ():
            zero = runs(data, "mujo", ("zeroshot",), name, ("f1",)) if name != "no text" else []
            jobs.append(zero + runs(data, "mujo", ("finetune",), f"together, {name}", grid.ablated[data]))
    return [job for job in jobs if job]


def plan_transfer(grid: ResultGrid, encoder: str) -> list[list[Run]]:
    """Cross-modal transfer: four folds of two people, crossed with the seeds."""
    jobs = []
    for seed in range(grid.transfer_seeds):
        for fold in range(4):

            def run(init, mode, how, variant, fold=fold, seed=seed):
                objective = "mujo" if init == "pretrained" else "none"
                return Run(
                    "utd_mhad", encoder, objective, init, mode, parse_labelled(how), fold, seed, variant
                )

            amounts = ("k1", "k4", "f1")
            jobs.append(
                [
                    run("pretrained", "zeroshot", "f1", "transfer"),
                    run("scratch", "zeroshot", "f1", "transfer"),
                ]
                + [run("scratch", "finetune", how, v) for v in TRANSFERS for how in amounts]
                + [run("pretrained", "finetune", how, v) for v in TRANSFERS for how in amounts]
                + [run("pretrained", "probe", how, TRANSFERS[1]) for how in amounts]
            )
    return jobs


def plan(grid: str, datasets: Sequence[str], encoder: str = "fcn") -> list[list[Run]]:
    """All runs of a grid in jobs; the runs of a job share a pre-trained encoder (or a data set).

    Raises
    ------
    UnknownNameError, ConfigError
    """
    grid_of(grid)
    for name in datasets:
        if name not in KEYS:
            raise unknown_name("data set", name, KEYS)
    if not datasets or len(set(datasets)) != len(datasets):
        raise ConfigError(f"data sets {list(datasets)}: wanted one or more, each once")
    if grid in RESULT_GRIDS:
        jobs = plan_results(RESULT_GRIDS[grid], datasets, encoder)
        if only := RESULT_GRIDS[grid].only:
            jobs = [[run for run in job if run.mode == only] for job in jobs]
        return [job for job in jobs if job]
    g = GRIDS[grid]
    settings = [Labelled(f) for f in g.fractions] + [Labelled(units=k) for k in g.units]
    scratch, compared, others = [], [], []
    for data in datasets:
        for seed in range(g.seeds):
            fold = seed % FOLDS
            plain = [Run(data, encoder, "none", "scratch", "finetune", s, fold, seed) for s in settings]
            trees = [Run(data, FOREST, "none", "scratch", "finetune", s, fold, seed) for s in settings]
            scratch += [plain, trees]
            compared += [
                [
                    Run(data, encoder, o, "pretrained", mode, Labelled(f), fold, seed)
                    for f in g.compared
                    for mode in ("probe", "finetune")
                ]
                for o in g.objectives
            ]
            if seed < g.other_seeds and data in g.other_sets:
                others += [
                    [Run(data, e, "none", "scratch", "finetune", Labelled(1.0), fold, seed)] for e in g.others
                ]
    return [*scratch, *compared, *others]
