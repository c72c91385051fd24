"""Arrays and header → a file and its JSON sidecar, and back, by suffix."""

from __future__ import annotations

import json
import warnings
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from imusim.atomic import written_together
from imusim.errors import ConfigError, MotionFileError, QualityWarning
from imusim.export import csv_text, npz, parquet
from imusim.export.conventions import CONVENTIONS, Arrays, decoded, encoded

FORMATS: Mapping[str, ModuleType] = {".parquet": parquet, ".csv": csv_text, ".npz": npz}
"""Format modules by file suffix."""

FORMAT = "imusim-recording-1"


def save_arrays(
    path: Path, arrays: Arrays, header: dict[str, Any], convention: str = "si"
) -> tuple[Path, ...]:
    """Write a recording's arrays and, for parquet and CSV, a JSON sidecar of the same stem; return the files.

    Raises
    ------
    ConfigError
        If the suffix is not one of `FORMATS`.
    UnknownNameError
        If there is no such convention.
    OutputError
        If they cannot be written; then neither file is there, or both are the old ones.
    """
    module = _module(path)
    out = encoded(arrays, convention)
    full = {"format": FORMAT, "convention": convention, "convention_means": CONVENTIONS[convention], **header}
    targets = (path,) if module is npz else (path, path.with_suffix(".json"))
    with written_together(*targets) as temporary:
        module.write(temporary[0], out, full)
        if len(targets) > 1:
            temporary[1].write_text(json.dumps(full, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return targets


def save_parts(
    path: Path, parts: Iterable[Arrays], header: Callable[[], dict[str, Any]], sensors: Sequence[str]
) -> tuple[Path, ...]:
    """Write a recording that comes in parts as parquet with its sidecar, in bounded memory; return the files.

    Raises
    ------
    ConfigError
        If the suffix is not .parquet: other formats want the whole.
    OutputError
        If they cannot be written; then neither file is there, or both are the old ones.
    """
    if _module(path) is not parquet:
        raise ConfigError(
            f"{path}: a recording in pieces is written as .parquet; other formats want the whole"
        )
    targets = (path, path.with_suffix(".json"))
    known: dict[str, Any] = {"format": FORMAT, "convention": "si", "convention_means": CONVENTIONS["si"]}
    with written_together(*targets) as temporary:
        parquet.write_parts(temporary[0], parts, lambda: known | header(), sensors)
        text = json.dumps(known | header(), indent=2, ensure_ascii=False)
        temporary[1].write_text(text + "\n", encoding="utf-8")
    return targets


def load_arrays(path: Path) -> tuple[Arrays, dict[str, Any]]:
    """Read what `save_arrays` wrote, in SI whatever the file's convention.

    Raises
    ------
    ConfigError
        If the suffix is not one of `FORMATS`.
    MotionFileError
        If there is no such file, or it is damaged or of another kind.
    """
    module = _module(path)
    if not path.is_file():
        raise MotionFileError(f"{path}: no such file")
    try:
        arrays, header = module.read(path)
    except MotionFileError as error:
        raise MotionFileError(f"{path}: {error}") from None
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise MotionFileError(f"{path} is damaged or not a recording: {_first_line(error)}") from None
    if "format" not in header and module is not npz:
        header = _sidecar(path.with_suffix(".json"), arrays) or header
    if header.get("format", FORMAT) != FORMAT:
        raise MotionFileError(f"{path} is not a recording of this version (wanted {FORMAT})")
    return decoded(arrays), header


def written_by_us(path: Path) -> bool:
    """Whether a file, or the sidecar beside it, says that `save_arrays` wrote it; its numbers are not read."""
    if not path.is_file() or path.suffix.lower() not in FORMATS:
        return False
    try:
        header = _module(path).header(path)
        if not header and path.with_suffix(".json").is_file():
            header = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        return isinstance(header, dict) and header.get("format") == FORMAT
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile):
        return False


def _module(path: Path) -> ModuleType:
    if path.suffix.lower() not in FORMATS:
        raise ConfigError(f"{path}: suffix {path.suffix or '(none)'}, wanted one of {', '.join(FORMATS)}")
    return FORMATS[path.suffix.lower()]


def _sidecar(path: Path, arrays: Arrays) -> dict[str, Any]:
    """The sidecar if it is there, is whole and speaks of this many samples; else nothing, saying so."""
    if not path.is_file():
        return {}
    try:
        header = json.loads(path.read_text(encoding="utf-8"))
        if header["samples"] == len(arrays["time_s"]) and len(header["sensors"]) == arrays["gyro"].shape[1]:
            return header
        why = "it belongs to another recording"
    except (OSError, ValueError, KeyError, TypeError) as error:
        why = _first_line(error)
    warnings.warn(QualityWarning(f"{path} was left aside: {why}"), stacklevel=3)
    return {}


def _first_line(error: BaseException) -> str:
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__
