"""Rigid frames against closed forms: what an accelerometer and a gyroscope must read."""

import tracemalloc

import numpy as np
import pytest
from core_cases import LEVER_M, Sinusoids, rms, signals

from imusim import rotation as r
from imusim.long_spline import LongSpline
from imusim.trajectory import Trajectory

G = 9.80665
T = np.arange(0.0, 4.0, 0.01)
INSIDE = slice(20, -20)
MID = T[:-1] + 0.0037  # between the samples
Z = np.array([0.0, 0.0, 1.0])


def still(n):
    return np.tile([1.0, 0.0, 0.0, 0.0], (n, 1))


def turning(angle, axis=Z):
    return r.from_rotvec(np.asarray(angle)[:, None] * axis)


def test_rest_reads_gravity_upwards_whatever_the_attitude():
    q = r.random(seed=4)
    f, w = signals(
        Trajectory(T, np.tile([1.0, 2.0, 3.0], (T.size, 1)), np.tile(q, (T.size, 1))).kinematics(MID)
    )
    np.testing.assert_allclose(f[:, 0], np.tile(r.rotate_inverse(q, [0, 0, G]), (MID.size, 1)), atol=1e-10)
    np.testing.assert_allclose(w, 0.0, atol=1e-11)


def test_free_fall_reads_zero_even_when_tumbling():
    p = np.array([0.0, 0.0, -0.5 * G]) * T[:, None] ** 2 + [1.0, 0.0, 0.0] * T[:, None]
    f, w = signals(Trajectory(T, p, turning(3.0 * T, np.array([0.6, 0.0, 0.8]))).kinematics(MID))
    np.testing.assert_allclose(f, 0.0, atol=2e-6)  # rounding of the end polynomials
    np.testing.assert_allclose(w[INSIDE, 0], np.tile([1.8, 0.0, 2.4], (MID.size - 40, 1)), atol=1e-8)


@pytest.mark.parametrize("rate", [0.5, 2.0, 10.0])
def test_turntable_reads_centripetal_acceleration(rate):
    radius = 0.3
    traj = Trajectory(T, np.zeros((T.size, 3)), turning(rate * T)).mounted([radius, 0.0, 0.0])
    f, w = signals(traj.kinematics(MID))
    np.testing.assert_allclose(f[INSIDE, 0, 0], -(rate**2) * radius, atol=1e-7 * rate**3)
    np.testing.assert_allclose(f[INSIDE, 0, 1], 0.0, atol=1e-7 * rate**3)
    np.testing.assert_allclose(f[INSIDE, 0, 2], G, atol=1e-8)
    np.testing.assert_allclose(
        w[INSIDE, 0], np.tile([0.0, 0.0, rate], (MID.size - 40, 1)), atol=1e-8 * rate**2
    )


def test_spinning_up_reads_tangential_acceleration():
    alpha, arm = 2.0, np.array([0.2, 0.0, 0.0])
    k = Trajectory(T, np.zeros((T.size, 3)), turning(0.5 * alpha * T**2)).mounted(arm).kinematics(MID)
    f, _ = signals(k)
    np.testing.assert_allclose(k.angular_acceleration[INSIDE, 0, 2], alpha, atol=1e-6)
    np.testing.assert_allclose(f[INSIDE, 0, 1], alpha * 0.2, atol=1e-6)
    np.testing.assert_allclose(f[INSIDE, 0, 0], -((alpha * MID[INSIDE]) ** 2) * 0.2, atol=1e-6)


def test_pendulum_reads_no_tangential_force():
    """A point mass on a rod feels only the rod: along it G cos θ + L θ̇², across it nothing."""
    from scipy.integrate import solve_ivp

    length, start = 0.8, 1.2

    def swing(_, y):
        return [y[1], -G / length * np.sin(y[0])]

    sol = solve_ivp(swing, (0, 4), [start, 0], method="DOP853", rtol=1e-12, atol=1e-12, dense_output=True)
    theta = sol.sol(T)[0]
    traj = Trajectory(T, np.zeros((T.size, 3)), turning(theta, np.array([0.0, 1.0, 0.0]))).mounted(
        [0, 0, -length]
    )
    f, w = signals(traj.kinematics(MID))
    th, om = sol.sol(MID)
    np.testing.assert_allclose(f[INSIDE, 0, 0], 0.0, atol=2e-5)
    np.testing.assert_allclose(f[INSIDE, 0, 2], (G * np.cos(th) + length * om**2)[INSIDE], atol=2e-5)
    np.testing.assert_allclose(w[INSIDE, 0, 1], om[INSIDE], atol=1e-6)


def test_rim_of_a_rolling_wheel():
    """The rim's acceleration is ω²R towards the hub; where it touches the ground its velocity is zero."""
    radius, rate = 0.35, 6.0
    centre = np.stack([rate * radius * T, 0 * T, np.full_like(T, radius)], axis=1)
    wheel = Trajectory(T, centre, turning(rate * T, np.array([0.0, 1.0, 0.0]))).mounted([0.0, 0.0, -radius])
    k = wheel.kinematics(MID)
    hub = np.stack([rate * radius * MID, 0 * MID, np.full_like(MID, radius)], axis=1)
    np.testing.assert_allclose(
        k.acceleration[INSIDE, 0], (rate**2 * (hub - k.position[:, 0]))[INSIDE], atol=1e-5
    )
    down = np.arange(1, 4) * 2 * np.pi / rate
    np.testing.assert_allclose(wheel.kinematics(down).velocity, 0.0, atol=1e-6)


@pytest.mark.parametrize(("fps", "edge", "acc", "gyro"), [(100, 20, 1e-5, 1e-7), (30, 60, 1e-3, 1e-4)])
def test_clean_poses_give_the_closed_form(fps, edge, acc, gyro):
    case, out = Sinusoids(), np.arange(6001) / 100
    t = np.arange(60 * fps + 1) / fps
    f, w = signals(Trajectory(t, *case.pose(t)).mounted(LEVER_M).kinematics(out))
    true_f, true_w = case.imu(out)
    assert (
        16.5 < rms(np.linalg.norm(true_f, axis=-1)) < 17.5
    )  # the size of motion that the bars are meant for
    assert rms((f - true_f)[edge:-edge]) < acc
    assert rms((w - true_w)[edge:-edge]) < gyro


def test_errors_fall_with_the_order_of_the_spline():
    """Twice the rate: acceleration (h⁴) 16 times better, angular rate (h⁵ at least) 32 times."""
    case, out = Sinusoids(3), np.arange(2.0, 8.0, 0.0123)
    true_f, true_w = case.imu(out)
    errors = []
    for fps in (30, 60, 120):
        t = np.arange(10 * fps + 1) / fps
        f, w = signals(Trajectory(t, *case.pose(t)).mounted(LEVER_M).kinematics(out))
        errors.append((rms(f - true_f), rms(w - true_w)))
    order = np.log2(np.array(errors[:-1]) / np.array(errors[1:]))
    assert (order[:, 0] > 3.7).all()
    assert (order[:, 1] > 4.7).all()


def test_video_noise_is_smoothed_to_the_stated_accuracy():
    """30 fps, 5 mm and 1° white noise, ten draws, nothing tuned: acc ≤ 0.85 m/s², gyro ≤ 0.17 rad/s on average."""
    out, t, edge = np.arange(6001) / 100, np.arange(1801) / 30, 60
    errors = []
    for seed in range(10):
        case = Sinusoids(1, seed=seed)
        traj = Trajectory(t, *case.noisy_pose(t, 100 + seed), smoothing="auto").mounted(LEVER_M)
        f, w = signals(traj.kinematics(out))
        true_f, true_w = case.imu(out)
        errors.append((rms((f - true_f)[edge:-edge]), rms((w - true_w)[edge:-edge])))
        noise = [c["noise_sd"] for c in traj.settings["pieces"][0]["chosen"]]
        assert noise[:2] == pytest.approx([0.005, 0.005], rel=0.08)  # horizontal, vertical
        # 1° an axis is half that a quaternion component, over three of four components
        assert noise[2] == pytest.approx(np.radians(1.0) / 2 * np.sqrt(3 / 4), rel=0.4)
    acc, gyro = np.mean(errors, axis=0)
    assert acc < 0.75  # the bar: 0.85 and 0.17
    assert gyro < 0.15


def test_mounting_composes_and_agrees_with_the_moved_poses():
    case = Sinusoids(2)
    p, q = case.pose(T)
    a, b, turn, turn2 = (
        np.array([0.1, -0.2, 0.05]),
        np.array([0.0, 0.1, 0.3]),
        r.random(seed=1),
        r.random(2, seed=2),
    )
    base = Trajectory(T, p, q)
    once = base.mounted(a + r.rotate(turn, b), r.multiply(turn, turn2)).kinematics(MID)
    twice = base.mounted(a, turn).mounted(b, turn2).kinematics(MID)
    poses = Trajectory(
        T, p + r.rotate(q, a + r.rotate(turn, b)), r.multiply(q, r.multiply(turn, turn2))
    ).kinematics(MID)
    for name, tolerance in (
        ("position", 1e-8),
        ("velocity", 1e-6),
        ("acceleration", 5e-4),
        ("angular_velocity", 1e-6),
    ):
        np.testing.assert_allclose(getattr(twice, name), getattr(once, name), atol=1e-12)
        np.testing.assert_allclose(getattr(poses, name)[INSIDE], getattr(once, name)[INSIDE], atol=tolerance)
    np.testing.assert_allclose(np.abs(np.sum(twice.orientation * once.orientation, axis=-1)), 1.0, atol=1e-14)
    f, w = signals(base.mounted(rotation_wxyz=turn).kinematics(MID))
    f0, w0 = signals(base.kinematics(MID))
    np.testing.assert_allclose(f, r.rotate_inverse(turn, f0), atol=1e-12)
    np.testing.assert_allclose(w, r.rotate_inverse(turn, w0), atol=1e-12)


@pytest.mark.parametrize("spacing", ["uniform", "jittered", "wild"])
def test_a_long_recording_in_windows_is_the_whole_one(spacing, monkeypatch):
    g = np.random.default_rng(0)
    t = np.arange(5000) / 50
    if spacing == "jittered":
        t = t + g.uniform(-0.008, 0.008, t.size)
    elif spacing == "wild":  # steps from 0.1 to 40 ms
        t = np.cumsum(np.exp(g.uniform(-3, 3, t.size))) * 0.002
    poses = Sinusoids(3).pose(t)
    whole = Trajectory(t, *poses)
    monkeypatch.setattr("imusim.trajectory.LONG_BYTES", 1000)
    long = Trajectory(t, *poses)
    assert isinstance(long._groups[0].splines[0], LongSpline)
    inside = np.linspace(t[0], t[-1], 20_011)
    edge = t[1024] + np.array([-1e-9, 0.0, 1e-9])  # between two windows
    for at in (inside, g.permutation(inside), t[[0, -1]], edge, t[-1] + np.array([0.0, 1e-4])):
        a, b = whole.kinematics(at), long.kinematics(at)
        for name in ("position", "orientation", "acceleration", "angular_acceleration"):
            np.testing.assert_allclose(getattr(a, name), getattr(b, name), rtol=0, atol=1e-9)
    # whatever is asked for together: the same bits
    parts = [long.kinematics(x).acceleration for x in np.array_split(inside, 7)]
    np.testing.assert_array_equal(np.concatenate(parts), long.kinematics(inside).acceleration)
    assert long.settings == whole.settings


def test_an_hour_takes_the_memory_of_its_poses():
    t = np.arange(30 * 3600 + 1) / 30
    p = np.zeros((t.size, 17, 3))
    q = np.zeros((t.size, 17, 4))
    q[..., 0] = 1.0
    tracemalloc.start()
    try:
        traj = Trajectory(t, p, q)
        for first in range(0, 350_000, 40_960):
            traj.kinematics((first + np.arange(4096)) / 100)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1.6 * (p.nbytes + q.nbytes)  # all of its nodes would be three times as much
