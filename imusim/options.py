"""What a run of the whole way is asked for, and the refusal of what cannot be meant before the long work begins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from imusim.errors import ConfigError
from imusim.types import Placement

if TYPE_CHECKING:
    from imusim.sensor import Sensor

MOTION_SUFFIXES = (".npz", ".npy", ".bvh", ".trc", ".c3d", ".mvnx", ".mat", ".json", ".pkl", ".pt", ".pth")
"""Everything else is taken for a video (`motion_io.SUFFIXES`; repeated here so that start-up stays light)."""
FORMATS = ("parquet", "csv", "npz")


@dataclass(frozen=True)
class PoseOptions:
    """How the person is found in the video."""

    model: str = "full"
    fps: float | None = None
    person: str = "largest"
    passes: int | None = None


@dataclass(frozen=True)
class FitOptions:
    """How landmarks become a body in motion; of a motion file, on which body and how tall the person is simulated."""

    body: Path | None = None
    height_m: float | None = None
    camera_tilt_deg: float | None = None
    focal_px: float | None = None
    max_gap_s: float = 0.5
    motion_rate_hz: float | None = None


@dataclass(frozen=True)
class SensorOptions:
    """What is worn where."""

    placements: str | Sequence[str | Placement] = "fimad"
    sensor: str | Sensor = "bmi270"
    rate_hz: float = 100.0
    seed: int = 0
    axes: str = "segment"
    smoothing: str = "auto"


POSE, FIT, SENSORS = PoseOptions(), FitOptions(), SensorOptions()
"""What is done unless something else is asked for."""


def check_source(source: Path, formats: Sequence[str]) -> None:
    """Refuse what is no file, and formats that are not `FORMATS`.

    Raises
    ------
    ConfigError
    """
    if not source.is_file():
        what = "is a folder" if source.is_dir() else "no such file"
        raise ConfigError(f"{source}: {what}. Give a video (.mp4 ...) or a motion file.")
    unknown = [f for f in formats if f not in FORMATS]
    if unknown or not formats:
        raise ConfigError(
            f"--format {','.join(unknown) or '(none)'}: wanted one or more of {', '.join(FORMATS)}"
        )


def check_options(pose: PoseOptions, fit: FitOptions, sensors: SensorOptions) -> None:
    """Refuse what cannot be meant, before the long work.

    Raises
    ------
    ConfigError, UnitError, UnknownNameError
    """
    from imusim.fitting.gravity_tilt import given_tilt
    from imusim.fitting.shape import check_height
    from imusim.placement import resolve
    from imusim.sensor import find
    from imusim.simulation import AXES, check_rate

    resolve(sensors.placements)
    find(sensors.sensor)
    check_rate(sensors.rate_hz)
    check_height(fit.height_m)
    if sensors.axes not in AXES:
        raise ConfigError(f"axes {sensors.axes!r}: wanted one of {', '.join(AXES)}")
    if sensors.smoothing not in ("auto", "none"):
        raise ConfigError(f"smoothing {sensors.smoothing!r}: wanted auto or none")
    if fit.camera_tilt_deg is not None:
        given_tilt(fit.camera_tilt_deg)
    if pose.fps is not None and not 1.0 <= pose.fps <= 1000.0:
        raise ConfigError(f"pose fps {pose.fps:g}: wanted 1 to 1000 frames a second, or none for all of them")
    if pose.passes is not None:
        from imusim.video.second_look import check_passes

        check_passes(pose.passes, 0)
    if fit.focal_px is not None and not fit.focal_px > 0:
        raise ConfigError(f"focal length {fit.focal_px:g} px: wanted a positive number of pixels")
    if not fit.max_gap_s >= 0:
        raise ConfigError(f"longest gap {fit.max_gap_s:g} s: wanted seconds, zero or more")
    if fit.motion_rate_hz is not None:
        from imusim.motion_io.clock import check_rate as check_motion_rate

        check_motion_rate(fit.motion_rate_hz, "--motion-rate-hz")
    if fit.body is not None and not fit.body.is_file():
        raise ConfigError(f"{fit.body}: no such body model file. Leave --body out for the open body.")


def check_meant(source: Path, is_video: bool, pose: PoseOptions, fit: FitOptions) -> None:
    """Refuse options that mean nothing for this kind of file, rather than ignore them.

    Raises
    ------
    ConfigError
    """
    if is_video:
        if fit.motion_rate_hz is not None:
            raise ConfigError(
                f"--motion-rate-hz is for motion files; {source.name} is taken for a video, which has its own times"
            )
        return
    given = {
        "--camera-tilt-deg": fit.camera_tilt_deg,
        "--focal-px": fit.focal_px,
        "--pose-fps": pose.fps,
        "--pose-passes": pose.passes,
    }
    wrong = [name for name, value in given.items() if value is not None]
    if wrong:
        raise ConfigError(
            f"{', '.join(wrong)}: for videos only, {source.name} is a motion file. Leave it out."
        )
