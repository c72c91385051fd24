"""Drawn people whose true landmarks are known, and an estimator that finds them by their colours."""

from __future__ import annotations

import numpy as np

from imusim.video.estimator import LANDMARK_NAMES, Landmarks
from imusim.video.region import Region

RED, GREEN = (220, 40, 30), (30, 200, 60)


def template() -> np.ndarray:
    """A standing body, (33, 3) m, camera axes, origin between the hips."""
    at = {
        "shoulder": (0.18, -0.5, 0.0),
        "elbow": (0.25, -0.22, 0.0),
        "wrist": (0.27, 0.03, -0.05),
        "hip": (0.1, 0.0, 0.0),
        "knee": (0.1, 0.42, -0.03),
        "ankle": (0.1, 0.82, 0.02),
        "heel": (0.1, 0.86, 0.06),
        "foot_index": (0.12, 0.88, -0.12),
    }
    body = np.zeros((len(LANDMARK_NAMES), 3))
    for i, name in enumerate(LANDMARK_NAMES):
        part = name.replace("left_", "").replace("right_", "")
        x, y, z = at.get(
            part, (0.27, 0.08, -0.08) if part in ("pinky", "index", "thumb") else (0.04, -0.68, -0.08)
        )
        if name == "nose":
            x = 0.0
        body[i] = (x if "left" in name else -x, y, z)  # facing the camera: their left is at the right
    return body


def draw(image: np.ndarray, x: float, y: float, scale: float, colour: tuple[int, int, int]) -> None:
    """Draw a person (hips at x, y px; `scale` px/m) as a box of one colour."""
    x0, x1 = int(x - 0.3 * scale), int(x + 0.3 * scale)
    y0, y1 = int(y - 0.7 * scale), int(y + 0.9 * scale)
    image[max(y0, 0) : max(y1, 0), max(x0, 0) : max(x1, 0)] = colour


class ColourEstimator:
    """Finds boxes of known colours; in a window with several, the one nearest to its middle."""

    name = "colour boxes"
    landmark_names = LANDMARK_NAMES

    def __init__(self, colours=(RED, GREEN)) -> None:
        self.colours = colours
        self.calls = self.resets = 0

    def candidates(self, rgb):
        people = []
        small = rgb[::2, ::2]
        for colour in self.colours:
            hit = np.ones(small.shape[:2], bool)
            for channel, value in enumerate(colour):
                hit &= (small[..., channel] < min(value + 60, 255)) & (
                    small[..., channel] > max(value - 60, -1)
                )
            rows, columns = np.flatnonzero(hit.any(axis=1)) * 2, np.flatnonzero(hit.any(axis=0)) * 2
            if rows.size < 5 or columns.size < 2:
                continue
            height = rows.max() - rows.min() + 2
            scale = height / 1.6
            if height < 20:
                continue
            centre = np.array([(columns.min() + columns.max() + 2) / 2, rows.min() + 0.7 * scale])
            body = template()
            people.append(Landmarks(body, centre + scale * body[:, :2], np.full(33, 0.95), np.full(33, 0.95)))
        return people

    def __call__(self, rgb, time_s):
        self.calls += 1
        people = self.candidates(rgb)
        middle = np.array(rgb.shape[1::-1]) / 2
        return min(people, key=lambda p: np.linalg.norm(p.px[[23, 24]].mean(axis=0) - middle), default=None)

    def reset(self):
        self.resets += 1

    def close(self):
        pass


class ColourRegions(ColourEstimator):
    """The same, told where to look: of several in a square, the one whose hips are nearest to its middle."""

    def look(self, part, region, *, mirrored=False):
        self.calls += 1
        people = []
        for person in self.candidates(part.image):
            px = part.origin + person.px * part.step
            hips = px[[23, 24]].mean(axis=0)
            around = Region(hips, 2.5 * float(np.ptp(px[:, 1])) / 1.6, 0.0)
            people.append(Landmarks(person.world_m, px, person.visibility, person.presence, around))
        return min(people, key=lambda p: np.linalg.norm(p.region.centre - region.centre), default=None)
