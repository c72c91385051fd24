"""Rows of several folders of results in one: `python -m mujo.evaluate.merge OUT RUNS [RUNS ...]`.

Where a run is in several, the last folder's row counts (a part of a grid that was run again after a change).
"""

from __future__ import annotations

import csv
import io
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from mujo.errors import ConfigError
from mujo.evaluate.results import COLUMNS, Results, detail_name, key_of
from mujo.files import write_whole


def merge(out: Path | str, folders: Sequence[Path | str]) -> Path:
    """Write the folder `out` with the rows of all folders; returns its results.csv.

    Raises
    ------
    ConfigError
        If there is no row in a folder, or `out` is one of them or has rows.
    """
    rows: dict[str, tuple[Results, dict[str, str]]] = {}
    for folder in folders:
        if Path(folder).resolve() == Path(out).resolve():
            raise ConfigError(f"{folder} is merged into itself; wanted another folder for the result")
        if not (Path(folder) / "results.csv").is_file():
            raise ConfigError(f"{folder} has no results.csv; wanted a folder that `mujo evaluate --out` made")
        results = Results(folder)
        for row in results.rows():
            rows[key_of(row)] = results, row
    made = Results(out)
    if made.rows():
        raise ConfigError(f"{out} has rows already; wanted an empty folder")
    text = io.StringIO()
    table = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    table.writeheader()
    for key, (results, row) in rows.items():
        name = detail_name(key)
        shutil.copyfile(results.folder / "details" / name, made.folder / "details" / name)
        table.writerow(row)
    write_whole(made.path, text.getvalue())
    return made.path


if __name__ == "__main__":
    print(f"wrote {merge(sys.argv[1], sys.argv[2:])}")
