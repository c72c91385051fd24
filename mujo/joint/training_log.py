"""The curve of a training: log.csv, and event files for TensorBoard where tensorboardX is installed."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path

from mujo.files import write_whole

_FIRST = ("step", "loss", "validation", "temperature", "lr")


class TrainingLog:
    """Rows by step; after a kill, rows past the step that training goes on from are dropped.

    Parameters
    ----------
    folder : of log.csv and of the event files (in tensorboard/)
    step : how many steps are done
    extra : names of further columns
    """

    def __init__(self, folder: Path, step: int, extra: tuple[str, ...] = ()) -> None:
        self.path = folder / "log.csv"
        self.columns = (*_FIRST, *extra)
        self.rows: list[dict[str, str]] = []
        if step and self.path.is_file():
            self.rows = [
                r for r in csv.DictReader(io.StringIO(self.path.read_text())) if int(r["step"]) <= step
            ]
        try:
            from tensorboardX import SummaryWriter
        except ImportError:
            self.board = None
        else:
            self.board = SummaryWriter(str(folder / "tensorboard"), purge_step=step + 1)

    def add(self, step: int, values: Mapping[str, float]) -> None:
        """Add a row."""
        self.rows.append({"step": str(step), **{k: f"{v:.7g}" for k, v in values.items()}})
        if self.board is not None:
            for name, value in values.items():
                self.board.add_scalar(name, value, step)

    def flush(self) -> None:
        """Write what there is, in one step."""
        text = io.StringIO()
        writer = csv.DictWriter(text, self.columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.rows)
        write_whole(self.path, text.getvalue())

    def close(self) -> None:
        """Write and close."""
        self.flush()
        if self.board is not None:
            self.board.close()
