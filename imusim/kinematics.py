"""A body in continuous time: forward kinematics and points on the skin, with exact derivatives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from imusim._kernels import kinematics as _tree
from imusim._kernels import sites as _skin
from imusim._kernels import uncertainty as _sd
from imusim.conventions import STANDARD_GRAVITY
from imusim.errors import ConfigError, ShapeError, TimeError
from imusim.long_spline import LongSpline, interpolate_whole
from imusim.rotation import normalise, sign_continuous
from imusim.spline import Spline, piece_bounds, runs
from imusim.trajectory import allocate
from imusim.types import Floats, Kinematics, Motion, as_floats, check_time

if TYPE_CHECKING:
    from imusim.smoothing import SmoothResult

SMOOTHING = ("auto", "none")


# Errors of an estimate are mostly slow (definitions of landmarks, a wandering depth) and matter little for its
# derivatives. The share of the stated standard deviation that is as quick as the bandwidth allows, measured for joints
# against the other triangulated views of a walk (benchmarks/bench_views.py), so that two in three errors are within one
# standard deviation of specific force and of acceleration about the hips.
_QUICK_SHARE_OF_JOINTS = 0.22
_QUICK_SHARE_OF_ROOT = 0.10
_BEYOND_S = 0.12  # about half a period of the highest frequency that a fit to video resolves


@dataclass(frozen=True)
class Sites:
    """Where S sensors sit on one particular body: ``x = Σ_j (R_j offsets_j + weights_j p_j) + R̄ lift``.

    R_j, p_j are rotation and position of joint j; R̄ is the rotation nearest to ``Σ_j weights_j R_j`` (the polar
    factor); the sensor's axes are ``R̄ R(rotation)``. A site on a bone has a single weight of 1.

    Parameters
    ----------
    names : S names
    weights : (S, J) skin weights, rows sum to 1
    offsets_m : (S, J, 3) · m · each joint's axes; for linear blend skinning ``weights_j (x_rest − joint_rest_j)``
    lift_m : (S, 3) · m · axes of R̄ (in the rest pose: of the body file)
    rotation_wxyz : (S, 4), unit quaternions, sensor axes to the axes of R̄

    Raises
    ------
    ShapeError, FrameError
        On shapes that do not fit together, weights that do not sum to 1, quaternions not near unit length.
    """

    names: tuple[str, ...]
    weights: Floats
    offsets_m: Floats
    lift_m: Floats
    rotation_wxyz: Floats

    def __post_init__(self) -> None:
        s = len(self.names)
        put = object.__setattr__
        put(self, "names", tuple(self.names))
        put(self, "weights", as_floats(self.weights, "weights", (s, None)))
        joints = self.weights.shape[1]
        put(self, "offsets_m", as_floats(self.offsets_m, "offsets_m", (s, joints, 3)))
        put(self, "lift_m", as_floats(self.lift_m, "lift_m", (s, 3)))
        q = as_floats(self.rotation_wxyz, "rotation_wxyz", (s, 4))
        put(self, "rotation_wxyz", normalise(q, tolerance=0.05))
        total = self.weights.sum(axis=1)
        if s and not np.allclose(total, 1.0, atol=1e-6):
            i = int(np.argmax(np.abs(total - 1.0)))
            raise ShapeError(
                f"weights of site {self.names[i]!r} sum to {total[i]:.6g}, wanted 1. Divide by the sum."
            )


@dataclass(frozen=True)
class _Piece:
    """One spline: channels [root x y z | w x y z of every moving joint]."""

    spline: Spline | LongSpline
    slot: NDArray[np.int64]  # (J,) first channel of each joint's quaternion, −1 if it does not move
    fixed: Floats  # (J, 4) rotation of the joints that do not move
    result: SmoothResult | None


class BodyTrajectory:
    """A `Motion` in continuous time, twice differentiable, and the sensors that ride on it.

    A shot cut or a gap longer than `max_gap_s` starts a new spline; nothing is differentiated across it. Each piece
    goes on for half a frame beyond its ends (with constant second derivatives), so that instants around a hard cut
    belong to the nearer shot.

    Parameters
    ----------
    motion : the body's motion at its frames
    smoothing : "auto" chooses the smoothing of every joint and of the root from the data (`imusim.smoothing`);
        "none" interpolates, for motion without noise
    max_gap_s : longest run of invalid frames that is bridged · s

    Attributes
    ----------
    motion : the motion it was made from
    settings : what was chosen, for the record: JSON-ready

    Raises
    ------
    ConfigError, TimeError
        On an unknown `smoothing`, and if no frame is valid.
    """

    def __init__(self, motion: Motion, smoothing: str = "auto", max_gap_s: float = 0.5) -> None:
        if smoothing not in SMOOTHING:
            raise ConfigError(f"smoothing={smoothing!r}, wanted one of {', '.join(SMOOTHING)}")
        if not max_gap_s > 0:
            raise ConfigError(f"max_gap_s={max_gap_s}, wanted a positive time in seconds")
        self.motion = motion
        rest = motion.body.rest_joints(motion.shape)
        self._parents = np.ascontiguousarray(motion.body.parents, dtype=np.int64)
        self._offsets = np.ascontiguousarray(rest - rest[np.maximum(self._parents, 0)])
        index = runs(motion.time_s, motion.valid, motion.shot, max_gap_s)
        if not index:
            raise TimeError(f"none of the motion's {motion.time_s.size} frames is valid")
        self._bounds = piece_bounds(motion.time_s, index)
        self._pieces = [_fit(motion, i, smoothing) for i in index]
        self.settings: Mapping[str, Any] = {
            "smoothing": smoothing,
            "max_gap_s": float(max_gap_s),
            "pieces": [
                {
                    "start_s": float(b[0]),
                    "end_s": float(b[1]),
                    **({} if p.result is None else _summary(p, motion.body.joint_names)),
                }
                for b, p in zip(self._bounds, self._pieces, strict=True)
            ],
        }

    def _covered(self, time_s: ArrayLike) -> tuple[Floats, NDArray[np.int64]]:
        """Times (T,) and the piece of each, −1 where there is none."""
        t = as_floats(time_s, "time_s", (None,))
        if not np.isfinite(t).all():
            raise TimeError(f"time_s has {int((~np.isfinite(t)).sum())} values that are not finite")
        slack = 1e-9 * max(1.0, float(np.abs(self._bounds).max()))
        k = np.searchsorted(self._bounds[:, 0], t + slack, side="right") - 1
        k[(k >= 0) & (t > self._bounds[k, 1] + slack)] = -1
        return t, k

    def valid(self, time_s: ArrayLike) -> NDArray[np.bool_]:
        """(T,) bool: whether the motion is known at the instants `time_s` (T,) · s."""
        return self._covered(time_s)[1] >= 0

    def joints(self, time_s: ArrayLike) -> Floats:
        """Joint positions at `time_s` (T,) · s: (T, J, 3) · m · world; NaN where the motion is not known."""
        t, which = self._covered(time_s)
        out = np.full((t.size, self._parents.size, 3), np.nan)
        for k, piece in enumerate(self._pieces):
            at = np.flatnonzero(which == k)
            if at.size:
                part = np.empty((at.size, self._parents.size, 3))
                _tree.joints(*_arguments(piece, t[at], self._parents, self._offsets), part)
                out[at] = part
        return out

    def kinematics(self, time_s: ArrayLike, sites: Sites) -> Kinematics:
        """Motion of the sensors at the sites.

        Parameters
        ----------
        time_s : (T,) · s, in any order
        sites : S sites on this body

        Returns
        -------
        Kinematics
            World frame; NaN where no frame of the motion is near.

        Raises
        ------
        ShapeError, TimeError
            If the sites are for a body with another number of joints, or a time is not finite.
        """
        self._check(sites)
        t, which = self._covered(time_s)
        csr = _csr(sites)
        out = allocate(t.size, len(sites.names))
        for o in out:
            o[which < 0] = np.nan
        for k, piece in enumerate(self._pieces):
            at = np.flatnonzero(which == k)
            if at.size == 0:
                continue
            part = out if at.size == t.size else [np.empty((at.size, *o.shape[1:])) for o in out]
            _skin.body(*_arguments(piece, t[at], self._parents, self._offsets), *csr, *part)
            if part is not out:
                for o, p in zip(out, part, strict=True):
                    o[at] = p
        position, orientation, *rest = out
        return Kinematics(t, position, sign_continuous(orientation), rest[0], rest[1], rest[2], rest[3])

    def uncertainty(self, time_s: ArrayLike, sites: Sites) -> tuple[Floats, Floats]:
        """Standard deviations of what perfect sensors at the sites would measure.

        A linearised figure that takes the errors of the joints, of the root and of the direction of gravity as
        independent: every joint above a site contributes its angular acceleration error times the lever arm, its
        angular velocity error through the centripetal terms, and its rotation error times the specific force; the
        root its acceleration error. It knows nothing of errors that are smooth in time, such as a wrong bone length.

        Parameters
        ----------
        time_s : (T,) · s
        sites : S sites on this body

        Returns
        -------
        acc_sd : (T, S, 3) · m/s² · sensor axes; NaN where the motion is not known or was not smoothed
        gyro_sd : (T, S, 3) · rad/s · sensor axes; likewise
        """
        self._check(sites)
        t, which = self._covered(time_s)
        k = self.kinematics(t, sites)
        acc_sd = np.full((t.size, len(sites.names), 3), np.nan)
        gyro_sd = np.full_like(acc_sd, np.nan)
        tilt = np.radians(self.motion.up_sd_deg) * STANDARD_GRAVITY
        carrier = np.argmax(sites.weights, axis=1)
        for i, piece in enumerate(self._pieces):
            at = np.flatnonzero(which == i)
            if at.size == 0 or piece.result is None:
                continue
            root, joint = _joint_sd(piece, t[at])
            joints = np.empty((at.size, self._parents.size, 3))
            omega = np.empty_like(joints)
            _sd.joint_rates(*_arguments(piece, t[at], self._parents, self._offsets), joints, omega)
            part = np.empty((2, at.size, len(sites.names), 3))
            _sd.propagate(
                self._parents,
                carrier,
                joints,
                omega,
                np.ascontiguousarray(k.position[at]),
                np.ascontiguousarray(k.orientation[at]),
                np.ascontiguousarray(k.acceleration[at]),
                root,
                joint,
                STANDARD_GRAVITY,
                tilt,
                part[0],
                part[1],
            )
            acc_sd[at], gyro_sd[at] = part
        return acc_sd, gyro_sd

    def _check(self, sites: Sites) -> None:
        if sites.weights.shape[1] != self._parents.size:
            raise ShapeError(
                f"sites are for a body with {sites.weights.shape[1]} joints, the motion's "
                f"{self.motion.body.name!r} has {self._parents.size}"
            )


def _arguments(
    piece: _Piece, t: Floats, parents: NDArray[np.int64], offsets: Floats
) -> tuple[Floats, Floats, Floats, NDArray[np.int64], NDArray[np.int64], Floats, Floats]:
    """What the tree kernels take first."""
    s = piece.spline.part(t.min(), t.max())
    return s.time_s, s.channel_last, t, piece.slot, parents, offsets, piece.fixed


def _csr(sites: Sites) -> tuple[Any, ...]:
    """Sites as the skin kernel wants them: only the joints that matter to each."""
    used = (sites.weights != 0.0) | (sites.offsets_m != 0.0).any(axis=2)
    site, joint = np.nonzero(used)
    start = np.searchsorted(site, np.arange(len(sites.names) + 1))
    return (
        start,
        joint,
        np.ascontiguousarray(sites.weights[site, joint]),
        np.ascontiguousarray(sites.offsets_m[site, joint]),
        sites.lift_m,
        sites.rotation_wxyz,
    )


def _fit(motion: Motion, index: NDArray[np.int64], smoothing: str) -> _Piece:
    """Spline of one piece of a motion."""
    t = check_time(motion.time_s[index])
    q, first = motion.joint_rotation_wxyz, motion.joint_rotation_wxyz[index[0]].copy()
    # joint by joint: a copy of all rotations of an hour is 100 MB
    moving = [j for j in range(q.shape[1]) if np.ptp(sign_continuous(q[index, j]), axis=0).max() > 1e-12]
    slot = np.full(q.shape[1], -1, dtype=np.int64)
    slot[moving] = 3 + 4 * np.arange(len(moving))
    values = np.empty((t.size, 3 + 4 * len(moving)))
    values[:, :3] = motion.root_position_m[index]
    for j in moving:
        values[:, slot[j] : slot[j] + 4] = sign_continuous(q[index, j])
    if smoothing == "none":
        return _Piece(interpolate_whole(t, values), slot, first, None)
    from imusim.smoothing import smooth

    # axes of unequal noise are smoothed each on its own; else the vertical is, if the data say so
    split = motion.root_sd_m is not None
    of_root = np.array([0, 1, 2] if split else [0, 0, 1])
    n_root = int(of_root[-1]) + 1
    groups = np.concatenate([of_root, n_root + np.repeat(np.arange(len(moving)), 4)])
    sd = None
    if split or motion.rotation_sd_rad is not None or motion.bandwidth_hz is not None:
        sd = np.ones((t.size, n_root + len(moving)))
        if motion.root_sd_m is not None:
            sd[:, :3] = motion.root_sd_m[index]
        if motion.rotation_sd_rad is not None:
            sd[:, n_root:] = motion.rotation_sd_rad[index][:, moving]
        if motion.bandwidth_hz is not None:  # an error of θ is one of θ/2 in a quaternion's components
            sd[:, n_root:] *= 0.5
    if motion.bandwidth_hz is not None:
        t, values, sd = _beyond(t, values, sd)
    alike = () if split else ((0, 1),)
    result = smooth(t, values, groups=groups, sd=sd, bandwidth_hz=motion.bandwidth_hz, alike=alike)
    if motion.bandwidth_hz is not None:
        result.group_sd[:, :n_root, 1:] *= _QUICK_SHARE_OF_ROOT
        result.group_sd[:, n_root:, 1:] *= _QUICK_SHARE_OF_JOINTS
    return _Piece(result.spline, slot, first, result)


def _beyond(t: Floats, values: Floats, sd: Floats | None) -> tuple[Floats, Floats, Floats | None]:
    """An estimate carried on at constant velocity before its first and after its last sample: what a fit that takes
    acceleration for white noise expects there. A low-pass alone would draw on the curvature of the last few samples."""
    if t.size < 3:
        return t, values, sd
    step = float(np.median(np.diff(t)))
    count = max(1, round(_BEYOND_S / step))
    away = step * np.arange(1, count + 1)
    early, late = ((values[i + 1] - values[i]) / (t[i + 1] - t[i]) for i in (0, t.size - 2))
    values = np.concatenate([values[0] - away[::-1, None] * early, values, values[-1] + away[:, None] * late])
    if sd is not None:
        sd = np.concatenate([np.repeat(sd[:1], count, axis=0), sd, np.repeat(sd[-1:], count, axis=0)])
    return np.concatenate([t[0] - away[::-1], t, t[-1] + away]), values, sd


def _joint_sd(piece: _Piece, t: Floats) -> tuple[Floats, Floats]:
    """Posterior sd at t: of the root's acceleration (T, 3) m/s², and (T, J, 3) of each joint's rotation rad, ω rad/s
    and α rad/s² per axis: an error δq of a unit quaternion turns by 2 δq."""
    assert piece.result is not None
    nodes = piece.spline.time_s
    right = np.clip(np.searchsorted(nodes, t), 1, max(nodes.size - 1, 1))
    left = right - 1
    right = np.minimum(right, nodes.size - 1)
    gap = np.where(right > left, nodes[right] - nodes[left], 1.0)
    f = np.clip((t - nodes[left]) / gap, 0.0, 1.0)[:, None, None]
    of_group = piece.result.group_sd
    sd = (1.0 - f) * of_group[left] + f * of_group[right]
    joint = np.zeros((t.size, piece.slot.size, 3))
    moving = np.flatnonzero(piece.slot >= 0)
    n_root = sd.shape[1] - moving.size  # two or three groups for the root, then one a joint
    # four components, three degrees of freedom
    joint[:, moving] = 2.0 * np.sqrt(4.0 / 3.0) * sd[:, n_root:]
    return np.ascontiguousarray(sd[:, piece.result.groups[:3], 2]), joint


def _summary(piece: _Piece, joint_names: tuple[str, ...]) -> dict[str, Any]:
    """What the smoother chose for the root and each moving joint."""
    assert piece.result is not None
    settings = list(piece.result.settings)
    moving = [joint_names[j] for j in np.flatnonzero(piece.slot >= 0)]
    split = len(settings) == 3 + len(moving)
    root = ["root_x", "root_y", "root_z"] if split else ["root_horizontal", "root_vertical"]
    return {"chosen": dict(zip([*root, *moving], settings, strict=True))}
