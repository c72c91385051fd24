"""Which way is up in the picture, where somebody stands.

BlazePose was taught to see people in squares that turn with their trunk. Somebody who leans is then seen upright in a world
that leans, and that may be worse. Measured on one person who bends by 45°, seen by two cameras: by the one, squares that
turn with the trunk make the network take front for back in 35 of 100 looks, upright ones in 3; by the other, looks at
upright squares differ by 60 mm, those at turned ones by 15. So both are tried, and looks that agree are believed.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from imusim.types import Floats
from imusim.video.lines import Background

_FOCAL = 0.85  # of the picture's longer side; what it is matters little here
_LEVEL_DEG = 5.0  # a camera usually looks down so far
_SURE_DEG = 4.0


class Upright:
    """Direction of up in the picture of a still camera, by the background's lines; the picture's own if they do not tell.

    Parameters
    ----------
    background : gives the background of the shot so far
    size_px : (width, height) of the frames
    """

    def __init__(self, background: Callable[[], Background], size_px: tuple[int, int]) -> None:
        self._background = background
        self._size = size_px
        self._up: Floats | None = None
        self._asked = False

    def new_shot(self) -> None:
        """Another camera."""
        self._up, self._asked = None, False

    def __call__(self, place: Floats) -> float:
        """How far what is upright leans to the right at a place (2,) px of the picture, rad."""
        if not self._asked:
            self._asked, self._up = True, self._find()
        if self._up is None:
            return 0.0
        focal = _FOCAL * max(self._size)
        x, y = focal * self._up[:2] - (place - 0.5 * np.array(self._size)) * self._up[2]
        return float(np.arctan2(x, -y))

    def _find(self) -> Floats | None:
        from imusim.fitting.gravity_lines import up_from_lines
        from imusim.fitting.gravity_tilt import log_prior, up_from_tilt

        found = up_from_lines(
            self._background().segments(),
            self._size,
            _FOCAL * max(self._size),
            up_from_tilt(_LEVEL_DEG, 0.0),
            log_belief=log_prior,
        )
        if found is None or np.sqrt(np.trace(found.covariance_c)) > np.radians(_SURE_DEG):
            return None
        return found.up_c


def worth_a_try(lean: float) -> float:
    """How far an upright square may help with somebody who leans so far, rad: 0 … 1.

    Nothing below 10°, where the two squares are nearly one, nor above 80°: nobody learnt to see people who lie.
    """
    lean = abs((lean + np.pi) % (2.0 * np.pi) - np.pi)
    return float(np.interp(lean, np.radians([10.0, 20.0, 60.0, 80.0]), [0.0, 1.0, 1.0, 0.0]))
