"""How fast this person moves here: the process noise of the fit, chosen by evidence.

The fit's prior takes every unknown's acceleration as white noise of a certain standard deviation. How large it is
decides what is motion and what is measurement noise, costs a factor of several in the accelerations that come out
of it, and differs between a stroll and a sprint. So the standard deviations of the root's path and of all rotations are
multiplied by what makes the clip most likely (Laplace's approximation at the current estimate x)

    −log p = J(x + δ) + ½ log|H| + n Σ log κ,    H δ = −g,

with J the cost, g its gradient and H its Gauss–Newton matrix, of which only the second differences in time depend
on κ: both are kept apart, so that one κ costs one factorisation and nothing is linearised again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from imusim._kernels import fit as kernel
from imusim._kernels import solve
from imusim.fitting.skeleton import N_DOFS, Skeleton
from imusim.types import Floats

GROUPS = ("root", "joints")
START = 0.15
"""Multiplier to begin with: everyday motion, measured on walks; 1 is vigorous exercise."""
_BANDWIDTH_HZ = 8.0
"""Frequency up to which joints are resolved at κ = 1, Hz; it goes with √κ (the quarter power of process over
measurement noise). Calibrated on four triangulated views of a walk and on clips turned by 10°: see benchmarks."""
_PRIOR_SD = 1.2  # of log κ about `START`, for clips too short to tell
_STEP = 0.3  # of log κ on the search grid
_RANGE = (np.log(0.015), np.log(4.0))
_FRAMES = 110  # a stretch this long is enough to choose by


def bandwidth_hz(kappa: float, step_s: float) -> float:
    """Frequency up to which a fit with process noise `kappa` resolves the joints, Hz; below the frames' Nyquist rate."""
    return float(np.clip(_BANDWIDTH_HZ * np.sqrt(kappa), 1.0, 0.4 / step_s))


def group_of_unknowns() -> np.ndarray:
    """Number of the group (`GROUPS`) of each of the D unknowns, (D,) int."""
    return np.where(np.arange(N_DOFS) < 3, 0, 1)


@dataclass(frozen=True)
class _Split:
    """The quadratic model of the cost, its part that depends on κ apart (as at κ = 1)."""

    still: tuple[Floats, Floats, Floats]
    moving: tuple[Floats, Floats, Floats]
    still_gradient: Floats
    moving_gradient: Floats
    moving_cost: Floats  # of each group

    def cost(self, log_kappa: Floats, groups: np.ndarray) -> float:
        """−log evidence at log κ (G,), up to a constant."""
        weight = np.exp(-log_kappa)[groups]
        a0, a1, a2 = (s + weight[:, None] * m * weight for s, m in zip(self.still, self.moving, strict=True))
        count = a0.shape[0]
        diagonal = np.arange(N_DOFS)
        a0[:, diagonal, diagonal] *= 1.0 + 1e-9
        if solve.factor(a0, a1, a2) != 0:
            return np.inf
        gradient = self.still_gradient + weight**2 * self.moving_gradient
        step = gradient.copy()
        solve.substitute(a0, a1, a2, step)
        quadratic = (self.moving_cost * np.exp(-2.0 * log_kappa)).sum() - 0.5 * (gradient * step).sum()
        volume = np.log(a0[:, diagonal, diagonal]).sum() + (count - 2) * log_kappa[groups].sum()
        prior = 0.5 * (((log_kappa - np.log(START)) / _PRIOR_SD) ** 2).sum()
        return float(quadratic + volume + prior)


def choose_process(
    skeleton: Skeleton,
    clip: kernel.Clip,
    prior: kernel.Prior,
    loss_scale: float,
    root: Floats,
    balls: Floats,
    angles: Floats,
) -> Floats:
    """Multipliers (G,) of the acceleration sd of the groups that make the clip most likely.

    Parameters
    ----------
    skeleton : the body
    clip : what was seen, T frames
    prior : with acceleration sd as at κ = 1
    loss_scale : of the Cauchy loss
    root, balls, angles : (T, 3), (T, B, 3, 3), (T, Q): the current estimate; a middle stretch of it is used
    """
    count = clip.time.size
    if count < 8:
        return np.full(len(GROUPS), START)
    groups = group_of_unknowns()
    first = max(0, (count - _FRAMES) // 2)
    part = slice(first, min(count, first + _FRAMES))
    frames = ("time", "marks3", "info3", "marks2", "info2", "contact_info", "floor_info")
    clip = clip._replace(**{f: np.ascontiguousarray(getattr(clip, f)[part]) for f in frames})
    split = _split(skeleton, clip, prior, loss_scale, root[part], balls[part], angles[part], groups)
    best = np.full(len(GROUPS), np.log(START))
    value = split.cost(best, groups)
    step = np.full(len(GROUPS), _STEP)
    for _ in range(3):  # coordinate search: up or down while it helps, then once more with finer steps
        moved = False
        for g in range(len(GROUPS)):
            for sign in (1.0, -1.0):
                gained = False
                while True:
                    trial = best.copy()
                    trial[g] = np.clip(best[g] + sign * step[g], *_RANGE)
                    new = np.inf if trial[g] == best[g] else split.cost(trial, groups)
                    if not new < value:
                        break
                    best, value, gained, moved = trial, new, True, True
                if gained:
                    break
        if not moved:
            break
    for g in range(
        len(GROUPS)
    ):  # between the steps of the search, or two runs of one clip may differ by a step
        sides = [split.cost(best + sign * step * (np.arange(len(GROUPS)) == g), groups) for sign in (-1, 1)]
        bend = sides[0] + sides[1] - 2.0 * value
        if np.isfinite(bend) and bend > 0.0:
            best[g] += np.clip(0.5 * (sides[0] - sides[1]) / bend, -0.5, 0.5) * step[g]
            value = split.cost(best, groups)
    return np.exp(np.clip(best, *_RANGE))


def _split(
    skeleton: Skeleton,
    clip: kernel.Clip,
    prior: kernel.Prior,
    loss_scale: float,
    root: Floats,
    balls: Floats,
    angles: Floats,
    groups: np.ndarray,
) -> _Split:
    count = clip.time.size
    nothing = clip._replace(
        info3=np.zeros_like(clip.info3),
        info2=np.zeros_like(clip.info2),
        contact_info=np.zeros_like(clip.contact_info),
        floor_info=np.zeros_like(clip.floor_info),
    )

    def equations(
        seen: kernel.Clip, believed: kernel.Prior
    ) -> tuple[tuple[Floats, Floats, Floats], Floats, float]:
        a0, a1, a2 = (np.empty((count, N_DOFS, N_DOFS)) for _ in range(3))
        gradient = np.empty((count, N_DOFS))
        cost = kernel.normal_equations(
            skeleton.chain, seen, believed, loss_scale, root, balls, angles, a0, a1, a2, gradient
        )
        return (a0, a1, a2), gradient, float(cost)

    zero = np.zeros(N_DOFS)
    still, still_gradient, _ = equations(clip, prior._replace(acc_info=zero))
    idle = prior._replace(
        ball_info=np.zeros_like(prior.ball_info), twist_info=np.zeros_like(prior.twist_info),
        angle_info=np.zeros_like(prior.angle_info), limit_info=0.0, vel_info=zero,
    )  # fmt: skip
    moving, moving_gradient, _ = equations(nothing, idle)
    costs = np.array(
        [
            equations(nothing, idle._replace(acc_info=np.where(groups == g, prior.acc_info, 0.0)))[2]
            for g in range(len(GROUPS))
        ]
    )
    return _Split(still, moving, still_gradient, moving_gradient, costs)
