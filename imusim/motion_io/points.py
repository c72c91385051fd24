"""From joint positions in some file's axes and unit to a Motion in the world."""

from __future__ import annotations

from typing import Any

import numpy as np

from imusim.errors import MotionFileError
from imusim.fitting.positions import skeleton_motion
from imusim.motion_io.clock import frame_times
from imusim.motion_io.layouts import Layout
from imusim.motion_io.world import find_world
from imusim.types import Floats, Motion


def from_points(
    points: Floats,
    layout: Layout,
    *,
    rate_hz: float,
    source: str,
    up: str | None = None,
    unit: str | None = None,
    time_s: Floats | None = None,
    on_floor: bool = False,
    metadata: dict[str, Any] | None = None,
) -> Motion:
    """Turn columns of positions into a plain skeleton in motion.

    Parameters
    ----------
    points : (T, P, 3) in the file's axes and unit; NaN where not seen
    layout : what the columns are

    Other Parameters
    ----------------
    rate_hz : of the frames; `time_s` (T,) · s instead, if the frames have their own times
    source : what to call the file in messages
    up, unit : what the user says
    on_floor : the file knows no floor: the lowest joint is put at z = 0
    metadata : of the motion
    """
    if points.ndim != 3 or points.shape[1:] != (len(layout.points), 3):
        raise MotionFileError(
            f"{source}: positions have shape {points.shape}, wanted (frames, {len(layout.points)}, 3)"
        )
    if points.shape[0] == 0:
        raise MotionFileError(f"{source}: the motion is empty")
    seen = points[(np.isfinite(points).sum(axis=2) == 3).sum(axis=1) > 0]
    if len(seen) == 0:
        raise MotionFileError(f"{source}: no joint is seen (no position is finite)")
    if not np.nanmax(np.nanmax(seen, axis=1) - np.nanmin(seen, axis=1)) > 0:
        raise MotionFileError(f"{source}: all joints are in one place")
    t = frame_times(len(points), rate_hz, source) if time_s is None else time_s
    joints = layout.positions(points)
    world = find_world(
        joints,
        layout.joints,
        layout.parents,
        up=layout.up,
        unit=layout.unit,
        given_up=up,
        given_unit=unit,
        source=source,
    )
    where = world.points(joints)
    if on_floor:
        where[..., 2] -= np.nanpercentile(where[..., 2].min(axis=1), 5)
    about = {**(metadata or {}), **world.about, "source": source}
    return skeleton_motion(
        t, where, layout.joints, layout.parents, hand_share=layout.hand_share,
        shoulder_share=layout.shoulder_share, noise_memory_s=layout.noise_memory_s, name=source, metadata=about,
    )  # fmt: skip
