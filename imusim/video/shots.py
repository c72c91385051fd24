"""Shot cuts and camera motion, online, from thumbnails (well under a millisecond a frame).

A cut is a frame whose thumbnail neither correlates with the one before (which exposure changes leave alone) nor
has its colours (which motion leaves alone), compared with what is usual for the clip so far.
"""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from imusim.types import Floats

_WIDTH = 96  # thumbnail columns


def thumbnail(rgb: NDArray[np.uint8], width: int = _WIDTH) -> Floats:
    """Shrink an image to about `width` columns by averaging a sparse grid of pixels, (h, w, 3) float64, 0 … 255."""
    wide = rgb.shape[1]
    step = max(1, wide // (2 * width))
    small = rgb[step // 2 :: step, step // 2 :: step]
    rows, columns = small.shape[0] // 2 * 2, small.shape[1] // 2 * 2
    if rows < 2 or columns < 2:
        return small.astype(np.float64)
    wide_rows = small[0:rows:2].astype(np.uint16) + small[1:rows:2]
    total = wide_rows[:, 0:columns:2] + wide_rows[:, 1:columns:2]
    return total.astype(np.float64) * 0.25


def decorrelation(a: Floats, b: Floats) -> float:
    """1 − correlation coefficient of two luminance images: 0 the same up to gain and offset, about 1 unrelated."""
    x, y = a - a.mean(), b - b.mean()
    sx, sy = float(np.sqrt((x * x).mean())), float(np.sqrt((y * y).mean()))
    if sx < 2.0 and sy < 2.0:  # both flat
        return 0.0
    if sx < 2.0 or sy < 2.0:
        return 1.0
    return 1.0 - float((x * y).mean()) / (sx * sy)


def colour_histogram(thumb: Floats) -> Floats:
    """Histogram of brightness-free colour and of rank brightness, (96,), sums to 2."""
    total = thumb @ np.ones(3) + 30.0
    red = np.minimum((thumb[..., 0] + 10.0) / total * 20.0 - 2.0, 7.999).clip(0).astype(np.intp)
    green = np.minimum((thumb[..., 1] + 10.0) / total * 20.0 - 2.0, 7.999).clip(0).astype(np.intp)
    colour = np.bincount((red * 8 + green).ravel(), minlength=64).astype(np.float64)
    light = total / max(float(total.mean()), 1e-9)  # an exposure change multiplies everything
    bright = np.bincount(np.minimum(light * 12.0, 31.999).astype(np.intp).ravel(), minlength=32)
    return np.concatenate([colour, bright.astype(np.float64)]) / total.size


class ShotDetector:
    """Says of each frame in turn whether a new shot starts with it.

    Parameters
    ----------
    threshold : least decorrelation of neighbouring frames that can be a cut
    """

    def __init__(self, threshold: float = 0.2) -> None:
        self.threshold = threshold
        self.shot = 0
        self._recent: deque[tuple[float, float]] = deque(maxlen=15)
        self._last: tuple[Floats, Floats] | None = None
        self._since = 0
        self._before_cut: tuple[Floats, Floats] | None = None

    def __call__(self, rgb: NDArray[np.uint8]) -> int:
        """Return the shot that this frame belongs to (0, 1, 2 ...).

        A flash (one or two odd frames, then the old picture again) ends with the old number coming back.
        """
        thumb = thumbnail(rgb)
        now = (thumb @ np.array([0.299, 0.587, 0.114]), colour_histogram(thumb))
        last, self._last = self._last, now
        if last is None:
            return self.shot
        if last[0].shape != now[0].shape:
            self.shot += 1
            return self.shot
        moved, recoloured = self._distance(last, now)
        usual, usual_colour = np.median(self._recent, axis=0) if self._recent else (0.0, 0.0)
        worst = max(row[0] for row in self._recent) if self._recent else 0.0
        unusual = moved > max(self.threshold, 6.0 * usual, 1.5 * min(worst, 0.4))
        unlike = recoloured > max(0.06, 4.0 * usual_colour)
        unrelated = moved > 0.6 and usual < 0.08 and recoloured > 0.03
        is_cut = bool(unusual and (unlike or unrelated))
        self._recent.append((min(moved, 0.2), min(recoloured, 0.05)) if is_cut else (moved, recoloured))
        if self._before_cut is not None and is_cut:
            back, colours = self._distance(self._before_cut, now)
            if back < 0.5 * self.threshold and colours < 0.06:
                self.shot -= 1
                self._before_cut = None
                return self.shot
        if is_cut:
            self.shot += 1
            self._before_cut, self._since = last, 0
        elif self._before_cut is not None:
            self._since += 1
            if self._since > 2:
                self._before_cut = None
        return self.shot

    @staticmethod
    def _distance(a: tuple[Floats, Floats], b: tuple[Floats, Floats]) -> tuple[float, float]:
        return decorrelation(a[0], b[0]), 0.25 * float(np.abs(a[1] - b[1]).sum())


def image_shift(a: Floats, b: Floats) -> tuple[float, float, float]:
    """Shift (columns, rows) that takes image `a` to `b`, by phase correlation, and the peak's height 0 … 1.

    Kuglin & Hines 1975; sub-pixel by a parabola through the peak. Both images (h, w).
    """
    h, w = a.shape
    window = np.outer(np.hanning(h), np.hanning(w))
    fa = np.fft.rfft2((a - a.mean()) * window)
    fb = np.fft.rfft2((b - b.mean()) * window)
    cross = fb * np.conj(fa)
    # damp high frequencies: thumbnails alias there
    ky, kx = np.fft.fftfreq(h)[:, None], np.fft.rfftfreq(w)[None, :]
    cross *= np.exp(-(kx**2 + ky**2) / (2 * 0.15**2)) / (np.abs(cross) + 1e-3 * np.abs(cross).max() + 1e-12)
    surface = np.fft.irfft2(cross, s=(h, w))
    row, column = divmod(int(np.argmax(surface)), w)

    def vertex(before: float, peak: float, after: float) -> float:
        bend = before - 2.0 * peak + after
        return 0.0 if bend >= 0 else 0.5 * (before - after) / bend

    dy = row + vertex(surface[row - 1, column], surface[row, column], surface[(row + 1) % h, column])
    dx = column + vertex(surface[row, column - 1], surface[row, column], surface[row, (column + 1) % w])
    top = float(surface[row, column]) / max(float(np.abs(surface).sum()) / surface.size * 40.0, 1e-12)
    return (dx - w if dx > w / 2 else dx), (dy - h if dy > h / 2 else dy), min(1.0, top)


class CameraMotion:
    """Notices that the background moves: a panning or hand-held camera.

    Parameters
    ----------
    interval_s : time between the frames that are compared, s
    threshold : shift that counts as motion, fraction of the image width
    """

    def __init__(self, interval_s: float = 0.4, threshold: float = 0.006) -> None:
        self.interval_s = interval_s
        self.threshold = threshold
        self.shifts: list[tuple[float, float]] = []  # fractions of the width
        self._key: tuple[float, int, Floats, NDArray[np.bool_]] | None = None

    def __call__(self, rgb: NDArray[np.uint8], time_s: float, shot: int, box: Floats | None) -> None:
        """Take a frame; `box` (x0, y0, x1, y1) px is the person, who is left out."""
        if self._key is not None and self._key[1] == shot and time_s - self._key[0] < self.interval_s:
            return
        thumb = thumbnail(rgb, 160) @ np.array([0.299, 0.587, 0.114])
        hidden = np.zeros(thumb.shape, dtype=np.bool_)
        if box is not None:
            sx, sy = thumb.shape[1] / rgb.shape[1], thumb.shape[0] / rgb.shape[0]
            x0, y0, x1, y1 = np.array(box) * (sx, sy, sx, sy)
            hidden[max(0, int(y0) - 1) : max(0, int(y1) + 2), max(0, int(x0) - 1) : max(0, int(x1) + 2)] = (
                True
            )
        key, self._key = self._key, (time_s, shot, thumb, hidden)
        if key is None or key[1] != shot or key[2].shape != thumb.shape:
            return
        away = key[3] | hidden
        if away.mean() > 0.7:
            return
        a, b = key[2].copy(), thumb.copy()
        a[away], b[away] = a[~away].mean(), b[~away].mean()
        if a[~away].std() < 4.0 or b[~away].std() < 4.0:
            return
        dx, dy, _ = image_shift(a, b)
        # believe a shift only if it explains the picture better than standing still does
        still = decorrelation(a, b)
        moved = (
            decorrelation(a, np.roll(b, (-round(dy), -round(dx)), (0, 1)))
            if max(abs(dx), abs(dy)) >= 1
            else still
        )
        believed = max(abs(dx), abs(dy)) < 1 or moved < 0.7 * still
        self.shifts.append((dx / thumb.shape[1], dy / thumb.shape[1]) if believed else (0.0, 0.0))

    @property
    def moving_fraction(self) -> float:
        """Share of the compared pairs in which the background moved, 0 … 1."""
        if not self.shifts:
            return 0.0
        return float((np.hypot(*np.array(self.shifts).T) > self.threshold).mean())
