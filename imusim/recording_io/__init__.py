"""Real recordings from the files that loggers write. `read_recording` is the way in."""

from __future__ import annotations

from pathlib import Path

from imusim.errors import MotionFileError
from imusim.export import written_by_us
from imusim.recording import Recording
from imusim.recording_io.mvnx import read_mvnx_sensors
from imusim.recording_io.tables import read_table

__all__ = ["read_recording"]


def read_recording(
    path: str | Path, *, rate_hz: float | None = None, acc_unit: str = "auto", gyro_unit: str = "auto"
) -> Recording:
    """Read a recording of real (or simulated) sensors; ``metadata["read"]`` says what was taken for what.

    Parameters
    ----------
    path : what `Recording.save` writes; a table (.csv, .txt, .tsv, .parquet, .npz) with the columns of one sensor
    or, by a prefix, of
        several; EuRoC's ``imu0`` folder or ``data.csv``; Xsens .mvnx, or DOT and MTw tables

    Other Parameters
    ----------------
    rate_hz : sampling rate · Hz, if the file does not say
    acc_unit : "auto", "m/s2", "g" or "mg"
    gyro_unit : "auto", "rad/s" or "deg/s"

    Raises
    ------
    MotionFileError, UnitError, TimeError
        If the file is not such a recording, or its units or times cannot be told.
    """
    path = Path(path).expanduser()
    if path.is_dir():
        inside = [
            p
            for p in (path / "data.csv", path / "imu0" / "data.csv", path / "mav0" / "imu0" / "data.csv")
            if p.is_file()
        ]
        if not inside:
            raise MotionFileError(f"{path} is a folder without data.csv. Name the file.")
        path = inside[0]
    if not path.is_file():
        raise MotionFileError(f"{path}: no such file")
    if path.suffix.lower() == ".mvnx":
        return read_mvnx_sensors(path)
    if acc_unit == gyro_unit == "auto" and rate_hz is None and written_by_us(path):
        return Recording.load(path)
    return read_table(path, rate_hz=rate_hz, acc_unit=acc_unit, gyro_unit=gyro_unit)
