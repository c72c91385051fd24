"""`im.identify`: what a wearer and a device were like, from a motion and the recording that they made."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from tqdm import tqdm

from imusim.errors import ConfigError, TimeError, UnknownNameError, unknown_name
from imusim.identification.noise import density_floor
from imusim.identification.parameters import BLOCKS, check_blocks
from imusim.identification.result import Identification
from imusim.identification.solve import Fit, solve
from imusim.identification.sources import KinematicSource
from imusim.kinematics import BodyTrajectory
from imusim.placement import attach, resolve
from imusim.recording import Recording
from imusim.trajectory import Trajectory
from imusim.types import Floats, Kinematics, Motion, Placement


def identify(
    source: Motion | BodyTrajectory | Trajectory,
    real: Recording,
    estimate: str | Sequence[str] = ("time", "rotation", "leverarm", "bias"),
    *,
    placements: Mapping[str, str | Placement] | None = None,
    max_offset_s: float | None = None,
    smoothing: str = "auto",
) -> Identification:
    """Find placement, sensor errors and clock of real sensors on a known motion.

    Parameters
    ----------
    source : a `Motion` or `BodyTrajectory`; or a `Trajectory`, whose frames are real's sensors in the same order
    real : what the sensors read, SI, NaN where unknown
    estimate : of "time", "skew" (of the clock), "rotation" (mounting), "leverarm" (position on the segment),
    "bias", "scale",
        "bodyscale" (a factor on the body's size, hence its accelerations), "softtissue" (the first mode of a mount on
        foam, skin or strap: `imusim.sensor.Mount`; kept only where the data are clearly more likely with it); a tuple,
        or a string with commas

    Other Parameters
    ----------------
    placements : real sensor → where it is thought to sit on a body; None: its own name is a place's
    max_offset_s : largest time offset looked for · s
    smoothing : of a `Motion`, as for `imusim.simulate`

    Returns
    -------
    Identification
        `.parameters[sensor]`, `.save("identified.yaml")`, `.mounted(trajectory)`, `.sensor()`

    Raises
    ------
    ConfigError, UnknownNameError
        If sensors and frames or places do not fit together.
    TimeError
        If the motion and the recording do not overlap.

    Notes
    -----
    Gauss–Newton on the exact kinematics in continuous time (`imusim.identification.model`). Standard deviations count the
    correlation of the residuals in time. Directions that the motion does not excite are kept near nothing by a
    weak prior and
    named in ``unidentified``.
    """
    blocks = check_blocks(estimate, tuple(BLOCKS))
    motion: Callable[[Floats], Kinematics]
    if isinstance(source, Trajectory):
        if placements is not None:
            raise ConfigError("a Trajectory's frames are the sensors: leave placements out")
        if source.frames != len(real.sensors):
            raise ConfigError(
                f"the trajectory has {source.frames} frame(s), the recording {len(real.sensors)} sensor(s): "
                "they must be the "
                "same, in the same order. real.select([...]) takes some of the sensors."
            )
        motion, span = source.kinematics, (float(source.time_s[0]), float(source.time_s[-1]))
        places: dict[str, Placement] = {}
        used = list(real.sensors)
    else:
        body = source if isinstance(source, BodyTrajectory) else BodyTrajectory(source, smoothing=smoothing)
        of = body.motion
        named = dict(placements) if placements is not None else {name: name for name in real.sensors}
        for name in named:
            if name not in real.sensors:
                raise unknown_name("sensor of the recording", name, real.sensors)
        used = list(named)
        try:
            chosen = [resolve(place)[0] for place in named.values()]
        except UnknownNameError as error:
            if placements is not None:
                raise
            raise UnknownNameError(
                f"{error} A sensor whose name is no place: say where it sits, placements={{sensor: place}} "
                "(--match sensor=place)."
            ) from None
        places = dict(zip(used, chosen, strict=True))
        unique = [_renamed(place, name) for name, place in places.items()]
        sites = attach(of.body, of.shape, unique, axes="segment")
        known = of.time_s[of.valid]
        motion, span = partial(_on_body, body, sites), (float(known[0]), float(known[-1]))
    fits: dict[str, Fit] = {}
    for i, name in enumerate(tqdm(used, "identify", leave=False, disable=not sys.stderr.isatty())):
        s = real.sensors.index(name)
        values = np.hstack([real.acc[:, s], real.gyro[:, s]])
        if real.valid is not None:
            values[~real.valid[:, s]] = np.nan
        fit = solve(KinematicSource(motion, i, span), real.time_s, values, blocks, max_offset_s=max_offset_s)
        if fit is None:
            raise TimeError(
                f"{name}: the motion ({span[0]:.6g} … {span[1]:.6g} s) and the recording ({real.time_s[0]:.6g} … "
                f"{real.time_s[-1]:.6g} s) do not overlap for long enough"
                + ("." if "time" in blocks else '. Add "time" to estimate if their clocks differ.')
            )
        fits[name] = fit
    noise = {
        name: (
            density_floor(real.acc[:, real.sensors.index(name)], real.rate_hz),
            density_floor(real.gyro[:, real.sensors.index(name)], real.rate_hz),
        )
        for name in used
    }
    return Identification(fits, places, {"estimate": list(blocks), "rate_hz": real.rate_hz}, noise)


def _on_body(body: BodyTrajectory, sites: Any, t: Floats) -> Kinematics:
    return body.kinematics(t, sites)


def _renamed(place: Placement, name: str) -> Placement:
    return replace(place, name=name)
