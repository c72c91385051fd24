"""Tables of real sensors (CSV, text, parquet, NPZ) → `Recording`, by the names of their columns."""

from __future__ import annotations

import csv
import re
import warnings
import zipfile
from pathlib import Path

import numpy as np

from imusim.conventions import STANDARD_GRAVITY
from imusim.errors import MotionFileError, TimeError
from imusim.recording import Recording
from imusim.recording_io.columns import Found, acc_factor, assign, gyro_factor
from imusim.recording_io.timing import in_seconds, increasing
from imusim.types import Floats

_RATE = re.compile(r"(?:sampl\w*|update|frame)[ _]?(?:frequency|rate)\D*([0-9.]+)", re.I)
_MOST_LINES = 60  # before the header


def read_table(
    path: Path, *, rate_hz: float | None = None, acc_unit: str = "auto", gyro_unit: str = "auto"
) -> Recording:
    """Read a table; ``metadata["read"]`` says in words which column was taken for what, and in which unit.

    Parameters
    ----------
    path : .csv, .txt, .tsv, .parquet, or .npz with one array a column

    Other Parameters
    ----------------
    rate_hz : sampling rate · Hz; None: from a time column, or a comment such as ``# sampling frequency: 40``
    acc_unit : "auto", "m/s2", "g" or "mg"
    gyro_unit : "auto", "rad/s" or "deg/s"

    Raises
    ------
    MotionFileError, UnitError, TimeError
        If it is not such a table, or its units or times cannot be told.
    """
    names, data, said_rate = _columns(path)
    found = assign(names, path.name)
    said: list[str] = []
    if rate_hz is None and found.time is not None:
        at, written = found.time
        time, unit = in_seconds(data[at], written)
        said.append(f"time: {names[at]!r}, {unit}")
    elif rate_hz or said_rate:
        rate = rate_hz or said_rate or 1.0
        if not (np.isfinite(rate) and rate > 0):
            raise TimeError(f"rate_hz={rate}: wanted a positive sampling rate in Hz")
        time = np.arange(len(data[0])) / rate
        said.append(f"time: counted at {rate:g} Hz" + ("" if rate_hz else ", by the file's comment"))
    else:
        raise TimeError(f"{path.name} has no time column. Give its sampling rate, rate_hz (--rate-hz).")
    keep, time, more = increasing(time)
    said += more
    own = path.parent.name if path.stem == "data" and path.parent.name else path.stem  # EuRoC's imu0/data.csv
    acc, gyro = [], []
    read: dict[
        tuple[str, str], list[tuple[str, str]]
    ] = {}  # signal and unit → sensors and their first columns
    for sensor, signals in found.sensors.items():
        label = sensor or own
        a = np.stack([data[i] for i in signals["acc"]], axis=1)[keep]
        if found.apple and not sensor:
            a = -(a + np.stack([data[i] for i in found.apple["gravity"]], axis=1)[keep]) * STANDARD_GRAVITY
            said.append(f"{label} acc: −(gravity + user acceleration), Apple's sign, g")
        else:
            factor, unit = acc_factor(a, found.units.get((sensor, "acc"), ""), acc_unit, path.name)
            a = a * factor
            read.setdefault(("acc", unit), []).append((label, names[signals["acc"][0]]))
        g = np.stack([data[i] for i in signals["gyro"]], axis=1)[keep]
        written = found.units.get((sensor, "gyro"), "")
        factor, unit = gyro_factor(_fastest(data, found, written), written, gyro_unit)
        read.setdefault(("gyro", unit), []).append((label, names[signals["gyro"][0]]))
        acc.append(a)
        gyro.append(g * factor)
    for (signal, unit), those in read.items():
        label, column = those[0]
        more = f" and {len(those) - 1} more" if len(those) > 1 else ""
        said.append(f"{label} {signal}: {column!r} …{more}, {unit}")
    sensors = tuple(s or own for s in found.sensors)
    return Recording(
        time,
        np.stack(acc, axis=1),
        np.stack(gyro, axis=1),
        sensors,
        metadata={"file": path.name, "read": said},
        unit="m/s2",
        gyro_unit="rad/s",
    )


def _fastest(data: list[Floats], found: Found, written: str) -> Floats:
    """The gyroscope (N, 3) that turns fastest of those whose unit is written alike: one logger has one unit."""
    alike = [
        np.stack([data[i] for i in signals["gyro"]], axis=1)
        for sensor, signals in found.sensors.items()
        if found.units.get((sensor, "gyro"), "") == written
    ]
    return max(alike, key=lambda x: float(np.nanmean(np.abs(x))) if np.isfinite(x).any() else 0.0)


def _columns(path: Path) -> tuple[list[str], list[Floats], float | None]:
    """Names, columns of numbers, and the rate that a comment speaks of."""
    suffix = path.suffix.lower()
    try:
        if suffix == ".parquet":
            import pandas as pd

            table = pd.read_parquet(path)
            numeric = table.select_dtypes("number")
            data = np.asarray(numeric, dtype=np.float64)
            return [str(c) for c in numeric.columns], list(data.T), None
        if suffix == ".npz":
            return _npz(path)
        return _text(path)
    except (OSError, ValueError, KeyError, UnicodeDecodeError, zipfile.BadZipFile) as error:
        if isinstance(error, MotionFileError):
            raise
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise MotionFileError(f"{path} cannot be read as a table: {first}") from None


def _npz(path: Path) -> tuple[list[str], list[Floats], float | None]:
    """Arrays (T,) as columns, (T, 3) as three, (T, S, 3) as three a sensor; a single number called rate is the rate."""
    names: list[str] = []
    data: list[Floats] = []
    rate = None
    with np.load(path, allow_pickle=False) as arrays:
        for name in arrays.files:
            x = arrays[name]
            if x.dtype.kind not in "fiu":
                continue
            x = x.astype(np.float64)
            if x.size == 1 and re.search(r"rate|fs|freq", name, re.I):
                rate = float(x.ravel()[0])
            elif x.ndim == 1:
                names.append(name)
                data.append(x)
            elif x.ndim == 2 and x.shape[1] == 3:
                names += [f"{name}_{a}" for a in "xyz"]
                data += list(x.T)
            elif x.ndim == 3 and x.shape[2] == 3:
                names += [f"s{s}_{name}_{a}" for s in range(x.shape[1]) for a in "xyz"]
                data += [x[:, s, i] for s in range(x.shape[1]) for i in range(3)]
    if len({len(x) for x in data}) > 1:
        lengths = ", ".join(f"{n} {len(x)}" for n, x in zip(names, data, strict=True))
        raise MotionFileError(f"{path}: arrays of different lengths: {lengths[:200]}")
    return names, data, rate


def _text(path: Path) -> tuple[list[str], list[Floats], float | None]:
    import pandas as pd

    rate = None
    with open(path, encoding="utf-8-sig", newline="") as file:
        lines = [line for _, line in zip(range(_MOST_LINES), file, strict=False)]
    header = None
    for i, line in enumerate(lines):
        if match := _RATE.search(line):
            rate = float(match[1])
        cells = _split(line)
        if len(cells) >= 6 and not any(_is_number(c) for c in cells):
            header = i
            break
        if len(cells) >= 6 and all(_is_number(c) for c in cells):
            break
    if header is None:
        raise MotionFileError(
            f"{path}: no line of column names. Wanted names such as time, acc_x, gyro_x in its first lines."
        )
    separator = max(",;\t", key=lines[header].count)
    names = [c.strip() for c in _split(lines[header])]
    names[0] = names[0].lstrip("#").strip()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # more cells than names: the rest is not ours
        table = pd.read_csv(
            path, sep=separator, header=None, skiprows=header + 1, names=list(range(len(names))), index_col=False,
            skipinitialspace=True, low_memory=False, encoding="utf-8-sig",
        )  # fmt: skip
    if len(table) < 2:
        raise MotionFileError(f"{path} has {len(table)} row(s) of numbers, wanted more")
    numbers = np.asarray(table.apply(pd.to_numeric, errors="coerce"), dtype=np.float64)
    return names, list(numbers.T), rate


def _split(line: str) -> list[str]:
    separator = max(",;\t", key=line.count)
    return next(csv.reader([line.strip()], delimiter=separator), [])


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
