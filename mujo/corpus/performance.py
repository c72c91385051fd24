"""How one person does a movement once: tempo, depth, asymmetry, pauses and fatigue, drawn from a seed."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from imusim.conventions import STANDARD_GRAVITY
from mujo.corpus import angles as ang
from mujo.corpus.keyframes import derivatives, evaluate
from mujo.corpus.movement import PARTS, Key, Movement

Floats = NDArray[np.float64]

_ARM = {s: [i for i, n in enumerate(ang.NAMES) if n.split(".")[0] in
            (f"{s}_shoulder", f"{s}_collar", f"{s}_elbow", f"{s}_wrist")] for s in ("left", "right")}  # fmt: skip
_LEG = [i for i, n in enumerate(ang.NAMES) if n.split(".")[0].split("_")[-1] in ("hip", "knee", "ankle")]
_REST = [i for i in range(len(ang.NAMES)) if i not in {*_ARM["left"], *_ARM["right"], *_LEG}]
_LOOSE = {"pronation": 4.0, "rotation": 2.0, "elbow.flexion": 1.5}
"""How much more people differ in these angles of an arm that holds on to nothing; 1 for the others."""


@dataclass(frozen=True)
class Style:
    """What one clip has of its own; the fields are standard deviations or ranges of what is drawn.

    Parameters
    ----------
    depth : lowest and highest share of the written range of motion that is done
    asymmetry : sd of the left–right difference of that share
    lag_s : sd of how much later an arm moves
    posture_deg : sd of the offset of every angle, through the clip; legs get half, free arms more (`_LOOSE`)
    habit_deg : sd of every key's arm angles, the same in all repetitions: how this person does it
    key_deg : sd of every key's angles, every repetition
    rhythm : sd of the logarithm of a repetition's time
    fatigue : highest share by which the last repetition is slower (and half of it shallower) than the first
    """

    depth: tuple[float, float] = (0.8, 1.1)
    asymmetry: float = 0.03
    lag_s: float = 0.025
    posture_deg: float = 3.0
    habit_deg: float = 4.0
    key_deg: float = 2.0
    rhythm: float = 0.06
    fatigue: float = 0.25


@dataclass(frozen=True)
class Plan:
    """Nodes of a clip: K instants with poses, contacts and jumps.

    Parameters
    ----------
    time_s : (K,) · s
    pose_deg : (K, D), with `slope` and `curve` per s and s²
    planted, toes : (K, 4) bool, parts on the floor (or held), and whether on the toes
    flights : (index of the node at takeoff, travel m) of every jump
    lag_s : (D,) · s
    repetitions : how many
    mirrored : whether the sides were exchanged at the start
    """

    time_s: Floats
    pose_deg: Floats
    slope: Floats
    curve: Floats
    planted: NDArray[np.bool_]
    toes: NDArray[np.bool_]
    flights: tuple[tuple[int, float], ...]
    lag_s: Floats
    repetitions: int
    mirrored: bool
    depth: float
    sharpness: float

    def angles(self, at_s: Floats) -> Floats:
        """Angles (T, D) · degrees."""
        out = np.empty((at_s.size, self.pose_deg.shape[1]))
        for part in (_ARM["left"], _ARM["right"], _LEG + _REST):
            lag = self.lag_s[part[0]]
            out[:, part] = evaluate(
                self.time_s, self.pose_deg[:, part], self.slope[:, part], self.curve[:, part], at_s - lag
            )
        return out


def draw(range_: tuple[float, float], rng: np.random.Generator) -> float:
    """A number of a range, evenly."""
    low, high = range_
    return low + (high - low) * float(rng.random())


def perform(movement: Movement, duration_s: float, rng: np.random.Generator, style: Style) -> Plan:
    """Draw a plan that is at least `duration_s` long."""
    start = np.zeros(len(ang.NAMES))
    for name, range_ in movement.posture.items():
        start[ang.INDEX[name]] = draw(range_, rng)
    if (
        movement.laterality == "alternating"
    ):  # both sides begin alike; what makes them differ comes after mirroring
        start = 0.5 * (start + ang.mirrored(start))
    poses = _key_poses(movement, start, rng)
    if movement.laterality == "alternating":  # where one side's turn ends the other's begins
        even = 0.5 * (poses[0] + ang.mirrored(poses[0]))
        poses = np.where(poses == poses[0], even, poses)
    sd = np.full(len(ang.NAMES), style.posture_deg)
    sd[_LEG] *= 0.5
    if not any(p.endswith("hand") for p in movement.planted):
        sd *= _looseness()
        poses = _with_habits(poses, style.habit_deg, rng)
    sd[[ang.INDEX[n] for n in ("pelvis.pitch", "pelvis.roll", "pelvis.yaw")]] = 0.5 * style.posture_deg
    offset = sd * rng.standard_normal(len(sd))
    depth = draw(style.depth, rng)
    share = np.full(len(sd), depth)
    tilt = style.asymmetry * rng.standard_normal()
    share[_ARM["left"]] += tilt
    share[_ARM["right"]] -= tilt
    period = draw(movement.repetition_s, rng)
    fatigue = style.fatigue * float(rng.random())
    sharpness = float(rng.random())
    mirror = {
        "both": False,
        "left": False,
        "right": True,
        "either": bool(rng.random() < 0.5),
        "alternating": False,
    }[movement.laterality]
    lag = np.zeros(len(sd))
    for part in (_ARM["left"], _ARM["right"]):
        lag[part] = style.lag_s * rng.standard_normal()
    count = max(1, int(np.ceil(duration_s / (period + 0.5 * sum(movement.pause_s)))))
    build = _Nodes(offset)
    first = float(rng.random()) * 0.8
    t = 0.0 if movement.kind == "gait" else first
    if t > 0:  # stands in the starting pose until the first repetition
        build.add(0.0, poses[0], movement, movement.keys[0], mirror, True)
    i = 0
    while t < duration_s or i == 0:
        done = min(i / max(count - 1, 1), 1.0)
        length = period * (1 + fatigue * done) * float(np.exp(style.rhythm * rng.standard_normal()))
        scale = share * (1 - 0.5 * fatigue * done)
        noise = style.key_deg * rng.standard_normal(poses.shape)
        noise[:, _LEG] *= 0.5
        reps = poses[0] + (poses - poses[0]) * scale
        moving = np.abs(poses - poses[0]).max(axis=0) > 1.0
        reps[1:] += noise[1:] * moving
        side = mirror != (movement.laterality == "alternating" and i % 2 == 1)
        t = _repetition(build, movement, np.clip(reps, ang.LOW, ang.HIGH), t, length, side, rng)
        pause = draw(movement.pause_s, rng)
        if pause > 0.05 and movement.kind == "keys":
            build.add(t, reps[0], movement, movement.keys[0], side, True)
            t += pause
        i += 1
    build.add(t, poses[0], movement, movement.keys[0], mirror, True)
    return build.plan(lag, i, mirror, depth, sharpness)


def _key_poses(movement: Movement, start: Floats, rng: np.random.Generator) -> Floats:
    """(K, D): every key on top of the posture and the first key."""
    out = []
    for key in movement.keys:
        pose = (out[0] if out else start).copy()
        for name, range_ in key.angles.items():
            pose[ang.INDEX[name]] = draw(range_, rng)
        out.append(pose)
    return np.stack(out)


def _looseness() -> Floats:
    """(D,), see `_LOOSE`."""
    arm = {*_ARM["left"], *_ARM["right"]}
    return np.array([
        next((v for k, v in _LOOSE.items() if n.endswith(k)), 1.0) if i in arm else 1.0 for i, n in enumerate(ang.NAMES)
    ])  # fmt: skip


def _with_habits(poses: Floats, sd: float, rng: np.random.Generator) -> Floats:
    """Arms that move do so in a person's own way, much the same on both sides: (K, D)."""
    own, loose = sd * rng.standard_normal((2, *poses.shape)), _looseness()
    out = poses.copy()
    for side in ("left", "right"):
        arm = _ARM[side]
        if np.abs(poses[1:, arm] - poses[0, arm]).max(initial=0.0) > 5.0:
            mine = own[0] if side == "left" else 0.9 * ang.mirrored(own[0]) + 0.44 * own[1]
            out[1:, arm] += (mine * loose)[1:, arm]
    return np.clip(out, ang.LOW, ang.HIGH)


class _Nodes:
    """Collects nodes in order of time."""

    def __init__(self, offset: Floats) -> None:
        self.offset = offset
        self.times: list[float] = []
        self.poses: list[Floats] = []
        self.planted: list[list[bool]] = []
        self.toes: list[list[bool]] = []
        self.still: list[bool] = []
        self.flights: list[tuple[int, float]] = []

    def add(self, t: float, pose: Floats, movement: Movement, key: Key, mirror: bool, still: bool) -> None:
        if self.times and t - self.times[-1] < 1e-6:
            return
        self.times.append(t)
        turned = ang.mirrored(pose) if mirror else pose
        self.poses.append(np.clip(turned + self.offset, ang.LOW, ang.HIGH))
        order = [1, 0, 3, 2] if mirror else [0, 1, 2, 3]
        planted = [p in movement.planted and p not in key.free for p in PARTS]
        toes = [p in key.toes or (movement.foot_on_toes and p.endswith("foot")) for p in PARTS]
        self.planted.append([planted[k] for k in order])
        self.toes.append([toes[k] for k in order])
        self.still.append(still)

    def plan(self, lag: Floats, repetitions: int, mirror: bool, depth: float, sharpness: float) -> Plan:
        t, poses = np.array(self.times), np.stack(self.poses)
        slope, curve = derivatives(t, poses, sharpness, np.array(self.still))
        return Plan(
            t, poses, slope, curve, np.array(self.planted), np.array(self.toes), tuple(self.flights), lag, repetitions,
            mirror, depth, sharpness,
        )  # fmt: skip


def _repetition(
    build: _Nodes,
    movement: Movement,
    poses: Floats,
    t: float,
    length: float,
    mirror: bool,
    rng: np.random.Generator,
) -> float:
    """Add the nodes of one repetition that begins at t; return when the next may begin."""
    keys = movement.keys
    clock = t
    for k, key in enumerate(keys):
        build.add(clock, poses[k], movement, key, mirror, False)
        if (hold := draw(key.hold_s, rng)) > 0.03:
            build.still[-1] = True
            clock += hold
            build.add(clock, poses[k], movement, key, mirror, True)
        after = keys[k + 1].at if k + 1 < len(keys) else 1.0
        if key.takeoff_m is not None:
            height = draw(key.takeoff_m, rng)
            build.flights.append((len(build.times) - 1, draw(keys[k + 1].travel_m, rng)))
            clock += float(np.sqrt(8.0 * height / STANDARD_GRAVITY))
        else:
            jitter = 1.0 + 0.08 * float(np.clip(rng.standard_normal(), -2, 2))
            clock += (after - key.at) * length * jitter
    return clock


def without_lag(plan: Plan) -> Plan:
    """The same plan with all parts on one clock (for movements whose hands are held)."""
    return replace(plan, lag_s=np.zeros_like(plan.lag_s))
