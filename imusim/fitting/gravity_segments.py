"""Line segments as planes through the camera, and how well directions explain them.

A straight line in the world and its picture span a plane through the camera; a direction v that the line runs in lies
in that plane, so the plane's unit normal n obeys ``n · v = 0``. Each separate line is one witness, who is right
with some probability (then r = asin n·v is within the tolerance τ) and knows nothing otherwise (then r is
anything): the ratio of the two densities is ``√(π/2)/τ · exp(−r²/2τ²)``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from imusim.types import Floats

TOLERANCE_DEG = 0.7
"""Direction error of a segment that is long enough to be used."""

TEMPER = 0.5
"""Exponent of the likelihood: the lines of one building are not independent witnesses."""

_SAME_DEG = 1.0  # segments whose planes are closer than this are one line
_MOST = 150  # segments that take part, the longest first
_FULL_LENGTH = 0.12  # of the picture's longer side: shorter lines count less
_HEADING_DEG = 0.5


@dataclass(frozen=True)
class Lines:
    """Segments as planes through the camera.

    Attributes
    ----------
    normals : (N, 3) unit normals · camera axes
    length : (N,) px, longest first
    whole : (N,) px, length of all segments of the same line
    weight : (N,) share of a witness that a segment is; a separate line is one witness at most
    """

    normals: Floats
    length: Floats
    whole: Floats
    weight: Floats

    @classmethod
    def of(cls, segments_px: Floats, image_size_px: tuple[int, int], focal_px: float) -> Lines:
        """Planes of the longest segments (N, 4) · px at a focal length · px."""
        normals, length = _normals(longest(segments_px), image_size_px, focal_px)
        whole = _cluster_length(normals, length)
        return cls(normals, length, whole, length / np.maximum(whole, _FULL_LENGTH * max(image_size_px)))

    def at_focal(self, segments_px: Floats, image_size_px: tuple[int, int], focal_px: float) -> Lines:
        """Return the same lines seen with another focal length · px."""
        return replace(self, normals=_normals(longest(segments_px), image_size_px, focal_px)[0])

    def right(self, directions: Floats) -> Floats:
        """Likelihood of each line (N,) through each direction (M, 3), against a line that may be anywhere: (M, N)."""
        tau = np.radians(TOLERANCE_DEG)
        return np.sqrt(np.pi / 2) / tau * np.exp(-0.5 * ((directions @ self.normals.T) / tau) ** 2)


def right_angles(lines: Lines, up_c: Floats) -> float:
    """Log likelihood ratio of lines that are vertical, level in two directions at right angles, or anything, to lines
    that are vertical or anything; averaged over the heading.
    """
    ahead = np.cross(up_c, [1.0, 0.0, 0.0])
    ahead /= np.linalg.norm(ahead)
    side = np.cross(ahead, up_c)
    heading = np.radians(np.arange(0.0, 90.0, _HEADING_DEG))[:, None]
    level = lines.right(np.cos(heading) * ahead + np.sin(heading) * side)
    level += lines.right(np.cos(heading) * side - np.sin(heading) * ahead)
    upright = lines.right(up_c[None])
    ratio = TEMPER * (np.log((0.4 + 0.2 * (upright + level)) / (0.8 + 0.2 * upright)) @ lines.weight)
    return float(ratio.max() + np.log(np.exp(ratio - ratio.max()).mean()))


def longest(segments_px: Floats) -> Floats:
    """Return the segments that take part, (N, 4), the longest first."""
    length = np.hypot(*(segments_px[:, 2:] - segments_px[:, :2]).T)
    return segments_px[np.argsort(-length, kind="stable")[:_MOST]]


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
