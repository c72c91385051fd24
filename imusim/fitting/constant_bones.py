"""Joint positions moved as little as possible so that every bone keeps its length.

A camera's joints do not keep their distances: what it calls a hip wanders over the trunk, an ankle sinks into the floor.
Keeping the directions of the bones and giving them constant lengths hands every such error on to the end of the chain,
where it is differentiated twice. Here the joints of a frame are moved together: the weighted sum of squared shifts is
least under the condition that bones, and the joints of a rigid piece, keep their distances (Lagrange multipliers,
Gauss-Newton). The shift is a smooth function of the positions: smooth paths stay smooth.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from imusim.fitting.skeleton_frames import Frames, rigid
from imusim.types import Floats

_DOUBT = {"hip": 0.3, "shoulder": 1.0, "knee": 2.0, "elbow": 1.0, "ankle": 10.0, "wrist": 1.0}
_DOUBT_OF_TRUNK = 0.25
_UNSEEN = 5.0  # how much more a joint that was not seen is doubted
_CLOSE = 1e-6  # m
_FLAT = 1e-3  # of its length: joints nearer to a line than this are on it
_CHUNK = 2000  # frames at once
_ITERATIONS = 30
_WHOLE_STEPS = 4


def keep_bones(positions: Floats, seen: NDArray[np.bool_], frames: Frames) -> Floats:
    """Positions (T, J, 3) · m of a skeleton whose bones have the lengths of `frames`.

    Joints beyond the wrists, the ankles and the neck are carried along: their short bones say nothing of the limb.

    Parameters
    ----------
    positions : (T, J, 3) · m · W, finite
    seen : (T, J); joints that were not seen give way first
    frames : of the skeleton

    Notes
    -----
    How far a joint is doubted follows its part of the body. These are ratios of the wandering of the first Kinect's
    joints, found on UTD-MHAD (`benchmarks/fit/bench_utd.py`); positions that keep their distances are not moved
    whatever they are.
    """
    bonds, length = find_bonds(frames)
    out = positions.copy()
    if not len(bonds):
        return out
    held = np.flatnonzero(bonds.any(axis=0))
    doubt = np.where(seen, 1.0, _UNSEEN) * _doubts(frames)
    for start in range(0, len(positions), _CHUNK):
        part = slice(start, start + _CHUNK)
        out[part, held] = _moved(positions[part], doubt[part] ** 2, bonds, length)[:, held]
    for j, share in _between(frames).items():
        out[:, j] = np.einsum("j,tji->ti", share, out)
        held = np.append(held, j)
    for j, k in enumerate(frames.parents):
        if k >= 0 and j not in held:
            out[:, j] = out[:, k] + positions[:, j] - positions[:, k]
    return out


def find_bonds(frames: Frames) -> tuple[Floats, Floats]:
    """Bones and distances that are kept: (E, J), each row times the joints is a vector, and its length (E,) · m."""
    place = frames.body("").rest_joints()
    ends = [frames.smpl.get(f"{s}_{n}") for s in ("left", "right") for n in ("wrist", "ankle")]
    of: list[int] = []  # the joint itself, or the one in whose place it is
    free: set[int] = set()
    for j, k in enumerate(frames.parents):
        of.append(of[k] if k >= 0 and not np.any(frames.rest[j]) else j)
        if k in free or k in ends or j == frames.smpl.get("head"):
            free.add(j)
    between = _between(frames)
    pairs: list[tuple[int, int]] = []
    for j in range(len(of)):
        below = [int(c) for c in np.flatnonzero(frames.parents == j) if of[c] == c and c not in free]
        together = [c for c in below if c in rigid(frames, j)]
        pairs += [(a, b) for i, a in enumerate(together) for b in together[i + 1 :]]
        pairs += [(of[j], c) for c in below if j not in between or c not in together]
    where = np.eye(len(of))
    for j, share in between.items():
        where[j] = share
    first, second = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    return where[second] - where[first], np.linalg.norm(place[second] - place[first], axis=1)


def _between(frames: Frames) -> dict[int, Floats]:
    """Joints that lie on the line between the two joints of their piece → the shares (J,) of those."""
    out: dict[int, Floats] = {}
    for j in range(len(frames.names)):
        ends = [c for c in rigid(frames, j) if np.any(frames.rest[c])]
        if len(ends) != 2:
            continue
        a, b = frames.rest[ends]
        size = np.linalg.norm([a, b], axis=1)
        if size.sum() - np.linalg.norm(a - b) < _FLAT * size.sum():
            out[j] = np.zeros(len(frames.names))
            out[j][ends] = size[::-1] / size.sum()
    return out


def _doubts(frames: Frames) -> Floats:
    """Relative standard deviation of each joint's place, (J,)."""
    out = np.full(len(frames.names), _DOUBT_OF_TRUNK)
    for name, j in frames.smpl.items():
        out[j] = _DOUBT.get(name.rpartition("_")[2], _DOUBT_OF_TRUNK)
    return out


def _moved(p: Floats, variance: Floats, bonds: Floats, length: Floats) -> Floats:
    """p (T, J, 3) moved on to |bonds x| = length (E,), shifts weighted by 1/variance (T, J)."""
    count = len(length)
    coupling = np.einsum("ej,tj,fj->tef", bonds, variance, bonds, optimize=True)
    x = p
    for i in range(_ITERATIONS):
        bone = np.einsum("ej,tji->tei", bonds, x, optimize=True)
        size = np.linalg.norm(bone, axis=2)
        off = size - length
        if np.abs(off).max() < _CLOSE:
            break
        way = bone / np.maximum(size, 1e-6)[..., None]
        normal = coupling * np.einsum("tei,tfi->tef", way, way)
        ridge = 1e-8 * np.trace(normal, axis1=1, axis2=2) / count
        normal += ridge[:, None, None] * np.eye(count)
        wanted = off - (way * np.einsum("ej,tji->tei", bonds, x - p, optimize=True)).sum(axis=2)
        force = np.linalg.solve(normal, wanted[..., None])
        moved = p - variance[..., None] * np.einsum("ej,tei->tji", bonds, force * way, optimize=True)
        x = (
            moved if i < _WHOLE_STEPS else 0.5 * (x + moved)
        )  # a chain that is pressed together flaps from side to side
    return x
