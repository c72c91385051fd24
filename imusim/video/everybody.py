"""Video → one PoseTrack for each person in it."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imusim.errors import ConfigError, ImusimError, NoPersonError, QualityWarning
from imusim.types import PoseTrack
from imusim.video.appearance import bounding_box
from imusim.video.cache import cache_key, read_npz, video_fingerprint, write_npz
from imusim.video.camera_turn import MOVING_SHARE, moving_note, with_turns
from imusim.video.crowd import MOST_PEOPLE, Crowd
from imusim.video.decode import DecodeCounts, VideoInfo, frames, probe
from imusim.video.estimator import LANDMARK_NAMES, Landmarks, RegionEstimator
from imusim.video.finish import put_in_order
from imusim.video.lines import Background
from imusim.video.naming import Named, name_people
from imusim.video.pipeline import MAX_SIDE, Harvest, in_thread
from imusim.video.second_look import SecondLook, check_passes
from imusim.video.shots import CameraMotion, ShotDetector
from imusim.video.upright import Upright

_ALGORITHM = 1
_LEAST_S, _LEAST_FRAMES = 0.5, 5
_GLIMPSE_S, _GLIMPSE = 1.0, 0.5  # shorter than this with less median quality than that may be a shadow
_ARRAYS = ("landmarks_m", "landmarks_px", "visibility", "quality", "switched")


def estimate_people(
    path: Path | str,
    *,
    model: str | Path = "full",
    fps: float | None = None,
    cache: Path | str | None = None,
    progress: bool = True,
    focal_px: float | None = None,
    passes: int | None = None,
    estimator: RegionEstimator | None = None,
) -> dict[str, PoseTrack]:
    """Find everybody in a video and follow each of them: `estimate_pose` for all people at once.

    Parameters
    ----------
    path : video file
    model, fps, focal_px, passes : as for `estimate_pose`; each person costs what one person costs there
    cache : file for the result; reused if video, model and settings are the same
    progress : show a bar on a terminal

    Other Parameters
    ----------------
    estimator : another `RegionEstimator` in place of BlazePose (then `model` is not used)

    Returns
    -------
    dict of PoseTrack
        By name, "person_1" … in the order of appearance, all on the video's clock. ``metadata["person"]`` says what was
        decided about who is who: ``notes``, and ``cut_s`` where the track ends because that is not known.

    Raises
    ------
    VideoError, NoPersonError, ConfigError, AssetError, MissingExtra, MissingSystemPackage, OutputError

    Warns
    -----
    QualityWarning
        Tracks that were cut, people left out, moving camera.
    """
    path = Path(path)
    info = probe(path)
    if focal_px is not None and not (np.isfinite(focal_px) and focal_px > 0):
        raise ConfigError(f"focal_px={focal_px}: wanted a positive number of pixels, or None")
    passes = check_passes(passes, info.duration_s * min(fps or np.inf, info.fps or 30.0))
    ours = estimator is None
    if estimator is None:
        from imusim.assets import sha256_of
        from imusim.video.blazepose import BlazePose
        from imusim.video.mediapipe_pose import preflight
        from imusim.video.pose_model import pose_task

        preflight()
        task = pose_task(model)
        estimator, model_id = BlazePose(task), sha256_of(task)
    elif isinstance(estimator, RegionEstimator):
        model_id = estimator.name
    else:
        raise ConfigError(
            f"{estimator!r} follows one person only: several people need a RegionEstimator, which is told where to look"
        )
    settings: dict[str, Any] = {
        "fps": fps,
        "passes": passes,
        "people": "all",
        "model": model_id,
        "algorithm": _ALGORITHM,
        "model_name": str(model) if ours else "",
        "estimator": estimator.name,
        "video": video_fingerprint(path),
    }
    key = cache_key(**settings)
    tracks: list[PoseTrack] | None = None
    try:
        if cache is not None:
            tracks = _cached(Path(cache), key)
        if tracks is None:
            tracks = _tracks(path, info, estimator, settings, progress)
            tracks = with_turns(path, tracks, focal_px or info.focal_px, fps, progress)
            if cache is not None and tracks:
                _keep(Path(cache), key, tracks)
    finally:
        if ours:
            estimator.close()  # type: ignore[attr-defined]
    if not tracks:
        raise NoPersonError(f"{path}: nobody is seen well for {_LEAST_S} s or longer.")
    _warn(tracks, path)
    focal = focal_px if focal_px is not None else info.focal_px
    return {f"person_{i}": replace(t, focal_px=focal) for i, t in enumerate(tracks, 1)}


def _tracks(
    path: Path, info: VideoInfo, estimator: RegionEstimator, settings: dict[str, Any], progress: bool
) -> list[PoseTrack]:
    """Run the loop, name the people, and put each one's landmarks in order."""
    loop = _Loop(path, info, estimator, settings, progress)
    loop.run()
    assert loop.crowd is not None or not loop.time_s
    if loop.crowd is None:
        return []
    people = name_people(loop.crowd.members, loop.crowd.meetings, len(loop.time_s))
    time_s = np.array(loop.time_s)
    step = float(np.median(np.diff(time_s))) if time_s.size > 1 else 0.0
    moving = loop.camera.moving_fraction
    common = {
        **settings,
        "video": path.name,
        "video_fingerprint": settings["video"],
        "video_fps": info.fps,
        "video_duration_s": info.duration_s,
        "rotation_deg": info.rotation_deg,
        "frames_dropped": loop.counts.out_of_order,
        "truncated": loop.counts.truncated,
        "camera_moving_fraction": moving,
        "background_lines_px": loop.lines_px if moving <= MOVING_SHARE else {},
        "people_left_out": loop.crowd.missed,
    }
    tracks = []
    for person in people:
        raw, others = loop.rows_of(person)
        changed = np.zeros(time_s.size, dtype=np.bool_)
        if tuple(estimator.landmark_names) == LANDMARK_NAMES:
            changed = put_in_order(raw, others, info.size_px)
        found = np.isfinite(raw["landmarks_px"]).all(axis=(1, 2)).sum()
        if found < _LEAST_FRAMES or found * step < _LEAST_S or _a_glimpse(raw, found * step):
            continue
        decided = {
            "notes": [[float(time_s[min(r, time_s.size - 1)]), note] for r, note in person.notes],
            "cut_s": [float(time_s[min(r, time_s.size - 1)]) for r in person.cut],
        }
        metadata = {**common, "person": decided, "sides_exchanged": np.flatnonzero(changed).tolist()}
        tracks.append(
            PoseTrack(
                **raw,
                image_size_px=info.size_px,
                landmark_names=tuple(estimator.landmark_names),
                metadata=metadata,
            )
        )
    return tracks


def _a_glimpse(raw: dict[str, Any], seen_s: float) -> bool:
    """Whether somebody is seen so briefly and so badly that it may be nobody."""
    quality = raw["quality"][np.isfinite(raw["landmarks_px"]).all(axis=(1, 2))]
    return seen_s < _GLIMPSE_S and float(np.median(quality)) < _GLIMPSE


class _Loop:
    """Decode, find shots, follow everybody; one harvest a tracker, all over the same rows."""

    def __init__(
        self,
        path: Path,
        info: VideoInfo,
        estimator: RegionEstimator,
        settings: dict[str, Any],
        progress: bool,
    ):
        self.path, self.info, self.estimator = path, info, estimator
        self.fps, self.passes, self.progress = settings["fps"], settings["passes"], progress
        self.crowd: Crowd | None = None
        self.counts, self.camera, self.shots = DecodeCounts(), CameraMotion(), ShotDetector()
        self.background = Background()
        self.lines_px: dict[str, list[list[float]]] = {}
        self.time_s: list[float] = []
        self.shot: list[int] = []
        self.harvests: list[Harvest] = []
        self.again: list[SecondLook] = []
        self.scale = 1.0

    def run(self) -> None:
        from tqdm import tqdm

        rate = min(self.fps or np.inf, self.info.fps or 30.0)
        side = MAX_SIDE if max(self.info.size_px) > MAX_SIDE else None
        source = frames(self.path, self.fps, max_side=side, counts=self.counts)
        bar = tqdm(
            total=round(self.info.duration_s * rate) or None,
            desc="people",
            unit="frame",
            disable=not (self.progress and sys.stderr.isatty()),
            leave=False,
        )
        with bar:
            for time_s, rgb in in_thread(source):
                self._take(time_s, rgb)
                bar.update(1)
        for i, again in enumerate(self.again):
            self._revise(i, again.end())
        self._end_shot()

    def _take(self, time_s: float, rgb: NDArray[np.uint8]) -> None:
        row = len(self.time_s)
        if self.crowd is None:
            size = (rgb.shape[1], rgb.shape[0])
            self.scale = size[0] / self.info.size_px[0]
            self.crowd = Crowd(self.estimator, size)
            self.upright = Upright(lambda: self.background, size)
        shot = self.shots(rgb)
        if self.shot and shot != self.shot[-1]:
            self._change_shot(shot, row)
        self.background.add(rgb)
        self.time_s.append(time_s)
        self.shot.append(shot)
        seen = self.crowd(rgb, time_s, row)
        people = [bounding_box(s.person) for s in seen if s.person is not None]
        around = np.concatenate([np.min(people, axis=0)[:2], np.max(people, axis=0)[2:]]) if people else None
        self.camera(rgb, time_s, shot, around)
        for i, found in enumerate(seen):
            if i == len(self.harvests):
                self.harvests.append(Harvest(len(self.estimator.landmark_names)))
                for t, s in zip(self.time_s[:-1], self.shot[:-1], strict=True):
                    self.harvests[i].skip(t, s)
                self.again.append(SecondLook(self.estimator, self.passes, self.upright))
            self.harvests[i].add(time_s, shot, found, self.scale)
            if found.retract:
                self.again[i].forget(row - found.retract)
            self._revise(i, self.again[i].add(row, time_s, found))

    def _change_shot(self, shot: int, row: int) -> None:
        assert self.crowd is not None
        self.crowd.new_shot(row)
        for i, again in enumerate(self.again):
            self._revise(i, again.end())
        if shot < self.shot[-1]:  # it was a flash
            for harvest in self.harvests:
                harvest.undo_cut(shot)
            self.shot = [min(s, shot) for s in self.shot]
        else:
            self._end_shot()

    def _end_shot(self) -> None:
        if self.shot:
            self.lines_px[str(self.shot[-1])] = (self.background.segments() / self.scale).round(2).tolist()
            self.background = Background()
            self.upright.new_shot()

    def _revise(self, member: int, better: Iterable[tuple[int, Landmarks]]) -> None:
        for row, person in better:
            self.harvests[member].revise(row, person, self.scale)

    def rows_of(self, person: Named) -> tuple[dict[str, Any], dict[int, NDArray[np.float32]]]:
        """Return the arrays of one person, put together from the stretches of trackers, and their other answers."""
        whole = Harvest(len(self.estimator.landmark_names))
        for t, s in zip(self.time_s, self.shot, strict=True):
            whole.skip(t, s)
        for stretch in person.stretches:
            part, rows = self.harvests[stretch.member], slice(stretch.first, stretch.last)
            whole.rows[rows], whole.quality[rows] = part.rows[rows], part.quality[rows]
            whole.switched[rows] = part.switched[rows]
            inside = range(stretch.first, stretch.last)
            whole.others |= {r: o for r, o in part.others.items() if r in inside}
        return whole.arrays(), whole.others


def _keep(path: Path, key: str, tracks: list[PoseTrack]) -> None:
    """Write all tracks to one file."""
    first = tracks[0]
    header = {
        "key": key,
        "image_size_px": list(first.image_size_px),
        "landmark_names": list(first.landmark_names),
        "metadata": [dict(t.metadata) for t in tracks],
    }
    arrays = {"time_s": first.time_s, "shot": first.shot}
    for i, track in enumerate(tracks):
        arrays |= {f"{name}_{i}": getattr(track, name) for name in _ARRAYS}
    write_npz(path, header, arrays)


def _cached(path: Path, key: str) -> list[PoseTrack] | None:
    """Return what `_keep` wrote, if it is whole and of the same key, else None."""
    try:
        header, arrays = read_npz(path)
        if header.get("key") != key:
            return None
        width, height = header["image_size_px"]
        return [
            PoseTrack(
                time_s=arrays["time_s"],
                shot=arrays["shot"],
                **{name: arrays[f"{name}_{i}"] for name in _ARRAYS},
                image_size_px=(int(width), int(height)),
                landmark_names=tuple(header["landmark_names"]),
                metadata=metadata,
            )
            for i, metadata in enumerate(header["metadata"])
        ]
    except (ImusimError, KeyError, TypeError, ValueError):
        return None


def _warn(tracks: list[PoseTrack], path: Path) -> None:
    """Say what is not known about who is who, and what was left out."""
    for i, track in enumerate(tracks, 1):
        for cut_s in track.metadata["person"]["cut_s"]:
            warnings.warn(
                QualityWarning(
                    f"{path}: person_{i} ends at {cut_s:.1f} s: they met somebody who looks like them, and nobody can "
                    "tell who went on as whom. Who comes after that has a new name."
                ),
                stacklevel=3,
            )
    if tracks[0].metadata["people_left_out"]:
        warnings.warn(
            QualityWarning(f"{path}: more than {MOST_PEOPLE} people at a time; the others were left out."),
            stacklevel=3,
        )
    note = moving_note(tracks[0])
    if note is not None:
        warnings.warn(QualityWarning(f"{path}: {note}"), stacklevel=3)
