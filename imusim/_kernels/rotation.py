"""Quaternions (wxyz) and rotation vectors, one rotation a row. Oracle: scipy.spatial.transform."""

import numpy as np
from numba import njit

_SMALL = 1e-4  # below this angle (rad) the series are exact to rounding


@njit(cache=True, error_model="numpy", nogil=True)
def multiply(a, b, out):
    """Hamilton product out = a b, rows wxyz: (N,4),(N,4) → out (N,4)."""
    for i in range(a.shape[0]):
        aw, ax, ay, az = a[i, 0], a[i, 1], a[i, 2], a[i, 3]
        bw, bx, by, bz = b[i, 0], b[i, 1], b[i, 2], b[i, 3]
        out[i, 0] = aw * bw - ax * bx - ay * by - az * bz
        out[i, 1] = aw * bx + ax * bw + ay * bz - az * by
        out[i, 2] = aw * by - ax * bz + ay * bw + az * bx
        out[i, 3] = aw * bz + ax * by - ay * bx + az * bw


@njit(cache=True, error_model="numpy", nogil=True)
def rotate(q, v, out):
    """out = R(q) v: unit q (N,4) wxyz, v (N,3) → out (N,3); R takes q's source frame to its target."""
    for i in range(q.shape[0]):
        w, x, y, z = q[i, 0], q[i, 1], q[i, 2], q[i, 3]
        a, b, c = v[i, 0], v[i, 1], v[i, 2]
        tx = 2.0 * (y * c - z * b)
        ty = 2.0 * (z * a - x * c)
        tz = 2.0 * (x * b - y * a)
        out[i, 0] = a + w * tx + y * tz - z * ty
        out[i, 1] = b + w * ty + z * tx - x * tz
        out[i, 2] = c + w * tz + x * ty - y * tx


@njit(cache=True, error_model="numpy", nogil=True)
def to_matrix(q, out):
    """Rotation matrices of unit quaternions: (N,4) wxyz → out (N,3,3)."""
    for i in range(q.shape[0]):
        w, x, y, z = q[i, 0], q[i, 1], q[i, 2], q[i, 3]
        out[i, 0, 0] = 1.0 - 2.0 * (y * y + z * z)
        out[i, 0, 1] = 2.0 * (x * y - w * z)
        out[i, 0, 2] = 2.0 * (x * z + w * y)
        out[i, 1, 0] = 2.0 * (x * y + w * z)
        out[i, 1, 1] = 1.0 - 2.0 * (x * x + z * z)
        out[i, 1, 2] = 2.0 * (y * z - w * x)
        out[i, 2, 0] = 2.0 * (x * z - w * y)
        out[i, 2, 1] = 2.0 * (y * z + w * x)
        out[i, 2, 2] = 1.0 - 2.0 * (x * x + y * y)


@njit(cache=True, error_model="numpy", nogil=True)
def from_matrix(m, out):
    """Unit quaternions, w ≥ 0, of rotation matrices: (N,3,3) → out (N,4) wxyz.

    The largest of the four candidates is taken, so nothing is divided by less than ½ (Shepperd 1978).
    """
    for i in range(m.shape[0]):
        a, b, c = m[i, 0, 0], m[i, 1, 1], m[i, 2, 2]
        t = a + b + c
        if t >= a and t >= b and t >= c:
            w = 1.0 + t
            x = m[i, 2, 1] - m[i, 1, 2]
            y = m[i, 0, 2] - m[i, 2, 0]
            z = m[i, 1, 0] - m[i, 0, 1]
        elif a >= b and a >= c:
            w = m[i, 2, 1] - m[i, 1, 2]
            x = 1.0 + a - b - c
            y = m[i, 0, 1] + m[i, 1, 0]
            z = m[i, 0, 2] + m[i, 2, 0]
        elif b >= c:
            w = m[i, 0, 2] - m[i, 2, 0]
            x = m[i, 0, 1] + m[i, 1, 0]
            y = 1.0 - a + b - c
            z = m[i, 1, 2] + m[i, 2, 1]
        else:
            w = m[i, 1, 0] - m[i, 0, 1]
            x = m[i, 0, 2] + m[i, 2, 0]
            y = m[i, 1, 2] + m[i, 2, 1]
            z = 1.0 - a - b + c
        s = 1.0 / np.sqrt(w * w + x * x + y * y + z * z)
        if w < 0.0:
            s = -s
        out[i, 0] = s * w
        out[i, 1] = s * x
        out[i, 2] = s * y
        out[i, 3] = s * z


@njit(cache=True, error_model="numpy", nogil=True)
def exp(v, out):
    """Unit quaternions of rotation vectors: (N,3) rad → out (N,4) wxyz."""
    for i in range(v.shape[0]):
        x, y, z = v[i, 0], v[i, 1], v[i, 2]
        angle = np.sqrt(x * x + y * y + z * z)
        if angle < _SMALL:
            k = 0.5 - angle * angle / 48.0
        else:
            k = np.sin(0.5 * angle) / angle
        out[i, 0] = np.cos(0.5 * angle)
        out[i, 1] = k * x
        out[i, 2] = k * y
        out[i, 3] = k * z


@njit(cache=True, error_model="numpy", nogil=True)
def log(q, out):
    """Rotation vectors, angle in [0, π], of unit quaternions: (N,4) wxyz → out (N,3) rad."""
    for i in range(q.shape[0]):
        w, x, y, z = q[i, 0], q[i, 1], q[i, 2], q[i, 3]
        if w < 0.0:
            w, x, y, z = -w, -x, -y, -z
        s = np.sqrt(x * x + y * y + z * z)
        if s < _SMALL:
            r = s / w
            k = 2.0 / w * (1.0 - r * r / 3.0)
        else:
            k = 2.0 * np.arctan2(s, w) / s
        out[i, 0] = k * x
        out[i, 1] = k * y
        out[i, 2] = k * z


@njit(cache=True, error_model="numpy", nogil=True)
def jacobian(v, sign, inverse, out):
    """SO(3) Jacobians I + sign·a [v] + b [v]² of rotation vectors (N,3) rad → out (N,3,3).

    sign +1: left, −1: right. With |v| = θ, a = (1 − cos θ)/θ², b = (θ − sin θ)/θ³; their inverses have
    a = −½, b = 1/θ² − (1 + cos θ)/(2 θ sin θ) (Chirikjian, Stochastic Models vol. 2, 2012, eq. 10.86).
    """
    for i in range(v.shape[0]):
        x, y, z = v[i, 0], v[i, 1], v[i, 2]
        t2 = x * x + y * y + z * z
        t = np.sqrt(t2)
        if inverse:
            a = -0.5
            if t < 0.02:
                b = 1.0 / 12.0 + t2 / 720.0 + t2 * t2 / 30240.0
            else:
                b = (1.0 - 0.5 * t / np.tan(0.5 * t)) / t2
        elif t < 0.02:
            a = 0.5 - t2 / 24.0 + t2 * t2 / 720.0
            b = 1.0 / 6.0 - t2 / 120.0 + t2 * t2 / 5040.0
        else:
            h = np.sin(0.5 * t)
            a = 2.0 * h * h / t2
            b = (t - np.sin(t)) / (t2 * t)
        a *= sign
        out[i, 0, 0] = 1.0 - b * (y * y + z * z)
        out[i, 1, 1] = 1.0 - b * (x * x + z * z)
        out[i, 2, 2] = 1.0 - b * (x * x + y * y)
        out[i, 0, 1] = b * x * y - a * z
        out[i, 1, 0] = b * x * y + a * z
        out[i, 0, 2] = b * x * z + a * y
        out[i, 2, 0] = b * x * z - a * y
        out[i, 1, 2] = b * y * z - a * x
        out[i, 2, 1] = b * y * z + a * x


@njit(cache=True, error_model="numpy", nogil=True)
def sign_continuous(q, out):
    """Flip signs so that each row is nearest to the last finite one before it: (T,K,4) wxyz → out (T,K,4)."""
    count = q.shape[1]
    last = np.zeros((count, 4))
    for t in range(q.shape[0]):
        for k in range(count):
            w, x, y, z = q[t, k, 0], q[t, k, 1], q[t, k, 2], q[t, k, 3]
            dot = w * last[k, 0] + x * last[k, 1] + y * last[k, 2] + z * last[k, 3]
            s = -1.0 if dot < 0.0 else 1.0
            out[t, k, 0] = s * w
            out[t, k, 1] = s * x
            out[t, k, 2] = s * y
            out[t, k, 3] = s * z
            if np.isfinite(w + x + y + z):
                for c in range(4):
                    last[k, c] = out[t, k, c]
