"""The twist of an upper arm or a thigh: the plane of the elbow or knee shows it, as far as the limb is bent.

A straight limb has no plane: its twist then follows the segment above, blended in so that nothing jumps as the limb
straightens.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import solveh_banded

from imusim.fitting.skeleton_frames import unit
from imusim.types import Floats

_PLANE_FLOOR = 0.25  # sine of the flexion at which the plane outweighs what the segment above says
# rad: error of the twist that the plane of a limb bent by 90° gives; by the ball joint above. A depth camera sees arms and
# elbows better than knees, which it hardly sees bend (UTD-MHAD's wrists and thighs say so, `benchmarks/fit/bench_utd.py`)
_PLANE_SD = {"shoulder": 0.175, "hip": 0.35}
_PLANE_MEMORY_S = 0.25  # for which it keeps its error
_TWIST_DENSITY = 2.0  # rad²/s³: about 1 rad/s after half a second
_TWIST_SD = np.radians(35.0)  # twist of thigh and upper arm about the neutral one
_TWIST_LIMIT = np.radians(120.0)


def twist_sd(bend: Floats, ball: str) -> Floats:
    """Standard deviation (T,) · rad of the twist of a limb below `ball` whose flexion has the sine `bend` (T,)."""
    return 1.0 / np.sqrt(1.0 / _TWIST_SD**2 + bend**2 / _PLANE_SD[_part(ball)] ** 2)


def _part(ball: str) -> str:
    """ "shoulder" or "hip" of "left_shoulder"."""
    return ball.rpartition("_")[2]


def near(normal: Floats, neutral: Floats, bone: Floats) -> Floats:
    """Hinge direction (T, 3): the plane's normal, pulled to the neutral one as the limb straightens.

    Noise that bends a straight limb the wrong way would turn it by half a turn: a normal is only believed up to 110°
    from the neutral direction, and less for nearly straight limbs.
    """
    neutral = unit(neutral - (neutral * bone).sum(-1, keepdims=True) * bone)
    mixed = normal + _PLANE_FLOOR * neutral
    side = np.cross(bone, neutral)
    angle = np.arctan2((mixed * side).sum(-1), (mixed * neutral).sum(-1))
    part = np.clip((np.linalg.norm(normal, axis=-1) - 0.15) / 0.45, 0.0, 1.0)
    limit = np.deg2rad(30.0 + 80.0 * part * part * (3.0 - 2.0 * part))
    angle = np.clip(angle, -limit, limit)[:, None]
    return np.cos(angle) * neutral + np.sin(angle) * side


def calm(time_s: Floats, normal: Floats, neutral: Floats, bone: Floats, ball: str) -> Floats:
    """Hinge direction (T, 3) that turns about the bone no more than the plane of the limb asks for.

    The twist is told against a frame that is carried along without turning about the bone (parallel transport), and
    estimated as a twice-integrated white noise from the angles that the plane and, weaker, the segment above give. The
    plane of a limb bent by θ is believed as far as sin θ; its errors are not white, so it moves slow twist only.

    Parameters
    ----------
    time_s : (T,) · s
    normal : (T, 3), of the limb's plane, as long as the sine of its flexion
    neutral : (T, 3), hinge direction that the segment above says
    bone : (T, 3), unit
    ball : the joint above, "left_shoulder" …
    """
    neutral = unit(neutral - (neutral * bone).sum(-1, keepdims=True) * bone)
    carried = _transported(neutral[0], bone)
    side = np.cross(bone, carried)
    plane = np.arctan2((normal * side).sum(-1), (normal * carried).sum(-1))
    rest = np.unwrap(np.arctan2((neutral * side).sum(-1), (neutral * carried).sum(-1)))
    away = np.remainder(plane - rest + np.pi, 2.0 * np.pi) - np.pi
    shown = np.linalg.norm(normal, axis=-1) ** 2 / _PLANE_SD[_part(ball)] ** 2
    shown *= 1.0 / (
        1.0 + np.exp(np.clip((np.abs(away) - _TWIST_LIMIT) / 0.15, -40, 40))
    )  # bent the wrong way: noise
    prior = 1.0 / _TWIST_SD**2
    seen = (shown * (rest + away) + prior * rest) / (shown + prior)
    angle = _slow(time_s, seen, shown + prior)[:, None]
    return np.cos(angle) * carried + np.sin(angle) * side


def _transported(start: Floats, bone: Floats) -> Floats:
    """A direction (T, 3) across unit vectors `bone` (T, 3), carried along without turning about them."""
    out = np.empty_like(bone)
    out[0] = start
    for i in range(1, len(bone)):
        a, b = bone[i - 1], bone[i]
        v = out[i - 1] - (a + b) * (out[i - 1] @ b) / max(1.0 + float(a @ b), 1e-9)
        v = v - (v @ b) * b
        out[i] = v / max(float(np.linalg.norm(v)), 1e-9)
    return out


def _slow(time_s: Floats, angle: Floats, precision: Floats) -> Floats:
    """Posterior mean (T,) of a twice-integrated white noise of density `_TWIST_DENSITY` seen with `precision` (T,)."""
    n = len(time_s)
    if n < 4:
        return np.full(n, float(np.average(angle, weights=precision)))
    step = float(np.median(np.diff(time_s)))
    believed = precision * min(1.0, step / _PLANE_MEMORY_S)
    weight = 1.0 / (_TWIST_DENSITY * step**3)
    band = np.zeros((3, n))
    for k, value in enumerate((1.0, -2.0, 1.0)):
        for l, other in enumerate((1.0, -2.0, 1.0)):
            if l >= k:
                band[2 - (l - k), l : n - 2 + l] += weight * value * other
    band[2] += believed
    return solveh_banded(band, believed * angle)
