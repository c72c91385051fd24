"""An unchanged picture holds an unchanged person: repeated frames get the landmarks that they had.

BlazePose finds its region of interest from its own last answer, so on a picture that differs by nothing but
compression noise its landmarks still wander, by 10 px and more in doubtful poses. Repeated frames are common: paused
and looped clips, screen recordings, 25 frames a second played at 30.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from imusim.video.estimator import Landmarks
from imusim.video.people import cut_out

_BLOCKS = 64  # the window is compared as so many by so many block means
_LEVELS = 2.0  # of 255: block means of a repeated frame differ by up to 1 after compression, walking changes some by 30


class StillPicture:
    """Remembers the window in which somebody was last seen, and whether it still looks the same there."""

    def __init__(self) -> None:
        self.seen: Landmarks | None = None
        self._blocks: NDArray[np.float32] | None = None
        self._place = (0, 0, 0)

    def keep(self, window: NDArray[np.uint8], x0: int, y0: int, seen: Landmarks) -> None:
        """Remember what was seen in the square window whose corner is at (x0, y0) px."""
        self.seen, self._blocks, self._place = seen, _means(window), (x0, y0, window.shape[0])

    def forget(self) -> None:
        """Remember nothing."""
        self.seen = self._blocks = None

    def unchanged(self, rgb: NDArray[np.uint8]) -> bool:
        """Whether the remembered window of this frame looks as it did."""
        if self._blocks is None:
            return False
        x0, y0, side = self._place
        return bool(np.abs(_means(cut_out(rgb, x0, y0, side, side)) - self._blocks).max() < _LEVELS)


def _means(window: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Means of blocks, of one pixel in nine of the green channel: enough, and cheap."""
    import cv2

    green = np.ascontiguousarray(window[::3, ::3, 1], dtype=np.float32)
    side = min(_BLOCKS, green.shape[0])
    return np.asarray(cv2.resize(green, (side, side), interpolation=cv2.INTER_AREA), dtype=np.float32)
