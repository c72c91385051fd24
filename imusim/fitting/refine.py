"""The whole clip at once: damped Gauss–Newton on all frames' unknowns, robust, with standard deviations.

Residuals: 3D landmarks (up to a free shift per frame) and image landmarks, with noise that is coloured in time
(`imusim.fitting.noise`); points of the body that seem to rest (random walk, 1.5 cm/s over one frame at 30/s); and
the priors of `imusim.fitting.skeleton`. Landmarks further off than a few sd lose their say (Cauchy), first mildly,
then firmly, so that the start matters less (graduated non-convexity, Blake and Zisserman 1987).

How much the unknowns may accelerate is chosen by evidence, clip by clip (`imusim.fitting.process`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from imusim._kernels import fit as kernel
from imusim._kernels import solve
from imusim._kernels.fit_chain import apply_step, pose_clip
from imusim.fitting import contact as contacts
from imusim.fitting.landmarks import AT, CONTACTS, NAMES
from imusim.fitting.noise import Held, Seen, robust_weights, weigh
from imusim.fitting.process import GROUPS, START, choose_process, group_of_unknowns
from imusim.fitting.skeleton import ANGLES, BALLS, N_DOFS, Skeleton, pose_prior
from imusim.fitting.world import lifts_of
from imusim.types import Floats

STAGES = ((8.0, False, 5), (2.5, True, 4), (2.5, True, 4))
"""Scale of the Cauchy loss (sd), whether feet stand, most iterations. The process noise is chosen before the last."""
CHUNK, OVERLAP = 700, 120
_SETTLED = 1e-4  # of the cost: less than this gained by a step is the end
_STRIDE = (0.1, 0.3)
"""Step, m and rad, that damping by 1 makes cost ½ a frame. Not a share of the equations' diagonal: smoothness in time is
nearly all of that, and slow motion (a whole path too near or too far) would never move."""


@dataclass(frozen=True)
class Terms:
    """Which parts of the model act; all, but for showing what each is worth.

    Attributes
    ----------
    choice : choose the process noise by evidence; else vigorous exercise is assumed
    contact : what rests on the floor rests
    limits : joints have limits and usual postures
    image : image landmarks shape the pose
    """

    choice: bool = True
    contact: bool = True
    limits: bool = True
    image: bool = True


@dataclass
class State:
    """Unknowns of T frames: root (T, 3) m and balls (T, B, 3, 3) in camera axes, angles (T, Q) rad."""

    root: Floats
    balls: Floats
    angles: Floats

    def copy(self) -> State:
        """Return an independent copy."""
        return State(self.root.copy(), self.balls.copy(), self.angles.copy())

    def part(self, first: int, last: int) -> State:
        """Copy of the frames first … last − 1."""
        return State(
            self.root[first:last].copy(), self.balls[first:last].copy(), self.angles[first:last].copy()
        )


@dataclass(frozen=True)
class Posterior:
    """Marginal variances, and the process noise they rest on.

    Attributes
    ----------
    root : (T, 3, 3) m², root position covariance, camera axes
    unknowns : (T, D) m², rad²
    process : (T, G), multiplier of the acceleration sd of each group (`imusim.fitting.process.GROUPS`)
    resting : (T, C), 0 … 1, how surely each of `landmarks.CONTACTS` rests
    """

    root: Floats
    unknowns: Floats
    process: Floats
    resting: Floats


def refine(
    skeleton: Skeleton,
    seen: Seen,
    standing: Floats,
    trust: Floats,
    start: State,
    move: bool = True,
    floor: contacts.Level | None = None,
    done: Callable[[int], object] = int,
    terms: Terms = Terms(),
) -> tuple[State, Posterior]:
    """Refine a start over the whole clip; long clips in overlapping parts, so that memory stays bounded.

    Parameters
    ----------
    skeleton : the body
    seen : what was seen, T frames
    standing : (T, 4), 0 … 1, how surely heels and toes rest
    trust : (T, 33), 0 … 1, of the landmarks
    start : where to start
    move : False: leave the start as it is, give only the posterior there
    floor : that what rests lies on, where it is known; `start` is then a fit without it, with the same process noise
    done : told how many frames are finished
    terms : which parts of the model act
    """
    count = seen.time.size
    stages = (STAGES if floor is None else STAGES[-1:]) if move else ()
    if count <= CHUNK + OVERLAP:
        found, posterior = _refine_part(skeleton, seen, standing, trust, start, stages, floor, terms)
        done(count)
        return found, posterior
    state = start.copy()
    root_cov = np.zeros((count, 3, 3))
    variances = np.zeros((count, N_DOFS))
    moves = np.zeros((count, len(GROUPS)))
    rests = np.zeros((count, len(CONTACTS)))
    first = 0
    while True:
        last = min(first + CHUNK, count)
        if count - last < OVERLAP:
            last = count
        found, posterior = _refine_part(
            skeleton,
            seen.part(first, last),
            standing[first:last],
            trust[first:last],
            start.part(first, last),
            stages,
            floor,
            terms,
        )
        keep = (
            0 if first == 0 else OVERLAP // 2
        )  # the halves of an overlap nearest to a part's end are not used
        state.root[first + keep : last] = found.root[keep:]
        state.balls[first + keep : last] = found.balls[keep:]
        state.angles[first + keep : last] = found.angles[keep:]
        root_cov[first + keep : last] = posterior.root[keep:]
        variances[first + keep : last] = posterior.unknowns[keep:]
        moves[first + keep : last] = posterior.process[keep:]
        rests[first + keep : last] = posterior.resting[keep:]
        done(last - first - (OVERLAP if first else 0))
        if last == count:
            return state, Posterior(root_cov, variances, moves, rests)
        first = last - OVERLAP


def _refine_part(
    skeleton: Skeleton,
    seen: Seen,
    standing: Floats,
    trust: Floats,
    start: State,
    stages: tuple[tuple[float, bool, int], ...],
    floor: contacts.Level | None,
    terms: Terms,
) -> tuple[State, Posterior]:
    step = float(np.median(np.diff(seen.time)))
    loose = pose_prior(step, terms.limits)
    groups = group_of_unknowns()
    process = np.full(len(GROUPS), START if terms.choice else 1.0) if floor is None else floor.process
    prior = loose._replace(acc_info=loose.acc_info / process[groups] ** 2)
    count = seen.time.size
    a0, a1, a2 = (np.empty((count, N_DOFS, N_DOFS)) for _ in range(3))
    gradient = np.empty((count, N_DOFS))
    state = start.copy()
    diagonal = np.arange(N_DOFS)
    stride_info = np.where(diagonal < 3, *(x**-2.0 for x in _STRIDE))
    points = np.array([AT[n] for n in CONTACTS], dtype=np.int64)
    nothing = np.zeros((count, points.size))
    resting, held = nothing, Held(points, nothing, np.array([0.0, -1.0, 0.0]), nothing, nothing)

    def weighed(at: State, scale: float) -> kernel.Clip:
        marks = pose(skeleton, at)[2]
        jump = np.zeros_like(nothing)
        jump[1:] = (np.diff(marks[:, points], axis=0) ** 2).sum(axis=2)
        over = (marks[:, points] @ held.up_c - held.height_m) ** 2
        now = replace(
            held,
            stay_info=held.stay_info / (1.0 + held.stay_info * jump / (3.0 * scale**2)),
            height_info=held.height_info / (1.0 + held.height_info * over / scale**2),
        )
        return weigh(seen, robust_weights(seen, marks, scale), now)

    def rests(at: State) -> tuple[Floats, Held]:
        rot, _, marks = pose(skeleton, at)
        resting = contacts.resting(seen.time, standing, trust, marks)
        stay = contacts.contact_information(seen.time, resting)
        if floor is None:
            return resting, replace(held, stay_info=stay)
        height = floor.height_m + lifts_of(skeleton, rot, floor.up_c)
        lies = contacts.floor_information(seen.time, resting, marks, floor.up_c, height)
        return resting, Held(points, stay, floor.up_c, height, lies)

    def equations(clip: kernel.Clip, at: State, build: bool) -> float:
        return kernel.normal_equations(
            skeleton.chain, clip, prior, at.root, at.balls, at.angles, a0, a1, a2, gradient, build
        )

    for number, (scale, contact, most) in enumerate(stages):
        if contact and terms.contact:
            resting, held = rests(state)
        if number == len(stages) - 1 and terms.choice and floor is None:
            process = choose_process(skeleton, weighed(state, scale), loose, state)
            prior = loose._replace(acc_info=loose.acc_info / process[groups] ** 2)
        damping = 1.0
        for _ in range(most):
            clip = weighed(state, scale)
            cost = equations(clip, state, True)
            # the same for all frames: a still person must stay still to the last bit
            a0[:, diagonal, diagonal] += damping * stride_info
            if solve.factor(a0, a1, a2) != 0:  # a proper prior keeps it positive; should rounding not: harder
                damping = max(10.0 * damping, 1.0)
                continue
            move = -gradient
            solve.substitute(a0, a1, a2, move)
            trial = state.copy()
            apply_step(move, 1.0, trial.root, trial.balls, trial.angles)
            new = equations(clip, trial, False)
            if new > cost:
                if new <= cost * (1.0 + 1e-9):
                    break
                damping *= 30.0
                continue
            state, damping = trial, 0.1 * damping
            if cost - new < _SETTLED * cost:
                break
    if not stages:
        resting, held = rests(state)
    equations(weighed(state, STAGES[-1][0]), state, True)
    moved = np.tile(process, (count, 1))
    a0[:, diagonal, diagonal] *= 1.0 + 1e-9
    if solve.factor(a0, a1, a2) != 0:
        return state, Posterior(
            np.full((count, 3, 3), np.inf), np.full((count, N_DOFS), np.inf), moved, resting
        )
    covariance, beside, further = (np.empty((count, N_DOFS, N_DOFS)) for _ in range(3))
    solve.selected_inverse(a0, a1, a2, covariance, beside, further)
    return state, Posterior(
        covariance[:, :3, :3].copy(), covariance[:, diagonal, diagonal].copy(), moved, resting
    )


def pose(skeleton: Skeleton, state: State) -> tuple[Floats, Floats, Floats]:
    """Joint rotations (T, J, 3, 3) to camera axes, positions (T, J, 3) m and landmarks (T, 33, 3) m, camera axes."""
    count, joints = state.root.shape[0], len(skeleton.joint_names)
    rot = np.zeros((count, joints, 3, 3))
    pos = np.zeros((count, joints, 3))
    marks = np.zeros((count, len(NAMES), 3))
    pose_clip(skeleton.chain, state.root, state.balls, state.angles, rot, pos, marks)
    return rot, pos, marks


def empty_state(count: int) -> State:
    """State of `count` frames in the rest pose at the origin."""
    return State(
        np.zeros((count, 3)), np.tile(np.eye(3), (count, len(BALLS), 1, 1)), np.zeros((count, len(ANGLES)))
    )
