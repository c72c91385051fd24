"""What error terms take and give: the signals of some sensors, and the context they were measured in."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.random.bit_generator import ISeedSequence
from numpy.typing import ArrayLike, DTypeLike

from imusim.errors import ConfigError
from imusim.types import Floats, as_floats, check_time

Change = Callable[[Floats, Floats], None]
"""Reads a signal x (T, S, 3) and writes out (T, S, 3), which may be x itself."""

PerAxis = float | tuple[float, float, float]
"""One number for all three axes, or one for each of x, y, z."""


@dataclass(frozen=True)
class Signals:
    """Signals of S sensors at T instants, each sensor in its own axes.

    Parameters
    ----------
    time_s : (T,) · s
    acc : (T, S, 3) · m/s², specific force
    gyro : (T, S, 3) · rad/s
    mag : (T, S, 3) · µT, or None
    """

    time_s: Floats
    acc: Floats
    gyro: Floats
    mag: Floats | None = None

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "time_s", check_time(self.time_s))
        put(self, "acc", as_floats(self.acc, "acc", (self.time_s.size, None, 3)))
        put(self, "gyro", as_floats(self.gyro, "gyro", self.acc.shape))
        if self.mag is not None:
            put(self, "mag", as_floats(self.mag, "mag", self.acc.shape))

    def with_(
        self, acc: Floats | None = None, gyro: Floats | None = None, mag: Floats | None = None
    ) -> Signals:
        """Return the same signals with some of them exchanged (not checked again)."""
        new = object.__new__(Signals)
        put = object.__setattr__
        put(new, "time_s", self.time_s)
        put(new, "acc", self.acc if acc is None else acc)
        put(new, "gyro", self.gyro if gyro is None else gyro)
        put(new, "mag", self.mag if mag is None else mag)
        put(new, "_own", self.own)
        return new

    def mapped(self, steps: Mapping[str, Change]) -> Signals:
        """Return the signals with those named ("acc", "gyro", "mag" where there is one) changed."""
        done = {}
        for name, change in steps.items():
            value = getattr(self, name)
            if value is not None:
                out = value if self.own else np.empty(value.shape)
                change(value, out)
                done[name] = out
        return self.with_(**done)

    @property
    def own(self) -> bool:
        """Whether terms may write into these arrays: they are a copy that nobody else sees."""
        return getattr(self, "_own", False)

    def filled(self, other: Signals) -> Signals:
        """Copy other's signals into these arrays, and let terms write into them."""
        for name in ("acc", "gyro", "mag"):
            if (value := getattr(self, name)) is not None:
                value[...] = getattr(other, name)
        object.__setattr__(self, "_own", True)
        return self

    def part(self, first: int, last: int) -> Signals:
        """Return the samples first … last − 1, views of these (not checked again)."""
        new = self.with_(
            self.acc[first:last],
            self.gyro[first:last],
            None if self.mag is None else self.mag[first:last],
        )
        object.__setattr__(new, "time_s", self.time_s[first:last])
        object.__setattr__(new, "_own", False)
        return new


Step = Callable[[Signals], Signals]
"""A term at work: takes the next block of samples, goes on where the last one ended."""


class _Key(ISeedSequence):
    """Seeds a generator with a hash of a key (SHAKE-128): eight times quicker than NumPy's own mixing of words."""

    def __init__(self, key: bytes) -> None:
        self._hash = hashlib.shake_128(key)

    def generate_state(self, n_words: int, dtype: DTypeLike = np.uint32):  # pyright: ignore
        return np.frombuffer(self._hash.digest(n_words * np.dtype(dtype).itemsize), dtype=dtype).copy()


@dataclass(frozen=True)
class Context:
    """What an error term may know besides the signals.

    Parameters
    ----------
    rate_hz : sampling rate · Hz
    seed : what everything random comes from
    sensors : S names
    term : name of the term that is being applied; `Sensor.apply` sets it

    Notes
    -----
    Every (seed, term, sensor, signal) has a random stream of its own, keyed by their names. So the numbers that
    a sensor gets do not depend on which other terms and sensors there are, on their order or on threads.
    """

    rate_hz: float
    seed: int
    sensors: tuple[str, ...]
    term: str = ""

    def __post_init__(self) -> None:
        if not np.isfinite(self.rate_hz) or self.rate_hz <= 0:
            raise ConfigError(f"rate_hz={self.rate_hz}: wanted a positive sampling rate in Hz")
        if int(self.seed) != self.seed or self.seed < 0:
            raise ConfigError(f"seed={self.seed!r}: wanted a whole number, 0 or more")

    def of_term(self, term: str) -> Context:
        """Return the context for the term of that name."""
        return replace(self, term=term)

    def uniforms(self, signal: str, count: int) -> Floats:
        """Return `count` numbers between 0 and 1 for each sensor, (S, count): what a unit keeps for a whole recording."""
        out = np.empty((len(self.sensors), count))
        for name, own in zip(self.sensors, out, strict=True):
            words = hashlib.shake_128(self._key(name, signal)).digest(8 * count)
            own[:] = np.frombuffer(words, dtype="<u8") >> np.uint64(11)
        out += 0.5
        out *= 2.0**-53
        return out

    def streams(self, signal: str) -> Iterator[np.random.Generator]:
        """Yield one random generator a sensor, in the order of `sensors`, for "acc", "gyro" or "mag"."""
        for name in self.sensors:
            yield np.random.Generator(np.random.SFC64(_Key(self._key(name, signal))))  # pyright: ignore

    def _key(self, name: str, signal: str) -> bytes:
        return f"{int(self.seed)}|{self.term}|{name}|{signal}".encode()


@runtime_checkable
class Term(Protocol):
    """An error term: a frozen dataclass whose call maps signals to signals.

    Of zero strength it must return its input unchanged, to the bit. A term that remembers (a filter, a random
    walk, its random stream) derives from `Remembering` instead and gives a `start`.
    """

    def __call__(self, signals: Signals, context: Context) -> Signals:
        """Return the signals with this error on them."""
        ...


class Remembering:
    """Base of terms that remember from block to block: what is drawn once is drawn in `start`."""

    def start(self, context: Context) -> Step:
        """Return the term at work at the beginning of a recording."""
        raise NotImplementedError

    def __call__(self, signals: Signals, context: Context) -> Signals:
        """Return the signals, a whole recording, with this error on them."""
        return self.start(context)(signals)


def start(term: Term, context: Context) -> Step:
    """Return any term at work at the beginning of a recording."""
    if isinstance(term, Remembering):
        return term.start(context)
    return lambda signals: term(signals, context)


def unchanged(signals: Signals) -> Signals:
    """Return what came in: the step of a term of zero strength."""
    return signals


def per_axis(value: ArrayLike, name: str, *, signed: bool = False) -> Floats:
    """Return a scalar or three numbers as (3,) float64; raise ConfigError if not finite, or negative unless `signed`."""
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise ConfigError(f"{name}={value!r}: wanted one number, or three (x, y, z)") from None
    if array.shape not in ((), (3,)):
        raise ConfigError(f"{name} has shape {array.shape}: wanted one number, or three (x, y, z)")
    array = np.broadcast_to(array, (3,))
    if not np.isfinite(array).all() or (not signed and (array < 0).any()):
        raise ConfigError(f"{name}={value!r}: wanted finite numbers{'' if signed else ', 0 or more'}")
    return np.array(array)


def standard_normals(streams: Sequence[np.random.Generator], count: int) -> Floats:
    """Draw the next `count` standard normals for x, y, z of every sensor from its own stream: (S, count, 3)."""
    out = np.empty((len(streams), count, 3))
    for rng, own in zip(streams, out, strict=True):
        rng.standard_normal(out=own)
    return out


def draw_within(limit: Floats, law: str, context: Context, signal: str) -> Floats:
    """Draw numbers within ± `limit` (any shape) for every sensor: (S, *limit.shape).

    "uniform": any value within the limits is as likely as another, which is all that a limit says.
    "normal": a normal of standard deviation limit/3, cut at the limits.
    """
    u = context.uniforms(signal, limit.size).reshape(len(context.sensors), *limit.shape)
    if law == "uniform":
        return limit * (2.0 * u - 1.0)
    from scipy.special import ndtr, ndtri

    outside = ndtr(-3.0)
    return limit * ndtri(outside + u * (1.0 - 2.0 * outside)) / 3.0


def check_law(law: str) -> None:
    """Raise ConfigError unless `law` is one that `draw_within` knows."""
    if law not in ("uniform", "normal"):
        raise ConfigError(f'law={law!r}: wanted "uniform" or "normal" (within the limits)')
