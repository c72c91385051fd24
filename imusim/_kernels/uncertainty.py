"""Standard deviations of ideal sensor signals from those of joint rotations and the root: linear, independent errors."""

import numpy as np
from numba import njit

from imusim._kernels.kinematics import tree
from imusim._kernels.spline import basis, combine, locate


@njit(cache=True, error_model="numpy", nogil=True)
def joint_rates(time, nodes, query, slot, parents, offsets, fixed, position, rate):
    """Joint positions and angular velocities: arguments as `sites.body` → position m, rate rad/s, (T,J,3), world."""
    n = parents.shape[0]
    x = np.empty((3, nodes.shape[2]))
    w = np.empty((3, 6))
    rot = np.empty((n, 3, 3))
    v, a, alpha = np.empty((n, 3)), np.empty((n, 3)), np.empty((n, 3))
    k = 0
    for i in range(query.shape[0]):
        k = locate(time, query[i], k)
        basis(time, k, query[i], w)
        combine(nodes, k, w, x)
        tree(x, slot, parents, offsets, fixed, rot, position[i], v, a, rate[i], alpha)


@njit(cache=True, error_model="numpy", nogil=True, inline="always")
def _add_cross(cov, s2, r):
    """cov += s2 (|r|² I − r rᵀ): the covariance of e × r for e with variance s2 an axis; cov (3,3), r (3,)."""
    n2 = r[0] * r[0] + r[1] * r[1] + r[2] * r[2]
    for i in range(3):
        cov[i, i] += s2 * n2
        for j in range(3):
            cov[i, j] -= s2 * r[i] * r[j]


@njit(cache=True, error_model="numpy", nogil=True)
def propagate(
    parents, carrier, joint, rate, pos, quat, acc, root_sd, joint_sd, gravity, tilt, acc_sd, gyro_sd
):
    """parents (J,), carrier (S,) joint of each site; joint, rate (T,J,3); pos, acc (T,S,3), quat (T,S,4): world.

    root_sd (T,3) m/s² world axes; joint_sd (T,J,3): rotation rad, ω rad/s, α rad/s²; gravity, tilt m/s²
    → acc_sd, gyro_sd (T,S,3), sensor axes. ω × (ω × r) varies by (ω·r) δω + (δω·r) ω − 2 (ω·δω) r.
    """
    cov = np.empty((3, 3))
    jac = np.empty((3, 3))
    r, f = np.empty(3), np.empty(3)
    m = np.empty((3, 3))
    for i in range(pos.shape[0]):
        for s in range(pos.shape[1]):
            cov[:] = 0.0
            for c in range(3):
                cov[c, c] = root_sd[i, c] * root_sd[i, c]
                f[c] = acc[i, s, c]
            f[2] += gravity
            cov[0, 0] += tilt * tilt
            cov[1, 1] += tilt * tilt
            turn = 0.0
            spin = 0.0
            j = carrier[s]
            while j >= 0:
                o = rate[i, j]
                dot = 0.0
                for c in range(3):
                    r[c] = pos[i, s, c] - joint[i, j, c]
                    dot += o[c] * r[c]
                _add_cross(cov, joint_sd[i, j, 2] * joint_sd[i, j, 2], r)
                s2 = joint_sd[i, j, 1] * joint_sd[i, j, 1]
                for c in range(3):
                    for d in range(3):
                        jac[c, d] = o[c] * r[d] - 2.0 * r[c] * o[d]
                    jac[c, c] += dot
                for c in range(3):
                    for d in range(3):
                        cov[c, d] += s2 * (
                            jac[c, 0] * jac[d, 0] + jac[c, 1] * jac[d, 1] + jac[c, 2] * jac[d, 2]
                        )
                turn += joint_sd[i, j, 0] * joint_sd[i, j, 0]
                spin += s2
                j = parents[j]
            _add_cross(cov, turn, f)
            w, x, y, z = quat[i, s, 0], quat[i, s, 1], quat[i, s, 2], quat[i, s, 3]
            m[0, 0], m[0, 1], m[0, 2] = (
                1.0 - 2.0 * (y * y + z * z),
                2.0 * (x * y - w * z),
                2.0 * (x * z + w * y),
            )
            m[1, 0], m[1, 1], m[1, 2] = (
                2.0 * (x * y + w * z),
                1.0 - 2.0 * (x * x + z * z),
                2.0 * (y * z - w * x),
            )
            m[2, 0], m[2, 1], m[2, 2] = (
                2.0 * (x * z - w * y),
                2.0 * (y * z + w * x),
                1.0 - 2.0 * (x * x + y * y),
            )
            for c in range(3):
                total = 0.0
                for d in range(3):
                    for e in range(3):
                        total += m[d, c] * cov[d, e] * m[e, c]
                acc_sd[i, s, c] = np.sqrt(max(total, 0.0))
                gyro_sd[i, s, c] = np.sqrt(spin)
