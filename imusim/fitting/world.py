"""From the camera's axes to the world's: up, the floor at zero, the camera's heading."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imusim.fitting.landmarks import AT, CONTACTS, LIFT_M
from imusim.fitting.skeleton import Skeleton
from imusim.types import Floats


@dataclass(frozen=True)
class CameraPose:
    """Where the camera is: p_w = R_wc p_c + position_w.

    Attributes
    ----------
    R_wc : (3, 3) camera axes (x right, y down, z away) to world (z up)
    position_w : (3,) · m
    """

    R_wc: Floats
    position_w: Floats


def world_axes(up_c: Floats) -> Floats:
    """R_wc (3, 3): world z along `up_c` (3,) (unit, camera axes), world y where the camera looks, horizontally.

    A camera that looks straight up or down has no heading; the top of its picture is taken instead.
    """
    up = np.asarray(up_c, dtype=np.float64) / np.linalg.norm(up_c)
    for ahead in ((0.0, 0.0, 1.0), (0.0, -1.0, 0.0)):
        y = np.asarray(ahead) - (np.asarray(ahead) @ up) * up
        if np.linalg.norm(y) > 0.1:
            break
    y /= np.linalg.norm(y)  # pyright: ignore[reportPossiblyUnboundVariable]
    return np.stack([np.cross(y, up), y, up])


_SAME_FLOOR_M = 0.04
_FEET = 4  # of CONTACTS, the first


def lifts(skeleton: Skeleton) -> Floats:
    """How far above the floor each of `landmarks.CONTACTS` is when it rests, (C,) m; feet flat."""
    rest = skeleton.marks
    ground = rest[AT["left_heel"], 1] - skeleton.sole_m
    out = LIFT_M.copy()
    out[:_FEET] = [rest[AT[n], 1] - ground for n in CONTACTS[:_FEET]]
    return out


def lifts_of(skeleton: Skeleton, rot: Floats, up: Floats) -> Floats:
    """The same, (T, C) m, of feet and hips as they are turned: what is lowest of the skin around them is on the floor.

    Parameters
    ----------
    skeleton : the body
    rot : (T, J, 3, 3), joint rotations to some axes
    up : (3,) unit vector, in those axes
    """
    out = np.tile(lifts(skeleton), (len(rot), 1))
    for number, (joint, skin) in skeleton.under.items():
        out[:, number] = -((rot[:, joint].swapaxes(1, 2) @ up) @ skin.T).min(axis=1)
    return out


def floor_height(marks_w: Floats, lift_m: Floats, resting: Floats) -> float:
    """Height of the floor, m: the median of the lowest of what rests; if nothing rests, a low quantile of the feet.

    Parameters
    ----------
    marks_w : (N, 33, 3) · m · axes with z up, any origin
    lift_m : (N, C) · m, how far above the floor each of `landmarks.CONTACTS` is if it rests (`lifts_of`)
    resting : (N, C), 0 … 1, how surely each of `landmarks.CONTACTS` rests
    """
    under = marks_w[:, [AT[n] for n in CONTACTS], 2] - lift_m
    still = resting > 0.5
    some = still.any(axis=1)
    if some.sum() < 5:
        return float(np.quantile(under[:, :_FEET].min(axis=1), 0.1))
    low = np.where(still, under, np.inf)[some]
    near = (
        low < low.min(axis=1, keepdims=True) + _SAME_FLOOR_M
    )  # a raised heel, a knee, a seat on a chair are not
    return float(np.median([row[keep].mean() for row, keep in zip(low, near, strict=True)]))


def place(
    skeleton: Skeleton,
    up_c: Floats,
    root_c: Floats,
    rot_c: Floats,
    marks_c: Floats,
    resting: Floats,
    seen: NDArray[np.bool_],
) -> CameraPose:
    """Camera pose such that the floor is at z = 0 and the person starts at x = y = 0.

    Parameters
    ----------
    skeleton : the body
    up_c : (3,) unit, camera axes
    root_c : (N, 3) · m · camera axes, root joint
    rot_c : (N, J, 3, 3), joint rotations to camera axes
    marks_c : (N, 33, 3) · m · camera axes, fitted landmarks
    resting : (N, C), 0 … 1, how surely each of `landmarks.CONTACTS` rests
    seen : (N,) bool, frames with a person
    """
    axes = world_axes(up_c)
    marks = marks_c @ axes.T
    floor = floor_height(marks[seen], lifts_of(skeleton, rot_c[seen], axes[2]), resting[seen])
    first = root_c[int(np.argmax(seen))] @ axes.T
    return CameraPose(axes, np.array([-first[0], -first[1], -floor]))
