"""Which channel of an array is what: sensor by sensor, acc x y z and gyro x y z."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mujo.errors import ShapeError


@dataclass(frozen=True)
class Place:
    """One sensor: its name and what it measures."""

    name: str
    acc: bool
    gyro: bool


@dataclass(frozen=True)
class Layout:
    """Places of the C channels of ``X (N, C, T)``, in order."""

    places: tuple[Place, ...]

    @property
    def channels(self) -> int:
        """C."""
        return sum(3 * (p.acc + p.gyro) for p in self.places)

    @classmethod
    def of(cls, channel_names: Sequence[str]) -> Layout:
        """From names such as "wrist.acc.x" (`mujo.data.Windows.channel_names`).

        Raises
        ------
        ShapeError
            If the names are not triples x, y, z of acc before gyro.
        """
        triples = [tuple(n.rsplit(".", 2)) for n in channel_names]
        kinds: dict[str, list[str]] = {}
        for i in range(0, len(triples), 3):
            group = triples[i : i + 3]
            if (
                [t[-1] for t in group] != ["x", "y", "z"]
                or len({t[:-1] for t in group}) != 1
                or len(group[0]) != 3
            ):
                raise ShapeError(
                    f"channel names {list(channel_names)[i : i + 3]}: wanted place.acc.x, .y, .z"
                )
            kinds.setdefault(group[0][0], []).append(group[0][1])
        for place, found in kinds.items():
            if found not in (["acc"], ["gyro"], ["acc", "gyro"]):
                raise ShapeError(f"channels of {place} are {found}: wanted acc, gyro, or acc and then gyro")
        return cls(tuple(Place(p, "acc" in k, "gyro" in k) for p, k in kinds.items()))

    @classmethod
    def guess(cls, channels: int) -> Layout:
        """For nameless channels: 3 are acc, a multiple of 6 are sensors with acc and gyro.

        Raises
        ------
        ShapeError
            For any other number.
        """
        if channels == 3:
            return cls((Place("s0", True, False),))
        if channels and channels % 6 == 0:
            return cls(tuple(Place(f"s{i}", True, True) for i in range(channels // 6)))
        raise ShapeError(
            f"{channels} channels: wanted 3 (acc) or 6 a sensor (acc, gyro). Otherwise name them: "
            'channels=["wrist.acc.x", ...]'
        )
