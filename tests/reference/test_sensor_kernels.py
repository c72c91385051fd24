"""The noise recursions against SciPy's filters and NumPy's polynomials."""

import numpy as np
import pytest
from scipy.signal import cont2discrete, lfilter
from scipy.spatial.transform import Rotation

from imusim._kernels.noise import add_lines, biquad, lagrange6, turned, turns
from imusim.sensor.bandwidth import discrete


def lines(n, phi, kick, first, steps, samples, cuts=()):
    """P processes from normals n (M, 3): two a process, then in the order of the nodes; in blocks that end at `cuts`."""
    count = len(steps)
    phi, kick = np.full(count, phi), np.full((count, 3), kick)
    now = np.ascontiguousarray((first * n[: 2 * count : 2])[:, None])
    following = phi[:, None, None] * now + (kick * n[1 : 2 * count : 2])[:, None]
    out, position, used = np.zeros((samples, 1, 3)), np.array([0] * count + [-1]), 2 * count
    line = np.zeros((2, 1, 3))
    for a, b in zip([0, *cuts], [*cuts, samples], strict=True):
        used += add_lines(
            n[None, used:].copy(), phi, kick, np.array(steps), now, following, position, line, out[a:b]
        )
    return out[:, 0]


def test_gauss_markov_is_an_ar1_filter():
    rng = np.random.default_rng(0)
    n, phi, sigma = rng.normal(size=(501, 3)), 0.9, 1.5
    drive = n * sigma * np.sqrt(1 - phi**2)
    drive[0] = n[0] * sigma
    wanted = lfilter([1], [1, -phi], drive, axis=0)[:500]
    assert np.allclose(lines(n, phi, sigma * np.sqrt(1 - phi**2), sigma, [1], 500), wanted, atol=1e-12)


def test_between_its_nodes_it_is_linear():
    n, step = np.random.default_rng(0).normal(size=(20, 3)), 7
    nodes = lines(n, 0.8, 0.6, 1.0, [1], 19)
    dense = lines(n, 0.8, 0.6, 1.0, [step], 100)
    for c in range(3):
        wanted = np.interp(np.arange(100) / step, np.arange(19), nodes[:, c])
        assert np.allclose(dense[:, c], wanted, atol=1e-12)


@pytest.mark.parametrize("cuts", [[1], [7], [8, 9, 14], [50, 50, 99]])
def test_blocks_of_several_processes_are_the_whole(cuts):
    n = np.random.default_rng(0).normal(size=(200, 3))
    whole = lines(n, 0.8, 0.6, 1.0, [3, 7, 40], 100)
    assert lines(n, 0.8, 0.6, 1.0, [3, 7, 40], 100, cuts).tobytes() == whole.tobytes()


def test_a_random_walk_is_a_cumulative_sum():
    n = np.random.default_rng(0).normal(size=(101, 3))
    out = lines(n, 1.0, 2.0, 0.0, [1], 100)
    assert np.allclose(out[1:], np.cumsum(2.0 * n[1:100], axis=0), atol=1e-12)
    assert (out[0] == 0).all()


def test_too_few_normals_are_reported_and_nothing_is_written():
    out, state = np.zeros((100, 1, 3)), np.ones((1, 1, 3))
    place, line = np.array([0, -1]), np.zeros((2, 1, 3))
    few = (
        np.ones((1, 5, 3)),
        np.ones(1),
        np.ones((1, 3)),
        np.ones(1, np.int64),
        state,
        state.copy(),
        place,
        line,
    )
    assert add_lines(*few, out) == -1
    assert (out == 0).all()
    assert add_lines(np.ones((1, 0, 3)), *few[1:], out[:0]) == 0


@pytest.mark.parametrize("rate", [50.0, 400.0, 1000.0])
def test_first_order_hold_is_scipys(rate):
    for top, bottom in (
        ([0, 0, 9.0], [0, 1, 9.0]),
        ([0, 30.0, 400.0], [1, 30.0, 400.0]),
        ([2.0, 1.0, 9.0], [1, 3.0, 9.0]),
    ):
        got = discrete([top], [bottom], rate)[0]
        b, a, _ = cont2discrete((np.trim_zeros(top, "f"), np.trim_zeros(bottom, "f")), 1 / rate, "foh")
        wanted = np.zeros(5)
        wanted[: b.size], wanted[3 : 2 + a.size] = b.ravel(), a[1:]
        assert got == pytest.approx(wanted, abs=1e-11)


def test_biquad_is_lfilter():
    rng = np.random.default_rng(0)
    x, b, a = rng.normal(size=(300, 2, 3)), np.array([0.2, 0.3, 0.1]), np.array([-0.7, 0.3])
    out = np.empty_like(x)
    biquad(x, np.tile(b[:, None], 6), np.tile(a[:, None], 6), np.zeros((2, 6)), out)
    assert np.allclose(out, lfilter(b, [1, *a], x, axis=0), atol=1e-13)


def test_biquad_starts_settled_and_again_behind_a_gap():
    x = np.full((20, 1, 3), 5.0)
    x[8:10] = np.nan
    b, a = np.tile([[0.2], [0.3], [0.1]], 3), np.tile([[-0.7], [0.3]], 3)  # gain 1
    out = np.empty_like(x)
    biquad(x, b, a, np.full((2, 3), np.nan), out)
    assert np.isnan(out[8:10]).all()
    assert out[~np.isnan(x)] == pytest.approx(5.0, abs=1e-12)


def test_six_points_reproduce_a_polynomial_of_degree_five():
    rng = np.random.default_rng(0)
    t = np.sort(rng.uniform(0, 3, 40))
    poly = np.polynomial.Polynomial(rng.normal(size=6))
    x = np.repeat(poly(t)[:, None, None], 2, axis=1)
    query = np.sort(rng.uniform(t[0], t[-1], (200, 2)), axis=0)
    out = np.empty((200, 2, 1))
    lagrange6(t, x, query, out)
    assert out[..., 0] == pytest.approx(poly(query), abs=1e-6)
    lagrange6(t, x, np.repeat(t[:, None], 2, axis=1), out := np.empty((40, 2, 1)))
    assert (out == x).all()


def test_turned_is_the_inverse_rotation():
    rng = np.random.default_rng(0)
    angles, x = rng.normal(0, 0.3, (500, 2, 3)), rng.normal(size=(500, 2, 3))
    angles[0] = 0
    matrix, out = np.empty((500, 2, 3, 3)), np.empty_like(x)
    turns(angles, matrix)
    turned(matrix, x, out)
    wanted = Rotation.from_rotvec(angles.reshape(-1, 3)).apply(x.reshape(-1, 3), inverse=True)
    assert out.reshape(-1, 3) == pytest.approx(wanted, abs=1e-12)
