"""Made motions with exact contacts: walk, squat, arm raises, punches, push-up, plank, sit-up. World: z up, floor at 0.

Each is a function of time alone, smooth, a few numbers of pose; the person faces −y (the rest pose of the open body).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

import imusim as im
from benchmarks.fit.figure import Pose, Reach, Swing, motion_of, turn, unit
from imusim.types import Floats, Motion

X, _, Z = np.eye(3)
RATE_HZ = 240.0
_ANKLE_M = 0.076  # of the standing open body
_FLAT = np.eye(3)
_KNEE_HINT = np.array([0.0, -1.0, 0.0])
_BALL = np.array([0.0, -0.15, -0.046])
"""Ball of the foot from the ankle, standing, m."""


@dataclass(frozen=True)
class Made:
    """A motion and how it is best filmed.

    Attributes
    ----------
    motion : at `RATE_HZ`
    on_floor : landmarks that stay on the floor all the time
    azimuth_deg : from where the camera looks: 0 from the front, 90 from the person's left
    """

    name: str
    motion: Motion
    on_floor: tuple[str, ...]
    azimuth_deg: float


def _time(seconds: float) -> Floats:
    return np.arange(round(seconds * RATE_HZ)) / RATE_HZ


def ease(x: Floats) -> Floats:
    """0 → 1 over 0 … 1 with four continuous derivatives."""
    x = np.clip(x, 0.0, 1.0)
    return x**5 * (126 - 420 * x + 540 * x**2 - 315 * x**3 + 70 * x**4)


def _glide(x: Floats) -> Floats:
    """0 → 1 over 0 … 1 with one sine of acceleration: as a leg swings."""
    x = np.clip(x, 0.0, 1.0)
    return x - np.sin(2 * np.pi * x) / (2 * np.pi)


def _to_and_fro(t: Floats, period_s: float, rest: float = 0.2) -> Floats:
    """0 → 1 → 0 every period, resting a share of it at both ends."""
    x = (t / period_s) % 1.0
    move = 0.5 * (1.0 - rest)
    return ease((x - 0.25 * rest) / move) - ease((x - 0.5 - 0.25 * rest) / move)


def _at(*values) -> Floats:
    return np.stack(np.broadcast_arrays(*values), axis=-1).astype(np.float64)


def _joint(name: str) -> Floats:
    body = im.open_body()
    x, y, z = body.rest_joints(None)[body.joint_names.index(name)]
    return np.array([x, -z, y])  # standing, world axes, from the pelvis


def _stand_height() -> float:
    return _ANKLE_M - _joint("left_ankle")[2]


def _legs(ankles: dict[str, Floats], foot=_FLAT, hint=_KNEE_HINT) -> dict[str, Reach]:
    return {f"{side}_leg": Reach(where, hint, foot) for side, where in ankles.items()}


def _still_ankles(t: Floats, wide: float = 0.0) -> dict[str, Floats]:
    out = {}
    for side, sign in (("left", 1), ("right", -1)):
        at = _joint(f"{side}_ankle")
        out[side] = _at(at[0] + sign * wide + 0 * t, at[1], _ANKLE_M)
    return out


def _hanging(t: Floats, raise_deg, forward_deg=0.0, bend_deg=15.0) -> dict[str, Swing]:
    """Arms: 0° hanging, 90° out to the side (or forward); `bend_deg` of the elbow."""
    arms = {}
    for side, sign in (("left", 1), ("right", -1)):
        out, ahead = (np.deg2rad(np.asarray(v) + 0 * t) for v in (raise_deg, forward_deg))
        upper = unit(
            _at(sign * np.sin(out) + 0.05 * sign, -np.sin(ahead) * np.cos(out), -np.cos(ahead) * np.cos(out))
        )
        hint = unit(_at(0.25 * sign + 0 * t, np.cos(ahead), -np.sin(ahead) - 0.2))
        bend = np.deg2rad(np.asarray(bend_deg) + 0 * t)[:, None]
        side_way = unit(hint - (hint * upper).sum(-1, keepdims=True) * upper)
        fore = np.cos(bend) * upper - np.sin(bend) * side_way
        arms[f"{side}_arm"] = Swing(upper, fore, hint)
    return arms


def walk(seconds: float = 6.0, speed: float = 1.1, cadence: float = 1.9) -> Made:
    """Level gait: the ball of a foot that stands is still to the last digit, its heel rises before it leaves."""
    t = _time(seconds)
    phase = cadence / 2 * t  # strides
    stride, swing_share = 2 * speed / cadence, 0.48
    limbs: dict = {}
    for side, offset in (("left", 0.0), ("right", 0.5)):
        p = phase + offset
        k, x = np.floor(p), p % 1.0
        s = _glide((x - (1 - swing_share)) / swing_share)
        # seen from the pelvis the foot lands a fifth of a stride ahead and leaves two fifths behind
        forward = stride * (k + s - offset + 0.22)
        at = _joint(f"{side}_ankle")
        ball = _at(0.75 * at[0] + 0 * t, -forward + _BALL[1], 0.03 + 0.05 * np.sin(np.pi * s) ** 2)
        foot = turn(X, 38 * ease((x - 0.35) / 0.3) * (1 - ease((x - 0.65) / 0.3)))
        limbs[f"{side}_leg"] = Reach(ball - foot @ _BALL, _KNEE_HINT, foot)
    turnings = 2 * np.pi * phase
    pelvis_m = _at(
        0.02 * np.sin(turnings + 0.6 * np.pi),
        -speed * t,
        _stand_height() - 0.085 - 0.015 * np.cos(2 * turnings - 0.4),
    )
    for side, sign in (("left", 1), ("right", -1)):
        swing = sign * 24 * np.cos(turnings + 2.8)
        limbs[f"{side}_arm"] = _hanging(t, 6.0, swing + 3, 22 - 10 * sign * np.cos(turnings))[f"{side}_arm"]
    pelvis = turn(Z, -4 * np.cos(turnings))
    thorax = turn(Z, 5 * np.cos(turnings)) @ turn(X, 3.0)
    return Made("walk", motion_of(Pose(t, pelvis_m, pelvis, thorax, turn(X, 2.0), limbs)), (), 65.0)


def squat(seconds: float = 8.0, period_s: float = 2.2) -> Made:
    """Down to about 95° of knee flexion, arms forward."""
    t = _time(seconds)
    d = _to_and_fro(t, period_s)
    pelvis_m = _at(0 * t, 0.16 * d, _stand_height() - 0.01 - 0.36 * d)
    lean = turn(X, 25 * d)
    limbs = _legs(_still_ankles(t, 0.05), hint=np.array([0.0, -1.0, 0.2])) | _hanging(
        t, 4.0, 8 + 75 * d, 12.0
    )
    feet = ("left_heel", "right_heel", "left_foot_index", "right_foot_index")
    return Made(
        "squat", motion_of(Pose(t, pelvis_m, lean, turn(X, 32 * d), turn(X, 8 * d), limbs)), feet, 50.0
    )


def arm_raises(seconds: float = 8.0, rate_hz: float = 0.5) -> Made:
    """Standing, both arms out to the side and back."""
    t = _time(seconds)
    up = 0.5 - 0.5 * np.cos(2 * np.pi * rate_hz * t)
    pelvis_m = _at(
        0.008 * np.sin(2 * np.pi * 0.3 * t), 0.006 * np.sin(2 * np.pi * 0.23 * t), _stand_height() - 0.012
    )
    limbs = _legs(_still_ankles(t)) | _hanging(t, 8 + 95 * up, 0.0, 12.0)
    feet = ("left_heel", "right_heel", "left_foot_index", "right_foot_index")
    return Made("arm raises", motion_of(Pose(t, pelvis_m, turn(Z, 0 * t), None, None, limbs)), feet, 15.0)


def punches(seconds: float = 8.0, rate_hz: float = 1.2) -> Made:
    """Standing, fists forward in turn, trunk turning with them."""
    t = _time(seconds)
    w = 2 * np.pi * rate_hz * t
    yaw = 14 * np.sin(w)
    pelvis_m = _at(0.015 * np.sin(w), 0 * t, _stand_height() - 0.03 + 0.005 * np.cos(2 * w))
    limbs: dict = _legs(_still_ankles(t, 0.06))
    for side, sign in (("left", 1), ("right", -1)):
        out = 0.5 - 0.5 * sign * np.sin(w)
        limbs[f"{side}_arm"] = _hanging(t, 10.0, 12 + 62 * out, 115 - 95 * out)[f"{side}_arm"]
    feet = ("left_heel", "right_heel", "left_foot_index", "right_foot_index")
    made = motion_of(Pose(t, pelvis_m, turn(Z, 0.4 * yaw), turn(Z, yaw), turn(Z, 0 * t), limbs))
    return Made("punches", made, feet, 35.0)


def push_up(seconds: float = 8.0, period_s: float = 2.0) -> Made:
    """On hands and toes; the body turns about the balls of the feet, straight."""
    t = _time(seconds)
    return _on_hands("push-up", t, 0.34 * _to_and_fro(t, period_s), 80.0)


def plank(seconds: float = 8.0) -> Made:
    """The upper end of a push-up, held: nothing moves."""
    t = _time(seconds)
    return _on_hands("plank", t, 0 * t, 80.0)


def _on_hands(name: str, t: Floats, down_m: Floats, azimuth_deg: float) -> Made:
    shoulder, ankle = _joint("left_shoulder"), _joint("left_ankle")
    arm = 0.97 * sum(
        np.linalg.norm(_joint(f"left_{b}") - _joint(f"left_{a}"))
        for a, b in (("shoulder", "elbow"), ("elbow", "wrist"))
    )
    wrist_height = 0.06
    foot = turn(X, 75.0)[0]  # toes stay flat, the sole stands nearly upright: the foot is turned as a whole
    ankle_place = np.array([0.0, 0.0, 0.055]) - foot @ _BALL
    long = shoulder[2] - ankle[2]
    height = arm + wrist_height - down_m  # of the shoulder
    rise = np.arcsin((height - ankle_place[2]) / long)
    lie = turn(X, 90.0 - np.rad2deg(rise))  # the trunk, face down, head towards −y
    to_pelvis = np.array([0.0, 0.0, -0.993 * ankle[2]])  # knees not quite straight
    pelvis_m = ankle_place + (lie @ to_pelvis)
    top = turn(X, 90.0 - np.rad2deg(np.arcsin((arm + wrist_height - ankle_place[2]) / long)))[0]
    over = ankle_place + top @ np.array([0.0, 0.0, long])
    limbs: dict = {}
    for side, sign in (("left", 1), ("right", -1)):
        at = _joint(f"{side}_ankle")
        where = np.broadcast_to(ankle_place + [at[0], 0, 0], (t.size, 3))
        limbs[f"{side}_leg"] = Reach(where + 0.0, np.array([0.0, -0.3, -1.0]), foot)
        palm = np.array([shoulder[0] * sign + 0.05 * sign, over[1] + 0.0, wrist_height])
        # palms down, fingers towards the head: from the T pose about z, so that the fingers point to −y
        hand = turn(Z, -sign * 90.0)[0]
        limbs[f"{side}_arm"] = Reach(
            np.broadcast_to(palm, (t.size, 3)) + 0.0, np.array([0.7 * sign, 0.7, 0.15]), hand
        )
    pose = Pose(t, pelvis_m, lie, None, lie @ turn(X, -25.0), limbs)
    ends = ("left_index", "right_index", "left_pinky", "right_pinky", "left_foot_index", "right_foot_index")
    return Made(name, motion_of(pose), ends, azimuth_deg)


def sit_up(seconds: float = 9.0, period_s: float = 3.0) -> Made:
    """On the back, knees bent, arms crossed; up to sitting and down again. The back lies still a third of the time."""
    t = _time(seconds)
    d = _to_and_fro(t, period_s, rest=0.5)
    seat = 0.10
    pelvis = turn(X, -90.0 + 55 * d)
    thorax = turn(X, -90.0 + 85 * d)
    head = turn(X, -80.0 + 80 * d)
    pelvis_m = _at(0 * t, -0.02 * d, seat + 0.015 * d)
    limbs: dict = {}
    for side, sign in (("left", 1), ("right", -1)):
        at = _joint(f"{side}_ankle")
        limbs[f"{side}_leg"] = Reach(
            _at(at[0] + 0 * t, -0.46, _ANKLE_M), np.array([0.0, 0.0, 1.0]), np.eye(3)
        )
        down = thorax @ np.array([0.12 * sign, -0.25, -0.9])
        in_front = thorax @ np.array([-0.75 * sign, -0.35, 0.55])
        hint = thorax @ np.array([0.5 * sign, -0.3, -0.8])
        limbs[f"{side}_arm"] = Swing(unit(down), unit(in_front), hint)
    pose = Pose(t, pelvis_m, pelvis, thorax, head, limbs)
    feet = ("left_heel", "right_heel", "left_foot_index", "right_foot_index")
    return Made("sit-up", motion_of(pose), feet, 75.0)


ALL: dict[str, Callable[[], Made]] = {
    "walk": walk, "squat": squat, "arm raises": arm_raises, "punches": punches, "push-up": push_up, "plank": plank,
    "sit-up": sit_up,
}  # fmt: skip


def waving(band_hz: tuple[float, float], seed: int, seconds: float = 10.0) -> Made:
    """Standing still but for the left arm: three angles (up, round, elbow), each three sines with frequencies in the band."""
    t = _time(seconds)
    rng = np.random.default_rng(seed)

    def angle(middle_deg: float) -> Floats:
        f, phase = rng.uniform(*band_hz, 3), rng.uniform(0, 2 * np.pi, 3)
        return np.deg2rad(middle_deg) + 0.135 * np.sin(2 * np.pi * f * t[:, None] + phase).sum(axis=1)

    up, round_, bend = angle(-25.0), angle(45.0), angle(65.0)
    upper = _at(np.cos(up) * np.cos(round_), -np.cos(up) * np.sin(round_), np.sin(up))
    fore = _at(np.cos(up + bend) * np.cos(round_), -np.cos(up + bend) * np.sin(round_), np.sin(up + bend))
    limbs = _legs(_still_ankles(t)) | _hanging(t, 8.0)
    limbs["left_arm"] = Swing(
        upper, fore, _at(np.sin(up) * np.cos(round_), -np.sin(up) * np.sin(round_), -np.cos(up))
    )
    pelvis_m = _at(0 * t, 0 * t, _stand_height() - 0.012)
    return Made("waving", motion_of(Pose(t, pelvis_m, turn(Z, 0 * t), None, None, limbs)), (), 25.0)
