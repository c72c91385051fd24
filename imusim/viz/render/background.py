"""Pictures to put behind a body."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from imusim.types import Floats

Rgb = tuple[float, float, float]


def gradient(
    size_px: tuple[int, int], top: Rgb = (0.78, 0.84, 0.90), bottom: Rgb = (0.95, 0.95, 0.94)
) -> NDArray[np.uint8]:
    """Return a picture (H, W, 3) uint8 that goes evenly from one colour, 0 … 1, to another."""
    width, height = size_px
    mix = np.linspace(0.0, 1.0, height)[:, None]
    column = (1.0 - mix) * np.asarray(top) + mix * np.asarray(bottom)
    return np.broadcast_to(_bytes(column)[:, None], (height, width, 3)).copy()


def clutter(
    size_px: tuple[int, int],
    rng: np.random.Generator,
    *,
    contrast: float = 0.12,
    roughness: float = 1.3,
    boxes: int = 12,
) -> NDArray[np.uint8]:
    """Return a picture (H, W, 3) uint8 with the statistics of a photograph: noise with a falling spectrum, and edges.

    Parameters
    ----------
    size_px : (width, height)
    rng : the same state gives the same picture

    Other Parameters
    ----------------
    contrast : standard deviation of the noise, in parts of the full scale
    roughness : amplitude falls with spatial frequency to this power (photographs: about 1; Field 1987)
    boxes : number of plain rectangles of all sizes under the noise, as furniture and walls make them
    """
    width, height = size_px
    base = rng.uniform(0.4, 0.75) + rng.normal(0.0, 0.04, size=3)
    picture = np.broadcast_to(base, (height, width, 3)).copy()
    for _ in range(boxes):
        w, h = np.exp(rng.uniform(np.log(0.05), np.log(0.7), size=2)) * (width, height)
        x, y = rng.uniform(-0.2, 1.0, size=2) * (width, height)
        colour = np.clip(base + rng.normal(0.0, 0.18) + rng.normal(0.0, 0.05, size=3), 0.02, 0.98)
        picture[max(0, int(y)) : max(0, int(y + h)), max(0, int(x)) : max(0, int(x + w))] = colour
    grey, *tints = (_falling(size_px, rng, roughness) for _ in range(4))
    noise = grey + 0.12 * np.stack(tints)  # brightness varies far more than hue
    return _bytes(picture + contrast * np.moveaxis(noise, 0, -1))


def _falling(size_px: tuple[int, int], rng: np.random.Generator, power: float) -> Floats:
    """Noise (H, W) of unit deviation whose amplitude falls as frequency to −power."""
    width, height = size_px
    fy, fx = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None]
    frequency = np.hypot(fy, fx)
    frequency[0, 0] = np.inf
    noise = np.fft.irfft2(
        np.fft.rfft2(rng.standard_normal((height, width))) / frequency**power, (height, width)
    )
    return noise / max(noise.std(), 1e-12)


def _bytes(picture: Floats) -> NDArray[np.uint8]:
    return np.round(np.clip(picture, 0.0, 1.0) * 255.0).astype(np.uint8)
