"""Jumps: the centre of mass flies on a parabola, and the push-off and landing that go with it are planned from that."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from imusim.body import Posed
from imusim.conventions import STANDARD_GRAVITY
from mujo.corpus.keyframes import derivatives, evaluate
from mujo.corpus.performance import Plan

Floats = NDArray[np.float64]

# Masses of segments as shares of the body's, after de Leva (1996), mean of women and men, rounded: (from, to, share,
# where the segment's centre lies between them)
SEGMENTS = (
    ("pelvis", "spine2", 0.27, 0.4),
    ("spine2", "neck", 0.17, 0.5),
    ("neck", "head", 0.066, 1.2),
    *((f"{s}_{a}", f"{s}_{b}", m, f) for s in ("left", "right") for a, b, m, f in (
        ("shoulder", "elbow", 0.026, 0.57), ("elbow", "wrist", 0.015, 0.46), ("wrist", "hand", 0.006, 0.7),
        ("hip", "knee", 0.145, 0.39), ("knee", "ankle", 0.0455, 0.44), ("ankle", "foot", 0.0135, 0.5),
    )),
)  # fmt: skip
_TOTAL = sum(s[2] for s in SEGMENTS)


def centre_of_mass(joints: Floats, joint_names: tuple[str, ...]) -> Floats:
    """Centre of mass (T, 3) · m of joints (T, J, 3)."""
    at = {n: i for i, n in enumerate(joint_names)}
    weight = np.zeros(len(joint_names))
    for a, b, share, f in SEGMENTS:
        weight[at[a]] += share * (1 - f) / _TOTAL
        weight[at[b]] += share * f / _TOTAL
    return np.einsum("tjc,j->tc", joints, weight)


def planned_path(
    plan: Plan,
    t: Floats,
    posed: Posed,
    joint_names: tuple[str, ...],
    standing: Floats,
    feet: Floats,
    ahead: Floats,
) -> Floats:
    """Path of the centre of mass (T, 3) · m through a clip with jumps.

    At every node the centre is where the feet and the pose put it; it leaves the ground with the speed that the height
    asks for, is accelerated by −g alone in the air, and meets the floor with what it left with.

    Parameters
    ----------
    posed : the clip's poses, root at the origin
    standing : (T, 3) · m, root path that follows from the feet alone
    feet : (T, 3) · m, the middle of the feet, seen from the root
    ahead : (2,) direction that a jump forward goes
    """
    nodes = plan.time_s
    com = centre_of_mass(posed.joints, joint_names)
    height = np.stack([np.interp(nodes, t, (standing + com)[:, 2])], axis=1)
    over_feet = np.stack([np.interp(nodes, t, (com - feet)[:, c]) for c in (0, 1)], axis=1)
    spot = np.zeros((len(nodes), 2))
    for node, travel in plan.flights:
        spot[node + 1 :] += travel * ahead
    value = np.concatenate([spot + over_feet, height], axis=1)
    slope, curve = derivatives(nodes, value, plan.sharpness, np.zeros(len(nodes), bool))
    for node, _ in plan.flights:
        time = nodes[node + 1] - nodes[node]
        rate = (value[node + 1] - value[node]) / time
        slope[node] = slope[node + 1] = rate
        curve[node] = curve[node + 1] = 0.0
        slope[node, 2] = rate[2] + 0.5 * STANDARD_GRAVITY * time
        slope[node + 1, 2] = rate[2] - 0.5 * STANDARD_GRAVITY * time
        curve[node, 2] = curve[node + 1, 2] = -STANDARD_GRAVITY
    return evaluate(nodes, value, slope, curve, t)
