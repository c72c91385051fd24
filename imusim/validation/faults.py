"""What is wrong with a real recording before anything is compared: masked where it can be, said always."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from imusim.conventions import STANDARD_GRAVITY
from imusim.errors import UnitError
from imusim.recording import Recording
from imusim.recording_io.timing import spread_bursts
from imusim.types import Floats

_STILL_ACC = 1e-6  # m/s²
_STILL_GYRO = 1e-8  # rad/s
_CLIPPED_RUN = 3  # equal samples at the end of the range
_CLIPPED_LEAST = 6  # of them in all
_FACTORS = {
    "acc": (STANDARD_GRAVITY, "g", "m/s²", 'unit="g" (--acc-unit g)'),
    "gyro": (np.pi / 180, "deg/s", "rad/s", 'gyro_unit="deg/s" (--gyro-unit deg/s)'),
}


@dataclass(frozen=True)
class Finding:
    """Something a reader of the report should know.

    Parameters
    ----------
    kind : one word: "saturated", "constant", "gaps", "bursts", "swapped", "placement", "unidentified", "low" ...
    sensor : name of the real sensor, "" for all
    text : what, how much, and what was done about it
    """

    kind: str
    sensor: str
    text: str


def clean(real: Recording) -> tuple[Recording, list[Finding]]:
    """Return the recording with bad samples as NaN and burst time stamps spread out, and what was found."""
    found: list[Finding] = []
    time = real.time_s
    spread = spread_bursts(time)
    if spread is not None:
        worst = float(np.abs(spread - time).max())
        found.append(
            Finding("bursts", "", f"time stamps come in bursts: spread evenly, by up to {1e3 * worst:.0f} ms")
        )
        real = replace(real, time_s=spread, unit="m/s2", gyro_unit="rad/s")
    acc, gyro = real.acc.copy(), real.gyro.copy()
    for s, name in enumerate(real.sensors):
        if real.valid is not None:
            acc[~real.valid[:, s], s] = np.nan
            gyro[~real.valid[:, s], s] = np.nan
        missing = int((~np.isfinite(acc[:, s]).all(axis=1)).sum())
        if 0 < missing < acc.shape[0]:
            found.append(Finding("gaps", name, f"{missing} of {acc.shape[0]} samples are missing: left out"))
        for label, x, still in (("acc", acc[:, s], _STILL_ACC), ("gyro", gyro[:, s], _STILL_GYRO)):
            known = np.isfinite(x).all(axis=1)
            if not known.any():
                found.append(Finding("constant", name, f"{label} has no sample at all: not compared"))
                continue
            if float(x[known].std(axis=0).max()) < still:
                found.append(Finding("constant", name, f"{label} never changes: not compared"))
                x[:] = np.nan
                continue
            clipped = saturated(x)
            if clipped.any():
                share = clipped.any(axis=1).sum()
                limit = float(np.abs(x[clipped]).max())
                unit = "m/s²" if label == "acc" else "rad/s"
                found.append(
                    Finding(
                        "saturated",
                        name,
                        f"{label} is saturated at {limit:.4g} {unit} in {int(share)} of {x.shape[0]} samples: left out",
                    )
                )
                x[clipped] = np.nan
    steps = np.diff(real.time_s)
    if steps.size:
        usual = float(np.median(steps))
        holes = steps > 3.0 * usual
        if holes.any():
            found.append(
                Finding(
                    "gaps",
                    "",
                    f"{int(holes.sum())} gaps in time, {float((steps[holes] - usual).sum()):.2f} s in all",
                )
            )
    return replace(real, acc=acc, gyro=gyro, unit="m/s2", gyro_unit="rad/s"), found


def saturated(x: Floats) -> NDArray[np.bool_]:
    """Return where (N, 3) sits at an end of its range.

    An end is one where runs of three or more samples equal an axis's own extreme; then shorter runs there are meant too.
    """
    out = np.zeros(x.shape, dtype=bool)
    for i in range(x.shape[1]):
        v = x[:, i]
        known = np.isfinite(v)
        if not known.any():
            continue
        for end in (float(np.nanmax(v)), float(np.nanmin(v))):
            at = known & (np.abs(v - end) <= 1e-9 * max(1.0, abs(end)))
            edges = np.flatnonzero(np.diff(np.concatenate([[0], at.astype(np.int8), [0]])))
            lengths = edges[1::2] - edges[::2]
            long = lengths >= _CLIPPED_RUN
            if lengths[long].sum() >= _CLIPPED_LEAST and lengths[long].sum() < 0.5 * known.sum():
                out[at, i] = True
    return out


def _liveliness(readings: Floats) -> float:
    """Spread of the length of the specific force · m/s², of readings (N, 6)."""
    force = np.linalg.norm(readings[:, :3], axis=1)
    return float(np.nanstd(force)) if np.isfinite(force).any() else 0.0


def check_units(simulated: Floats, real: Floats, sensor: str) -> None:
    """Raise `UnitError` if the real signals (N, 6) are the simulated ones in another unit.

    By the ratio of typical lengths (acc: median; gyro: 95 %, so that rest does not matter), within a quarter of g or
    a factor of two of 57.3, either way. A gyroscope that is too quiet is only in another unit if the accelerometer is not
    quiet too: else the real sensor hardly moved.
    """
    for label, part, level, near in (("acc", slice(0, 3), 0.5, 1.25), ("gyro", slice(3, 6), 0.95, 2.0)):
        lengths = [np.linalg.norm(x[:, part], axis=1) for x in (simulated, real)]
        lengths = [x[np.isfinite(x)] for x in lengths]
        if min(x.size for x in lengths) < 10:
            continue
        ours, theirs = (float(np.quantile(x, level)) for x in lengths)
        if not (ours > 0 and theirs > 0):
            continue
        factor, unit, si, fix = _FACTORS[label]
        if label == "gyro" and theirs < ours and _liveliness(real) < 0.2 * _liveliness(simulated):
            continue
        for ratio, said in (
            (theirs / ours * factor, unit),
            (theirs / ours / factor, f"{si} times {factor:.3g}"),
        ):
            if 1.0 / near < ratio < near:
                raise UnitError(
                    f"{label} of the real sensor {sensor!r} looks like {said}, wanted {si}: its typical size is "
                    f"{theirs / ours:.3g} times that of the simulated one. Pass {fix}, or convert it."
                )
