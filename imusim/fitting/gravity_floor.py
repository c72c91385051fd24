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

from imusim.fitting.landmarks import AT, CONTACTS, LIFT_M
from imusim.types import Floats

_STEP_S = 0.5  # contacts closer in time than this are one
_ACROSS_M = 0.03  # of a contact, across the line of sight
_DEPTH_SHARE = 0.04  # of a contact's distance, along it
_FLOOR_M = 0.02  # how flat floors are
_LEAST_EXTENT_M = 1.2  # contacts that are all in one place say nothing: two steps at least
_LEAST_EXTENT_OF_REST_M = 0.35  # of what rests: seat and heels, hands and feet
_REST_GUESS_SD_DEG = 12.0
_REST_DEPTH_M = 0.08  # of one landmark against another, along the line of sight
_REST_ACROSS_M = 0.02  # definitions of landmarks, thickness of what is between them and the floor
_REST_WITNESSES = 8.0  # the points of one body are not independent: together they count as so many at most
_ON_FLOOR, _ABOVE_M = 0.7, 0.4  # share of resting points on the floor; how high the others are
_SAME_PLACE_M = 0.12
_LEVELS, _MOST_POINTS = 8, 40
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

    @property
    def tells(self) -> bool:
        """Whether there are enough contacts, far enough apart, to say anything."""
        return len(self.contact_c) >= 3 and self.extent_m >= _LEAST_EXTENT_M

    def log_likelihood(self, up_c: Floats) -> Floats:
        """Of candidates (M, 3), up to a constant."""
        x = self.contact_c
        if not self.tells:
            return np.zeros(len(up_c))
        height = up_c @ x.T  # (M, N)
        sd2 = self.height_sd_m**2
        level = np.median(height, axis=1, keepdims=True)
        for _ in range(3):
            weight = 1.0 / (sd2 * (1.0 + ((height - level) / _STEP_UP_M) ** 2))
            level = (weight * height).sum(axis=1, keepdims=True) / weight.sum(axis=1, keepdims=True)
        # Student's t with three degrees of freedom
        return -2.0 * np.log1p((height - level) ** 2 / sd2 / 3.0).sum(axis=1)


@dataclass(frozen=True)
class RestPoints:
    """What rested on the floor, perhaps: hands, feet, knees, seat, back.

    Attributes
    ----------
    point_c : (N, 3) · m · camera axes, landmarks
    lift_m : (N,) · m, how far a landmark is above the floor then
    """

    point_c: Floats
    lift_m: Floats


def rest_points(marks_c: Floats, resting: Floats, time_s: Floats) -> RestPoints:
    """One point for each landmark and place that it rests at.

    Parameters
    ----------
    marks_c : (T, 33, 3) · m · camera axes
    resting : (T, C), 0 … 1, of `landmarks.CONTACTS`
    time_s : (T,) · s
    """
    points, lifts = [], []
    step: NDArray[np.int64] = np.floor((time_s - time_s[0]) / _STEP_S).astype(np.int64)
    for c, name in enumerate(CONTACTS):
        places: list[Floats] = []
        for k in np.unique(step):
            now = (step == k) & (resting[:, c] > 0.5)
            if 2 * now.sum() > (step == k).sum():
                place = np.median(marks_c[now, AT[name]], axis=0)
                if all(np.linalg.norm(place - p) > _SAME_PLACE_M for p in places):
                    places.append(place)
        points += places
        lifts += [float(LIFT_M[c])] * len(places)
    return RestPoints(
        np.asarray(points, dtype=np.float64).reshape(-1, 3), np.asarray(lifts, dtype=np.float64)
    )


@dataclass(frozen=True)
class RestFloor:
    """A floor with some of the resting points on it, others above (a heel, a knee, a seat on a chair), none below.

    Attributes
    ----------
    contact_c : (N, 3) · m · camera axes, where the floor would be under each
    height_sd_m : (N,) · m
    """

    contact_c: Floats
    height_sd_m: Floats

    @property
    def extent_m(self) -> float:
        """Largest spread of the points in any direction, m."""
        return Floor(self.contact_c, self.height_sd_m).extent_m

    @property
    def tells(self) -> bool:
        """Whether there are enough points, far enough apart, to say anything."""
        return len(self.contact_c) >= 3 and self.extent_m >= _LEAST_EXTENT_OF_REST_M

    def log_likelihood(self, up_c: Floats) -> Floats:
        """Of candidates (M, 3), up to a constant; of all levels of the floor the likeliest counts."""
        if not self.tells:
            return np.zeros(len(up_c))
        height = up_c @ self.contact_c.T  # (M, N)
        best = np.full(len(up_c), -np.inf)
        for level in np.sort(height, axis=1)[:, :_LEVELS].T:
            over = height - level[:, None]
            on = np.exp(-0.5 * (over / self.height_sd_m) ** 2) / (np.sqrt(2 * np.pi) * self.height_sd_m)
            above = np.where(over > 0, np.exp(-np.maximum(over, 0.0) / _ABOVE_M) / _ABOVE_M, 0.0)
            score = np.log(_ON_FLOOR * on + (1 - _ON_FLOOR) * above + 1e-9).sum(axis=1)
            best = np.maximum(best, score)
        return best * min(1.0, _REST_WITNESSES / len(self.contact_c))


def floor_of_rest(rest: RestPoints, guess_c: Floats) -> RestFloor:
    """Floor under someone who sits, lies or leans on their hands.

    Parameters
    ----------
    rest : what rested
    guess_c : (3,) unit vector · camera axes, a first idea of up
    """
    contact = (rest.point_c - rest.lift_m[:, None] * guess_c)[:_MOST_POINTS]
    distance = np.maximum(np.linalg.norm(contact, axis=1), 1e-6)
    slant2 = (contact @ guess_c / distance) ** 2 + np.sin(np.radians(_REST_GUESS_SD_DEG)) ** 2
    return RestFloor(contact, np.sqrt(_REST_ACROSS_M**2 + slant2 * _REST_DEPTH_M**2))


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
