"""Joints of a fitted motion back in the picture."""

from __future__ import annotations

import numpy as np

from imusim import rotation
from imusim.errors import ConfigError
from imusim.fitting.steady import turned_px, turns
from imusim.types import Floats, Motion


def joints_world(motion: Motion) -> Floats:
    """Joint positions (T, J, 3) · m · W of a motion; NaN where it is not valid."""
    rest = motion.body.rest_joints(motion.shape)
    local = rotation.to_matrix(motion.joint_rotation_wxyz)
    parents = motion.body.parents
    turn = np.empty_like(local)
    place = np.empty((*local.shape[:2], 3))
    for j, k in enumerate(parents):
        if k < 0:
            turn[:, j], place[:, j] = local[:, j], motion.root_position_m
        else:
            turn[:, j] = turn[:, k] @ local[:, j]
            place[:, j] = place[:, k] + turn[:, k] @ (rest[j] - rest[k])
    place[~motion.valid] = np.nan
    return place


def joints_px(motion: Motion) -> Floats:
    """Pixels (T, J, 2) of a fitted motion's joints in its own video (upright image); NaN where not valid.

    Raises
    ------
    ConfigError
        If the motion was not fitted to a video, so that no camera is known.
    """
    camera = motion.metadata.get("camera")
    if not camera:
        raise ConfigError(
            "this motion has no camera: only motions that im.fit made from a video can be projected"
        )
    points = joints_world(motion)
    out = np.full((*points.shape[:2], 2), np.nan)
    for shot, where in camera["pose"].items():
        frames = (motion.shot == int(shot)) & motion.valid
        p = (points[frames] - np.asarray(where["position_w_m"])) @ np.asarray(where["R_wc"])
        out[frames] = camera["focal_px"] * p[..., :2] / p[..., 2:] + np.asarray(camera["centre_px"])
    turned = turns(motion.metadata, motion.time_s.size)
    if turned is not None:
        out = turned_px(out, np.swapaxes(turned[0], 1, 2), np.asarray(camera["centre_px"]), turned[1])
    return out
