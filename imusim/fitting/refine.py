"""The whole clip at once: damped Gauss–Newton on all frames' unknowns, robust, with standard deviations.

Residuals and their standard deviations: 3D landmarks (45 mm across the view, 160 mm along it, up to a free shift per
frame), image landmarks (25 mm at the person's distance), points of the body that seem to rest on something
(`imusim.fitting.contact`), and the priors of `imusim.fitting.skeleton`. Landmarks further off than a few sd lose their say
(Cauchy), first mildly, then firmly, so that the start matters less (graduated non-convexity, Blake and
Zisserman 1987). Errors of neighbouring frames are alike, so frames denser than 30/s share their information.

How much the unknowns may accelerate is chosen by evidence, clip by clip (`imusim.fitting.process`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from imusim._kernels import fit as kernel
from imusim._kernels import solve
from imusim._kernels.fit_chain import apply_step, pose_clip
from imusim.fitting import contact as contacts
from imusim.fitting.landmarks import AT, CONTACTS, NAMES, SD_FACTOR
from imusim.fitting.process import GROUPS, START, choose_process, group_of_unknowns
from imusim.fitting.skeleton import ANGLES, BALLS, N_DOFS, REFERENCE_RATE_HZ, Skeleton, pose_prior
from imusim.types import Floats

IN_PLANE_SD_M, DEPTH_SD_M, IMAGE_SD_M = 0.045, 0.160, 0.025
STAGES = ((8.0, False, 5), (2.5, True, 4), (2.5, True, 4))
"""Scale of the Cauchy loss (sd), whether what rests stays, most iterations. The process noise is chosen before the last."""
CHUNK, OVERLAP = 700, 120

_SD3_FACTOR = SD_FACTOR.copy()
for _name in NAMES:  # the world landmarks' feet are half as long as feet are
    if "heel" in _name or "foot_index" in _name:
        _SD3_FACTOR[AT[_name]] *= 2.0


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


def observe(
    time_s: Floats,
    marks3: Floats,
    px: Floats,
    trust: Floats,
    depth_m: Floats,
    focal_px: float,
    centre_px: Floats,
) -> kernel.Clip:
    """Weigh what was seen (without what rests, see `imusim.fitting.contact`).

    Parameters
    ----------
    time_s : (T,) · s
    marks3 : (T, 33, 3) · m · camera axes, bones as long as the body's
    px : (T, 33, 2) · pixels
    trust : (T, 33), 0 … 1, multiplies the information; 0 where nothing was seen
    depth_m : (T,) · m, rough distance of the person
    focal_px, centre_px : pinhole camera
    """
    step = float(np.median(np.diff(time_s)))
    share = min(1.0, step * REFERENCE_RATE_HZ)
    sd = np.array([IN_PLANE_SD_M, IN_PLANE_SD_M, DEPTH_SD_M])
    info3 = share * trust[:, :, None] / (_SD3_FACTOR[:, None] * sd) ** 2
    info2 = share * trust / (SD_FACTOR * IMAGE_SD_M * focal_px / depth_m[:, None]) ** 2
    return kernel.Clip(
        time=time_s,
        marks3=np.ascontiguousarray(marks3),
        info3=info3,
        marks2=np.ascontiguousarray(px),
        info2=info2,
        contact_mark=np.array([AT[n] for n in CONTACTS], dtype=np.int64),
        contact_info=np.zeros((time_s.size, len(CONTACTS))),
        floor_up=np.array([0.0, -1.0, 0.0]),
        floor_height=np.zeros(len(CONTACTS)),
        floor_info=np.zeros((time_s.size, len(CONTACTS))),
        focal=float(focal_px),
        centre=np.asarray(centre_px, dtype=np.float64),
    )


def refine(
    skeleton: Skeleton,
    clip: kernel.Clip,
    standing: Floats,
    trust: Floats,
    start: State,
    move: bool = True,
    floor: contacts.Level | None = None,
    done: Callable[[int], object] = int,
) -> tuple[State, Posterior]:
    """Refine a start over the whole clip; long clips in overlapping parts, so that memory stays bounded.

    Parameters
    ----------
    skeleton : the body
    clip : what was seen, T frames
    standing : (T, 4), 0 … 1, how surely heels and toes stand still
    trust : (T, 33), 0 … 1, of the landmarks
    start : where to start
    move : False: leave the start as it is, give only the posterior there
    floor : that what rests lies on, where it is known; `start` is then a fit without it
    done : told how many frames are finished
    """
    count = clip.time.size
    stages = (STAGES if floor is None else STAGES[1:]) if move else ()
    if count <= CHUNK + OVERLAP:
        found, posterior = _refine_part(skeleton, clip, standing, trust, start, stages, floor)
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
        part = clip._replace(
            **{
                f: np.ascontiguousarray(getattr(clip, f)[first:last])
                for f in ("time", "marks3", "info3", "marks2", "info2")
            },
            contact_info=np.zeros((last - first, len(CONTACTS))),
            floor_info=np.zeros((last - first, len(CONTACTS))),
        )
        found, posterior = _refine_part(
            skeleton, part, standing[first:last], trust[first:last], start.part(first, last), stages, floor
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
    clip: kernel.Clip,
    standing: Floats,
    trust: Floats,
    start: State,
    stages: tuple[tuple[float, bool, int], ...],
    floor: contacts.Level | None,
) -> tuple[State, Posterior]:
    loose = pose_prior()
    groups = group_of_unknowns()
    process = np.full(len(GROUPS), START)
    prior = loose._replace(acc_info=loose.acc_info / process[groups] ** 2)
    count = clip.time.size
    a0, a1, a2 = (np.empty((count, N_DOFS, N_DOFS)) for _ in range(3))
    gradient = np.empty((count, N_DOFS))
    state = start.copy()
    diagonal = np.arange(N_DOFS)
    chain = skeleton.chain

    def equations(seen: kernel.Clip, scale: float, at: State) -> float:
        return kernel.normal_equations(
            chain, seen, prior, scale, at.root, at.balls, at.angles, a0, a1, a2, gradient
        )

    def rest(at: State) -> tuple[Floats, kernel.Clip]:
        marks = pose(skeleton, at)[2]
        resting = contacts.resting(clip.time, standing, trust, marks)
        held = clip._replace(contact_info=contacts.contact_information(clip.time, resting))
        if floor is not None:
            held = held._replace(
                floor_up=floor.up_c,
                floor_height=floor.height_m,
                floor_info=contacts.floor_information(clip.time, resting, marks, floor),
            )
        return resting, held

    resting, seen = np.zeros((count, len(CONTACTS))), clip
    for number, (scale, rests, most) in enumerate(stages):
        if rests:
            resting, seen = rest(state)
        if number == len(stages) - 1:
            process = choose_process(skeleton, seen, loose, scale, state.root, state.balls, state.angles)
            prior = loose._replace(acc_info=loose.acc_info / process[groups] ** 2)
        damping = 1e-3
        cost = equations(seen, scale, state)
        for _ in range(most):
            # the same for all frames: a still person must stay still to the last bit
            a0[:, diagonal, diagonal] += damping * a0[:, diagonal, diagonal].mean(axis=0)
            if (
                solve.factor(a0, a1, a2) != 0
            ):  # a proper prior keeps it positive; should rounding not, damp harder
                damping = max(10.0 * damping, 1e-2)
                equations(seen, scale, state)
                continue
            step = -gradient
            solve.substitute(a0, a1, a2, step)
            trial = state.copy()
            apply_step(step, 1.0, trial.root, trial.balls, trial.angles)
            new = equations(seen, scale, trial)
            if new > cost:
                if new <= cost * (1.0 + 1e-9):
                    break
                damping *= 30.0
                equations(seen, scale, state)
                continue
            settled = cost - new < 1e-4 * cost
            state, cost, damping = trial, new, 0.3 * damping
            if settled:
                break
    if not stages:
        resting, seen = rest(state)
    equations(seen, STAGES[-1][0], state)
    moved = np.tile(process, (count, 1))
    a0[:, diagonal, diagonal] *= 1.0 + 1e-9
    if solve.factor(a0, a1, a2) != 0:
        return state, Posterior(
            np.full((count, 3, 3), np.inf), np.full((count, N_DOFS), np.inf), moved, resting
        )
    covariance = np.empty((count, N_DOFS, N_DOFS))
    solve.marginal_covariance(a0, a1, a2, covariance)
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
