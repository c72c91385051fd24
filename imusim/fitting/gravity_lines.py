"""Up from the picture's vertical lines: their vanishing point, looked for near a first guess.

A straight line in the world that is vertical and its picture span a plane through the camera that contains
the up direction v, so its unit normal n obeys ``n · v = 0`` (Hartley & Zisserman, Multiple View Geometry,
§8.6). With n of many segments, v is the direction that most of their length agrees on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from imusim.types import Floats, as_floats

_GATE_DEG = 20.0  # a segment further than this from the first guess is not called vertical
_TOLERANCE_DEG = 0.7  # direction error of a segment that is long enough to be used
_MOST = 150  # segments that take part, the longest first


@dataclass(frozen=True)
class LineEstimate:
    """Up direction by vertical lines.

    Attributes
    ----------
    up_c : (3,) unit vector · camera axes (x right, y down, z away)
    covariance_c : (3, 3) · rad², of small rotations of `up_c`, at the focal length that was given
    support : share, 0 … 1, of the candidates' length that agrees
    lines : number of separate lines that agree (segments of one line count once)
    """

    up_c: Floats
    covariance_c: Floats
    support: float
    lines: int


def up_from_lines(
    segments_px: ArrayLike,
    image_size_px: tuple[int, int],
    focal_px: float,
    guess_c: ArrayLike,
    guess_sd_deg: float = 8.0,
    floor_px: float | None = None,
) -> LineEstimate | None:
    """Return the up direction that the vertical lines of the background agree on, or None if too few do.

    Parameters
    ----------
    segments_px : (N, 4) x0, y0, x1, y1 · pixels
    image_size_px : (width, height)
    focal_px : focal length · pixels
    guess_c : (3,) first guess of up · camera axes

    Other Parameters
    ----------------
    guess_sd_deg : how good the guess is, degrees (one standard deviation of its angle)
    floor_px : row below which lines are taken to lie on the floor and left out · pixels

    Notes
    -----
    The score of a direction is the agreeing length, ``Σ L exp(−r²/2τ²)`` with r the angle between line and
    direction, times a Gaussian around the guess; candidates are the crossings of all pairs; the best is
    refined by iteratively reweighted total least squares.
    """
    lines = as_floats(segments_px, "segments_px", (None, 4))
    guess = as_floats(guess_c, "guess_c", (3,))
    guess = guess / np.linalg.norm(guess)
    if floor_px is not None:
        lines = lines[np.maximum(lines[:, 1], lines[:, 3]) < floor_px]
    normals, length = _normals(lines, image_size_px, focal_px)
    near = np.abs(normals @ guess) < np.sin(np.radians(_GATE_DEG))
    normals, length = normals[near][:_MOST], length[near][:_MOST]
    if len(normals) < 4:
        return None
    up = _best_crossing(normals, length, guess, np.radians(guess_sd_deg))
    if up is None:
        return None
    tau = np.radians(_TOLERANCE_DEG)
    weight = length
    for _ in range(30):
        weight = length * np.exp(-0.5 * (normals @ up / tau) ** 2)
        values, vectors = np.linalg.eigh((normals * weight[:, None]).T @ normals)
        new = vectors[:, 0] * np.sign(vectors[:, 0] @ up)
        if np.linalg.norm(new - up) < 1e-9:
            break
        up = new
    agreeing = weight > 0.3 * length
    count = _separate_lines(normals[agreeing])
    if count < 4 or up @ guess < np.cos(np.radians(_GATE_DEG)):
        return None
    # Each separate line counts once, with its share of the weight; the weakest direction is along the lines.
    information = values / weight.sum() * count / tau**2
    if information[1] <= 0:
        return None
    axes = vectors[:, 1:]
    covariance = (axes / np.maximum(information[1:], 1e-12)) @ axes.T
    return LineEstimate(up, covariance, float(weight.sum() / length.sum()), count)


def _normals(lines: Floats, size: tuple[int, int], focal_px: float) -> tuple[Floats, Floats]:
    """Unit normals (N, 3) of the planes through the camera and each segment, and segment lengths (N,) px."""
    centre = np.array([size[0] / 2, size[1] / 2])
    rays = np.ones((len(lines), 2, 3))
    rays[:, 0, :2] = (lines[:, :2] - centre) / focal_px
    rays[:, 1, :2] = (lines[:, 2:] - centre) / focal_px
    normals = np.cross(rays[:, 0], rays[:, 1])
    return normals / np.linalg.norm(normals, axis=1, keepdims=True), np.hypot(
        *(lines[:, 2:] - lines[:, :2]).T
    )


def _best_crossing(normals: Floats, length: Floats, guess: Floats, guess_sd: float) -> Floats | None:
    """The crossing of two lines that scores best, or None."""
    i, j = np.triu_indices(len(normals), 1)
    crossing = np.cross(normals[i], normals[j])
    size = np.linalg.norm(crossing, axis=1)
    crossing = crossing[size > 0.03] / size[size > 0.03, None]
    crossing *= np.sign(crossing @ guess)[:, None]
    angle = np.arccos(np.clip(crossing @ guess, -1, 1))
    keep = angle < np.radians(_GATE_DEG)
    crossing, angle = crossing[keep], angle[keep]
    if len(crossing) == 0:
        return None
    agree = np.exp(-0.5 * ((crossing @ normals.T) / np.radians(_TOLERANCE_DEG)) ** 2) @ length
    return crossing[np.argmax(agree * np.exp(-0.5 * (angle / guess_sd) ** 2))]


def _separate_lines(normals: Floats) -> int:
    """How many different lines there are: segments whose planes are within 1° of each other are one line."""
    left = normals
    count = 0
    while len(left):
        left = left[np.abs(left @ left[0]) < np.cos(np.radians(1.0))]
        count += 1
    return count
