"""The continuous-time core beside its peers, in one process: speed as ratios, and accuracy.

    python -m benchmarks.bench_core            # prints, and writes the table into benchmarks/README.md

17 sensors, 60 s, two sinusoids an axis between 0.4 and 3 Hz on position and rotation, lever arm [5, 2, 10] cm,
closed-form truth; each method gets sampled poses and gives specific force and angular rate at 100 Hz. Times are CPU
time, the best of several runs in turn, so that a busy machine disturbs all alike.
"""

from __future__ import annotations

import time

import numpy as np
from core_cases import LEVER_M, Sinusoids, rms, signals

from benchmarks.page import write
from imusim import rotation as r
from imusim.conventions import GRAVITY_W
from imusim.smoothing import smooth
from imusim.trajectory import Trajectory

SENSORS, SECONDS = 17, 60
OUT = np.arange(100 * SECONDS + 1) / 100


def ours(t, p, q, out):
    return signals(Trajectory(t, p, q).mounted(LEVER_M).kinematics(out))


def ours_kinematics(t, p, q, out):
    return Trajectory(t, p, q).mounted(LEVER_M).kinematics(out)


def differences(t, p, q, out):
    """Three-point second difference of the sensor's position, log-map gyroscope; resampled linearly if rates differ."""
    h = t[1] - t[0]
    x = p + r.rotate(q, LEVER_M)
    acc, omega = np.zeros_like(x), np.zeros_like(x)
    acc[1:-1] = (x[2:] - 2 * x[1:-1] + x[:-2]) / h**2
    omega[1:-1] = r.to_rotvec(r.multiply(r.conjugate(q[:-2]), q[2:])) / (2 * h)
    f = r.rotate_inverse(q, acc - GRAVITY_W)
    if t.size == out.size:
        return f, omega

    def resample(y):
        flat = y.reshape(t.size, -1)
        return np.stack([np.interp(out, t, c) for c in flat.T], axis=1).reshape(out.size, -1, 3)

    return resample(f), resample(omega)


def scipy_splines(t, p, q, out):
    """make_interp_spline(k=5) on sensor positions, RotationSpline on orientations (rates in the frame's axes)."""
    from scipy.interpolate import make_interp_spline
    from scipy.spatial.transform import Rotation, RotationSpline

    position = make_interp_spline(t, p + r.rotate(q, LEVER_M), k=5)
    acc = position(out, 2)
    f, w = np.empty_like(acc), np.empty_like(acc)
    for s in range(p.shape[1]):
        spline = RotationSpline(t, Rotation.from_quat(q[:, s][:, [1, 2, 3, 0]]))
        turn = spline(out)
        w[:, s] = spline(out, 1)
        f[:, s] = turn.apply(acc[:, s] - GRAVITY_W, inverse=True)
    return f, w


def clock(functions, runs):
    """Best CPU time of each, s, taken in turn: all are of one thread, and neighbours on the machine do not count."""
    best = dict.fromkeys(functions, np.inf)
    for f in functions.values():
        f()
    for _ in range(runs):
        for name, f in functions.items():
            start = time.process_time()
            f()
            best[name] = min(best[name], time.process_time() - start)
    return best


def clean():
    rows = []
    case = Sinusoids(SENSORS)
    truth = case.imu(OUT)
    methods = {
        "3-point differences (NumPy, our rotations)": differences,
        "scipy quintic + RotationSpline": scipy_splines,
        "imusim": ours,
    }
    for fps, edge in ((100, 20), (30, 60)):
        t = np.arange(fps * SECONDS + 1) / fps
        p, q = case.pose(t)
        times = clock({n: lambda f=f, a=(t, p, q, OUT): f(*a) for n, f in methods.items()}, 5)
        for name, f in methods.items():
            got = f(t, p, q, OUT)
            errors = [rms((a - b)[edge:-edge]) for a, b in zip(got, truth, strict=True)]
            rate = SENSORS * OUT.size / times[name]
            rows.append(
                f"| {fps} → 100 Hz | {name} | {rate / 1e6:.2f} | {times[name] / times['imusim']:.1f}× "
                f"| {errors[0]:.1e} | {errors[1]:.1e} |"
            )
    return rows


def speed():
    case, t = Sinusoids(SENSORS), OUT
    p, q = case.pose(t)
    traj = Trajectory(t, p, q).mounted(LEVER_M)
    times = clock({"eval": lambda: traj.kinematics(OUT), "both": lambda: ours_kinematics(t, p, q, OUT)}, 40)
    n = SENSORS * OUT.size / 1e6
    return [
        f"| evaluation of all six fields, lever arm included | {n / times['eval']:.1f} M sensor-samples/s |",
        f"| fit + evaluation | {n / times['both']:.1f} M sensor-samples/s |",
    ]


def noisy(seeds=10):
    """30 fps with 5 mm and 1° of white noise: interpolation, hand-tuned low-pass, chosen from the data."""
    from scipy.signal import butter, sosfiltfilt

    t = np.arange(30 * SECONDS + 1) / 30
    found: dict[str, list[tuple[float, float]]] = {}
    for seed in range(seeds):
        case = Sinusoids(2, seed=seed)
        truth = case.imu(OUT)
        p, q = case.noisy_pose(t, 100 + seed)
        q = r.sign_continuous(q)

        def score(f, w, truth=truth):
            return rms((f - truth[0])[60:-60]), rms((w - truth[1])[60:-60])

        found.setdefault("interpolating", []).append(score(*ours(t, p, q, OUT)))
        for cut in (3.5, 4.0, 5.0, 6.0):
            low = butter(4, cut, fs=30, output="sos")
            low_p, low_q = (sosfiltfilt(low, x, axis=0) for x in (p, q))
            got = ours(t, low_p, r.normalise(low_q), OUT)
            found.setdefault(f"Butterworth 4th order, zero lag, {cut:g} Hz", []).append(score(*got))
        auto = Trajectory(t, p, q, smoothing="auto").mounted(LEVER_M).kinematics(OUT)
        found.setdefault('`smoothing="auto"`', []).append(score(*signals(auto)))
    return [f"| {n} | {np.mean(v, axis=0)[0]:.2f} | {np.mean(v, axis=0)[1]:.3f} |" for n, v in found.items()]


def smoothing_speed():
    t = np.arange(30 * SECONDS + 1) / 30
    q = Sinusoids(25).noisy_pose(t, 1)[1].reshape(t.size, -1)
    groups = np.repeat(np.arange(25), 4)
    times = clock({"auto": lambda: smooth(t, q, groups=groups)}, 3)
    return f"Choosing and applying the smoothing of 25 joints (100 channels), 60 s at 30 fps: {times['auto']:.2f} s."


def main():
    lines = [
        "## The continuous-time core",
        "",
        f"`python -m benchmarks.bench_core`: {SENSORS} sensors, {SECONDS} s, closed-form truth (rms |f| 17 m/s²),",
        "CPU time of one thread. Errors are RMSE over components; times include the fit and the rotation into sensor axes.",
        "",
        "| poses → signals | method | M sensor-samples/s | time | acc m/s² | gyro rad/s |",
        "|---|---|---|---|---|---|",
        *clean(),
        "",
        "| `Trajectory`, 100 → 100 Hz | |",
        "|---|---|",
        *speed(),
        "",
        "30 fps poses with 5 mm and 1° of white noise → 100 Hz, mean of ten draws; the cut-offs are the hand-tuned ones:",
        "",
        "| | acc m/s² | gyro rad/s |",
        "|---|---|---|",
        *noisy(),
        "",
        smoothing_speed(),
    ]
    text = "\n".join(lines)
    print(text)
    write("core", text)


if __name__ == "__main__":
    main()
