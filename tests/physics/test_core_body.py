"""A body in continuous time: skin points, cuts, gaps and stated uncertainty."""

import numpy as np
import pytest
from core_cases import Sinusoids, TreeBody, rms, signals
from scipy.linalg import polar

from imusim import rotation as r
from imusim.errors import ConfigError, ShapeError, TimeError
from imusim.kinematics import BodyTrajectory, Sites
from imusim.types import Motion

BODY = TreeBody()
J = BODY.parents.size
T = np.arange(241) / 30
RNG = np.random.default_rng(0)


def motion(seed=0, t=T, **more):
    p, q = Sinusoids(J, seed=seed).pose(t)
    return Motion(t, p[:, 0], q, BODY, **more)


def skin_sites(count=6, seed=0):
    """Points blended over one to four joints, lifted off the skin."""
    g = np.random.default_rng(seed)
    w = np.zeros((count, J))
    for s in range(count):
        n = 1 + s % 4
        w[s, g.choice(J, n, replace=False)] = g.dirichlet(np.ones(n))
    x = g.uniform(-0.4, 0.4, (count, 3))
    offsets = w[:, :, None] * (x[:, None] - BODY.rest_joints())
    names = tuple(f"s{i}" for i in range(count))
    return Sites(names, w, offsets, 0.03 * g.standard_normal((count, 3)), r.random(count, seed=seed))


def test_skin_point_is_blended_and_its_axes_are_the_polar_factor():
    """Position and orientation from the joint rotations, by NumPy and scipy.linalg.polar."""
    m, sites = motion(), skin_sites()
    k = BodyTrajectory(m, "none").kinematics(T, sites)
    rest = BODY.rest_joints()
    for i in range(0, T.size, 40):
        rot, pos = np.empty((J, 3, 3)), np.empty((J, 3))
        for j, parent in enumerate(BODY.parents):
            local = r.to_matrix(m.joint_rotation_wxyz[i, j])
            rot[j] = local if parent < 0 else rot[parent] @ local
            pos[j] = (
                m.root_position_m[i] if parent < 0 else pos[parent] + rot[parent] @ (rest[j] - rest[parent])
            )
        for s in range(len(sites.names)):
            mean = np.einsum("j,jkl->kl", sites.weights[s], rot)
            axes = polar(mean)[0]
            if np.linalg.det(mean) < 0.02:
                continue  # blends of opposite rotations have no defined axes
            x = (
                np.einsum("jkl,jl->k", rot, sites.offsets_m[s])
                + sites.weights[s] @ pos
                + axes @ sites.lift_m[s]
            )
            np.testing.assert_allclose(k.position[i, s], x, atol=1e-12)
            ours = r.to_matrix(k.orientation[i, s])
            np.testing.assert_allclose(ours, axes @ r.to_matrix(sites.rotation_wxyz[s]), atol=1e-11)


def test_derivatives_of_skin_points_are_those_of_high_order_differences():
    """Eighth-order central differences, kept inside one spline interval; ≤ 1e-6 relative."""
    p, q = Sinusoids(J, rotation_rad=0.25).pose(T)
    bt, sites = BodyTrajectory(Motion(T, p[:, 0], q, BODY), "none"), skin_sites(8)
    at = (np.arange(5, 235, 7) + 0.5) / 30
    h = 3.5e-3
    k = bt.kinematics(at, sites)
    moved = {i: bt.kinematics(at + i * h, sites) for i in range(-4, 5)}
    weights = {1: 4 / 5, 2: -1 / 5, 3: 4 / 105, 4: -1 / 280}

    def difference(f):
        return sum(c * (f(moved[i]) - f(moved[-i])) for i, c in weights.items()) / h

    spin = difference(lambda m: r.to_matrix(m.orientation)) @ np.swapaxes(r.to_matrix(k.orientation), -1, -2)
    omega = np.stack([spin[..., 2, 1], spin[..., 0, 2], spin[..., 1, 0]], axis=-1)
    for ours, ref in (
        (k.velocity, difference(lambda m: m.position)),
        (k.acceleration, difference(lambda m: m.velocity)),
        (k.angular_velocity, omega),
        (k.angular_acceleration, difference(lambda m: m.angular_velocity)),
    ):
        assert np.abs(ours - ref).max() < 1e-6 * np.abs(ref).max()


def test_a_site_on_one_bone_is_a_rigid_frame():
    """Blending a joint with itself through two equal rotations changes nothing."""
    m = motion()
    bt = BodyTrajectory(m, "none")
    w = np.zeros((2, J))
    w[0, 2] = 1.0
    fixed = m.joint_rotation_wxyz.copy()
    fixed[:, 3] = r.IDENTITY  # joint 3 hangs on joint 2 and turns with it
    bt = BodyTrajectory(Motion(T, m.root_position_m, fixed, BODY), "none")
    w[1, 2], w[1, 3] = 0.4, 0.6
    x = np.array([0.1, 0.2, -0.1])
    offsets = w[:, :, None] * (x - BODY.rest_joints())
    sites = Sites(("one", "two"), w, offsets, np.tile([0.0, 0.01, 0.02], (2, 1)), np.tile(r.IDENTITY, (2, 1)))
    k = bt.kinematics(T + 0.01, sites)
    for name in ("position", "velocity", "acceleration", "angular_velocity", "angular_acceleration"):
        value = getattr(k, name)[:-1]
        np.testing.assert_allclose(value[:, 0], value[:, 1], atol=1e-11 * np.abs(value).max())


@pytest.mark.parametrize("smoothing", ["none", "auto"])
def test_nothing_is_differentiated_across_a_cut(smoothing):
    """Two clips joined: every sample is what its own clip alone gives, up to the cut's midpoint."""
    n = T.size
    t = np.arange(2 * n) / 30
    (p, q), (p2, q2) = Sinusoids(J, seed=1).pose(T), Sinusoids(J, seed=2).pose(T)
    root = np.concatenate([p[:, 0], p2[:, 0] + 5.0])
    joined = Motion(t, root, np.concatenate([q, q2]), BODY, shot=np.repeat([0, 1], n))
    sites = skin_sites(2)
    out = np.arange(0, t[-1], 0.01)
    k = BodyTrajectory(joined, smoothing).kinematics(out, sites)
    first = out < t[n - 1] + 0.5 / 30
    a = BodyTrajectory(Motion(T, p[:, 0], q, BODY), smoothing).kinematics(out[first], sites)
    b = BodyTrajectory(Motion(t[n:], p2[:, 0] + 5.0, q2, BODY), smoothing).kinematics(out[~first], sites)
    np.testing.assert_allclose(k.acceleration[first], a.acceleration, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(k.acceleration[~first], b.acceleration, rtol=1e-6, atol=1e-6)
    assert np.isfinite(k.acceleration).all()


def test_short_gaps_are_bridged_and_long_ones_are_marked():
    valid = np.ones(T.size, bool)
    valid[60:66] = False  # 0.2 s
    valid[120:160] = False  # 1.3 s
    m = motion(valid=valid)
    q = m.joint_rotation_wxyz.copy()
    q[~valid] = np.nan
    bt = BodyTrajectory(Motion(T, m.root_position_m, q, BODY, valid=valid), "none", max_gap_s=0.5)
    k = bt.kinematics(T, skin_sites(2))
    known = np.isfinite(k.acceleration).all(axis=(1, 2))
    np.testing.assert_array_equal(known, bt.valid(T))
    assert known[:120].all()
    assert known[160:].all()
    assert not known[121:159].any()
    whole = BodyTrajectory(motion(), "none").kinematics(T, skin_sites(2))
    assert rms(k.position[60:66] - whole.position[60:66]) < 0.05
    assert np.isnan(bt.joints(T)[140]).all()


def test_a_still_person_reads_gravity_after_smoothing():
    g = np.random.default_rng(0)
    q = np.tile(r.random(J, seed=1), (T.size, 1, 1))
    noisy = r.multiply(q, r.from_rotvec(np.radians(0.5) * g.standard_normal((T.size, J, 3))))
    root = 0.005 * g.standard_normal((T.size, 3))
    f, w = signals(BodyTrajectory(Motion(T, root, noisy, BODY), "auto").kinematics(T, skin_sites(4)))
    assert np.abs(np.linalg.norm(f, axis=-1) - 9.80665).max() < 0.05
    assert np.abs(w).max() < 0.05


def test_uncertainty_is_near_the_errors_that_noise_makes():
    """Root-mean-square error over draws of the noise, against the stated standard deviations."""
    case, sites = Sinusoids(J, seed=3, rotation_rad=0.3), skin_sites(4)
    truth = BodyTrajectory(Motion(T, case.pose(T)[0][:, 0], case.pose(T)[1], BODY), "none")
    true_f, true_w = signals(truth.kinematics(T, sites))
    acc, gyro, acc_sd, gyro_sd = [], [], [], []
    for seed in range(3):
        p, q = case.noisy_pose(T, seed)
        bt = BodyTrajectory(Motion(T, p[:, 0], q, BODY), "auto")
        f, w = signals(bt.kinematics(T, sites))
        a, b = bt.uncertainty(T, sites)
        assert a.shape == b.shape == f.shape
        inside = slice(30, -30)
        acc.append((f - true_f)[inside])
        gyro.append((w - true_w)[inside])
        acc_sd.append(a[inside])
        gyro_sd.append(b[inside])
    assert 0.5 < rms(acc_sd) / rms(acc) < 2.0
    assert 0.5 < rms(gyro_sd) / rms(gyro) < 2.0


def test_tilt_and_depth_errors_are_carried_into_the_sensor_axes():
    g = np.random.default_rng(0)
    q = np.tile(np.array(r.IDENTITY), (T.size, J, 1))
    root = np.array([0.01, 0.10, 0.01]) * g.standard_normal((T.size, 3))
    sd = np.tile([0.01, 0.10, 0.01], (T.size, 1))
    turn = r.from_rotvec([0.0, 0.0, np.pi / 2])  # sensor x along world y
    site = Sites(("s",), np.eye(J)[:1], np.zeros((1, J, 3)), np.zeros((1, 3)), turn[None])
    steady = BodyTrajectory(Motion(T, 0 * root, q, BODY, up_sd_deg=3.0), "auto").uncertainty(T, site)[0]
    expected = np.radians(3.0) * 9.80665
    np.testing.assert_allclose(steady[:, 0], np.tile([expected, expected, 0.0], (T.size, 1)), atol=1e-6)
    moving = Motion(T, root + np.sin(6 * T)[:, None] * 0.3, q, BODY, root_sd_m=sd)
    acc_sd = BodyTrajectory(moving, "auto").uncertainty(T, site)[0][30:-30, 0].mean(axis=0)
    assert acc_sd[0] > 3.0 * acc_sd[1]
    assert acc_sd[0] > 3.0 * acc_sd[2]
    assert np.isnan(BodyTrajectory(motion(), "none").uncertainty(T, site)[0]).all()


def test_errors():
    with pytest.raises(ConfigError, match="smoothing"):
        BodyTrajectory(motion(), "strong")
    with pytest.raises(TimeError, match="none of the motion"):
        BodyTrajectory(motion(valid=np.zeros(T.size, bool)), "none")
    bt = BodyTrajectory(motion(), "none")
    few = Sites(("a",), np.eye(3)[:1], np.zeros((1, 3, 3)), np.zeros((1, 3)), np.array([r.IDENTITY]))
    with pytest.raises(ShapeError, match="3 joints"):
        bt.kinematics(T, few)
    with pytest.raises(TimeError, match="finite"):
        bt.valid([np.nan])
    with pytest.raises(ShapeError, match=r"sum to 0\.5"):
        Sites(("a",), 0.5 * np.eye(J)[:1], np.zeros((1, J, 3)), np.zeros((1, 3)), np.array([r.IDENTITY]))
