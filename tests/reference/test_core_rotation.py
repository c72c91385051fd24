"""imusim.rotation against scipy.spatial.transform.Rotation and against its own axioms."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm
from scipy.spatial.transform import Rotation

from imusim import rotation as r
from imusim.errors import FrameError, ShapeError

N = 500
Q = r.random(N, seed=1)
P = r.random(N, seed=2)
V = np.random.default_rng(3).standard_normal((N, 3))


def scipy_of(q):
    return Rotation.from_quat(np.asarray(q)[..., [1, 2, 3, 0]])


def same_rotation(a, b, tol=1e-14):
    return (r.angle(a, b) < tol).all()


def skew(v):
    return np.array([[0, -v[2], v[1]], [v[2], 0, -v[0]], [-v[1], v[0], 0]])


def test_multiply_is_scipys_product():
    ours = r.multiply(Q, P)
    ref = (scipy_of(Q) * scipy_of(P)).as_quat()[:, [3, 0, 1, 2]]
    assert same_rotation(ours, ref, 1e-14)


def test_rotate_and_matrix_are_scipys():
    np.testing.assert_allclose(r.rotate(Q, V), scipy_of(Q).apply(V), atol=1e-14)
    np.testing.assert_allclose(r.rotate_inverse(Q, V), scipy_of(Q).apply(V, inverse=True), atol=1e-14)
    np.testing.assert_allclose(r.to_matrix(Q), scipy_of(Q).as_matrix(), atol=1e-14)
    np.testing.assert_allclose(r.rotate(Q, V), np.einsum("nij,nj->ni", r.to_matrix(Q), V), atol=1e-14)


def test_from_matrix_round_trip_in_every_branch():
    half_turns = r.from_rotvec(np.pi * np.eye(3))
    near = r.from_rotvec(np.concatenate([(np.pi - 1e-9) * np.eye(3), 1e-12 * np.eye(3), np.zeros((1, 3))]))
    for q in (Q, half_turns, near):
        back = r.from_matrix(r.to_matrix(q))
        assert same_rotation(back, q, 2e-14)
        assert (back[:, 0] >= 0).all()


@pytest.mark.parametrize("scale", [0.0, 1e-12, 1e-7, 0.99e-4, 1.01e-4, 0.1, 1.0, 3.14159])
def test_exp_and_log_are_scipys(scale):
    axis = V / np.linalg.norm(V, axis=1, keepdims=True)
    v = scale * axis
    ref = Rotation.from_rotvec(v)
    assert same_rotation(r.from_rotvec(v), ref.as_quat()[:, [3, 0, 1, 2]])
    np.testing.assert_allclose(r.to_rotvec(r.from_rotvec(v)), v, atol=1e-15, rtol=1e-12)
    np.testing.assert_allclose(r.to_rotvec(-r.from_rotvec(v)), v, atol=1e-15, rtol=1e-12)


@pytest.mark.parametrize("scale", [0.0, 1e-9, 1e-3, 0.0199, 0.0201, 0.5, 2.0, 3.1])
def test_jacobians_against_the_integral_of_expm(scale):
    """J_l(v) = ∫₀¹ exp(s [v]) ds, by Gauss–Legendre; right is its transpose; inverses invert."""
    x, w = np.polynomial.legendre.leggauss(24)
    for v in scale * V[:5] / np.linalg.norm(V[:5], axis=1, keepdims=True):
        ref = sum(0.5 * wi * expm(0.5 * (xi + 1.0) * skew(v)) for xi, wi in zip(x, w, strict=True))
        left = r.left_jacobian(v)
        np.testing.assert_allclose(left, ref, atol=5e-14)
        np.testing.assert_allclose(r.right_jacobian(v), ref.T, atol=5e-14)
        np.testing.assert_allclose(left @ r.left_jacobian_inverse(v), np.eye(3), atol=1e-12)
        np.testing.assert_allclose(r.right_jacobian(v) @ r.right_jacobian_inverse(v), np.eye(3), atol=1e-12)


def test_jacobians_mean_what_they_say():
    v, d = 0.9 * V[0], 1e-6 * V[1]
    assert (
        r.angle(r.from_rotvec(v + d), r.multiply(r.from_rotvec(r.left_jacobian(v) @ d), r.from_rotvec(v)))
        < 1e-11
    )
    assert (
        r.angle(r.from_rotvec(v + d), r.multiply(r.from_rotvec(v), r.from_rotvec(r.right_jacobian(v) @ d)))
        < 1e-11
    )


def test_between_takes_one_direction_to_the_other():
    a, b = V[:-1], V[1:]
    turned = r.rotate(r.between(a, b), a / np.linalg.norm(a, axis=1, keepdims=True))
    np.testing.assert_allclose(turned, b / np.linalg.norm(b, axis=1, keepdims=True), atol=1e-14)
    opposite = r.rotate(r.between(a, -a), a)
    np.testing.assert_allclose(opposite, -a, atol=1e-13)
    np.testing.assert_allclose(r.angle(r.between(a, 2 * a)), 0.0, atol=1e-7)


def test_sign_continuous_keeps_the_rotation_and_steps_over_gaps():
    t = np.linspace(0, 4 * np.pi, 200)
    smooth = np.stack([np.cos(t), np.sin(t), 0 * t, 0 * t], axis=1)
    flips = np.where(np.random.default_rng(0).random(200) < 0.5, -1.0, 1.0)
    flips[0] = 1.0
    broken = smooth * flips[:, None]
    broken[20:23] = np.nan
    fixed = r.sign_continuous(np.stack([broken, -broken], axis=1))
    keep = np.isfinite(broken[:, 0])
    np.testing.assert_array_equal(fixed[keep, 0], smooth[keep])
    np.testing.assert_array_equal(fixed[keep, 1], -smooth[keep])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-3, 3), min_size=9, max_size=9))
def test_group_axioms(numbers):
    a, b, c = r.from_rotvec(np.array(numbers).reshape(3, 3))
    assert r.angle(r.multiply(r.multiply(a, b), c), r.multiply(a, r.multiply(b, c))) < 1e-14
    assert r.angle(r.multiply(a, r.conjugate(a))) < 1e-14
    v = np.array([0.3, -1.0, 2.0])
    np.testing.assert_allclose(r.rotate(a, r.rotate(b, v)), r.rotate(r.multiply(a, b), v), atol=1e-13)


def test_shapes_broadcast_and_errors_name_the_shape():
    assert r.multiply(Q.reshape(5, 100, 4), P[:100]).shape == (5, 100, 4)
    assert r.rotate(Q[0], V).shape == (N, 3)
    assert r.to_rotvec(np.zeros((0, 4))).shape == (0, 3)
    with pytest.raises(ShapeError, match=r"\(500, 3\)"):
        r.to_matrix(V)
    with pytest.raises(ShapeError, match="broadcast"):
        r.multiply(Q[:3], P[:4])
    with pytest.raises(FrameError, match=r"norm 1\.2"):
        r.normalise(1.2 * Q, tolerance=0.05)
    with pytest.raises(FrameError, match="zero"):
        r.normalise(np.zeros(4))
    np.testing.assert_allclose(np.linalg.norm(r.normalise(1.2 * Q), axis=1), 1.0, atol=1e-15)


def test_random_is_uniform_and_repeats():
    q = r.random(20000, seed=5)
    np.testing.assert_array_equal(q, r.random(20000, seed=5))
    # E[R] = 0 for the uniform distribution; the entries of R have variance 1/3
    assert np.abs(r.to_matrix(q).mean(axis=0)).max() < 4.5 / np.sqrt(3 * 20000)
