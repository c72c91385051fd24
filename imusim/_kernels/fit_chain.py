"""The fitted skeleton: joints from unknowns, landmarks from joints, and the exact derivatives of both.

Unknowns of one frame, D in all, in this order: root position (3, m, camera axes); `balls`, rotations with three
degrees of freedom each, changed by R ← R exp(δ) (the first is the root); hinge `angles` (rad). A ball may drive
several joints (the spine's three share one rotation); a joint may have two hinges, the second turning inside
the first.

A point x carried by joint j moves by a × (x − p_k) for each ancestor axis a (world, unit) at joint k: the
columns of the Jacobian (Featherstone, *Rigid Body Dynamics Algorithms*, 2008, §4.6).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from imusim._kernels.rotation import exp, to_matrix


class Chain(NamedTuple):
    """A body of J joints, L landmarks (each carried by up to K joints), B balls and Q hinge angles."""

    parent: NDArray[np.int64]  # (J,) −1 for the root
    offset: NDArray[np.float64]  # (J, 3) m, from the parent joint in the rest pose
    ball: NDArray[np.int64]  # (J,) number of the ball that drives the joint, −1: none
    hinge: NDArray[np.int64]  # (J, 2) numbers of its hinge angles, −1: none
    axis: NDArray[np.float64]  # (J, 2, 3) unit hinge axes, rest-pose axes
    mark_joint: NDArray[np.int64]  # (L, K)
    mark_weight: NDArray[np.float64]  # (L, K) rows sum to 1
    mark_local: NDArray[np.float64]  # (L, K, 3) m, from that joint in the rest pose
    mark_dofs: NDArray[np.int64]  # (L, A) unknowns that move the landmark, −1 padded
    n_balls: int


@njit(cache=True, error_model="numpy", nogil=True)
def multiply(a, b, out):
    """out (3, 3) ← a b."""
    for i in range(3):
        for j in range(3):
            out[i, j] = a[i, 0] * b[0, j] + a[i, 1] * b[1, j] + a[i, 2] * b[2, j]


@njit(cache=True, error_model="numpy", nogil=True)
def pose_joints(chain, root, balls, angles, rot, pos, axes):
    """rot (J, 3, 3), pos (J, 3) m, hinge axes (J, 2, 3) ← root (3,), balls (B, 3, 3), angles (Q,); camera axes."""
    local = np.empty((1, 3, 3))
    work = np.empty((3, 3))
    v = np.empty((1, 3))
    turn = np.empty((1, 4))
    for j in range(chain.parent.shape[0]):
        k = chain.parent[j]
        if k < 0:
            for a in range(3):
                pos[j, a] = root[a]
                for b in range(3):
                    rot[j, a, b] = balls[chain.ball[j], a, b]
            continue
        for a in range(3):
            pos[j, a] = pos[k, a]
            for b in range(3):
                pos[j, a] += rot[k, a, b] * chain.offset[j, b]
                rot[j, a, b] = rot[k, a, b]
        if chain.ball[j] >= 0:
            multiply(rot[k], balls[chain.ball[j]], rot[j])
        for h in range(2):
            q = chain.hinge[j, h]
            if q < 0:
                continue
            for a in range(3):
                axes[j, h, a] = 0.0
                for b in range(3):
                    axes[j, h, a] += rot[j, a, b] * chain.axis[j, h, b]
                v[0, a] = chain.axis[j, h, a] * angles[q]
            exp(v, turn)
            to_matrix(turn, local)
            for a in range(3):
                for b in range(3):
                    work[a, b] = rot[j, a, b]
            multiply(work, local[0], rot[j])


@njit(cache=True, error_model="numpy", nogil=True)
def place_landmarks(chain, rot, pos, marks):
    """marks (L, 3) m ← joint rotations rot (J, 3, 3) and positions pos (J, 3); camera axes."""
    for l in range(chain.mark_joint.shape[0]):
        for a in range(3):
            total = 0.0
            for i in range(chain.mark_joint.shape[1]):
                w = chain.mark_weight[l, i]
                if w == 0.0:
                    continue
                j = chain.mark_joint[l, i]
                x = pos[j, a]
                for b in range(3):
                    x += rot[j, a, b] * chain.mark_local[l, i, b]
                total += w * x
            marks[l, a] = total


@njit(cache=True, error_model="numpy", nogil=True)
def _add_column(jac, l, d, ax, ay, az, x, y, z, w):
    """jac (L, 3, D): column d of landmark l += w · axis × lever arm."""
    jac[l, 0, d] += w * (ay * z - az * y)
    jac[l, 1, d] += w * (az * x - ax * z)
    jac[l, 2, d] += w * (ax * y - ay * x)


@njit(cache=True, error_model="numpy", nogil=True)
def landmark_jacobian(chain, rot, pos, axes, jac):
    """jac (L, 3, D) ← derivatives of the landmarks (m, camera axes) by the D unknowns of the frame."""
    first_angle = 3 + 3 * chain.n_balls
    for l in range(chain.mark_joint.shape[0]):
        for i in range(chain.mark_dofs.shape[1]):
            d = chain.mark_dofs[l, i]
            if d < 0:
                break
            for a in range(3):
                jac[l, a, d] = 0.0
        for a in range(3):
            jac[l, a, a] = 1.0
        for i in range(chain.mark_joint.shape[1]):
            w = chain.mark_weight[l, i]
            if w == 0.0:
                continue
            j = chain.mark_joint[l, i]
            x = pos[j, 0]
            y = pos[j, 1]
            z = pos[j, 2]
            for b in range(3):
                x += rot[j, 0, b] * chain.mark_local[l, i, b]
                y += rot[j, 1, b] * chain.mark_local[l, i, b]
                z += rot[j, 2, b] * chain.mark_local[l, i, b]
            k = j
            while k >= 0:
                px = x - pos[k, 0]
                py = y - pos[k, 1]
                pz = z - pos[k, 2]
                if chain.ball[k] >= 0:
                    d = 3 + 3 * chain.ball[k]
                    for b in range(3):
                        _add_column(jac, l, d + b, rot[k, 0, b], rot[k, 1, b], rot[k, 2, b], px, py, pz, w)
                for h in range(2):
                    q = chain.hinge[k, h]
                    if q >= 0:
                        _add_column(
                            jac,
                            l,
                            first_angle + q,
                            axes[k, h, 0],
                            axes[k, h, 1],
                            axes[k, h, 2],
                            px,
                            py,
                            pz,
                            w,
                        )
                k = chain.parent[k]


@njit(cache=True, error_model="numpy", nogil=True)
def pose_clip(chain, root, balls, angles, rot, pos, marks):
    """Whole clip: rot (T, J, 3, 3), pos (T, J, 3), marks (T, L, 3) ← root (T, 3), balls (T, B, 3, 3), angles (T, Q)."""
    axes = np.zeros((chain.parent.shape[0], 2, 3))
    for t in range(root.shape[0]):
        pose_joints(chain, root[t], balls[t], angles[t], rot[t], pos[t], axes)
        place_landmarks(chain, rot[t], pos[t], marks[t])


@njit(cache=True, error_model="numpy", nogil=True)
def apply_step(step, scale, root, balls, angles):
    """Move the unknowns of all frames by scale · step (T, D), in place: root (T, 3), balls (T, B, 3, 3), angles (T, Q)."""
    n_balls = balls.shape[1]
    v = np.empty((n_balls, 3))
    q = np.empty((n_balls, 4))
    turn = np.empty((n_balls, 3, 3))
    work = np.empty((3, 3))
    first_angle = 3 + 3 * n_balls
    for t in range(root.shape[0]):
        for a in range(3):
            root[t, a] += scale * step[t, a]
        for k in range(n_balls):
            for a in range(3):
                v[k, a] = scale * step[t, 3 + 3 * k + a]
        exp(v, q)
        to_matrix(q, turn)
        for k in range(n_balls):
            for a in range(3):
                for b in range(3):
                    work[a, b] = balls[t, k, a, b]
            multiply(work, turn[k], balls[t, k])
        for k in range(angles.shape[1]):
            angles[t, k] += scale * step[t, first_angle + k]
