"""The `mujo` command."""

from __future__ import annotations

import os
import signal
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro
from tyro.conf import Positional

from imusim.errors import ImusimError, MissingExtra, QualityWarning
from mujo.corpus.commands import Corpus


@dataclass(frozen=True)
class Datasets:
    """List the data sets: people, rate, sensors, classes, licence, where to get them, what is on this machine.

    A data set is looked for in its folder under the environment variable MUJO_DATA, as it was downloaded.
    """

    key: Positional[str] = ""
    """Show one of them in full, and read it if it is here."""

    def run(self) -> None:
        """Run the command."""
        from mujo.overview import describe, overview

        print(describe(self.key) if self.key else overview())


@dataclass(frozen=True)
class Finetune:
    """Train a classifier on a data set and test it on people who were not trained on.

    Writes scores.json, confusion.csv and encoder.safetensors (the trained encoder) to --out.
    """

    dataset: Positional[str]
    """Key of the data set (mujo datasets)."""
    encoder: str = "fcn"
    """A pre-trained encoder (.safetensors), or a name to train from scratch: fcn, resnet1d, patchtransformer,
    deepconvlstm."""
    mode: Literal["finetune", "probe"] = "finetune"
    """Train everything, or only a linear probe on the frozen encoder."""
    fraction: float | None = None
    """Share of the training people's recordings that is labelled, 0 to 1. Default: all."""
    units_per_class: int | None = None
    """Labelled recordings a class, instead of a share."""
    fold: int = 0
    """Which fifth of the people is tested, 0 to 4."""
    seed: int = 0
    """Seeds everything random."""
    root: Path | None = None
    """Folder or archive of the data set. Default: under MUJO_DATA."""
    out: Path = Path("out/finetune")
    """Folder for the outputs."""

    def run(self) -> None:
        """Run the command."""
        from mujo.single import finetune_once
        from mujo.splits import Labelled

        everything = self.fraction is None and self.units_per_class is None
        labelled = Labelled(1.0 if everything else self.fraction, self.units_per_class)
        print(
            finetune_once(
                self.dataset, self.encoder, self.mode, labelled, self.fold, self.seed, self.root, self.out
            )
        )


@dataclass(frozen=True)
class Pretrain:
    """Train one space for video, text, pose and IMU on a corpus; its inertial encoder is what mujo finetune takes.

    Writes encoder.safetensors, joint.safetensors (all parts), log.csv, retrieval.csv and README.md to --out. Interrupt it
    whenever you like: the same command goes on where it was.
    """

    corpus: Annotated[str, tyro.conf.arg(metavar="NAME,NAME,...")] = "embedded"
    """Corpora, separated by commas: embedded (made-up people doing the package's movements; a substitute for videos),
    rendered (the same shown to a camera, a quarter as many clips), or folders of mujo corpus build."""
    placements: Annotated[str, tyro.conf.arg(metavar="NAME,NAME,...")] = "right_wrist,left_wrist"
    """Where sensors sit; one is drawn for each window (imusim placements)."""
    modalities: Annotated[str, tyro.conf.arg(metavar="NAME,NAME,...")] = "text,pose,video"
    """What is used beside IMU, where the corpus has it."""
    encoder: str = "fcn"
    """fcn, resnet1d, patchtransformer, deepconvlstm."""
    per_movement: int = 12
    """Clips of each embedded movement."""
    steps: int = 1000
    """Optimiser steps."""
    batch: int = 192
    """Windows a step."""
    mounting: Literal["worn", "any"] = "worn"
    """worn: turned by up to 30 degrees, and as much around the segment; any: any rotation at all."""
    seed: int = 0
    """Seeds everything random."""
    out: Path = Path("out/pretrain")
    """Folder for the outputs."""

    def run(self) -> None:
        """Run the command."""
        from mujo.pretrain_command import pretrain_once

        print(
            pretrain_once(
                _names(self.corpus), _names(self.placements), _names(self.modalities), self.encoder, self.per_movement,
                self.steps, self.batch, self.mounting, self.seed, self.out,
            )
        )  # fmt: skip


@dataclass(frozen=True)
class Evaluate:
    """Run a grid of trainings: results.csv (a row a run), a table a data set, learning curves, confusion matrices.

    Interrupt it whenever you like: the same command goes on where it was.
    """

    datasets: Annotated[str, tyro.conf.arg(metavar="KEY,KEY,...")] = "spar"
    """Data sets, separated by commas."""
    grid: Literal["quick", "report", "results", "results-quick", "transfer", "zeroshot"] = "quick"
    """quick: a few runs; report: all label fractions, five seeds, the compared objectives; results: pre-trained on the
    simulated corpus beside from scratch, with ablations (results-quick: one seed, one share;
    transfer, zeroshot: its rows of cross-modal transfer, and those without any label)."""
    encoder: str = "fcn"
    """The encoder that is trained in all settings."""
    processes: int = 2
    """Worker processes, one thread each."""
    steps: float = 1.0
    """Share of the usual numbers of optimiser steps."""
    out: Path = Path("out/evaluate")
    """Folder for the results."""

    def run(self) -> None:
        """Run the command."""
        from mujo.errors import TrainingError
        from mujo.evaluate import evaluate

        keys = [k.strip() for k in self.datasets.split(",") if k.strip()]
        failed = evaluate(
            keys, self.out, grid=self.grid, encoder=self.encoder, processes=self.processes, steps=self.steps
        )
        print((self.out / "tables.md").read_text() if (self.out / "tables.md").is_file() else "no result")
        if failed:
            raise TrainingError(
                f"{len(failed)} runs failed, the first: {failed[0]}; see {self.out / 'failures'}"
            )


@dataclass(frozen=True)
class Demo:
    """Train from scratch on real smartwatch exercises (SPAR), at three label fractions; about two minutes."""

    out: Path = Path("out/mujo")
    """Folder for the results."""

    def run(self) -> None:
        """Run the command."""
        from mujo.demo import demo

        demo(self.out)


Command = (
    Annotated[Datasets, tyro.conf.subcommand("datasets")]
    | Annotated[Finetune, tyro.conf.subcommand("finetune")]
    | Annotated[Pretrain, tyro.conf.subcommand("pretrain")]
    | Annotated[Evaluate, tyro.conf.subcommand("evaluate")]
    | Annotated[Demo, tyro.conf.subcommand("demo")]
    | Annotated[Corpus, tyro.conf.subcommand("corpus")]
)


def main(arguments: list[str] | None = None) -> None:
    """Entry point; errors that users can mend are one sentence and exit code 2."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    command = tyro.cli(
        Command,
        prog="mujo",
        description="Activity recognition from wearables with few labels.",
        args=arguments,
    )
    warnings.simplefilter("default", QualityWarning)
    warnings.showwarning = _show
    try:
        if not isinstance(command, Datasets | Corpus):
            _need_training_part()
        command.run()
    except ImusimError as error:
        print(f"mujo: error: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("mujo: stopped; what was done is kept", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.exit(141)


def _names(text: str) -> list[str]:
    return [k.strip() for k in text.split(",") if k.strip()]


def _need_training_part() -> None:
    import importlib.util

    if any(importlib.util.find_spec(name) is None for name in ("torch", "safetensors", "sklearn")):
        raise MissingExtra("train", "Training")


def _show(message: Warning | str, category: type[Warning], *_: object) -> None:
    print(f"mujo: warning: {message}", file=sys.stderr)


if __name__ == "__main__":
    main()
