"""A file becomes a folder: video or motion file → pose → fit → IMU → recordings, motion and a picture."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from imusim.errors import QualityWarning, UnknownNameError
from imusim.export.folder import folder_for, publish
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
from imusim.recording import Recording
from imusim.streamed import is_long, write_streamed
from imusim.types import Motion, PoseTrack

_LIMBS = tuple(f"{side}_{j}" for side in ("left", "right") for j in ("shoulder", "elbow", "hip", "knee"))


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
    pose: PoseOptions = POSE,
    fit: FitOptions = FIT,
    sensors: SensorOptions = SENSORS,
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
        return finish(
            partial, folder, motion, source=source, track=track, sensors=sensors, formats=formats, report=report,
            seconds=seconds, said=said,
        )  # fmt: skip


def finish(
    partial: Path,
    folder: Path,
    motion: Motion,
    *,
    source: Path,
    track: PoseTrack | None,
    sensors: SensorOptions,
    formats: Sequence[str],
    report: bool,
    seconds: dict[str, float],
    said: list[str],
) -> Result:
    """Simulate, write into `partial`, draw, and publish in `folder`.

    Parameters
    ----------
    partial, folder : hidden folder of `folder_for`, and the one that it is in
    motion : what the person did
    source : the video or motion file that says so
    track : landmarks, if it was a video
    sensors, formats, report : as for `simulate_file`
    seconds : takes how long each step took
    said : warnings so far, for the picture
    """
    from imusim.motion_io import save_motion

    with timed(seconds, "simulate"), _hinting_at_skeletons(motion, source):
        if streamed := is_long(motion, sensors, formats):
            recordings = write_streamed(partial, motion, sensors)
        else:
            recordings = _simulate(motion, sensors)
    with timed(seconds, "export"):
        if not streamed:
            _export(partial, recordings, formats, "coremotion" if sensors.axes == "coremotion" else "si")
        save_motion(partial / "motion.npz", motion)
    if report:
        with timed(seconds, "report"):
            _report(
                partial / "report.png", source if track is not None else None, track, motion, recordings, said
            )
    return Result(folder, publish(partial, folder), seconds, tuple(said))


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


@contextmanager
def _hinting_at_skeletons(motion: Motion, source: Path) -> Iterator[None]:
    """Say of an unknown place, if the body has no skin, that it would be known on one."""
    try:
        yield
    except UnknownNameError as error:
        if motion.body.weights is not None:
            raise
        raise UnknownNameError(
            f"{error} {source.name} is a bare skeleton: --height-m (or --body) moves it on to a body that has every place."
        ) from None


def _simulate(motion: Motion, options: SensorOptions) -> dict[str, Recording]:
    """Recordings by file stem: the sensor's ("imu") and, unless the sensor is ideal, perfect ones ("ideal")."""
    from imusim.sensor import find
    from imusim.simulation import simulate

    ideal = simulate(
        motion,
        options.placements,
        sensor="ideal",
        rate_hz=options.rate_hz,
        seed=options.seed,
        axes=options.axes,
        smoothing=options.smoothing,
    )
    sensor = find(options.sensor)
    return (
        {"imu": sensor.measure(ideal, seed=options.seed), "ideal": ideal} if sensor.terms else {"imu": ideal}
    )


def _export(partial: Path, recordings: dict[str, Recording], formats: Sequence[str], convention: str) -> None:
    for stem, recording in recordings.items():
        for suffix in formats:
            recording.save(partial / f"{stem}.{suffix}", convention=convention)


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
        if issubclass(category, QualityWarning):
            if str(message) in said:
                return
            said.append(str(message))
        show(message, category, *rest, **more)  # type: ignore[arg-type]

    with warnings.catch_warnings():
        warnings.simplefilter("always", QualityWarning)
        warnings.showwarning = collect
        yield said
