"""Exact kinematics of rigid frames and of points on a body from splines of positions and quaternions.

With u = q/|q|: ω = 2 vec(u̇ ū), α = 2 vec(ü ū). Down a tree: R = R_p R_l, ω = ω_p + R_p ω_l,
α = α_p + R_p α_l + ω_p × R_p ω_l; a point at r on a frame: v = ω × r, a = α × r + ω × (ω × r).
Everything is in the axes of the frame that the quaternion takes to (the world, or a joint's parent).
"""

import numpy as np
from numba import njit

from imusim._kernels.spline import basis, combine, locate


@njit(cache=True, error_model="numpy", nogil=True)
def rates(q, dq, ddq, out):
    """u, ω, α of one quaternion spline: q, dq, ddq (4,) wxyz → out (10,): u, ω rad/s, α rad/s² (target axes)."""
    s2 = q[0] * q[0] + q[1] * q[1] + q[2] * q[2] + q[3] * q[3]
    s = 1.0 / np.sqrt(s2)
    i2 = s * s
    w, x, y, z = q[0] * s, q[1] * s, q[2] * s, q[3] * s
    # 2 vec(u̇ ū) = 2 vec(q̇ q̄)/|q|²: the part of q̇ along q has no vector part
    a, b, c, d = dq[0], dq[1], dq[2], dq[3]
    k = 2.0 * s
    ox = k * (b * w - a * x - c * z + d * y)
    oy = k * (c * w - a * y - d * x + b * z)
    oz = k * (d * w - a * z - b * y + c * x)
    # α = 2 vec(ü ū) = 2 vec(q̈ q̄)/|q|² − 2 (q·q̇)/|q|² ω
    e = -2.0 * i2 * (q[0] * a + q[1] * b + q[2] * c + q[3] * d)
    a, b, c, d = ddq[0], ddq[1], ddq[2], ddq[3]
    out[0], out[1], out[2], out[3] = w, x, y, z
    out[4], out[5], out[6] = ox, oy, oz
    out[7] = k * (b * w - a * x - c * z + d * y) + e * ox
    out[8] = k * (c * w - a * y - d * x + b * z) + e * oy
    out[9] = k * (d * w - a * z - b * y + c * x) + e * oz


@njit(cache=True, error_model="numpy", nogil=True)
def gather(position, orientation, tolerance, nodes):
    """Values for `rigid`: position (T,S,3) m, orientation (T,S,4) wxyz → nodes[:, 0] of (T,3,7S), unit, sign-continuous.

    Returns the index t·S + s of the first quaternion whose norm is off 1 by more than the tolerance, or −1.
    """
    count = position.shape[1]
    last = np.zeros((4, count))
    for t in range(position.shape[0]):
        row = nodes[t, 0]
        for s in range(count):
            w, x, y, z = (
                orientation[t, s, 0],
                orientation[t, s, 1],
                orientation[t, s, 2],
                orientation[t, s, 3],
            )
            norm = np.sqrt(w * w + x * x + y * y + z * z)
            if abs(norm - 1.0) > tolerance:
                return t * count + s
            f = 1.0 / norm
            if w * last[0, s] + x * last[1, s] + y * last[2, s] + z * last[3, s] < 0.0:
                f = -f
            w, x, y, z = f * w, f * x, f * y, f * z
            row[s], row[count + s], row[2 * count + s] = (
                position[t, s, 0],
                position[t, s, 1],
                position[t, s, 2],
            )
            row[3 * count + s], row[4 * count + s] = w, x
            row[5 * count + s], row[6 * count + s] = y, z
            if norm == norm:
                last[0, s], last[1, s], last[2, s], last[3, s] = w, x, y, z
    return -1


@njit(cache=True, error_model="numpy", nogil=True)
def rigid(time, nodes, query, mounted, offset, turn, pos, quat, vel, omega, acc, alpha):
    """Kinematics of S frames: time (n,) s, nodes (n,3,7S) [x y z qw qx qy qz, each S wide], query (T,) s.

    If mounted, at offset (S,3) m in each frame's axes, turned by turn (S,4) wxyz (sensor to frame).
    Outputs (T,S,3|4), world: position m, quaternion, velocity, ω, acceleration, α.
    """
    count = nodes.shape[2] // 7
    w = np.empty((3, 6))
    x = np.empty((3, 7 * count))
    y = np.empty((19, count))
    arm, axes = np.ascontiguousarray(offset.T), np.ascontiguousarray(turn.T)
    k = 0
    for i in range(query.shape[0]):
        k = locate(time, query[i], k)
        basis(time, k, query[i], w)
        combine(nodes, k, w, x)
        frames(x, mounted, arm, axes, y)
        for s in range(count):
            for c in range(3):
                pos[i, s, c] = y[c, s]
                vel[i, s, c] = y[7 + c, s]
                omega[i, s, c] = y[10 + c, s]
                acc[i, s, c] = y[13 + c, s]
                alpha[i, s, c] = y[16 + c, s]
            for c in range(4):
                quat[i, s, c] = y[3 + c, s]


@njit(cache=True, error_model="numpy", nogil=True)
def frames(x, mounted, arm, axes, y):
    """One instant of `rigid`, S wide throughout, so that it vectorises: x (3,7S), arm (3,S), axes (4,S) → y (19,S).

    Rows of y: position, quaternion, velocity, ω, acceleration, α.
    """
    count = y.shape[1]
    for s in range(count):
        i0, i1, i2, i3 = 3 * count + s, 4 * count + s, 5 * count + s, 6 * count + s
        qw, qx, qy, qz = x[0, i0], x[0, i1], x[0, i2], x[0, i3]
        a, b, c, d = x[1, i0], x[1, i1], x[1, i2], x[1, i3]
        n2 = 1.0 / (qw * qw + qx * qx + qy * qy + qz * qz)
        root = np.sqrt(n2)
        f = 2.0 * n2
        e = -f * (qw * a + qx * b + qy * c + qz * d)
        ox = f * (b * qw - a * qx - c * qz + d * qy)
        oy = f * (c * qw - a * qy - d * qx + b * qz)
        oz = f * (d * qw - a * qz - b * qy + c * qx)
        a, b, c, d = x[2, i0], x[2, i1], x[2, i2], x[2, i3]
        y[10, s] = ox
        y[11, s] = oy
        y[12, s] = oz
        y[16, s] = f * (b * qw - a * qx - c * qz + d * qy) + e * ox
        y[17, s] = f * (c * qw - a * qy - d * qx + b * qz) + e * oy
        y[18, s] = f * (d * qw - a * qz - b * qy + c * qx) + e * oz
        y[3, s] = qw * root
        y[4, s] = qx * root
        y[5, s] = qy * root
        y[6, s] = qz * root
        for c3 in range(3):
            y[c3, s] = x[0, c3 * count + s]
            y[7 + c3, s] = x[1, c3 * count + s]
            y[13 + c3, s] = x[2, c3 * count + s]
    if not mounted:
        return
    for s in range(count):
        qw, qx, qy, qz = y[3, s], y[4, s], y[5, s], y[6, s]
        a, b, c = arm[0, s], arm[1, s], arm[2, s]
        tx = 2.0 * (qy * c - qz * b)
        ty = 2.0 * (qz * a - qx * c)
        tz = 2.0 * (qx * b - qy * a)
        rx = a + qw * tx + qy * tz - qz * ty
        ry = b + qw * ty + qz * tx - qx * tz
        rz = c + qw * tz + qx * ty - qy * tx
        ox, oy, oz = y[10, s], y[11, s], y[12, s]
        lx, ly, lz = y[16, s], y[17, s], y[18, s]
        tx = oy * rz - oz * ry  # ω × r
        ty = oz * rx - ox * rz
        tz = ox * ry - oy * rx
        y[0, s] += rx
        y[1, s] += ry
        y[2, s] += rz
        y[7, s] += tx
        y[8, s] += ty
        y[9, s] += tz
        y[13, s] += ly * rz - lz * ry + oy * tz - oz * ty
        y[14, s] += lz * rx - lx * rz + oz * tx - ox * tz
        y[15, s] += lx * ry - ly * rx + ox * ty - oy * tx
        a, b, c, d = axes[0, s], axes[1, s], axes[2, s], axes[3, s]
        y[3, s] = qw * a - qx * b - qy * c - qz * d
        y[4, s] = qw * b + qx * a + qy * d - qz * c
        y[5, s] = qw * c - qx * d + qy * a + qz * b
        y[6, s] = qw * d + qx * c - qy * b + qz * a


@njit(cache=True, error_model="numpy", nogil=True, inline="always")
def turn_matrix(u, m):
    """Rotation matrix of a unit quaternion: u (≥4,) wxyz → m (3,3)."""
    w, x, y, z = u[0], u[1], u[2], u[3]
    m[0, 0] = 1.0 - 2.0 * (y * y + z * z)
    m[0, 1] = 2.0 * (x * y - w * z)
    m[0, 2] = 2.0 * (x * z + w * y)
    m[1, 0] = 2.0 * (x * y + w * z)
    m[1, 1] = 1.0 - 2.0 * (x * x + z * z)
    m[1, 2] = 2.0 * (y * z - w * x)
    m[2, 0] = 2.0 * (x * z - w * y)
    m[2, 1] = 2.0 * (y * z + w * x)
    m[2, 2] = 1.0 - 2.0 * (x * x + y * y)


@njit(cache=True, error_model="numpy", nogil=True, inline="always")
def lever(omega, alpha, r, v, a, scale):
    """Add scale·(ω × r) to v and scale·(α × r + ω × (ω × r)) to a; all (3,), one frame's axes."""
    tx = omega[1] * r[2] - omega[2] * r[1]
    ty = omega[2] * r[0] - omega[0] * r[2]
    tz = omega[0] * r[1] - omega[1] * r[0]
    v[0] += scale * tx
    v[1] += scale * ty
    v[2] += scale * tz
    a[0] += scale * (alpha[1] * r[2] - alpha[2] * r[1] + omega[1] * tz - omega[2] * ty)
    a[1] += scale * (alpha[2] * r[0] - alpha[0] * r[2] + omega[2] * tx - omega[0] * tz)
    a[2] += scale * (alpha[0] * r[1] - alpha[1] * r[0] + omega[0] * ty - omega[1] * tx)


@njit(cache=True, error_model="numpy", nogil=True)
def tree(x, slot, parents, offsets, fixed, rot, p, v, a, omega, alpha):
    """Outward pass for one instant, world axes.

    x (3,C): value, first and second derivative of [root x y z | 4 per moving joint]; slot (J,): channel of a
    joint's quaternion, or −1 for a joint that rests at fixed (J,4); parents (J,); offsets (J,3) m in the parent's
    frame. Fills rot (J,3,3), p, v, a, omega, alpha (J,3).
    """
    local = np.empty(10)
    m = np.empty((3, 3))
    for j in range(parents.shape[0]):
        b = slot[j]
        if b >= 0:
            rates(x[0, b : b + 4], x[1, b : b + 4], x[2, b : b + 4], local)
        else:
            local[:4] = fixed[j]
            local[4:] = 0.0
        turn_matrix(local, m)
        k = parents[j]
        if k < 0:
            rot[j] = m
            for c in range(3):
                p[j, c], v[j, c], a[j, c] = x[0, c], x[1, c], x[2, c]
                omega[j, c], alpha[j, c] = local[4 + c], local[7 + c]
            continue
        up = rot[k]
        for c in range(3):
            for d in range(3):
                rot[j, c, d] = up[c, 0] * m[0, d] + up[c, 1] * m[1, d] + up[c, 2] * m[2, d]
        r0 = up[0, 0] * offsets[j, 0] + up[0, 1] * offsets[j, 1] + up[0, 2] * offsets[j, 2]
        r1 = up[1, 0] * offsets[j, 0] + up[1, 1] * offsets[j, 1] + up[1, 2] * offsets[j, 2]
        r2 = up[2, 0] * offsets[j, 0] + up[2, 1] * offsets[j, 1] + up[2, 2] * offsets[j, 2]
        r = (r0, r1, r2)
        for c in range(3):
            p[j, c] = p[k, c] + r[c]
            v[j, c] = v[k, c]
            a[j, c] = a[k, c]
            omega[j, c] = omega[k, c]
            alpha[j, c] = alpha[k, c]
        lever(omega[k], alpha[k], r, v[j], a[j], 1.0)
        if b >= 0:
            w0 = up[0, 0] * local[4] + up[0, 1] * local[5] + up[0, 2] * local[6]
            w1 = up[1, 0] * local[4] + up[1, 1] * local[5] + up[1, 2] * local[6]
            w2 = up[2, 0] * local[4] + up[2, 1] * local[5] + up[2, 2] * local[6]
            l = local[7:]
            alpha[j, 0] += up[0, 0] * l[0] + up[0, 1] * l[1] + up[0, 2] * l[2]
            alpha[j, 1] += up[1, 0] * l[0] + up[1, 1] * l[1] + up[1, 2] * l[2]
            alpha[j, 2] += up[2, 0] * l[0] + up[2, 1] * l[1] + up[2, 2] * l[2]
            alpha[j, 0] += omega[k, 1] * w2 - omega[k, 2] * w1
            alpha[j, 1] += omega[k, 2] * w0 - omega[k, 0] * w2
            alpha[j, 2] += omega[k, 0] * w1 - omega[k, 1] * w0
            omega[j, 0] += w0
            omega[j, 1] += w1
            omega[j, 2] += w2


@njit(cache=True, error_model="numpy", nogil=True)
def joints(time, nodes, query, slot, parents, offsets, fixed, out):
    """Joint positions: arguments as `body` → out (T,J,3) m, world."""
    n = parents.shape[0]
    x = np.empty((3, nodes.shape[2]))
    w = np.empty((3, 6))
    rot = np.empty((n, 3, 3))
    p, v, a = np.empty((n, 3)), np.empty((n, 3)), np.empty((n, 3))
    omega, alpha = np.empty((n, 3)), np.empty((n, 3))
    k = 0
    for i in range(query.shape[0]):
        k = locate(time, query[i], k)
        basis(time, k, query[i], w)
        combine(nodes, k, w, x)
        tree(x, slot, parents, offsets, fixed, rot, p, v, a, omega, alpha)
        out[i] = p
