"""What a person looks like, in a few numbers: colour of the torso and thighs, size in the image, bone lengths."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from imusim.types import Floats
from imusim.video.estimator import LANDMARK_NAMES, Landmarks
from imusim.video.region import MARGIN, Region

INDEX = {name: i for i, name in enumerate(LANDMARK_NAMES)}
TORSO = [INDEX[n] for n in ("left_shoulder", "right_shoulder", "left_hip", "right_hip")]
LIMBS = [INDEX[f"{side}_{n}"] for n in ("elbow", "wrist", "knee", "ankle") for side in ("left", "right")]
BODY = TORSO + LIMBS
_BONES = [
    (INDEX[a], INDEX[b])
    for a, b in (
        ("left_shoulder", "right_shoulder"),
        ("left_shoulder", "left_hip"),
        ("right_shoulder", "right_hip"),
        ("left_hip", "left_knee"),
        ("right_hip", "right_knee"),
        ("left_knee", "left_ankle"),
        ("right_knee", "right_ankle"),
        ("left_shoulder", "left_elbow"),
        ("right_shoulder", "right_elbow"),
    )
]
_SIDE = np.linspace(0.1, 0.9, 9)


def bounding_box(person: Landmarks) -> Floats:
    """Box of the landmarks (x0, y0, x1, y1), px."""
    return np.concatenate([person.px.min(axis=0), person.px.max(axis=0)])


def region_around(person: Landmarks) -> Region:
    """Where to look for somebody whose landmarks are known: about what the network would say itself."""
    left_shoulder, right_shoulder, left_hip, right_hip = person.px[TORSO]
    hips = 0.5 * (left_hip + right_hip)
    up = 0.5 * (left_shoulder + right_shoulder) - hips
    reach = 1.05 * float(np.linalg.norm(person.px - hips, axis=1).max())
    return Region(hips, max(2.0 * MARGIN * reach, 8.0), float(np.arctan2(up[0], -up[1])))


def scale_px_per_m(person: Landmarks) -> tuple[float, float]:
    """Fit px ≈ s·(x, y) + t over the torso and limbs: (s in px/m, rms residual in metres).

    Weak perspective (scaled orthography), weighted least squares in closed form, weights from visibility.
    """
    weight = (person.visibility[BODY] + 0.05)[:, None]
    total = weight.sum()
    world, image = person.world_m[BODY, :2], person.px[BODY]
    world = world - (weight * world).sum(axis=0) / total
    image = image - (weight * image).sum(axis=0) / total
    power = float((weight * world * world).sum())
    scale = float((weight * world * image).sum()) / max(power, 1e-9)
    if not scale > 1e-6:
        return 0.0, np.inf
    residual = image / scale - world
    return scale, float(np.sqrt((weight * residual * residual).sum() / total))


def bone_lengths(person: Landmarks) -> Floats:
    """Lengths of nine bones from the world landmarks, m."""
    a, b = np.array(_BONES).T
    return np.linalg.norm(person.world_m[a] - person.world_m[b], axis=-1)


def colour_signature(rgb: NDArray[np.uint8], person: Landmarks) -> Floats | None:
    """Square-rooted soft histograms of brightness and two opponent colours, torso and thighs, (48,).

    The dot product of two signatures is the Bhattacharyya coefficient: 1 the same colours, 0 none shared.
    None where too little of the torso lies in the image.
    """
    left_shoulder, right_shoulder, left_hip, right_hip = person.px[TORSO]
    u, v = np.meshgrid(_SIDE, _SIDE)
    u, v = u.ravel()[:, None], v.ravel()[:, None]
    torso = (1 - v) * ((1 - u) * left_shoulder + u * right_shoulder) + v * (
        (1 - u) * left_hip + u * right_hip
    )
    along = np.linspace(0.1, 0.8, 20)[:, None]
    thighs = np.concatenate(
        [
            person.px[INDEX[f"{s}_hip"]]
            + along * (person.px[INDEX[f"{s}_knee"]] - person.px[INDEX[f"{s}_hip"]])
            for s in ("left", "right")
        ]
    )
    parts = [_histogram(rgb, points) for points in (torso, thighs)]
    if parts[0] is None:
        return None
    upper = parts[0]
    lower = parts[1] if parts[1] is not None else upper
    return np.sqrt(np.concatenate([upper, lower]) / 6.0)


def _histogram(rgb: NDArray[np.uint8], points: Floats) -> Floats | None:
    height, width = rgb.shape[:2]
    xy = np.rint(points).astype(np.intp)
    inside = (xy[:, 0] >= 0) & (xy[:, 0] < width) & (xy[:, 1] >= 0) & (xy[:, 1] < height)
    if inside.mean() < 0.5:
        return None
    r, g, b = rgb[xy[inside, 1], xy[inside, 0]].astype(np.float64).T
    light = (r + g + b) / 765.0
    tint = (np.array([r - g, b - 0.5 * (r + g)])) / (r + g + b + 60.0)
    channels = (light, tint[0] * 1.6 + 0.5, tint[1] * 1.2 + 0.5)
    out = np.zeros((3, 8))
    for row, value in zip(out, channels, strict=True):
        position = np.clip(value * 7.0, 0.0, 6.999)
        low = position.astype(np.intp)
        part = position - low
        np.add.at(row, low, 1.0 - part)
        np.add.at(row, low + 1, part)
        row /= row.sum()
    return out.ravel()
