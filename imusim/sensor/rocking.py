"""A sensor on foam, skin or strap: the first mode in which it moves and rocks, coupled as one rigid body."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.signal import lfilter, lfilter_zi

from imusim.errors import ConfigError
from imusim.sensor.bandwidth import discrete
from imusim.sensor.signals import Context, Remembering, Signals, Step, unchanged
from imusim.types import Floats

GYRATION_M = 0.02
"""Radius of gyration ρ taken for a small wearable · m: a box of 5 cm has 0.02."""


@dataclass(frozen=True)
class Mount:
    """One mode of a rigid body on springs and dampers: the sensor moves by ``d η`` and turns by ``c η``.

    ``η̈ + 2 ζ ω₀ η̇ + ω₀² η = −(d·f + ρ² c·α)``, with the specific force f and angular acceleration α of the segment at the
    sensor; then ``acc = f + d η̈ − η c × f`` and ``gyro = ω + c η̇ − η c × ω``: inertia, tilt and rocking. Modes normalised by
    mass have ``|d|² + ρ² |c|² = 1``; it is left free, so that it can tell (`participation`). d/|c| is the distance of the
    axis that it rocks about.

    Parameters
    ----------
    sensor : its name in a recording
    frequency_hz : ω₀/2π · Hz
    damping : ζ, 1 is critical
    shift : (3,) d, dimensionless · sensor axes
    turn_per_m : (3,) c · rad/m · sensor axes

    Raises
    ------
    ConfigError
        On a frequency or damping that is not positive, and numbers that are not finite.
    """

    sensor: str = ""
    frequency_hz: float = 10.0
    damping: float = 0.1
    shift: tuple[float, float, float] = (0.0, 0.0, 0.0)
    turn_per_m: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def __post_init__(self) -> None:
        for name in ("frequency_hz", "damping"):
            if not (getattr(self, name) > 0 and math.isfinite(getattr(self, name))):
                raise ConfigError(
                    f"mount {self.sensor!r}: {name}={getattr(self, name)!r}, wanted a positive number"
                )
        for name in ("shift", "turn_per_m"):
            value = getattr(self, name)
            if np.shape(value) != (3,) or not np.isfinite(value).all():
                raise ConfigError(f"mount {self.sensor!r}: {name}={value!r}, wanted three numbers")

    @property
    def participation(self) -> float:
        """``|d|² + ρ² |c|²``: 1 if the whole sensor moves in this mode, less if part of it does in others."""
        return float(np.sum(np.square(self.shift)) + GYRATION_M**2 * np.sum(np.square(self.turn_per_m)))


class Ringing:
    """A mode at work on samples of one rate; input linear between samples (first-order hold), settled at first."""

    def __init__(self, mount: Mount, rate_hz: float) -> None:
        self.shift, self.turn = np.asarray(mount.shift), np.asarray(mount.turn_per_m)
        w = 2.0 * math.pi * mount.frequency_hz
        self._decay, self._stiffness = 2.0 * mount.damping * w, w * w
        bottom = [[1.0, self._decay, self._stiffness]] * 2
        value, rate = discrete([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0]], bottom, rate_hz)
        self._filters = [(c[:3], np.array([1.0, c[3], c[4]])) for c in (value, rate)]
        self._states: list[Floats] | None = None

    def settle(self) -> None:
        """Forget: the next sample is the first."""
        self._states = None

    def coordinate(self, force: Floats, turn: Floats) -> Floats:
        """Return η, η̇, η̈ (N, 3) for specific force and angular acceleration (N, 3), finite, of the next samples."""
        drive = -(force @ self.shift + GYRATION_M**2 * (turn @ self.turn))
        if self._states is None:
            self._states = [lfilter_zi(b, a) * drive[0] for b, a in self._filters]
        out = np.empty((drive.size, 3))
        for k, (b, a) in enumerate(self._filters):
            out[:, k], self._states[k] = lfilter(b, a, drive, zi=self._states[k])
        out[:, 2] = drive - self._decay * out[:, 1] - self._stiffness * out[:, 0]
        return out

    def applied(self, coordinate: Floats, force: Floats, rate: Floats) -> tuple[Floats, Floats]:
        """Return acc and gyro (N, 3) of the sensor for η, η̇, η̈ and the segment's specific force and rate there."""
        psi = coordinate[:, :1] * self.turn
        acc = force + coordinate[:, 2:] * self.shift - np.cross(psi, force)
        return acc, rate + coordinate[:, 1:2] * self.turn - np.cross(psi, rate)


@dataclass(frozen=True)
class RockingMount(Remembering):
    """Soft mounts as `imusim.identify` found them (`"softtissue"`); a sensor that is not named is rigid.

    Angular acceleration is the difference of neighbouring gyroscope samples: rates well above the resonance suit it
    (100 Hz or more for 10 Hz).

    Parameters
    ----------
    mounts : one a sensor
    """

    mounts: tuple[Mount, ...] = ()

    def start(self, context: Context) -> Step:
        """Return the term at work at the beginning of a recording."""
        known = {m.sensor: m for m in self.mounts}
        at = [
            (s, _Ridden(known[name], context.rate_hz))
            for s, name in enumerate(context.sensors)
            if name in known
        ]
        if not at:
            return unchanged

        def step(x: Signals) -> Signals:
            acc, gyro = np.array(x.acc), np.array(x.gyro)
            for s, ridden in at:
                acc[:, s], gyro[:, s] = ridden(x.acc[:, s], x.gyro[:, s])
            return x.with_(acc, gyro)

        return step


class _Ridden:
    """One sensor's mount over blocks of samples; behind a gap (NaN) it starts settled again."""

    def __init__(self, mount: Mount, rate_hz: float) -> None:
        self.ringing, self.rate_hz = Ringing(mount, rate_hz), rate_hz
        self.last: Floats | None = None

    def __call__(self, acc: Floats, gyro: Floats) -> tuple[Floats, Floats]:
        out = np.array(acc), np.array(gyro)
        known = np.isfinite(acc).all(axis=1) & np.isfinite(gyro).all(axis=1)
        edges = np.flatnonzero(np.diff(np.concatenate([[False], known, [False]]).astype(np.int8)))
        for first, end in zip(edges[::2], edges[1::2], strict=True):
            if first > 0 or self.last is None:
                self.ringing.settle()
                self.last = gyro[first]
            f, w = acc[first:end], gyro[first:end]
            turn = np.diff(w, axis=0, prepend=self.last[None]) * self.rate_hz
            out[0][first:end], out[1][first:end] = self.ringing.applied(
                self.ringing.coordinate(f, turn), f, w
            )
            self.last = w[-1]
        if known.size and not bool(np.asarray(known)[-1]):
            self.last = None
        return out
