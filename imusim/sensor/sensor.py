"""A sensor: a tuple of error terms and what is known about the part."""

from __future__ import annotations

import math
import warnings
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, Protocol, TypeVar

from imusim.errors import ConfigError, QualityWarning, ShapeError
from imusim.sensor.signals import Context, Signals, Term
from imusim.types import Floats


@dataclass(frozen=True)
class Number:
    """One figure of a sensor, where it comes from and whether somebody looked it up there.

    Parameters
    ----------
    key : what it is, unit in the name ("acc.range_g")
    value : as the source gives it
    source : document, or "" if the user gave it
    checked : whether it was read in that document; False: from memory or at second hand
    note : what else to know
    """

    key: str
    value: float | tuple[float, float, float]
    source: str = ""
    checked: bool = False
    note: str = ""


class Measurable(Protocol):
    """What `Sensor.measure` needs of a recording (`imusim.Recording` has it)."""

    @property
    def time_s(self) -> Floats:
        """(T,) · s."""
        ...

    @property
    def acc(self) -> Floats:
        """(T, S, 3) · m/s²."""
        ...

    @property
    def gyro(self) -> Floats:
        """(T, S, 3) · rad/s."""
        ...

    @property
    def mag(self) -> Floats | None:
        """(T, S, 3) · µT, or None."""
        ...

    @property
    def sensors(self) -> tuple[str, ...]:
        """S names."""
        ...

    @property
    def metadata(self) -> Mapping[str, Any]:
        """Settings and sources."""
        ...

    @property
    def rate_hz(self) -> float:
        """Sampling rate · Hz."""
        ...

    def exchanged(self, acc: Floats, gyro: Floats, metadata: Mapping[str, Any]) -> Any:
        """Return the same recording with other signals and metadata."""
        ...


R = TypeVar("R", bound=Measurable)


@dataclass(frozen=True)
class Sensor:
    """An inertial sensor: error terms, applied in the order given.

    The physical order is scale and cross-axis → bias and drift → white noise → saturation → quantisation.
    No terms: a perfect sensor.

    Parameters
    ----------
    name : what the recording's metadata calls it
    terms : error terms, callables ``(Signals, Context) -> Signals``

    Other Parameters
    ----------------
    rate_limits_hz : lowest and highest output rate of the part · Hz, or None
    description : one line for people
    notional : True if the figures are chosen, not published
    numbers : the figures behind the terms, with their sources

    Examples
    --------
    >>> from imusim.sensor import Sensor, WhiteNoise
    >>> mine = Sensor("mine", (WhiteNoise(angle_random_walk=1e-4),))
    """

    name: str
    terms: tuple[Term, ...] = ()
    rate_limits_hz: tuple[float, float] | None = None
    description: str = ""
    notional: bool = False
    numbers: tuple[Number, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "terms", tuple(self.terms))
        for term in self.terms:
            if not callable(term) or isinstance(term, type):
                raise ConfigError(
                    f"sensor {self.name!r}: {term!r} is not an error term (an instance with __call__)"
                )

    def apply(
        self, signals: Signals, rate_hz: float, seed: int = 0, sensors: tuple[str, ...] | None = None
    ) -> Signals:
        """Return what this sensor reports when `signals` is the truth.

        Parameters
        ----------
        signals : true signals of S sensors
        rate_hz : sampling rate · Hz
        seed : same seed, same bits; every sensor name draws its own unit
        sensors : S names; "s0", "s1" ... if not given

        Warns
        -----
        QualityWarning
            If the part has no such output rate.
        """
        count = signals.acc.shape[1]
        names = tuple(f"s{i}" for i in range(count)) if sensors is None else tuple(sensors)
        if len(names) != count:
            raise ShapeError(f"{len(names)} sensor names for signals of {count} sensors")
        if self.rate_limits_hz is not None:
            low, high = self.rate_limits_hz
            if not low <= rate_hz <= high:
                said = (
                    f"{self.name} has output rates from {low:g} to {high:g} Hz; {rate_hz:g} Hz was asked for"
                )
                warnings.warn(QualityWarning(said), stacklevel=2)
        context = Context(rate_hz, seed, names)
        seen: Counter[str] = Counter()
        for term in self.terms:
            kind = type(term).__name__
            signals = term(signals, context.of_term(f"{kind}:{seen[kind]}"))
            seen[kind] += 1
        return signals

    def measure(self, recording: R, seed: int = 0) -> R:
        """Return the recording as this sensor would have made it, `recording` being perfect; quality stays as it is."""
        if not self.terms:
            return recording
        truth = Signals(recording.time_s, recording.acc, recording.gyro, recording.mag)
        out = self.apply(truth, recording.rate_hz, seed, recording.sensors)
        metadata = {**recording.metadata, "sensor": self.describe(), "seed": int(seed)}
        return recording.exchanged(out.acc, out.gyro, metadata)

    def replace(self, *terms: Term) -> Sensor:
        """Return this sensor with its terms of the same classes replaced (a class it lacks is added at the end)."""
        new = list(self.terms)
        for term in terms:
            at = [i for i, old in enumerate(new) if type(old) is type(term)]
            if len(at) > 1:
                raise ConfigError(
                    f"sensor {self.name!r} has {len(at)} terms {type(term).__name__}; build it anew"
                )
            new[at[0] if at else len(new) :] = [term, *new[at[0] + 1 :]] if at else [term]
        return replace(self, terms=tuple(new))

    def describe(self) -> dict[str, Any]:
        """Return the resolved configuration as plain values, for metadata."""
        return {
            "name": self.name,
            "description": self.description,
            "notional": self.notional,
            "rate_limits_hz": None if self.rate_limits_hz is None else list(self.rate_limits_hz),
            "terms": [_plain(term) for term in self.terms],
            "numbers": [{f.name: getattr(n, f.name) for f in fields(n)} for n in self.numbers],
        }


def _plain(term: Term) -> dict[str, Any]:
    values: dict[str, Any] = {"term": type(term).__name__}
    if is_dataclass(term):
        for f in fields(term):
            value = getattr(term, f.name)
            values[f.name] = "inf" if isinstance(value, float) and math.isinf(value) else value
    return values
