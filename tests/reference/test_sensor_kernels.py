"""The noise recursions against SciPy's filters."""

import numpy as np
from scipy.signal import lfilter

from imusim._kernels.noise import add_gauss_markov, add_random_walk


def test_gauss_markov_is_an_ar1_filter():
    rng = np.random.default_rng(0)
    n, phi, sigma = rng.normal(size=(501, 2)), 0.9, np.array([1.5, 0.2])
    out = np.ones((500, 2))
    assert add_gauss_markov(n, phi, sigma, 1, out) == 0
    drive = n * sigma * np.sqrt(1 - phi**2)
    drive[0] = n[0] * sigma
    assert np.allclose(out - 1, lfilter([1], [1, -phi], drive, axis=0)[:500], atol=1e-12)


def test_gauss_markov_between_its_nodes_is_linear():
    rng = np.random.default_rng(0)
    n, step = rng.normal(size=(20, 3)), 7
    nodes, dense = np.zeros((19, 3)), np.zeros((100, 3))
    assert add_gauss_markov(n, 0.8, np.ones(3), 1, nodes) == 0
    assert add_gauss_markov(n, 0.8, np.ones(3), step, dense) == 0
    for c in range(3):
        wanted = np.interp(np.arange(100) / step, np.arange(19), nodes[:, c])
        assert np.allclose(dense[:, c], wanted, atol=1e-12)


def test_random_walk_is_a_cumulative_sum():
    n = np.random.default_rng(0).normal(size=(99, 3))
    out = np.zeros((100, 3))
    assert add_random_walk(n, np.array([1.0, 2.0, 3.0]), out) == 0
    assert np.allclose(out[1:], np.cumsum(n * [1, 2, 3], axis=0), atol=1e-12)
    assert (out[0] == 0).all()


def test_too_few_normals_are_reported_and_nothing_is_written():
    out = np.zeros((100, 3))
    assert add_gauss_markov(np.ones((5, 3)), 0.9, np.ones(3), 1, out) == 1
    assert add_random_walk(np.ones((5, 3)), np.ones(3), out) == 1
    assert (out == 0).all()
    assert add_gauss_markov(np.ones((0, 3)), 0.9, np.ones(3), 1, np.zeros((0, 3))) == 0
