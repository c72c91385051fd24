"""How fast this person moves here: the process noise of the fit, chosen by evidence.

The fit's prior takes every unknown's acceleration as white noise of a certain standard deviation. How large it is
decides what is motion and what is measurement noise, costs a factor of several in the accelerations that come out
of it, and differs between a stroll and a sprint, and between the arms and the legs of someone who waves. So the standard
deviations of each group of unknowns are multiplied by the κ that makes the clip most likely: by Laplace's approximation
at the current estimate x

    −log p = J(x + δ) + ½ log|H| + n Σ log κ,    H δ = −g,

with J the cost, g its gradient and H its Gauss–Newton matrix, of which only the second differences in time, κ⁻² M, depend
on κ. They are kept apart, so that nothing is linearised again. All κ climb at once: setting the derivative to zero gives

    κ² = 2 J_M(x + δ) / (n − tr(H⁻¹ M)/κ²),

repeated (MacKay, *Bayesian interpolation*, 1992): the accelerations found, over the number of those that the landmarks
rather than the prior determine. The trace needs only the blocks of H⁻¹ that H itself has.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from imusim import rotation
from imusim._kernels import fit as kernel
from imusim._kernels import solve
from imusim._kernels.fit_chain import apply_step
from imusim.fitting.skeleton import ANGLES, BALLS, N_DOFS, Skeleton
from imusim.types import Floats


class StateLike(Protocol):
    """Root, balls and angles of T frames, as in `imusim.fitting.refine`."""

    root: Floats
    balls: Floats
    angles: Floats


GROUPS = ("root", "depth", "trunk", "left_arm", "right_arm", "left_leg", "right_leg")
_LIMBS = slice(2, 7)
START = 0.15
"""Multiplier to begin with: everyday motion, measured on walks; 1 is vigorous exercise."""
_OF_LIMBS = {
    "shoulder": "arm", "elbow": "arm", "forearm": "arm", "wrist_flexion": "arm", "wrist_deviation": "arm",
    "hip": "leg", "knee": "leg", "ankle": "leg",
}  # fmt: skip
_BANDWIDTH_HZ = 6.7
"""Frequency up to which joints are resolved at κ = 1, Hz; it goes with √κ (the quarter power of process over
measurement noise). Calibrated on four triangulated views of a walk and on clips turned by 10°: see benchmarks."""
_NARROW = np.array([1.0, 1.0, 1.3, 1.3, 1.3, 1.3, 1.3])
"""Motion of the limbs is narrower in frequency than white acceleration of the same size: what is slow enough to matter has
more power than evidence for white acceleration says. Calibrated on made motions and on the triangulated views
(`benchmarks/fit`): least error between 1.2 and 1.6 for limbs; steps of a walk are as sharp as white noise for the root."""
_PRIOR_SD = 1.2  # of log κ about `START`, for clips too short to tell
_RANGE = (0.01, 4.0)
_FRAMES = 110  # a stretch this long is enough to choose by
_ROUNDS = 8
_SETTLED = 0.03  # of log κ


def bandwidth_hz(kappa: Floats, step_s: float) -> float:
    """Frequency up to which a fit with process noise `kappa` (G,) resolves the quickest limb, Hz; below Nyquist's."""
    limbs = float(np.max(kappa[_LIMBS]))
    return float(np.clip(_BANDWIDTH_HZ * np.sqrt(limbs), 1.0, 0.4 / step_s))


def group_of_unknowns() -> np.ndarray:
    """Number of the group (`GROUPS`) of each of the D unknowns, (D,) int."""
    groups = np.full(N_DOFS, GROUPS.index("trunk"))
    groups[:2], groups[2] = GROUPS.index("root"), GROUPS.index("depth")

    at = 3
    for name in (*BALLS, *ANGLES):
        side, _, part = name.partition("_")
        size = 3 if name in BALLS else 1
        if part in _OF_LIMBS:
            groups[at : at + size] = GROUPS.index(f"{side}_{_OF_LIMBS[part]}")
        at += size
    return groups


def choose_process(skeleton: Skeleton, clip: kernel.Clip, prior: kernel.Prior, state: StateLike) -> Floats:
    """Multipliers (G,) of the acceleration sd of the groups that make the clip most likely.

    Parameters
    ----------
    skeleton : the body
    clip : what was seen, T frames, weighed
    prior : with acceleration sd as at κ = 1
    state : the current estimate; a middle stretch of it is used
    """
    count = clip.time.size
    if count < 8:
        return np.full(len(GROUPS), START)
    first = max(0, (count - _FRAMES) // 2)
    part = slice(first, min(count, first + _FRAMES))
    frames = (
        "time",
        "marks3",
        "q3",
        "p3",
        "marks2",
        "q2",
        "p2",
        "contact_info",
        "floor_height",
        "floor_info",
    )
    clip = clip._replace(**{f: np.ascontiguousarray(getattr(clip, f)[part]) for f in frames})
    count = clip.time.size
    nothing = clip._replace(
        **{f: np.zeros_like(getattr(clip, f)) for f in ("q3", "p3", "q2", "p2", "contact_info", "floor_info")}
    )
    zero = np.zeros(N_DOFS)
    idle = prior._replace(
        ball_info=np.zeros_like(prior.ball_info), twist_info=np.zeros_like(prior.twist_info),
        angle_info=np.zeros_like(prior.angle_info), limit_info=0.0, vel_info=zero,
    )  # fmt: skip

    def equations(seen: kernel.Clip, believed: kernel.Prior) -> tuple[tuple[Floats, Floats, Floats], Floats]:
        a0, a1, a2 = (np.empty((count, N_DOFS, N_DOFS)) for _ in range(3))
        gradient = np.empty((count, N_DOFS))
        root, balls, angles = (np.ascontiguousarray(x[part]) for x in (state.root, state.balls, state.angles))
        kernel.normal_equations(
            skeleton.chain, seen, believed, root, balls, angles, a0, a1, a2, gradient, True
        )
        return (a0, a1, a2), gradient

    still, still_gradient = equations(clip, prior._replace(acc_info=zero))
    moving, moving_gradient = equations(nothing, idle)
    groups = group_of_unknowns()
    log = np.full(len(GROUPS), np.log(START))
    inverse = tuple(np.empty((count, N_DOFS, N_DOFS)) for _ in range(3))
    for _ in range(_ROUNDS):
        weight = np.exp(-log)[groups]
        a0, a1, a2 = (s + weight[:, None] * m * weight for s, m in zip(still, moving, strict=True))
        a0[:, np.arange(N_DOFS), np.arange(N_DOFS)] *= 1.0 + 1e-9
        if solve.factor(a0, a1, a2) != 0:
            break
        step = -(still_gradient + weight**2 * moving_gradient)
        solve.substitute(a0, a1, a2, step)
        solve.selected_inverse(a0, a1, a2, *inverse)
        balls, angles, root = (
            np.ascontiguousarray(x[part]).copy() for x in (state.balls, state.angles, state.root)
        )
        apply_step(step, 1.0, root, balls, angles)
        found = 0.5 * (prior.acc_info * _accelerations(clip.time, root, balls, angles) ** 2).sum(axis=0)
        free = weight**2 * sum(
            c * np.einsum("tde,tde->d", s, m)
            for c, s, m in zip((1.0, 2.0, 2.0), inverse, moving, strict=True)
        )
        new = log.copy()
        for g in range(len(GROUPS)):
            of = groups == g
            n = (count - 2) * int(of.sum())
            # the prior on log κ counts as that many accelerations of the usual size
            usual = 1.0 / _PRIOR_SD**2
            determined = max(n - free[of].sum(), 1e-3 * n)
            size = (2.0 * found[of].sum() + usual * START**2) / (determined + usual)
            new[g] = np.clip(0.5 * np.log(size), *np.log(_RANGE))
        moved = np.abs(new - log).max()
        log = new
        if moved < _SETTLED:
            break
    return np.clip(_NARROW * np.exp(log), *_RANGE)


def _accelerations(time: Floats, root: Floats, balls: Floats, angles: Floats) -> Floats:
    """Second differences of all unknowns (T − 2, D), times the root of the time they stand for."""
    gap = np.diff(time)
    turn = rotation.to_rotvec(rotation.from_matrix(np.swapaxes(balls[:-1], 2, 3) @ balls[1:]))
    step = np.concatenate(
        [np.diff(root, axis=0), turn.reshape(gap.size, -1), np.diff(angles, axis=0)], axis=1
    )
    span = 0.5 * (gap[1:] + gap[:-1])[:, None]
    return np.diff(step / gap[:, None], axis=0) / np.sqrt(span)
