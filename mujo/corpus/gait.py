"""Walking, running and stairs: where the feet go, and the path of the pelvis that goes with them.

A foot is planned over one stride: it strikes (heel first or flat), lies flat, rolls over its ball, leaves, and swings to
the next strike. Stance feet stay on their spot to the millimetre, because legs reach for the planned ankles. The pelvis
moves at an even speed with the sway and rise of the gait; running has a flight phase, in which it is in free fall.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from imusim import rotation as rot
from imusim.conventions import STANDARD_GRAVITY
from mujo.corpus.contact import Soles, flat
from mujo.corpus.keyframes import derivatives, evaluate
from mujo.corpus.limbs import Target
from mujo.corpus.performance import draw

Floats = NDArray[np.float64]

DEFAULTS: Mapping[str, tuple[float, float]] = {
    "speed_m_s": (1.0, 1.5), "stance": (0.6, 0.63), "strike_deg": (-22, -14), "leave_deg": (52, 64),
    "clearance_m": (0.015, 0.035), "kick_m": (0.12, 0.17), "sway_m": (0.015, 0.03), "rise_m": (0.016, 0.024),
    "width_m": (0.07, 0.12), "stair_m": (0.0, 0.0), "tread_m": (0.27, 0.31), "shock_m": (0.0002, 0.0006),
    "in_place": (0.0, 0.0),
}  # fmt: skip
_REACH = 1.05
"""How far a body goes over a standing foot at most, in leg lengths."""
_SETTLE_S = 0.010  # a striking foot comes to rest this smoothly


@dataclass(frozen=True)
class Steps:
    """Feet and pelvis of a walk along +y from the origin: targets, root (T, 3), the phase of the stride (T,), and the share
    of the weight on each foot (T, 2)."""

    targets: dict[str, Target]
    root: Floats
    phase: Floats
    stance: Floats
    strikes_s: Floats


def steps(
    t: Floats,
    stride_s: Floats,
    parameters: Mapping[str, tuple[float, float]],
    soles: Soles,
    leg_m: float,
    hip_m: tuple[float, float],
    rng: np.random.Generator,
) -> Steps:
    """Plan the feet of a clip.

    Parameters
    ----------
    t : (T,) · s
    stride_s : (N + 1,) · s, when the left foot strikes; the first before the clip, the last after it
    parameters : ranges, see `DEFAULTS`
    leg_m : full length from hip to ankle joint
    hip_m : how far a hip joint is below and beside the root
    """
    p = {k: draw(parameters.get(k, v), rng) for k, v in DEFAULTS.items()}
    count = len(stride_s)
    length = p["speed_m_s"] * np.diff(stride_s) * (p["in_place"] < 0.5)
    length = np.minimum(length, _REACH * leg_m / p["stance"])  # a short person's steps
    if p["stair_m"]:
        length = np.full(count - 1, 2 * p["tread_m"])
    reached = np.concatenate([[0.0], np.cumsum(length)])
    dt = float(t[1] - t[0])
    wide = np.arange(t[0] - 0.2, t[-1] + 0.2, dt)  # room for the smoothing at the ends
    feet, strikes, stance = [], [], []
    for side in (0, 1):
        when = stride_s + 0.5 * side * np.gradient(stride_s)
        where = reached + 0.5 * side * np.gradient(reached)
        level = p["stair_m"] * (2.0 * np.arange(count) + side)
        x = (0.5 if side else -0.5) * p["width_m"]
        path, pitch, on = _foot(wide, when, where, level, x, p, soles, side)
        feet.append((path, pitch))
        stance.append(on)
        strikes.append(when)
    all_strikes = np.sort(np.concatenate(strikes))
    phase = smoothly(wide, stride_s, np.arange(count, dtype=np.float64))
    root = _pelvis(wide, phase, stride_s, reached, p, feet, leg_m, hip_m, all_strikes)
    keep = slice(round((t[0] - wide[0]) / dt), None)
    keep = slice(keep.start, keep.start + t.size)
    targets = {}
    for side, part in enumerate(("left_foot", "right_foot")):
        path, pitch = feet[side]
        turn = flat(np.full(t.size, np.pi / 2), np.radians(pitch[keep]))
        targets[part] = Target(np.ascontiguousarray(path[keep]), turn)
    on = np.stack([s[keep] for s in stance], axis=1)
    return Steps(targets, root[keep], phase[keep], on, all_strikes)


def _foot(
    t: Floats,
    when: Floats,
    where: Floats,
    level: Floats,
    x: float,
    p: Mapping[str, float],
    soles: Soles,
    side: int,
) -> tuple[Floats, Floats, Floats]:
    """Ankle path (T, 3), pitch (T,) · degrees (toes down positive), and 1 while on the floor (T,)."""
    stance = p["stance"]
    period = np.diff(when)
    times, pitches = [], []
    for k, length in enumerate(period):
        # strike, flat, heel leaves, toes leave, most turned, middle and end of the swing
        s = stance
        for f, angle in (
            (0.0, p["strike_deg"]),
            (0.13 * s / 0.6, 0.0),
            (0.55 * s / 0.6 * 0.62, 0.0),
            (s, 0.8 * p["leave_deg"]),  # it goes on turning as it leaves
            (s + 0.1 * (1 - s), p["leave_deg"]),
            (s + 0.35 * (1 - s), 0.45 * p["leave_deg"]),
            (s + 0.75 * (1 - s), p["strike_deg"] * 0.7),
        ):
            times.append(when[k] + f * length)
            pitches.append(angle)
    times.append(when[-1])
    pitches.append(p["strike_deg"])
    nodes, angle = np.array(times), np.array(pitches)[:, None]
    slope, curve = derivatives(nodes, angle, 0.7, np.zeros(len(nodes), bool))
    pitch = evaluate(nodes, angle, slope, curve, t)[:, 0]

    def ankle(at: int, degrees: Floats) -> Floats:
        """Ankle of a foot on the floor, rolling over heel or ball: (n, 3)."""
        turn = flat(np.full(degrees.size, np.pi / 2), np.radians(degrees))
        still = flat(np.full(degrees.size, np.pi / 2))
        pivot = np.where(degrees[:, None] < 0, soles.heel[side], soles.ball[side])
        spot = np.array([x, where[at], level[at] + soles.ankle_m])
        return spot + rot.rotate(still, pivot) - rot.rotate(turn, pivot)

    path = np.zeros((t.size, 3))
    on = np.zeros(t.size)
    for k, length in enumerate(period):
        down = (t >= when[k]) & (t <= when[k] + stance * length)
        path[down] = ankle(k, pitch[down])
        on[down] = 1.0
        swing = (t > when[k] + stance * length) & (t < when[k + 1])
        if not swing.any():
            continue
        leave, strike = when[k] + stance * length, when[k + 1]
        eps = 1e-3
        ends = evaluate(nodes, angle, slope, curve, np.array([leave - eps, leave, strike, strike + eps]))[
            :, 0
        ]
        a = ankle(k, ends[:2])
        b = ankle(k + 1, ends[2:])
        air = strike - leave
        step = b[0] - a[1]
        middle = 0.5 * (a[1] + b[0])
        rise = max(step[2], 0.0)
        middle[2] = (
            max(a[1][2], b[0][2])
            + p["clearance_m"]
            + (0.5 * p["kick_m"] if rise == 0 and step[2] == 0 else 0.02)
        )
        early = a[1] + 0.22 * step
        early[2] = max(a[1][2] + 0.25 * p["kick_m"], a[1][2] + 0.6 * rise + 0.3 * p["kick_m"] * (rise > 0))
        knots = leave + air * np.array([0.0, 0.3, 0.62, 1.0])
        late = b[0] - 0.12 * step
        late[2] = b[0][2] + p["clearance_m"] + 0.05 * (step[2] != 0) + 0.15 * p["kick_m"]
        late[1] = a[1][1] + 0.72 * step[1]
        early[2] = max(early[2], a[1][2] + 0.02)
        values = np.stack([a[1], early, late, b[0]])
        sl, cu = derivatives(knots, values, 0.5, np.zeros(4, bool))
        sl[0] = (a[1] - a[0]) / eps
        sl[-1] = (0.0, 0.25 * step[1] / air, -0.35 - 0.3 * abs(step[2]))
        path[swing] = evaluate(knots, values, sl, cu, t[swing])
    first, last = t < when[0], t > when[-1]
    path[first], path[last] = ankle(0, pitch[first]), ankle(len(when) - 1, pitch[last])
    sigma = _SETTLE_S / (t[1] - t[0])
    return (
        gaussian_filter1d(path, sigma, axis=0, mode="nearest"),
        gaussian_filter1d(pitch, sigma, mode="nearest"),
        on,
    )


def _pelvis(
    t: Floats,
    phase: Floats,
    stride_s: Floats,
    reached: Floats,
    p: Mapping[str, float],
    feet: list[tuple[Floats, Floats]],
    leg_m: float,
    hip_m: tuple[float, float],
    strikes: Floats,
) -> Floats:
    """Root path (T, 3) · m."""
    stance = p["stance"]
    mid = 0.5 * stance  # the middle of the left stance, in strides
    root = np.zeros((t.size, 3))
    # a foot strikes less far ahead than it leaves behind, because it rolls over the ball
    root[:, 1] = smoothly(t, stride_s, reached) - (0.37 if stance > 0.5 else 0.42) * stance * float(
        np.median(np.diff(reached))
    )
    root[:, 1] += 0.008 * np.sin(4 * np.pi * (phase - 0.05)) * (stance > 0.5)
    root[:, 0] = -p["sway_m"] * np.cos(2 * np.pi * (phase - mid))
    climb = p["stair_m"] * 2.0
    below, _ = hip_m
    if stance > 0.5:
        double = 0.5 * (stance - 0.5)
        rise = -p["rise_m"] * np.cos(4 * np.pi * (phase - double)) - 0.15 * p["rise_m"] * np.sin(
            8 * np.pi * phase
        )
        rise += climb * (phase - 0.0)
    else:
        rise = _bounce(t, strikes, stance, stride_s)
    # as high as both legs allow while they carry
    high = np.inf
    for side, (path, _) in enumerate(feet):
        x = hip_m[1] * (-1 if side == 0 else 1) + root[:, 0]
        flatways = (path[:, 0] - x) ** 2 + (path[:, 1] - root[:, 1]) ** 2
        f = (phase - 0.5 * side) % 1.0
        carries = ((f < stance + 0.08) | (f > 0.92)) & (t > stride_s[0]) & (t < stride_s[-1])
        most = path[:, 2] + np.sqrt(np.maximum((0.982 * leg_m) ** 2 - flatways, 0.0)) + below - rise
        high = min(high, float(most[carries].min()))
    root[:, 2] = high + rise
    for strike in strikes:
        u = np.maximum(t - strike, 0.0) / 0.022
        root[:, 2] -= p["shock_m"] * u**3 * np.exp(3.0 - 3.0 * u)
    return root


def _bounce(t: Floats, strikes: Floats, stance: float, stride_s: Floats) -> Floats:
    """Rise and fall of running (T,) · m: a parabola from toe-off to strike, a spring between."""
    step = np.diff(strikes)
    ground = 2.0 * stance * step  # of a stride of two steps
    nodes, value, slope, curve = [], [], [], []
    for k in range(len(step)):
        air = max(step[k] - ground[k], 0.02)
        v = 0.5 * STANDARD_GRAVITY * air
        for at, speed in ((strikes[k], -v), (strikes[k] + ground[k], v)):
            nodes.append(at)
            value.append(0.0)
            slope.append(speed)
            curve.append(-STANDARD_GRAVITY)
    column = [np.array(c)[:, None] for c in (value, slope, curve)]
    return evaluate(np.array(nodes), column[0], column[1], column[2], t)[:, 0]


def smoothly(t: Floats, when: Floats, value: Floats) -> Floats:
    """Rising values (N,) at instants, as a smooth function of time (T,); straight on beyond the ends."""
    v = value[:, None]
    slope, curve = derivatives(when, v, 0.0, np.zeros(len(when), bool))
    slope[0] = (v[1] - v[0]) / (when[1] - when[0])
    slope[-1] = (v[-1] - v[-2]) / (when[-1] - when[-2])
    out = evaluate(when, v, slope, curve, t)[:, 0]
    out += slope[0] * np.minimum(t - when[0], 0.0) + slope[-1] * np.maximum(t - when[-1], 0.0)
    return out


def pedals(
    t: Floats,
    turn_s: Floats,
    parameters: Mapping[str, tuple[float, float]],
    soles: Soles,
    rng: np.random.Generator,
) -> tuple[dict[str, Target], Floats]:
    """Feet on pedals, seen from a rider who faces +y: targets and the phase of the crank (T,)."""
    radius = draw(parameters.get("crank_m", (0.165, 0.175)), rng)
    phase = smoothly(t, turn_s, np.arange(len(turn_s), dtype=np.float64))
    out = {}
    for side, part in enumerate(("left_foot", "right_foot")):
        angle = 2 * np.pi * (phase + 0.5 * side)
        pedal = np.stack([
            np.full(t.size, 0.11 if side else -0.11),
            0.22 + radius * np.sin(angle),
            0.30 + radius * np.cos(angle),
        ], axis=1)  # fmt: skip
        pitch = np.radians(12.0 + 14.0 * np.sin(angle + 2.2))
        turn = flat(np.full(t.size, np.pi / 2), pitch)
        out[part] = Target(pedal - rot.rotate(turn, soles.ball[side]), turn)
    return out, phase
