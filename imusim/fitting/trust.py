"""How far each joint's rotation can be trusted: standard deviations and confidence."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from imusim.fitting.landmarks import AT, FACE
from imusim.fitting.refine import Posterior
from imusim.fitting.skeleton import Skeleton
from imusim.types import Floats

FIXED_AXIS_SD = np.deg2rad(5.0)
"""Standard deviation of rotation about an axis that the fit does not move (a knee's twist, toes, fingers), rad."""
MODEL_SD = np.deg2rad(1.5)
"""What no posterior knows: landmarks are not joints, rad."""
DEPTH_MODEL_SD = 0.02
"""The same for the distance from the camera, as a fraction of it: it wanders slowly by 0.1 to 0.2 m."""
HALF_TRUST_SD = np.deg2rad(20.0)
GAP_CONFIDENCE = 0.3

_SEEN_BY = {
    "pelvis": ("hip", "shoulder"), "hip": ("hip", "knee"), "knee": ("knee", "ankle"),
    "ankle": ("ankle", "heel", "foot_index"),
    "foot": ("foot_index",), "collar": ("shoulder",), "shoulder": ("shoulder", "elbow"), "elbow": ("elbow", "wrist"),
    "wrist": ("wrist", "index", "pinky"), "hand": ("index", "pinky"),
}  # fmt: skip


def rotation_sd(skeleton: Skeleton, posterior: Posterior) -> Floats:
    """Standard deviation of each joint's own rotation, per axis (root mean square of three), (T, J) rad.

    Marginal over everything else in the clip. Axes that the fit holds fixed count with `FIXED_AXIS_SD`.
    """
    driven = skeleton.driven.astype(np.float64)
    total = posterior.unknowns @ driven.T
    free = 3.0 - driven.sum(axis=1)
    return np.sqrt((total + free * FIXED_AXIS_SD**2) / 3.0 + MODEL_SD**2)


def root_sd(posterior: Posterior, depth_m: Floats, axes: Floats) -> Floats:
    """Standard deviation of the root position along the world axes, (T, 3) m.

    What moves the whole clip together is not in it: focal length, height, the direction of up.

    Parameters
    ----------
    posterior : of the fit, camera axes
    depth_m : (T,) · m, distance along the camera's axis
    axes : (3, 3) R_wc, camera axes to world
    """
    covariance = posterior.root.copy()
    covariance[:, 2, 2] += (DEPTH_MODEL_SD * depth_m) ** 2
    return np.sqrt(np.diagonal(axes @ covariance @ axes.T, axis1=1, axis2=2))


def confidence(
    skeleton: Skeleton, sd: Floats, visibility: Floats, quality: Floats, seen: NDArray[np.bool_]
) -> Floats:
    """Confidence (T, J), 0 … 1: visibility of the joint's landmarks × quality of the frame × 1/(1 + (sd/20°)²).

    Parameters
    ----------
    skeleton : the body, J joints
    sd : (T, J) · rad
    visibility : (T, 33), 0 … 1, filled in unseen frames
    quality : (T,), 0 … 1
    seen : (T,) bool; frames bridged over a gap get 0.3 of it
    """
    columns = []
    for name in skeleton.joint_names:
        side, _, part = name.partition("_")
        if part in _SEEN_BY:
            marks = [AT[f"{side}_{n}"] for n in _SEEN_BY[part]]
        elif name in ("neck", "head"):
            marks = [AT[n] for n in FACE]
        else:
            marks = [AT[f"{s}_{n}"] for n in _SEEN_BY["pelvis"] for s in ("left", "right")]
        columns.append(visibility[:, marks].mean(axis=1))
    frame = np.where(seen, quality, GAP_CONFIDENCE)
    return np.clip(np.stack(columns, axis=1) * frame[:, None] / (1.0 + (sd / HALF_TRUST_SD) ** 2), 0.0, 1.0)
