"""Arrays (T, S, 3) ↔ flat columns, one a sensor, signal and axis.

=====================================  =================================================================
``time_s``                             s
``<sensor>_acc_x`` … ``_z``            specific force · m/s² · sensor axes (``_acc_g_x``: Core Motion, g)
``<sensor>_gyro_x`` … ``_z``           angular rate · rad/s · sensor axes
``<sensor>_mag_x`` … ``_z``            magnetic field · µT · sensor axes
``<sensor>_acc_sd_x``, ``_gyro_sd_x``  standard deviation of the simulated motion's signal, same units
``<sensor>_valid``                     False where the motion was not seen and the signals are NaN
``<sensor>_confidence``                0 … 1
``<sensor>_true_time_s``               s, when it really sampled
=====================================  =================================================================
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from imusim.errors import MotionFileError
from imusim.export.conventions import Arrays

VECTORS = ("acc_sd_g", "acc_g", "acc_sd", "gyro_sd", "acc", "gyro", "mag")
SCALARS = ("valid", "confidence", "true_time_s")
QUALITY = ("acc_sd_g", "acc_sd", "gyro_sd", "valid", "confidence", "true_time_s")
_VECTOR = re.compile(rf"(.+?)_({'|'.join(VECTORS)})_([xyz])")


def to_columns(arrays: Arrays, sensors: Sequence[str]) -> dict[str, NDArray[np.generic]]:
    """Return flat columns of length T in the order time, then sensor by sensor."""
    columns: dict[str, NDArray[np.generic]] = {"time_s": arrays["time_s"]}
    for s, sensor in enumerate(sensors):
        for kind in ("acc", "acc_g", "gyro", "mag", "acc_sd", "acc_sd_g", "gyro_sd"):
            if kind in arrays:
                for i, axis in enumerate("xyz"):
                    columns[f"{sensor}_{kind}_{axis}"] = np.ascontiguousarray(arrays[kind][:, s, i])
        for kind in SCALARS:
            if kind in arrays:
                columns[f"{sensor}_{kind}"] = np.ascontiguousarray(arrays[kind][:, s])
    return columns


def sensors_in(names: Sequence[str]) -> tuple[str, ...]:
    """Return the sensors that column names speak of, in order."""
    found = (_VECTOR.fullmatch(name) for name in names)
    return tuple(dict.fromkeys(m[1] for m in found if m))


def known_columns(names: Sequence[str], sensors: Sequence[str]) -> list[str]:
    """Return those of the column names that belong to the sensors, and ``time_s``."""
    wanted = {f"{sensor}_{kind}" for sensor in sensors for kind in SCALARS} | {"time_s"}
    return [name for name in names if name in wanted or _VECTOR.fullmatch(name)]


def from_columns(columns: dict[str, NDArray[np.generic]], sensors: Sequence[str]) -> Arrays:
    """Return arrays (T, S, 3) and (T, S) from flat columns; columns that are not ours are left out.

    Raises
    ------
    MotionFileError
        If ``time_s``, a sensor's acc or gyro, or one of three axes is missing.
    """
    if "time_s" not in columns or not sensors:
        raise MotionFileError(
            f"wanted columns time_s, <sensor>_acc_x, <sensor>_gyro_x ...; got {', '.join(list(columns)[:8]) or 'none'}"
        )
    arrays: Arrays = {"time_s": columns["time_s"]}
    for kind in VECTORS:
        if any(f"{sensor}_{kind}_x" in columns for sensor in sensors):
            rows = [[_column(columns, f"{s}_{kind}_{axis}") for axis in "xyz"] for s in sensors]
            arrays[kind] = np.ascontiguousarray(np.moveaxis(np.asarray(rows, dtype=np.float64), 2, 0))
    for kind in SCALARS:
        if any(f"{sensor}_{kind}" in columns for sensor in sensors):
            rows = [_column(columns, f"{s}_{kind}") for s in sensors]
            arrays[kind] = np.ascontiguousarray(np.stack(rows, axis=1))
    return arrays


def _column(columns: dict[str, NDArray[np.generic]], name: str) -> NDArray[np.generic]:
    if name not in columns:
        raise MotionFileError(f"column {name} is missing")
    return columns[name]
