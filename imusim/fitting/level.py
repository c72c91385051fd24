"""The floor under someone who is not on foot, known well enough to hold what rests on it."""

from __future__ import annotations

import numpy as np

from imusim.fitting import refine, world
from imusim.fitting.contact import Level
from imusim.fitting.focal import Focal
from imusim.fitting.gravity import estimate_up
from imusim.fitting.gravity_floor import rest_points
from imusim.fitting.skeleton import Skeleton
from imusim.types import PoseTrack


def find_level(
    track: PoseTrack,
    part: slice,
    skeleton: Skeleton,
    state: refine.State,
    posterior: refine.Posterior,
    focal: Focal,
    camera_tilt_deg: float | tuple[float, float] | None,
) -> Level | None:
    """Floor of a piece of the track as its first fit shows it; None for people on foot, or if too little rests.

    Parameters
    ----------
    track : pose track
    part : the piece's frames
    skeleton : the body
    state, posterior : first fit of these frames
    focal : focal length
    camera_tilt_deg : what the user knows of the camera
    """
    rot, joints, marks = refine.pose(skeleton, state)
    everywhere = np.full((track.time_s.size, *joints.shape[1:]), np.nan)
    everywhere[part] = joints
    valid = np.zeros(track.time_s.size, dtype=np.bool_)
    valid[part] = True
    rest = rest_points(marks, posterior.resting, track.time_s[part])
    names = skeleton.joint_names
    up = estimate_up(track, everywhere, names, valid, focal.px, None, focal.log_sd, rest)
    if not up.details["rests_on_floor"]:
        return None
    if camera_tilt_deg is not None:
        up = estimate_up(track, everywhere, names, valid, focal.px, camera_tilt_deg)
    axes = world.world_axes(up.up_c)
    height = world.floor_height(marks @ axes.T, world.lifts_of(skeleton, rot, axes[2]), posterior.resting)
    process = np.median(posterior.process, axis=0)
    return Level(axes[2].copy(), height, process)
