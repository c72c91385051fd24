"""Who trains, who tests, and how much is labelled: folds of people, nested shares of labelled bouts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mujo.data import Windows
from mujo.errors import SplitError

FRACTIONS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
UNITS_A_CLASS = (1, 2, 4, 8)


@dataclass(frozen=True)
class Labelled:
    """How much of the training people's bouts is labelled: a share of each class, or so many a class.

    Parameters
    ----------
    fraction : 0 < fraction ≤ 1
    units : bouts a class, instead
    """

    fraction: float | None = None
    units: int | None = None

    def __post_init__(self) -> None:
        if (self.fraction is None) == (self.units is None):
            raise SplitError("give a fraction of the labels, or a number of labelled bouts a class, not both")
        if self.fraction is not None and not 0.0 < self.fraction <= 1.0:
            raise SplitError(f"fraction={self.fraction}: wanted 0 < fraction ≤ 1")
        if self.units is not None and self.units < 1:
            raise SplitError(f"{self.units} labelled bouts a class: wanted 1 or more")

    def count(self, available: int) -> int:
        """Labelled bouts of a class that has so many; one at least."""
        if self.units is not None:
            return min(self.units, available)
        assert self.fraction is not None
        return max(1, math.floor(self.fraction * available + 0.5))

    def __str__(self) -> str:
        return f"k{self.units}" if self.units is not None else f"f{self.fraction:g}"


def parse_labelled(text: str) -> Labelled:
    """Read what `str(Labelled)` wrote."""
    return Labelled(units=int(text[1:])) if text.startswith("k") else Labelled(float(text[1:]))


def person_folds(people: Sequence[str], count: int = 5, seed: int = 0) -> list[tuple[str, ...]]:
    """Deal shuffled people into `count` groups of test people; everybody is tested in exactly one.

    Raises
    ------
    SplitError
        If there are fewer people than folds, or fewer than two folds.
    """
    people = list(dict.fromkeys(people))
    if not 2 <= count <= len(people):
        raise SplitError(
            f"{count} folds of {len(people)} people: wanted 2 folds or more, one person or more in each"
        )
    order = np.random.default_rng(seed).permutation(len(people))
    return [tuple(sorted(people[i] for i in order[f::count])) for f in range(count)]


def labelled_units(
    windows: Windows, people: Sequence[str], labelled: Labelled, seed: int = 0
) -> NDArray[np.int64]:
    """Bouts of the training people that count as labelled, sorted.

    Each class's bouts are shuffled once by the seed and taken from the front, so that a smaller share is part of every
    larger one (of fractions and of bouts a class alike).

    Raises
    ------
    SplitError
        If a class of the data has no bout among these people.
    """
    mine = np.isin(windows.person, list(people))
    chosen = []
    for label in np.unique(windows.y):
        units = np.unique(windows.unit[mine & (windows.y == label)])
        if units.size == 0:
            raise SplitError(
                f"class {windows.classes[label]!r} has no recording of the training people {', '.join(sorted(people))}"
            )
        order = np.random.default_rng([seed, int(label)]).permutation(units.size)
        chosen.append(units[order[: labelled.count(units.size)]])
    return np.sort(np.concatenate(chosen))


@dataclass(frozen=True)
class Split:
    """Windows (indices) to train on, with and without labels, and to test on."""

    labelled: NDArray[np.int64]
    unlabelled: NDArray[np.int64]
    test: NDArray[np.int64]
    units: int


def split(windows: Windows, test_people: Sequence[str], labelled: Labelled, seed: int = 0) -> Split:
    """Split by person; checked for leaks.

    Returns
    -------
    Split
        `unlabelled` are all windows of the training people, the labelled ones among them.

    Raises
    ------
    SplitError
        If a person has no windows, nobody is left to train on, or anything is on both sides.
    """
    missing = set(test_people) - set(windows.person.tolist())
    if missing:
        raise SplitError(f"no windows of the test people {sorted(missing)}")
    testing = np.isin(windows.person, list(test_people))
    train_people = sorted(set(windows.person[~testing].tolist()))
    if not train_people:
        raise SplitError("every person is a test person; nobody is left to train on")
    units = labelled_units(windows, train_people, labelled, seed)
    found = Split(
        np.flatnonzero(np.isin(windows.unit, units) & ~testing),
        np.flatnonzero(~testing),
        np.flatnonzero(testing),
        len(units),
    )
    check_no_leak(windows, found.unlabelled, found.test)
    return found


def check_no_leak(windows: Windows, train: NDArray[np.int64], test: NDArray[np.int64]) -> None:
    """Raise `SplitError` if a person, a bout, or a window is on both sides (windows overlap within bouts only)."""
    for what, of in (("person", windows.person), ("recording", windows.unit)):
        both = np.intersect1d(of[train], of[test])
        if both.size:
            raise SplitError(f"{what} {both[0]} is in the training and in the test windows")
    if np.intersect1d(train, test).size:
        raise SplitError("a window is in the training and in the test windows")
