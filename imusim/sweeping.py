"""Sensors everywhere at once: the signals of every skin vertex, streamed, and figures of each in one pass."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from imusim.errors import ConfigError, TimeError
from imusim.kinematics import BodyTrajectory, Sites
from imusim.placement.everywhere import attach_vertices, vertex_indices
from imusim.sampling import ideal_signals
from imusim.simulation import check_rate
from imusim.types import Floats, Kinematics, Motion

_BLOCK_BYTES = 64e6
_BYTES_A_SITE = 8 * (19 + 6 + 3)  # kinematics, signals, one working copy


@dataclass(frozen=True, eq=False)
class SweepBlock:
    """What perfect sensors at S vertices measure during one stretch of time.

    Parameters
    ----------
    time_s : (T,) · s
    vertices : (S,) int64, indices of the body's skin vertices
    acc : (T, S, 3) · m/s² · sensor axes (`attach_vertices`: z off the skin), specific force; NaN where the motion
        is not known
    gyro : (T, S, 3) · rad/s · sensor axes
    kinematics : motion of the sensors' frames, world axes
    """

    time_s: Floats
    vertices: NDArray[np.int64]
    acc: Floats
    gyro: Floats
    kinematics: Kinematics


@dataclass(frozen=True, eq=False)
class SweepStatistics:
    """Figures of the motion at S vertices.

    Parameters
    ----------
    vertices : (S,) int64, indices of the body's skin vertices
    acc_rms : (S,) · m/s², root mean square of the linear acceleration's magnitude (without gravity)
    acc_peak : (S,) · m/s², its largest magnitude
    gyro_rms : (S,) · rad/s, root mean square of the angular rate's magnitude
    gyro_peak : (S,) · rad/s, its largest magnitude
    instants : how many instants went into them; those that the motion does not cover are left out
    """

    vertices: NDArray[np.int64]
    acc_rms: Floats
    acc_peak: Floats
    gyro_rms: Floats
    gyro_peak: Floats
    instants: int


def sweep(
    motion: Motion | BodyTrajectory,
    rate_hz: float = 50.0,
    vertices: ArrayLike | None = None,
    *,
    block_s: float | None = None,
    smoothing: str = "auto",
) -> Iterator[SweepBlock]:
    """Yield what perfect sensors everywhere on the skin measure, block after block.

    Blocks follow each other without overlap, on one grid of instants: together they are what one block of the whole
    length would be. No more than one block is held.

    Parameters
    ----------
    motion : a body's motion, or one already smoothed
    rate_hz : output rate · Hz
    vertices : (S,) indices of skin vertices; None: all

    Other Parameters
    ----------------
    block_s : length of a block · s; None: as long as 64 MB hold (at least one instant)
    smoothing : "auto" chooses the smoothing from the data, "none" interpolates; ignored for a `BodyTrajectory`

    Raises
    ------
    ConfigError, ShapeError, TimeError
        On a body without a skin, on an unknown vertex or option, and on a motion of fewer than two valid frames.
    """
    trajectory, sites, chosen, t = _prepare(motion, rate_hz, vertices, smoothing)
    step = _block_length(rate_hz, chosen.size, block_s)
    return (_block(trajectory, sites, chosen, t[i : i + step]) for i in range(0, t.size, step))


def sweep_statistics(
    motion: Motion | BodyTrajectory,
    rate_hz: float = 50.0,
    vertices: ArrayLike | None = None,
    *,
    block_s: float | None = None,
    smoothing: str = "auto",
) -> SweepStatistics:
    """Return how strongly every skin vertex moves, in one pass with bounded memory; arguments as for `sweep`."""
    trajectory, sites, chosen, t = _prepare(motion, rate_hz, vertices, smoothing)
    t = t[trajectory.valid(t)]
    if t.size == 0:
        raise TimeError("the motion is known at none of the instants")
    step = _block_length(rate_hz, chosen.size, block_s)
    total, peak = np.zeros((2, chosen.size)), np.zeros((2, chosen.size))
    for i in range(0, t.size, step):
        k = trajectory.kinematics(t[i : i + step], sites)
        for row, vector in enumerate((k.acceleration, k.angular_velocity)):
            square = np.einsum("tsc,tsc->ts", vector, vector)
            total[row] += square.sum(axis=0)
            np.maximum(peak[row], square.max(axis=0), out=peak[row])
    (acc_rms, gyro_rms), (acc_peak, gyro_peak) = np.sqrt(total / t.size), np.sqrt(peak)
    return SweepStatistics(chosen, acc_rms, acc_peak, gyro_rms, gyro_peak, int(t.size))


def _prepare(
    motion: Motion | BodyTrajectory, rate_hz: float, vertices: ArrayLike | None, smoothing: str
) -> tuple[BodyTrajectory, Sites, NDArray[np.int64], Floats]:
    """Smoothed motion, sites, their vertices (S,), instants (T,) · s from the first valid frame to the last."""
    check_rate(rate_hz)
    given = motion.motion if isinstance(motion, BodyTrajectory) else motion
    sites = attach_vertices(given.body, given.shape, vertices)
    skin = given.body.weights
    assert skin is not None
    known = given.time_s[given.valid]
    if known.size < 2:
        raise TimeError(
            f"the motion has {known.size} valid frame(s); two or more are needed to differentiate it"
        )
    trajectory = motion if isinstance(motion, BodyTrajectory) else BodyTrajectory(motion, smoothing=smoothing)
    count = int(np.floor((known[-1] - known[0]) * rate_hz + 1e-6)) + 1
    return trajectory, sites, vertex_indices(vertices, skin.shape[0]), known[0] + np.arange(count) / rate_hz


def _block_length(rate_hz: float, sites: int, block_s: float | None) -> int:
    """Instants in a block."""
    if block_s is None:
        return max(1, int(_BLOCK_BYTES / (_BYTES_A_SITE * sites)))
    if not (np.isfinite(block_s) and block_s > 0):
        raise ConfigError(f"block_s={block_s!r}, wanted a positive time in seconds, or None")
    return max(1, round(block_s * rate_hz))


def _block(trajectory: BodyTrajectory, sites: Sites, chosen: NDArray[np.int64], t: Floats) -> SweepBlock:
    k = trajectory.kinematics(t, sites)
    acc, gyro = ideal_signals(k)
    return SweepBlock(t, chosen, acc, gyro, k)
