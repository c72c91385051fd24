"""Where the person stands in front of the camera: root translation from the body's size in the image.

With the body's points X (m, camera axes, root at the origin) and pixels (u, v) about the image centre, a pinhole gives
two equations linear in the translation t for each point:

    f t_x − u t_z = u X_z − f X_x,      f t_y − v t_z = v X_z − f X_y .

A wrong focal length moves depth in proportion and hardly changes x and y. Depth is noisy, so it is smoothed
here with a strong penalty on its acceleration (Whittaker 1922); the refinement takes it from there.
"""

from __future__ import annotations

import numpy as np

from imusim.types import Floats


def root_translation(
    points: Floats, px: Floats, weight: Floats, focal_px: float, centre_px: Floats
) -> Floats:
    """Translation (T, 3) · m · camera axes that best projects the points, one frame at a time.

    Parameters
    ----------
    points : (T, L, 3) · m · camera axes, relative to the root joint
    px : (T, L, 2) · pixels
    weight : (T, L) ≥ 0
    focal_px, centre_px : pinhole camera
    """
    u = px - centre_px
    count = points.shape[0]
    normal = np.zeros((count, 3, 3))
    right = np.zeros((count, 3))
    for k in range(2):
        row = np.zeros((*u.shape[:2], 3))
        row[..., k] = focal_px
        row[..., 2] = -u[..., k]
        value = u[..., k] * points[..., 2] - focal_px * points[..., k]
        normal += np.einsum("tl,tla,tlb->tab", weight, row, row)
        right += np.einsum("tl,tla,tl->ta", weight, row, value)
    found = np.linalg.solve(
        normal + 1e-12 * np.trace(normal, axis1=1, axis2=2)[:, None, None] * np.eye(3), right[..., None]
    )
    return found[..., 0]


def smooth_depth(time_s: Floats, depth: Floats, weight: Floats, stiffness_s: float = 0.35) -> Floats:
    """Depth (T,) with its acceleration penalised; what is slower than about 6 `stiffness_s` passes.

    Parameters
    ----------
    time_s : (T,) · s
    depth : (T,) · m
    weight : (T,), 0 where unknown
    """
    from scipy.linalg import solveh_banded

    count = time_s.size
    if count < 3:
        return np.full(count, np.average(depth, weights=weight + 1e-9))
    h1, h2 = np.diff(time_s)[:-1], np.diff(time_s)[1:]
    k = 2.0 / (h1 + h2)
    c0, c2 = k / h1, k / h2
    c1 = -c0 - c2
    step = np.median(np.diff(time_s))
    # ∫ ẍ² dt τ⁴ against Σ w (x − y)² h
    w = 0.5 * (h1 + h2) * stiffness_s**4 / step
    band = np.zeros((3, count))
    band[2] = weight + 1e-9
    band[2, :-2] += w * c0 * c0
    band[2, 1:-1] += w * c1 * c1
    band[2, 2:] += w * c2 * c2
    band[1, 1:-1] += w * c0 * c1
    band[1, 2:] += w * c1 * c2
    band[0, 2:] += w * c0 * c2
    return solveh_banded(band, weight * depth, check_finite=False)
