"""Rotations of a plain skeleton from the positions of its joints, in closed form, all frames at once.

Where several bones leave a joint that moves as one piece (pelvis, thorax, hand, foot), the rotation is the one that
fits all of them best (Kabsch 1976). A single bone gives two of three degrees of freedom; the third, its twist, comes
from the plane of the elbow or knee below it (or above it, for forearm and shin). A straight limb has no plane:
its twist then follows the segment above, blended in so that nothing jumps as the limb straightens.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solveh_banded

from imusim.body import SkeletonBody, open_body
from imusim.errors import UnknownNameError
from imusim.placement.joints import find_joint
from imusim.types import Floats

_PLANE_FLOOR = 0.25  # sine of the flexion at which the plane outweighs what the segment above says
_PLANE_SD = 0.35  # rad: error of the twist that the plane of a limb bent by 90° gives
_PLANE_MEMORY_S = 0.25  # for which it keeps its error
_TWIST_DENSITY = 2.0  # rad²/s³: about 1 rad/s after half a second
_TWIST_SD = np.radians(35.0)  # twist of thigh and upper arm about the neutral one
_TWIST_LIMIT = np.radians(120.0)
_WEAK = 0.02  # weight of the parent's rotation where the bones of a joint leave one open

_HINGES = {
    "left_shoulder": ("left_elbow", "left_wrist", (0.0, -1.0, 0.0)),
    "right_shoulder": ("right_elbow", "right_wrist", (0.0, 1.0, 0.0)),
    "left_hip": ("left_knee", "left_ankle", (1.0, 0.0, 0.0)),
    "right_hip": ("right_knee", "right_ankle", (1.0, 0.0, 0.0)),
}
"""Ball joint → the hinge below it, the end, and the direction of (upper × lower bone) in the T pose."""
_TRUNK = ("spine1", "spine2", "spine3", "neck", "head")


@dataclass(frozen=True)
class Frames:
    """How the joints of a skeleton get their rotations.

    Parameters
    ----------
    names : J names
    parents : (J,)
    smpl : SMPL name → joint, for those that the skeleton has
    rest : (J, 3) · m · B, vector from the parent to each joint in the T pose (zero for the root)
    """

    names: tuple[str, ...]
    parents: NDArray[np.int64]
    smpl: dict[str, int]
    rest: Floats

    def body(self, name: str) -> SkeletonBody:
        """The skeleton as a body: its rest pose is the T pose, y up."""
        joints = np.zeros_like(self.rest)
        for j, k in enumerate(self.parents):
            joints[j] = self.rest[j] + (joints[k] if k >= 0 else 0.0)
        return SkeletonBody(self.names, self.parents, joints, name=name)


def smpl_joints(names: tuple[str, ...], parents: NDArray[np.int64]) -> dict[str, int]:
    """SMPL name → joint of a skeleton with those names (J,) and parents (J,); a joint is used once."""
    body = SkeletonBody(names, parents, np.zeros((len(names), 3)))
    found: dict[str, int] = {}
    for name in open_body().joint_names:
        try:
            joint = find_joint(body, name)
        except UnknownNameError:
            continue
        if joint not in found.values():
            found[name] = joint
    return found


def unit(v: Floats) -> Floats:
    """Vectors (..., 3) of length one; short ones stay short."""
    return v / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), 1e-9)


def make_frames(names: tuple[str, ...], parents: NDArray[np.int64], positions: Floats) -> Frames:
    """T pose of a skeleton: directions of the open body, lengths and shapes of branching joints from the data.

    Parameters
    ----------
    names, parents : J joints, parents first
    positions : (T, J, 3) · m · W; frames with NaN are left out joint by joint
    """
    smpl = smpl_joints(names, parents)
    bones = _bones(positions, parents)
    length = _median(np.linalg.norm(bones, axis=2))
    rest = length[:, None] * t_pose(names, parents, smpl)
    frames = Frames(names, parents, smpl, rest)
    some = bones[:: max(1, len(bones) // 400)]
    some = some[np.isfinite(some).all(axis=(1, 2))]
    if len(some):
        for _ in range(3):
            _reshape(frames, some, rotations(frames, some))
    return frames


def _median(x: Floats) -> Floats:
    """Median over the first axis of what is finite; 0 where nothing is."""
    out = np.zeros(x.shape[1])
    for j in range(x.shape[1]):
        good = x[np.isfinite(x[:, j]), j]
        out[j] = np.median(good) if good.size else 0.0
    return out


def t_pose(names: tuple[str, ...], parents: NDArray[np.int64], smpl: dict[str, int]) -> Floats:
    """Unit vectors (J, 3) from the parent to each joint in the T pose, those of the open body where it has them."""
    model = open_body()
    model_rest = model.rest_joints()
    back = {j: n for n, j in smpl.items()}
    out = np.zeros((len(names), 3))
    for j, k in enumerate(parents):
        if k < 0:
            continue
        a, b = _named(int(k), parents, back), _named_below(j, parents, back)
        if a is not None and b is not None and a != b:
            way = model_rest[model.joint_names.index(b)] - model_rest[model.joint_names.index(a)]
        else:
            way = _guess(j, int(k), names, back)
        out[j] = unit(way)
    return out


def _reshape(frames: Frames, bones: Floats, rotation: Floats) -> None:
    """Replace bones that leave branching joints by their mean in the joint's frame, lengths kept."""
    for j in range(len(frames.names)):
        members = _through(frames, j)
        if len(members) < 2:
            continue
        for c in members:
            mean = np.median(np.einsum("tba,tb->ta", rotation[:, j], bones[:, c]), axis=0)
            size = np.median(np.linalg.norm(bones[:, c], axis=1))
            frames.rest[c] = size * unit(mean)


def _bones(positions: Floats, parents: NDArray[np.int64]) -> Floats:
    """Vectors from parents to joints, (T, J, 3); the root's is zero."""
    out = positions - positions[:, np.maximum(parents, 0)]
    out[:, parents < 0] = 0.0
    return out


def _named(j: int, parents: NDArray[np.int64], back: dict[int, str]) -> str | None:
    """SMPL name of a joint, or of the nearest one above it that has one."""
    while j >= 0:
        if j in back:
            return back[j]
        j = int(parents[j])
    return None


def _named_below(j: int, parents: NDArray[np.int64], back: dict[int, str]) -> str | None:
    """SMPL name of a joint, or of the only one below it that has one."""
    while j not in back:
        below = np.flatnonzero(parents == j)
        if below.size != 1:
            return None
        j = int(below[0])
    return back[j]


def _guess(j: int, k: int, names: tuple[str, ...], back: dict[int, str]) -> Floats:
    """Direction in the T pose of a bone that the open body does not have."""
    name, above = names[j].lower(), back.get(k, "")
    side = (
        1.0
        if "left" in name or name.endswith("_l")
        else -1.0
        if "right" in name or name.endswith("_r")
        else 0.0
    )
    if "heel" in name:
        return np.array([0.0, -0.8, -0.6])
    if any(part in name for part in ("toe", "foot")) or "ankle" in above or "foot" in above:
        return np.array([0.3 * side * ("small" in name), -0.3, 1.0])
    if any(part in name for part in ("thumb", "index", "pinky", "hand", "tip")) or "wrist" in above:
        forward = 0.6 * ("thumb" in name) + 0.25 * ("index" in name) - 0.25 * ("pinky" in name)
        return np.array([side or 1.0, 0.0, forward])
    if "nose" in name or "eye" in name:
        return np.array([0.3 * side, 0.5, 1.0])
    return np.array([0.5 * side, 1.0, 0.0])


def _through(frames: Frames, j: int) -> list[int]:
    """Joints whose bones fix the rotation of `j`: those below it, or below a joint in the same place."""
    out: list[int] = []
    for c in _rigid(frames, j):
        out += [c] if np.any(frames.rest[c]) else _rigid(frames, c)
    return out


def _rigid(frames: Frames, j: int) -> list[int]:
    """Joints below `j` that move with it as one piece."""
    children = [int(c) for c in np.flatnonzero(frames.parents == j)]
    if len(children) < 2:
        return children
    loose = {frames.smpl.get("neck"), frames.smpl.get("head")}
    rigid = [c for c in children if c not in loose]
    return rigid or children


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
    for j in range(count):
        parent = int(frames.parents[j])
        above = out[:, parent] if parent >= 0 else None
        members = _through(frames, j)
        name = back.get(j, "")
        if not members:
            if above is not None:
                out[:, j] = above
        elif name in _HINGES:
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
    for c in members:
        total += np.einsum("ta,b->tab", bones[:, c], frames.rest[c])
    trunk = any(
        frames.smpl.get(f"{s}_{p}") in members for s in ("left", "right") for p in ("collar", "shoulder")
    )
    if trunk and above is not None:  # shoulders alone say nothing of bending forward
        total += np.einsum("ta,b->tab", bones[:, j], frames.rest[j])
    if (frames.parents[j] < 0 and len(members) == 1) or (
        frames.parents[j] < 0 and _flat(frames.rest[members])
    ):
        total += _trunk_hint(frames, bones)
    if above is not None:
        scale = float(np.sum(frames.rest[members] ** 2))
        total += _WEAK * scale * above
    u, _, vt = np.linalg.svd(total)
    u[:, :, 2] *= np.sign(np.linalg.det(u @ vt))[:, None]
    return u @ vt


def _flat(vectors: Floats) -> bool:
    """Whether vectors (K, 3) lie nearly on one line."""
    s = np.linalg.svd(vectors, compute_uv=False)
    return bool(s.size < 2 or s[1] < 0.2 * s[0])


def _trunk_hint(frames: Frames, bones: Floats) -> Floats:
    """What hips and shoulders say of the root's rotation, as a term for `_kabsch`."""
    total = np.zeros((bones.shape[0], 3, 3))
    top = next(
        (frames.smpl[n] for n in ("neck", "spine3", "spine2", "spine1", "head") if n in frames.smpl), None
    )
    if top is not None and frames.parents[top] >= 0:
        total += np.einsum("ta,b->tab", bones[:, top], frames.rest[top])
    for part in ("hip", "shoulder"):
        pair = [frames.smpl.get(f"{side}_{part}") for side in ("left", "right")]
        if None not in pair:
            a, b = (int(p) for p in pair if p is not None)
            across = bones[:, a] - bones[:, b]
            total += np.einsum("ta,b->tab", across, np.array([np.linalg.norm(frames.rest[a]), 0.0, 0.0]))
    return total


def _upper(frames: Frames, bones: Floats, name: str, above: Floats | None, time_s: Floats | None) -> Floats:
    """Thigh or upper arm: along its bone, hinge axis across the plane of knee or elbow."""
    hinge, end, axis = _HINGES[name]
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
    second = _near(normal, neutral, bone) if time_s is None else _calm(time_s, normal, neutral, bone)
    return _axes(bone, second) @ np.swapaxes(_axes(rest[None], unit(across)[None]), 1, 2)


def _foot_plane(frames: Frames, bones: Floats, name: str, thigh: Floats, neutral: Floats) -> Floats:
    """Hinge axis of a straight leg from where the foot points; zero if there is no foot."""
    side = name.split("_")[0]
    foot, ankle = frames.smpl.get(f"{side}_foot"), frames.smpl.get(f"{side}_ankle")
    if foot is None or ankle is None or frames.parents[foot] != ankle:
        return np.zeros_like(neutral)
    across = np.cross(-unit(bones[:, ankle]), unit(bones[:, foot]))
    return across * np.clip((across * neutral).sum(axis=1, keepdims=True), 0.0, 1.0)


def _near(normal: Floats, neutral: Floats, bone: Floats) -> Floats:
    """Hinge direction (T, 3): the plane's normal, pulled to the neutral one as the limb straightens.

    Noise that bends a straight limb the wrong way would turn it by half a turn: a normal is only believed up to 110°
    from the neutral direction, and less for nearly straight limbs.
    """
    neutral = unit(neutral - (neutral * bone).sum(-1, keepdims=True) * bone)
    mixed = normal + _PLANE_FLOOR * neutral
    side = np.cross(bone, neutral)
    angle = np.arctan2((mixed * side).sum(-1), (mixed * neutral).sum(-1))
    part = np.clip((np.linalg.norm(normal, axis=-1) - 0.15) / 0.45, 0.0, 1.0)
    limit = np.deg2rad(30.0 + 80.0 * part * part * (3.0 - 2.0 * part))
    angle = np.clip(angle, -limit, limit)[:, None]
    return np.cos(angle) * neutral + np.sin(angle) * side


def _calm(time_s: Floats, normal: Floats, neutral: Floats, bone: Floats) -> Floats:
    """Hinge direction (T, 3) that turns about the bone no more than the plane of the limb asks for.

    The twist is told against a frame that is carried along without turning about the bone (parallel transport), and
    estimated as a twice-integrated white noise from the angles that the plane and, weaker, the segment above give. The
    plane of a limb bent by θ is believed as far as sin θ; its errors are not white, so it moves slow twist only.
    """
    neutral = unit(neutral - (neutral * bone).sum(-1, keepdims=True) * bone)
    carried = _transported(neutral[0], bone)
    side = np.cross(bone, carried)
    plane = np.arctan2((normal * side).sum(-1), (normal * carried).sum(-1))
    rest = np.unwrap(np.arctan2((neutral * side).sum(-1), (neutral * carried).sum(-1)))
    away = np.remainder(plane - rest + np.pi, 2.0 * np.pi) - np.pi
    shown = np.linalg.norm(normal, axis=-1) ** 2 / _PLANE_SD**2
    shown *= 1.0 / (
        1.0 + np.exp(np.clip((np.abs(away) - _TWIST_LIMIT) / 0.15, -40, 40))
    )  # bent the wrong way: noise
    prior = 1.0 / _TWIST_SD**2
    angle = _slow(time_s, (shown * (rest + away) + prior * rest) / (shown + prior), shown + prior)[:, None]
    return np.cos(angle) * carried + np.sin(angle) * side


def _transported(start: Floats, bone: Floats) -> Floats:
    """A direction (T, 3) across unit vectors `bone` (T, 3), carried along without turning about them."""
    out = np.empty_like(bone)
    out[0] = start
    for i in range(1, len(bone)):
        a, b = bone[i - 1], bone[i]
        v = out[i - 1] - (a + b) * (out[i - 1] @ b) / max(1.0 + float(a @ b), 1e-9)
        v = v - (v @ b) * b
        out[i] = v / max(float(np.linalg.norm(v)), 1e-9)
    return out


def _slow(time_s: Floats, angle: Floats, precision: Floats) -> Floats:
    """Posterior mean (T,) of a twice-integrated white noise of density `_TWIST_DENSITY` seen with `precision` (T,)."""
    n = len(time_s)
    if n < 4:
        return np.full(n, float(np.average(angle, weights=precision)))
    step = float(np.median(np.diff(time_s)))
    believed = precision * min(1.0, step / _PLANE_MEMORY_S)
    weight = 1.0 / (_TWIST_DENSITY * step**3)
    band = np.zeros((3, n))
    for k, value in enumerate((1.0, -2.0, 1.0)):
        for l, other in enumerate((1.0, -2.0, 1.0)):
            if l >= k:
                band[2 - (l - k), l : n - 2 + l] += weight * value * other
    band[2] += believed
    return solveh_banded(band, believed * angle)


def _above_hinge(frames: Frames, j: int, back: dict[int, str]) -> bool:
    """Whether a joint is an elbow or a knee whose upper segment is known."""
    return any(frames.smpl.get(hinge) == j and ball in frames.smpl for ball, (hinge, _, _) in _HINGES.items())


def _lower(
    frames: Frames, bones: Floats, j: int, child: int, above: Floats | None, back: dict[int, str]
) -> Floats:
    """Forearm or shin: along its bone, the hinge axis shared with the segment above."""
    axis = next(
        a for ball, (hinge, _, a) in _HINGES.items() if frames.smpl.get(hinge) == j and ball in frames.smpl
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
