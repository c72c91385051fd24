"""Poses → what an IMU at them should have read, by us, by the shortcuts that people use, and by another simulator."""

from __future__ import annotations

import warnings

import numpy as np
from scipy.signal import butter, sosfiltfilt
from scipy.spatial.transform import Rotation, RotationSpline

import imusim as im
from benchmarks.fidelity.recordings import Pair
from imusim.conventions import GRAVITY_W
from imusim.recording import Recording

RATE_HZ = 100.0


def ours(pair: Pair) -> Recording:
    """Noise-aware smoothing chosen from the poses alone, exact derivatives, at the real sensors' instants or 100 Hz."""
    step = 2 if pair.name == "broad" else 1  # its poses were brought from the cameras' 120 Hz to 286 Hz
    trajectory = im.Trajectory(
        pair.time_s[::step], pair.position_m[::step], pair.orientation_wxyz[::step], smoothing="auto"
    )
    return named(pair, trajectory)


def named(pair: Pair, trajectory: im.Trajectory) -> Recording:
    rate = max(RATE_HZ, pair.real.rate_hz)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rec = im.simulate(trajectory, rate_hz=rate)
    return Recording(
        rec.time_s, rec.acc, rec.gyro, pair.real.sensors, valid=rec.valid, unit="m/s2", gyro_unit="rad/s"
    )


def differences(pair: Pair, cutoff_hz: float | None = None) -> Recording:
    """Second differences of position plus gravity, rotation between neighbours over the step; at the poses' own rate.

    With a cut-off the poses are low-passed first (Butterworth, there and back). Gaps are bridged by straight lines for
    out after.
    """
    t, p, q, seen = _filled(pair)
    step = float(np.median(np.diff(t)))
    if cutoff_hz is not None:
        sos = butter(2, cutoff_hz, fs=1 / step, output="sos")
        p = sosfiltfilt(sos, p, axis=0)
        q = sosfiltfilt(sos, q, axis=0)
        q /= np.linalg.norm(q, axis=-1, keepdims=True)
    acc = np.full(p.shape, np.nan)
    acc[1:-1] = (p[2:] - 2 * p[1:-1] + p[:-2]) / step**2
    gyro = np.full(p.shape, np.nan)
    for s in range(p.shape[1]):
        turn = Rotation.from_quat(q[:, s][:, [1, 2, 3, 0]])
        gyro[1:-1, s] = (turn[:-2].inv() * turn[2:]).as_rotvec() / (2 * step)
        acc[1:-1, s] = turn[1:-1].inv().apply(acc[1:-1, s] - np.asarray(GRAVITY_W))
    good = seen & np.roll(seen, 1, axis=0) & np.roll(seen, -1, axis=0)
    acc[~good], gyro[~good] = np.nan, np.nan
    return Recording(t, acc, gyro, pair.real.sensors, valid=good, unit="m/s2", gyro_unit="rad/s")


def splines(pair: Pair) -> Recording:
    """SciPy: quintic interpolation of positions, RotationSpline of orientations."""
    from scipy.interpolate import make_interp_spline

    t, p, q, seen = _filled(pair)
    rate = max(RATE_HZ, pair.real.rate_hz)
    at = np.arange(t[0], t[-1], 1 / rate)
    acc, gyro = np.empty((at.size, *p.shape[1:])), np.empty((at.size, *p.shape[1:]))
    for s in range(p.shape[1]):
        turn = RotationSpline(t, Rotation.from_quat(q[:, s][:, [1, 2, 3, 0]]))
        a = make_interp_spline(t, p[:, s], k=5).derivative(2)(at)
        acc[:, s] = turn(at).inv().apply(a - np.asarray(GRAVITY_W))
        gyro[:, s] = turn(at).inv().apply(turn(at, 1))
    good = np.stack([np.interp(at, t, seen[:, s].astype(float)) > 0.999 for s in range(p.shape[1])], axis=1)
    acc[~good], gyro[~good] = np.nan, np.nan
    return Recording(at, acc, gyro, pair.real.sensors, valid=good, unit="m/s2", gyro_unit="rad/s")


def xio(pair: Pair) -> Recording:
    """x-io's imusim 1.1.2, which interpolates linearly and differentiates; one frame at a time."""
    from benchmarks.peers.environment import run

    t, p, q, seen = _filled(pair)
    parts = []
    for s in range(p.shape[1]):
        found = run("xio", times=t - t[0], position=p[:, s], quaternion=q[:, s])
        at = found["time"] + t[0]
        good = np.interp(at, t, seen[:, s].astype(float)) > 0.999
        parts.append(
            (
                at,
                np.where(good[:, None], found["acc"], np.nan),
                np.where(good[:, None], found["gyro"], np.nan),
            )
        )
    at = parts[0][0]
    return Recording(
        at, np.stack([x[1] for x in parts], axis=1), np.stack([x[2] for x in parts], axis=1), pair.real.sensors,
        unit="m/s2", gyro_unit="rad/s",
    )  # fmt: skip


def known_between(pair: Pair, time_s: np.ndarray) -> np.ndarray:
    """(N, S) whether instants lie between two poses that both have a neighbour on either side, seen.

    What central differences can give; every method is scored there alone.
    """
    seen = np.isfinite(pair.position_m).all(axis=-1) & np.isfinite(pair.orientation_wxyz).all(axis=-1)
    good = seen.copy()
    good[0] = good[-1] = False
    good[1:-1] &= seen[2:] & seen[:-2]
    after = np.searchsorted(pair.time_s, time_s - 1e-9)
    inside = (after > 0) & (after < pair.time_s.size)
    after = np.clip(after, 1, pair.time_s.size - 1)
    exact = np.abs(pair.time_s[after] - time_s)[:, None] < 1e-9
    return inside[:, None] & good[after] & (good[after - 1] | exact)


def _filled(pair: Pair) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Poses without holes (straight lines across), sign-continuous, and where they were seen (T, S)."""
    t = pair.time_s
    p, q = pair.position_m.copy(), pair.orientation_wxyz.copy()
    seen = np.isfinite(p).all(axis=-1) & np.isfinite(q).all(axis=-1)
    for s in range(p.shape[1]):
        ok = seen[:, s]
        for i in range(1, t.size):  # one side of the sphere
            if ok[i]:
                last = q[:i][ok[:i], s]
                if last.size and last[-1] @ q[i, s] < 0:
                    q[i, s] *= -1
        for x in (p, q):
            x[:, s] = np.stack([np.interp(t, t[ok], c) for c in x[ok, s].T], axis=1)
        q[:, s] /= np.linalg.norm(q[:, s], axis=1, keepdims=True)
    return t, p, q, seen


METHODS = {
    "imusim": ours,
    "plain differences + gravity": differences,
    "differences, poses low-passed at 6 Hz": lambda pair: differences(pair, 6.0),
    "scipy quintic + RotationSpline": splines,
    "x-io imusim 1.1.2": xio,
}
