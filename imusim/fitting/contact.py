"""What of the body rests: feet, hands, knees, seat and back, each as surely as the landmarks say.

A foot rests when it hardly moves in the picture. Everything else also has to be low: not much above the body's lowest
landmark, as far as is known before gravity is estimated (cameras look 8 ± 12° down). A resting point does not move
(a random walk of 1.5 cm/s over one frame at 30/s); it is not fixed to a height, so stairs, benches and walls are
no harm, and it lets go when the landmarks contradict it.

Of someone who sits, lies or leans on their hands the floor is known from all that rests, nearly as well as the
landmarks themselves. Then what rests near it lies on it (`Level`). The few steps of a walker would not bear that: an
error of up of 3° is 15 cm of floor after three metres.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from imusim.fitting.gravity_tilt import up_from_tilt
from imusim.fitting.landmarks import AT, CONTACTS
from imusim.fitting.skeleton import REFERENCE_RATE_HZ
from imusim.types import Floats

STILL_SPEED = 0.25
"""Speed of a foot across the view, m/s, at which it counts half as resting."""
STILL_SPEED_ALONG = 0.5
"""The same along the view, of the fitted body: in the picture a foot that swings towards the camera stands still."""
STILL_SPEED_OF_REST = 0.10
"""The same for all other points, of the fitted body."""
REST_WALK = 0.015 / np.sqrt(REFERENCE_RATE_HZ)
"""Random walk of a resting point, m/√s."""
_ROLL = np.array([1.0] * 10 + [4.0] * 2 + [1.0] * 4)
"""So many times that: a pelvis rolls on its seat, and the landmarks of the hips with it (8 cm in a sit-up)."""
_FEET = 4  # of CONTACTS, the first
_LOW_M = 0.25  # above the lowest landmark: half likely
_WINDOW_S, _LONG_WINDOW_S = 0.2, 0.4
_USUAL_PITCH_DEG = 8.0


_LIFT_SD_M = np.array([0.015] * 8 + [0.03] * 2 + [0.02] * 2 + [0.03] * 2 + [0.02] * 2)
"""How well it is known how high each is above the floor then: feet and hands; knees; hips; shoulders, wrists."""
_FLOOR_MEMORY_S = 0.05  # frames closer together share what is known of the height
_NEAR_FLOOR_M = 0.12  # further from it than this: half on something else


@dataclass(frozen=True)
class Level:
    """A floor, as the fit takes it.

    Attributes
    ----------
    up_c : (3,) unit vector · camera axes
    height_m : m, of the floor along `up_c`
    process : (G,) process noise of the fit that found it (`imusim.fitting.process.GROUPS`)
    """

    up_c: Floats
    height_m: float
    process: Floats


def floor_information(
    time_s: Floats, rest: Floats, marks_c: Floats, up_c: Floats, height_m: Floats
) -> Floats:
    """Information (T, C), 1/m², of the height of each point: as surely as it rests, and near the floor.

    Parameters
    ----------
    time_s : (T,) · s
    rest : (T, C), 0 … 1
    marks_c : (T, 33, 3) · m · camera axes, landmarks of a first fit
    up_c : (3,) unit vector · camera axes
    height_m : (T, C) · m, of each point along it when it rests on the floor
    """
    share = min(1.0, float(np.median(np.diff(time_s))) / _FLOOR_MEMORY_S)
    off = marks_c[:, [AT[n] for n in CONTACTS]] @ up_c - height_m
    return share * rest / (1.0 + (off / _NEAR_FLOOR_M) ** 4) / _LIFT_SD_M**2


def _speed(time_s: Floats, place: Floats, window_s: float) -> Floats:
    """Speed (T, C) · m/s between the means of the earlier and the later half of a window, place (T, C, 2 or 3)."""
    count = time_s.size
    i = np.searchsorted(time_s, time_s - 0.5 * window_s)
    j = np.minimum(np.searchsorted(time_s, time_s + 0.5 * window_s, side="right"), count) - 1
    span = np.maximum(time_s[j] - time_s[i], 1e-9)
    total = np.concatenate([np.zeros((1, *place.shape[1:])), np.cumsum(place, axis=0)])

    def window_mean(first: np.ndarray, last: np.ndarray) -> Floats:
        return (total[last] - total[first]) / (last - first)[:, None, None]

    middle = (i + j) // 2
    early, late = window_mean(i, middle + 1), window_mean(middle, j + 1)
    return np.linalg.norm(late - early, axis=-1) / (0.5 * span)[:, None]


def standing_feet(time_s: Floats, px: Floats, trust: Floats, depth_m: Floats, focal_px: float) -> Floats:
    """How surely each of heels and toes rests, (T, 4), 0 … 1, from its speed in the picture over 0.2 s.

    Parameters
    ----------
    time_s : (T,) · s
    px : (T, 33, 2) · pixels
    trust : (T, 33), 0 … 1
    depth_m : (T,) · m
    focal_px : pixels
    """
    feet = [AT[n] for n in CONTACTS[:_FEET]]
    speed = _speed(time_s, px[:, feet] / focal_px * depth_m[:, None, None], _WINDOW_S)
    return trust[:, feet] ** 0.5 / (1.0 + (speed / STILL_SPEED) ** 4)


def resting(time_s: Floats, standing: Floats, trust: Floats, marks_c: Floats) -> Floats:
    """How surely each of `landmarks.CONTACTS` rests, (T, C), 0 … 1.

    Parameters
    ----------
    time_s : (T,) · s
    standing : (T, 4), of heels and toes by the picture alone (`standing_feet`)
    trust : (T, 33), 0 … 1
    marks_c : (T, 33, 3) · m · camera axes, landmarks of a first fit
    """
    feet, rest = ([AT[n] for n in names] for names in (CONTACTS[:_FEET], CONTACTS[_FEET:]))
    moved = (_speed(time_s, marks_c[:, feet, :2], _WINDOW_S) / STILL_SPEED) ** 2
    moved += (_speed(time_s, marks_c[:, feet, 2:], _WINDOW_S) / STILL_SPEED_ALONG) ** 2
    standing = standing / (1.0 + moved**2)
    across = marks_c[:, rest, :2]
    height = marks_c @ up_from_tilt(_USUAL_PITCH_DEG, 0.0)
    above = height[:, rest] - height.min(axis=1, keepdims=True)
    still = 1.0 / (1.0 + (_speed(time_s, across, _LONG_WINDOW_S) / STILL_SPEED_OF_REST) ** 4)
    low = 1.0 / (1.0 + (above / _LOW_M) ** 8)
    return np.concatenate([standing, np.sqrt(trust[:, rest]) * still * low], axis=1)


def contact_information(time_s: Floats, rest: Floats) -> Floats:
    """Information (T, C), 1/m², of the displacement of each point since the frame before."""
    info = np.zeros_like(rest)
    step = np.diff(time_s)[:, None]
    info[1:] = rest[1:] * rest[:-1] / ((_ROLL * REST_WALK) ** 2 * step)
    return info
