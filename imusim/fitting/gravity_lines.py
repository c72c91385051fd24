"""Up from the picture's vertical lines: their vanishing point, looked for near a first guess.

A straight line in the world that is vertical and its picture span a plane through the camera that contains
the up direction v, so its unit normal n obeys ``n · v = 0`` (Hartley & Zisserman, Multiple View Geometry,
§8.6). With n of many segments, v is the direction that explains most of them: each separate line is one witness,
who is right with probability ½ (then r = asin n·v is within the tolerance) and knows nothing otherwise (then r is
anything), ``ln L(v) = Σ ln(½ + ½ exp(−r²/2τ²) √(π/2) / τ)``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from imusim.fitting.gravity_segments import TEMPER, TOLERANCE_DEG, Lines, right_angles
from imusim.types import Floats, as_floats

_FAR_DEG = 60.0  # directions further than this from the first guess are not looked at
_TILTED_DEG = 40.0  # segments further than this from the first guess are not tried as verticals
_PAIRS_OF = 70  # segments whose crossings are tried
_BEST = 12  # candidates that are refined
_FEWEST = 4
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
    guess = as_floats(guess_c, "guess_c", (3,))
    guess = guess / np.linalg.norm(guess)
    segments = as_floats(segments_px, "segments_px", (None, 4))
    if floor_px is not None:
        segments = segments[np.maximum(segments[:, 1], segments[:, 3]) < floor_px]
    lines = Lines.of(segments, image_size_px, focal_px)

    def belief(up: Floats) -> Floats:
        if log_belief is not None:
            return log_belief(up)
        return -0.5 * (np.arccos(np.clip(up @ guess, -1.0, 1.0)) / np.radians(guess_sd_deg)) ** 2

    answers = vertical_answers(lines, guess, belief)
    if not answers:
        return None
    best = answers[0]
    covariance = best.covariance_c
    for other in answers[1:]:  # answers that are nearly as probable widen the covariance
        odds = np.exp(other.score - best.score)
        off = other.up_c - (other.up_c @ best.up_c) * best.up_c
        covariance = covariance + odds / (1.0 + odds) * np.outer(off, off)
    share = float(lines.length[best.agreeing].sum() / lines.length.sum())
    count = round((lines.length / lines.whole)[best.agreeing].sum())
    return LineEstimate(best.up_c, covariance, share, count)


@dataclass(frozen=True)
class Answer:
    """One direction that lines meet in.

    Attributes
    ----------
    up_c : (3,) unit vector · camera axes
    covariance_c : (3, 3) · rad²
    agreeing : (N,) bool, lines that go through it
    score : log posterior
    """

    up_c: Floats
    covariance_c: Floats
    agreeing: NDArray[np.bool_]
    score: float


def vertical_answers(
    lines: Lines, guess_c: Floats, log_belief: Callable[[Floats], Floats], level: bool = True
) -> list[Answer]:
    """Directions that lines near `guess_c` meet in, the most probable first, none twice.

    With `level`, those that have level lines at right angles to them are preferred: rooms and streets are built so.
    """
    if len(lines.normals) < _FEWEST:
        return []
    tilted = np.abs(lines.normals @ guess_c) < np.sin(np.radians(_TILTED_DEG))
    candidates = _crossings(lines.normals[tilted][:_PAIRS_OF], guess_c)
    if len(candidates) == 0:
        return []

    def log_posterior(up: Floats) -> Floats:
        return log_belief(up) + TEMPER * (np.log(0.5 + 0.5 * lines.right(up)) @ lines.weight)

    found: list[Answer] = []
    for start in _distinct(candidates[np.argsort(-log_posterior(candidates), kind="stable")]):
        answer = refine_vertical(start, lines)
        if answer is not None:
            found.append(replace(answer, score=float(log_posterior(answer.up_c[None])[0])))
    answers: list[Answer] = []
    for answer in sorted(found, key=lambda a: -a.score):
        if all(answer.up_c @ a.up_c < np.cos(np.radians(_RIVAL_DEG)) for a in answers):
            answers.append(answer)
    if level:
        added = [float(np.logaddexp(0.0, right_angles(lines, a.up_c))) for a in answers]
        answers = [replace(a, score=a.score + more) for a, more in zip(answers, added, strict=True)]
    return sorted(answers, key=lambda a: -a.score)


def refine_vertical(up: Floats, lines: Lines) -> Answer | None:
    """Move a direction to where the lines near it meet; None if they are too few."""
    tau = np.radians(TOLERANCE_DEG)
    normals, weight = lines.normals, lines.weight
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
    return Answer(up, (axes * (tau**2 / values[1:])) @ axes.T, agreeing, 0.0)


def _crossings(normals: Floats, guess: Floats) -> Floats:
    """Directions (M, 3) in which two lines meet, those on the guess's side."""
    i, j = np.triu_indices(len(normals), 1)
    crossing = np.cross(normals[i], normals[j])
    size = np.linalg.norm(crossing, axis=1)
    crossing = crossing[size > 0.03] / size[size > 0.03, None]
    crossing *= np.sign(crossing @ guess)[:, None]
    return crossing[crossing @ guess > np.cos(np.radians(_FAR_DEG))]


def _distinct(directions: Floats) -> list[Floats]:
    """Return the first `_BEST` of directions (M, 3) that are not near an earlier one."""
    chosen: list[Floats] = []
    left = directions
    while len(left) and len(chosen) < _BEST:
        chosen.append(left[0])
        left = left[left @ left[0] < np.cos(np.radians(_RIVAL_DEG))]
    return chosen
