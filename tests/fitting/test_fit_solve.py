"""The block-banded solver against dense linear algebra."""

import numpy as np
import pytest

from imusim._kernels import solve


def banded(count, size, seed):
    rng = np.random.default_rng(seed)
    root = np.zeros((count * size, count * size))
    for t in range(count):
        for k in range(min(3, count - t)):
            root[t * size : (t + 1) * size, (t + k) * size : (t + k + 1) * size] = rng.normal(
                size=(size, size)
            )
    dense = root.T @ root + 2.0 * np.eye(count * size)
    a = np.zeros((3, count, size, size))
    for t in range(count):
        for k in range(min(3, count - t)):
            a[k, t] = dense[t * size : (t + 1) * size, (t + k) * size : (t + k + 1) * size]
    return dense, a


@pytest.mark.parametrize(("count", "size"), [(1, 5), (2, 5), (3, 4), (9, 7)])
def test_solution_and_variances_are_those_of_dense_algebra(count, size):
    dense, (a0, a1, a2) = banded(count, size, seed=count)
    right = np.random.default_rng(1).normal(size=(count, size))
    assert solve.factor(a0, a1, a2) == 0
    x = right.copy()
    solve.substitute(a0, a1, a2, x)
    np.testing.assert_allclose(x.ravel(), np.linalg.solve(dense, right.ravel()), atol=1e-12)
    found = np.empty((3, *a0.shape))
    solve.selected_inverse(a0, a1, a2, *found)
    inverse = np.linalg.inv(dense)
    for k in range(3):
        for t in range(count - k):
            block = inverse[t * size : (t + 1) * size, (t + k) * size : (t + k + 1) * size]
            np.testing.assert_allclose(found[k, t], block, atol=1e-12)


def test_variances_stay_right_over_many_weakly_seen_frames():
    """Second differences make the backward recursion sensitive: its skew part once doubled every frame."""
    count, size = 120, 3
    a0 = np.tile(np.eye(size) * 1e-2, (count, 1, 1))
    a1, a2 = np.zeros_like(a0), np.zeros_like(a0)
    mix = np.array([[2.0, 0.5, 0.1], [0.5, 1.0, 0.3], [0.1, 0.3, 1.5]])
    for t in range(count - 2):
        for i, j, c in [(0, 0, 1), (1, 1, 4), (2, 2, 1), (0, 1, -2), (1, 2, -2), (0, 2, 1)]:
            (a0, a1, a2)[j - i][t + i] += c * mix
    dense = np.zeros((count * size, count * size))
    for k, a in enumerate((a0, a1, a2)):
        for t in range(count - k):
            rows, cols = slice(t * size, (t + 1) * size), slice((t + k) * size, (t + k + 1) * size)
            dense[rows, cols] = a[t]
            dense[cols, rows] = a[t].T
    assert solve.factor(a0, a1, a2) == 0
    found, beside, further = (np.empty_like(a0) for _ in range(3))
    solve.selected_inverse(a0, a1, a2, found, beside, further)
    want = np.diagonal(np.linalg.inv(dense)).reshape(count, size)
    np.testing.assert_allclose(np.diagonal(found, axis1=1, axis2=2), want, rtol=1e-8)


def test_a_matrix_that_is_not_positive_is_reported_by_its_block():
    _, (a0, a1, a2) = banded(4, 3, seed=0)
    a0[2] = -np.eye(3)
    assert solve.factor(a0, a1, a2) == 3
