"""Parquet: flat columns (`imusim.export.columns`), the header as JSON in the file's own metadata."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from imusim.export.columns import from_columns, sensors_in, to_columns
from imusim.export.conventions import Arrays

_KEY = b"imusim"
_ROWS = 8_192  # of a row group


def write(path: Path, arrays: Arrays, header: dict[str, Any]) -> None:
    """Write one parquet file."""
    rows = max(len(arrays["time_s"]), 1)
    parts = ({name: x[i : i + _ROWS] for name, x in arrays.items()} for i in range(0, rows, _ROWS))
    write_parts(path, parts, lambda: header, header["sensors"])  # so that an hour is not held twice


def write_parts(
    path: Path, parts: Iterable[Arrays], header: Callable[[], dict[str, Any]], sensors: Sequence[str]
) -> None:
    """Write one parquet file from parts that follow one another; `header` is asked for behind the last."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    writer = None
    try:
        for part in parts:
            table = pa.table({name: pa.array(column) for name, column in to_columns(part, sensors).items()})
            if writer is None:
                # noise has no repeated values and does not compress by more than a tenth
                writer = pq.ParquetWriter(
                    path, table.schema, compression="zstd", use_dictionary=False, write_statistics=False
                )
            writer.write_table(table)
        if writer is not None:
            writer.add_key_value_metadata({_KEY: json.dumps(header()).encode()})
    finally:
        if writer is not None:
            writer.close()


def header(path: Path) -> dict[str, Any]:
    """Read the header alone, {} if there is none."""
    import pyarrow.parquet as pq

    return json.loads((pq.read_metadata(path).metadata or {}).get(_KEY, b"{}"))


def read(path: Path) -> tuple[Arrays, dict[str, Any]]:
    """Read a parquet file; raises whatever pyarrow raises on a damaged one."""
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    columns = {name: table.column(name).to_numpy() for name in table.column_names}
    kept = pq.read_metadata(path).metadata or {}
    header = json.loads(kept.get(_KEY, b"{}"))
    header.setdefault("sensors", list(sensors_in(table.column_names)))
    return from_columns(columns, header["sensors"]), header
