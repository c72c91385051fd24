"""Motion + placements + sensor → Recording: what a device worn there would have measured."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from imusim import sensor as sensors_
from imusim._version import __version__
from imusim.errors import ConfigError, QualityWarning, TimeError
from imusim.kinematics import BodyTrajectory
from imusim.magnetic import MagneticField
from imusim.placement import attach, resolve
from imusim.recording import Recording
from imusim.rotation import rotate_inverse
from imusim.sampling import SAMPLING, averages, ideal_signals, increments
from imusim.sensor.clock import resample
from imusim.trajectory import Trajectory
from imusim.types import Floats, Kinematics, Motion, Placement, check_time

if TYPE_CHECKING:
    from pathlib import Path

_BLOCK = 4096  # instants at once
_WIDE = 262_144  # sensor-samples at once, if there are many sensors
_FINE_HZ = 200.0  # the truth is sampled at least this fast where a clock picks instants between samples
AXES = ("segment", "android", "coremotion")

Source = Motion | BodyTrajectory | Trajectory


def simulate(
    source: Source,
    placements: str | Path | Placement | Sequence[str | Placement] | None = None,
    *,
    sensor: str | sensors_.Sensor | None = "ideal",
    rate_hz: float = 100.0,
    seed: int = 0,
    smoothing: str = "auto",
    axes: str = "segment",
    time_s: ArrayLike | None = None,
    sampling: str = "instant",
    magnetic: MagneticField | None = None,
) -> Recording:
    """Simulate the IMUs that a moving body, or a set of moving rigid frames, would have carried.

    Parameters
    ----------
    source : a `Motion` (smoothed as `smoothing` says), a `BodyTrajectory` (already smoothed: pass it to
        simulate several sensors of one motion), or a `Trajectory` of rigid frames, which are the sensors
    placements : names, a group such as "fimad", `Placement` objects, a YAML path, or a list of those;
        None means "fimad" for a body and is required to be None for a `Trajectory`
    sensor : a `Sensor`, a preset's name, a preset file, or "ideal" / None for perfect signals
    rate_hz : output rate · Hz

    Other Parameters
    ----------------
    seed : seeds everything random; the same seed gives the same bits
    smoothing : "auto" chooses the smoothing from the data, "none" interpolates; ignored unless `source` is a `Motion`
    axes : sensor axes: "segment" (anatomical), or "android" / "coremotion": a device as it is usually worn
    time_s : (T,) · s, output instants instead of a uniform grid; `rate_hz` is then one over their median step
    sampling : "instant": the signals at the output instants; "average": their mean over the interval that ends there;
        "increments": Δv/Δt and Δθ/Δt over that interval, coning and sculling included (`imusim.sampling`). The latter two
        begin one interval later
    magnetic : the field around the body; with it the recording has a magnetometer (`imusim.magnetic`)

    Returns
    -------
    Recording
        Specific force ``f_s = R_wsᵀ (a_w − g_w)`` in m/s² and angular rate in rad/s, in the sensors' own axes.
        Instants that the motion does not cover (long gaps) are NaN and marked in ``valid``.

    Raises
    ------
    UnknownNameError, ConfigError, TimeError
        On an unknown placement, preset or option, on a motion too short for the rate, and on a recording that would
        not fit into memory (then use `stream`).

    Warns
    -----
    QualityWarning
        If the rate is far above what the source's samples can know, and if a sensor with errors is given instants that are
        not evenly spaced.
    """
    plan = _plan(source, placements, sensor, rate_hz, seed, smoothing, axes, time_s, sampling, magnetic)
    plan.check_memory()
    blocks = list(plan.blocks(_block_of(len(plan.names))))
    arrays = {
        name: np.concatenate([b[name] for b in blocks]) for name in blocks[0] if blocks[0][name] is not None
    }
    return plan.recording(arrays)


def stream(
    source: Source,
    placements: str | Path | Placement | Sequence[str | Placement] | None = None,
    *,
    block_s: float | None = None,
    sensor: str | sensors_.Sensor | None = "ideal",
    rate_hz: float = 100.0,
    seed: int = 0,
    smoothing: str = "auto",
    axes: str = "segment",
    time_s: ArrayLike | None = None,
    sampling: str = "instant",
    magnetic: MagneticField | None = None,
) -> Iterator[Recording]:
    """Simulate block by block, in bounded memory: the same bits as `simulate`, in pieces that follow one another.

    Parameters
    ----------
    block_s : length of a piece · s; None: what suits the number of sensors
    source, placements, sensor, rate_hz, seed, smoothing, axes, time_s, sampling, magnetic : as for `simulate`

    Yields
    ------
    Recording
        The next piece; `imusim.save_stream` writes them all into one file.

    Raises
    ------
    UnknownNameError, ConfigError, TimeError
        As `simulate`, at the first piece.
    """
    plan = _plan(source, placements, sensor, rate_hz, seed, smoothing, axes, time_s, sampling, magnetic)
    if block_s is not None and not block_s > 0:
        raise ConfigError(f"block_s={block_s!r}: wanted a positive time in s")
    samples = _block_of(len(plan.names)) if block_s is None else max(1, round(block_s * rate_hz))
    for block in plan.blocks(samples):
        yield plan.recording(block)


def check_rate(rate_hz: float) -> None:
    """Raise `ConfigError` unless a sampling rate is one."""
    if not (np.isfinite(rate_hz) and 0.1 <= rate_hz <= 20_000):
        raise ConfigError(f"rate_hz={rate_hz:g}, wanted a sampling rate between 0.1 and 20000 Hz")


def check_seed(seed: Any) -> None:
    """Raise `ConfigError` unless a seed is a whole number, 0 or more."""
    if not isinstance(seed, int | np.integer) or seed < 0:
        raise ConfigError(f"seed={seed!r}: wanted a whole number, 0 or more")


@dataclass(frozen=True)
class _Plan:
    """Everything that is decided before the first sample."""

    names: tuple[str, ...]
    times: Floats  # (T,) output instants
    starts: Floats | None  # (T,) starts of the intervals that end there, unless sampled at instants
    motion: Callable[[Floats], Kinematics]
    spread: Callable[[Floats], tuple[Floats, Floats]] | None
    confidence: Callable[[Floats], Floats] | None
    model: sensors_.Sensor
    rate_hz: float
    seed: int
    sampling: str
    magnetic: MagneticField | None
    metadata: dict[str, Any]

    def check_memory(self) -> None:
        """Raise `ConfigError` if the whole recording would not fit."""
        numbers = self.times.size * len(self.names) * (6 + 6 * (self.spread is not None) + 2)
        try:
            there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        except (ValueError, OSError, AttributeError):
            return
        if 2 * 8 * numbers > there:
            raise ConfigError(
                f"{self.times.size} samples of {len(self.names)} sensors need {16 * numbers / 2**30:.0f} GB, there are "
                f"{there / 2**30:.0f} GB. Use imusim.stream, which holds one piece at a time."
            )

    def blocks(self, samples: int) -> Iterator[dict[str, Any]]:
        """Yield the arrays of successive blocks."""
        run = self.model.begin(self.rate_hz, self.seed, self.names)
        times = self.times
        clock = None if self.model.clock.perfect else run.clock(float(times[0]))
        for first in range(0, times.size, samples):
            last = min(first + samples, times.size)
            t = times[first:last]
            true = None if clock is None else clock.instants(t)
            if true is None:
                acc, gyro, mag = self.truth(t, None if self.starts is None else self.starts[first:last])
            else:
                acc, gyro, mag = self.truth_at(true)
            out = run.whole(sensors_.Signals(t, acc, gyro, mag))
            acc_sd, gyro_sd = (None, None) if self.spread is None else self.spread(t)
            yield {
                "time_s": t,
                "acc": out.acc,
                "gyro": out.gyro,
                "mag": out.mag,
                "acc_sd": acc_sd,
                "gyro_sd": gyro_sd,
                "valid": np.isfinite(out.acc).all(axis=-1),
                "confidence": None if self.confidence is None else self.confidence(t),
                "true_time_s": true,
            }

    def truth(self, t: Floats, starts: Floats | None) -> tuple[Floats, Floats, Floats | None]:
        """Ideal signals at instants t (T,), or over the intervals from starts (T,) to t."""
        here = None
        if starts is None:
            here = self.motion(t)
            acc, gyro = ideal_signals(here)
        elif self.sampling == "average":
            acc, gyro = averages(self.motion, starts, t)
        else:
            here = self.motion(t)
            dv, turn = increments(self.motion(starts), here)
            dt = (t - starts)[:, None, None]
            acc, gyro = dv / dt, turn / dt
        if self.magnetic is None:
            return acc, gyro, None
        here = self.motion(t) if here is None else here
        return acc, gyro, rotate_inverse(here.orientation, self.magnetic.at(here.position))

    def truth_at(self, true: Floats) -> tuple[Floats, Floats, Floats | None]:
        """Ideal signals at instants (T, S), different for every sensor, through a fine grid around them."""
        times = self.times
        fine = max(self.rate_hz, _FINE_HZ)
        count = int(np.floor((times[-1] - times[0]) * fine + 1e-9))
        low = int(np.clip(np.floor((true.min() - times[0]) * fine) - 4, 0, max(0, count - 10)))
        high = int(np.clip(np.ceil((true.max() - times[0]) * fine) + 4, min(count, low + 10), count))
        grid = times[0] + np.arange(low, high + 1) / fine
        since = None
        if self.starts is not None:
            since = np.maximum(grid - 1.0 / self.rate_hz, self.starts[0])
        acc, gyro, mag = self.truth(grid, since)
        at = partial(resample, grid, true_s=true)
        return at(acc), at(gyro), None if mag is None else at(mag)

    def recording(self, arrays: dict[str, Any]) -> Recording:
        """Make a recording of arrays that `blocks` gave."""
        return Recording(sensors=self.names, metadata=self.metadata, unit="m/s2", gyro_unit="rad/s", **arrays)


def _plan(
    source: Source,
    placements: str | Path | Placement | Sequence[str | Placement] | None,
    sensor: str | sensors_.Sensor | None,
    rate_hz: float,
    seed: int,
    smoothing: str,
    axes: str,
    time_s: ArrayLike | None,
    sampling: str,
    magnetic: MagneticField | None,
) -> _Plan:
    if axes not in AXES:
        raise ConfigError(f"axes={axes!r}, wanted one of {', '.join(AXES)}")
    if sampling not in SAMPLING:
        raise ConfigError(f"sampling={sampling!r}, wanted one of {', '.join(SAMPLING)}")
    wanted = None if time_s is None else check_time(time_s)
    check_rate(rate_hz)
    if wanted is not None and wanted.size > 1:
        rate_hz = 1.0 / float(np.median(np.diff(wanted)))
    check_seed(seed)
    model = sensors_.find(sensor)
    metadata: dict[str, Any] = {
        "imusim": __version__,
        "rate_hz": float(rate_hz),
        "seed": int(seed),
        "axes": axes,
        "sampling": sampling,
        "conventions": "specific force m/s2, angular rate rad/s, sensor axes; world z up; quaternions wxyz",
    }
    if isinstance(source, Trajectory):
        if placements is not None:
            raise ConfigError(
                "a Trajectory's frames are the sensors: leave placements out, or use .mounted(offset_m, rotation_wxyz)"
            )
        known = source.time_s
        motion = source.kinematics
        names = tuple(f"s{i}" for i in range(source.frames))
        spread = confidence = None
    else:
        body = source if isinstance(source, BodyTrajectory) else BodyTrajectory(source, smoothing=smoothing)
        of = body.motion
        chosen = resolve("fimad" if placements is None else placements)
        sites = attach(of.body, of.shape, chosen, axes="segment" if axes == "segment" else "device")
        known = of.time_s[of.valid]
        names = sites.names
        motion = partial(_kinematics, body, sites)
        spread = partial(_spread, body, sites)
        confidence = partial(_confidence, of, sites.weights)
        metadata |= {
            "placements": [_placement_dict(p) for p in chosen],
            "smoothing": body.settings,
            "motion": {**of.metadata, "up_sd_deg": of.up_sd_deg, "body": of.body.name},
        }
    if magnetic is not None:
        metadata["magnetic"] = {
            "earth_ut": list(magnetic.earth_ut),
            "dipoles": [[list(d.position_m), list(d.moment_a_m2)] for d in magnetic.dipoles],
        }
    times, starts = _instants(known, rate_hz, wanted), None
    if sampling != "instant":
        if times.size < 2:
            raise TimeError(f"sampling={sampling!r} needs two instants or more, got {times.size}")
        times, starts = times[1:], times[:-1]
    if wanted is None:
        _warn_of_rate(known, rate_hz)
    elif model.terms:
        _warn_of_steps(wanted)
    metadata["sensor"] = model.describe()
    return _Plan(
        names,
        times,
        starts,
        motion,
        spread,
        confidence,
        model,
        float(rate_hz),
        int(seed),
        sampling,
        magnetic,
        metadata,
    )


def _kinematics(body: BodyTrajectory, sites: Any, t: Floats) -> Kinematics:
    return body.kinematics(t, sites)


def _spread(body: BodyTrajectory, sites: Any, t: Floats) -> tuple[Floats, Floats]:
    return body.uncertainty(t, sites)


def _block_of(sensors: int) -> int:
    """Instants a block."""
    return max(16, min(_BLOCK, _WIDE // max(sensors, 1)))


def _warn_of_rate(known: Floats, rate_hz: float) -> None:
    """Say so if the output rate is far above what the input's samples can know."""
    if known.size < 3:
        return
    given = 1.0 / float(np.median(np.diff(known)))
    if rate_hz > 8.0 * given:
        warnings.warn(
            QualityWarning(
                f"{rate_hz:g} Hz was asked for from samples at {given:.3g} Hz: nothing above {given / 2:.3g} Hz can be "
                "known, and the signals hold nothing there"
            ),
            stacklevel=4,
        )


def _warn_of_steps(times: Floats) -> None:
    """Say so if a sensor, whose terms know one rate only, is given uneven instants."""
    if times.size < 3:
        return
    steps = np.diff(times)
    if steps.max() > 1.2 * np.median(steps) or steps.min() < 0.8 * np.median(steps):
        warnings.warn(
            QualityWarning(
                f"time_s is not evenly spaced ({steps.min():.3g} to {steps.max():.3g} s): the sensor's noise, drift and "
                f"filters take every step for the median one, {np.median(steps):.3g} s"
            ),
            stacklevel=4,
        )


def _instants(known: Floats, rate_hz: float, wanted: Floats | None) -> Floats:
    """Uniform output instants from the first to the last known one, or the wanted ones."""
    if wanted is not None:
        return wanted
    if known.size < 2:
        raise TimeError(f"the motion has {known.size} sample(s); two or more are needed to differentiate it")
    n = int(np.floor((known[-1] - known[0]) * rate_hz + 1e-6)) + 1
    return known[0] + np.arange(n) / rate_hz


def _confidence(motion: Motion, weights: Floats, t: Floats) -> Floats:
    """Confidence of every sensor, (T, S): that of the joints that carry it, at the nearest motion sample."""
    i = np.clip(np.searchsorted(motion.time_s, t), 1, motion.time_s.size - 1)
    i -= (t - motion.time_s[i - 1]) < (motion.time_s[i] - t)
    return np.nan_to_num(motion.confidence[i]) @ weights.T


def _placement_dict(p: Placement) -> dict[str, Any]:
    from dataclasses import asdict

    return {key: value for key, value in asdict(p).items() if value is not None}
