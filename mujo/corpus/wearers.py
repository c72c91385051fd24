"""Who does the movements: body shapes, and how each wears its sensors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

import imusim as im
from imusim.errors import unknown_name

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Wearer:
    """One person: a shape (B,) of the open body, the stature it has, and the placements as this person wears them."""

    name: str
    shape: Floats
    stature_m: float
    placements: tuple[im.Placement, ...]


def wearer(number: int, seed: int, placements: Sequence[str], vary: bool = True) -> Wearer:
    """Draw a person; the same number and seed give the same one.

    Raises
    ------
    UnknownNameError
        For a placement that does not exist.
    """
    body = im.open_body()
    rng = np.random.default_rng([seed, 7001, number])
    shape = np.clip(rng.standard_normal(body.n_shape), -2.0, 2.0)
    table = im.placements()
    worn = []
    for name in placements:
        if name not in table:
            raise unknown_name("placement", name, table)
        place = table[name]
        worn.append(place.vary(rng) if vary and place.on == "skin" else place)
    return Wearer(f"w{seed}-{number:03d}", shape, body.stature(shape), tuple(worn))
