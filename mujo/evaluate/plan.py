"""What is run: the grids, run by run, declared before anything starts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mujo.data import KEYS
from mujo.errors import ConfigError, unknown_name
from mujo.splits import FRACTIONS, UNITS_A_CLASS, Labelled

FOLDS = 5
FOREST = "random_forest"

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
    objective : "none" (from scratch), "simclr", "masked", "augmentation"
    init : "scratch" or "pretrained"
    mode : "finetune" or "probe"
    labelled : how much is labelled
    fold : of the people
    seed : of everything random
    variant : "main", or an ablation's name
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


def plan(grid: str, datasets: Sequence[str], encoder: str = "fcn") -> list[list[Run]]:
    """All runs of a grid in jobs; the runs of a job share a pre-trained encoder (or a data set).

    Raises
    ------
    UnknownNameError, ConfigError
    """
    if grid not in GRIDS:
        raise unknown_name("grid", grid, GRIDS)
    for name in datasets:
        if name not in KEYS:
            raise unknown_name("data set", name, KEYS)
    if not datasets or len(set(datasets)) != len(datasets):
        raise ConfigError(f"data sets {list(datasets)}: wanted one or more, each once")
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
