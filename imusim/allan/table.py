"""Plain tables of a device at rest: columns named in one of the usual ways → SI signals."""

from __future__ import annotations

import csv
import math
import re
import warnings
from pathlib import Path

import numpy as np

from imusim.allan.static import StaticRecording, longest_piece
from imusim.conventions import STANDARD_GRAVITY
from imusim.errors import ConfigError, MotionFileError, TimeError, UnitError
from imusim.types import Floats

GYRO_UNITS = {"rad/s": 1.0, "deg/s": math.pi / 180.0}
_ACC_UNITS = {"m/s²": 1.0, "g": STANDARD_GRAVITY, "mg": 1e-3 * STANDARD_GRAVITY}
_TIME_UNITS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_ACC = re.compile(
    r"(?:linear_?)?(?:a|acc|accel|accelero|accelerometer|acceleration)[ ._-]*([xyz])(?![a-z])(.*)"
)
_GYRO = re.compile(
    r"(?:g|w|gyr|gyro|gyroscope|omega|rotation_?rate|angular_?(?:rate|velocity))[ ._-]*([xyz])(?![a-z])(.*)"
)
_TIME = re.compile(r"(?:t|time|timestamp|time_?stamp|seconds|elapsed|epoch|sensortime)(?![a-z])[ ._-]*(.*)")
_WANTED = "time, ax, ay, az, gx, gy, gz (or acc_x ..., gyro_x ...)"


def read_table(path: Path, rate_hz: float | None, gyro_unit: str) -> StaticRecording:
    """Read a CSV file with a header; units from the header, from gravity (acc), or assumed with a remark.

    Parameters
    ----------
    path : text with comma, semicolon or tab between columns
    rate_hz : sampling rate · Hz, or None: from the time column
    gyro_unit : "rad/s", "deg/s", or "auto": from the header, else rad/s

    Raises
    ------
    MotionFileError
        If it is not such a table.
    UnitError
        If acc at rest is neither 9.8 m/s² nor 1 g.
    TimeError
        If the rate is not to be known, or nothing without holes is left.
    """
    names, data = _read(path)
    columns = _assign(names, path)
    acc = np.stack([data[:, columns[f"acc_{axis}"][0]] for axis in "xyz"], axis=1)
    gyro = np.stack([data[:, columns[f"gyro_{axis}"][0]] for axis in "xyz"], axis=1)
    remarks: list[str] = []
    time_s = None
    if "time" in columns and rate_hz is None:
        time_s = _in_seconds(data[:, columns["time"][0]], columns["time"][1], remarks)
    try:
        piece, rate, said = longest_piece(time_s, np.hstack([acc, gyro]), rate_hz)
    except TimeError as error:
        raise TimeError(f"{path}: {error}") from None
    remarks += [said] if said else []
    acc, gyro = acc[piece], gyro[piece]
    acc = acc * _acc_factor(acc, columns["acc_x"][1], path)
    gyro = gyro * _gyro_factor(columns["gyro_x"][1], gyro_unit, remarks)
    return StaticRecording(acc, gyro, rate, path.name, tuple(remarks))


def _read(path: Path) -> tuple[list[str], Floats]:
    """Column names and numbers (T, C)."""
    import pandas as pd

    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            skipped = 0
            line = file.readline()
            while line and (not line.strip() or line.lstrip().startswith(("#", "%", "//"))):
                line, skipped = file.readline(), skipped + 1
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not a text file"
        raise MotionFileError(f"{path}: {why}. Wanted a CSV file with the columns {_WANTED}.") from None
    separator = max(",;\t", key=line.count)
    names = [name.strip() for name in next(csv.reader([line], delimiter=separator), [])]
    if not any(names):
        raise MotionFileError(f"{path} is empty. Wanted a CSV file with the columns {_WANTED}.")
    if all(_is_number(name) for name in names):
        raise MotionFileError(
            f"{path} has no header: its first line is numbers. Wanted column names there: {_WANTED}."
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            table = pd.read_csv(
                path,
                sep=separator,
                header=None,
                names=list(range(len(names))),
                skiprows=skipped + 1,
                skipinitialspace=True,
                low_memory=False,
                encoding="utf-8-sig",
                index_col=False,
            )
    except (ValueError, OSError) as error:
        first = str(error).strip().splitlines()[0]
        raise MotionFileError(f"{path} is damaged or not a table: {first}") from None
    if len(table) == 0:
        raise MotionFileError(f"{path} has a header and no rows. Wanted hours of a device at rest.")
    columns = _assign(names, path)
    out = np.full((len(table), len(names)), np.nan)
    for name, (at, _) in columns.items():
        try:
            out[:, at] = table[at].to_numpy(dtype=np.float64)
        except (ValueError, TypeError):
            texts = [str(text) for text in table[at]]
            row = next(i for i, text in enumerate(texts) if not _is_number(text))
            hint = (
                " Pass --rate and leave the column out, or write seconds."
                if name == "time"
                else " Numbers only."
            )
            raise MotionFileError(
                f"{path}: column {names[at]!r} holds {texts[row]!r} in row {row + 1}, wanted a number.{hint}"
            ) from None
    return names, out


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _assign(names: list[str], path: Path) -> dict[str, tuple[int, str]]:
    """Which column is what: "time", "acc_x" … "gyro_z" → (index, unit as the header writes it)."""
    found: dict[str, tuple[int, str]] = {}
    for at, name in enumerate(names):
        low = name.lower()
        for kind, pattern in (("acc", _ACC), ("gyro", _GYRO)):
            if match := pattern.fullmatch(low):
                key = f"{kind}_{match[1]}"
                if key in found:
                    raise MotionFileError(
                        f"{path}: {names[found[key][0]]!r} and {name!r} could both be {key}. Keep the columns of one sensor."
                    )
                found[key] = (at, match[2])
        if (match := _TIME.fullmatch(low)) and "time" not in found:
            found["time"] = (at, match[1])
    lacks = [f"{kind}_{axis}" for kind in ("acc", "gyro") for axis in "xyz" if f"{kind}_{axis}" not in found]
    if lacks:
        got = ", ".join(names[:10]) + (" ..." if len(names) > 10 else "")
        raise MotionFileError(
            f"{path} lacks {', '.join(lacks)}: got the columns {got}; wanted {_WANTED}. Rename them."
        )
    return found


def _in_seconds(time: Floats, written: str, remarks: list[str]) -> Floats:
    """Time from zero · s, by the unit in the header, else by what makes a likely rate."""
    time = time - time[np.isfinite(time)][:1].sum()
    unit = re.sub(r"[^a-zµ]", "", written)
    if unit in _TIME_UNITS:
        return time * _TIME_UNITS[unit]
    step = float(np.nanmedian(np.diff(time))) if time.size > 1 else math.nan
    likely = [u for u in ("s", "ms", "us", "ns") if 2.0 <= 1.0 / max(step * _TIME_UNITS[u], 1e-30) < 2000.0]
    if not likely:
        return time
    if likely[0] != "s":
        remarks.append(f"the time column was taken for {likely[0]}; pass --rate if that is wrong")
    return time * _TIME_UNITS[likely[0]]


def _acc_factor(acc: Floats, written: str, path: Path) -> float:
    norm = float(np.linalg.norm(acc.mean(axis=0)))
    for factor in _ACC_UNITS.values():
        if abs(norm * factor / STANDARD_GRAVITY - 1.0) < 0.15:
            return factor
    raise UnitError(
        f"{path}: acc has a mean of norm {norm:.4g} (header: {written.strip(' _-') or 'no unit'}), wanted about 9.81 "
        "(m/s²), 1 (g) or 1000 (mg) of a device at rest. Convert raw counts, and keep gravity in."
    )


def _gyro_factor(written: str, asked: str, remarks: list[str]) -> float:
    if asked != "auto":
        if asked not in GYRO_UNITS:
            raise ConfigError(f"gyro_unit={asked!r}: wanted one of auto, {', '.join(GYRO_UNITS)}")
        return GYRO_UNITS[asked]
    unit = re.sub(r"[^a-z°]", "", written)
    if unit.startswith(("mdps", "mdeg")):
        return 1e-3 * GYRO_UNITS["deg/s"]
    if unit.startswith(("dps", "deg", "°")):
        return GYRO_UNITS["deg/s"]
    if not unit.startswith("rad"):
        remarks.append(
            "the header names no unit of gyro; rad/s is assumed (--gyro-unit deg/s if it is degrees)"
        )
    return 1.0
