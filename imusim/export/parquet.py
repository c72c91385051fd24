"""Parquet: flat columns (`imusim.export.columns`), the header as JSON in the file's own metadata."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from imusim.export.columns import from_columns, sensors_in, to_columns
from imusim.export.conventions import Arrays

_KEY = b"imusim"
_ROWS = 8_192  # of a row group


def write(path: Path, arrays: Arrays, header: dict[str, Any]) -> None:
    """Write one parquet file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    writer = None
    try:
        for first in range(0, max(len(arrays["time_s"]), 1), _ROWS):  # so that an hour is not held twice
            part = {name: array[first : first + _ROWS] for name, array in arrays.items()}
            columns = to_columns(part, header["sensors"])
            table = pa.table({name: pa.array(column) for name, column in columns.items()})
            if writer is None:
                schema = table.schema.with_metadata({_KEY: json.dumps(header).encode()})
                # noise has no repeated values and does not compress by more than a tenth
                writer = pq.ParquetWriter(
                    path, schema, compression="zstd", use_dictionary=False, write_statistics=False
                )
            writer.write_table(table)
    finally:
        if writer is not None:
            writer.close()


def read(path: Path) -> tuple[Arrays, dict[str, Any]]:
    """Read a parquet file; raises whatever pyarrow raises on a damaged one."""
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    columns = {name: table.column(name).to_numpy() for name in table.column_names}
    header = json.loads((table.schema.metadata or {}).get(_KEY, b"{}"))
    header.setdefault("sensors", list(sensors_in(table.column_names)))
    return from_columns(columns, header["sensors"]), header
