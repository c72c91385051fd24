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
        k = 0
        while k + 3 < n:
            w0 = a[i, k]
            w1 = a[i, k + 1]
            w2 = a[i, k + 2]
            w3 = a[i, k + 3]
            if w0 != 0.0 or w1 != 0.0 or w2 != 0.0 or w3 != 0.0:
                b0 = b[k]
                b1 = b[k + 1]
                b2 = b[k + 2]
                b3 = b[k + 3]
                for j in range(n):
                    row[j] += (w0 * b0[j] + w1 * b1[j]) + (w2 * b2[j] + w3 * b3[j])
            k += 4
        while k < n:
            w0 = a[i, k]
            b0 = b[k]
            for j in range(n):
                row[j] += w0 * b0[j]
            k += 1


@njit(cache=True, error_model="numpy", nogil=True)
def selected_inverse(u0, u1, u2, s0, s1, s2):
    """The blocks s0, s1, s2 (T, D, D) of A⁻¹ that lie where A has its own, from the factor's u0, u1, u2 (T, D, D).

    With G_k = u0[t]⁻¹ u_k[t] and S the inverse:  S_{t,t+1} = −(G_1 S_{t+1,t+1} + G_2 S_{t+2,t+1}),
    S_{t,t+2} = −(G_1 S_{t+1,t+2} + G_2 S_{t+2,t+2}),  S_{tt} = u0⁻¹ u0⁻ᵀ − S_{t,t+1} G_1ᵀ − S_{t,t+2} G_2ᵀ.
    """
    count, n = u0.shape[0], u0.shape[1]
    inverse = np.zeros((n, n))
    g = np.zeros((2, n, n))
    turned = np.zeros((n, n))
    for t in range(count - 1, -1, -1):
        _inverse_upper(u0[t], inverse, n)
        for i in range(n):
            for j in range(n):
                turned[j, i] = inverse[i, j]
        _multiply(inverse, turned, s0[t], n, False)
        s1[t] = 0.0
        s2[t] = 0.0
        if t + 1 < count:
            _multiply(inverse, u1[t], g[0], n, False)
            _multiply(g[0], s0[t + 1], s1[t], n, False)
            if t + 2 < count:
                _multiply(inverse, u2[t], g[1], n, False)
                for i in range(n):
                    for j in range(n):
                        turned[j, i] = s1[t + 1, i, j]
                _multiply(g[1], turned, s1[t], n, True)
                _multiply(g[0], s1[t + 1], s2[t], n, False)
                _multiply(g[1], s0[t + 2], s2[t], n, True)
            for i in range(n):
                for j in range(n):
                    s1[t, i, j] = -s1[t, i, j]
                    s2[t, i, j] = -s2[t, i, j]
                    turned[j, i] = -g[0, i, j]
            _multiply(s1[t], turned, s0[t], n, True)
            if t + 2 < count:
                for i in range(n):
                    for j in range(n):
                        turned[j, i] = -g[1, i, j]
                _multiply(s2[t], turned, s0[t], n, True)
        for i in range(n):  # without this, rounding's skew part doubles from frame to frame
            for j in range(i):
                mean = 0.5 * (s0[t, i, j] + s0[t, j, i])
                s0[t, i, j] = mean
                s0[t, j, i] = mean
