"""Files of a device at rest: what `imusim.Recording.load` reads, or a plain CSV table."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from imusim.allan.static import StaticRecording, longest_piece
from imusim.allan.table import read_table
from imusim.errors import ConfigError, MotionFileError, TimeError, unknown_name


def read_static(
    path: str | Path, *, rate_hz: float | None = None, sensor: str | None = None, gyro_unit: str = "auto"
) -> StaticRecording:
    """Read a recording of a device at rest, in SI.

    Parameters
    ----------
    path : .csv, .parquet or .npz as `imusim.Recording.save` writes them, or any CSV file with a header that names
        time, ax, ay, az, gx, gy, gz in one of the usual ways

    Other Parameters
    ----------------
    rate_hz : sampling rate · Hz; None: from time
    sensor : which one, of a recording of several
    gyro_unit : "rad/s", "deg/s", or "auto": from the header of a plain table, else rad/s

    Raises
    ------
    MotionFileError, TimeError, UnitError, ConfigError
        If the file, its time or its units are not what they should be.
    UnknownNameError
        If it has no such sensor.
    """
    path = Path(path).expanduser()
    if rate_hz is not None and not (np.isfinite(rate_hz) and 0.1 <= rate_hz <= 20_000):
        raise ConfigError(f"rate={rate_hz:g}: wanted a sampling rate between 0.1 and 20000 Hz")
    if path.is_dir():
        raise MotionFileError(f"{path} is a folder, wanted a recording: .csv, .parquet or .npz")
    if not path.is_file():
        raise MotionFileError(f"{path}: no such file")
    if path.suffix.lower() not in (".parquet", ".npz") and not _is_ours(path):
        return read_table(path, rate_hz, gyro_unit)
    from imusim.recording import Recording

    recording = Recording.load(path)
    if sensor is not None and sensor not in recording.sensors:
        raise unknown_name("sensor of this recording", sensor, recording.sensors)
    if sensor is None and len(recording.sensors) != 1:
        raise ConfigError(
            f"{path} holds {len(recording.sensors)} sensors ({', '.join(recording.sensors[:5])}), wanted one. "
            f"Pass --sensor {recording.sensors[0]}, say."
        )
    at = 0 if sensor is None else recording.sensors.index(sensor)
    acc, gyro = recording.acc[:, at], recording.gyro[:, at]
    try:
        piece, rate, said = longest_piece(recording.time_s, np.hstack([acc, gyro]), rate_hz)
    except TimeError as error:
        raise TimeError(f"{path}: {error}") from None
    return StaticRecording(acc[piece], gyro[piece], rate, path.name, (said,) if said else ())


def _is_ours(path: Path) -> bool:
    """Whether a text file has the columns of `imusim.export.columns`."""
    from imusim.export.columns import sensors_in

    if path.suffix.lower() != ".csv":
        return False
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            names = next(csv.reader(file), [])
    except (OSError, UnicodeDecodeError, csv.Error):
        return False
    return "time_s" in names and len(sensors_in(names)) > 0
