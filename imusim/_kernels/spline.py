"""Quintic splines in nodal form. Layout of nodes: (n, 3, C): value, first, second derivative of C channels.

Oracle: scipy.interpolate.make_interp_spline and BPoly.from_derivatives.
"""

import numpy as np
from numba import njit


@njit(cache=True, error_model="numpy", nogil=True)
def interpolate(time, nodes):
    """C⁴ quintic through nodes[:, 0]; fills nodes[1:-1, 1:]: time (n,) s, nodes (n,3,C), ends already set.

    Between two nodes lies the quintic Hermite polynomial. Equal third and fourth derivatives from both sides of
    each inner node give, for x = (v, a), a block-tridiagonal system A x₋ + B x + C x₊ = r with 2×2 blocks, which
    is solved by block elimination; its coefficients are shared by all channels.
    """
    n = nodes.shape[0]
    channels = nodes.shape[2]
    g = np.zeros((n, 4))  # B'⁻¹ C of every node, rows of the 2×2 block
    for i in range(1, n - 1):
        p = 1.0 / (time[i] - time[i - 1])
        q = 1.0 / (time[i + 1] - time[i])
        a00, a01, a10, a11 = -24.0 * p * p, -3.0 * p, -168.0 * p * p * p, -24.0 * p * p
        b00, b01 = 36.0 * (q * q - p * p), 9.0 * (p + q)
        b10, b11 = -192.0 * (p * p * p + q * q * q), 36.0 * (p * p - q * q)
        c00, c01, c10, c11 = 24.0 * q * q, -3.0 * q, -168.0 * q * q * q, 24.0 * q * q
        b00 -= a00 * g[i - 1, 0] + a01 * g[i - 1, 2]
        b01 -= a00 * g[i - 1, 1] + a01 * g[i - 1, 3]
        b10 -= a10 * g[i - 1, 0] + a11 * g[i - 1, 2]
        b11 -= a10 * g[i - 1, 1] + a11 * g[i - 1, 3]
        det = 1.0 / (b00 * b11 - b01 * b10)
        i00, i01, i10, i11 = b11 * det, -b01 * det, -b10 * det, b00 * det
        g[i, 0] = i00 * c00 + i01 * c10
        g[i, 1] = i00 * c01 + i01 * c11
        g[i, 2] = i10 * c00 + i11 * c10
        g[i, 3] = i10 * c01 + i11 * c11
        # x' = B'⁻¹ (r − A x'₋) with r = (60 (dr q³ − dl p³), −360 (dr q⁴ + dl p⁴))
        r3, r4, l3, l4 = 60.0 * q * q * q, -360.0 * q * q * q * q, -60.0 * p * p * p, -360.0 * p * p * p * p
        vr, vl = i00 * r3 + i01 * r4, i00 * l3 + i01 * l4
        ar, al = i10 * r3 + i11 * r4, i10 * l3 + i11 * l4
        vv, va = i00 * a00 + i01 * a10, i00 * a01 + i01 * a11
        av, aa = i10 * a00 + i11 * a10, i10 * a01 + i11 * a11
        before, here, after = nodes[i - 1], nodes[i], nodes[i + 1]
        for c in range(channels):
            dr = after[0, c] - here[0, c]
            dl = here[0, c] - before[0, c]
            v0, a0 = before[1, c], before[2, c]
            here[1, c] = vr * dr + vl * dl - vv * v0 - va * a0
            here[2, c] = ar * dr + al * dl - av * v0 - aa * a0
    for i in range(n - 2, 0, -1):
        here, after = nodes[i], nodes[i + 1]
        g0, g1, g2, g3 = g[i, 0], g[i, 1], g[i, 2], g[i, 3]
        for c in range(channels):
            v1, a1 = after[1, c], after[2, c]
            here[1, c] -= g0 * v1 + g1 * a1
            here[2, c] -= g2 * v1 + g3 * a1


@njit(cache=True, error_model="numpy", nogil=True, inline="always")
def locate(time, t, k):
    """Interval that holds t: largest k with time[k] ≤ t, at most n − 2 and at least 0; k is the first guess."""
    last = time.shape[0] - 2
    if last < 0:
        return 0
    if k > last:
        k = last
    if t < time[k]:
        k = np.searchsorted(time, t, side="right") - 1
    else:
        steps = 0
        while k < last and t >= time[k + 1]:
            k += 1
            steps += 1
            if steps > 8:
                k = np.searchsorted(time, t, side="right") - 1
                break
    if k > last:
        k = last
    if k < 0:
        k = 0
    return k


@njit(cache=True, error_model="numpy", nogil=True)
def basis(time, k, t, w):
    """Quintic Hermite weights at t in interval k: time (n,) s → w (3,6): [derivative, (y₀,v₀,a₀,y₁,v₁,a₁)].

    Outside the nodes the end node goes on with constant acceleration.
    """
    n = time.shape[0]
    if t < time[0] or t > time[n - 1] or n == 1:
        w[:] = 0.0
        j = 0
        d = t - time[0]
        if t > time[n - 1] and n > 1:
            j = 3
            d = t - time[n - 1]
        w[0, j] = 1.0
        w[0, j + 1] = d
        w[0, j + 2] = 0.5 * d * d
        w[1, j + 1] = 1.0
        w[1, j + 2] = d
        w[2, j + 2] = 1.0
        return
    h = time[k + 1] - time[k]
    q = 1.0 / h
    s = (t - time[k]) * q
    r = (time[k + 1] - t) * q
    # the right half is the left half run backwards: s ↔ 1 − s, odd derivatives change sign
    w[0, 0] = r * r * r * (1.0 + s * (3.0 + 6.0 * s))
    w[0, 1] = h * r * r * r * s * (1.0 + 3.0 * s)
    w[0, 2] = 0.5 * h * h * r * r * r * s * s
    w[0, 3] = s * s * s * (1.0 + r * (3.0 + 6.0 * r))
    w[0, 4] = -h * s * s * s * r * (1.0 + 3.0 * r)
    w[0, 5] = 0.5 * h * h * s * s * s * r * r
    w[1, 3] = 30.0 * s * s * r * r * q
    w[1, 0] = -w[1, 3]
    w[1, 1] = r * r * (1.0 - 3.0 * s) * (1.0 + 5.0 * s)
    w[1, 2] = 0.5 * h * r * r * s * (2.0 - 5.0 * s)
    w[1, 4] = s * s * (1.0 - 3.0 * r) * (1.0 + 5.0 * r)
    w[1, 5] = -0.5 * h * s * s * r * (2.0 - 5.0 * r)
    w[2, 3] = 60.0 * s * r * (r - s) * q * q
    w[2, 0] = -w[2, 3]
    w[2, 1] = -12.0 * q * s * r * (3.0 - 5.0 * s)
    w[2, 2] = r * (1.0 + s * (10.0 * s - 8.0))
    w[2, 4] = 12.0 * q * s * r * (3.0 - 5.0 * r)
    w[2, 5] = s * (1.0 + r * (10.0 * r - 8.0))


@njit(cache=True, error_model="numpy", nogil=True)
def combine(nodes, k, w, out):
    """Apply weights w (3,6) to the two nodes of interval k: nodes (n,3,C) → out (3,C)."""
    left = nodes[k]
    right = nodes[min(k + 1, nodes.shape[0] - 1)]
    p0, p1, p2, p3, p4, p5 = w[0, 0], w[0, 1], w[0, 2], w[0, 3], w[0, 4], w[0, 5]
    v0, v1, v2, v3, v4, v5 = w[1, 0], w[1, 1], w[1, 2], w[1, 3], w[1, 4], w[1, 5]
    a0, a1, a2, a3, a4, a5 = w[2, 0], w[2, 1], w[2, 2], w[2, 3], w[2, 4], w[2, 5]
    for c in range(nodes.shape[2]):
        y0, y1, y2 = left[0, c], left[1, c], left[2, c]
        y3, y4, y5 = right[0, c], right[1, c], right[2, c]
        out[0, c] = p0 * y0 + p1 * y1 + p2 * y2 + p3 * y3 + p4 * y4 + p5 * y5
        out[1, c] = v0 * y0 + v1 * y1 + v2 * y2 + v3 * y3 + v4 * y4 + v5 * y5
        out[2, c] = a0 * y0 + a1 * y1 + a2 * y2 + a3 * y3 + a4 * y4 + a5 * y5


@njit(cache=True, error_model="numpy", nogil=True)
def evaluate(time, nodes, query, out):
    """Value, first and second derivative: time (n,) s, nodes (n,3,C), query (T,) s → out (T,3,C)."""
    w = np.empty((3, 6))
    k = 0
    for i in range(query.shape[0]):
        k = locate(time, query[i], k)
        basis(time, k, query[i], w)
        combine(nodes, k, w, out[i])
