"""What a pose estimator must do. Another estimator is another file with a class that does this."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from imusim.video.region import Region, Window

LANDMARK_NAMES = (
    "nose",
    "left_eye_inner",
    "left_eye",
    "left_eye_outer",
    "right_eye_inner",
    "right_eye",
    "right_eye_outer",
    "left_ear",
    "right_ear",
    "mouth_left",
    "mouth_right",
    "left_shoulder",
    "right_shoulder",
    "left_elbow",
    "right_elbow",
    "left_wrist",
    "right_wrist",
    "left_pinky",
    "right_pinky",
    "left_index",
    "right_index",
    "left_thumb",
    "right_thumb",
    "left_hip",
    "right_hip",
    "left_knee",
    "right_knee",
    "left_ankle",
    "right_ankle",
    "left_heel",
    "right_heel",
    "left_foot_index",
    "right_foot_index",
)
"""The 33 BlazePose landmarks, in order; left and right are the person's."""


@dataclass(frozen=True)
class Landmarks:
    """One person in one frame.

    Parameters
    ----------
    world_m : (L, 3) · m · camera axes (x right, y down, z away), origin between the hips
    px : (L, 2) · pixels of the image that was given (x right, y down)
    visibility : (L,), 0 … 1, belief that the landmark is seen
    presence : (L,), 0 … 1, belief that the landmark lies inside the image
    region : where the estimator would look for this person next, if it is one that is told (`RegionEstimator`)
    other : another answer to the same picture, with the person turned round (`facing`)
    """

    world_m: NDArray[np.float64]
    px: NDArray[np.float64]
    visibility: NDArray[np.float64]
    presence: NDArray[np.float64]
    region: Region | None = None
    other: Landmarks | None = None


@runtime_checkable
class PoseEstimator(Protocol):
    """Finds one person in an image; may follow the person from call to call.

    Attributes
    ----------
    name : what the result's metadata says
    landmark_names : L names, `LANDMARK_NAMES` for BlazePose; the fit needs these to be a superset of its joints
    """

    @property
    def name(self) -> str:
        """Say who this is."""
        ...

    @property
    def landmark_names(self) -> tuple[str, ...]:
        """Say what the landmarks are."""
        ...

    def __call__(self, rgb: NDArray[np.uint8], time_s: float) -> Landmarks | None:
        """Return the person in a (height, width, 3) uint8 RGB image, or None; times increase between resets."""
        ...

    def candidates(self, rgb: NDArray[np.uint8]) -> list[Landmarks]:
        """Return every person to be found in a single image, without touching the followed one."""
        ...

    def reset(self) -> None:
        """Forget the person that was followed (shot cut, lost track)."""
        ...

    def close(self) -> None:
        """Give back what is held."""
        ...


@runtime_checkable
class RegionEstimator(PoseEstimator, Protocol):
    """A pose estimator that can be told where to look; then its own noise does not decide that.

    The landmarks that it returns say where it would look next (`Landmarks.region`).
    """

    def look(self, part: Window, region: Region, *, mirrored: bool = False) -> Landmarks | None:
        """Return the person in a square of a picture, in px of the picture, or None; the same from a mirror image."""
        ...
