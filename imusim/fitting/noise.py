"""How wrong landmarks are, and for how long: the measurement noise of the fit.

An estimator's error is a new draw every frame on top of one that lasts: it places a joint wrongly for as long as the
pose looks like that, and a few frames' average is no better than one frame. Standard deviations for a good
landmark (`landmarks.SD_FACTOR` for the others), at the person, measured on five real clips as residuals of the fit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from imusim._kernels import fit as kernel
from imusim.fitting.landmarks import AT, NAMES, SD_FACTOR
from imusim.types import Floats

IMAGE = (0.004, 0.016, 0.2)
"""White and lasting error of an image landmark across the view, m, and for how long it lasts, s."""
ACROSS = (0.006, 0.024, 0.2)
"""Of a metric landmark across the view: less is taken from it than its error alone says, as it shares much of the
image landmark's."""
ALONG = (0.020, 0.090, 0.3)
"""Of a metric landmark along the view."""

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


def robust_weights(seen: Seen, marks: Floats, scale: float) -> tuple[Floats, Floats]:
    """Weights 0 … 1 (T, 33) of metric and image landmarks: Cauchy's, 1/(1 + m²/(c² n)), m² the squared Mahalanobis
    norm of an n-vector.

    Parameters
    ----------
    seen : what was seen
    marks : (T, 33, 3) · m · camera axes, what is predicted
    scale : c, in standard deviations; large: least squares
    """
    off = marks - seen.marks3
    across = np.ones(off.shape[:2])
    for _ in range(3):  # the origin of the metric landmarks, by reweighting
        w = across[..., None] * seen.info3
        total = w.sum(axis=1, keepdims=True)
        mean = np.divide(
            (w * off).sum(axis=1, keepdims=True), total, out=np.zeros_like(total), where=total > 0
        )
        m2 = (seen.info3 * (off - mean) ** 2).sum(axis=2)
        across = 1.0 / (1.0 + m2 / (3.0 * scale**2))
    z = np.maximum(marks[..., 2:], 0.1)
    r2 = ((seen.focal * marks[..., :2] / z + seen.centre - seen.marks2) ** 2).sum(axis=2)
    return across, 1.0 / (1.0 + seen.info2 * r2 / (2.0 * scale**2))


def _products(info: Floats, weight: Floats, keep: Floats) -> tuple[Floats, Floats]:
    """q, p (see `imusim._kernels.fit_marks`) of information, weights and correlations, frames first.

    The first and the last frame count as if the noise had lasted before and after: a still picture has no ends.
    """
    bound = np.zeros_like(info)
    both = np.sqrt(weight[1:] * weight[:-1]) * ((info[1:] > 0) & (info[:-1] > 0))
    bound[1:] = keep[1:] * both  # an outlier's error has nothing to do with its neighbours'
    free = 1.0 / (1.0 - bound**2)
    strength = weight * info
    q = strength * free
    q[:-1] += strength[:-1] * bound[1:] ** 2 * free[1:]
    if len(info) > 1:
        q[0] -= strength[0] * bound[1] / (1.0 + bound[1])
        q[-1] -= strength[-1] * bound[-1] / (1.0 + bound[-1])
    p = np.zeros_like(info)
    p[1:] = -bound[1:] * free[1:] * np.sqrt(strength[1:] * strength[:-1])
    return q, p


@dataclass(frozen=True)
class Held:
    """What rests on something in T frames: C points, weighed.

    Attributes
    ----------
    mark : (C,) landmark of each point
    stay_info : (T, C) · 1/m², of the displacement since the frame before
    up_c : (3,) unit vector · camera axes, normal of the floor
    height_m : (C,) · m, of each point along it when it rests on the floor
    height_info : (T, C) · 1/m²
    """

    mark: np.ndarray
    stay_info: Floats
    up_c: Floats
    height_m: Floats
    height_info: Floats


def weigh(seen: Seen, weights: tuple[Floats, Floats], held: Held) -> kernel.Clip:
    """The kernel's view of the clip, with weights that stand still."""
    q3, p3 = _products(seen.info3, weights[0][..., None], seen.keep3[:, None, :])
    q2, p2 = _products(seen.info2, weights[1], seen.keep2[:, None])
    return kernel.Clip(
        seen.time, seen.marks3, q3, p3, seen.marks2, q2, p2, held.mark, held.stay_info, held.up_c, held.height_m,
        held.height_info, seen.focal, seen.centre,
    )  # fmt: skip
