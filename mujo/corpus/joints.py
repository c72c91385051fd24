"""The pose modality: joint positions seen from the root, with a heading that means the same in every clip."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

import imusim as im


def pose_of(motion: im.Motion, time_s: NDArray[np.float64]) -> NDArray[np.float32]:
    """Joint positions of a motion, (T, J, 3) · m · z up, root at the origin, heading of the first frame along +y.

    Parameters
    ----------
    motion : any body with joints
    time_s : (T,) · s, instants; between frames positions are interpolated linearly, invalid frames are NaN
    """
    valid = np.asarray(motion.valid)
    q = np.where(valid[:, None, None], motion.joint_rotation_wxyz, (1.0, 0.0, 0.0, 0.0))
    root = np.zeros((valid.size, 3))
    posed = motion.body.pose(root, q, motion.shape, vertices=False)
    angle = -np.radians(_heading(posed.rotation[int(np.argmax(valid)), 0]))
    c, s = np.cos(angle), np.sin(angle)
    joints = posed.joints @ np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]]).T
    joints[~valid] = np.nan
    t = motion.time_s
    i = np.clip(np.searchsorted(t, time_s, side="right") - 1, 0, max(t.size - 2, 0))
    j = np.minimum(i + 1, t.size - 1)
    f = np.clip((time_s - t[i]) / np.maximum(t[j] - t[i], 1e-12), 0.0, 1.0)[:, None, None]
    out = np.where(f > 1e-9, (1.0 - f) * joints[i] + f * joints[j], joints[i])
    return out.astype(np.float32)


def heading_deg(motion: im.Motion) -> float:
    """Where the person faces in the first valid frame: degrees from +y, anticlockwise seen from above."""
    first = int(np.argmax(np.asarray(motion.valid)))
    q = motion.joint_rotation_wxyz[[first]]
    posed = motion.body.pose(np.zeros((1, 3)), q, motion.shape, vertices=False)
    return _heading(posed.rotation[0, 0])


def _heading(pelvis: NDArray[np.float64]) -> float:
    """Of a pelvis' forward axis or, if that is vertical, of where its up leans."""
    ahead = pelvis[:, 2]
    if np.hypot(*ahead[:2]) < 0.5:
        ahead = -np.sign(ahead[2]) * pelvis[:, 1]
    return float(np.degrees(np.arctan2(-ahead[0], ahead[1])))
