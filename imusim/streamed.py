"""Long recordings go from the simulation into their files in pieces; of the whole only what a picture shows is kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from imusim.options import SensorOptions
from imusim.recording import Recording, save_stream
from imusim.types import Motion

WHOLE = 1 << 18
"""Samples, of all sensors together, of a recording that is made as a whole (two and a half minutes of 17 at 100 Hz)."""
SHOWN = 12_000
"""About so many samples a sensor are kept of a longer one for the picture, in which a pixel has several of them."""


def is_long(motion: Motion, options: SensorOptions, formats: Sequence[str]) -> bool:
    """Whether the recording had better be written in pieces: parquet takes them, in SI units.

    Raises
    ------
    UnknownNameError
        On an unknown placement.
    """
    from imusim.placement import resolve

    known = motion.time_s[motion.valid]
    if tuple(formats) != ("parquet",) or options.axes == "coremotion" or known.size < 2:
        return False
    return len(resolve(options.placements)) * options.rate_hz * float(known[-1] - known[0]) > WHOLE


def write_streamed(folder: Path, motion: Motion, options: SensorOptions) -> dict[str, Recording]:
    """Write imu.parquet and, unless the sensor is perfect, ideal.parquet into a folder, each with its .json.

    A sensor with a perfect clock has the same bits as `Sensor.measure` of the ideal recording has.

    Returns
    -------
    dict of Recording
        "imu" and "ideal": samples at even steps, and the largest specific force of every piece.

    Raises
    ------
    UnknownNameError, ConfigError, OutputError
    """
    from imusim.kinematics import BodyTrajectory
    from imusim.sensor import find
    from imusim.simulation import stream

    body = BodyTrajectory(motion, smoothing=options.smoothing)
    sensor = find(options.sensor)
    span = float(np.ptp(motion.time_s[motion.valid]))
    step = max(1, round(span * options.rate_hz / SHOWN))
    shown = {}
    for stem, kind in {"imu": sensor, "ideal": find("ideal")}.items() if sensor.terms else [("imu", sensor)]:
        pieces = stream(
            body, options.placements, sensor=kind, rate_hz=options.rate_hz, seed=options.seed, axes=options.axes
        )  # fmt: skip
        kept: list[Recording] = []
        save_stream(folder / f"{stem}.parquet", _noted(pieces, kept, step))
        shown[stem] = _joined(kept)
    return shown


def _noted(pieces: Iterator[Recording], kept: list[Recording], step: int) -> Iterator[Recording]:
    """Pass pieces on, and keep every `step`-th sample and the largest specific force of each."""
    first = 0
    for piece in pieces:
        count = piece.time_s.size
        norm = np.linalg.norm(piece.acc, axis=-1)
        peak = int(np.nanargmax(norm)) // norm.shape[1] if np.isfinite(norm).any() else 0
        kept.append(_at(piece, np.union1d(np.arange(-first % step, count, step), [peak])))
        first += count
        yield piece


def _at(piece: Recording, rows: np.ndarray) -> Recording:
    arrays = {name: values[rows] for name, values in piece.arrays().items()}
    return Recording(sensors=piece.sensors, metadata=piece.metadata, unit="m/s2", gyro_unit="rad/s", **arrays)


def _joined(pieces: list[Recording]) -> Recording:
    parts = [p.arrays() for p in pieces]
    arrays = {name: np.concatenate([p[name] for p in parts]) for name in parts[0]}
    first = pieces[0]
    return Recording(sensors=first.sensors, metadata=first.metadata, unit="m/s2", gyro_unit="rad/s", **arrays)
