"""A placement as it was found to be worn: a named place, moved and turned by what an identification says."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from imusim.rotation import normalise, to_matrix
from imusim.types import Floats, Placement, as_floats


@dataclass(frozen=True)
class FittedPlacement(Placement):
    """A place with an identified mounting on it (`imusim.identify`).

    Other Parameters
    ----------------
    shift_m : (3,) · m · axes of the unmoved sensor: from its place to where the sensor really sits
    turn_wxyz : (4,) wxyz, takes the real sensor's vectors to the axes of the unmoved one
    """

    shift_m: tuple[float, float, float] = (0.0, 0.0, 0.0)
    turn_wxyz: tuple[float, float, float, float] = (1.0, 0.0, 0.0, 0.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        as_floats(self.shift_m, f"placement {self.name!r}: shift_m", (3,))
        normalise(as_floats(self.turn_wxyz, f"placement {self.name!r}: turn_wxyz", (4,)), tolerance=0.05)

    def applied(self, lift: Floats, rotation: Floats) -> tuple[Floats, Floats]:
        """Return lift (3,) and rotation (3, 3) of a site, moved and turned."""
        turn = to_matrix(normalise(np.asarray(self.turn_wxyz, dtype=np.float64)))
        return lift + rotation @ np.asarray(self.shift_m), rotation @ turn
