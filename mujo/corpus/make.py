"""One file → clips: pose in the spans, body in motion, IMU at the placements, frozen features."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

import imusim as im
from imusim._version import __version__
from imusim.errors import ImusimError, OutputError
from mujo.corpus.clip import Clip
from mujo.corpus.embedded import PLACEMENTS
from mujo.corpus.features import ImageFeatures, TextFeatures
from mujo.corpus.joints import pose_of
from mujo.corpus.sources import Job, Span
from mujo.errors import ConfigError

_LEAST_S = 1.5
_LEAST_SEEN = 0.5


@dataclass(frozen=True)
class Settings:
    """How clips are made; stored with the corpus, and the same for all of it.

    Parameters
    ----------
    placements : S names
    rate_hz : of imu and pose
    pose_model : "lite", "full", "heavy", or a `.task` bundle
    pose_fps : frames a second that the pose is estimated in, at most
    height_m : the people's height, if known
    text_features, image_features : see `mujo.corpus.features.find_text`, `find_image`; "none" for none
    image_fps : frames a second whose features are kept
    """

    placements: tuple[str, ...] = PLACEMENTS
    rate_hz: float = 50.0
    pose_model: str = "full"
    pose_fps: float = 30.0
    height_m: float | None = None
    text_features: str = "minilm"
    image_features: str = "efficientnet-lite0"
    image_fps: float = 2.0

    def __post_init__(self) -> None:
        known = im.placements()
        if unknown := [p for p in self.placements if p not in known]:
            raise im.errors.unknown_name("placement", unknown[0], known)
        if not (self.rate_hz > 0 and self.pose_fps > 0 and self.image_fps > 0):
            raise ConfigError("rate_hz, pose_fps and image_fps: wanted positive numbers")

    def as_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        return {**asdict(self), "placements": list(self.placements)}


@dataclass(frozen=True)
class Refused:
    """A clip that could not be made, and why: a row of quarantine.csv."""

    key: str
    file: str
    start_s: float
    end_s: float
    reason: str


class Maker:
    """Makes clips of jobs; keeps the networks between them.

    Parameters
    ----------
    settings : how
    """

    def __init__(self, settings: Settings) -> None:
        from mujo.corpus.features import find_image, find_text

        self.settings = settings
        self._text: TextFeatures | None = find_text(settings.text_features)
        self._image: ImageFeatures | None = find_image(settings.image_features)

    def __call__(self, job: Job) -> tuple[list[Clip], list[Refused]]:
        """Make the clips of one file; what cannot be made is refused with its reason, and the rest goes on.

        Raises
        ------
        OutputError
            If a file cannot be written: that is no fault of the video's.
        """
        refused: list[Refused] = []
        spans: list[Span] = []
        for span in job.spans:
            if not job.path.is_file():
                refused.append(_refuse(job, span, "the file is not there"))
            elif not (math.isfinite(span.start_s) and 0 <= span.start_s < span.end_s):
                refused.append(
                    _refuse(job, span, f"from {span.start_s} to {span.end_s} s is no stretch of time")
                )
            elif span.end_s - span.start_s < _LEAST_S:
                refused.append(_refuse(job, span, f"shorter than {_LEAST_S:g} s"))
            else:
                spans.append(span)
        if not spans:
            return [], refused
        clips: list[Clip] = []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", im.errors.QualityWarning)
            try:
                whole = self._track(job, spans) if job.is_video else im.read_motion(job.path)
            except OutputError:
                raise
            except Exception as error:
                return [], refused + [_refuse(job, s, _say(error)) for s in spans]
            for span in spans:
                try:
                    clips.append(self._clip(job, span, whole))
                except OutputError:
                    raise
                except Exception as error:
                    refused.append(_refuse(job, span, _say(error)))
        return clips, refused

    def _track(self, job: Job, spans: Sequence[Span]) -> im.PoseTrack:
        return im.estimate_pose(
            job.path,
            model=self.settings.pose_model,
            fps=self.settings.pose_fps,
            progress=False,
            spans_s=[(s.start_s, s.end_s) for s in spans],
        )

    def _clip(self, job: Job, span: Span, whole: im.PoseTrack | im.Motion) -> Clip:
        s = self.settings
        part = part_of(whole, span.start_s, span.end_s)
        notes: dict[str, Any] = {"file": job.path.name, "start_s": span.start_s, "imusim": __version__}
        if isinstance(part, im.PoseTrack):
            seen = float(part.detected.mean()) if part.time_s.size else 0.0
            if seen < _LEAST_SEEN:
                raise ConfigError(f"a person is seen in {seen:.0%} of the frames, wanted {_LEAST_SEEN:.0%}")
            motion = im.fit(part, height_m=s.height_m, progress=False)
            notes |= {"seen": round(seen, 3), "bandwidth_hz": motion.bandwidth_hz, "pose_model": s.pose_model}
        else:
            motion = part
        rec = im.simulate(motion, list(s.placements), rate_hz=s.rate_hz)
        imu = np.concatenate([rec.acc, rec.gyro], axis=2).astype(np.float32)
        if len(imu) < _LEAST_S * s.rate_hz:
            raise ConfigError(f"{len(imu) / s.rate_hz:.2f} s are there, wanted {_LEAST_S:g} s or more")
        if (known := float(np.isfinite(imu).all(axis=(1, 2)).mean())) < _LEAST_SEEN:
            raise ConfigError(f"{known:.0%} of the clip could be simulated, wanted {_LEAST_SEEN:.0%}")
        video = when = None
        if job.is_video and self._image is not None:
            video, when = self._frames(job, span, self._image)
        return Clip(
            key=span.key,
            rate_hz=s.rate_hz,
            imu=imu,
            placements=rec.sensors,
            pose=pose_of(motion, rec.time_s) if len(motion.body.joint_names) == 24 else None,
            video=video,
            video_time_s=when,
            text=span.text,
            text_features=self._text(span.text) if span.text and self._text is not None else None,
            label=span.label,
            source="video" if job.is_video else "mocap",
            split=job.split,
            group=job.group,
            metadata=notes,
        )

    def _frames(self, job: Job, span: Span, image: ImageFeatures) -> tuple[Any, Any]:
        from imusim.video import probe
        from imusim.viz.frames import frames_at

        end = min(span.end_s, probe(job.path).duration_s or span.end_s)
        times = np.arange(span.start_s + 0.25 / self.settings.image_fps, end, 1.0 / self.settings.image_fps)
        found = [(t, rgb) for t, rgb in frames_at(job.path, times.tolist(), max_side=360) if t <= end + 1.0]
        if not found:
            return None, None
        features = image([rgb for _, rgb in found]).astype(np.float32)
        return features, np.array([t - span.start_s for t, _ in found], dtype=np.float32)


def part_of(whole: im.PoseTrack | im.Motion, start_s: float, end_s: float) -> Any:
    """The frames of a track or motion from start to end · s (from its beginning), on a clock that starts at zero."""
    t = whole.time_s - (whole.time_s[0] if isinstance(whole, im.Motion) else 0.0)
    keep = (t >= start_s - 1e-9) & (t <= end_s + 1e-9)
    if keep.sum() < 5:
        raise ConfigError(f"from {start_s:g} to {end_s:g} s there are {int(keep.sum())} frames")
    changes: dict[str, Any] = {"time_s": t[keep] - t[keep][0]}
    per_frame = (
        ("landmarks_m", "landmarks_px", "visibility", "shot", "quality", "switched")
        if isinstance(whole, im.PoseTrack)
        else (
            "root_position_m",
            "joint_rotation_wxyz",
            "shot",
            "valid",
            "confidence",
            "rotation_sd_rad",
            "root_sd_m",
        )
    )
    for name in per_frame:
        value = getattr(whole, name)
        if value is not None:
            changes[name] = np.ascontiguousarray(value[keep])
    if isinstance(whole, im.PoseTrack):  # frame numbers no longer mean what they did
        first, last = int(np.argmax(keep)), int(len(keep) - np.argmax(keep[::-1]))
        exchanged = [int(i) - first for i in whole.metadata.get("sides_exchanged", []) if first <= i < last]
        changes["metadata"] = {**whole.metadata, "sides_exchanged": exchanged}
    return replace(whole, **changes)


def _refuse(job: Job, span: Span, reason: str) -> Refused:
    return Refused(span.key, job.path.name, span.start_s, span.end_s, reason)


def _say(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return (text if isinstance(error, ImusimError) else f"{type(error).__name__}: {text}")[:300]
