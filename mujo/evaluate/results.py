"""results.csv: one row a run, written once, by many processes, whatever is killed when."""

from __future__ import annotations

import csv
import fcntl
import io
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np

from mujo.errors import ConfigError, OutputError
from mujo.evaluate.plan import Run
from mujo.files import write_whole

COLUMNS = (
    "dataset", "encoder", "objective", "variant", "init", "mode", "fraction", "fold", "seed", "macro_f1", "accuracy",
    "n_train", "n_test", "seconds", "commit", "pretrain_corpus", "target_motion_used", "alignment", "labelled", "n_units",
)  # fmt: skip
KEY = ("dataset", "encoder", "objective", "variant", "init", "mode", "labelled", "fold", "seed")


class Results:
    """A folder of results: results.csv, and in details/ the confusion matrix of every test person.

    Parameters
    ----------
    folder : made if it is not there
    """

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        try:
            (self.folder / "details").mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"{self.folder} cannot be written: {error.strerror}") from None
        self.path = self.folder / "results.csv"

    def rows(self) -> list[dict[str, str]]:
        """All whole rows."""
        if not self.path.is_file():
            return []
        text = self.path.read_text()
        whole = text[: text.rfind("\n") + 1]  # a kill may leave half a line: it does not count
        found = list(csv.DictReader(io.StringIO(whole)))
        if found and tuple(found[0]) != COLUMNS:
            raise ConfigError(f"{self.path} has other columns than this version writes; use another folder")
        return found

    def done(self) -> set[str]:
        """Keys of the runs that are there."""
        return {key_of(row) for row in self.rows()}

    def add(self, run: Run, row: Mapping[str, Any], people: Mapping[str, np.ndarray]) -> bool:
        """Add a run once; False if it is there. `people`: person → confusion matrix."""
        values = {**_identity(run), **row}
        if set(values) != set(COLUMNS):
            raise ConfigError(f"row has columns {sorted(values)}, wanted {sorted(COLUMNS)}")
        line = io.StringIO()
        csv.DictWriter(line, COLUMNS, lineterminator="\n").writerow(values)
        with self._locked() as stream:
            if run.key in self.done():
                return False
            write_whole(self.detail(run), json.dumps({p: m.tolist() for p, m in people.items()}))
            text = stream.read()
            if text and not text.endswith(b"\n"):
                stream.truncate(text.rfind(b"\n") + 1)
            stream.seek(0, os.SEEK_END)
            if stream.tell() == 0:
                stream.write((",".join(COLUMNS) + "\n").encode())
            stream.write(line.getvalue().encode())
            stream.flush()
            os.fsync(stream.fileno())
        return True

    def detail(self, run: Run) -> Path:
        """Where the confusion matrices of a run are."""
        return self.folder / "details" / detail_name(run.key)

    def people_of(self, row: Mapping[str, str]) -> dict[str, np.ndarray]:
        """Confusion matrix (K, K) of each test person of a row."""
        path = self.folder / "details" / detail_name(key_of(row))
        return {p: np.array(m) for p, m in json.loads(path.read_text()).items()}

    @contextmanager
    def _locked(self) -> Iterator[IO[bytes]]:
        with open(self.path, "a+b") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)  # freed by the system when the process dies
            stream.seek(0)
            yield stream


def detail_name(key: str) -> str:
    """Name of the file with the confusion matrices of the run of that key."""
    return key.replace("/", "_") + ".json"


def key_of(row: Mapping[str, str]) -> str:
    """The key of `Run` from a row."""
    *names, fold, seed = (row[k] for k in KEY)
    return "/".join([*names, f"fold{fold}", f"seed{seed}"])


def _identity(run: Run) -> dict[str, Any]:
    return {
        "dataset": run.dataset, "encoder": run.encoder, "objective": run.objective, "variant": run.variant,
        "init": run.init, "mode": run.mode, "labelled": str(run.labelled), "fold": run.fold, "seed": run.seed,
    }  # fmt: skip
