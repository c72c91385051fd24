"""The sweep against finite differences of skinned vertices, and against itself in other block lengths."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

import imusim as im
from imusim.conventions import Q_WB_REST, STANDARD_GRAVITY
from imusim.errors import ConfigError, ShapeError, TimeError
from imusim.kinematics import BodyTrajectory
from imusim.placement import attach_vertices, locate
from imusim.placement.everywhere import vertex_normals
from imusim.rotation import from_rotvec, multiply, rotate, to_matrix, to_rotvec
from imusim.types import Motion

BODY = im.open_body()
SOME = np.arange(0, BODY.weights.shape[0], 97)
SHAPE = np.resize([1.5, -1.0, 0.5], BODY.n_shape)


def pose_at(t):
    """Root (T, 3) m and rotations (T, J, 4) of somebody who waves everything, smooth in t (T,) s."""
    rng = np.random.default_rng(3)
    joints = len(BODY.joint_names)
    size, phase = 0.3 * rng.standard_normal((joints, 3)), rng.uniform(0, 2 * np.pi, (joints, 3))
    speed = 2 * np.pi * rng.uniform(0.3, 1.5, (joints, 3))
    q = from_rotvec(size * np.sin(speed * t[:, None, None] + phase))
    q[:, 0] = multiply(Q_WB_REST, q[:, 0])
    root = np.stack([0.2 * np.sin(4 * t), 0.8 * t, 1.0 + 0.05 * np.cos(9 * t)], axis=1)
    return root, q


def motion(seconds=2.0, rate_hz=200.0):
    t = np.arange(int(seconds * rate_hz) + 1) / rate_hz
    return Motion(t, *pose_at(t), BODY, SHAPE)


@pytest.fixture(scope="module")
def waving():
    return BodyTrajectory(motion(), smoothing="none")


def skin_at(t):
    return BODY.pose(*pose_at(t), shape=SHAPE, vertices=SOME).vertices


def test_accelerations_are_those_of_the_skinned_vertices(waving):
    found = list(im.sweep(waving, rate_hz=20.0, vertices=SOME))
    t = np.concatenate([b.time_s for b in found])
    inner = slice(4, -4)  # an interpolating spline is less exact at its ends
    h = 2e-3
    p = [skin_at(t + k * h) for k in (-2, -1, 0, 1, 2)]
    acc = (-p[0] + 16 * p[1] - 30 * p[2] + 16 * p[3] - p[4]) / (12 * h**2)
    k = found[0].kinematics
    assert len(found) == 1
    np.testing.assert_allclose(k.position, p[2], atol=1e-8)
    np.testing.assert_allclose(k.acceleration[inner], acc[inner], atol=2e-3)
    felt = rotate(k.orientation, found[0].acc) - [0, 0, STANDARD_GRAVITY]
    np.testing.assert_allclose(felt[inner], acc[inner], atol=2e-3)
    assert np.abs(acc).max() > 5.0


def test_angular_rates_are_those_of_the_turning_sites(waving):
    sites = attach_vertices(BODY, SHAPE, SOME)
    (block,) = im.sweep(waving, rate_hz=20.0, vertices=SOME)
    h = 2e-4
    axes = [locate(sites, BODY.pose(*pose_at(block.time_s + s * h), shape=SHAPE))[1] for s in (-1, 1)]
    turn = np.swapaxes(axes[0], -1, -2) @ axes[1]  # in sensor axes, over 2h
    skew = 0.5 * (turn - np.swapaxes(turn, -1, -2)) / (2 * h)
    rate = np.stack([skew[..., 2, 1], skew[..., 0, 2], skew[..., 1, 0]], axis=-1)
    np.testing.assert_allclose(block.gyro[4:-4], rate[4:-4], atol=1e-3)
    assert np.abs(rate).max() > 1.0


def test_axes_stand_on_the_skin_and_turn_smoothly():
    sites = attach_vertices(BODY, None)
    axes = to_matrix(sites.rotation_wxyz)
    skin = BODY.rest_vertices()
    np.testing.assert_allclose(axes[:, :, 2], vertex_normals(skin, BODY.faces), atol=1e-9)
    belly = np.argmin(np.linalg.norm(skin - [0, skin[:, 1].mean(), skin[:, 2].max()], axis=1))
    assert axes[belly, 2, 2] > 0.8  # out of the front of the body
    left_shin = BODY.joint_names.index("left_knee")
    shin = BODY.weights[:, left_shin] > 0.99
    assert np.all(axes[shin, 1, 0] < -0.8)  # x down the leg
    edges = BODY.faces[:, :2]
    both = shin[edges].all(axis=1)
    between = np.einsum("eij,eij->e", axes[edges[both, 0]], axes[edges[both, 1]])
    assert np.degrees(np.arccos(np.clip((between - 1) / 2, -1, 1))).max() < 45


@pytest.mark.parametrize("block_s", [0.02, 0.33, 100.0])
def test_blocks_are_one_call_cut_up(waving, block_s):
    (whole,) = im.sweep(waving, vertices=SOME)
    parts = list(im.sweep(waving, vertices=SOME, block_s=block_s))
    for name in ("time_s", "acc", "gyro"):
        joined = np.concatenate([getattr(b, name) for b in parts])
        np.testing.assert_array_equal(joined, getattr(whole, name))
    assert max(b.time_s.size for b in parts) <= max(1, round(block_s * 50))


@pytest.mark.parametrize("block_s", [None, 0.1])
def test_statistics_are_those_of_the_signals(waving, block_s):
    (whole,) = im.sweep(waving, vertices=SOME)
    found = im.sweep_statistics(waving, vertices=SOME, block_s=block_s)
    np.testing.assert_array_equal(found.vertices, SOME)
    assert found.instants == whole.time_s.size
    acc = np.linalg.norm(whole.kinematics.acceleration, axis=-1)
    gyro = np.linalg.norm(whole.gyro, axis=-1)
    for got, wanted in (
        (found.acc_rms, np.sqrt((acc**2).mean(axis=0))),
        (found.acc_peak, acc.max(axis=0)),
        (found.gyro_rms, np.sqrt((gyro**2).mean(axis=0))),
        (found.gyro_peak, gyro.max(axis=0)),
    ):
        np.testing.assert_allclose(got, wanted, rtol=1e-9)


def test_memory_is_bounded_by_the_block():
    slow = BodyTrajectory(motion(10.0, 30.0), smoothing="none")
    few = np.arange(0, BODY.weights.shape[0], 20)
    im.sweep_statistics(slow, 1.0, few)
    tracemalloc.start()
    try:
        im.sweep_statistics(slow, 50.0, few, block_s=0.1)
        statistics = tracemalloc.get_traced_memory()[1]
        tracemalloc.reset_peak()
        for block in im.sweep(slow, 50.0, few, block_s=0.1):
            assert block.time_s.size <= 5
        streamed = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    whole = 501 * few.size * 19 * 8
    assert max(statistics, streamed) < 0.3 * whole


def test_what_is_not_known_is_left_out_of_the_statistics():
    given = motion(4.0, 50.0)
    lost = (given.time_s > 1.5) & (given.time_s < 3.0)
    holed = replace(given, valid=~lost)
    trajectory = BodyTrajectory(holed, smoothing="none")
    found = im.sweep_statistics(trajectory, 50.0, SOME)
    (block,) = im.sweep(trajectory, 50.0, SOME)
    known = np.isfinite(block.acc).all(axis=(1, 2))
    assert found.instants == known.sum() < block.time_s.size - 60
    assert np.isfinite(found.acc_peak).all()


def test_impossible_sweeps_are_refused(waving):
    with pytest.raises(ConfigError, match="block_s"):
        im.sweep(waving, block_s=0.0)
    with pytest.raises(ConfigError, match="rate_hz"):
        im.sweep(waving, rate_hz=-1.0)
    for wrong in ([BODY.weights.shape[0]], [-1], [1, 1], [], [0.5], 3):
        with pytest.raises(ShapeError, match="vertices"):
            im.sweep(waving, vertices=wrong)
    short = motion(0.5)
    with pytest.raises(TimeError, match="valid frame"):
        im.sweep(replace(short, valid=short.time_s == 0.0))


def test_a_skeleton_has_no_skin_to_sweep():
    from imusim.body import SkeletonBody

    bones = SkeletonBody(BODY.joint_names, BODY.parents, BODY.rest_joints())
    t = np.arange(20) / 20
    with pytest.raises(ConfigError, match="no skin"):
        im.sweep(Motion(t, *pose_at(t), bones))


def test_the_site_of_a_vertex_moves_with_its_own_weights():
    sites = attach_vertices(BODY, SHAPE, SOME)
    np.testing.assert_array_equal(sites.weights, BODY.weights[SOME])
    assert sites.names[1] == f"v{SOME[1]}"
    still = to_rotvec(sites.rotation_wxyz)
    assert np.isfinite(still).all()
