"""Up from the floor: wherever a foot stands, it stands on the same level plane.

With contact points x_i and up u the heights ``u · x_i`` are all one d. A point is known well across its line of
sight and badly along it, so its height has variance ``uᵀ C_i u``, taken over what posture leaves open of u (left
free, it prefers planes seen edge-on or from above, whatever the points say). Steps across the picture fix roll;
steps towards the camera fix pitch (the horizon of Hoiem et al., *Putting Objects in Perspective*, 2008).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imusim.types import Floats

_STEP_S = 0.5  # contacts closer in time than this are one
_ACROSS_M = 0.03  # of a contact, across the line of sight
_DEPTH_SHARE = 0.04  # of a contact's distance, along it
_FLOOR_M = 0.02  # how flat floors are
_LEAST_EXTENT_M = 1.2  # contacts that are all in one place say nothing: two steps at least
_SLOPE_DEG = 1.5  # and how level
_STEP_UP_M = 0.15  # a height step of this much is a kerb or a stair: outlier


@dataclass(frozen=True)
class Floor:
    """Contacts of the feet with the floor.

    Attributes
    ----------
    contact_c : (N, 3) · m · camera axes
    height_sd_m : (N,) · m, of a contact's height
    """

    contact_c: Floats
    height_sd_m: Floats

    @property
    def extent_m(self) -> float:
        """Largest spread of the contacts in any direction, m."""
        if len(self.contact_c) < 2:
            return 0.0
        p = self.contact_c - self.contact_c.mean(axis=0)
        return float(np.ptp(p @ np.linalg.svd(p, full_matrices=False)[2][0]))

    def log_likelihood(self, up_c: Floats) -> Floats:
        """Of candidates (M, 3), up to a constant."""
        x = self.contact_c
        if len(x) < 3 or self.extent_m < _LEAST_EXTENT_M:
            return np.zeros(len(up_c))
        height = up_c @ x.T  # (M, N)
        sd2 = self.height_sd_m**2
        level = np.median(height, axis=1, keepdims=True)
        for _ in range(3):
            weight = 1.0 / (sd2 * (1.0 + ((height - level) / _STEP_UP_M) ** 2))
            level = (weight * height).sum(axis=1, keepdims=True) / weight.sum(axis=1, keepdims=True)
        # Student's t with three degrees of freedom
        return -2.0 * np.log1p((height - level) ** 2 / sd2 / 3.0).sum(axis=1)


def floor_contacts(feet_c: Floats, time_s: Floats, guess_c: Floats, guess_sd_deg: float) -> Floor:
    """Find one contact per `_STEP_S`: the lower foot while it is lowest.

    Parameters
    ----------
    feet_c : (T, 2, 3) · m · camera axes, left and right
    time_s : (T,) · s
    guess_c : (3,) unit vector · camera axes; tells which foot is lower
    guess_sd_deg : standard deviation of `guess_c` along the line of sight, degrees
    """
    height = feet_c @ guess_c
    point = feet_c[np.arange(len(feet_c)), np.argmin(height, axis=1)]
    step: NDArray[np.int64] = np.floor((time_s - time_s[0]) / _STEP_S).astype(np.int64)
    contact = np.array([np.median(point[step == k], axis=0) for k in np.unique(step)]).reshape(-1, 3)
    distance = np.linalg.norm(contact, axis=1)
    slant2 = (contact @ guess_c / distance) ** 2 + np.sin(np.radians(guess_sd_deg)) ** 2
    reach = np.linalg.norm(contact - contact.mean(axis=0), axis=1)
    variance = _ACROSS_M**2 + _FLOOR_M**2 + (np.radians(_SLOPE_DEG) * reach) ** 2
    return Floor(contact, np.sqrt(variance + slant2 * (_DEPTH_SHARE * distance) ** 2))
