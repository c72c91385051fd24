"""Plays a movement on the open body: key poses → angles → contacts → a `Motion` that imusim can simulate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

import imusim as im
from imusim.body import OpenBody, Posed
from mujo.corpus import angles as ang
from mujo.corpus import contact, flight, gait
from mujo.corpus.limbs import LIMBS, Target, reach
from mujo.corpus.movement import Movement
from mujo.corpus.performance import Plan, Style, draw, perform, without_lag

Floats = NDArray[np.float64]

FRAME_HZ = 100.0
"""Rate of the motions that are made."""

_HINGE = {limb.part: f"{limb.hinge}.flexion" for limb in LIMBS}


@dataclass(frozen=True)
class Performance:
    """A motion, and what is known about how it was made.

    Parameters
    ----------
    motion : 100 Hz, world z up, the person facing `heading_deg` from +y at the start
    contact : (T, 4), how firmly left foot, right foot, left hand, right hand are held, 0 … 1
    airborne : (T,) bool, nothing touches the floor
    strikes_s : when feet strike in a gait
    """

    motion: im.Motion
    contact: Floats
    airborne: NDArray[np.bool_]
    strikes_s: Floats
    repetitions: int
    mirrored: bool


def play(
    movement: Movement,
    duration_s: float,
    *,
    seed: int | tuple[int, ...] = 0,
    shape: Floats | None = None,
    style: Style | None = None,
    tremor_deg: float = 0.0,
    sway: float = 1.0,
) -> Performance:
    """Perform a movement once.

    Parameters
    ----------
    movement : from `library()` or `read_movement`
    duration_s : length · s; what has begun is cut off there
    seed : the same seed gives the same bits

    Other Parameters
    ----------------
    shape : (B,) shape coefficients of the open body; None: the mean
    style : how much people differ; None: `Style()`
    tremor_deg : root mean square of a physiologic tremor (8–12 Hz) of the hands · degrees
    sway : strength of postural sway and breathing; 0: a statue between the key poses
    """
    body = im.open_body()
    beta = body.coefficients(shape)
    rng = np.random.default_rng(seed)
    t = np.arange(round(duration_s * FRAME_HZ) + 1) / FRAME_HZ
    plan = perform(movement, duration_s, rng, style or Style())
    if any(p.endswith("hand") for p in movement.planted):
        plan = without_lag(plan)
    angles = plan.angles(t)
    stride, strikes = None, np.zeros(0)
    soles = contact.Soles.of(body, beta)
    if movement.kind in ("gait", "cycling"):
        stride = _strides(plan, movement, rng)
    unsteady = _unsteadiness(t, angles, rng)
    if not any(p.endswith("hand") for p in movement.planted):
        angles += sway * unsteady
    angles += sway * _sway(t, rng) + tremor_deg * _tremor(t, rng)
    heading = float(rng.uniform(-180.0, 180.0))
    angles = ang.within_limits(angles)
    if movement.kind == "gait":
        assert stride is not None
        walk = gait.steps(t, stride, movement.gait, soles, *_legs(body, beta), rng)
        root, targets, strikes = walk.root, walk.targets, walk.strikes_s
        held = np.concatenate([walk.stance, np.zeros((t.size, 2))], axis=1)
        q = ang.joint_rotations(angles, body.joint_names)
        q = reach(body, beta, root, q, targets, _flexions(angles))
    elif movement.kind == "cycling":
        assert stride is not None
        q = ang.joint_rotations(angles, body.joint_names)
        seat = draw(movement.height_m, rng) * body.stature(beta) / 1.71
        root = np.zeros((t.size, 3)) + np.array([0.0, 0.0, seat])
        targets, _ = gait.pedals(t, stride, movement.gait, soles, rng)
        held, _toes = contact.weights(plan, t)
        posed = body.pose(np.zeros(3) + root * 0, q, beta, vertices=False)
        targets |= contact.hand_targets(posed, body, root, soles, held, False)
        q = reach(body, beta, root, q, targets, _flexions(angles))
    else:
        q, root, held = _on_contacts(movement, plan, t, angles, body, beta, soles, rng)
    airborne = (
        (held[:, :2] < 1e-3).all(axis=1) & (movement.anchor == "feet") & ("left_foot" in movement.planted)
    )
    turn = im.rotation.from_rotvec([0.0, 0.0, np.radians(heading)])
    q[:, 0] = im.rotation.multiply(turn, q[:, 0])
    motion = im.Motion(
        t,
        im.rotation.rotate(turn, root),
        im.rotation.sign_continuous(q),
        body=body,
        shape=beta,
        metadata={"movement": movement.name, "seed": seed, "heading_deg": heading, "made_by": "mujo.corpus"},
    )
    return Performance(motion, held, airborne, strikes, plan.repetitions, plan.mirrored)


def _on_contacts(
    movement: Movement,
    plan: Plan,
    t: Floats,
    angles: Floats,
    body: OpenBody,
    beta: Floats,
    soles: contact.Soles,
    rng: np.random.Generator,
) -> tuple[Floats, Floats, Floats]:
    """Joint rotations, root path and contact weights of a movement with key poses."""
    held, toes = contact.weights(plan, t)
    origin = np.zeros((t.size, 3))
    q = ang.joint_rotations(angles, body.joint_names)
    posed = body.pose(origin, q, beta, vertices=False)
    feet = contact.feet_of(posed, body, soles, held, toes)
    root = np.zeros((t.size, 3))
    if movement.anchor == "feet":
        root = contact.follow(feet.ball, held[:, :2])
        if movement.hands_on_floor:  # lean until the hands reach the floor
            for _ in range(2):
                angles[:, ang.INDEX["pelvis.pitch"]] += _lean(posed, body, root, beta)
                q = ang.joint_rotations(angles, body.joint_names)
                posed = body.pose(origin, q, beta, vertices=False)
                feet = contact.feet_of(posed, body, soles, held, toes)
                root = contact.follow(feet.ball, held[:, :2])
    elif movement.anchor == "hands":
        root = contact.follow(_palms(posed, body, soles), held[:, 2:])
        root[:, 2] += draw(movement.height_m, rng) * body.stature(beta) / 1.71
    else:
        scale = body.stature(beta) / 1.71
        root[:, 2] = draw(movement.height_m, rng) * scale
    com = None
    if plan.flights:
        ahead = np.array([0.0, 1.0])
        middle = feet.ball.mean(axis=1)
        com = flight.planned_path(plan, t, posed, body.joint_names, root, middle, ahead)
        root = com - flight.centre_of_mass(posed.joints, body.joint_names)
    out = _held(movement, body, beta, soles, posed, feet, root, q, angles, held)
    if com is not None:  # bent legs moved the centre: put it back
        for _ in range(3):
            there = flight.centre_of_mass(body.pose(root, out, beta, vertices=False).joints, body.joint_names)
            root = root + com - there
            out = _held(movement, body, beta, soles, posed, feet, root, q, angles, held)
    return out, root, held


def _held(
    movement: Movement, body: OpenBody, beta: Floats, soles: contact.Soles, posed: Posed, feet: contact.Feet,
    root: Floats, q: Floats, angles: Floats, held: Floats,
) -> Floats:  # fmt: skip
    targets: dict[str, Target] = contact.foot_targets(feet, root, soles, held, contact.LIFT_S * FRAME_HZ)
    targets |= contact.hand_targets(posed, body, root, soles, held, movement.hands_on_floor)
    return reach(body, beta, root, q, targets, _flexions(angles)) if targets else q


def _lean(posed: Posed, body: OpenBody, root: Floats, beta: Floats) -> float:
    """How much further the trunk must lean for both wrists to come down to the floor in every frame · degrees."""
    at = {n: i for i, n in enumerate(body.joint_names)}
    rest = body.rest_joints(beta)
    most = 0.0
    for side in ("left", "right"):
        shoulder, wrist = at[f"{side}_shoulder"], at[f"{side}_wrist"]
        arm = 0.975 * abs(rest[wrist, 0] - rest[shoulder, 0])
        height = posed.joints[:, shoulder, 2] + root[:, 2] - contact.WRIST_M
        most = max(most, float((height - arm).max()))
    return float(np.degrees(most / 1.2))


def _palms(posed: Posed, body: OpenBody, soles: contact.Soles) -> Floats:
    at = {n: i for i, n in enumerate(body.joint_names)}
    out = []
    for k, side in enumerate(("left", "right")):
        j = at[f"{side}_wrist"]
        out.append(posed.joints[:, j] + posed.rotation[:, j] @ soles.palm[k])
    return np.stack(out, axis=1)


def _flexions(angles: Floats) -> dict[str, Floats]:
    return {part: angles[:, ang.INDEX[name]] for part, name in _HINGE.items()}


def _legs(body: OpenBody, beta: Floats) -> tuple[float, tuple[float, float]]:
    rest = body.rest_joints(beta)
    at = {n: i for i, n in enumerate(body.joint_names)}
    hip, knee, ankle = (rest[at[f"left_{n}"]] for n in ("hip", "knee", "ankle"))
    length = float(np.linalg.norm(knee - hip) + np.linalg.norm(ankle - knee))
    return length, (float(rest[0, 1] - hip[1]), float(hip[0]))


def _strides(plan: Plan, movement: Movement, rng: np.random.Generator) -> Floats:
    """Instants of the strides: every plan node with the first key, with one stride before and two after."""
    starts = plan.time_s[:: len(movement.keys)]
    first, last = starts[1] - starts[0], starts[-1] - starts[-2]
    before = starts[0] - first * np.arange(3, 0, -1)
    return np.concatenate([before, starts, starts[-1] + last * np.arange(1, 4)])


_SWAY_DEG = {
    "pelvis.pitch": (0.45, 0.6), "pelvis.roll": (0.3, 0.5), "pelvis.yaw": (0.4, 0.4), "spine.flexion": (0.6, 0.4),
    "spine.side": (0.4, 0.4), "spine.twist": (0.5, 0.4), "neck.flexion": (1.2, 0.5), "neck.twist": (2.0, 0.4),
    "neck.side": (0.8, 0.4),
    **{f"{s}_{n}": v for s in ("left", "right") for n, v in (
        ("shoulder.flexion", (0.7, 0.7)), ("shoulder.abduction", (0.6, 0.7)), ("shoulder.rotation", (0.8, 0.7)),
        ("elbow.flexion", (0.9, 0.8)), ("elbow.pronation", (1.0, 0.6)), ("wrist.flexion", (1.2, 0.9)),
        ("hip.rotation", (0.2, 0.4)))},
}  # fmt: skip
"""Angle → (rms · degrees, corner · Hz) of what a person who stands still does all the same."""


def _sway(t: Floats, rng: np.random.Generator) -> Floats:
    """Postural sway and breathing, (T, D) · degrees: sums of sinusoids whose power falls with frequency."""
    out = np.zeros((t.size, len(ang.NAMES)))
    names = [ang.INDEX[n] for n in _SWAY_DEG]
    rms = np.array([v[0] for v in _SWAY_DEG.values()])
    corner = np.array([v[1] for v in _SWAY_DEG.values()])
    lines = 8
    f = 0.06 * (2.2 / 0.06) ** ((np.arange(lines)[:, None] + rng.random((lines, len(names)))) / lines)
    size = f**0.5 / (1.0 + (f / corner) ** 2)
    size *= rms / np.sqrt(0.5 * (size**2).sum(axis=0))
    angle = 2 * np.pi * (f[:, None] * t[:, None] + rng.random((lines, 1, len(names))))
    out[:, names] = (size[:, None] * np.sin(angle)).sum(axis=0) if t.size else 0.0
    breath = rng.uniform(0.2, 0.35)
    wave = np.sin(2 * np.pi * (breath * t + rng.random()))
    out[:, ang.INDEX["spine.flexion"]] -= rng.uniform(0.4, 1.0) * wave
    for side in ("left", "right"):
        out[:, ang.INDEX[f"{side}_collar.elevation"]] += 0.8 * wave
    return out


_UNSTEADY_DEG = {
    "elbow.pronation": 1.5, "shoulder.rotation": 0.2, "elbow.flexion": 0.22, "shoulder.flexion": 0.08,
    "shoulder.abduction": 0.08, "shoulder.horizontal": 0.08, "wrist.flexion": 0.8, "wrist.deviation": 0.5,
}  # fmt: skip
"""Angle of an arm → rms · degrees of its unsteadiness at 150 degrees a second."""


def _unsteadiness(t: Floats, angles: Floats, rng: np.random.Generator) -> Floats:
    """What makes a moving arm less smooth than its plan, 2.5 to 13 Hz, (T, D) · degrees.

    Motor noise grows with the command (Harris and Wolpert 1998): its size follows the speed of the arm. The forearm's
    roll has the most of it, since its inertia is the least.
    """
    out = np.zeros_like(angles)
    f_low, f_high, lines = 2.5, 13.0, 10
    strength = float(np.exp(0.4 * rng.standard_normal()))
    for side in ("left", "right"):
        part = [ang.INDEX[f"{side}_{n}"] for n in _UNSTEADY_DEG]
        rms = np.array(list(_UNSTEADY_DEG.values()))
        speed = np.sqrt((np.gradient(angles[:, part], 1.0 / FRAME_HZ, axis=0) ** 2).sum(axis=1))
        size = 0.1 + np.minimum(gaussian_filter1d(speed, 0.12 * FRAME_HZ, mode="nearest") / 150.0, 2.0)
        f = f_low * (f_high / f_low) ** ((np.arange(lines)[:, None] + rng.random((lines, len(part)))) / lines)
        share = f**-1.6
        share *= rms / np.sqrt(0.5 * (share**2).sum(axis=0))
        wave = np.sin(2 * np.pi * (f[:, None] * t[:, None] + rng.random((lines, 1, len(part)))))
        out[:, part] = strength * size[:, None] * (share[:, None] * wave).sum(axis=0)
    return out


def _tremor(t: Floats, rng: np.random.Generator) -> Floats:
    """Physiologic tremor of the hands, rms 1 degree, (T, D)."""
    out = np.zeros((t.size, len(ang.NAMES)))
    for name in ("wrist.flexion", "wrist.deviation", "elbow.flexion", "shoulder.flexion"):
        for side in ("left", "right"):
            f = rng.uniform(8.0, 12.0, 4)
            wave = np.sin(2 * np.pi * (f[:, None] * t + rng.random((4, 1)))).sum(axis=0) / np.sqrt(2.0)
            out[:, ang.INDEX[f"{side}_{name}"]] = wave
    return out
