"""NPZ: the arrays as they are, (T, S, 3), and the header as a JSON string; no pickles."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from imusim.export.conventions import Arrays


def write(path: Path, arrays: Mapping[str, Any], header: dict[str, Any]) -> None:
    """Write one .npz file."""
    with open(path, "wb") as file:
        np.savez(file, header=np.array(json.dumps(header)), **arrays)


def header(path: Path) -> dict[str, Any]:
    """Read the header alone, {} if there is none."""
    with open(path, "rb") as raw, np.load(raw, allow_pickle=False) as file:
        return json.loads(str(file["header"])) if "header" in file.files else {}


def read(path: Path) -> tuple[Arrays, dict[str, Any]]:
    """Read an .npz file; raises whatever NumPy raises on a damaged one, and never unpickles."""
    with open(path, "rb") as raw, np.load(raw, allow_pickle=False) as file:
        arrays: Arrays = {name: file[name] for name in file.files}
    header = json.loads(str(arrays.pop("header"))) if "header" in arrays else {}
    return arrays, header
