"""A video of several people becomes a folder for each of them, all on one clock."""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from imusim.errors import ConfigError, NoPersonError, QualityWarning
from imusim.export.folder import folder_for
from imusim.options import (
    FIT,
    MOTION_SUFFIXES,
    POSE,
    SENSORS,
    FitOptions,
    PoseOptions,
    SensorOptions,
    check_meant,
    check_options,
    check_source,
)
from imusim.types import PoseTrack
from imusim.workflow import Result, collected_warnings, finish, fit_track, timed

_SEEDS_APART = 1_000_003  # so that nobody's sensors have another's noise


def simulate_everyone(
    source: Path | str,
    out: Path | str | None = None,
    *,
    pose: PoseOptions = POSE,
    fit: FitOptions = FIT,
    sensors: SensorOptions = SENSORS,
    formats: Sequence[str] = ("parquet",),
    report: bool = True,
    progress: bool = True,
) -> dict[str, Result]:
    """Turn a video into IMU recordings of everybody in it.

    Parameters
    ----------
    source : a video
    out : folder for the outputs; ``<name>_imu`` next to the source if not given

    Other Parameters
    ----------------
    pose, fit, sensors, formats, report, progress : as for `workflow.simulate_file`; `fit.height_m` is everybody's

    Returns
    -------
    dict of Result
        By name. ``<out>/person_1`` … hold what `simulate_file` writes for one person, ``<out>/people.json`` who was seen
        when and what is not known about who is who, ``<out>/people.npz`` the landmarks, which a second run reuses.
        Who cannot be fitted has no folder; why stands in ``people.json``.

    Raises
    ------
    ConfigError
        If a single person was asked for as well, or the source is no video.
    ImusimError
        Whatever else is wrong with the input or the output folder, in one sentence.
    """
    source = Path(source)
    check_source(source, formats)
    if source.suffix.lower() in MOTION_SUFFIXES:
        raise ConfigError(
            f"{source} is a motion file, of one person: several people are looked for in videos."
        )
    if pose.person != "largest":
        raise ConfigError(
            f"--person {pose.person} chooses one person, --people all takes everybody: give one of them"
        )
    check_options(pose, fit, sensors)
    check_meant(source, True, pose, fit)
    folder = Path(out) if out is not None else source.with_name(source.stem + "_imu")
    from imusim.video import estimate_people

    results: dict[str, Result] = {}
    with folder_for(folder) as partial, collected_warnings() as everybody:
        seconds: dict[str, float] = {}
        with timed(seconds, "pose"):
            tracks = estimate_people(
                source,
                model=pose.model,
                fps=pose.fps,
                passes=pose.passes,
                focal_px=fit.focal_px,
                cache=folder / "people.npz",
                progress=progress,
            )
        told: dict[str, dict[str, Any]] = {}
        for number, (name, track) in enumerate(tracks.items()):
            told[name] = _seen(track)
            own = dict(seconds) if number == 0 else {}
            try:
                results[name] = _one(
                    source,
                    folder / name,
                    track,
                    fit,
                    replace(sensors, seed=sensors.seed + number * _SEEDS_APART),
                    formats,
                    report,
                    progress,
                    own,
                    [w for w in everybody if f"{name} " in w],
                )
            except NoPersonError as error:
                told[name]["left_out"] = str(error)
                warnings.warn(QualityWarning(f"{name} is left out: {error}"), stacklevel=2)
        if not results:
            raise NoPersonError(f"{source}: nobody is seen well enough to be fitted.")
        (partial / "people.json").write_text(
            json.dumps({"video": source.name, "people": told}, indent=2) + "\n"
        )
        (partial / "people.json").replace(folder / "people.json")
        _tell_of_others(folder, set(tracks))
    return results


def _one(
    source: Path,
    folder: Path,
    track: PoseTrack,
    fit: FitOptions,
    sensors: SensorOptions,
    formats: Sequence[str],
    report: bool,
    progress: bool,
    seconds: dict[str, float],
    known: list[str],
) -> Result:
    """Recordings of one of them."""
    with folder_for(folder) as partial, collected_warnings() as said:
        said.extend(known)
        with timed(seconds, "fit"):
            motion = fit_track(track, fit, progress)
        return finish(
            partial, folder, motion, source=source, track=track, sensors=sensors, formats=formats, report=report,
            seconds=seconds, said=said,
        )  # fmt: skip


def _seen(track: PoseTrack) -> dict[str, Any]:
    """When and where somebody was seen, and what was decided about who they are."""
    found = np.flatnonzero(track.detected)
    first = track.landmarks_px[found[0]]
    return {
        "from_s": float(track.time_s[found[0]]),
        "to_s": float(track.time_s[found[-1]]),
        "frames": int(found.size),
        "quality": round(float(np.median(track.quality[found])), 3),
        "first_box_px": [round(float(v), 1) for v in (*first.min(axis=0), *first.max(axis=0))],
        **track.metadata["person"],
    }


def _tell_of_others(folder: Path, names: set[str]) -> None:
    """Say so if folders of an earlier run lie about."""
    old = sorted(p.name for p in folder.glob("person_*") if p.is_dir() and p.name not in names)
    if old:
        warnings.warn(
            QualityWarning(
                f"{folder}: {', '.join(old)} are of an earlier run; this one found {len(names)} people."
            ),
            stacklevel=3,
        )
