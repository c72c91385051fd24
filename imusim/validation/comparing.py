"""`im.validate`: a simulated recording against a real one."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.signal import butter, sosfiltfilt
from tqdm import tqdm

from imusim.errors import ConfigError, TimeError
from imusim.identification.parameters import ALIGN, Parameters, check_blocks
from imusim.identification.solve import Fit, begin, solve
from imusim.identification.sources import RecordingSource
from imusim.identification.summary import summary
from imusim.recording import Recording
from imusim.types import Floats
from imusim.validation import notes
from imusim.validation.faults import Finding, check_units, clean
from imusim.validation.pairing import judge, likeness, paired
from imusim.validation.report import ValidationReport
from imusim.validation.scoring import overlay_of, rows_of, side_by_side

_LEAST_S = 0.5


def validate(
    simulated: Recording,
    real: Recording,
    align: str | Sequence[str] = ("time", "rotation", "bias"),
    *,
    holdout: float = 0.5,
    match: Mapping[str, str] | None = None,
    max_offset_s: float | None = None,
    lowpass_hz: float | None = None,
) -> ValidationReport:
    """Compare a simulated recording with a real one: align on one part, score on another.

    Parameters
    ----------
    simulated, real : sensors are paired by name, or are the only ones
    align : what may differ and is estimated per sensor, of "time", "skew" (of the clocks), "rotation" (mounting),
    "leverarm",
        "bias", "scale"; a tuple, or a string with commas; () for nothing

    Other Parameters
    ----------------
    holdout : share of the overlap, its last part, that is scored and not fitted; 0: fit and score everything. Without
        `align` everything is scored
    match : real → simulated name, where names differ
    max_offset_s : largest time offset looked for · s; None: any that leaves half of the shorter recording covered
    lowpass_hz : compare only what is below: both sides are filtered, fourth order, without delay

    Returns
    -------
    ValidationReport
        `.to_dataframe()`, `.alignment`, `.findings`, `.save(folder)`

    Raises
    ------
    TimeError
        If the recordings do not overlap in time.
    UnitError
        If a real signal is in another unit.
    ConfigError, UnknownNameError
        On options that make no sense, and sensors without a partner.

    Notes
    -----
    Offsets are searched by cross-correlation, the mounting rotation in closed form; Gauss–Newton then estimates all asked
    parameters together on the simulated signals in continuous time, by least squares with the noise of acc and gyro
    estimated; standard deviations count the residuals' correlation in time (`imusim.identification`).
    Saturated and missing samples are left out and counted.
    """
    blocks = check_blocks(align, ALIGN)
    if not 0.0 <= holdout <= 0.9:
        raise ConfigError(f"holdout={holdout}: wanted a share from 0 to 0.9")
    for name, recording in (("simulated", simulated), ("real", real)):
        if recording.time_s.size < 16:
            raise TimeError(f"the {name} recording has {recording.time_s.size} samples, wanted 16 or more")
    pairs = paired(simulated.sensors, real.sensors, match)
    real, findings = clean(real)
    for theirs, ours in pairs.items():
        check_units(
            _readings(simulated, simulated.sensors.index(ours)),
            _readings(real, real.sensors.index(theirs)),
            theirs,
        )
    if lowpass_hz is not None:
        simulated, real = lowpassed(simulated, lowpass_hz), lowpassed(real, lowpass_hz)
    rows: list[dict[str, Any]] = []
    alignment: dict[str, dict[str, Any]] = {}
    fits: dict[str, Fit] = {}
    unknown: list[Finding] = []
    overlays = {}
    alive = [k for k in pairs if np.isfinite(_readings(real, real.sensors.index(k))).any()]
    common, alike = likeness(simulated, real, alive, shifted="time" in blocks, max_offset_s=max_offset_s)
    for theirs, ours in tqdm(pairs.items(), "validate", leave=False, disable=not sys.stderr.isatty()):
        time, values = real.time_s, _readings(real, real.sensors.index(theirs))
        if not np.isfinite(values).any():
            continue
        source = RecordingSource(simulated, simulated.sensors.index(ours))
        if source.span == (0.0, 0.0):
            findings.append(Finding("constant", theirs, f"the simulated {ours} has no sample"))
            continue
        fit, fitted, scored = _fitted(source, time, values, blocks, holdout, max_offset_s, theirs, common)
        fits[theirs] = fit
        unknown += notes.unknown(theirs, fit, values)
        alignment[theirs] = summary(fit)
        simulated_, real_ = side_by_side(source, time[scored], values[scored], fit.parameters)
        there = None
        if blocks and fitted.stop > fitted.start:
            there = side_by_side(source, time[fitted], values[fitted], fit.parameters)
        before = side_by_side(source, time[scored], values[scored], Parameters())
        rate = 1.0 / float(np.median(np.diff(time[scored])))
        rows += rows_of(theirs, simulated_, real_, before, there, rate)
        overlays[theirs] = overlay_of(time[scored], simulated_, real_, rate)
    if not alignment:
        raise ConfigError(
            "nothing can be compared: "
            + "; ".join(f"{f.sensor}: {f.text}" for f in findings if f.kind == "constant")
        )
    findings = [
        *judge({k: pairs[k] for k in alignment}, alike),
        *notes.clocks(fits, real.time_s, simulated.time_s),
        *findings,
        *unknown,
    ]
    settings = {
        "align": list(blocks),
        "holdout": holdout if blocks else 0.0,
        "max_offset_s": max_offset_s,
        "lowpass_hz": lowpass_hz,
        "real_rate_hz": real.rate_hz,
        "simulated_rate_hz": simulated.rate_hz,
        "real_duration_s": real.duration_s,
        "simulated_duration_s": simulated.duration_s,
        "mapping": real.metadata.get("read"),
    }
    return ValidationReport(tuple(rows), alignment, tuple(findings), pairs, alike, settings, overlays)


def _fitted(
    source: RecordingSource,
    time: Floats,
    values: Floats,
    blocks: tuple[str, ...],
    holdout: float,
    max_offset_s: float | None,
    sensor: str,
    common: float,
) -> tuple[Fit, slice, slice]:
    """The fit, and which samples it was made on and which are scored."""
    whole = begin(source, time, values, blocks, max_offset_s=max_offset_s, hints=(common,))
    inside = np.zeros(time.size, dtype=bool)
    if whole is not None:
        at = whole.source_time(time)
        inside = (at >= source.span[0]) & (at <= source.span[1])
    if whole is None or inside.sum() < 16 or np.ptp(time[inside]) < _LEAST_S:
        hint = (
            'Add "time" to align if their clocks differ.'
            if "time" not in blocks
            else "Are they of the same movement? A larger max_offset_s may help."
        )
        raise TimeError(
            f"{sensor}: simulated {source.span[0]:.6g} … {source.span[1]:.6g} s and real "
            f"{time[0]:.6g} … {time[-1]:.6g} s do not "
            f"overlap for long enough. {hint}"
        )
    first, last = int(np.argmax(inside)), int(inside.size - np.argmax(inside[::-1]))
    if not blocks:
        fitted, scored = slice(first, last), slice(first, last)
    elif holdout == 0.0:
        fitted = scored = slice(first, last)
    else:
        cut = first + round((last - first) * (1.0 - holdout))
        fitted, scored = slice(first, cut), slice(cut, last)
    # the whole only told which samples overlap: the fit starts anew from the fitted part alone
    fit = solve(source, time[fitted], values[fitted], blocks, max_offset_s=max_offset_s, hints=(common,))
    if fit is None:
        raise TimeError(
            f"{sensor}: the part to fit, {time[fitted][0]:.6g} … {time[fitted][-1]:.6g} s, has too few usable samples. "
            "Give a smaller holdout or a longer recording."
        )
    return fit, fitted, scored


def _readings(recording: Recording, sensor: int) -> Floats:
    """(T, 6) of one sensor, acc then gyro."""
    return np.hstack([recording.acc[:, sensor], recording.gyro[:, sensor]])


def lowpassed(recording: Recording, cutoff_hz: float) -> Recording:
    """Return the recording without what is above a frequency: Butterworth, there and back, gaps left as they are.

    Raises
    ------
    ConfigError
        If the cut-off is not below half the rate.
    """
    rate = recording.rate_hz
    if not 0 < cutoff_hz < 0.5 * rate:
        raise ConfigError(
            f"lowpass_hz={cutoff_hz}: wanted a frequency between 0 and {0.5 * rate:g} Hz, half the rate"
        )
    sos = butter(2, cutoff_hz, fs=rate, output="sos")

    def filtered(x: Floats) -> Floats:
        out = np.array(x)
        flat = out.reshape(out.shape[0], -1)
        for c in flat.T:
            known = np.isfinite(c)
            if known.sum() < 20:
                continue
            whole = np.interp(np.arange(c.size), np.flatnonzero(known), c[known])
            c[known] = sosfiltfilt(sos, whole)[known]
        return out

    return replace(
        recording, acc=filtered(recording.acc), gyro=filtered(recording.gyro), unit="m/s2", gyro_unit="rad/s"
    )
