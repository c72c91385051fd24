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
UNSEEN_SD = np.deg2rad(35.0)
"""Of a joint none of whose landmarks is ever seen: about what `imusim.fitting.skeleton` believes of any pose, rad."""
_HALF_SEEN = 0.4  # visibility from which the posterior speaks for itself

_SEEN_BY = {
    "pelvis": ("hip", "shoulder"), "hip": ("hip", "knee"), "knee": ("knee", "ankle"),
    "ankle": ("ankle", "heel", "foot_index"),
    "foot": ("foot_index",), "collar": ("shoulder",), "shoulder": ("shoulder", "elbow"), "elbow": ("elbow", "wrist"),
    "wrist": ("wrist", "index", "pinky"), "hand": ("index", "pinky"),
}  # fmt: skip


def rotation_sd(skeleton: Skeleton, posterior: Posterior, visibility: Floats) -> Floats:
    """Standard deviation of each joint's own rotation, per axis (root mean square of three), (T, J) rad.

    Marginal over everything else in the clip. Axes that the fit holds fixed count with `FIXED_AXIS_SD`. What is hardly
    seen has the usual pose, and is as uncertain as people differ, however long it is not seen.

    Parameters
    ----------
    skeleton : the body, J joints
    posterior : of the fit
    visibility : (T, 33), 0 … 1, filled in unseen frames
    """
    driven = skeleton.driven.astype(np.float64)
    total = posterior.unknowns @ driven.T
    free = 3.0 - driven.sum(axis=1)
    hidden = UNSEEN_SD * np.clip(1.0 - _seen(skeleton, visibility) / _HALF_SEEN, 0.0, 1.0)
    return np.sqrt((total + free * FIXED_AXIS_SD**2) / 3.0 + MODEL_SD**2 + hidden**2)


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
    frame = np.where(seen, quality, GAP_CONFIDENCE)
    return np.clip(_seen(skeleton, visibility) * frame[:, None] / (1.0 + (sd / HALF_TRUST_SD) ** 2), 0.0, 1.0)


def _seen(skeleton: Skeleton, visibility: Floats) -> Floats:
    """Mean visibility of the landmarks that show each joint, (T, J)."""
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
    return np.stack(columns, axis=1)
