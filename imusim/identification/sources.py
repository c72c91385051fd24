"""What a sensor at the origin of a moving frame measures, at any instant: the motion side of an identification."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from imusim.conventions import GRAVITY_W
from imusim.recording import Recording
from imusim.rotation import rotate_inverse
from imusim.spline import Spline, interpolate, piece_bounds, runs
from imusim.types import Floats, Kinematics

_STEP_S = 1e-3  # of the central differences that only the Gauss–Newton direction depends on


@dataclass(frozen=True)
class Seen:
    """One frame at N instants, all in the frame's own axes, NaN where unknown.

    Parameters
    ----------
    force : (N, 3) · m/s², specific force at the origin
    rate : (N, 3) · rad/s
    turn : (N, 3) · rad/s², angular acceleration
    moving : (N, 3) · m/s², acceleration without gravity, or None where the two cannot be told apart
    """

    force: Floats
    rate: Floats
    turn: Floats
    moving: Floats | None = None


class Source(Protocol):
    """A moving frame in continuous time."""

    span: tuple[float, float]

    def at(self, time_s: Floats) -> Seen:
        """Return what is seen at instants (N,) · s."""
        ...

    def slopes(self, time_s: Floats) -> Seen:
        """Return the time derivatives of `at`."""
        ...


class RecordingSource:
    """One sensor of a recording, between its samples a quintic spline; angular acceleration is the rate's derivative.

    Parameters
    ----------
    recording : signals; NaN are gaps
    sensor : index of the sensor
    max_gap_s : longest gap that is bridged · s
    """

    def __init__(self, recording: Recording, sensor: int, max_gap_s: float = 0.1) -> None:
        t = recording.time_s
        values = np.hstack([recording.acc[:, sensor], recording.gyro[:, sensor]])
        known: NDArray[np.bool_] = np.asarray(np.isfinite(values).all(axis=1))
        if recording.valid is not None:
            known &= recording.valid[:, sensor]
        step = float(np.median(np.diff(t))) if t.size > 1 else 0.0
        pieces = [p for p in runs(t, known, None, max(max_gap_s, 2.5 * step)) if p.size > 1]
        self._bounds = piece_bounds(t, pieces)
        self._splines = [interpolate(t[p], values[p]) for p in pieces]
        self.span = (float(self._bounds[0, 0]), float(self._bounds[-1, 1])) if pieces else (0.0, 0.0)

    def at(self, time_s: Floats) -> Seen:
        """Return what is seen at instants (N,) · s."""
        y = self._evaluate(time_s)
        return Seen(y[:, :3, 0], y[:, 3:, 0], y[:, 3:, 1])

    def slopes(self, time_s: Floats) -> Seen:
        """Return the time derivatives of `at`."""
        y = self._evaluate(time_s)
        return Seen(y[:, :3, 1], y[:, 3:, 1], y[:, 3:, 2])

    def _evaluate(self, time_s: Floats) -> Floats:
        """(N, 6, 3)."""
        out = np.full((time_s.size, 6, 3), np.nan)
        spline: Spline
        for (start, end), spline in zip(self._bounds, self._splines, strict=True):
            inside = (time_s >= start) & (time_s <= end)
            if inside.all():
                return spline.evaluate(time_s)
            if inside.any():
                out[inside] = spline.evaluate(time_s[inside])
        return out


class KinematicSource:
    """One frame of anything that has exact kinematics.

    Parameters
    ----------
    motion : kinematics (N, S, …) at instants (N,) · s
    frame : index of the frame
    span : first and last instant that it knows · s
    """

    def __init__(self, motion: Callable[[Floats], Kinematics], frame: int, span: tuple[float, float]) -> None:
        self._motion, self._frame, self.span = motion, frame, span

    def at(self, time_s: Floats) -> Seen:
        """Return what is seen at instants (N,) · s."""
        inside = (time_s >= self.span[0]) & (time_s <= self.span[1])
        out = np.full((time_s.size, 12), np.nan)
        if inside.any():
            k = self._motion(time_s[inside])
            q = k.orientation[:, self._frame]
            gravity = rotate_inverse(q, np.broadcast_to(GRAVITY_W, (q.shape[0], 3)))
            moving = rotate_inverse(q, k.acceleration[:, self._frame])
            rate = rotate_inverse(q, k.angular_velocity[:, self._frame])
            turn = rotate_inverse(q, k.angular_acceleration[:, self._frame])
            out[inside] = np.hstack([moving - gravity, rate, turn, moving])
        return Seen(out[:, :3], out[:, 3:6], out[:, 6:9], out[:, 9:])

    def slopes(self, time_s: Floats) -> Seen:
        """Return the time derivatives of `at`, by central differences."""
        before = np.maximum(time_s - _STEP_S, self.span[0])
        after = np.minimum(time_s + _STEP_S, self.span[1])
        both = self.at(np.concatenate([before, after]))
        n, width = time_s.size, np.maximum(after - before, 1e-9)[:, None]

        def slope(x: Floats) -> Floats:
            return (x[n:] - x[:n]) / width

        moving = None if both.moving is None else slope(both.moving)
        return Seen(slope(both.force), slope(both.rate), slope(both.turn), moving)
