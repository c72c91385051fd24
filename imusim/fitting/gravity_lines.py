"""Up from the picture's vertical lines: their vanishing point, looked for near a first guess.

A straight line in the world that is vertical and its picture span a plane through the camera that contains
the up direction v, so its unit normal n obeys ``n · v = 0`` (Hartley & Zisserman, Multiple View Geometry,
§8.6). With n of many segments, v is the direction that explains most of them: each separate line is one witness,
who is right with probability ½ (then r = asin n·v is within the tolerance) and knows nothing otherwise (then r is
anything), ``ln L(v) = Σ ln(½ + ½ exp(−r²/2τ²) √(π/2) / τ)``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from imusim.types import Floats, as_floats

_FAR_DEG = 60.0  # directions further than this from the first guess are not looked at
_TOLERANCE_DEG = 0.7  # direction error of a segment that is long enough to be used
_SAME_DEG = 1.0  # segments whose planes are closer than this are one line
_MOST = 150  # segments that take part, the longest first
_TILTED_DEG = 40.0  # segments further than this from the first guess are not tried as verticals
_PAIRS_OF = 70  # segments whose crossings are tried
_BEST = 12  # candidates that are refined
_FULL_LENGTH = 0.12  # of the picture's longer side: shorter lines count less
_FEWEST = 4
_TEMPER = 0.5  # lines of one building are not independent witnesses
_RIVAL_DEG = 2.0  # directions further apart than this are different answers


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
    log_belief: Callable[[Floats], Floats] | None = None,
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
    log_belief : log density of directions (M, 3) by all else that is known, instead of a Gaussian around the guess

    Notes
    -----
    Candidates are the crossings of pairs; the most probable is refined by iteratively reweighted total
    least squares. A second answer that is nearly as probable widens the covariance.
    """
    segments = as_floats(segments_px, "segments_px", (None, 4))
    guess = as_floats(guess_c, "guess_c", (3,))
    guess = guess / np.linalg.norm(guess)
    if floor_px is not None:
        segments = segments[np.maximum(segments[:, 1], segments[:, 3]) < floor_px]
    normals, length = _normals(segments, image_size_px, focal_px)
    order = np.argsort(-length, kind="stable")[:_MOST]
    normals, length = normals[order], length[order]
    if len(normals) < _FEWEST:
        return None
    whole = _cluster_length(normals, length)
    weight = length / np.maximum(
        whole, _FULL_LENGTH * max(image_size_px)
    )  # a separate line has at most 1 in all

    def log_posterior(up: Floats) -> Floats:
        if log_belief is not None:
            prior = log_belief(up)
        else:
            prior = -0.5 * (np.arccos(np.clip(up @ guess, -1.0, 1.0)) / np.radians(guess_sd_deg)) ** 2
        return prior + _TEMPER * _log_likelihood(up, normals, weight)

    tilted = np.abs(normals @ guess) < np.sin(np.radians(_TILTED_DEG))
    candidates = _crossings(normals[tilted][:_PAIRS_OF], guess)
    if len(candidates) == 0:
        return None
    first = np.argsort(-log_posterior(candidates), kind="stable")[:_BEST]
    refined = [r for r in (_refine(candidates[k], normals, weight) for k in first) if r is not None]
    if not refined:
        return None
    score = log_posterior(np.array([r[0] for r in refined]))
    up, covariance, agreeing = refined[int(np.argmax(score))]
    answers = [up]
    for k in np.argsort(-score, kind="stable"):  # answers that are nearly as probable widen the covariance
        other = refined[k][0]
        if max(other @ a for a in answers) < np.cos(np.radians(_RIVAL_DEG)):
            answers.append(other)
            odds = np.exp(score[k] - score.max())
            off = other - (other @ up) * up
            covariance = covariance + odds / (1.0 + odds) * np.outer(off, off)
    lines = round((length / whole)[agreeing].sum())
    return LineEstimate(up, covariance, float(length[agreeing].sum() / length.sum()), lines)


def _refine(up: Floats, normals: Floats, weight: Floats) -> tuple[Floats, Floats, NDArray[np.bool_]] | None:
    """Direction, its covariance and the segments that agree; None if they are too few."""
    tau = np.radians(_TOLERANCE_DEG)
    values, vectors, trust = np.zeros(3), np.eye(3), weight
    for _ in range(30):
        trust = weight * np.exp(-0.5 * (normals @ up / tau) ** 2)
        values, vectors = np.linalg.eigh((normals * trust[:, None]).T @ normals)
        new = vectors[:, 0] * np.sign(vectors[:, 0] @ up)
        moved = np.linalg.norm(new - up)
        up = new
        if moved < 1e-7:
            break
    agreeing = trust > 0.3 * weight
    if weight[agreeing].sum() < _FEWEST - 1 or values[1] <= 0:
        return None
    # the weakest direction is along the lines
    axes = vectors[:, 1:]
    return up, (axes * (tau**2 / values[1:])) @ axes.T, agreeing


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


def _crossings(normals: Floats, guess: Floats) -> Floats:
    """Directions (M, 3) in which two lines meet, those on the guess's side."""
    i, j = np.triu_indices(len(normals), 1)
    crossing = np.cross(normals[i], normals[j])
    size = np.linalg.norm(crossing, axis=1)
    crossing = crossing[size > 0.03] / size[size > 0.03, None]
    crossing *= np.sign(crossing @ guess)[:, None]
    return crossing[crossing @ guess > np.cos(np.radians(_FAR_DEG))]


def _log_likelihood(up: Floats, normals: Floats, weight: Floats) -> Floats:
    """Of directions (M, 3)."""
    tau = np.radians(_TOLERANCE_DEG)
    return (
        np.log(0.5 + 0.5 * np.sqrt(np.pi / 2) / tau * np.exp(-0.5 * ((up @ normals.T) / tau) ** 2)) @ weight
    )


def _cluster_length(normals: Floats, length: Floats) -> Floats:
    """For each segment, the summed length (N,) of the segments of the same line."""
    total = np.zeros(len(normals))
    free = np.ones(len(normals), dtype=np.bool_)
    for i in range(len(normals)):
        if free[i]:
            same = free & (np.abs(normals @ normals[i]) >= np.cos(np.radians(_SAME_DEG)))
            total[same] = length[same].sum()
            free &= ~same
    return total
