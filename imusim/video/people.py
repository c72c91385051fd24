"""Who is in a picture, and whom the user means: "largest", "centre", or a box."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imusim.errors import ConfigError
from imusim.types import Floats
from imusim.video.appearance import BODY, TORSO, bounding_box, scale_px_per_m
from imusim.video.estimator import Landmarks, PoseEstimator


@dataclass(frozen=True)
class PersonChoice:
    """Whom to follow.

    Parameters
    ----------
    how : "largest", "centre" or "box"
    box : (x0, y0, x1, y1) px or fractions of the upright picture, for "box"
    from_s : look from this time on, s
    """

    how: str
    box: tuple[float, float, float, float] | None = None
    from_s: float = 0.0

    def box_px(self, size_px: tuple[int, int]) -> Floats | None:
        """The box in pixels of an image of this (width, height)."""
        if self.box is None:
            return None
        box = np.array(self.box)
        return box * (size_px * 2) if (box <= 1.0).all() else box


def parse_person(text: str, size_px: tuple[int, int]) -> PersonChoice:
    """Read "largest", "centre" or "x,y,w,h", each optionally with "@seconds" to start later.

    Parameters
    ----------
    text : what the user said; a box in pixels of the upright picture, or in fractions if no value exceeds 1
    size_px : (width, height) of the upright picture

    Raises
    ------
    ConfigError
        If it is none of these, or the box lies outside the picture.
    """
    wanted = 'wanted "largest", "centre" or a box "x,y,w,h" in pixels (or fractions of the picture)'
    what, _, when = str(text).strip().lower().partition("@")
    try:
        from_s = float(when) if when else 0.0
    except ValueError:
        raise ConfigError(f"person={text!r}: {when!r} is not a time in seconds") from None
    if not (math.isfinite(from_s) and from_s >= 0):
        raise ConfigError(f"person={text!r}: {when!r} is not a time in seconds")
    what = what.strip()
    if what in ("largest", "centre", "center"):
        return PersonChoice("largest" if what == "largest" else "centre", None, from_s)
    try:
        x, y, w, h = (float(v) for v in what.split(","))
    except ValueError:
        raise ConfigError(f"person={text!r}: {wanted}") from None
    if not all(math.isfinite(v) for v in (x, y, w, h)) or w <= 0 or h <= 0:
        raise ConfigError(f"person={text!r}: width and height must be positive")
    choice = PersonChoice("box", (x, y, x + w, y + h), from_s)
    if max(x, y, w, h) <= 1.0:
        choice = PersonChoice("box", (x, y, min(x + w, 1.0), min(y + h, 1.0)), from_s)
    box = choice.box_px(size_px)
    if box is None or box[0] >= size_px[0] or box[1] >= size_px[1] or box[2] <= 0 or box[3] <= 0:
        raise ConfigError(f"person={text!r}: the box lies outside the {size_px[0]}x{size_px[1]} picture")
    return choice


def cut_out(rgb: NDArray[np.uint8], x0: int, y0: int, side_x: int, side_y: int) -> NDArray[np.uint8]:
    """Return the window of an image, black where it leaves the picture; contiguous."""
    height, width = rgb.shape[:2]
    if x0 >= 0 and y0 >= 0 and x0 + side_x <= width and y0 + side_y <= height:
        return np.ascontiguousarray(rgb[y0 : y0 + side_y, x0 : x0 + side_x])
    out = np.zeros((side_y, side_x, 3), np.uint8)
    left, top, right, bottom = max(x0, 0), max(y0, 0), min(x0 + side_x, width), min(y0 + side_y, height)
    if right > left and bottom > top:
        out[top - y0 : bottom - y0, left - x0 : right - x0] = rgb[top:bottom, left:right]
    return out


def moved(person: Landmarks, dx: float, dy: float) -> Landmarks:
    """The same person in an image whose origin lies (dx, dy) px before this one's."""
    region = None if person.region is None else person.region.moved(np.array([dx, dy]))
    return Landmarks(person.world_m, person.px + (dx, dy), person.visibility, person.presence, region)


def find_people(
    estimator: PoseEstimator, rgb: NDArray[np.uint8], *, thorough: bool = False, within: Floats | None = None
) -> list[Landmarks]:
    """Find the people in one image: the whole picture, then square tiles, since the detector misses small ones.

    Parameters
    ----------
    estimator : asked for candidates in each tile
    rgb : (h, w, 3) uint8
    thorough : also look in tiles of half the size
    within : (x0, y0, x1, y1) px, may reach beyond the image: look only there (people whose torso is centred inside)
    """
    height, width = rgb.shape[:2]
    if within is not None:
        seen = np.concatenate([np.maximum(within[:2], 0), np.minimum(within[2:], (width, height))])
        if (seen[2:] <= seen[:2]).any():
            return []
        middle = 0.5 * (seen[:2] + seen[2:])
        size = float(max(seen[2] - seen[0], seen[3] - seen[1]))
        sides = [max(64, int(size * k)) for k in (1.3, 1.8)]
        windows = [(int(middle[0] - s / 2), int(middle[1] - s / 2), s, s) for s in sides]
    else:
        windows = [(0, 0, width, height)]
        short = min(width, height)
        for side in [short] + ([short // 2] if thorough else []):
            columns = max(1, math.ceil((width - side) / (side / 2)) + 1)
            rows = max(1, math.ceil((height - side) / (side / 2)) + 1)
            if (columns, rows) == (1, 1) and side >= 0.9 * max(width, height):
                continue
            for j in range(rows):
                for i in range(columns):
                    x = round((width - side) * i / max(columns - 1, 1))
                    y = round((height - side) * j / max(rows - 1, 1))
                    windows.append((x, y, side, side))
    found: list[Landmarks] = []
    for x, y, w, h in windows:
        for person in estimator.candidates(cut_out(rgb, x, y, w, h)):
            person = moved(person, x, y)
            if within is not None:
                centre = person.px[TORSO].mean(axis=0)
                if (centre < within[:2]).any() or (centre > within[2:]).any():
                    continue
            if is_plausible(person, (width, height)):
                found.append(person)
        if within is not None and found:
            break
    return _distinct(found)


def is_plausible(person: Landmarks, size_px: tuple[int, int]) -> bool:
    """Whether this looks like a person: mostly in the picture, flat and solid landmarks agreeing, of some size."""
    scale, residual = scale_px_per_m(person)
    inside = ((person.px[BODY] >= 0) & (person.px[BODY] < size_px)).all(axis=1).mean()
    return scale > 12.0 and residual < 0.16 and inside >= 0.4 and float(person.visibility[BODY].mean()) > 0.3


def choose(people: list[Landmarks], choice: PersonChoice, size_px: tuple[int, int]) -> Landmarks | None:
    """Pick whom the user means, or None."""
    if not people:
        return None
    centres = np.array([p.px[TORSO].mean(axis=0) for p in people])
    if choice.how == "largest":
        return people[int(np.argmax([scale_px_per_m(p)[0] for p in people]))]
    if choice.how == "centre":
        return people[int(np.argmin(np.linalg.norm(centres - np.array(size_px) / 2, axis=1)))]
    box = choice.box_px(size_px)
    if box is None:
        return None
    shares = [_share(bounding_box(p), box) for p in people]
    best = int(np.argmax(shares))
    return people[best] if shares[best] > 0.1 else None


def _share(a: Floats, b: Floats) -> float:
    """Intersection over union of two boxes."""
    size = np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])
    common = float(np.prod(np.maximum(size, 0.0)))
    return common / max(float(np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2])) - common, 1e-9)


def _distinct(people: list[Landmarks]) -> list[Landmarks]:
    """Drop those found twice (in overlapping tiles); the more visible one stays."""
    people = sorted(people, key=lambda p: -float(p.visibility[BODY].mean()))
    kept: list[Landmarks] = []
    for person in people:
        centre, scale = person.px[TORSO].mean(axis=0), scale_px_per_m(person)[0]
        if all(np.linalg.norm(centre - k.px[TORSO].mean(axis=0)) > 0.35 * scale for k in kept):
            kept.append(person)
    return kept
