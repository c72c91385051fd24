"""How far a skeleton that was made of joint positions can be trusted: standard deviations and confidence."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from imusim.fitting.limb_twist import twist_sd
from imusim.fitting.skeleton_frames import Frames, through, unit
from imusim.fitting.skeleton_pose import HINGES
from imusim.fitting.trust import FIXED_AXIS_SD, HALF_TRUST_SD, MODEL_SD
from imusim.types import Floats

BRIDGED_SD = 0.1
"""Standard deviation of the position of a joint that was not seen, m."""
_LARGEST_SD = np.pi / np.sqrt(3.0)  # of an angle that nothing is known of


def position_sd(noise: Floats, shift: Floats, seen: NDArray[np.bool_]) -> Floats:
    """Standard deviation of joint positions, per axis (T, J) · m.

    Parameters
    ----------
    noise : (T, J) · m, posterior of the smoothing, per axis
    shift : (T, J, 3) · m, by how far each joint was moved so that bones keep their lengths: what the source's joints
        contradict each other by is an error of the source, slow or not
    seen : (T, J); where a joint is bridged it may be `BRIDGED_SD` away
    """
    return np.sqrt(noise**2 + (shift**2).mean(axis=(0, 2))[None] + np.where(seen, 0.0, BRIDGED_SD) ** 2)


def rotation_sd(frames: Frames, bones: Floats, sd: Floats) -> Floats:
    """Standard deviation of each joint's rotation, per axis (root mean square of three), (T, J) · rad.

    Across a bone the errors of its two ends over its length; about it what the plane of an elbow or knee tells, and no more
    than `FIXED_AXIS_SD` where the twist is taken from the segment above. Each joint's own share: the errors of the joints
    above are not in it.

    Parameters
    ----------
    frames : J joints
    bones : (T, J, 3) · m, vectors from the parents
    sd : (T, J) · m, of the joints' positions
    """
    out = np.full(sd.shape, FIXED_AXIS_SD)
    for j in range(len(frames.names)):
        ends = through(frames, j)
        if not ends:
            continue
        lever = np.sqrt((frames.rest[ends] ** 2).sum())
        across = np.sqrt(sd[:, j] ** 2 + (sd[:, ends] ** 2).mean(axis=1)) / max(lever, 1e-3)
        about = np.full(len(sd), FIXED_AXIS_SD) if len(ends) == 1 else across
        for ball, (_, end, _) in HINGES.items():
            if frames.smpl.get(ball) == j and end in frames.smpl:
                bend = np.cross(unit(bones[:, ends[0]]), unit(bones[:, frames.smpl[end]]))
                about = twist_sd(np.linalg.norm(bend, axis=1), ball)
        out[:, j] = np.sqrt((2.0 * across**2 + about**2) / 3.0 + MODEL_SD**2)
    return np.minimum(out, _LARGEST_SD)


def confidence(sd: Floats, seen: NDArray[np.bool_], share: Floats, valid: NDArray[np.bool_]) -> Floats:
    """Confidence (T, J), 0 … 1: how often the joint is seen × (0.3 where it is not) × 1/(1 + (sd/20°)²).

    Parameters
    ----------
    sd : (T, J) · rad
    seen : (T, J)
    share : (J,) of the frames in which the joint is seen
    valid : (T,)
    """
    known = np.clip(share, 0.0, 1.0)[None] * np.where(seen, 1.0, 0.3) * valid[:, None]
    return known / (1.0 + (np.where(valid[:, None], sd, 0.0) / HALF_TRUST_SD) ** 2)
