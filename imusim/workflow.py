"""A file becomes a folder: video or motion file → pose → fit → IMU → recordings, motion and a picture."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from imusim.errors import ConfigError, OutputError, QualityWarning, UnknownNameError
from imusim.recording import Recording
from imusim.types import Motion, Placement, PoseTrack

if TYPE_CHECKING:
    from imusim.sensor import Sensor

MOTION_SUFFIXES = (".npz", ".npy", ".bvh", ".trc", ".c3d", ".mvnx", ".mat", ".json", ".pkl", ".pt", ".pth")
"""Everything else is taken for a video (`motion_io.SUFFIXES`; repeated here so that start-up stays light)."""
FORMATS = ("parquet", "csv", "npz")
_LIMBS = tuple(f"{side}_{j}" for side in ("left", "right") for j in ("shoulder", "elbow", "hip", "knee"))


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


@dataclass(frozen=True)
class Result:
    """Files that `simulate_file` wrote, and how long each step took."""

    folder: Path
    files: tuple[Path, ...]
    seconds: dict[str, float]
    warnings: tuple[str, ...] = field(default=())


def simulate_file(
    source: Path | str,
    out: Path | str | None = None,
    *,
    pose: PoseOptions = PoseOptions(),
    fit: FitOptions = FitOptions(),
    sensors: SensorOptions = SensorOptions(),
    formats: Sequence[str] = ("parquet",),
    report: bool = True,
    progress: bool = True,
) -> Result:
    """Turn a video or motion file into IMU recordings in a folder.

    Parameters
    ----------
    source : a video, or any motion file that `read_motion` reads
    out : folder for the outputs; ``<name>_imu`` next to the source if not given

    Other Parameters
    ----------------
    pose, fit, sensors : options of the three steps
    formats : any of "parquet", "csv", "npz"
    report : whether to draw ``report.png``
    progress : whether to show progress bars (never when the output is not a terminal)

    Returns
    -------
    Result
        ``imu.<format>`` and ``imu.json`` hold the sensor's signals, ``ideal.<format>`` perfect ones (unless
        the sensor is ideal), ``motion.npz`` the motion, ``report.png`` the picture, ``pose.npz`` the
        landmarks, which a second run reuses. All appear at once at the end, except ``pose.npz``: a
        killed run leaves the others as they were.

    Raises
    ------
    ImusimError
        Whatever is wrong with the input or the output folder, in one sentence.
    """
    source = Path(source)
    check_source(source, formats)
    folder = Path(out) if out is not None else source.with_name(source.stem + "_imu")
    is_video = source.suffix.lower() not in MOTION_SUFFIXES
    check_options(pose, fit, sensors)  # a typo should not cost the time of a pose estimation
    check_meant(source, is_video, pose, fit)
    seconds: dict[str, float] = {}
    with folder_for(folder) as partial, collected_warnings() as said:
        track: PoseTrack | None = None
        if is_video:
            with timed(seconds, "pose"):
                track = _pose(source, pose, fit, folder, progress)
            with timed(seconds, "fit"):
                motion = fit_track(track, fit, progress)
        else:
            with timed(seconds, "read"):
                motion = _read(source, pose, fit)
        files = finish(
            partial,
            folder,
            motion,
            source=source,
            track=track,
            is_video=is_video,
            sensors=sensors,
            formats=formats,
            report=report,
            seconds=seconds,
            said=said,
        )
    return Result(folder, files, seconds, tuple(said))


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


def finish(
    partial: Path,
    folder: Path,
    motion: Motion,
    *,
    source: Path,
    track: PoseTrack | None,
    is_video: bool,
    sensors: SensorOptions,
    formats: Sequence[str],
    report: bool,
    seconds: dict[str, float],
    said: list[str],
) -> tuple[Path, ...]:
    """Simulate, write into `partial`, draw, and publish in `folder`; return the files there.

    Parameters
    ----------
    partial, folder : hidden folder of `folder_for`, and the one that it is in
    motion : what the person did
    source : the video or motion file that says so
    track : landmarks, if it was a video
    is_video : whether pictures of it can be shown
    sensors, formats, report : as for `simulate_file`
    seconds : takes how long each step took
    said : warnings so far, for the picture
    """
    with timed(seconds, "simulate"):
        recordings = _simulate(motion, sensors, source)
    with timed(seconds, "export"):
        _export(partial, recordings, motion, formats, "coremotion" if sensors.axes == "coremotion" else "si")
    if report:
        with timed(seconds, "report"):
            _report(partial / "report.png", source if is_video else None, track, motion, recordings, said)
    return _publish(partial, folder)


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


def _pose(source: Path, options: PoseOptions, fit: FitOptions, folder: Path, progress: bool) -> PoseTrack:
    from imusim.video import estimate_pose

    return estimate_pose(
        source,
        model=options.model,
        fps=options.fps,
        person=options.person,
        passes=options.passes,
        focal_px=fit.focal_px,
        cache=folder / "pose.npz",
        progress=progress,
    )


def _read(source: Path, pose: PoseOptions, options: FitOptions) -> Motion:
    """Read a motion file, on to the body and with the height that are asked for."""
    from imusim.body import SkinnedBody, load_body
    from imusim.fitting import fit
    from imusim.motion_io import read_motion

    body = None if options.body is None else load_body(options.body)
    motion = read_motion(
        source,
        options.motion_rate_hz,
        body,
        person=None if pose.person == PoseOptions.person else pose.person,
    )
    if options.height_m is not None or (body is not None and motion.body is not body):
        # a plain skeleton has no height of its own: its joints end below the crown
        target = body or (motion.body if isinstance(motion.body, SkinnedBody) else None)
        motion = fit(motion, body=target, height_m=options.height_m)
        told = motion.metadata.get("retarget", {}).get("joints", {})
        lacking = [n for n in _LIMBS if n in motion.body.joint_names and n not in told] if told else []
        if lacking:
            warnings.warn(
                f"{source.name} has no {', '.join(lacking)}: there the body moves as one piece with what is next to it. "
                "Do not trust sensors beyond.",
                QualityWarning,
                stacklevel=3,
            )
    return motion


def fit_track(track: PoseTrack, options: FitOptions, progress: bool) -> Motion:
    """Fit a body as the options say."""
    from imusim.body import load_body, open_body
    from imusim.fitting import fit

    body = open_body() if options.body is None else load_body(options.body)
    return fit(
        track,
        body=body,
        height_m=options.height_m,
        camera_tilt_deg=options.camera_tilt_deg,
        focal_px=options.focal_px,
        max_gap_s=options.max_gap_s,
        progress=progress,
    )


def _simulate(motion: Motion, options: SensorOptions, source: Path) -> dict[str, Recording]:
    """Recordings by file stem: the sensor's ("imu") and, unless the sensor is ideal, perfect ones ("ideal")."""
    from imusim.sensor import find
    from imusim.simulation import simulate

    try:
        ideal = simulate(
            motion,
            options.placements,
            sensor="ideal",
            rate_hz=options.rate_hz,
            seed=options.seed,
            axes=options.axes,
            smoothing=options.smoothing,
        )
    except UnknownNameError as error:
        if motion.body.weights is not None:
            raise
        raise UnknownNameError(
            f"{error} {source.name} is a bare skeleton: --height-m (or --body) moves it on to a body that has every place."
        ) from None
    sensor = find(options.sensor)
    return (
        {"imu": sensor.measure(ideal, seed=options.seed), "ideal": ideal} if sensor.terms else {"imu": ideal}
    )


def _export(
    partial: Path, recordings: dict[str, Recording], motion: Motion, formats: Sequence[str], convention: str
) -> None:
    from imusim.motion_io import save_motion

    for stem, recording in recordings.items():
        for suffix in formats:
            recording.save(partial / f"{stem}.{suffix}", convention=convention)
    save_motion(partial / "motion.npz", motion)


def _report(
    path: Path,
    video: Path | None,
    track: PoseTrack | None,
    motion: Motion,
    recordings: dict[str, Recording],
    said: list[str],
) -> None:
    from imusim.viz.report import report

    report(
        path,
        recording=recordings["imu"],
        ideal=recordings.get("ideal"),
        motion=motion,
        track=track,
        video=video,
        warnings=said,
    )


@contextmanager
def timed(seconds: dict[str, float], step: str) -> Iterator[None]:
    """Note how long a step took, s."""
    start = time.perf_counter()
    yield
    seconds[step] = time.perf_counter() - start


@contextmanager
def collected_warnings() -> Iterator[list[str]]:
    """Collect what is doubtful about the result, for the report, and still let it be shown."""
    said: list[str] = []
    show = warnings.showwarning

    def collect(message: Warning | str, category: type[Warning], *rest: object, **more: object) -> None:
        if issubclass(category, QualityWarning) and str(message) not in said:
            said.append(str(message))
        show(message, category, *rest, **more)  # type: ignore[arg-type]

    with warnings.catch_warnings():
        warnings.simplefilter("always", QualityWarning)
        warnings.showwarning = collect
        yield said


@contextmanager
def folder_for(folder: Path) -> Iterator[Path]:
    """A hidden folder inside `folder` to write into; removed at the end, also after an error.

    Raises
    ------
    OutputError
        If `folder` cannot be made or written to, or the disk is full.
    """
    partial = None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _remove_orphans(folder)
        partial = Path(tempfile.mkdtemp(prefix=f".partial-{os.getpid()}-", dir=folder))
        yield partial
    except (PermissionError, NotADirectoryError, FileExistsError) as error:
        raise OutputError(
            f"cannot write to {folder}: {error.strerror}. Give another folder with --out."
        ) from None
    except OSError as error:
        if isinstance(error, OutputError) or error.errno is None:
            raise
        raise OutputError(f"cannot write to {folder}: {error.strerror}. Nothing was changed there.") from None
    finally:
        if partial is not None:
            shutil.rmtree(partial, ignore_errors=True)
        with suppress(OSError):
            folder.rmdir()  # only if it is empty, after an error


def _remove_orphans(folder: Path) -> None:
    """Remove what runs that were killed left in `folder`; those still running keep theirs."""
    for orphan in folder.glob(".partial-*-*"):
        pid = orphan.name.split("-")[1]
        if pid.isdigit() and int(pid) != os.getpid() and not _alive(int(pid)):
            shutil.rmtree(orphan, ignore_errors=True)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _publish(partial: Path, folder: Path) -> tuple[Path, ...]:
    """Move everything from `partial` into `folder`, each file in one step."""
    files: list[Path] = []
    for file in sorted(partial.iterdir()):
        os.replace(file, folder / file.name)
        files.append(folder / file.name)
    return tuple(files)
