"""Recursions of slow noise processes, a block at a time; the normal numbers come in, so nothing here is random.

Channels are innermost and independent; state arrays are changed in place, so that a recording in blocks has the bits of one
in one go.
"""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, error_model="numpy", nogil=True)
def add_white(normals, sigma, x, out):
    """out = x + sigma · normals; normals (S, T, 3), sigma (3,), x, out (T, S, 3)."""
    for s in range(x.shape[1]):
        for i in range(x.shape[0]):
            out[i, s, 0] = x[i, s, 0] + sigma[0] * normals[s, i, 0]
            out[i, s, 1] = x[i, s, 1] + sigma[1] * normals[s, i, 1]
            out[i, s, 2] = x[i, s, 2] + sigma[2] * normals[s, i, 2]


@njit(cache=True, error_model="numpy", nogil=True)
def add_lines(normals, phi, kick, step, now, following, position, line, out):
    """Add P slow processes, each drawn at its own nodes and linear between them, to out (T, S, 3).

    A node of process p comes every step[p] samples: ``x ← φ x + kick n`` (Gauss–Markov; φ = 1: a random walk).
    normals (S, M, 3) are taken in the order of the nodes in time, then of the processes; phi, step (P,), kick (P, 3).
    now and following (P, S, 3): the values that the present sample lies between; position (P + 1,): its place between
    them, 0 … step, and behind the last node of any; line (2, S, 3): sum and slope there. All go on from block to
    block, to the bit. Returns the number of normals used, or −1 (nothing done) if there are fewer than
    Σ ``(position + T − 1) // step``.
    """
    samples, sensors = out.shape[0], out.shape[1]
    count = phi.shape[0]
    if samples == 0:
        return 0
    needed = 0
    for p in range(count):
        needed += (position[p] + samples - 1) // step[p]
    if normals.shape[1] < needed:
        return -1
    level, slope = line[0], line[1]
    k = 0
    i = 0
    while i < samples:
        anew = position[count] < 0
        for p in range(count):
            if position[p] == step[p]:
                for s in range(sensors):
                    for c in range(3):
                        v = following[p, s, c]
                        now[p, s, c] = v
                        following[p, s, c] = phi[p] * v + kick[p, c] * normals[s, k, c]
                position[p] = 0
                k += 1
                anew = True
        if anew:
            level[:] = 0.0
            slope[:] = 0.0
            position[count] = 0
            for p in range(count):
                share, part = position[p] / step[p], 1.0 / step[p]
                for s in range(sensors):
                    for c in range(3):
                        rise = following[p, s, c] - now[p, s, c]
                        level[s, c] += now[p, s, c] + share * rise
                        slope[s, c] += part * rise
        far = samples - i
        for p in range(count):
            far = min(far, step[p] - position[p])
        behind = position[count]
        for j in range(far):
            for s in range(sensors):
                for c in range(3):
                    out[i + j, s, c] += level[s, c] + (behind + j) * slope[s, c]
        for p in range(count + 1):
            position[p] += far
        i += far
    return k


@njit(cache=True, error_model="numpy", nogil=True)
def hold(lost, late, nan, newest, x, out):
    """What a receiver shows: x, out (T, S, 3); lost, late (T, S); newest (S, 3) that arrived, goes on; nan: show gaps."""
    for i in range(x.shape[0]):
        for s in range(x.shape[1]):
            if not (lost[i, s] or late[i, s]):
                for c in range(3):
                    newest[s, c] = x[i, s, c]
            for c in range(3):
                out[i, s, c] = np.nan if nan and lost[i, s] else newest[s, c]


@njit(cache=True, error_model="numpy", nogil=True)
def bend(k2, k3, x, out):
    """out = x (1 + x (k2 + k3 x)); k2, k3 (3,), x, out (T, S, 3)."""
    for i in range(x.shape[0]):
        for s in range(x.shape[1]):
            for c in range(3):
                v = x[i, s, c]
                out[i, s, c] = v * (1.0 + v * (k2[c] + k3[c] * v))


@njit(cache=True, error_model="numpy", nogil=True)
def warm(above, bias, scale, x, out):
    """out = x (1 + scale · above) + bias · above; above (T,), bias, scale (S, 3), x, out (T, S, 3)."""
    for i in range(x.shape[0]):
        for s in range(x.shape[1]):
            for c in range(3):
                out[i, s, c] = x[i, s, c] * (1.0 + scale[s, c] * above[i]) + bias[s, c] * above[i]


@njit(cache=True, error_model="numpy", nogil=True)
def add_channels(y, first, x, out):
    """out (T, S, 3) = x (T, S, 3) + y[:, first : first + T] (3 S, ≥ first + T)."""
    for s in range(x.shape[1]):
        for i in range(x.shape[0]):
            for c in range(3):
                out[i, s, c] = x[i, s, c] + y[3 * s + c, first + i]


@njit(cache=True, error_model="numpy", nogil=True)
def biquad(x, b, a, state, out):
    """Second-order recursive filter of gain 1 at zero frequency, transposed direct form II.

    x, out (T, S, 3); b (3, 3 S); a (2, 3 S), after the leading 1; state (2, 3 S). A state of NaN settles on the next
    finite sample; a NaN in x is NaN in out and unsettles the state.
    """
    for i in range(x.shape[0]):
        for s in range(x.shape[1]):
            for k in range(3):
                c = 3 * s + k
                v = x[i, s, k]
                if state[0, c] != state[0, c]:
                    state[0, c] = (1.0 - b[0, c]) * v
                    state[1, c] = (b[2, c] - a[1, c]) * v
                y = b[0, c] * v + state[0, c]
                state[0, c] = b[1, c] * v - a[0, c] * y + state[1, c]
                state[1, c] = b[2, c] * v - a[1, c] * y
                out[i, s, k] = y


@njit(cache=True, error_model="numpy", nogil=True)
def lagrange6(time, x, query, out):
    """Interpolate by the polynomial through the six nearest nodes: time (n,), x (n, S, C), query (T, S) → out (T, S, C).

    n ≥ 6. Near the ends the outermost six nodes serve. Queries should increase with T, or it is slow.
    """
    n = time.shape[0]
    w = np.empty(6)
    for s in range(x.shape[1]):
        k = 0
        for i in range(query.shape[0]):
            t = query[i, s]
            if k > 0 and time[k] > t:
                k = max(0, np.searchsorted(time, t) - 1)
            while k < n - 2 and time[k + 1] <= t:
                k += 1
            first = min(max(k - 2, 0), n - 6)
            for a in range(6):
                p = 1.0
                for b in range(6):
                    if b != a:
                        p *= (t - time[first + b]) / (time[first + a] - time[first + b])
                w[a] = p
            for c in range(x.shape[2]):
                total = 0.0
                for a in range(6):
                    if w[a] != 0.0:
                        total += w[a] * x[first + a, s, c]
                out[i, s, c] = total


@njit(cache=True, error_model="numpy", nogil=True)
def turns(angles, out):
    """Rotation matrices out (T, S, 3, 3) of −angles (T, S, 3), rad: world to turned axes (Rodrigues' formula)."""
    for i in range(angles.shape[0]):
        for s in range(angles.shape[1]):
            a, b, c = -angles[i, s, 0], -angles[i, s, 1], -angles[i, s, 2]
            square = a * a + b * b + c * c
            # sin θ/θ and (1 − cos θ)/θ²; the series are exact to 1e-15 below 0.3 rad
            f = 1.0 - square / 6.0 * (1.0 - square / 20.0 * (1.0 - square / 42.0 * (1.0 - square / 72.0)))
            g = 0.5 - square / 24.0 * (1.0 - square / 30.0 * (1.0 - square / 56.0 * (1.0 - square / 90.0)))
            if square > 0.09:
                size = np.sqrt(square)
                f = np.sin(size) / size
                g = (1.0 - np.cos(size)) / square
            m = out[i, s]
            m[0, 0], m[0, 1], m[0, 2] = 1.0 - g * (b * b + c * c), g * a * b - f * c, g * a * c + f * b
            m[1, 0], m[1, 1], m[1, 2] = g * a * b + f * c, 1.0 - g * (a * a + c * c), g * b * c - f * a
            m[2, 0], m[2, 1], m[2, 2] = g * a * c - f * b, g * b * c + f * a, 1.0 - g * (a * a + b * b)


@njit(cache=True, error_model="numpy", nogil=True)
def turned(m, x, out):
    """out (T, S, 3) = m (T, S, 3, 3) x (T, S, 3)."""
    for i in range(x.shape[0]):
        for s in range(x.shape[1]):
            u, v, w = x[i, s, 0], x[i, s, 1], x[i, s, 2]
            for r in range(3):
                out[i, s, r] = m[i, s, r, 0] * u + m[i, s, r, 1] * v + m[i, s, r, 2] * w


@njit(cache=True, error_model="numpy", nogil=True)
def matrices(m, x, out):
    """out (T, S, 3) = m (S, 3, 3) x (T, S, 3)."""
    for i in range(x.shape[0]):
        for s in range(x.shape[1]):
            u, v, w = x[i, s, 0], x[i, s, 1], x[i, s, 2]
            for r in range(3):
                out[i, s, r] = m[s, r, 0] * u + m[s, r, 1] * v + m[s, r, 2] * w


@njit(cache=True, error_model="numpy", nogil=True)
def two_state(draws, share, enter, stay, state, out):
    """Gilbert's channel: draws (P, S) uniform in 0 … 1 → out (P, S), lost; state (S,): −1 at the beginning, then 0 or 1."""
    for k in range(draws.shape[0]):
        for s in range(draws.shape[1]):
            limit = enter
            if state[s] < 0:
                limit = share
            elif state[s] == 1:
                limit = stay
            state[s] = 1 if draws[k, s] < limit else 0
            out[k, s] = state[s] == 1


@njit(cache=True, error_model="numpy", nogil=True)
def add_product(m, y, x, out):
    """out (T, S, 3) = x (T, S, 3) + m (S, 3, 3) y (T, S, 3)."""
    for i in range(x.shape[0]):
        for s in range(x.shape[1]):
            u, v, w = y[i, s, 0], y[i, s, 1], y[i, s, 2]
            for r in range(3):
                out[i, s, r] = x[i, s, r] + m[s, r, 0] * u + m[s, r, 1] * v + m[s, r, 2] * w
