"""Rigid frames with known poses, in continuous time, with exact derivatives."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from imusim._kernels import kinematics as _k
from imusim.errors import ConfigError, FrameError, QualityWarning, ShapeError, TimeError
from imusim.impacts import check_impacts, response, smooth_with_impacts
from imusim.long_spline import LONG_BYTES, LongSpline, interpolate_long, interpolate_whole
from imusim.rotation import multiply, normalise, rotate, sign_continuous
from imusim.spline import Spline, interpolate_nodes, piece_bounds, runs
from imusim.types import Floats, Kinematics, as_floats, check_time

if TYPE_CHECKING:
    from imusim.smoothing import SmoothResult

SMOOTHING = ("none", "auto")
_FASTEST_M_S = 100.0  # a person's walk in mm is 1200


@dataclass(frozen=True)
class _Group:
    """Bodies that share their gaps: indices (B,), bounds (P, 2) · s and a spline for each of P pieces, with channels
    [x y z qw qx qy qz], each B wide."""

    bodies: NDArray[np.int64]
    bounds: Floats
    splines: tuple[Spline | LongSpline, ...]
    results: tuple[SmoothResult | None, ...]


class Trajectory:
    """S rigid frames whose poses are known at samples.

    Positions and sign-continuous quaternions are quintic splines in time; with u = q/|q|, ω = 2 vec(u̇ ū) and
    α = 2 vec(ü ū) are exact.

    Parameters
    ----------
    time_s : (T,) · s, strictly increasing, any spacing
    position_m : (T, S, 3) or (T, 3) · m · world (z up); a row with NaN or infinity is a gap
    orientation_wxyz : (T, S, 4) or (T, 4), quaternions taking each frame's axes to the world; lengths within 5 % of 1
        are normalised, signs are made continuous, a row with NaN or infinity is a gap
    smoothing : "none" interpolates; "auto" chooses the smoothing from the data (`imusim.smoothing`)
    max_gap_s : longest gap that is bridged · s; a longer one gives NaN between its ends
    impacts_s : (K,) · s, instants at which velocities may jump (heel strikes): kept instead of smoothed away, see
        `imusim.impacts`; for `smoothing` "auto", and frames without gaps
    impact_duration_s : how long a jump takes · s

    Attributes
    ----------
    time_s : (T,) · s
    settings : what the smoothing chose, JSON-ready

    Raises
    ------
    ShapeError, TimeError, FrameError, ConfigError
        On shapes that do not fit, times that do not increase, no finite pose at all, quaternions far from unit length,
        unknown `smoothing`.

    Warns
    -----
    QualityWarning
        If positions move as fast as they would in millimetres.
    """

    def __init__(
        self,
        time_s: ArrayLike,
        position_m: ArrayLike,
        orientation_wxyz: ArrayLike,
        *,
        smoothing: str = "none",
        max_gap_s: float = 0.5,
        impacts_s: ArrayLike = (),
        impact_duration_s: float = 0.02,
    ) -> None:
        if smoothing not in SMOOTHING:
            raise ConfigError(f"smoothing={smoothing!r}, wanted one of {', '.join(SMOOTHING)}")
        if not max_gap_s > 0:
            raise ConfigError(f"max_gap_s={max_gap_s}, wanted a positive time in seconds")
        self.time_s = check_time(time_s)
        self._impacts = check_impacts(impacts_s, impact_duration_s)
        self._impact_duration = float(impact_duration_s)
        if self._impacts.size and smoothing != "auto":
            raise ConfigError('impacts_s is for smoothing="auto"; interpolation keeps every sample as it is')
        if self.time_s.size == 0:
            raise TimeError("a trajectory needs at least one sample")
        position = _frames(position_m, "position_m", self.time_s.size, 3)
        orientation = _frames(orientation_wxyz, "orientation_wxyz", self.time_s.size, 4)
        if position.shape[1] != orientation.shape[1]:
            raise ShapeError(
                f"position_m has {position.shape[1]} frames, orientation_wxyz has {orientation.shape[1]}"
            )
        self._count = position.shape[1]
        _check_speed(self.time_s, position)
        self._jumps: Floats | None = None  # (K, S, 3) · m/s
        if self._impacts.size:
            position, self._jumps = _without_jumps(
                self.time_s, position, self._impacts, self._impact_duration
            )
        self._groups = _groups(self.time_s, position, orientation, smoothing, max_gap_s)
        if self._count and not any(group.splines for group in self._groups):
            raise TimeError(
                f"none of the {self.time_s.size} samples has a finite pose; a row with NaN or infinity is a gap"
            )
        self._offset: Floats | None = None
        self._turn: Floats | None = None
        self.settings: Mapping[str, Any] = {
            "smoothing": smoothing,
            "max_gap_s": float(max_gap_s),
            "pieces": [
                {"frames": g.bodies.tolist(), "start_s": float(b[0]), "end_s": float(b[1])}
                | ({} if r is None else {"chosen": list(r.settings)})
                for g in self._groups
                for b, r in zip(g.bounds, g.results, strict=True)
            ],
        }

    def mounted(
        self, offset_m: ArrayLike = (0.0, 0.0, 0.0), rotation_wxyz: ArrayLike = (1.0, 0.0, 0.0, 0.0)
    ) -> Trajectory:
        """The same frames seen from sensors that are fixed to them: a_s = a_b + α × r + ω × (ω × r).

        Parameters
        ----------
        offset_m : (3,) or (S, 3) · m · axes of the frame: lever arm r from the frame's origin to the sensor
        rotation_wxyz : (4,) or (S, 4): sensor axes to the frame's axes

        Returns
        -------
        Trajectory
            Mounted on what this one already is; nothing is fitted again.
        """
        offset = _per_frame(offset_m, "offset_m", self._count, 3)
        turn = normalise(_per_frame(rotation_wxyz, "rotation_wxyz", self._count, 4), tolerance=0.05)
        if self._offset is not None and self._turn is not None:
            offset = self._offset + rotate(self._turn, offset)
            turn = multiply(self._turn, turn)
        other = object.__new__(Trajectory)
        other.__dict__.update(self.__dict__)
        other._offset, other._turn = np.ascontiguousarray(offset), np.ascontiguousarray(turn)
        return other

    @property
    def frames(self) -> int:
        """Number of rigid frames, S."""
        return self._count

    def kinematics(self, time_s: ArrayLike) -> Kinematics:
        """Position to angular acceleration of every frame.

        Parameters
        ----------
        time_s : (T,) · s, in any order, not more than half a sample outside the known times

        Returns
        -------
        Kinematics
            World frame, (T, S, 3 or 4); NaN inside gaps longer than `max_gap_s`.

        Raises
        ------
        TimeError
            If an instant is not finite or lies outside the known times.
        """
        t = as_floats(time_s, "time_s", (None,))
        self._check_range(t)
        out = allocate(t.size, self._count)
        mounted = self._offset is not None
        for group in self._groups:
            b = group.bodies
            offset = np.zeros((b.size, 3)) if self._offset is None else self._offset[b]
            turn = np.zeros((b.size, 4)) if self._turn is None else self._turn[b]
            which = _piece_of(t, group.bounds)
            if t.size and b.size == self._count and len(group.splines) == 1 and (which == 0).all():
                s = group.splines[0].part(t.min(), t.max())
                _k.rigid(s.time_s, s.channel_last, t, mounted, offset, turn, *out)
                continue
            for o in out:
                o[:, b] = np.nan
            for k in np.unique(which[which >= 0]):
                at = np.flatnonzero(which == k)
                s = group.splines[k].part(t[at].min(), t[at].max())
                part = [np.empty((at.size, b.size, o.shape[2])) for o in out]
                _k.rigid(s.time_s, s.channel_last, t[at], mounted, offset, turn, *part)
                for o, p in zip(out, part, strict=True):
                    o[np.ix_(at, b)] = p
        if self._jumps is not None:
            phi = response(t, self._impacts, self._impact_duration)
            for o, order in ((out[0], 0), (out[2], 1), (out[4], 2)):
                o += np.einsum("tk,ksc->tsc", phi[order], self._jumps)
        return Kinematics(t, out[0], out[1], out[2], out[3], out[4], out[5])

    def _check_range(self, t: Floats) -> None:
        known = self.time_s
        half = 0.5 * float(np.median(np.diff(known))) if known.size > 1 else 0.0
        slack = half + 1e-9 * max(1.0, abs(float(known[-1])))
        bad = ~((t >= known[0] - slack) & (t <= known[-1] + slack))
        if bad.any():
            raise TimeError(
                f"time_s has {int(bad.sum())} instants outside the known times {known[0]:.6g} … {known[-1]:.6g} s "
                f"(first: {t[np.argmax(bad)]:.6g}). Ask for instants within them."
            )


def _check_speed(time: Floats, position: Floats) -> None:
    """Warn if half of the frames' steps are faster than anything on a body."""
    at = np.arange(0, time.size - 1, max(1, time.size // 1000))
    with np.errstate(invalid="ignore"):
        speed = np.linalg.norm(position[at + 1] - position[at], axis=2) / (time[at + 1] - time[at])[:, None]
    speed = speed[np.isfinite(speed)]
    if speed.size and (median := float(np.median(speed))) > _FASTEST_M_S:
        warnings.warn(
            QualityWarning(
                f"positions move at {median:.3g} m/s (median). position_m is in metres: divide millimetres by 1000"
            ),
            stacklevel=3,
        )


def _without_jumps(time: Floats, position: Floats, impacts: Floats, duration: float) -> tuple[Floats, Floats]:
    """Positions without what jumps, and the jumps (K, S, 3) · m/s."""
    if not np.isfinite(position).all():
        raise ConfigError(
            "impacts_s needs frames without gaps; position_m has NaN. Fill them, or leave impacts_s out."
        )
    phi = response(time, impacts, duration)[0]
    jumps = np.empty((impacts.size, *position.shape[1:]))
    for s in range(position.shape[1]):
        for axes in (slice(0, 2), slice(2, 3)):  # the vertical is smoothed on its own
            jumps[:, s, axes] = smooth_with_impacts(time, position[:, s, axes], impacts, duration)[1]
    return position - np.einsum("tk,ksc->tsc", phi, jumps), jumps


def allocate(instants: int, frames: int) -> list[Floats]:
    """Empty arrays (T, S, 3 or 4) for the six fields of a `Kinematics`, in its order.

    They share one block: the system hands out one large block many times faster than six small ones.
    """
    widths = (3, 4, 3, 3, 3, 3)
    block = np.empty(instants * frames * sum(widths))
    parts = np.split(block, np.cumsum(widths)[:-1] * instants * frames)
    return [p.reshape(instants, frames, n) for p, n in zip(parts, widths, strict=True)]


def _frames(value: ArrayLike, name: str, count: int, width: int) -> Floats:
    """(T, S, width) from (T, S, width) or (T, width)."""
    array = np.asarray(value, dtype=np.float64)
    if array.ndim == 2:
        array = array[:, None]
    return as_floats(array, name, (count, None, width))


def _per_frame(value: ArrayLike, name: str, count: int, width: int) -> Floats:
    """(S, width) from (width,) or (S, width)."""
    array = np.asarray(value, dtype=np.float64)
    if array.shape == (width,):
        array = np.broadcast_to(array, (count, width))
    array = as_floats(array, name, (count, width))
    if not np.isfinite(array).all():
        raise ShapeError(f"{name} has values that are not finite")
    return array


def _piece_of(t: Floats, bounds: Floats) -> NDArray[np.int64]:
    """Index of the piece that holds each instant, −1 for none."""
    if bounds.shape[0] == 0:
        return np.full(t.size, -1)
    slack = 1e-9 * max(1.0, float(np.abs(bounds).max()))
    if (
        t.size
        and bounds.shape[0] == 1
        and t.min() >= bounds[0, 0] - slack
        and t.max() <= bounds[0, 1] + slack
    ):
        return np.zeros(t.size, dtype=np.int64)
    k = np.searchsorted(bounds[:, 0], t + slack, side="right") - 1
    k[(k >= 0) & (t > bounds[k, 1] + slack)] = -1
    return k


def _groups(
    time: Floats, position: Floats, orientation: Floats, smoothing: str, max_gap_s: float
) -> list[_Group]:
    """Fit splines; bodies with the same gaps are fitted together."""
    count = position.shape[1]
    status, nodes = _gather(position, orientation)
    if status >= 0:
        norm = float(np.linalg.norm(orientation.reshape(-1, 4)[status]))
        raise FrameError(
            f"orientation_wxyz sample {status // max(count, 1)} of frame {status % max(count, 1)} has norm {norm:.4g}, "
            "wanted unit quaternions wxyz (within 5 %). Normalise them, or convert rotation vectors with "
            "imusim.rotation.from_rotvec."
        )
    if count == 0:
        return []
    finite = np.isfinite(nodes[:, 0].sum()) or np.isfinite(nodes[:, 0]).all()
    if finite and smoothing == "none" and (time.size < 2 or np.diff(time).max() <= max_gap_s):
        if nodes.shape[1] == 1:
            spline = interpolate_long(time, nodes[:, 0])
        else:  # the common case, without a copy
            interpolate_nodes(time, nodes)
            spline = Spline(time, nodes.transpose(0, 2, 1))
        whole = piece_bounds(time, [np.arange(time.size)])
        return [_Group(np.arange(count), whole, (spline,), (None,))]
    values = nodes[:, 0].reshape(time.size, 7, count)
    valid = np.isfinite(values).all(axis=1)  # (T, S)
    patterns, inverse = np.unique(valid, axis=1, return_inverse=True)
    groups = []
    for g in range(patterns.shape[1]):
        bodies = np.flatnonzero(inverse.ravel() == g)
        pieces = runs(time, patterns[:, g], None, max_gap_s)
        fits = [_fit(time[p], values[np.ix_(p, np.arange(7), bodies)], smoothing) for p in pieces]
        groups.append(
            _Group(bodies, piece_bounds(time, pieces), tuple(f[0] for f in fits), tuple(f[1] for f in fits))
        )
    return groups


def _gather(position: Floats, orientation: Floats) -> tuple[int, Floats]:
    """−1 or the first bad quaternion; nodes (T, 3, 7 S) with values filled in, normalised and sign-continuous.

    (T, 1, 7 S), values only, of a long recording.
    """
    samples, channels = position.shape[0], 7 * position.shape[1]
    nodes = np.empty((samples, 1 if 24 * samples * channels > LONG_BYTES else 3, channels))
    return _k.gather(position, orientation, 0.05, nodes), nodes


def _fit(t: Floats, values: Floats, smoothing: str) -> tuple[Spline | LongSpline, SmoothResult | None]:
    """Spline of values (n, 7, B)."""
    n, _, count = values.shape
    flat = values.reshape(n, 7 * count)
    flat[:, 3 * count :] = (
        sign_continuous(flat[:, 3 * count :].reshape(n, 4, count).swapaxes(1, 2))
        .swapaxes(1, 2)
        .reshape(n, 4 * count)
    )
    if smoothing == "none":
        return interpolate_whole(t, flat), None
    from imusim.smoothing import smooth

    # the vertical may be smoothed on its own: a foot strike is sharp along it and not across it
    body = np.arange(count)
    groups = np.concatenate([np.tile(body, 2), count + body, np.tile(2 * count + body, 4)])
    result = smooth(t, flat, groups=groups, alike=[(b, count + b) for b in range(count)])
    return result.spline, result
