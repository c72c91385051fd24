"""A sensor: a tuple of error terms and what is known about the part."""

from __future__ import annotations

import math
import warnings
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import partial
from typing import Any, Protocol, TypeVar

from imusim.errors import ConfigError, QualityWarning, ShapeError
from imusim.sensor.clock import PERFECT, Clock, RunningClock, resample
from imusim.sensor.order import place_of
from imusim.sensor.signals import Context, Signals, Step, Term, start
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

    def exchanged(
        self,
        acc: Floats,
        gyro: Floats,
        metadata: Mapping[str, Any],
        mag: Floats | None = None,
        true_time_s: Floats | None = None,
    ) -> Any:
        """Return the same recording with other signals and metadata."""
        ...


R = TypeVar("R", bound=Measurable)
_BLOCK = 16_384  # sensor-samples a block, which stays in cache
_FEWEST = 256  # samples, so that calls do not outweigh the work on many sensors


@dataclass(frozen=True)
class Sensor:
    """An inertial sensor: error terms, applied in the order given.

    The physical order is what `imusim.sensor.order` lists: wearing (strap, tissue, vibration) → bandwidth →
    g-sensitivity, non-linearity → scale and cross-axis → bias, temperature, drift → white noise → saturation →
    quantisation → packets.
    No terms and a perfect clock: a perfect sensor.

    Parameters
    ----------
    name : what the recording's metadata calls it
    terms : error terms, callables ``(Signals, Context) -> Signals``

    Other Parameters
    ----------------
    clock : when samples are really taken; perfect if not given
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
    clock: Clock = PERFECT
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

        Notes
        -----
        The clock is not applied here: it decides where the truth is sampled (`measure`, `imusim.simulate`).
        """
        count = signals.acc.shape[1]
        names = tuple(f"s{i}" for i in range(count)) if sensors is None else tuple(sensors)
        if len(names) != count:
            raise ShapeError(f"{len(names)} sensor names for signals of {count} sensors")
        return self.begin(rate_hz, seed, names).whole(signals)

    def begin(self, rate_hz: float, seed: int, sensors: tuple[str, ...]) -> Run:
        """Return this sensor at the beginning of a recording, to be fed block by block."""
        if self.rate_limits_hz is not None:
            low, high = self.rate_limits_hz
            if not low <= rate_hz <= high:
                said = (
                    f"{self.name} has output rates from {low:g} to {high:g} Hz; {rate_hz:g} Hz was asked for"
                )
                warnings.warn(QualityWarning(said), stacklevel=3)
        return Run(self, Context(rate_hz, seed, sensors))

    @property
    def perfect(self) -> bool:
        """Whether it changes nothing."""
        return not self.terms and self.clock.perfect

    def measure(self, recording: R, seed: int = 0) -> R:
        """Return the recording as this sensor would have made it, `recording` being perfect; quality stays as it is."""
        if self.perfect:
            return recording
        truth = Signals(recording.time_s, recording.acc, recording.gyro, recording.mag)
        run = self.begin(recording.rate_hz, seed, recording.sensors)
        true_time = None
        if not self.clock.perfect:
            true_time = run.clock(float(recording.time_s[0])).instants(recording.time_s)
            at = partial(resample, recording.time_s, true_s=true_time)
            truth = truth.with_(at(truth.acc), at(truth.gyro), None if truth.mag is None else at(truth.mag))
        out = run.whole(truth)
        metadata = {**recording.metadata, "sensor": self.describe(), "seed": int(seed)}
        return recording.exchanged(out.acc, out.gyro, metadata, mag=out.mag, true_time_s=true_time)

    def replace(self, *terms: Term) -> Sensor:
        """Return this sensor with its terms of the same classes replaced, or put where they belong physically.

        A class of your own that it lacks is added at the end.
        """
        new = list(self.terms)
        for term in terms:
            at = [i for i, old in enumerate(new) if type(old) is type(term)]
            if len(at) > 1:
                raise ConfigError(
                    f"sensor {self.name!r} has {len(at)} terms {type(term).__name__}; build it anew"
                )
            if at:
                new[at[0]] = term
            else:
                new.insert(place_of(term, new), term)
        return replace(self, terms=tuple(new))

    def describe(self) -> dict[str, Any]:
        """Return the resolved configuration as plain values, for metadata."""
        return {
            "name": self.name,
            "description": self.description,
            "notional": self.notional,
            "rate_limits_hz": None if self.rate_limits_hz is None else list(self.rate_limits_hz),
            "clock": _plain(self.clock),
            "terms": [_plain(term) for term in self.terms],
            "numbers": [{f.name: getattr(n, f.name) for f in fields(n)} for n in self.numbers],
        }


class Run:
    """A sensor at work: the same bits whatever the blocks that it is fed."""

    def __init__(self, sensor: Sensor, context: Context) -> None:
        self._context, self._clock = context, sensor.clock
        self._steps: list[Step] = []
        seen: Counter[str] = Counter()
        for term in sensor.terms:
            kind = type(term).__name__
            self._steps.append(start(term, context.of_term(f"{kind}:{seen[kind]}")))
            seen[kind] += 1

    def clock(self, first_s: float) -> RunningClock:
        """Return the devices' clocks for a recording that starts at `first_s`."""
        return self._clock.start(self._context.of_term("Clock"), first_s)

    def __call__(self, signals: Signals) -> Signals:
        """Return what is reported for the next block of the truth."""
        for step in self._steps:
            signals = step(signals)
        return signals

    def whole(self, signals: Signals) -> Signals:
        """Return what is reported for a whole recording, done in blocks that fit the processor's cache."""
        samples, count = signals.acc.shape[:2]
        block = max(_FEWEST, _BLOCK // max(count, 1))
        if not self._steps or samples <= block:
            return self(signals)
        out = signals.mapped(dict.fromkeys(("acc", "gyro", "mag"), lambda x, out: None))
        for first in range(0, samples, block):
            own = out.part(first, first + block).filled(signals.part(first, first + block))
            done = self(own)
            for name in ("acc", "gyro", "mag"):
                if (value := getattr(own, name)) is not None and value is not getattr(done, name):
                    value[...] = getattr(done, name)
        return out


def _plain(term: object) -> dict[str, Any]:
    values: dict[str, Any] = {"term": type(term).__name__}
    if is_dataclass(term):
        for f in fields(term):
            value = getattr(term, f.name)
            values[f.name] = "inf" if isinstance(value, float) and math.isinf(value) else value
    return values
