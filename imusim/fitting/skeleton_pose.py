"""Rotations of a plain skeleton from the positions of its joints, in closed form, all frames at once.

Where several bones leave a joint that moves as one piece (pelvis, thorax, hand, foot), the rotation is the one that
fits all of them best (Kabsch 1976). A single bone gives two of three degrees of freedom; the third, its twist, comes
from the plane of the elbow or knee below it (or above it, for forearm and shin; `limb_twist`), for the back from the lines
of hips and shoulders (`trunk`).
"""

from __future__ import annotations

import numpy as np

from imusim.fitting.limb_twist import calm, near
from imusim.fitting.skeleton_frames import Frames, through, unit
from imusim.fitting.trunk import flat, pelvis_hint, trunk, trunk_axes
from imusim.types import Floats

_WEAK = 0.02  # weight of the parent's rotation where the bones of a joint leave one open
_LOOSE = 0.1  # weight of a bone that may bend against the piece; in full where hips and shoulders wander

HINGES = {
    "left_shoulder": ("left_elbow", "left_wrist", (0.0, -1.0, 0.0)),
    "right_shoulder": ("right_elbow", "right_wrist", (0.0, 1.0, 0.0)),
    "left_hip": ("left_knee", "left_ankle", (1.0, 0.0, 0.0)),
    "right_hip": ("right_knee", "right_ankle", (1.0, 0.0, 0.0)),
}
"""Ball joint → the hinge below it, the end, and the direction of (upper × lower bone) in the T pose."""


def rotations(frames: Frames, bones: Floats, time_s: Floats | None = None) -> Floats:
    """Rotation of every joint's frame to the world, (T, J, 3, 3).

    Parameters
    ----------
    bones : (T, J, 3) · m · W, vectors from the parents, finite
    time_s : (T,) · s: the twist of limbs is smoothed in time, as far as the bend of the limb shows it; None: each frame
        for itself
    """
    count = len(frames.names)
    out = np.tile(np.eye(3), (bones.shape[0], count, 1, 1))
    back = {j: n for n, j in frames.smpl.items()}
    facing = trunk(frames)
    for j in range(count):
        parent = int(frames.parents[j])
        above = out[:, parent] if parent >= 0 else None
        members = through(frames, j)
        name = back.get(j, "")
        if j in facing:
            main, across = trunk_axes(frames, bones, *facing[j])
            rest = unit(frames.rest[[facing[j][0]]])
            out[:, j] = _axes(main, across) @ np.swapaxes(_axes(rest, np.array([[1.0, 0.0, 0.0]])), 1, 2)
        elif not members:
            if above is not None:
                out[:, j] = above
        elif name in HINGES:
            out[:, j] = _upper(frames, bones, name, above, time_s)
        elif len(members) == 1 and _above_hinge(frames, j, back):
            out[:, j] = _lower(frames, bones, j, members[0], above, back)
        elif len(members) == 1 and above is not None:
            out[:, j] = _swung(above, frames.rest[members[0]], bones[:, members[0]])
        else:
            out[:, j] = _kabsch(frames, bones, j, members, above)
    return out


def _kabsch(frames: Frames, bones: Floats, j: int, members: list[int], above: Floats | None) -> Floats:
    """Rotation that fits the bones of a branching joint; the bone above it counts too for the thorax."""
    total = np.zeros((bones.shape[0], 3, 3))
    own = [c for c in members if frames.parents[c] == j]
    for c in members:
        loose = (
            bool(own) and c not in own
        )  # beyond a joint in the same place: it says what the rigid ones leave open
        weight = _LOOSE if loose and frames.shoulder_share >= 1.0 else 1.0
        total += weight * np.einsum("ta,b->tab", bones[:, c], frames.rest[c])
    trunk = any(
        frames.smpl.get(f"{s}_{p}") in members for s in ("left", "right") for p in ("collar", "shoulder")
    )
    if trunk and above is not None:  # shoulders alone say nothing of bending forward
        total += np.einsum("ta,b->tab", bones[:, j], frames.rest[j])
    if frames.parents[j] < 0 and (len(members) == 1 or flat(frames.rest[members])):
        total += pelvis_hint(frames, bones)
    if above is not None:
        scale = float(np.sum(frames.rest[members] ** 2))
        total += _WEAK * scale * above
    u, _, vt = np.linalg.svd(total)
    u[:, :, 2] *= np.sign(np.linalg.det(u @ vt))[:, None]
    return u @ vt


def _upper(frames: Frames, bones: Floats, name: str, above: Floats | None, time_s: Floats | None) -> Floats:
    """Thigh or upper arm: along its bone, hinge axis across the plane of knee or elbow."""
    hinge, end, axis = HINGES[name]
    j = frames.smpl[name]
    below = np.flatnonzero(frames.parents == j).tolist()
    c = frames.smpl.get(hinge, int(below[0]) if below else -1)
    if c not in below:
        c = int(below[0])
    rest = unit(frames.rest[c])
    across = np.asarray(axis) - (np.asarray(axis) @ rest) * rest
    start = np.eye(3)[None] if above is None else above
    neutral = _swung(start, frames.rest[c], bones[:, c]) @ unit(across)
    bone, normal = unit(bones[:, c]), np.zeros_like(neutral)
    if end in frames.smpl:
        lower = unit(bones[:, frames.smpl[end]])
        normal = np.cross(bone, lower)
        if "hip" in name:
            neutral = unit(neutral + _foot_plane(frames, bones, name, bone, neutral))
    second = near(normal, neutral, bone) if time_s is None else calm(time_s, normal, neutral, bone, name)
    return _axes(bone, second) @ np.swapaxes(_axes(rest[None], unit(across)[None]), 1, 2)


def _foot_plane(frames: Frames, bones: Floats, name: str, thigh: Floats, neutral: Floats) -> Floats:
    """Hinge axis of a straight leg from where the foot points; zero if there is no foot."""
    side = name.split("_")[0]
    foot, ankle = frames.smpl.get(f"{side}_foot"), frames.smpl.get(f"{side}_ankle")
    if foot is None or ankle is None or frames.parents[foot] != ankle:
        return np.zeros_like(neutral)
    across = np.cross(-unit(bones[:, ankle]), unit(bones[:, foot]))
    return across * np.clip((across * neutral).sum(axis=1, keepdims=True), 0.0, 1.0)


def _above_hinge(frames: Frames, j: int, back: dict[int, str]) -> bool:
    """Whether a joint is an elbow or a knee whose upper segment is known."""
    return any(frames.smpl.get(hinge) == j and ball in frames.smpl for ball, (hinge, _, _) in HINGES.items())


def _lower(
    frames: Frames, bones: Floats, j: int, child: int, above: Floats | None, back: dict[int, str]
) -> Floats:
    """Forearm or shin: along its bone, the hinge axis shared with the segment above."""
    axis = next(
        a for ball, (hinge, _, a) in HINGES.items() if frames.smpl.get(hinge) == j and ball in frames.smpl
    )
    rest = unit(frames.rest[child])
    across = unit(np.asarray(axis) - (np.asarray(axis) @ rest) * rest)
    assert above is not None
    return _axes(unit(bones[:, child]), above @ across) @ np.swapaxes(_axes(rest[None], across[None]), 1, 2)


def _axes(main: Floats, second: Floats) -> Floats:
    """Right-handed axes (T, 3, 3) as columns: `main`, `second` made perpendicular to it, their product."""
    y = unit(second - (second * main).sum(-1, keepdims=True) * main)
    return np.stack([main, y, np.cross(main, y)], axis=-1)


def _swung(start: Floats, rest: Floats, bone: Floats) -> Floats:
    """`start` (T, 3, 3) turned by the smallest rotation that takes its `rest` (3,) direction to `bone` (T, 3)."""
    a, b = unit(start @ rest), unit(bone)
    axis = np.cross(a, b)
    cosine = (a * b).sum(-1)
    k = np.zeros((b.shape[0], 3, 3))
    k[:, 0, 1], k[:, 0, 2], k[:, 1, 2] = -axis[:, 2], axis[:, 1], -axis[:, 0]
    k -= np.swapaxes(k, 1, 2)
    turn = np.eye(3) + k + k @ k / np.maximum(1.0 + cosine, 1e-6)[:, None, None]
    return turn @ start
