"""One clip of the corpus: what was seen, said, moved and measured, on one clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mujo.errors import ShapeError

SOURCES = ("embedded", "rendered", "video", "mocap")
SPLITS = ("train", "validation")
Array = NDArray[np.float32]


@dataclass(frozen=True)
class Clip:
    """A clip; any modality may be missing.

    Parameters
    ----------
    key : unique name, safe as a file name
    rate_hz : of `imu` and `pose` · Hz
    imu : (T, S, 6) float32 · ideal specific force m/s², angular rate rad/s · axes of the placement; NaN in gaps
    placements : S names of `imusim.placements()`

    Other Parameters
    ----------------
    pose : (T, J, 3) float32 · m · z up, root joint at the origin, heading of the first frame along +y; or None
    video : (F, D) float32, frozen features of F frames; or None
    video_time_s : (F,) · s from the clip's start; or None
    text : phrasings of what is done; empty if nothing is said
    text_features : (P, D) float32, frozen features of the P phrasings; or None
    label : name of the movement (a chapter's normalised title), "" if unknown
    source : "embedded" (key poses played on the open body), "rendered" (video of a made motion), "video" or "mocap"
    split : "train" or "validation"; whole groups go to one side
    group : what must not be on both sides (the video's id, the wearer)
    metadata : how it was made: seed, versions, settings
    """

    key: str
    rate_hz: float
    imu: Array
    placements: tuple[str, ...]
    pose: Array | None = None
    video: Array | None = None
    video_time_s: Array | None = None
    text: tuple[str, ...] = ()
    text_features: Array | None = None
    label: str = ""
    source: str = "embedded"
    split: str = "train"
    group: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.imu.ndim != 3 or self.imu.shape[1:] != (len(self.placements), 6):
            raise ShapeError(
                f"clip {self.key}: imu has shape {self.imu.shape}, wanted (T, {len(self.placements)}, 6)"
            )
        for name, count in (("pose", len(self.imu)), ("text_features", len(self.text))):
            value = getattr(self, name)
            if value is not None and len(value) != count:
                raise ShapeError(f"clip {self.key}: {name} has {len(value)} rows, wanted {count}")
        if (self.video is None) != (self.video_time_s is None):
            raise ShapeError(f"clip {self.key}: video features and their times go together")
        frames, times = (0 if v is None else len(v) for v in (self.video, self.video_time_s))
        if frames != times:
            raise ShapeError(f"clip {self.key}: {frames} video features, {times} times")
        if self.source not in SOURCES or self.split not in SPLITS:
            raise ShapeError(
                f"clip {self.key}: source {self.source!r}, split {self.split!r}: wanted one of {SOURCES}, {SPLITS}"
            )

    @property
    def duration_s(self) -> float:
        """Length · s."""
        return len(self.imu) / self.rate_hz
