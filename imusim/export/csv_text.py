"""CSV: flat columns (`imusim.export.columns`), shortest digits that read back exactly; the header is in the sidecar."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

from imusim.export.columns import from_columns, known_columns, sensors_in, to_columns
from imusim.export.conventions import Arrays


def write(path: Path, arrays: Arrays, header: dict[str, Any]) -> None:
    """Write one CSV file; NaN is written as nan."""
    import pyarrow as pa
    import pyarrow.csv as pc

    columns = to_columns(arrays, header["sensors"])
    names = io.StringIO()
    csv.writer(names, lineterminator="\n").writerow(columns)
    table = pa.table({name: pa.array(column) for name, column in columns.items()})
    with open(path, "wb") as file:
        file.write(names.getvalue().encode())
        pc.write_csv(table, file, pc.WriteOptions(include_header=False))


def header(path: Path) -> dict[str, Any]:
    """The header is in the sidecar."""
    return {}


def read(path: Path) -> tuple[Arrays, dict[str, Any]]:
    """Read a CSV file; raises whatever pyarrow raises on a damaged one."""
    import pyarrow as pa
    import pyarrow.csv as pc

    with open(path, encoding="utf-8-sig", newline="") as file:
        names = next(csv.reader(file), [])
    sensors = sensors_in(names)
    ours = {
        name: pa.bool_() if name.endswith("_valid") else pa.float64()
        for name in known_columns(names, sensors)
    }
    # "nan" is a number; only an empty cell is no value, and that becomes NaN too
    options = pc.ConvertOptions(column_types=ours, null_values=[""], include_columns=list(ours))
    table = pc.read_csv(path, convert_options=options)
    columns = {name: table.column(name).to_numpy() for name in table.column_names}
    return from_columns(columns, sensors), {"sensors": list(sensors)}
