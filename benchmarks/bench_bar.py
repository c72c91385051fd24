"""The inertial core against the bar and against other simulators, all in one run.

    python -m benchmarks.bench_bar

Peers that pip can install run in an environment of their own (`benchmarks/peers`), MuJoCo in this process. One thread each.
"""

from __future__ import annotations

import subprocess
import sys
import time

import numpy as np
from core_cases import LEVER_M, Sinusoids, Strikes, rms, signals
from scipy.signal import butter, sosfiltfilt

from benchmarks.bench_core import (
    OUT,
    SECONDS,
    SENSORS,
    clock,
    differences,
    ours,
    ours_kinematics,
    scipy_splines,
)
from benchmarks.page import write
from benchmarks.peers import environment
from imusim import rotation as r
from imusim import sensor as sensors
from imusim.sensor import Sensor, Signals
from imusim.trajectory import Trajectory

SEEDS = 20
TERMS = (
    sensors.StrapSlip(3.0),
    sensors.SoftTissue(9.8, 2.7, 2.18, 0.63, rotation_frequency_hz=12.0),
    sensors.Vibration(((1.0, 1e-3), (40.0, 1e-4))),
    sensors.Bandwidth(40.0, 40.0),
    sensors.GSensitivity(1.8e-4),
    sensors.NonLinearity(0.0, 1e-6, 0.0, 1e-5),
    sensors.HardSoftIron(20.0, 0.05),
    sensors.ScaleCrossAxis(0.01, 0.01, 0.01, 0.01),
    sensors.Bias(0.3, 0.01),
    sensors.Temperature(((0.0, 25.0), (600.0, 35.0)), 25.0, 0.01, 1e-4, 1e-4, 1e-4),
    sensors.BiasInstability(4e-4, 5e-5),
    sensors.RateRandomWalk(1e-5, 1e-6),
    sensors.WhiteNoise(1.6e-3, 1.2e-4),
    sensors.Saturation(157.0, 35.0),
    sensors.Quantisation(4.8e-3, 1.06e-3),
    sensors.Packets(0.01, 3.0),
)
"""Every link there is but those of `IDENTIFIED`."""
IDENTIFIED = ("IdentifiedErrors", "RockingMount")
"""Links that only `imusim.identify` gives; they stand for scale, bias and noise, and for soft tissue."""

_STREAM = """
from benchmarks.bench_bar import hour
hour()
print('peak', open('/proc/self/status').read().split('VmHWM:')[1].split()[0])
"""


def hour() -> None:
    """Stream an hour of 17 sensors at 100 Hz through the whole chain, poses at 30 Hz interpolated."""
    import imusim as im

    t = np.arange(30 * 3600 + 1) / 30
    traj = Trajectory(t, *Sinusoids(SENSORS).pose(t))
    sensor = Sensor("everything", TERMS)
    count = sum(p.time_s.size for p in im.stream(traj, sensor=sensor, rate_hz=100, block_s=20))
    assert count == 360_001


def mujoco_inverse() -> tuple[float, float]:
    """Sensor-samples/s of `mj_inverse` with 17 free bodies given q, v, a, and its largest difference from ours."""
    import mujoco

    pose = " ".join(repr(float(v)) for v in LEVER_M)
    bodies = "".join(
        f'<body><freejoint/><inertial pos="0 0 0" mass="1" diaginertia="1 1 1"/><site name="s{i}" pos="{pose}"/></body>'
        for i in range(SENSORS)
    )
    marks = "".join(f'<accelerometer site="s{i}"/><gyro site="s{i}"/>' for i in range(SENSORS))
    model = mujoco.MjModel.from_xml_string(
        f'<mujoco><option gravity="0 0 -9.80665"><flag contact="disable"/></option><worldbody>{bodies}</worldbody>'
        f"<sensor>{marks}</sensor></mujoco>"
    )
    data = mujoco.MjData(model)
    case, t = Sinusoids(SENSORS), np.arange(1001) / 100
    traj = Trajectory(t, *case.pose(t))
    k = traj.kinematics(t)
    local = (
        r.rotate_inverse(k.orientation, k.angular_velocity),
        r.rotate_inverse(k.orientation, k.angular_acceleration),
    )
    q = np.concatenate([k.position, k.orientation], axis=2).reshape(t.size, -1)
    v = np.concatenate([k.velocity, local[0]], axis=2).reshape(t.size, -1)
    a = np.concatenate([k.acceleration, local[1]], axis=2).reshape(t.size, -1)
    out = np.empty((t.size, 6 * SENSORS))
    best = np.inf
    for _ in range(3):
        start = time.process_time()
        for i in range(t.size):
            data.qpos[:], data.qvel[:], data.qacc[:] = q[i], v[i], a[i]
            mujoco.mj_inverse(model, data)
            out[i] = data.sensordata
        best = min(best, time.process_time() - start)
    f, w = signals(traj.mounted(LEVER_M).kinematics(t))
    both = out.reshape(t.size, SENSORS, 6)
    return t.size * SENSORS / best, float(
        max(np.abs(both[..., :3] - f).max(), np.abs(both[..., 3:] - w).max())
    )


def chain() -> tuple[float, float]:
    """Sensor-samples/s of the whole chain and of a BMI270."""
    rng = np.random.default_rng(0)
    x = Signals(OUT, rng.normal(0, 10, (OUT.size, SENSORS, 3)), rng.normal(0, 2, (OUT.size, SENSORS, 3)))
    both = {"all": Sensor("all", TERMS), "bmi270": sensors.BMI270}
    times = clock({n: lambda s=s: s.apply(x, 100.0) for n, s in both.items()}, 8)
    return OUT.size * SENSORS / times["all"], OUT.size * SENSORS / times["bmi270"]


def body_frames() -> tuple[float, float]:
    """Instants/s of 17 skin sensors on the open body, and of skinning it whole with smplx (one thread)."""
    import smplx.lbs
    import torch

    import imusim as im
    from imusim.kinematics import BodyTrajectory
    from imusim.placement import attach, resolve
    from imusim.types import Motion

    body = im.open_body()
    t = np.arange(601) / 30
    g = np.random.default_rng(0)
    turns = 0.3 * np.sin(2 * np.pi * g.uniform(0.4, 2, (24, 3)) * t[:, None, None] + g.uniform(0, 6, (24, 3)))
    motion = Motion(t, np.zeros((t.size, 3)), r.from_rotvec(turns), body)
    traj = BodyTrajectory(motion, smoothing="none")
    sites = attach(body, motion.shape, resolve(list(im.placements())[:17]))
    out = np.arange(2000) / 100
    ours_ = clock({"k": lambda: traj.kinematics(out, sites)}, 5)["k"]
    rest = torch.tensor(body.rest_vertices())[None]
    weights, parents = torch.tensor(np.asarray(body.weights)), torch.tensor(np.asarray(body.parents))
    regressor = torch.zeros(24, rest.shape[1], dtype=torch.float64)
    regressor[:, :24] = torch.eye(24, dtype=torch.float64)
    pose = torch.tensor(turns[:30].reshape(30, -1))
    before = torch.get_num_threads()
    torch.set_num_threads(1)

    def skin() -> None:
        with torch.no_grad():
            smplx.lbs.lbs(
                torch.zeros(30, 1, dtype=torch.float64), pose, rest.expand(30, -1, -1),
                torch.zeros(rest.shape[1], 3, 1, dtype=torch.float64),
                torch.zeros(207, 3 * rest.shape[1], dtype=torch.float64), regressor, parents, weights,
            )  # fmt: skip

    theirs = clock({"k": skin}, 3)["k"]
    torch.set_num_threads(before)
    return out.size / ours_, 30 / theirs


def noisy() -> tuple[np.ndarray, np.ndarray, str]:
    """Acc and gyro errors of 30 fps, 5 mm, 1°, mean of 20 draws: automatic, and of the best fixed cut-offs."""
    t = np.arange(30 * SECONDS + 1) / 30
    cuts = (3.0, 3.5, 4.0, 4.5, 5.0, 6.0, 8.0)
    auto, fixed = [], {c: [] for c in cuts}
    for seed in range(SEEDS):
        case = Sinusoids(2, seed=seed)
        truth = case.imu(OUT)
        p, q = case.noisy_pose(t, 100 + seed)
        q = r.sign_continuous(q)

        def score(f, w, truth=truth):
            return rms((f - truth[0])[60:-60]), rms((w - truth[1])[60:-60])

        auto.append(score(*signals(Trajectory(t, p, q, smoothing="auto").mounted(LEVER_M).kinematics(OUT))))
        for c in cuts:
            low = butter(4, c, fs=30, output="sos")
            filtered = sosfiltfilt(low, p, axis=0), r.normalise(sosfiltfilt(low, q, axis=0))
            fixed[c].append(score(*ours(t, *filtered, OUT)))
    means = {c: np.mean(v, axis=0) for c, v in fixed.items()}
    acc, gyro = min(means, key=lambda c: means[c][0]), min(means, key=lambda c: means[c][1])
    return (
        np.mean(auto, axis=0),
        np.array([means[acc][0], means[gyro][1]]),
        f"best of {len(cuts)} cut-offs: {acc:g} and {gyro:g} Hz",
    )


def impacts() -> list[str]:
    """Foot strikes: automatic, best fixed cut-off, and with the instants known."""
    rows = []
    for fps, noise in ((30, 0.005), (60, 0.002), (100, 0.001)):
        cuts = (2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0, 12.0)
        auto, known, fixed = [], [], {c: [] for c in cuts if c < fps / 2}
        for seed in range(4):
            case = Strikes(seed=seed)
            out, t = np.arange(100 * case.seconds + 1) / 100, np.arange(fps * case.seconds + 1) / fps
            p, q = case.noisy_pose(t, seed, noise)
            truth = case.acceleration(out)

            def error(traj, out=out, truth=truth):
                return rms((traj.kinematics(out).acceleration - truth)[100:-100])

            auto.append(error(Trajectory(t, p, q, smoothing="auto")))
            known.append(
                error(
                    Trajectory(
                        t, p, q, smoothing="auto", impacts_s=case.times_s, impact_duration_s=case.WIDTH_S
                    )
                )
            )
            for c, errors in fixed.items():
                low = butter(4, c, fs=fps, output="sos")
                errors.append(error(Trajectory(t, sosfiltfilt(low, p, axis=0), q)))
        best = min(fixed, key=lambda c: np.mean(fixed[c]))
        rows.append(
            f"| {fps} fps, {1000 * noise:g} mm | {np.mean(auto):.2f} | {np.mean(fixed[best]):.2f} ({best:g} Hz) | {np.mean(known):.2f} |"
        )
    return rows


def opensim() -> tuple[float, float, float]:
    """OpenSim's sensor-samples/s, and its rms difference from ours, acc and gyro, on sines of its own coordinates."""
    t = np.arange(2001) / 100
    given = {
        "amplitude": np.array([0.3, 0.2, 0.4, 0.1, 0.12, 0.08]),
        "omega": 2 * np.pi * np.array([1.0, 1.3, 0.7, 0.9, 1.1, 1.7]),
        "phase": np.arange(6.0),
        "offset_m": LEVER_M,
        "times": t,
    }
    theirs = environment.run("opensim_imu", **given)
    mine = signals(
        Trajectory(t, theirs["position"], r.from_matrix(theirs["rotation"])).mounted(LEVER_M).kinematics(t)
    )
    e = slice(20, -20)
    return (
        t.size / float(theirs["seconds"]),
        rms(mine[0][e, 0] - theirs["acc"][e]),
        rms(mine[1][e, 0] - theirs["gyro"][e]),
    )


def main() -> None:
    """Measure everything and write the page's part."""
    case = Sinusoids(SENSORS)
    p, q = case.pose(OUT)
    traj = Trajectory(OUT, p, q).mounted(LEVER_M)
    methods = {
        "eval": lambda: traj.kinematics(OUT),
        "fit": lambda: ours_kinematics(OUT, p, q, OUT),
        "signals": lambda: ours(OUT, p, q, OUT),
        "differences": lambda: differences(OUT, p, q, OUT),
    }
    times = clock(methods, 30)
    speed = {n: SENSORS * OUT.size / s for n, s in times.items()}
    slow = clock({"scipy": lambda: scipy_splines(OUT, p, q, OUT)}, 1)["scipy"]
    speed["scipy"] = SENSORS * OUT.size / slow
    mj_speed, mj_error = mujoco_inverse()
    all_links, bmi = chain()
    one = Sinusoids(1)
    p1, q1 = (x[:, 0] for x in one.pose(OUT))
    xio = environment.run("xio", times=OUT, position=p1, quaternion=q1)
    f1, w1 = one.imu(OUT, np.zeros(3))
    n = len(xio["time"])
    xio_error = rms((xio["acc"] - f1[:n, 0])[20:-20]), rms((xio["gyro"] - w1[:n, 0])[20:-20])
    xio_clean, xio_chain = n / float(xio["clean_seconds"]), n / float(xio["chain_seconds"])
    em = environment.run("error_model", times=OUT, velocity=one._derivative(0, OUT, 1)[:, 0], quaternion=q1)
    em_speed = OUT.size / float(em["seconds"])
    os_speed, os_acc, os_gyro = opensim()
    clean = {}
    for fps, edge in ((100, 20), (30, 60)):
        t = np.arange(fps * SECONDS + 1) / fps
        truth, given = case.imu(OUT), case.pose(t)
        for name, f in (("ours", ours), ("differences", differences), ("scipy", scipy_splines)):
            clean[fps, name] = [
                rms((a - b)[edge:-edge]) for a, b in zip(f(t, *given, OUT), truth, strict=True)
            ]
    auto, fixed, which = noisy()
    skin, lbs = body_frames()
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _STREAM], capture_output=True, text=True, check=True
    )
    peak = int(done.stdout.split("peak ")[1].split()[0]) / 1024

    def m(x: float) -> str:
        return f"{x / 1e6:.2f} M" if x >= 1e6 else f"{x / 1e3:.1f} k"

    def pair(x) -> str:
        return f"{x[0]:.1e} / {x[1]:.1e}"

    rows = [
        ("evaluation, sensor-samples/s", "≥ 10 M", m(speed["eval"]), f"{m(mj_speed)} MuJoCo `mj_inverse`, exact", speed["eval"] / mj_speed),
        ("poses → signals, fit included", "≥ 4 M", m(speed["signals"]), f"{m(speed['scipy'])} scipy quintic + RotationSpline", speed["signals"] / speed["scipy"]),
        ("the same", "", m(speed["signals"]), f"{m(speed['differences'])} 3-point differences with our rotations (inaccurate)", speed["signals"] / speed["differences"]),
        ("the same", "", m(speed["signals"]), f"{m(os_speed)} OpenSim 4.6 IMU, motion given in closed form", speed["signals"] / os_speed),
        ("the same", "", m(speed["signals"]), f"{m(xio_clean)} x-io imusim 1.1.2, from CSV", speed["signals"] / xio_clean),
        (f"whole sensor chain, {len(TERMS)} links", "≥ 2 M", m(all_links), f"{m(xio_chain)} x-io imusim 1.1.2 (8 links)", all_links / xio_chain),
        ("the same", "", m(all_links), f"{m(em_speed)} imu-error-model 0.1.3 (most complete)", all_links / em_speed),
        ("chain of a BMI270", "", m(bmi), "", np.nan),
        ("17 skin sensors on the open body, instants/s", "", m(skin), f"{m(lbs)} smplx skinning of the whole body (positions only)", skin / lbs),
    ]  # fmt: skip
    text = [
        "## The inertial core: the bar, and others",
        "",
        f"`python -m benchmarks.bench_bar`: {SENSORS} sensors, {SECONDS} s, two sinusoids an axis between 0.4 and 3 Hz, lever arm; closed-form truth, "
        "rms |f| 17 m/s²; CPU time of one thread each, one run. Peers run as their makers ship them, sample by sample where that is how they work.",
        "",
        "| speed | wanted | imusim | another | ratio |",
        "|---|---|---|---|---|",
        *(f"| {a} | {b} | {c} | {d} | {'' if np.isnan(e) else f'{e:.3g}×'} |" for a, b, c, d, e in rows),
        "",
        "| accuracy: acc m/s² / gyro rad/s, rmse | wanted | imusim | others |",
        "|---|---|---|---|",
        f"| clean 100 → 100 Hz | ≤ 1e-5 / 1e-7 | {pair(clean[100, 'ours'])} | differences {pair(clean[100, 'differences'])}; scipy {pair(clean[100, 'scipy'])}; x-io {pair(xio_error)} (no lever arm) |",
        f"| clean 30 → 100 Hz | ≤ 1e-3 / 1e-4 | {pair(clean[30, 'ours'])} | differences {pair(clean[30, 'differences'])}; scipy {pair(clean[30, 'scipy'])} |",
        f"| 30 fps, 5 mm + 1° white, nothing tuned, {SEEDS} draws | ≤ 0.85 / 0.17 | {auto[0]:.2f} / {auto[1]:.3f} | {fixed[0]:.2f} / {fixed[1]:.3f} ({which}, tuned on the truth) |",
        f"| MuJoCo given the same derivatives, largest difference | ≤ 1e-12 | {mj_error:.1e} | |",
        f"| OpenSim's IMU on a closed-form motion, ours from its poses at 100 Hz, rms difference | ≤ 1e-5 | {os_acc:.1e} / {os_gyro:.1e} | |",
        f"| an hour, {SENSORS} sensors, 100 Hz, whole chain, streamed: peak memory | ≤ 500 MB | {peak:.0f} MB | |",
        "",
        "Foot strikes (40 m/s², 60 ms, one a second, on half of the frames), rmse of acceleration, m/s², mean of four draws:",
        "",
        '| | `smoothing="auto"` | best of the fixed cut-offs | auto, instants known (`impacts_s`) |',
        "|---|---|---|---|",
        *impacts(),
    ]
    write("bar", "\n".join(text))
    print("\n".join(text))


if __name__ == "__main__":
    main()
