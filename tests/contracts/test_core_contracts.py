"""Promises of the continuous-time core: errors, gaps, order of instants, threads, and life without the compiler."""

import os
import subprocess
import sys
from pathlib import Path

import numba
import numpy as np
import pytest

from imusim import rotation as r
from imusim.errors import ConfigError, FrameError, ShapeError, TimeError
from imusim.trajectory import Trajectory

T = np.arange(100) / 50
G = np.random.default_rng(0)
P = np.cumsum(0.01 * G.standard_normal((100, 3, 3)), axis=0)
Q = r.from_rotvec(np.cumsum(0.05 * G.standard_normal((100, 3, 3)), axis=0))
FIELDS = ("position", "orientation", "velocity", "angular_velocity", "acceleration", "angular_acceleration")


def assert_same(a, b):
    for name in FIELDS:
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))


@pytest.mark.parametrize("smoothing", ["none", "auto"])
def test_signs_and_lengths_of_quaternions_do_not_matter(smoothing):
    flips = np.where(G.random((100, 3, 1)) < 0.5, -1.0, 1.0)
    flips[0] = 1.0
    a = Trajectory(T, P, Q, smoothing=smoothing).kinematics(T)
    b = Trajectory(T, P, Q * flips * 1.04, smoothing=smoothing).kinematics(T)
    np.testing.assert_allclose(a.angular_acceleration, b.angular_acceleration, rtol=1e-6, atol=1e-6)
    assert (np.sum(a.orientation[1:] * a.orientation[:-1], axis=-1) > 0).all()


def test_batch_equals_loop_and_any_order_of_instants():
    traj, q = Trajectory(T, P, Q), G.uniform(T[0], T[-1], 77)
    k = traj.kinematics(q)
    for s in range(3):
        one = Trajectory(T, P[:, s], Q[:, s]).kinematics(q)
        for name in FIELDS:
            np.testing.assert_allclose(
                getattr(one, name)[:, 0], getattr(k, name)[:, s], rtol=1e-12, atol=1e-12
            )
    order = np.argsort(q)
    np.testing.assert_array_equal(traj.kinematics(q[order]).acceleration, k.acceleration[order])


def test_poses_come_back_at_their_samples():
    k = Trajectory(T, P, Q).kinematics(T)
    np.testing.assert_allclose(k.position, P, atol=1e-14)
    assert r.angle(k.orientation, Q).max() < 1e-7


@pytest.mark.parametrize("smoothing", ["none", "auto"])
def test_same_bits_with_one_and_two_threads(smoothing):
    if numba.config.NUMBA_NUM_THREADS < 2:
        pytest.skip("one thread only")
    before = numba.get_num_threads()
    try:
        numba.set_num_threads(1)
        a = Trajectory(T, P, Q, smoothing=smoothing).kinematics(T)
        numba.set_num_threads(2)
        b = Trajectory(T, P, Q, smoothing=smoothing).kinematics(T)
    finally:
        numba.set_num_threads(before)
    assert_same(a, b)


def test_gaps_of_one_frame_leave_the_others_alone():
    p = P.copy()
    p[40:45, 1] = np.nan  # 0.12 s between known samples: bridged
    p[60:95, 2] = np.nan  # 0.72 s: not
    k = Trajectory(T, p, Q, max_gap_s=0.5).kinematics(T)
    whole = Trajectory(T, P, Q).kinematics(T)
    np.testing.assert_allclose(k.acceleration[:, 0], whole.acceleration[:, 0], rtol=1e-12, atol=1e-12)
    assert np.isfinite(k.acceleration[:, 1]).all()
    assert np.isnan(k.acceleration[61:94, 2]).all()
    assert np.isfinite(k.acceleration[:60, 2]).all()
    assert np.isfinite(k.acceleration[95:, 2]).all()
    # a gap in time itself counts too
    keep = (T < 0.5) | (T > 1.3)
    k = Trajectory(T[keep], P[keep], Q[keep]).kinematics(T)
    np.testing.assert_array_equal(np.isnan(k.acceleration[:, 0, 0]), (T > 0.495) & (T < 1.305))


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 6])
@pytest.mark.parametrize("smoothing", ["none", "auto"])
def test_few_samples_are_enough_for_something_finite(n, smoothing):
    k = Trajectory(T[:n], P[:n], Q[:n], smoothing=smoothing).kinematics(T[:n])
    assert all(np.isfinite(getattr(k, name)).all() for name in FIELDS)
    if n == 1:
        np.testing.assert_array_equal(k.velocity, 0.0)


def test_half_a_sample_beyond_the_ends_and_no_further():
    traj = Trajectory(T, P, Q)
    assert np.isfinite(traj.kinematics([T[0] - 0.01, T[-1] + 0.01]).acceleration).all()
    for bad in (T[0] - 0.011, T[-1] + 0.011, np.nan):
        with pytest.raises(TimeError, match="outside the known times"):
            traj.kinematics([bad])


def test_bad_input_is_named():
    q = Q.copy()
    q[7, 2] *= 1.1
    with pytest.raises(FrameError, match=r"sample 7 of frame 2 has norm 1\.1"):
        Trajectory(T, P, q)
    with pytest.raises(ShapeError, match=r"wanted \(100, any, 4\)"):
        Trajectory(T, P, P)
    with pytest.raises(ShapeError, match="2 frames"):
        Trajectory(T, P[:, :2], Q)
    with pytest.raises(TimeError, match="increase strictly"):
        Trajectory(T[::-1], P, Q)
    with pytest.raises(ConfigError, match="smoothing"):
        Trajectory(T, P, Q, smoothing="a lot")
    with pytest.raises(ConfigError, match="max_gap_s"):
        Trajectory(T, P, Q, max_gap_s=0.0)
    with pytest.raises(FrameError, match="norm 2"):
        Trajectory(T, P, Q).mounted(rotation_wxyz=[2.0, 0.0, 0.0, 0.0])
    with pytest.raises(ShapeError, match="offset_m"):
        Trajectory(T, P, Q).mounted([1.0, 2.0])


SMALL = """
import sys
sys.path.insert(0, sys.argv[1])
import numpy as np, numba
assert numba.config.DISABLE_JIT
from core_cases import Sinusoids, TreeBody
from imusim import rotation as r
from imusim.kinematics import BodyTrajectory, Sites
from imusim.trajectory import Trajectory
from imusim.types import Motion
t = np.arange(24) / 30
body = TreeBody()
J = body.parents.size
p, q = Sinusoids(J).noisy_pose(t, 0)
out = []
for smoothing in ("none", "auto"):
    k = Trajectory(t, p[:, :1], q[:, :1], smoothing=smoothing).mounted([0.1, 0.2, 0.3]).kinematics(t)
    out += [k.acceleration, k.angular_acceleration]
w = np.full((1, J), 1.0 / J)
sites = Sites(("s",), w, 0.1 * w[:, :, None] * np.ones(3), np.full((1, 3), 0.02), np.array([r.IDENTITY]))
bt = BodyTrajectory(Motion(t, p[:, 0], q, body), "none")
k = bt.kinematics(t, sites)
out += [k.acceleration, k.angular_acceleration, bt.joints(t)]
np.savez(sys.argv[2], *out)
"""


def test_kernels_are_plain_python_too(tmp_path):
    """The same figures with and without the compiler, which also proves that no kernel relies on wrapped indices."""
    cases = str(Path(__file__).parents[1] / "physics")
    results = []
    for disabled in ("1", "0"):
        path = tmp_path / f"{disabled}.npz"
        code = SMALL if disabled == "1" else SMALL.replace("assert numba.config.DISABLE_JIT", "")
        subprocess.run(
            [sys.executable, "-W", "error", "-c", code, cases, str(path)],
            check=True,
            env={**os.environ, "NUMBA_DISABLE_JIT": disabled},
        )
        results.append(np.load(path))
    for name in results[0]:
        a, b = results[0][name], results[1][name]
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-6 * np.abs(b).max())
