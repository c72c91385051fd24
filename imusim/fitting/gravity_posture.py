"""Up from how a person stands: the ground pushes along the line from the feet to the centre of mass.

Newton–Euler for the whole body: the ground's force is ``m (a + g u)`` (u up, a the acceleration of the centre
of mass) and acts at the centre of pressure c. Where the angular momentum about the centre of mass r does not
change, the force passes through it, so ``a + g u = λ (r − c)``; averaged over time, a becomes Δv/Δt and fades,
and so does the change of angular momentum (Winter, *Biomechanics and Motor Control of Human Movement*). Walking,
balancing and standing all obey it, which a person's trunk or the middle of the feet does not. Adding a from the
track itself was tried: on five real clips it moved the result by less than 0.7° in the picture's plane and to
the worse along the line of sight, so it is left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imusim.types import Floats

# Segment masses (share of the body) with the joints they hang between and the place of their centre between them:
# Winter, Biomechanics and Motor Control of Human Movement, table 4.1 (after Dempster).
_SEGMENTS = (
    ("head", "head", 0.0, 0.081),
    ("neck", "pelvis", 0.50, 0.497),
    *((f"{s}_shoulder", f"{s}_elbow", 0.436, 0.028) for s in ("left", "right")),
    *((f"{s}_elbow", f"{s}_wrist", 0.682, 0.022) for s in ("left", "right")),
    *((f"{s}_hip", f"{s}_knee", 0.433, 0.100) for s in ("left", "right")),
    *((f"{s}_knee", f"{s}_ankle", 0.433, 0.0465) for s in ("left", "right")),
    *((f"{s}_ankle", f"{s}_foot", 0.50, 0.0145) for s in ("left", "right")),
)
NEEDED = ("pelvis", "neck", "head") + tuple(
    f"{side}_{joint}"
    for side in ("left", "right")
    for joint in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle", "foot")
)

_STANCE_M = 0.04  # a foot that is this much higher than the other carries e times less
_MEMORY_S = 0.4  # moments closer than this are one observation
_ROBUST_DEG = 10.0  # further from the middle, moments count less: the estimator sometimes mirrors depth
_SHORTEST_M = 0.2  # from the foot to the centre of mass, for a direction to mean anything
_OFF_DEG = 50.0  # further than this from a level camera's up is lying or on all fours: not on the feet
_SEATED_DEG = 125.0  # both hips bent to less than this: sitting, or a squat, which pictures hardly tell apart
_SEATED_SD_DEG = 14.0  # of the trunk of people who sit
_STANDING_SHARE = 0.25  # less than this of the moments on foot: the rest decides
_FRAME_SD_DEG = 6.0  # of one moment: sway, swing, landmark noise
# What time does not average out: people lean, landmarks have definitions (across the line of sight), and depth is
# the estimator's guess (along it). Four calibrated views of one walk were off by 2.1, 3.4, −2.7, −1.5° across and 6.0, 4.8,
# 0.9, −1.2° along (towards the camera): spread, not a lean that could be taken off.
_ACROSS_SD_DEG = 3.0
_ALONG_SD_DEG = 5.0


@dataclass(frozen=True)
class Posture:
    """What a person's posture says of up.

    Attributes
    ----------
    up_c : (3,) unit vector · camera axes
    across_sd_deg, along_sd_deg : standard deviations across and along the line of sight, degrees
    view_c : (3,) unit vector · camera axes, the mean line of sight to the person
    upright_share : share, 0 … 1, of the moments on foot
    moments : number of independent moments on foot
    """

    up_c: Floats
    across_sd_deg: float
    along_sd_deg: float
    view_c: Floats
    upright_share: float
    moments: float

    def log_likelihood(self, up_c: Floats) -> Floats:
        """Of candidates (N, 3): Student's t with ten degrees of freedom, as postures have outliers."""
        side = np.cross(self.up_c, self.view_c)
        side /= np.linalg.norm(side)
        ahead = np.cross(side, self.up_c)
        across = np.degrees(np.arctan2(up_c @ side, up_c @ self.up_c)) / self.across_sd_deg
        along = np.degrees(np.arctan2(up_c @ ahead, up_c @ self.up_c)) / self.along_sd_deg
        return -6.0 * np.log1p((across**2 + along**2) / 10.0)


def centre_of_mass(joints_c: Floats, names: tuple[str, ...]) -> Floats:
    """Centre of mass (T, 3) · m of joints (T, J, 3), by the segment masses of an average adult."""
    at = {name: i for i, name in enumerate(names)}
    total = np.zeros((len(joints_c), 3))
    mass = sum(m for *_, m in _SEGMENTS)
    for start, end, along, m in _SEGMENTS:
        total += m / mass * ((1 - along) * joints_c[:, at[start]] + along * joints_c[:, at[end]])
    return total


def foot_points(joints_c: Floats, names: tuple[str, ...]) -> Floats:
    """Middle of each sole, left and right, seen from above: (T, 2, 3) · m of joints (T, J, 3)."""
    at = {name: i for i, name in enumerate(names)}
    return np.stack(
        [0.4 * joints_c[:, at[f"{s}_ankle"]] + 0.6 * joints_c[:, at[f"{s}_foot"]] for s in ("left", "right")],
        axis=1,
    )


def posture(joints_c: Floats, names: tuple[str, ...], time_s: Floats, guess_c: Floats) -> Posture | None:
    """Mean direction from the loaded foot to the centre of mass; of people who sit, the trunk's; None of others.

    Parameters
    ----------
    joints_c : (T, J, 3) · m · camera axes, finite
    names : J names; `NEEDED` must be among them
    time_s : (T,) · s
    guess_c : (3,) unit vector · camera axes; tells which foot is lower, and which way is not up at all
    """
    com = centre_of_mass(joints_c, names)
    feet = foot_points(joints_c, names)
    view = com.mean(axis=0)
    view /= np.linalg.norm(view)
    step = np.floor((time_s - time_s[0]) / _MEMORY_S).astype(np.int64)
    near = np.cos(np.radians(_OFF_DEG))
    trunk, seated = _trunk(joints_c, names)
    up = np.asarray(guess_c, dtype=np.float64)
    standing = np.zeros(len(com), dtype=np.bool_)
    for _ in range(3):
        height = feet @ up
        load = 1.0 / (1.0 + np.exp(np.clip((height - height[:, ::-1]) / _STANCE_M, -50.0, 50.0)))
        direction = com - (load[..., None] * feet).sum(axis=1)
        length = np.linalg.norm(direction, axis=1)
        direction /= np.maximum(length, 1e-9)[:, None]
        standing = ~seated & (length > _SHORTEST_M) & (direction @ guess_c > near)
        if not standing.any():
            break
        up = _robust_mean(direction[standing])
    share = float(standing.mean())
    sitting = seated & (trunk @ guess_c > near)
    if share < _STANDING_SHARE and sitting.mean() > share:
        return Posture(_robust_mean(trunk[sitting]), _SEATED_SD_DEG, _SEATED_SD_DEG, view, 0.0, 1.0)
    if not standing.any():
        return None
    moments = float(len(np.unique(step[standing])))
    # A person who is seldom on foot was perhaps never.
    doubt = 1.0 / max(share, _STANDING_SHARE)
    across = doubt * float(np.hypot(_ACROSS_SD_DEG, _FRAME_SD_DEG / np.sqrt(moments)))
    along = doubt * float(np.hypot(_ALONG_SD_DEG, _FRAME_SD_DEG / np.sqrt(moments)))
    return Posture(up, across, along, view, share, moments)


def _trunk(joints_c: Floats, names: tuple[str, ...]) -> tuple[Floats, NDArray[np.bool_]]:
    """Direction pelvis to neck, unit (T, 3), and whether both hips are bent as in sitting, (T,)."""
    at = {name: i for i, name in enumerate(names)}
    trunk = joints_c[:, at["neck"]] - joints_c[:, at["pelvis"]]
    trunk /= np.maximum(np.linalg.norm(trunk, axis=1), 1e-9)[:, None]
    seated = np.ones(len(trunk), dtype=np.bool_)
    for side in ("left", "right"):
        thigh = joints_c[:, at[f"{side}_knee"]] - joints_c[:, at[f"{side}_hip"]]
        seated &= (thigh * trunk).sum(axis=1) > np.linalg.norm(thigh, axis=1) * np.cos(
            np.radians(_SEATED_DEG)
        )
    return trunk, seated


def _robust_mean(direction: Floats) -> Floats:
    """Mean of unit vectors (N, 3) with Cauchy weights, from the median of each component on."""
    mean = np.median(direction, axis=0)
    for _ in range(10):
        mean /= np.linalg.norm(mean)
        off = np.degrees(np.arccos(np.clip(direction @ mean, -1.0, 1.0)))
        mean = (1.0 / (1.0 + (off / _ROBUST_DEG) ** 2)) @ direction
    return mean / np.linalg.norm(mean)
