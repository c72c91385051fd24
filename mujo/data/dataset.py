"""What every loader returns: bouts of one activity by one person, in SI units and in the device's own axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mujo.errors import DatasetError, unknown_name

if TYPE_CHECKING:
    from mujo.data.windows import Windows

Signals = Mapping[str, Mapping[str, NDArray[np.float64]]]
"""sensor → {"acc": (T, 3) m/s² specific force, "gyro": (T, 3) rad/s}; a channel that was not measured is not there."""


@dataclass(frozen=True)
class Card:
    """What is known of a data set before any file is read.

    Parameters
    ----------
    key : short name, as in ``mujo.data.load(key)``
    title : full name, year and first author
    people : how many
    rate_hz : sampling rate the loader gives · Hz
    sensors : names of the places
    classes : names in the order of their indices; the null class, if there is one, is last
    null_class : name of the class "none of the others", or None
    licence : as its authors state it
    where : where it is to be had
    wants : what must be in the folder or archive, in words
    folder : its folder under ``MUJO_DATA``
    note : what else to know
    """

    key: str
    title: str
    people: int
    rate_hz: float
    sensors: tuple[str, ...]
    classes: tuple[str, ...]
    licence: str
    where: str
    wants: str
    folder: str
    null_class: str | None = None
    note: str = ""


@dataclass(frozen=True)
class Bout:
    """One recording of one activity by one person: the unit that is labelled.

    Parameters
    ----------
    id : unique in its data set
    person : id of the person
    label : index into the data set's classes
    signals : see `Signals`; all channels have the same length and the data set's rate
    """

    id: str
    person: str
    label: int
    signals: Signals

    @property
    def samples(self) -> int:
        """Length in samples."""
        return next(len(x) for channels in self.signals.values() for x in channels.values())


@dataclass(frozen=True)
class Dataset:
    """Bouts of a data set, in the order of its files.

    Parameters
    ----------
    card : what is known of it
    bouts : recordings; none crosses a gap or a change of label
    published : splits that its authors published: name → {"train" | "validation" | "test": people}
    missing : what was left out while reading, in words: count
    """

    card: Card
    bouts: tuple[Bout, ...]
    published: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    missing: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.bouts:
            raise DatasetError(
                f"{self.card.key}: no recording was found. Wanted: {self.card.wants} ({self.card.where})."
            )
        ids = {b.id for b in self.bouts}
        if len(ids) != len(self.bouts):
            raise DatasetError(f"{self.card.key}: {len(self.bouts) - len(ids)} recordings are there twice.")

    @property
    def key(self) -> str:
        """Short name."""
        return self.card.key

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in the order of their indices."""
        return self.card.classes

    @property
    def rate_hz(self) -> float:
        """Sampling rate · Hz."""
        return self.card.rate_hz

    @property
    def null_class(self) -> str | None:
        """Name of the class "none of the others", or None."""
        return self.card.null_class

    @property
    def people(self) -> tuple[str, ...]:
        """Ids of the people who have recordings, sorted (numbers as numbers)."""
        return tuple(sorted({b.person for b in self.bouts}, key=lambda p: (len(p), p)))

    @property
    def sensors(self) -> tuple[str, ...]:
        """Places that have signals here, in the card's order (a part of a data set may lack some)."""
        here = {sensor for b in self.bouts for sensor in b.signals}
        return tuple(s for s in self.card.sensors if s in here)

    def channels(self, sensor: str) -> tuple[str, ...]:
        """Signals ("acc", "gyro") that every recording of this sensor has."""
        if sensor not in self.sensors:
            raise unknown_name(f"sensor of {self.key}", sensor, self.sensors)
        kinds = [set(b.signals[sensor]) for b in self.bouts if sensor in b.signals]
        return tuple(c for c in ("acc", "gyro") if all(c in k for k in kinds))

    def windows(
        self,
        window_s: float = 2.0,
        overlap: float = 0.5,
        rate_hz: float = 50.0,
        sensors: Sequence[str] | None = None,
        channels: Sequence[str] = ("acc", "gyro"),
        null: str = "keep",
    ) -> Windows:
        """Cut the bouts into windows of equal length.

        Parameters
        ----------
        window_s : length · s
        overlap : share of a window that the next one repeats, 0 ≤ overlap < 1
        rate_hz : rate of the windows · Hz; lower than the recording's: what cannot be represented is filtered out
        sensors : places, in this order; None: all that are worn at once (those of the first bout)
        channels : "acc", "gyro" or both; what a sensor did not measure is left out
        null : "keep" or "drop" the null class

        Returns
        -------
        Windows
            Unpacks to ``X (N, C, T) float32``, ``y (N,)`` (indices into `classes`), ``person (N,)``.

        Raises
        ------
        UnknownNameError, ConfigError, DatasetError
            On unknown names, values out of range, and if no window is left.
        """
        from mujo.data.windows import cut_windows

        return cut_windows(self, window_s, overlap, rate_hz, sensors, channels, null)
