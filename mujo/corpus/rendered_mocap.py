"""Motion-capture files shown to a camera: the clips of a list, moved on to the open body, with pictures of it.

As with the embedded movements (`mujo.corpus.rendering`) rows say "rendered": the motion was somebody's, the video nobody's.
"""

from __future__ import annotations

import warnings
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

import imusim as im
from imusim._version import __version__
from imusim.errors import ImusimError
from mujo.corpus.clip import Clip
from mujo.corpus.embedded import PLACEMENTS
from mujo.corpus.features import ImageFeatures
from mujo.corpus.joints import heading_deg, pose_of
from mujo.corpus.make import Refused, part_of
from mujo.corpus.rendering import draw_scene, film
from mujo.corpus.sources import Job, Span, jobs
from mujo.errors import ConfigError


def clips(
    source: Path | str,
    image: ImageFeatures,
    refused: list[Refused],
    *,
    placements: Sequence[str] = PLACEMENTS,
    rate_hz: float = 50.0,
    validation: float = 0.15,
    image_fps: float = 2.0,
    side_px: int = 288,
    seed: int = 0,
) -> Iterator[Clip]:
    """Clips of the motion files that a list names.

    Parameters
    ----------
    source : a CSV ``clip,start_s,end_s,text`` as for `mujo corpus build`; videos in it are refused
    image : frozen picture features
    refused : what could not be shown is added here, with the reason; the rest goes on

    Other Parameters
    ----------------
    placements, rate_hz : of the simulated signals
    validation : share of the groups on the validation side, where the list does not say
    image_fps : pictures a second
    side_px : edge of the pictures
    seed : of views, light, clothes and backgrounds

    Yields
    ------
    Clip
        Source "rendered"; signals and pose are those of the body that is shown.

    Raises
    ------
    ConfigError
        If the list cannot be used.
    """
    for job in jobs(Path(source), validation=validation):
        whole = None
        for span in job.spans:
            try:
                whole = whole or _on_open_body(job)
                yield _shown(job, span, whole, image, placements, rate_hz, image_fps, side_px, seed)
            except ImusimError as error:
                reason = " ".join(str(error).split())[:300]
                refused.append(Refused(span.key, job.path.name, span.start_s, span.end_s, reason))


def _on_open_body(job: Job) -> im.Motion:
    if job.is_video:
        raise ConfigError("a video has pictures already: mujo corpus build is for it")
    if not job.path.is_file():
        raise ConfigError("the file is not there")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", im.errors.QualityWarning)
        motion = im.read_motion(job.path)
        body = im.open_body()
        if motion.body.joint_names == body.joint_names and getattr(motion.body, "faces", None) is not None:
            return motion
        return im.fit(motion, body=body, progress=False)


def _shown(
    job: Job, span: Span, whole: im.Motion, image: ImageFeatures, placements: Sequence[str], rate_hz: float,
    image_fps: float, side_px: int, seed: int,
) -> Clip:  # fmt: skip
    motion = part_of(whole, span.start_s, span.end_s)
    motion = replace(motion, metadata={**motion.metadata, "heading_deg": heading_deg(motion)})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", im.errors.QualityWarning)
        rec = im.simulate(motion, list(placements), rate_hz=rate_hz)
    scene = draw_scene(motion, zlib.crc32(span.key.encode()) % 2**31 + 7919 * seed, side_px)
    times = np.arange(0.25 / image_fps, float(motion.time_s[-1]), 1.0 / image_fps)
    frame = np.clip(np.searchsorted(motion.time_s, times - 1e-9), 0, len(motion.time_s) - 1)
    times = times[np.asarray(motion.valid)[frame]]
    if not times.size:
        raise ConfigError(f"no valid frame from {span.start_s:g} to {span.end_s:g} s can be shown")
    return Clip(
        key=f"rendered-{span.key}",
        rate_hz=rate_hz,
        imu=np.concatenate([rec.acc, rec.gyro], axis=2).astype(np.float32),
        placements=rec.sensors,
        pose=pose_of(motion, rec.time_s),
        video=image(list(film(motion, scene, times))).astype(np.float32),
        video_time_s=times.astype(np.float32),
        text=span.text,
        label=span.label,
        source="rendered",
        split=job.split,
        group=job.group,
        metadata={
            "file": job.path.name,
            "start_s": span.start_s,
            "imusim": __version__,
            "image_features": image.name,
            "bearing_deg": round(scene.bearing_deg, 1),
        },
    )
