"""Focal length from the picture's lines: rooms and streets have right angles.

Vertical lines meet in one vanishing point, level lines in others, and if level lines run in two directions at
right angles, as walls and furniture do, directions stay at right angles for one focal length only: for vanishing
points a, b of directions at right angles, ``f² = −(a − c)·(b − c)``, c the middle of the picture (Caprile & Torre,
1990; "Manhattan world": Coughlan & Yuille, 1999). Each line is a witness for one of the three directions, or for
none; the likelihood of f is summed over the level directions' heading and the candidates for up.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from imusim.fitting.gravity_lines import refine_vertical, vertical_answers
from imusim.fitting.gravity_segments import TEMPER, Lines, right_angles
from imusim.fitting.gravity_tilt import log_prior, up_from_tilt
from imusim.types import as_floats

TYPICAL_OF_LONG_SIDE = 0.85
"""Focal length over the longer side of the picture: 24 to 28 mm equivalent main cameras of phones, stabilised."""

TYPICAL_LOG_SD = 0.15
"""Standard deviation of its logarithm among phones, webcams and zoomed lenses, roughly."""

_RANGE = (0.5, 2.0)  # of the longer side
_STEP = 0.05  # of ln f
_ANSWERS = 3  # candidates for up
_HOPELESS = 6.0  # nats behind the first
_EVIDENCE = 8.0  # nats; clutter reaches 2, a room or a street 20 to 40
_LOG_SD_FLOOR = 0.04  # the optical axis is not quite in the middle, and lenses distort


@dataclass(frozen=True)
class FocalEstimate:
    """Focal length by lines at right angles.

    Attributes
    ----------
    focal_px : focal length · px
    log_sd : standard deviation of its logarithm
    evidence : log likelihood that lines at right angles add to verticals and clutter
    """

    focal_px: float
    log_sd: float
    evidence: float


def focal_from_lines(segments_px: ArrayLike, image_size_px: tuple[int, int]) -> FocalEstimate | None:
    """Estimate the focal length from the lines of the background; None if they do not tell.

    Parameters
    ----------
    segments_px : (N, 4) x0, y0, x1, y1 · px of the upright image, `imusim.video.lines.Background.segments`
    image_size_px : (width, height)
    """
    segments = as_floats(segments_px, "segments_px", (None, 4))
    longest = max(image_size_px)
    middle = TYPICAL_OF_LONG_SIDE * longest
    at_middle = Lines.of(segments, image_size_px, middle)
    first = vertical_answers(at_middle, up_from_tilt(5.0, 0.0), log_prior, level=False)
    if not first:
        return None
    first = [a for a in first[:_ANSWERS] if a.score > first[0].score - _HOPELESS]
    log_focal = np.arange(np.log(_RANGE[0] * longest), np.log(_RANGE[1] * longest), _STEP)
    score = np.full(log_focal.size, -np.inf)
    evidence = np.full(log_focal.size, -np.inf)
    for k, focal in enumerate(np.exp(log_focal)):
        lines = at_middle.at_focal(segments, image_size_px, float(focal))
        for answer in first:
            up = answer.up_c * [1.0, 1.0, focal / middle]  # the same vanishing point in the picture
            vertical = refine_vertical(up / np.linalg.norm(up), lines)
            if vertical is not None:
                belief = float(log_prior(vertical.up_c[None])[0])
                added = right_angles(lines, vertical.up_c)
                alone = TEMPER * float(np.log(0.8 + 0.2 * lines.right(vertical.up_c[None]))[0] @ lines.weight)
                score[k] = np.logaddexp(score[k], belief + alone + added)
                evidence[k] = max(evidence[k], added)
    if not np.isfinite(score).any():
        return None
    usual = -2.5 * np.log1p(((log_focal - np.log(middle)) / (2 * TYPICAL_LOG_SD)) ** 2 / 4.0)
    weight = np.exp(score + usual - (score + usual).max())
    weight /= weight.sum()
    mean = float(weight @ log_focal)
    spread = float(np.sqrt(weight @ (log_focal - mean) ** 2))
    seen = float(evidence[np.argmax(score + usual)])
    if seen < _EVIDENCE:
        return None
    return FocalEstimate(float(np.exp(mean)), float(np.hypot(spread, _LOG_SD_FLOOR)), seen)
