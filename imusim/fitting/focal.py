"""The focal length: what the user says, else the file, else right angles in the picture, else what is usual."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from imusim.errors import ConfigError
from imusim.fitting.gravity import LINES_KEY
from imusim.fitting.gravity_focal import TYPICAL_LOG_SD, TYPICAL_OF_LONG_SIDE, focal_from_lines
from imusim.types import Floats, PoseTrack


@dataclass(frozen=True)
class Focal:
    """A focal length.

    Attributes
    ----------
    px : pixels
    source : "user", "metadata", "lines" or "assumed"
    log_sd : standard deviation of its logarithm; 0 if it is known
    """

    px: float
    source: str
    log_sd: float


def find_focal(track: PoseTrack, focal_px: float | None) -> Focal:
    """Return the best that is known of the focal length.

    Parameters
    ----------
    track : pose track; the file's own figure, and the lines of its background, are in it
    focal_px : what the user knows, or None

    Raises
    ------
    ConfigError
        If `focal_px` cannot be meant.
    """
    longest = max(track.image_size_px)
    if focal_px is not None:
        if not 0.2 * longest <= focal_px <= 50.0 * longest:
            raise ConfigError(
                f"focal_px={focal_px!r} cannot be meant for an image of {track.image_size_px[0]} × "
                f"{track.image_size_px[1]} pixels; wanted pixels (a phone: about 0.85 × {longest})"
            )
        return Focal(float(focal_px), "user", 0.0)
    if track.focal_px is not None:
        return Focal(float(track.focal_px), "metadata", 0.0)
    found = focal_from_lines(_segments(track), track.image_size_px)
    if found is not None and found.log_sd < TYPICAL_LOG_SD:
        return Focal(found.focal_px, "lines", found.log_sd)
    return Focal(TYPICAL_OF_LONG_SIDE * longest, "assumed", TYPICAL_LOG_SD)


def _segments(track: PoseTrack) -> Floats:
    """Straight lines of the background, (N, 4) px, of the shot that has most of them."""
    kept = track.metadata.get(LINES_KEY) or []
    shots = list(kept.values()) if isinstance(kept, Mapping) else [kept]
    return np.asarray(max(shots, key=len, default=[]), dtype=np.float64).reshape(-1, 4)
