"""Forward kinematics of positions, and linear blend skinning of vertices."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, error_model="numpy", nogil=True)
def pose_joints(quaternion, rest, parents, root, rotation, position):  # pragma: no cover - compiled
    """(T,J,4) wxyz child-to-parent · (J,3) rest axes · (J,) · (T,3) world → (T,J,3,3), (T,J,3) world.

    R_j = R_parent R(q_j),  p_j = p_parent + R_parent (rest_j − rest_parent),  p_root = root.
    Quaternions are normalised here. Returns 0, or 1 if one has no length.
    """
    for t in range(quaternion.shape[0]):
        for j in range(quaternion.shape[1]):
            w, x, y, z = quaternion[t, j, 0], quaternion[t, j, 1], quaternion[t, j, 2], quaternion[t, j, 3]
            n = w * w + x * x + y * y + z * z
            if not n > 0.0:
                return 1
            s = 2.0 / n
            a = np.empty((3, 3))
            a[0, 0], a[0, 1], a[0, 2] = 1.0 - s * (y * y + z * z), s * (x * y - w * z), s * (x * z + w * y)
            a[1, 0], a[1, 1], a[1, 2] = s * (x * y + w * z), 1.0 - s * (x * x + z * z), s * (y * z - w * x)
            a[2, 0], a[2, 1], a[2, 2] = s * (x * z - w * y), s * (y * z + w * x), 1.0 - s * (x * x + y * y)
            p = parents[j]
            for r in range(3):
                if p < 0:
                    position[t, j, r] = root[t, r]
                    for c in range(3):
                        rotation[t, j, r, c] = a[r, c]
                else:
                    far = position[t, p, r]
                    for c in range(3):
                        far += rotation[t, p, r, c] * (rest[j, c] - rest[p, c])
                        rotation[t, j, r, c] = (
                            rotation[t, p, r, 0] * a[0, c]
                            + rotation[t, p, r, 1] * a[1, c]
                            + rotation[t, p, r, 2] * a[2, c]
                        )
                    position[t, j, r] = far
    return 0


@njit(cache=True, error_model="numpy", nogil=True)
def blend_vertices(vertices, joints, index, weight, rotation, position, out):  # pragma: no cover - compiled
    """(T or 1,V,3) and (J,3) rest axes · (V,K) joints and weights · (T,J,3,3), (T,J,3) world → (T,V,3) world.

    x = Σ_k w_k (R_k (v − rest_k) + p_k). One rest mesh for all frames, or one per frame.
    Unused slots of `index` have weight zero.
    """
    frames, joint_count = rotation.shape[0], rotation.shape[1]
    shift = np.empty((joint_count, 3))
    for t in range(frames):
        source = t if vertices.shape[0] > 1 else 0
        for j in range(joint_count):
            for r in range(3):
                shift[j, r] = position[t, j, r] - (
                    rotation[t, j, r, 0] * joints[j, 0]
                    + rotation[t, j, r, 1] * joints[j, 1]
                    + rotation[t, j, r, 2] * joints[j, 2]
                )
        for v in range(index.shape[0]):
            x, y, z = vertices[source, v, 0], vertices[source, v, 1], vertices[source, v, 2]
            a, b, c = 0.0, 0.0, 0.0
            for k in range(index.shape[1]):
                w = weight[v, k]
                if w == 0.0:
                    break
                j = index[v, k]
                a += w * (
                    rotation[t, j, 0, 0] * x
                    + rotation[t, j, 0, 1] * y
                    + rotation[t, j, 0, 2] * z
                    + shift[j, 0]
                )
                b += w * (
                    rotation[t, j, 1, 0] * x
                    + rotation[t, j, 1, 1] * y
                    + rotation[t, j, 1, 2] * z
                    + shift[j, 1]
                )
                c += w * (
                    rotation[t, j, 2, 0] * x
                    + rotation[t, j, 2, 1] * y
                    + rotation[t, j, 2, 2] * z
                    + shift[j, 2]
                )
            out[t, v, 0], out[t, v, 1], out[t, v, 2] = a, b, c
