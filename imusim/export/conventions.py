"""Conventions a file can be in: SI, Android, Apple Core Motion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from imusim.conventions import STANDARD_GRAVITY
from imusim.errors import unknown_name

Arrays = dict[str, NDArray[Any]]

CONVENTIONS: Mapping[str, str] = {
    "si": "acc: specific force, m/s2, +9.81 along up at rest; gyro: rad/s; sensor axes",
    "android": "acc: m/s2, +9.81 along up at rest (Android Sensor.TYPE_ACCELEROMETER); gyro: rad/s; sensor axes",
    "coremotion": "acc: g, -1 along up at rest (Apple CMAccelerometerData: minus the specific force); gyro: rad/s; "
    "sensor axes",
}
"""What a file's numbers mean, by convention."""

_TO_G = {"acc": ("acc_g", -1.0), "acc_sd": ("acc_sd_g", 1.0)}


def encoded(arrays: Arrays, convention: str) -> Arrays:
    """Return the arrays as the convention has them; arrays in g are called ``acc_g`` and ``acc_sd_g``.

    Raises
    ------
    UnknownNameError
        If there is no such convention.
    """
    if convention not in CONVENTIONS:
        raise unknown_name("convention", convention, CONVENTIONS)
    if convention != "coremotion":
        return arrays
    out: Arrays = {}
    for key, array in arrays.items():
        name, sign = _TO_G.get(key, (key, 0.0))
        out[name] = array * (sign / STANDARD_GRAVITY) if sign else array
    return out


def decoded(arrays: Arrays) -> Arrays:
    """Return the arrays in SI, whatever convention they are in (their names tell)."""
    back = {name: (key, sign) for key, (name, sign) in _TO_G.items()}
    out: Arrays = {}
    for name, array in arrays.items():
        key, sign = back.get(name, (name, 0.0))
        out[key] = array * (sign * STANDARD_GRAVITY) if sign else array
    return out
