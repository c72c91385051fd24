"""How pelvis and back are turned, where only hips, shoulders and the joints between them are known.

Shoulders are no rigid part of the thorax: a raised arm takes its shoulder up with it by several centimetres, as much
as a tilt by 15°. Hips are short of lever and are seen badly. So the long axis is that of the back, and the lines of hips and
shoulders only say where it faces; the higher up the back, the more the shoulders say.
"""

from __future__ import annotations

import numpy as np

from imusim.fitting.skeleton_frames import Frames, through, unit
from imusim.types import Floats

_LEVER_M = 0.15  # a piece of the back that is long enough to tell how the pelvis is tilted


def _pair(frames: Frames, part: str) -> tuple[int, int] | None:
    """Left and right joint of a part, if the skeleton has both."""
    left, right = (frames.smpl.get(f"{side}_{part}") for side in ("left", "right"))
    return None if left is None or right is None else (left, right)


def _back(frames: Frames) -> list[int]:
    """Joints of the back from the one below which the root is to the one that carries the shoulders; none if unknown."""
    shoulders = _pair(frames, "shoulder")
    if shoulders is None or _pair(frames, "hip") is None:
        return []
    ways = []
    for j in shoulders:
        way = []
        while j >= 0:
            way.append(j)
            j = int(frames.parents[j])
        ways.append(way)
    common = [j for j in ways[0] if j in ways[1]]
    return common[-2::-1] if len(common) > 1 else []


def trunk(frames: Frames) -> dict[int, tuple[int, float]]:
    """Joint of the back → the joint at whose end its axis points, and the share of the shoulders in where it faces.

    Only where the shoulders hang on nothing but the top of the back (a collar in the same place): collars of their own say
    how the thorax is turned.
    """
    back = _back(frames)
    if not back or not set(through(frames, back[-1])) <= set(_pair(frames, "shoulder") or ()):
        return {}
    out = {}
    for k, j in enumerate(back):
        end = back[k + 1] if k + 1 < len(back) else j
        if np.any(frames.rest[end]):
            out[j] = end, frames.shoulder_share * (k + 1) / len(back)
    return out


def trunk_axes(frames: Frames, bones: Floats, end: int, share: float) -> tuple[Floats, Floats]:
    """Direction of the back's piece that ends at `end` and of the person's left across it, unit (T, 3) each.

    Parameters
    ----------
    bones : (T, J, 3) · m · W, vectors from the parents
    share : of the shoulders beside the hips
    """
    at = _places(frames, bones)
    left = np.zeros_like(bones[:, 0])
    for part, weight in (("hip", 1.0 - share), ("shoulder", share)):
        a, b = _pair(frames, part) or (0, 0)
        left = left + weight * unit(at[:, a] - at[:, b])
    return unit(bones[:, end]), unit(left)


def pelvis_hint(frames: Frames, bones: Floats) -> Floats:
    """What the back and hips say of the root's rotation (T, 3, 3), as a term of Σ bone restᵀ."""
    total = np.zeros((bones.shape[0], 3, 3))
    at, rest = _places(frames, bones), np.zeros(3)
    for j in _back(frames) or [frames.smpl[n] for n in ("neck", "head") if n in frames.smpl][:1]:
        rest = rest + frames.rest[j]
        if np.linalg.norm(rest) > _LEVER_M:
            total += np.einsum("ta,b->tab", at[:, j], rest)
            break
    pair = _pair(frames, "hip")
    if pair is not None:
        a, b = pair
        across = np.array([np.linalg.norm(frames.rest[a]), 0.0, 0.0])
        total += np.einsum("ta,b->tab", at[:, a] - at[:, b], across)
    return total


def flat(vectors: Floats) -> bool:
    """Whether vectors (K, 3) lie nearly on one line."""
    s = np.linalg.svd(vectors, compute_uv=False)
    return bool(s.size < 2 or s[1] < 0.2 * s[0])


def _places(frames: Frames, bones: Floats) -> Floats:
    """Joints (T, J, 3) from the root."""
    out = bones.copy()
    for j, k in enumerate(frames.parents):
        out[:, j] = out[:, j] + out[:, k] if k >= 0 else 0.0
    return out
