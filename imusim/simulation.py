"""Motion + placements + sensor → Recording: what a device worn there would have measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from imusim import sensor as sensors_
from imusim._version import __version__
from imusim.conventions import GRAVITY_W
from imusim.errors import ConfigError, TimeError
from imusim.kinematics import BodyTrajectory
from imusim.placement import attach, resolve
from imusim.recording import Recording
from imusim.rotation import rotate_inverse
from imusim.trajectory import Trajectory
from imusim.types import Floats, Kinematics, Motion, Placement, check_time

if TYPE_CHECKING:
    from pathlib import Path

_BLOCK = 4096
AXES = ("segment", "android", "coremotion")


def simulate(
    source: Motion | BodyTrajectory | Trajectory,
    placements: str | Path | Placement | Sequence[str | Placement] | None = None,
    *,
    sensor: str | sensors_.Sensor | None = "ideal",
    rate_hz: float = 100.0,
    seed: int = 0,
    smoothing: str = "auto",
    axes: str = "segment",
    time_s: ArrayLike | None = None,
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
    time_s : (T,) · s, output instants instead of a uniform grid at `rate_hz`

    Returns
    -------
    Recording
        Specific force ``f_s = R_wsᵀ (a_w − g_w)`` in m/s² and angular rate in rad/s, in the sensors' own axes.
        Instants that the motion does not cover (long gaps) are NaN and marked in ``valid``.

    Raises
    ------
    UnknownNameError, ConfigError, TimeError
        On an unknown placement, preset or option, and on a motion too short for the rate.
    """
    if axes not in AXES:
        raise ConfigError(f"axes={axes!r}, wanted one of {', '.join(AXES)}")
    check_rate(rate_hz)
    model = sensors_.find(sensor)
    metadata: dict[str, Any] = {
        "imusim": __version__,
        "rate_hz": float(rate_hz),
        "seed": int(seed),
        "axes": axes,
        "conventions": "specific force m/s2, angular rate rad/s, sensor axes; world z up; quaternions wxyz",
    }
    if isinstance(source, Trajectory):
        if placements is not None:
            raise ConfigError(
                "a Trajectory's frames are the sensors: leave placements out, or use .mounted(offset_m, rotation_wxyz)"
            )
        t = _instants(source.time_s, rate_hz, time_s)
        acc, gyro = _in_blocks(t, lambda part: ideal_signals(source.kinematics(part)))
        names = tuple(f"s{i}" for i in range(acc.shape[1]))
        acc_sd = gyro_sd = None
        confidence = None
    else:
        body_traj = (
            source if isinstance(source, BodyTrajectory) else BodyTrajectory(source, smoothing=smoothing)
        )
        motion = body_traj.motion
        chosen = resolve("fimad" if placements is None else placements)
        sites = attach(motion.body, motion.shape, chosen, axes="segment" if axes == "segment" else "device")
        t = _instants(motion.time_s[motion.valid], rate_hz, time_s)
        names = sites.names
        acc, gyro, acc_sd, gyro_sd = _in_blocks(
            t,
            lambda part: (
                *ideal_signals(body_traj.kinematics(part, sites)),
                *body_traj.uncertainty(part, sites),
            ),
        )
        confidence = _confidence(t, motion, sites.weights)
        metadata |= {
            "placements": [_placement_dict(p) for p in chosen],
            "smoothing": body_traj.settings,
            "motion": {**motion.metadata, "up_sd_deg": motion.up_sd_deg, "body": motion.body.name},
        }
    valid = np.asarray(np.isfinite(acc).all(axis=-1))
    metadata["sensor"] = model.describe()
    rec = Recording(
        t,
        acc,
        gyro,
        names,
        acc_sd=acc_sd,
        gyro_sd=gyro_sd,
        valid=valid,
        confidence=confidence,
        metadata=metadata,
    )
    return model.measure(rec, seed=seed)


def check_rate(rate_hz: float) -> None:
    """Raise `ConfigError` unless a sampling rate is one."""
    if not (np.isfinite(rate_hz) and 0.1 <= rate_hz <= 20_000):
        raise ConfigError(f"rate_hz={rate_hz:g}, wanted a sampling rate between 0.1 and 20000 Hz")


def ideal_signals(k: Kinematics) -> tuple[Floats, Floats]:
    """Return what perfect sensors at the frames of `k` measure.

    Returns
    -------
    acc : (T, S, 3) · m/s² · sensor axes, specific force ``R_wsᵀ (a_w − g_w)``
    gyro : (T, S, 3) · rad/s · sensor axes, ``R_wsᵀ ω_w``
    """
    q = k.orientation
    return rotate_inverse(q, k.acceleration - np.asarray(GRAVITY_W)), rotate_inverse(q, k.angular_velocity)


def _in_blocks(t: Floats, work: Callable[[Floats], tuple[Floats, ...]]) -> tuple[Floats, ...]:
    """Evaluate instant by instant in blocks, so that memory does not hold the kinematics of an hour."""
    parts = [work(t[i : i + _BLOCK]) for i in range(0, t.size, _BLOCK)]
    return tuple(np.concatenate(columns) for columns in zip(*parts, strict=True))


def _instants(known: Floats, rate_hz: float, wanted: ArrayLike | None) -> Floats:
    """Uniform output instants from the first to the last known one, or the wanted ones, checked."""
    if wanted is not None:
        return check_time(wanted)
    if known.size < 2:
        raise TimeError(f"the motion has {known.size} sample(s); two or more are needed to differentiate it")
    n = int(np.floor((known[-1] - known[0]) * rate_hz + 1e-6)) + 1
    return known[0] + np.arange(n) / rate_hz


def _confidence(t: Floats, motion: Motion, weights: Floats) -> Floats:
    """Confidence of every sensor, (T, S): that of the joints that carry it, at the nearest motion sample."""
    i = np.clip(np.searchsorted(motion.time_s, t), 1, motion.time_s.size - 1)
    i -= (t - motion.time_s[i - 1]) < (motion.time_s[i] - t)
    return np.nan_to_num(motion.confidence[i]) @ weights.T


def _placement_dict(p: Placement) -> dict[str, Any]:
    from dataclasses import asdict

    return {key: value for key, value in asdict(p).items() if value is not None}
