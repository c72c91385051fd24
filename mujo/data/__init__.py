"""Data sets of human activity, as downloaded, in SI units and device axes.

>>> import mujo
>>> data = mujo.data.load("motionsense", "MotionSense/")         # doctest: +SKIP
>>> X, y, person = data.windows(window_s=2.0, overlap=0.5)       # doctest: +SKIP
"""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

from mujo.data.dataset import Bout, Card, Dataset
from mujo.data.windows import Windows
from mujo.errors import unknown_name

__all__ = ["KEYS", "Bout", "Card", "Dataset", "Windows", "card", "load"]

KEYS = ("mmfit", "myogym", "motionsense", "mhealth", "utd_mhad", "spar", "hapt", "dsads")
"""Names of the data sets; each has a module of that name with its `CARD` and `load`."""


def card(key: str) -> Card:
    """What is known of a data set: people, rate, sensors, classes, licence, where it is to be had.

    Raises
    ------
    UnknownNameError
    """
    return _module(key).CARD


def load(key: str, root: Path | str | None = None) -> Dataset:
    """Read a data set.

    Parameters
    ----------
    key : one of `KEYS`
    root : its folder or zip archive, as downloaded; None: its folder under the environment variable ``MUJO_DATA``
        (spar needs none: it is fetched on first use)

    Raises
    ------
    UnknownNameError
        On an unknown key; the nearest is suggested.
    DatasetError
        If files are missing (which ones, from where), damaged, or of another layout.
    """
    return _module(key).load(root)


def _module(key: str) -> ModuleType:
    if key not in KEYS:
        raise unknown_name("data set", key, KEYS)
    return importlib.import_module(f"mujo.data.{key}")
