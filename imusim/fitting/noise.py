"""How wrong landmarks are, and for how long: the measurement noise of the fit.

An estimator's error is a new draw every frame on top of one that lasts: it places a joint wrongly for as long as the
pose looks like that, and a few frames' average is no better than one frame. Standard deviations for a good
landmark (`landmarks.SD_FACTOR` for the others), at the person.

What is new every frame is 0.7 mm of the estimator's own in the better half of frames (from the difference between clips
and the same clips turned by 10°), ten times that and more in bursts, and what neither body nor prior can follow. The
figures here stand for all of it; they were calibrated on those turned clips, on four triangulated views and on made
motions. Half as much for what is new passes more of the estimator's noise and is no nearer to the other views.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from imusim._kernels import fit as kernel
from imusim.fitting.landmarks import AT, NAMES, SD_FACTOR
from imusim.types import Floats

IMAGE = (0.010, 0.008, 0.2)
"""White and lasting error of an image landmark across the view, m, and for how long it lasts, s."""
ACROSS = (0.014, 0.012, 0.2)
"""Of a metric landmark across the view: less is taken from it than its error alone says, as it shares much of the
image landmark's."""
ALONG = (0.030, 0.090, 0.3)
"""Of a metric landmark along the view."""

_LEVEL = 2.0
"""Scale of the loss of errors that last, in units of the loss's scale: a model that lags behind a quick squat is off by
several standard deviations everywhere, and must not take that for outliers."""
_SUDDEN = 1.5
"""Scale of the loss of changes, in units of the loss of the errors themselves. Calibrated on clips turned by 10° (smaller is
calmer) and on white noise, which it must not take for outliers."""
_QUIET = (0.02, 4.0)
"""How many times quieter or louder than stated the changes of a landmark may be, as variances."""
_MEDIAN_OF_SQUARE = {2: 0.693, 3: 0.789}  # of a mean of n squared normal deviates
_SD3_FACTOR = SD_FACTOR.copy()
for _name in NAMES:  # the world landmarks' feet are half as long as feet are
    if "heel" in _name or "foot_index" in _name:
        _SD3_FACTOR[AT[_name]] *= 2.0


def coloured(white: float, lasting: float, memory_s: float, step_s: float) -> tuple[float, float]:
    """Standard deviation and correlation from frame to frame of the first-order autoregressive noise that is as strong
    as white plus exponentially correlated noise at frequency 0 and at half the frame rate.

    An AR(1) of innovation variance v has spectral density v/(1 − φ)² at 0 and v/(1 + φ)² at the Nyquist frequency.
    """
    keep = np.exp(-step_s / memory_s)
    slow = white**2 + lasting**2 * (1 + keep) / (1 - keep)
    fast = white**2 + lasting**2 * (1 - keep) / (1 + keep)
    ratio = np.sqrt(slow / fast)
    return float(np.sqrt(np.sqrt(slow * fast))), float((ratio - 1) / (ratio + 1))


@dataclass(frozen=True)
class Seen:
    """What was seen in T frames, before anything is known of the pose.

    Attributes
    ----------
    time : (T,) · s
    marks3, info3 : (T, 33, 3) · m, 1/m² · metric landmarks, camera axes, and their information (0: not seen)
    marks2, info2 : (T, 33, 2) · px, (T, 33) · 1/px²
    keep3, keep2 : (T, 3), (T,): correlation with the frame before
    focal, centre : pinhole camera · px
    """

    time: Floats
    marks3: Floats
    info3: Floats
    marks2: Floats
    info2: Floats
    keep3: Floats
    keep2: Floats
    focal: float
    centre: Floats

    def part(self, first: int, last: int) -> Seen:
        """Frames first … last − 1."""
        cut = {
            n: np.ascontiguousarray(getattr(self, n)[first:last])
            for n in ("time", "marks3", "info3", "marks2", "info2", "keep3", "keep2")
        }
        return Seen(**cut, focal=self.focal, centre=self.centre)


def observe(
    time_s: Floats, marks3: Floats, px: Floats, trust: Floats, depth_m: Floats, focal_px: float, centre_px: Floats,
    image: bool = True,
) -> Seen:  # fmt: skip
    """Weigh what was seen.

    Parameters
    ----------
    time_s : (T,) · s
    marks3 : (T, 33, 3) · m · camera axes, bones as long as the body's
    px : (T, 33, 2) · pixels
    trust : (T, 33), 0 … 1, multiplies the information; 0 where nothing was seen
    depth_m : (T,) · m, rough distance of the person
    focal_px, centre_px : pinhole camera
    image : False: the image landmarks only say where the person is, not how posed
    """
    step = float(np.median(np.diff(time_s)))
    (sd2, keep2), (across, keep_across), (along, keep_along) = (
        coloured(*kind, step) for kind in (IMAGE, ACROSS, ALONG)
    )
    gap = np.diff(time_s, prepend=time_s[0] - step) / step
    if not image:
        sd2 *= 8.0
    return Seen(
        time=time_s,
        marks3=np.ascontiguousarray(marks3),
        info3=trust[:, :, None] / (_SD3_FACTOR[:, None] * [across, across, along]) ** 2,
        marks2=np.ascontiguousarray(px),
        info2=trust / (SD_FACTOR * sd2 * focal_px / depth_m[:, None]) ** 2,
        keep3=np.array([keep_across, keep_across, keep_along]) ** gap[:, None],
        keep2=keep2**gap,
        focal=float(focal_px),
        centre=np.asarray(centre_px, dtype=np.float64),
    )


@dataclass(frozen=True)
class Weights:
    """Robust weights 0 … 1 of the landmarks' residuals themselves, and of what these change by from frame to frame.

    Attributes
    ----------
    level3, level2 : (T, 33), of metric and of image landmarks
    step3, step2 : (T − 1, 33), of the change between neighbouring frames
    """

    level3: Floats
    level2: Floats
    step3: Floats
    step2: Floats


def robust_weights(seen: Seen, marks: Floats, scale: float) -> Weights:
    """Weights of errors (Cauchy's, 1/(1 + m²/(c² n)), m² the squared Mahalanobis norm of an n-vector) and of their changes.

    An error that lasts and one of a single frame are judged apart: a landmark that jumps by 5 cm and back within
    three frames is not far off for how wrong landmarks are, but very far for how they change. Changes are measured
    by what is usual for this landmark in this clip (the median), and lose their say faster: (1 + m²/(c² n))⁻², as
    Geman and McClure's.

    Parameters
    ----------
    seen : what was seen
    marks : (T, 33, 3) · m · camera axes, what is predicted
    scale : c, in standard deviations; large: least squares
    """
    off3 = marks - seen.marks3
    z = np.maximum(marks[..., 2:], 0.1)
    off2 = seen.focal * marks[..., :2] / z + seen.centre - seen.marks2
    info2 = seen.info2[..., None]
    m3, off3 = _about_shift(off3, seen.info3, scale)
    m2 = (info2 * off2**2).mean(axis=2)
    # of a first-order autoregressive noise of unit variance the change has variance 2 (1 − φ)
    change3 = _between(seen.info3) / (2.0 * (1.0 - seen.keep3[1:, None, :]))
    change2 = _between(info2) / (2.0 * (1.0 - seen.keep2[1:, None, None]))
    jump3, _ = _about_shift(np.diff(off3, axis=0), change3, scale)
    jump2 = (change2 * np.diff(off2, axis=0) ** 2).mean(axis=2)
    return Weights(
        1.0 / (1.0 + m3 / (_LEVEL * scale) ** 2),
        1.0 / (1.0 + m2 / (_LEVEL * scale) ** 2),
        _sudden(jump3, change3[..., 0] > 0, 3, scale),
        _sudden(jump2, change2[..., 0] > 0, 2, scale),
    )


def _about_shift(off: Floats, info: Floats, scale: float) -> tuple[Floats, Floats]:
    """Mean squared Mahalanobis norm (T, 33) of residuals (T, 33, 3) less the shift that all share, and these; reweighted."""
    weight = m2 = np.ones(off.shape[:2])
    for _ in range(3):
        w = weight[..., None] * info
        total = w.sum(axis=1, keepdims=True)
        off = off - np.divide(
            (w * off).sum(axis=1, keepdims=True), total, out=np.zeros_like(total), where=total > 0
        )
        m2 = (info * off**2).mean(axis=2)
        weight = 1.0 / (1.0 + m2 / scale**2)
    return m2, off


def _sudden(m2: Floats, known: np.ndarray, size: int, scale: float) -> Floats:
    """Weights (T − 1, 33) of changes with mean squared norm m2 of `size` numbers each."""
    if not len(m2):
        return np.ones_like(m2)
    usual = np.array([np.median(m[k]) if k.any() else 1.0 for m, k in zip(m2.T, known.T, strict=True)])
    usual = np.clip(usual / _MEDIAN_OF_SQUARE[size], *_QUIET)
    return 1.0 / (1.0 + m2 / (usual * (_SUDDEN * scale) ** 2)) ** 2


def _between(info: Floats) -> Floats:
    """Information of neighbouring frames (T − 1, …) from that of each (T, …): the mean of their variances'."""
    a, b = info[1:], info[:-1]
    return np.divide(2.0 * a * b, a + b, out=np.zeros_like(a), where=a + b > 0)


def _products(info: Floats, keep: Floats, level: Floats, step: Floats) -> tuple[Floats, Floats]:
    """q, p (see `imusim._kernels.fit_marks`) of information, correlations and robust weights, frames first.

    With φ the correlation from frame to frame, the cost of an autoregressive noise is that of its level and of its change:
    (1 − φ)/(1 + φ) Σ u_t² + φ/(1 − φ²) Σ (u_t − u_{t−1})², were the first and the last frame's noise to last before
    and after (a still picture has no ends). So written, an error that lasts pulls the same way in every frame, however
    the trust in the landmark flickers.
    """
    slow = (1.0 - keep) / (1.0 + keep)
    slow[:-1] = 0.5 * (slow[:-1] + slow[1:])
    q = level * info * slow
    tie = step * _between(info) * (keep / (1.0 - keep**2))[1:]
    q[1:] += tie
    q[:-1] += tie
    p = np.zeros_like(info)
    p[1:] = -tie
    return q, p


@dataclass(frozen=True)
class Held:
    """What rests on something in T frames: C points, weighed.

    Attributes
    ----------
    mark : (C,) landmark of each point
    stay_info : (T, C) · 1/m², of the displacement since the frame before
    up_c : (3,) unit vector · camera axes, normal of the floor
    height_m : (T, C) · m, of each point along it when it rests on the floor
    height_info : (T, C) · 1/m²
    """

    mark: np.ndarray
    stay_info: Floats
    up_c: Floats
    height_m: Floats
    height_info: Floats


def weigh(seen: Seen, weights: Weights, held: Held) -> kernel.Clip:
    """The kernel's view of the clip, with weights that stand still."""
    q3, p3 = _products(
        seen.info3, seen.keep3[:, None, :], weights.level3[..., None], weights.step3[..., None]
    )
    q2, p2 = _products(seen.info2, seen.keep2[:, None], weights.level2, weights.step2)
    return kernel.Clip(
        seen.time, seen.marks3, q3, p3, seen.marks2, q2, p2, held.mark, held.stay_info, held.up_c, held.height_m,
        held.height_info, seen.focal, seen.centre,
    )  # fmt: skip
