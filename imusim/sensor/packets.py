"""Packets: what the radio loses or brings late."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from imusim._kernels.noise import hold, two_state
from imusim.errors import ConfigError
from imusim.sensor.signals import Context, Remembering, Signals, Step, unchanged
from imusim.types import Floats


@dataclass(frozen=True)
class Packets(Remembering):
    """Dropped and late packets; the last link of the chain.

    Losses come in bursts: after a packet that arrived one is lost with probability p, after a lost one with
    ``1 − 1/burst`` (Gilbert's two-state channel), p such that a share `lost` is missing on the whole. A packet that is late
    shows what had arrived before it: a receiver that reads the newest value at every tick.

    Parameters
    ----------
    lost : share of packets that never arrive, below 1
    burst : mean length of a run of losses, packets
    packet : samples a packet
    late : share of packets that are late by one whole packet
    show : what a reader finds in place of a lost sample: "nan" or "hold" (the last that arrived)

    Raises
    ------
    ConfigError
        On shares outside 0 … 1, a burst or packet below 1, another `show`, or a burst that such a share cannot have.
    """

    lost: float = 0.0
    burst: float = 1.0
    packet: int = 1
    late: float = 0.0
    show: str = "nan"

    def __post_init__(self) -> None:
        for name in ("lost", "late"):
            if not 0.0 <= getattr(self, name) < 1.0:
                raise ConfigError(f"{name}={getattr(self, name)!r}: wanted a share, 0 or more and below 1")
        if (
            not (self.burst >= 1.0 and math.isfinite(self.burst))
            or self.packet < 1
            or int(self.packet) != self.packet
        ):
            raise ConfigError(f"burst={self.burst!r}, packet={self.packet!r}: wanted 1 or more")
        if self.show not in ("nan", "hold"):
            raise ConfigError(f'show={self.show!r}: wanted "nan" or "hold"')
        if self.lost / (self.burst * (1.0 - self.lost)) > 1.0:
            least = self.lost / (1.0 - self.lost)
            raise ConfigError(
                f"lost={self.lost:g} with burst={self.burst:g} cannot be: wanted a burst of {least:.3g} or more"
            )

    def start(self, context: Context) -> Step:
        """Return the term at work at the beginning of a recording."""
        return _Link(self, context) if self.lost or self.late else unchanged


class _Link:
    """The radio links of S sensors, block by block."""

    def __init__(self, packets: Packets, context: Context) -> None:
        self.of = packets
        self.rngs = list(context.streams("packets"))
        count = len(self.rngs)
        self.state = np.full(count, -1, dtype=np.int64)
        self.place = 0  # of the next sample within its packet
        self.last = np.zeros((2, 1, count), bool)  # fate of the present packet
        self.newest: dict[str, Floats] = {}

    def _fate(self, samples: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """(T, S) bool: lost, late."""
        p = self.of
        of_sample = (
            self.place + np.arange(samples)
        ) // p.packet  # 0: the packet that has begun, if place > 0
        new = (int(of_sample[-1]) + 1 if samples else 0) - (1 if self.place else 0)
        kinds = 2 if p.late else 1
        draws = np.stack([rng.random((new, kinds)) for rng in self.rngs], axis=1)
        lost = np.empty((new, len(self.rngs)), bool)
        enter = p.lost / (p.burst * (1.0 - p.lost))
        two_state(np.ascontiguousarray(draws[:, :, 0]), p.lost, enter, 1.0 - 1.0 / p.burst, self.state, lost)
        fate = np.stack([lost, (draws[:, :, -1] < p.late) & ~lost])
        if self.place:
            fate = np.concatenate([self.last, fate], axis=1)
        if fate.shape[1]:
            self.last = fate[:, -1:]
        self.place = (self.place + samples) % p.packet
        return fate[0][of_sample], fate[1][of_sample]

    def __call__(self, signals: Signals) -> Signals:
        if signals.time_s.size == 0:
            return signals
        lost, late = self._fate(signals.time_s.size)
        return signals.mapped(
            {name: partial(self._shown, name, lost, late) for name in ("acc", "gyro", "mag")}
        )

    def _shown(
        self, name: str, lost: NDArray[np.bool_], late: NDArray[np.bool_], x: Floats, out: Floats
    ) -> None:
        newest = self.newest.setdefault(name, np.full(x.shape[1:], np.nan))
        hold(lost, late, self.of.show == "nan", newest, x, out)
