"""The square of the picture that a pose network looks at: centred on the hips, turned so that the person is upright.

A network answers differently when its square moves by a pixel. What is measured must therefore not decide, frame by
frame, where it is looked for; see `second_look`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from imusim.types import Floats

MARGIN = 1.25
"""Side of a person's square over the diameter of the circle around them, as BlazePose was trained."""
_ROOM = 1.5  # a window keeps this many times the square's side, for squares that are turned, moved or larger
_FINE = 1.12  # its pixels are so much finer than the network's


@dataclass(frozen=True)
class Region:
    """A turned square in a picture.

    Parameters
    ----------
    centre : (2,) px; the corner of the picture's first pixel is at 0
    side : px
    angle : rad, how far the square is turned clockwise (x right, y down)
    """

    centre: Floats
    side: float
    angle: float

    def moved(self, by: Floats) -> Region:
        """The same square elsewhere, (2,) px."""
        return replace(self, centre=self.centre + by)

    @property
    def axes(self) -> Floats:
        """Rows: the square's x and y axis in the picture, (2, 2)."""
        c, s = np.cos(self.angle), np.sin(self.angle)
        return np.array([[c, s], [-s, c]])

    def to_picture(self, points: Floats) -> Floats:
        """Points (..., 2) of the square, 0 … 1, in px of the picture."""
        return (points - 0.5) * self.side @ self.axes + self.centre


@dataclass(frozen=True)
class Window:
    """A part of a picture, reduced by averaging to little more than what a network resolves.

    Parameters
    ----------
    image : (h, w, 3) uint8
    origin : (2,) px of the picture where the image's corner lies
    step : px of the picture per pixel of the image, (2,)
    """

    image: NDArray[np.uint8]
    origin: Floats
    step: Floats

    def cut(self, region: Region, size: int) -> NDArray[np.uint8]:
        """The square as (size, size, 3) uint8, black where it leaves the window."""
        import cv2

        turn = size / region.side * region.axes  # picture → square
        matrix = turn * self.step
        # cv2 counts from the middle of the first pixel: +½ inwards, −½ outwards
        shift = turn @ (self.origin + 0.5 * self.step - region.centre) + 0.5 * size - 0.5
        out = cv2.warpAffine(
            self.image, np.column_stack([matrix, shift]), (size, size), flags=cv2.INTER_LINEAR
        )
        return np.asarray(out, dtype=np.uint8)


def window(rgb: NDArray[np.uint8], region: Region, size: int) -> Window:
    """Keep what is around a square for a network that sees `size` by `size` pixels.

    Parameters
    ----------
    rgb : (h, w, 3) uint8
    region : the square
    size : px
    """
    import cv2

    height, width = rgb.shape[:2]
    reach = 0.5 * _ROOM * region.side
    low = np.clip(np.floor(region.centre - reach), 0, (width - 1, height - 1)).astype(int)
    high = np.clip(np.ceil(region.centre + reach), low + 1, (width, height)).astype(int)
    part = rgb[low[1] : high[1], low[0] : high[0]]
    factor = region.side / (_FINE * size)
    if factor > 1.0:
        shape = np.maximum(np.rint((high - low) / factor), 1).astype(int)
        image = np.asarray(
            cv2.resize(part, (int(shape[0]), int(shape[1])), interpolation=cv2.INTER_AREA), dtype=np.uint8
        )
    else:
        image, shape = part.copy(), high - low
    return Window(image, low.astype(np.float64), (high - low) / shape)


def follow_angle(angle: float, near: float) -> float:
    """The same angle, within half a turn of another; rad."""
    return near + (angle - near + np.pi) % (2.0 * np.pi) - np.pi
