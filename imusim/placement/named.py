"""The named places, and groups of them. Each side is written once and mirrored."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from imusim.errors import unknown_name
from imusim.types import Placement

Vector = tuple[float, float, float]

LEFT: Vector = (1.0, 0.0, 0.0)
UP: Vector = (0.0, 1.0, 0.0)
DOWN: Vector = (0.0, -1.0, 0.0)
FRONT: Vector = (0.0, 0.0, 1.0)
BACK: Vector = (0.0, 0.0, -1.0)

FIMAD16 = (
    "left_hip_joint",
    "right_hip_joint",
    "left_knee_joint",
    "right_knee_joint",
    "left_ankle_joint",
    "right_ankle_joint",
    "spine1_joint",
    "spine2_joint",
    "spine3_joint",
    "head_joint",
    "left_shoulder_joint",
    "right_shoulder_joint",
    "left_elbow_joint",
    "right_elbow_joint",
    "left_wrist_joint",
    "right_wrist_joint",
)
"""Sixteen joints: hips, knees, ankles, three points of the spine, head, shoulders, elbows, wrists."""

BODY17 = (
    "pelvis",
    "sternum",
    "head",
    "left_shoulder",
    "right_shoulder",
    "left_upper_arm",
    "right_upper_arm",
    "left_forearm",
    "right_forearm",
    "left_hand",
    "right_hand",
    "left_thigh",
    "right_thigh",
    "left_shin",
    "right_shin",
    "left_foot",
    "right_foot",
)
"""One sensor on each of the 17 segments that full-body inertial motion capture suits instrument."""


@cache
def _table() -> dict[str, Placement]:
    table: list[Placement] = []
    for place in (*_LIMBS, *_SIDED):
        left = replace(place, name=f"left_{place.name}")
        table += [left, left.mirrored()]
    table += [*_MIDDLE, *_JOINTS]
    return {p.name: p for p in table}


def placements() -> dict[str, Placement]:
    """Return the named places, name → `Placement`. The dictionary is yours to change."""
    return dict(_table())


def placement(name: str) -> Placement:
    """Return one named place.

    Raises
    ------
    UnknownNameError
        With the nearest names.
    """
    try:
        return _table()[name]
    except KeyError:
        raise unknown_name("placement", name, [*_table(), *groups()]) from None


def groups() -> dict[str, tuple[str, ...]]:
    """Return the groups, name → names: "fimad" (16 joints), "body17" (17 segments), "all" (every place on the skin)."""
    return {
        "fimad": FIMAD16,
        "body17": BODY17,
        "all": tuple(n for n, p in _table().items() if p.on == "skin"),
    }


def group(name: str) -> tuple[str, ...]:
    """Return the names in a group.

    Raises
    ------
    UnknownNameError
        With the nearest names.
    """
    try:
        return groups()[name.lower()]
    except KeyError:
        raise unknown_name("group of placements", name, groups()) from None


def frame(x: Vector, z: Vector) -> tuple[Vector, Vector, Vector]:
    """Axes (rows x, y, z) with z outward and x as near to the given direction as that allows; y = z × x."""
    import numpy as np

    out = np.asarray(z, dtype=np.float64) / np.linalg.norm(z)
    along = np.asarray(x, dtype=np.float64)
    along = along - out * (out @ along)
    along /= np.linalg.norm(along)
    rows = np.stack([along, np.cross(out, along), out]) + 0.0
    return tuple(tuple(float(v) for v in row) for row in rows)  # pyright: ignore[reportReturnType]


def _cross(a: Vector, b: Vector) -> Vector:
    return (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])


def _place(
    name: str,
    joint: str,
    along: float,
    toward: Vector,
    x: Vector,
    top: Vector,
    description: str,
    *,
    child: str | None = None,
    lift_m: float = 0.005,
    offset_m: Vector = (0.0, 0.0, 0.0),
) -> Placement:
    """Left or middle place: x distal; `top` is where the top edge of a device points."""
    return Placement(
        name,
        joint,
        along=along,
        toward=toward,
        offset_m=offset_m,
        lift_m=lift_m,
        axes_xyz=frame(x, toward),
        device_xyz=frame(_cross(top, toward), toward),
        child=child,
        description=description,
    )


_WATCH_TOP = BACK  # 12 o'clock: away from the wearer when the forearm lies across the chest

_LIMBS = (
    _place(
        "wrist",
        "left_elbow",
        0.90,
        UP,
        LEFT,
        _WATCH_TOP,
        "back of the wrist, where a watch is worn",
        child="left_wrist",
    ),
    _place(
        "forearm",
        "left_elbow",
        0.45,
        UP,
        LEFT,
        _WATCH_TOP,
        "back of the forearm, half way",
        child="left_wrist",
    ),
    _place(
        "upper_arm",
        "left_shoulder",
        0.55,
        UP,
        LEFT,
        (-1.0, 0.0, 0.0),
        "outside of the upper arm, where a phone band is worn",
        child="left_elbow",
    ),
    _place("hand", "left_wrist", 0.60, UP, LEFT, _WATCH_TOP, "back of the hand"),
    _place("thigh", "left_hip", 0.55, FRONT, DOWN, UP, "front of the thigh, half way", child="left_knee"),
    _place("shin", "left_knee", 0.40, FRONT, DOWN, UP, "front of the shin", child="left_ankle"),
    _place(
        "calf", "left_knee", 0.35, BACK, DOWN, UP, "back of the lower leg, on the calf", child="left_ankle"
    ),
    _place(
        "ankle",
        "left_knee",
        0.90,
        LEFT,
        DOWN,
        UP,
        "outside of the leg, just above the ankle",
        child="left_ankle",
    ),
    _place("foot", "left_ankle", 0.55, UP, FRONT, FRONT, "instep, on the laces", child="left_foot"),
    _place(
        "heel",
        "left_ankle",
        0.0,
        BACK,
        UP,
        UP,
        "back of the heel",
        child="left_foot",
        offset_m=(0.0, -0.03, 0.0),
    ),
)

_SIDED = (
    _place(
        "pocket",
        "left_hip",
        0.16,
        (0.45, 0.0, 0.9),
        DOWN,
        UP,
        "front trouser pocket: phone upright, screen outward",
        child="left_knee",
        lift_m=0.008,
    ),
    _place(
        "back_pocket",
        "left_hip",
        0.0,
        BACK,
        DOWN,
        UP,
        "back trouser pocket: phone upright, screen outward",
        child="left_knee",
        lift_m=0.008,
    ),
    _place(
        "hip",
        "pelvis",
        0.0,
        LEFT,
        UP,
        UP,
        "side of the pelvis, on the belt",
        child="spine1",
        offset_m=(0.0, 0.02, 0.0),
    ),
    _place(
        "shoulder",
        "left_collar",
        0.75,
        UP,
        LEFT,
        (-1.0, 0.0, 0.0),
        "top of the shoulder, on the shoulder blade's ridge",
        child="left_shoulder",
    ),
    _place(
        "ear",
        "head",
        0.0,
        LEFT,
        UP,
        UP,
        "in the ear, where an earbud is worn",
        lift_m=0.0,
        offset_m=(0.0, 0.02, 0.008),
    ),
)

_MIDDLE = (
    _place("head", "head", 0.0, FRONT, UP, UP, "forehead, on a headband", offset_m=(0.0, 0.085, 0.0)),
    _place("neck", "neck", 0.2, BACK, UP, UP, "nape of the neck", child="head"),
    _place("sternum", "spine3", 0.40, FRONT, UP, UP, "breastbone", child="neck"),
    _place(
        "chest",
        "spine3",
        -0.22,
        FRONT,
        UP,
        UP,
        "front of the chest, under the breastbone, on a strap",
        child="neck",
    ),
    _place("upper_back", "spine3", 0.30, BACK, UP, UP, "between the shoulder blades", child="neck"),
    _place("lower_back", "spine1", 0.0, BACK, UP, UP, "small of the back, L3 to L5", child="spine2"),
    _place("pelvis", "pelvis", 0.0, BACK, UP, UP, "sacrum", child="spine1", offset_m=(0.0, 0.01, 0.0)),
    _place("waist", "pelvis", 0.5, FRONT, UP, UP, "front of the waist, on the belt buckle", child="spine1"),
)

_JOINTS = tuple(
    Placement(
        name,
        name.removesuffix("_joint"),
        on="bone",
        description=f"{name.removesuffix('_joint').replace('_', ' ')} joint, turning with the segment below it",
    )
    for name in FIMAD16
)
