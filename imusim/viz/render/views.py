"""From where a motion is looked at: as its own camera did, or from a camera that walks along."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from scipy.ndimage import gaussian_filter1d

from imusim.errors import ConfigError
from imusim.fitting.steady import turns
from imusim.rotation import to_matrix
from imusim.types import Floats, Motion
from imusim.viz.render.camera import Camera

VIEWS = {"front": 25.0, "side": 90.0, "back": 205.0}
"""View → where the camera stands, degrees round the person from straight ahead towards their left."""

_SMOOTH_S = 0.6
_LENS = 1.6  # focal length in picture heights
_ROOM = 1.3  # height of the picture in statures


def source_view(motion: Motion, size_px: tuple[int, int]) -> Callable[[int], Camera]:
    """Return frame number → the camera of the video that the motion was fitted to, scaled to `size_px`.

    Raises
    ------
    ConfigError
        If the motion has no camera.
    """
    known = motion.metadata.get("camera")
    if not known:
        raise ConfigError("this motion has no camera of its own. Use --view front, side or back.")
    centre = np.asarray(known["centre_px"], dtype=np.float64)
    scale = size_px[1] / (2.0 * centre[1])
    cameras: dict[str, Camera] = {}
    for shot, where in known["pose"].items():
        turn = np.asarray(where["R_wc"], dtype=np.float64).T
        cameras[str(shot)] = Camera(
            size_px,
            scale * float(known["focal_px"]),
            turn,
            -turn @ np.asarray(where["position_w_m"]),
            (scale * float(centre[0]), scale * float(centre[1])),
        )
    only = next(iter(cameras.values()))
    turned = turns(motion.metadata, motion.time_s.size)

    def camera(i: int) -> Camera:
        still = cameras.get(str(int(motion.shot[i])), only)
        if turned is None:
            return still
        back = turned[0][i].T
        return replace(still, R_cw=back @ still.R_cw, t_c_m=back @ still.t_c_m)

    return camera


def walking_view(motion: Motion, size_px: tuple[int, int], view: str) -> Callable[[int], Camera]:
    """Return frame number → a camera that keeps the person in the middle, from a side named in `VIEWS`.

    It turns with nothing: the side is that of the way the person faces on average.
    """
    if view not in VIEWS:
        raise ConfigError(f"view {view!r}, wanted source, {', '.join(VIEWS)}")
    seen = np.flatnonzero(motion.valid)
    if seen.size == 0:
        raise ConfigError("this motion has no valid frame: there is nothing to look at")
    root = np.stack(
        [np.interp(motion.time_s, motion.time_s[seen], motion.root_position_m[seen, k]) for k in range(3)],
        axis=1,
    )
    step = float(np.median(np.diff(motion.time_s))) if motion.time_s.size > 1 else 1.0
    path = gaussian_filter1d(root, max(_SMOOTH_S / step, 1e-3), axis=0, mode="nearest")
    ahead = to_matrix(motion.joint_rotation_wxyz[seen, 0])[:, :, 2].mean(axis=0)[:2]
    heading = np.arctan2(ahead[1], ahead[0]) if np.linalg.norm(ahead) > 1e-3 else -np.pi / 2
    angle = heading + np.radians(VIEWS[view])
    stature = _stature(motion)
    distance = _LENS * _ROOM * stature
    offset = distance * np.array([np.cos(angle), np.sin(angle), 0.0]) + [0.0, 0.0, 0.25 * stature]
    focal = _LENS * size_px[1]

    def camera(i: int) -> Camera:
        target = path[i] - [0.0, 0.0, 0.06 * stature]
        return Camera.looking_at(size_px, target + offset, target, focal_px=focal)

    return camera


def floor_height(lowest_m: Floats) -> float:
    """Height of the floor from the lowest point of each of some frames (N,): where the lowest of them are."""
    return float(np.quantile(lowest_m, 0.05)) if lowest_m.size else 0.0


def _stature(motion: Motion) -> float:
    rest = motion.body.rest_vertices(motion.shape if motion.shape.size else None)
    points = motion.body.rest_joints(motion.shape if motion.shape.size else None) if rest is None else rest
    return max(0.3, float(np.ptp(points, axis=0).max()))
