"""Which way is up in a file, and in which unit it is: what the format says, checked against the person in it."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imusim.errors import ConfigError, QualityWarning, UnitError
from imusim.fitting.skeleton_frames import smpl_joints
from imusim.types import Floats

UNITS = {"m": 1.0, "cm": 0.01, "mm": 0.001, "in": 0.0254, "cmu": 0.0254 / 0.45}
"""Metres to a unit. "cmu": the inch over 0.45 of CMU's ASF files."""

_UP = {
    "z": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "y": ((1, 0, 0), (0, 0, -1), (0, 1, 0)),
    "x": ((0, 1, 0), (0, 0, 1), (1, 0, 0)),
    "-z": ((1, 0, 0), (0, -1, 0), (0, 0, -1)),
    "-y": ((1, 0, 0), (0, 0, 1), (0, -1, 0)),
    "-x": ((0, 0, 1), (0, 1, 0), (-1, 0, 0)),
}
"""Rotation (3, 3) that takes a file's axes to the world's, by the axis that points up in the file."""

# Bones against stature (Drillis and Contini 1966).
_OF_STATURE = {
    ("hip", "knee"): 0.245, ("knee", "ankle"): 0.246, ("shoulder", "elbow"): 0.18, ("elbow", "wrist"): 0.146,
}  # fmt: skip
_PEOPLE = (0.75, 2.35)  # statures that are believed without a word · m
_ADULT = 1.7
_UPRIGHT = np.cos(np.radians(50.0))


def check_unit(unit: str) -> str:
    """Return the name of a unit.

    Raises
    ------
    ConfigError
        If there is none of that name.
    """
    if unit not in UNITS:
        raise ConfigError(f"unit={unit!r}, wanted one of {', '.join(UNITS)}")
    return unit


@dataclass(frozen=True)
class World:
    """How a file's coordinates become the world's: ``x_w = metres · axes @ x``.

    Parameters
    ----------
    axes : (3, 3), rotation from the file's axes to the world's
    metres : metres to the file's unit
    about : for the metadata, JSON-ready: up, unit, stature_m, said
    """

    axes: Floats
    metres: float
    about: dict[str, Any]

    def points(self, x: Floats) -> Floats:
        """Points (..., 3) of the file in the world, m."""
        return self.metres * (x @ self.axes.T)


def find_world(
    points: Floats,
    names: tuple[str, ...],
    parents: NDArray[np.int64],
    *,
    up: str,
    unit: str | None,
    given_up: str | None = None,
    given_unit: str | None = None,
    source: str = "file",
) -> World:
    """Decide on the axis that points up and the unit.

    Parameters
    ----------
    points : (T, J, 3), joints in the file's axes and unit; NaN where not seen
    names, parents : J joints
    up : what the format says: "x", "y", "z", "-x", "-y", "-z"
    unit : what the format says, a key of `UNITS`; None: it says nothing
    given_up, given_unit : what the user says; nothing is checked then
    source : what to call the file in messages

    Raises
    ------
    ConfigError
        If a given axis or unit does not exist.
    UnitError
        If the size of the person fits no unit.

    Warns
    -----
    QualityWarning
        Where the person contradicts what the format says; the person is believed.
    """
    if given_unit is not None:
        check_unit(given_unit)
    if given_up is not None and given_up not in _UP:
        raise ConfigError(f"up={given_up!r}, wanted one of {', '.join(_UP)}")
    some = points[:: max(1, len(points) // 500)]
    smpl = smpl_joints(names, parents)
    said: list[str] = []
    chosen_unit, stature = _unit(some, smpl, parents, unit, given_unit, source, said)
    chosen_up = given_up or _upwards(some, smpl, up, source, said)
    for text in said:
        warnings.warn(QualityWarning(text), stacklevel=3)
    about = {"up": chosen_up, "unit": chosen_unit, "stature_m": stature, "said": said}
    return World(np.array(_UP[chosen_up], dtype=np.float64), UNITS[chosen_unit], about)


def _unit(
    points: Floats,
    smpl: dict[str, int],
    parents: NDArray[np.int64],
    unit: str | None,
    given: str | None,
    source: str,
    said: list[str],
) -> tuple[str, float | None]:
    """Unit, and the person's stature in metres if the bones tell."""
    size = _stature(points, smpl, parents)
    if given is not None:
        return given, None if size is None else size * UNITS[given]
    if size is None:
        if unit is None:
            raise UnitError(f"{source}: no limb to take the person's size from. Give unit= (m, cm, mm).")
        return unit, None
    low, high = _PEOPLE
    if unit is not None and low <= size * UNITS[unit] <= high:
        return unit, size * UNITS[unit]
    order = [u for u in ("cm", "m", "mm") if low <= size * UNITS[u] <= high]
    if not order and unit is None:
        order = [u for u in ("in", "cmu") if low <= size * UNITS[u] <= high]
    if not order:
        raise UnitError(
            f"{source}: the person would be {size:.3g} m, {size / 100:.3g} m (from cm) or {size / 1000:.3g} m (from mm) "
            "tall. Give unit=, or scale the file."
        )
    best = min(order, key=lambda u: abs(np.log(size * UNITS[u] / _ADULT)))
    if unit is not None:
        said.append(
            f"{source}: in {unit}, as the format has it, the person would be {size * UNITS[unit]:.3g} m tall; "
            f"taken for {best} ({size * UNITS[best]:.2f} m). unit= overrides."
        )
    return best, size * UNITS[best]


def _stature(points: Floats, smpl: dict[str, int], parents: NDArray[np.int64]) -> float | None:
    """Stature in the file's unit from the lengths of limbs and trunk; None if there are none."""

    def length(a: int, b: int) -> float:
        d = np.linalg.norm(points[:, a] - points[:, b], axis=1)
        d = d[np.isfinite(d)]
        return float(np.median(d)) if d.size else 0.0

    found = []
    for (a, b), share in _OF_STATURE.items():
        for side in ("left", "right"):
            i, j = smpl.get(f"{side}_{a}"), smpl.get(f"{side}_{b}")
            if i is not None and j is not None:
                found.append(length(i, j) / share)
    found = [f for f in found if f > 0]
    if not found:
        tall = [length(i, j) for i in smpl.values() for j in smpl.values() if i < j]
        return max(tall) if len(smpl) >= 3 and tall and max(tall) > 0 else None
    return float(np.median(found))


def _upwards(points: Floats, smpl: dict[str, int], up: str, source: str, said: list[str]) -> str:
    """The axis that points up: the format's, unless the person stands along another one all the time."""
    top = [smpl[n] for n in ("head", "neck", "left_shoulder", "right_shoulder", "spine3") if n in smpl]
    low = [smpl[n] for n in ("left_ankle", "right_ankle", "left_knee", "right_knee") if n in smpl]
    pelvis = [smpl[n] for n in ("pelvis", "left_hip", "right_hip") if n in smpl]
    top, low = (top[:1] or pelvis), (low[:2] or pelvis)
    way = points[:, top].mean(axis=1) - points[:, low].mean(axis=1)
    size = np.linalg.norm(way, axis=1)
    way = way[np.isfinite(size) & (size > 1e-9)]
    if len(way) == 0:
        return up
    way /= np.linalg.norm(way, axis=1, keepdims=True)
    standing = {name: float((way @ np.array(axes[2]) > _UPRIGHT).mean()) for name, axes in _UP.items()}
    best = max(standing, key=lambda n: standing[n])
    if best == up or standing[best] < 0.9 or standing[up] > 0.1:
        return up
    said.append(
        f"{source}: the format says {up} is up, but the person stands along {best}: taken for up. up= overrides "
        "(a person who lies throughout looks alike)."
    )
    return best
