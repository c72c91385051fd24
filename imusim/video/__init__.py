"""Video → PoseTrack: decoding, shots, the person, landmarks."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from imusim.assets import sha256_of
from imusim.errors import ConfigError, ImusimError, NoPersonError, QualityWarning
from imusim.types import PoseTrack
from imusim.video.cache import (
    cache_key,
    cached_track,
    load_track,
    read_npz,
    save_track,
    video_fingerprint,
    write_npz,
)
from imusim.video.camera_turn import MOVING_SHARE, moving_note, with_turns
from imusim.video.decode import DecodeCounts, VideoInfo, frames, probe
from imusim.video.estimator import LANDMARK_NAMES, Landmarks, PoseEstimator, RegionEstimator
from imusim.video.everybody import estimate_people
from imusim.video.finish import put_in_order
from imusim.video.people import PersonChoice, parse_person
from imusim.video.pipeline import Harvest, run
from imusim.video.second_look import check_passes

__all__ = [
    "LANDMARK_NAMES",
    "Landmarks",
    "PoseEstimator",
    "VideoInfo",
    "estimate_people",
    "estimate_pose",
    "frames",
    "load_track",
    "probe",
    "save_track",
]

_ALGORITHM = 4  # raise it when the same settings give another track
_LEAST_S = 0.5


def estimate_pose(
    path: Path | str,
    *,
    model: str | Path = "full",
    fps: float | None = None,
    person: str = "largest",
    cache: Path | str | None = None,
    progress: bool = True,
    focal_px: float | None = None,
    passes: int | None = None,
    estimator: PoseEstimator | None = None,
    spans_s: Sequence[tuple[float, float]] | None = None,
) -> PoseTrack:
    """Find one person in a video and follow them: 33 landmarks a frame, in metres and in pixels.

    Parameters
    ----------
    path : video file
    model : "lite", "full" or "heavy" BlazePose, or the path of a `.task` bundle
    fps : look at no more than this many frames a second; None: at all
    person : "largest", "centre", or a box "x,y,w,h" in pixels of the upright picture (fractions if no value
        exceeds 1): the first person who appears in it is followed. "@seconds" behind it starts later.
    cache : file for the result; reused if video, model and settings are the same. An interrupted run of a long
        video goes on from its last checkpoint (2000 frames apart at first).
    progress : show a bar on a terminal
    focal_px : focal length in pixels; None: what the file says, if anything
    passes : how often the network looks at each frame once it is known where, 1 to 16; more are steadier and take
        longer. None: 4 times, in videos of over 3,600 frames twice

    Other Parameters
    ----------------
    estimator : another `PoseEstimator` in place of MediaPipe's (then `model` is not used)
    spans_s : look for the person only in these (start, end) · s; other frames are decoded and have nobody

    Returns
    -------
    PoseTrack
        Camera axes (x right, y down, z away); NaN where the person was not found; `shot` counts up at cuts.

    Raises
    ------
    VideoError, NoPersonError, ConfigError, AssetError, MissingExtra, MissingSystemPackage, OutputError

    Warns
    -----
    QualityWarning
        Moving camera, person switches, file ends early.
    """
    path = Path(path)
    info = probe(path)
    if focal_px is not None and not (np.isfinite(focal_px) and focal_px > 0):
        raise ConfigError(f"focal_px={focal_px}: wanted a positive number of pixels, or None")
    choice = parse_person(person, info.size_px)
    passes = check_passes(passes, info.duration_s * min(fps or np.inf, info.fps or 30.0))
    ours = estimator is None
    if estimator is None:
        from imusim.video.blazepose import BlazePose
        from imusim.video.mediapipe_pose import preflight
        from imusim.video.pose_model import pose_task

        preflight()
        task = pose_task(model)
        estimator = BlazePose(task)
        model_id = sha256_of(task)
    else:
        model_id = estimator.name
    settings: dict[str, Any] = {
        "fps": fps,
        "passes": passes if isinstance(estimator, RegionEstimator) else 1,
        "person": asdict(choice),
        "model": model_id,
        "algorithm": _ALGORITHM,
    }
    settings |= {
        "model_name": str(model) if ours else "",
        "estimator": estimator.name,
        "video": video_fingerprint(path),
    }
    if spans_s is not None:
        spans_s = _checked_spans(spans_s)
        settings["spans_s"] = [list(s) for s in spans_s]
    key = cache_key(**settings)
    cache = Path(cache) if cache is not None else None
    try:
        track = cached_track(cache, key) if cache is not None else None
        if track is None:
            track = _track(
                path, info, estimator, choice, settings=settings, cache=cache, key=key, progress=progress
            )
            track = with_turns(path, [track], focal_px or info.focal_px, fps, progress)[0]
            if cache is not None and track.detected.any():
                save_track(cache, track, key=key)
                _part(cache).unlink(missing_ok=True)
    finally:
        if ours:
            estimator.close()  # type: ignore[attr-defined]
    _check(track, path)
    focal = focal_px if focal_px is not None else info.focal_px
    return replace(track, focal_px=focal)


def _track(
    path: Path,
    info: VideoInfo,
    estimator: PoseEstimator,
    choice: PersonChoice,
    *,
    settings: dict[str, Any],
    cache: Path | None,
    key: str,
    progress: bool,
) -> PoseTrack:
    """Run the loop and put its harvest in order."""
    harvest = _resumed(cache, key, estimator)
    resumed_s = harvest.time_s[-1] if harvest.time_s else None
    counts = DecodeCounts()

    def keep(so_far: Harvest, until: int | None) -> None:
        if cache is not None:
            write_npz(_part(cache), {"key": key, "lines_px": so_far.lines_px}, so_far.checkpoint(until))

    camera = run(
        path,
        info,
        estimator,
        choice,
        fps=settings["fps"],
        passes=settings["passes"],
        progress=progress,
        harvest=harvest,
        counts=counts,
        checkpoint=keep,
        spans_s=settings.get("spans_s"),
    )
    raw: dict[str, Any] = harvest.arrays()
    names = tuple(estimator.landmark_names)
    changed = np.zeros(raw["time_s"].size, dtype=np.bool_)
    if names == LANDMARK_NAMES:
        changed = put_in_order(raw, harvest.others, info.size_px)
    metadata = {
        "estimator": estimator.name,
        **settings,
        "video": path.name,
        "video_fingerprint": settings["video"],
        "video_fps": info.fps,
        "video_duration_s": info.duration_s,
        "rotation_deg": info.rotation_deg,
        "frames_dropped": counts.out_of_order,
        "truncated": counts.truncated,
        "camera_moving_fraction": camera.moving_fraction,
        "background_lines_px": harvest.lines_px if camera.moving_fraction <= MOVING_SHARE else {},
        "sides_exchanged": np.flatnonzero(changed).tolist(),
        "resumed_at_s": resumed_s,
    }
    return PoseTrack(**raw, image_size_px=info.size_px, landmark_names=names, metadata=metadata)


def _checked_spans(spans_s: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    spans = [(float(a), float(b)) for a, b in spans_s]
    if not spans or not all(0.0 <= a < b for a, b in spans):
        raise ConfigError(
            f"spans_s={spans}: wanted one or more (start, end) in s, each with 0 <= start < end"
        )
    return spans


def _part(cache: Path) -> Path:
    return cache.with_name(f".{cache.name}.part")


def _resumed(cache: Path | None, key: str, estimator: PoseEstimator) -> Harvest:
    """What an interrupted run of the same key left, or an empty harvest."""
    harvest = Harvest(len(estimator.landmark_names))
    if cache is None or not _part(cache).is_file():
        return harvest
    try:
        header, arrays = read_npz(_part(cache))
    except ImusimError:
        return harvest
    if header.get("key") != key:
        return harvest
    harvest.restore(arrays, header.get("lines_px", {}))
    return harvest


def _check(track: PoseTrack, path: Path) -> None:
    """Refuse a track without a person, warn about what should be trusted less."""
    found = track.detected
    step = float(np.median(np.diff(track.time_s))) if track.time_s.size > 1 else 0.0
    seen_s = float(found.sum()) * step
    if not found.any():
        raise NoPersonError(
            f"{path}: no person was found in {track.time_s.size} frames. Is somebody seen from head to foot? "
            'Point at them with person="x,y,w,h" (a box around them where they first appear).'
        )
    if seen_s < _LEAST_S or found.sum() < 5:
        raise NoPersonError(
            f"{path}: a person is seen for {seen_s:.2f} s only; at least {_LEAST_S} s are needed."
        )
    note = moving_note(track)
    if note is not None:
        warnings.warn(QualityWarning(f"{path}: {note}"), stacklevel=3)
    if track.switched.any():
        times = ", ".join(f"{t:.1f}" for t in track.time_s[track.switched][:5])
        warnings.warn(
            QualityWarning(
                f"{path}: the track may have changed to another person at {times} s. "
                'Look at the report, or choose with person="x,y,w,h".'
            ),
            stacklevel=3,
        )
