"""Straight line segments of the still background: walls, door frames and trees say which way is up."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from imusim.types import Floats

_SIDE_PX = 1280  # segments are looked for in a picture of this size: enough for 0.5° directions, and fast
_KEEP = 9


class Background:
    """Keeps a few grey frames of a shot, evenly spread however long it gets, and takes their median.

    Memory is bounded: when `_KEEP` frames are held, every second one is dropped and the spacing doubles.
    """

    def __init__(self) -> None:
        self._frames: list[NDArray[np.uint8]] = []
        self._spacing = 1
        self._seen = 0
        self._scale = 1.0

    def add(self, rgb: NDArray[np.uint8]) -> None:
        """Offer the next frame, (H, W, 3) uint8."""
        if self._seen % self._spacing == 0:
            import cv2

            self._scale = min(1.0, _SIDE_PX / max(rgb.shape[:2]))
            size = (round(rgb.shape[1] * self._scale), round(rgb.shape[0] * self._scale))
            small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA) if self._scale < 1.0 else rgb
            self._frames.append(np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), dtype=np.uint8))
            if len(self._frames) == _KEEP:
                self._frames = self._frames[::2]
                self._spacing *= 2
        self._seen += 1

    def segments(self, limit: int = 400) -> Floats:
        """Return the longest straight segments of the median picture, (N, 4): x0, y0, x1, y1 in pixels of the frame.

        Found by the line segment detector of von Gioi et al. (2010), as OpenCV has it; the median removes
        what moves. Segments shorter than 3 % of the picture's longer side are left out.
        """
        if not self._frames:
            return np.zeros((0, 4))
        import cv2

        median = np.median(np.stack(self._frames), axis=0).astype(np.uint8)
        found = cv2.createLineSegmentDetector().detect(median)[0]
        if found is None:
            return np.zeros((0, 4))
        lines = np.asarray(found, dtype=np.float64).reshape(-1, 4)
        length = np.hypot(lines[:, 2] - lines[:, 0], lines[:, 3] - lines[:, 1])
        order = np.argsort(-length, kind="stable")
        order = order[length[order] > 0.03 * max(median.shape)][:limit]
        return lines[order] / self._scale
