"""The figures of a result that tell whether to trust it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from imusim.conventions import STANDARD_GRAVITY
from imusim.types import Motion, PoseTrack
from imusim.viz.style import BAD, DOUBTFUL, GOOD, INK, quality_colour

if TYPE_CHECKING:
    from imusim.recording import Recording

Figure_ = tuple[str, str, str]
"""Label, value, colour of the value."""


def quality_figures(
    recording: Recording, motion: Motion | None, track: PoseTrack | None, ideal: Recording | None
) -> list[Figure_]:
    """Return what the report says about the quality, as (label, value, colour)."""
    rows: list[Figure_] = []
    if track is not None:
        rows += _of_track(track)
    if motion is not None:
        rows += _of_motion(motion, track)
    return rows + _of_recording(ideal if ideal is not None else recording)


def _of_track(track: PoseTrack) -> list[Figure_]:
    found, total = int(track.detected.sum()), track.time_s.size
    share = found / max(total, 1)
    rows = [("person found", f"{found} of {total} frames ({share:.0%})", quality_colour(share))]
    if found:
        quality = float(np.mean(track.quality[track.detected]))
        rows.append(("pose quality", f"{quality:.2f} on average there", quality_colour(quality)))
    cuts, switches = int((np.diff(track.shot) != 0).sum()), int(track.switched.sum())
    rows.append(("shot cuts", str(cuts), INK))
    rows.append(("person switches", str(switches), BAD if switches else INK))
    moving = track.metadata.get("camera_moving_fraction")
    if isinstance(moving, (int, float)):
        turned = "camera_turn_wxyz" in track.metadata
        rows.append(
            (
                "camera moves",
                f"{moving:.0%} of the time" + (", turns taken out" if turned else ""),
                INK if moving <= 0.1 else DOUBTFUL if turned else BAD,
            )
        )
    return rows


def _of_motion(motion: Motion, track: PoseTrack | None) -> list[Figure_]:
    sd = motion.up_sd_deg
    rows: list[Figure_] = []
    if sd > 0 or track is not None:
        # a tilt by the angle a puts g·sin(a) on the wrong axes
        cost = STANDARD_GRAVITY * np.sin(np.radians(min(sd, 90.0)))
        colour = GOOD if sd <= 2 else DOUBTFUL if sd <= 5 else BAD
        rows.append(("direction of gravity", f"± {sd:.1f}° ({cost:.2f} m/s² on wrong axes)", colour))
    focal, source = _focal(motion.metadata, track)
    if focal is not None:
        colour = DOUBTFUL if source == "assumed" else INK
        camera = motion.metadata.get("camera")
        log_sd = float(camera.get("focal_log_sd", 0.0)) if isinstance(camera, Mapping) else 0.0
        doubt = f" ± {log_sd:.0%}" if log_sd > 0 else ""
        rows.append(("focal length", f"{focal:.0f} px{doubt}, {_FOCAL_SOURCE.get(source, source)}", colour))
    if motion.bandwidth_hz is not None:
        rows.append(("motion resolved", f"up to {motion.bandwidth_hz:.1f} Hz", INK))
    residual = motion.metadata.get("residual")
    if isinstance(residual, Mapping) and "rms_px" in residual and "rms_mm" in residual:
        off = float(residual["rms_mm"])
        colour = GOOD if off <= 30 else DOUBTFUL if off <= 60 else BAD
        rows.append(
            ("skeleton misses by", f"{residual['rms_px']:.1f} px, {off:.0f} mm rms in the picture", colour)
        )
    share = float(np.mean(motion.valid)) if motion.valid.size else 0.0
    rows.append(("motion known", f"{share:.0%} of {motion.time_s.size} frames", quality_colour(share)))
    stature = getattr(motion.body, "stature", None)
    if callable(stature) and motion.body.faces is not None:
        height = motion.metadata.get("height")
        source = f", {height['source']}" if isinstance(height, Mapping) and "source" in height else ""
        rows.append(("body", f"{motion.body.name}, {stature(motion.shape):.2f} m{source}", INK))
    else:
        rows.append(("body", motion.body.name, INK))
    return rows


def _of_recording(recording: Recording) -> list[Figure_]:
    norm = np.linalg.norm(recording.acc, axis=-1)
    known = np.isfinite(norm)
    if not known.any():
        return [("signals", "none: every sample is missing", BAD)]
    spread = [
        float(np.std(norm[known[:, s], s])) if known[:, s].any() else np.inf for s in range(norm.shape[1])
    ]
    still = int(np.argmin(spread))
    median = float(np.median(norm[known[:, still], still]))
    off = abs(median - STANDARD_GRAVITY)
    rows = [
        ("least moving sensor", f"{recording.sensors[still]}", INK),
        (
            "its median |f|",
            f"{median:.2f} m/s² (at rest 9.81)",
            GOOD if off < 0.5 else DOUBTFUL if off < 1.5 else BAD,
        ),
    ]
    t, s = np.unravel_index(int(np.nanargmax(norm)), norm.shape)
    peak = float(norm[t, s])
    colour = BAD if peak > 200 else DOUBTFUL if peak > 100 else INK
    rows.append(("largest |f|", f"{peak:.0f} m/s², {recording.sensors[int(s)]}", colour))
    if recording.acc_sd is not None and np.isfinite(recording.acc_sd).any():
        rows.append(("uncertainty of f", f"{float(np.nanmedian(recording.acc_sd)):.2f} m/s², median sd", INK))
    return rows


_FOCAL_SOURCE = {"user": "given", "metadata": "from the file", "lines": "from right angles"}


def _focal(metadata: Mapping[str, Any], track: PoseTrack | None) -> tuple[float | None, str]:
    """Focal length in pixels and where it comes from."""
    camera = metadata.get("camera")
    for place in (camera if isinstance(camera, Mapping) else {}, metadata):
        if isinstance(place.get("focal_px"), (int, float)):
            return float(place["focal_px"]), str(place.get("focal_source", "assumed"))
    if track is not None and track.focal_px is not None:
        return track.focal_px, "metadata"
    return None, "assumed"
