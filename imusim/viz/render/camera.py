"""A pinhole camera without distortion."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from imusim.errors import ConfigError, FrameError
from imusim.types import Floats, as_floats


@dataclass(frozen=True, eq=False)
class Camera:
    """Where a camera is and how it maps the world to pixels: ``u ~ K (R_cw x_w + t_c_m)``.

    Camera axes are x right, y down, z away from the camera. Pixel coordinates have their origin at the upper left
    corner of the picture, so that the middle of the first pixel is (0.5, 0.5) and the picture's middle is half
    its size.

    Parameters
    ----------
    size_px : (width, height)
    focal_px : focal length · pixels
    R_cw : (3, 3) world (z up) to camera axes
    t_c_m : (3,) · m · the world's origin in camera axes

    Other Parameters
    ----------------
    centre_px : principal point; None: the middle of the picture

    Raises
    ------
    ConfigError, FrameError, ShapeError
        On a size or focal length that is not positive, on a matrix that is not a rotation.
    """

    size_px: tuple[int, int]
    focal_px: float
    R_cw: Floats
    t_c_m: Floats
    centre_px: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        width, height = (int(n) for n in self.size_px)
        if not (1 <= width <= 16384 and 1 <= height <= 16384):
            raise ConfigError(f"size_px={self.size_px}, wanted (width, height) of 1 to 16384 pixels")
        if not (math.isfinite(self.focal_px) and self.focal_px > 0):
            raise ConfigError(f"focal_px={self.focal_px}, wanted a positive number of pixels")
        turn = as_floats(self.R_cw, "R_cw", (3, 3))
        if not (np.abs(turn @ turn.T - np.eye(3)).max() < 1e-6 and np.linalg.det(turn) > 0):
            raise FrameError("R_cw is not a rotation. Wanted the matrix from world to camera axes.")
        put = object.__setattr__
        put(self, "size_px", (width, height))
        put(self, "R_cw", turn)
        put(self, "t_c_m", as_floats(self.t_c_m, "t_c_m", (3,)))
        if self.centre_px is None:
            put(self, "centre_px", (width / 2, height / 2))

    @classmethod
    def looking_at(
        cls,
        size_px: tuple[int, int],
        eye_m: ArrayLike,
        target_m: ArrayLike,
        *,
        focal_px: float | None = None,
        roll_deg: float = 0.0,
    ) -> Self:
        """Return a camera at `eye_m` that looks at `target_m`, upright.

        Parameters
        ----------
        size_px : (width, height)
        eye_m : (3,) · m · W (z up)
        target_m : (3,) · m · W, seen in the middle of the picture

        Other Parameters
        ----------------
        focal_px : None: as long as the longer side, 53° from edge to edge, about that of a phone
        roll_deg : turn of the camera about its line of sight; positive: clockwise as the photographer sees it

        Raises
        ------
        FrameError
            If the two points coincide.
        """
        eye, target = (as_floats(p, n, (3,)) for p, n in ((eye_m, "eye_m"), (target_m, "target_m")))
        away = target - eye
        if not np.linalg.norm(away) > 1e-9:
            raise FrameError("eye_m and target_m are one point: the camera has no direction")
        z = away / np.linalg.norm(away)
        up = np.array([0.0, 0.0, 1.0]) if abs(z[2]) < 0.999 else np.array([0.0, 1.0, 0.0])
        x = np.cross(z, up)
        x /= np.linalg.norm(x)
        turn = np.stack([x, np.cross(z, x), z])
        c, s = math.cos(math.radians(roll_deg)), math.sin(math.radians(roll_deg))
        turn = np.array([[c, s, 0.0], [-s, c, 0.0], [0.0, 0.0, 1.0]]) @ turn
        return cls(size_px, float(max(size_px)) if focal_px is None else focal_px, turn, -turn @ eye)

    @property
    def K(self) -> Floats:
        """The camera matrix, (3, 3) · pixels."""
        assert self.centre_px is not None
        return np.array(
            [[self.focal_px, 0, self.centre_px[0]], [0, self.focal_px, self.centre_px[1]], [0, 0, 1.0]]
        )

    @property
    def position_m(self) -> Floats:
        """Where the camera is, (3,) · m · W."""
        return -self.R_cw.T @ self.t_c_m

    def project(self, points_m: ArrayLike) -> Floats:
        """Pixels (..., 2) of points (..., 3) · m · W; NaN for those behind the camera."""
        p = np.asarray(points_m, dtype=np.float64) @ self.R_cw.T + self.t_c_m
        depth = np.where(p[..., 2:] > 1e-9, p[..., 2:], np.nan)
        return self.focal_px * p[..., :2] / depth + np.asarray(self.centre_px)

    def clip_matrix(self, near_m: float = 0.05, far_m: float = 200.0) -> NDArray[np.float32]:
        """World (homogeneous, m) to OpenGL clip coordinates, (4, 4)."""
        assert self.centre_px is not None
        (w, h), (u, v), f = self.size_px, self.centre_px, self.focal_px
        lens = np.array(
            [
                [2 * f / w, 0.0, 2 * u / w - 1.0, 0.0],
                [0.0, -2 * f / h, 1.0 - 2 * v / h, 0.0],
                [
                    0.0,
                    0.0,
                    (far_m + near_m) / (far_m - near_m),
                    -2.0 * far_m * near_m / (far_m - near_m),
                ],
                [0.0, 0.0, 1.0, 0.0],
            ]
        )
        pose = np.eye(4)
        pose[:3, :3], pose[:3, 3] = self.R_cw, self.t_c_m
        return (lens @ pose).astype(np.float32)
