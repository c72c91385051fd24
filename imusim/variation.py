"""How a device is worn differs from the plan, from wearer to wearer and from one donning to the next.

`imusim.types.Placement.vary` draws from a `Variation`; the module below it turns the draw into a placement.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from functools import reduce
from numbers import Real
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from imusim.errors import ConfigError

if TYPE_CHECKING:
    from imusim.types import Placement

    Place = TypeVar("Place", bound=Placement)

OTHER_SIDE = " (on the other side)"
"""What a swap adds to `Placement.description`, and a second swap takes away."""

_PROBABILITIES = ("upside_down", "face_in", "swap")


@dataclass(frozen=True)
class Variation:
    """How far a device's place and attitude spread about the planned placement. All zero by default.

    Standard deviations are of normal distributions, independent of each other; probabilities are 0 … 1.

    Parameters
    ----------
    slide_m : sd of the position along the segment · m
    around_deg : sd of the position around the segment · degrees about the bone; the device turns with the skin
    tilt_deg : sd of the device's tilt off the skin · degrees, about each of the two axes across `Placement.toward`
    heading_deg : sd of the device's turn on the skin · degrees about `Placement.toward`
    any_heading : True: every turn on the skin is as likely as any other (a phone loose in a bag); takes the place
        of `heading_deg`
    upside_down : probability that the device is put on the wrong way up: half a turn about `Placement.toward`
    face_in : probability that its face is to the body: half a turn about its top edge's direction (a phone in a pocket)
    swap : probability that it is worn on the other side: `Placement.mirrored`

    Raises
    ------
    ConfigError
        On a negative or infinite standard deviation, and on a probability outside 0 … 1.
    """

    slide_m: float = 0.0
    around_deg: float = 0.0
    tilt_deg: float = 0.0
    heading_deg: float = 0.0
    any_heading: bool = False
    upside_down: float = 0.0
    face_in: float = 0.0
    swap: float = 0.0

    def __post_init__(self) -> None:
        for name, value in self._numbers().items():
            top = 1.0 if name in _PROBABILITIES else np.inf
            kind = "a probability, 0 … 1" if name in _PROBABILITIES else "a standard deviation, 0 or more"
            number = isinstance(value, Real) and not isinstance(value, bool)
            if not (number and np.isfinite(value) and 0.0 <= value <= top):
                raise ConfigError(f"Variation: {name}={value!r}, wanted {kind}")

    def scaled(self, strength: float) -> Variation:
        """Return the same variation, `strength` times as strong; 0 is none at all.

        Standard deviations and probabilities are multiplied (probabilities end at 1); `any_heading` stays unless
        the strength is 0.
        """
        if not (np.isfinite(strength) and strength >= 0.0):
            raise ConfigError(f"strength={strength!r}, wanted a number, 0 or more")
        by = {k: v * strength for k, v in self._numbers().items()}
        by |= {k: min(1.0, by[k]) for k in _PROBABILITIES}
        return replace(self, **by, any_heading=self.any_heading and strength > 0.0)

    def _numbers(self) -> dict[str, float]:
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name != "any_heading"}


_NONE = Variation()

WEARER = Variation(slide_m=0.02, around_deg=12.0, tilt_deg=6.0, heading_deg=8.0)
"""How one person's habit differs from the plan, for a device on a strap; the default of `Placement.vary`.

slide_m: 5 cm, the worst misplacement that a study of 74 runners thought worth testing (PMC10820910), is 2.5 sd. The
angles are notional: 12° about a thigh of 8 cm radius is 1.7 cm along the skin, as far as `slide_m`.
"""

DONNING = Variation(slide_m=0.01, around_deg=6.0, tilt_deg=3.0, heading_deg=4.0)
"""How one donning differs from the wearer's habit: half of `WEARER`. Notional."""


def vary(place: Place, rng: np.random.Generator | int, variation: Variation) -> Place:
    """Return `place` as it was worn once; see `Placement.vary`."""
    if not isinstance(rng, np.random.Generator):
        if not isinstance(rng, int | np.integer) or rng < 0:
            raise ConfigError(
                f"rng={rng!r}: wanted a numpy.random.Generator, or a seed: a whole number, 0 or more"
            )
        rng = np.random.default_rng(rng)
    # the same numbers are drawn whatever the variation, so that one seed at two strengths is one wearer
    slide, around, tilt_1, tilt_2, heading = (float(v) for v in rng.standard_normal(5))
    any_heading, upside_down, face_in, swap = (float(v) for v in rng.random(4))
    if variation == _NONE:
        return place
    changes: dict[str, Any] = {}
    if variation.slide_m:
        changes["slide_m"] = place.slide_m + variation.slide_m * slide
    if variation.around_deg:
        changes["around_deg"] = place.around_deg + variation.around_deg * around
    out = np.asarray(place.outward, dtype=np.float64)
    if not np.linalg.norm(out) > 1e-9:
        raise ConfigError(f"placement {place.name!r}: toward={place.toward} has no direction")
    out = out / np.linalg.norm(out)
    turns = []  # the last of these happens first
    if variation.tilt_deg:
        across = np.cross(out, np.eye(3)[int(np.argmin(np.abs(out)))])
        across /= np.linalg.norm(across)
        tilt = tilt_1 * across + tilt_2 * np.cross(out, across)
        turns.append(_rotation(np.radians(variation.tilt_deg) * tilt))
    if variation.any_heading:
        turns.append(_rotation(2.0 * np.pi * any_heading * out))
    elif variation.heading_deg:
        turns.append(_rotation(np.radians(variation.heading_deg * heading) * out))
    if upside_down < variation.upside_down:
        turns.append(_half_turn(out))
    if face_in < variation.face_in:
        top = np.asarray((place.device_xyz or place.axes_xyz)[1])
        turns.append(_half_turn(top / np.linalg.norm(top)))
    if turns:
        total = reduce(np.matmul, turns)
        for name in ("axes_xyz", "device_xyz"):
            axes = getattr(place, name)
            if axes is not None:
                changes[name] = rows(np.asarray(axes, dtype=np.float64) @ total.T)
    worn = replace(place, **changes) if changes else place
    return other_side(worn) if swap < variation.swap else worn


def other_side(place: Place) -> Place:
    """Return the placement mirrored, under its own name: the label says where the device was meant to be."""
    was = place.description
    now = was.removesuffix(OTHER_SIDE) if was.endswith(OTHER_SIDE) else was + OTHER_SIDE
    return replace(place.mirrored(), name=place.name, description=now)


def mirror_name(name: str) -> str:
    """Return the name with left_ and right_ exchanged at its start."""
    for side, other in (("left_", "right_"), ("right_", "left_")):
        if name.startswith(side):
            return other + name.removeprefix(side)
    return name


def rows(
    matrix: Iterable[Iterable[float]] | NDArray[np.float64],
    by_column: tuple[float, float, float] = (1.0, 1.0, 1.0),
    by_row: Iterable[float] = (1.0, 1.0, 1.0),
) -> Any:
    """Return a matrix (n, 3) as tuples, its columns and rows multiplied as given; no zero is negative."""
    return tuple(
        tuple(float(v) * c * r + 0.0 for v, c in zip(row, by_column, strict=True))
        for row, r in zip(matrix, by_row, strict=False)
    )


def _half_turn(axis: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rotation (3, 3) by 180° about a unit axis (3,)."""
    return 2.0 * np.outer(axis, axis) - np.eye(3)


def _rotation(rotvec: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rotation (3, 3) of a rotation vector (3,) · rad: Rodrigues' formula (`imusim.rotation` lies higher)."""
    x, y, z = rotvec
    k = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    angle = float(np.linalg.norm(rotvec))
    if angle < 1e-12:
        return np.eye(3) + k
    return np.eye(3) + np.sin(angle) / angle * k + (1.0 - np.cos(angle)) / angle**2 * (k @ k)
