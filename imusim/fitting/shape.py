"""How big the person is: body shape from bone lengths and height, and the estimator's bones made to match.

The world landmarks of a single camera have bones that are too short or long by up to a third and flicker; what can
be trusted is the height that the user gives and, mildly, the proportions. So the shape β minimises

    Σ_b ((s ℓ_b − L_b(β)) / (σ L_b))² + |β|²      with   stature(β) = height,

where ℓ_b are robust median lengths, L_b(β) the body's (near linear in β), s the unknown scale of the
estimator's person. Every bone of the landmarks is then stretched to the body's length, one factor a clip.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from imusim.errors import UnitError
from imusim.fitting.landmarks import AT, FACE, BodyMarks, stature
from imusim.types import Body, Floats

ADULT_HEIGHT_M = (1.70, 0.10)
"""Mean and sd of adult stature, both sexes (near the middle of NCD-RisC 2016, eLife 5:e13410): used without a height."""
ESTIMATOR_SCALE = (1.06, 0.07)
"""How much larger an adult is than BlazePose's world landmarks, mean and sd: weakly informs the height."""
CHILD_HEIGHT_M = (1.33, 0.26)
"""The same of people from 2 to 17 years (medians of the WHO's growth references: 0.87 to 1.70 m)."""
CHILD_SCALE_SD = 0.25
"""Of a child: whether the estimator gives it its own size or an adult's is not known."""
CHILD_SHARE = 0.1
"""How many of the people in clips are children: a guess."""
_BONE_SD = 0.06
_HEIGHT_SD_M = 1e-5  # as good as exact
_IN_PLANE_SD_M, _DEPTH_SD_M = 0.03, 0.09

_SIDES = ("left", "right")
# parent → child landmarks; a tuple is the middle of several. Order matters: parents are placed before children.
_PAIRS = (
    (("left_hip", "right_hip"), ("left_shoulder", "right_shoulder"), "trunk"),
    *((("left_hip", "right_hip"), (f"{s}_hip",), "hip") for s in _SIDES),
    *((("left_shoulder", "right_shoulder"), (f"{s}_shoulder",), "shoulder") for s in _SIDES),
    *(((f"{s}_{a}",), (f"{s}_{b}",), b)
      for a, b in (("shoulder", "elbow"), ("elbow", "wrist"), ("wrist", "pinky"), ("wrist", "index"),
                   ("hip", "knee"), ("knee", "ankle"), ("ankle", "heel"), ("ankle", "foot_index"))
      for s in _SIDES),
)  # fmt: skip
_SHAPE_BONES = ("trunk", "hip", "shoulder", "elbow", "wrist", "knee", "ankle")


@dataclass(frozen=True)
class ShapeFit:
    """Result of `fit_shape`.

    Attributes
    ----------
    shape : (B,) shape coefficients
    height_m : stature of that shape
    height_sd_m : standard deviation of the person's; 0 if the height was given
    scale : the person's size over the estimator's
    """

    shape: Floats
    height_m: float
    height_sd_m: float
    scale: float


def check_height(height_m: float | None) -> float | None:
    """Return a plausible height in metres, or raise.

    Raises
    ------
    UnitError
        If it is not between 0.5 and 2.5 m.
    """
    if height_m is None:
        return None
    try:
        value = float(height_m)
    except (TypeError, ValueError):
        raise UnitError(f"height_m={height_m!r} is not a number; wanted metres, as height_m=1.7") from None
    if 0.5 <= value <= 2.5:
        return value
    for scale, unit in ((0.01, "centimetres"), (0.001, "millimetres"), (0.0254, "inches"), (0.3048, "feet")):
        if 1.2 <= value * scale <= 2.3:
            raise UnitError(
                f"height_m={value:g} looks like {unit}; wanted metres. Did you mean {value * scale:.2f}?"
            )
    if 1.2 <= value / 10 <= 2.3:
        raise UnitError(f"height_m={value:g} is no human height in metres. Did you mean {value / 10:.2f}?")
    raise UnitError(f"height_m={value:g} is no human height; wanted metres between 0.5 and 2.5")


def _middle(points: Floats, names: tuple[str, ...]) -> Floats:
    return points[..., [AT[n] for n in names], :].mean(axis=-2)


def _weighted_median(values: Floats, weights: Floats) -> float:
    order = np.argsort(values, kind="stable")
    total = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(total, 0.5 * total[-1])])


def bone_lengths(marks: Floats, trust: Floats) -> dict[str, float]:
    """Robust median length of each bone, m, both sides together.

    A length is trusted by how much of it lies in the image plane and by its landmarks.

    Parameters
    ----------
    marks : (N, 33, 3) · m · camera axes, finite
    trust : (N, 33), 0 … 1
    """
    lengths: dict[str, list[Floats]] = {}
    weights: dict[str, list[Floats]] = {}
    for near, far, name in _PAIRS:
        v = _middle(marks, far) - _middle(marks, near)
        length = np.linalg.norm(v, axis=-1)
        along = (v[..., 2] / np.maximum(length, 1e-6)) ** 2
        sd2 = along * _DEPTH_SD_M**2 + (1 - along) * _IN_PLANE_SD_M**2
        seen = np.minimum.reduce([trust[:, AT[n]] for n in (*near, *far)])
        lengths.setdefault(name, []).append(length)
        weights.setdefault(name, []).append(np.maximum(seen, 1e-3) / sd2)
    return {
        name: max(_weighted_median(np.concatenate(lengths[name]), np.concatenate(weights[name])), 1e-3)
        for name in lengths
    }


def _body_lengths(marks: Floats) -> dict[str, float]:
    found: dict[str, list[float]] = {}
    for near, far, name in _PAIRS:
        found.setdefault(name, []).append(float(np.linalg.norm(_middle(marks, far) - _middle(marks, near))))
    return {name: float(np.mean(v)) for name, v in found.items()}


def likely_height(size_m: float) -> tuple[float, float]:
    """Mean and standard deviation of stature, m, of someone whose world landmarks are as large as a body of `size_m`.

    A mixture of adults and children on a grid of statures H, each with its own distribution of the estimator's scale
    H / size (density of the size given H: that of the scale times H / size²).
    """
    height = np.arange(0.6, 2.3, 0.005)
    scale = height / size_m
    weight = np.zeros_like(height)
    mean_scale, sd_scale = ESTIMATOR_SCALE
    for share, (mean, sd), spread in (
        (1.0 - CHILD_SHARE, ADULT_HEIGHT_M, sd_scale),
        (CHILD_SHARE, CHILD_HEIGHT_M, CHILD_SCALE_SD),
    ):
        off = ((height - mean) / sd) ** 2 + ((scale - mean_scale) / spread) ** 2
        weight += share * height * np.exp(-0.5 * off) / (sd * spread)
    weight /= weight.sum()
    found = float(weight @ height)
    return found, float(np.sqrt(weight @ (height - found) ** 2))


def fit_shape(body: Body, marks: BodyMarks, seen: dict[str, float], height_m: float | None) -> ShapeFit:
    """Find the shape of `body` from the median bone lengths `seen` (m) and the height (m; None: estimated)."""
    names = [b for b in _SHAPE_BONES if b in seen]
    observed = np.array([seen[b] for b in names])
    if body.n_shape == 0:
        beta = np.zeros(0)
        lengths = _body_lengths(marks.positions(body, beta))
        return ShapeFit(
            beta, stature(body, beta), 0.0, float(np.median([lengths[b] / seen[b] for b in names]))
        )
    if height_m is not None:
        beta, scale = _shape_of(body, marks, names, observed, height_m)
        return ShapeFit(beta, stature(body, beta), 0.0, scale)
    usual = ADULT_HEIGHT_M[0]  # proportions do not depend on it
    mean, sd = likely_height(usual / _shape_of(body, marks, names, observed, usual)[1])
    beta, scale = _shape_of(body, marks, names, observed, mean)
    return ShapeFit(beta, stature(body, beta), sd, scale)


def _shape_of(
    body: Body, marks: BodyMarks, names: list[str], observed: Floats, height_m: float
) -> tuple[Floats, float]:
    """Shape (B,) of that height with bones most like those observed (m), and the scale between them."""
    n = body.n_shape
    beta, scale = np.zeros(n), 1.0
    # landmarks are linear in the shape, stature nearly so
    rest = marks.positions(body, beta)
    slopes = np.stack([marks.positions(body, e) - rest for e in np.eye(n)])
    slope = np.array([stature(body, e) for e in np.eye(n)]) - stature(body, beta)

    def lengths_of(shape: Floats) -> Floats:
        lengths = _body_lengths(rest + np.tensordot(shape, slopes, axes=1))
        return np.array([lengths[b] for b in names])

    for _ in range(4):
        now = lengths_of(beta)
        tall = stature(body, beta)
        jac = np.stack([(lengths_of(beta + 0.5 * e) - lengths_of(beta - 0.5 * e)) for e in np.eye(n)], axis=1)
        sd = _BONE_SD * now
        # unknowns (β, s): lengths, ridge, stature
        rows = np.hstack([jac / sd[:, None], -(observed / sd)[:, None]])
        rows = np.vstack([rows, np.eye(n, n + 1), np.append(slope, 0.0) / _HEIGHT_SD_M])
        right = np.concatenate(
            [(jac @ beta - now) / sd, np.zeros(n), [(height_m - tall + slope @ beta) / _HEIGHT_SD_M]]
        )
        solution = np.linalg.lstsq(rows, right, rcond=None)[0]
        beta, scale = np.array(solution[:-1], dtype=np.float64), float(solution[-1])
    return beta, scale


def stretch(marks: Floats, seen: dict[str, float], body_marks: Floats) -> Floats:
    """Stretch every bone of landmarks (T, 33, 3) by one factor a clip so that medians agree with the body's (33, 3).

    The head keeps its form, scaled, and follows the middle of the shoulders. NaN stays NaN.
    """
    wanted = _body_lengths(body_marks)
    out = marks.copy()
    moved: dict[tuple[str, ...], Floats] = {
        ("left_hip", "right_hip"): _middle(marks, ("left_hip", "right_hip"))
    }
    for near, far, name in _PAIRS:
        start = moved[near]
        end = start + wanted[name] / seen[name] * (_middle(marks, far) - _middle(marks, near))
        moved[far] = end
        if len(far) == 1:
            out[:, AT[far[0]]] = end
    shoulders = ("left_shoulder", "right_shoulder")
    scale = wanted["trunk"] / seen["trunk"]
    for side in _SIDES:
        out[:, AT[f"{side}_thumb"]] = out[:, AT[f"{side}_wrist"]] + (
            marks[:, AT[f"{side}_thumb"]] - marks[:, AT[f"{side}_wrist"]]
        )
    face = [AT[n] for n in FACE]
    out[:, face] = moved[shoulders][:, None] + scale * (marks[:, face] - _middle(marks, shoulders)[:, None])
    return out
