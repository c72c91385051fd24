"""File formats of recordings, one file each: parquet, CSV, NPZ. `imusim.Recording.save` and `.load` are the way in.

A format module has ``write(path, arrays, header)``, ``read(path) -> (arrays, header)`` and ``header(path)``; `arrays` holds
``time_s`` (T,), ``acc`` and ``gyro`` (T, S, 3) and what else the recording has, `header` is plain JSON values
with the key "sensors". A new format is one file and one line in `FORMATS`.
"""

from __future__ import annotations

from imusim.export.conventions import CONVENTIONS
from imusim.export.files import FORMATS, load_arrays, save_arrays, save_parts, written_by_us
from imusim.export.plain import plain

__all__ = ["CONVENTIONS", "FORMATS", "load_arrays", "plain", "save_arrays", "save_parts", "written_by_us"]
