"""Symmetric positive definite systems, block-pentadiagonal in time: factor, solve, variances.

The matrix has T × T blocks of size D; block row t holds `a0[t]` on the diagonal, `a1[t]` right of it
(t, t + 1) and `a2[t]` (t, t + 2); the rest is zero or follows by symmetry. The Cholesky factor A = Uᵀ U has the
same pattern, so a clip costs O(T D³) and is done in place. One thread, fixed order of sums: same bits always.

Golub and Van Loan, *Matrix Computations*, 4th ed., §4.2 and §4.3 (banded Cholesky, by blocks). The selected
inverse is the block form of Takahashi, Fagan and Chen (1973).
"""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, error_model="numpy", nogil=True, inline="always")
def _eliminate(row, a, i, b, count, first):
    """row[first:] −= Σ_k a[k, i] b[k, first:] over the `count` first k, four at a time: the inner loop of all below."""
    n = row.size
    k = 0
    while k + 3 < count:
        w0, w1, w2, w3 = a[k, i], a[k + 1, i], a[k + 2, i], a[k + 3, i]
        b0, b1, b2, b3 = b[k], b[k + 1], b[k + 2], b[k + 3]
        for j in range(first, n):
            row[j] -= (w0 * b0[j] + w1 * b1[j]) + (w2 * b2[j] + w3 * b3[j])
        k += 4
    while k < count:
        w0 = a[k, i]
        b0 = b[k]
        for j in range(first, n):
            row[j] -= w0 * b0[j]
        k += 1


@njit(cache=True, error_model="numpy", nogil=True)
def _subtract_product(c, a, b, n):
    """c (n, n) −= aᵀ b, with a, b (n, n)."""
    for i in range(n):
        _eliminate(c[i], a, i, b, n, 0)


@njit(cache=True, error_model="numpy", nogil=True)
def _subtract_square(c, a, n):
    """The upper triangle of c (n, n) −= aᵀ a, with a (n, n)."""
    for i in range(n):
        _eliminate(c[i], a, i, a, n, i)


@njit(cache=True, error_model="numpy", nogil=True)
def _cholesky(a, n):
    """Upper Cholesky factor of a (n, n), in place (the lower triangle is set to 0); 0, or 1 if not positive."""
    for i in range(n):
        row = a[i]
        _eliminate(row, a, i, a, i, i)
        pivot = row[i]
        if not pivot > 0.0:
            return 1
        scale = 1.0 / np.sqrt(pivot)
        for j in range(i, n):
            row[j] *= scale
    for i in range(n):
        for j in range(i):
            a[i, j] = 0.0
    return 0


@njit(cache=True, error_model="numpy", nogil=True)
def _solve_transposed(u, b, n):
    """b (n, n) ← u⁻ᵀ b for upper triangular u (n, n), in place."""
    for i in range(n):
        row = b[i]
        _eliminate(row, u, i, b, i, 0)
        scale = 1.0 / u[i, i]
        for j in range(n):
            row[j] *= scale


@njit(cache=True, error_model="numpy", nogil=True)
def factor(a0, a1, a2):
    """Block Cholesky A = Uᵀ U in place: a0, a1, a2 (T, D, D) → blocks of U. Returns 0, or 1 + the bad block.

    Of a0 only the upper triangles are read.
    """
    count, n = a0.shape[0], a0.shape[1]
    for t in range(count):
        if _cholesky(a0[t], n) != 0:
            return 1 + t
        if t + 1 < count:
            _solve_transposed(a0[t], a1[t], n)
            _subtract_square(a0[t + 1], a1[t], n)
        if t + 2 < count:
            _solve_transposed(a0[t], a2[t], n)
            _subtract_product(a1[t + 1], a1[t], a2[t], n)
            _subtract_square(a0[t + 2], a2[t], n)
    return 0


@njit(cache=True, error_model="numpy", nogil=True)
def substitute(u0, u1, u2, x):
    """x (T, D) ← A⁻¹ x in place, with the factor's blocks u0, u1, u2 (T, D, D)."""
    count, n = x.shape
    for t in range(count):  # Uᵀ y = x
        for k in range(n):
            x[t, k] /= u0[t, k, k]
            w = x[t, k]
            for j in range(k + 1, n):
                x[t, j] -= w * u0[t, k, j]
        if t + 1 < count:
            for k in range(n):
                w = x[t, k]
                for j in range(n):
                    x[t + 1, j] -= w * u1[t, k, j]
        if t + 2 < count:
            for k in range(n):
                w = x[t, k]
                for j in range(n):
                    x[t + 2, j] -= w * u2[t, k, j]
    for t in range(count - 1, -1, -1):  # U z = y
        for i in range(n - 1, -1, -1):
            total = x[t, i]
            if t + 1 < count:
                for j in range(n):
                    total -= u1[t, i, j] * x[t + 1, j]
            if t + 2 < count:
                for j in range(n):
                    total -= u2[t, i, j] * x[t + 2, j]
            for j in range(i + 1, n):
                total -= u0[t, i, j] * x[t, j]
            x[t, i] = total / u0[t, i, i]


@njit(cache=True, error_model="numpy", nogil=True)
def _inverse_upper(u, out, n):
    """out (n, n) ← u⁻¹ for upper triangular u (n, n)."""
    for i in range(n - 1, -1, -1):
        row = out[i]
        for j in range(n):
            row[j] = 0.0
        row[i] = 1.0
        for k in range(i + 1, n):
            w = u[i, k]
            if w != 0.0:
                known = out[k]
                for j in range(k, n):
                    row[j] -= w * known[j]
        scale = 1.0 / u[i, i]
        for j in range(i, n):
            row[j] *= scale


@njit(cache=True, error_model="numpy", nogil=True)
def _multiply(a, b, out, n, add):
    """out (n, n) ← a b, or += where add; a, b (n, n)."""
    for i in range(n):
        row = out[i]
        if not add:
            for j in range(n):
                row[j] = 0.0
        for k in range(n):
            w = a[i, k]
            if w != 0.0:
                right = b[k]
                for j in range(n):
                    row[j] += w * right[j]


@njit(cache=True, error_model="numpy", nogil=True)
def marginal_covariance(u0, u1, u2, out):
    """Diagonal blocks out (T, D, D) of A⁻¹ from the factor's blocks u0, u1, u2 (T, D, D).

    With G_k = u0[t]⁻¹ u_k[t] and S the inverse:  S_{t,t+1} = −(G_1 S_{t+1,t+1} + G_2 S_{t+2,t+1}),
    S_{t,t+2} = −(G_1 S_{t+1,t+2} + G_2 S_{t+2,t+2}),  S_{tt} = u0⁻¹ u0⁻ᵀ − S_{t,t+1} G_1ᵀ − S_{t,t+2} G_2ᵀ.
    """
    count, n = u0.shape[0], u0.shape[1]
    inverse = np.zeros((n, n))
    g1 = np.zeros((n, n))
    g2 = np.zeros((n, n))
    next_pair = np.zeros((n, n))  # S_{t+1,t+2}
    next_pair_t = np.zeros((n, n))
    s1 = np.zeros((n, n))
    s2 = np.zeros((n, n))
    turned = np.zeros((n, n))
    work = np.zeros((n, n))
    for t in range(count - 1, -1, -1):
        _inverse_upper(u0[t], inverse, n)
        for i in range(n):
            for j in range(n):
                turned[j, i] = inverse[i, j]
        _multiply(inverse, turned, out[t], n, False)
        if t + 1 < count:
            _multiply(inverse, u1[t], g1, n, False)
            _multiply(g1, out[t + 1], s1, n, False)
            if t + 2 < count:
                _multiply(inverse, u2[t], g2, n, False)
                for i in range(n):
                    for j in range(n):
                        next_pair_t[j, i] = next_pair[i, j]
                _multiply(g2, next_pair_t, s1, n, True)
                _multiply(g1, next_pair, s2, n, False)
                _multiply(g2, out[t + 2], s2, n, True)
                for i in range(n):
                    for j in range(n):
                        turned[j, i] = g2[i, j]
                _multiply(s2, turned, work, n, False)
                for i in range(n):
                    for j in range(n):
                        out[t, i, j] += work[i, j]
            for i in range(n):
                for j in range(n):
                    turned[j, i] = g1[i, j]
            _multiply(s1, turned, work, n, False)
            for i in range(n):
                for j in range(n):
                    out[t, i, j] += work[i, j]
                    next_pair[i, j] = -s1[i, j]
        for i in range(n):  # without this, rounding's skew part doubles from frame to frame
            for j in range(i):
                mean = 0.5 * (out[t, i, j] + out[t, j, i])
                out[t, i, j] = mean
                out[t, j, i] = mean
