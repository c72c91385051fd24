"""Truth of a made motion: landmarks and what ideal sensors on it measure; and the same of an estimate."""

from __future__ import annotations

from functools import cache

import numpy as np

import imusim as im
from benchmarks.fit.motions import Made
from imusim import rotation
from imusim._kernels.fit_chain import place_landmarks
from imusim.fitting import landmarks, skeleton
from imusim.types import Floats, Motion

PLACES = ("left_wrist", "right_wrist", "left_ankle", "right_thigh", "pelvis", "sternum")


@cache
def _chain():
    body = im.open_body()
    return skeleton.build_skeleton(body, np.zeros(body.n_shape), landmarks.body_marks(body)).chain


def marks_of(motion: Motion) -> Floats:
    """BlazePose's landmarks (T, 33, 3) · m · world on a motion of the (mean) open body."""
    chain, parents = _chain(), motion.body.parents
    local = rotation.to_matrix(motion.joint_rotation_wxyz)
    rot, pos = np.empty_like(local), np.empty(local.shape[:3])
    for j, k in enumerate(parents):
        if k < 0:
            rot[:, j], pos[:, j] = local[:, j], motion.root_position_m
        else:
            rot[:, j] = rot[:, k] @ local[:, j]
            pos[:, j] = pos[:, k] + rot[:, k] @ chain.offset[j]
    marks = np.zeros((motion.time_s.size, len(landmarks.NAMES), 3))
    for t in range(motion.time_s.size):
        place_landmarks(chain, rot[t], pos[t], marks[t])
    return marks


def frames(made: Made, fps: float) -> tuple[Floats, Floats]:
    """Times and landmarks (T, 33, 3) · m · world at a video's frame rate."""
    motion = made.motion
    rate = round(1.0 / float(motion.time_s[1] - motion.time_s[0]))
    pick = slice(None, None, round(rate / fps))
    part = Motion(
        motion.time_s[pick], motion.root_position_m[pick], motion.joint_rotation_wxyz[pick], motion.body
    )
    return part.time_s.copy(), marks_of(part)


def signals(motion: Motion, smoothing: str = "auto", time_s: Floats | None = None):
    """What ideal sensors at `PLACES` measure, at 100 Hz or at the given instants."""
    return im.simulate(motion, list(PLACES), sensor="ideal", rate_hz=100, smoothing=smoothing, time_s=time_s)
