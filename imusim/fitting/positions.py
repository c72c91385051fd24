"""A skeleton's motion from the positions of its joints, as depth cameras, markers and pose files give them."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from imusim import rotation
from imusim.body.skeleton import check_parents
from imusim.errors import NoPersonError, QualityWarning, ShapeError
from imusim.fitting import skeleton_trust as trust
from imusim.fitting.constant_bones import keep_bones
from imusim.fitting.rest_pose import make_frames
from imusim.fitting.skeleton_frames import Frames, smpl_joints, unit
from imusim.fitting.skeleton_pose import rotations
from imusim.smoothing import half_amplitude_hz, smooth
from imusim.spline import Spline, runs
from imusim.types import Floats, Motion, as_floats, check_time

FEW_FRAMES = 5
_PASSED = 1.5  # the smoothing halves a frequency; what is smooth already is not halved again
_SPREAD = 0.25  # bone lengths that vary more than this are said


def skeleton_motion(
    time_s: ArrayLike,
    positions_m: ArrayLike,
    joint_names: Sequence[str],
    parents: ArrayLike,
    *,
    smoothing: str = "auto",
    max_gap_s: float = 0.5,
    hand_share: float = 0.0,
    shoulder_share: float = 1.0,
    noise_memory_s: float | None = None,
    bones: str = "together",
    name: str = "skeleton",
    metadata: dict[str, Any] | None = None,
) -> Motion:
    """Turn joint positions into a plain skeleton with constant bones and joint rotations.

    Parameters
    ----------
    time_s : (T,) · s
    positions_m : (T, J, 3) · m · W (z up); NaN where a joint was not seen
    joint_names : J names; those of SMPL or of other conventions that `placement.find_joint` understands
    parents : (J,), −1 for the root (the first), parents before children

    Other Parameters
    ----------------
    smoothing : "auto": noise and smoothness of every joint are chosen from the data (`imusim.smoothing`); "none"
    max_gap_s : gaps up to this long are bridged; longer ones are marked not valid
    hand_share : how far a hand's joint counts as a second look at where the forearm ends, and the hand is taken to
        follow the forearm: for sources whose wrists and hands are as noisy as a hand is long
    shoulder_share : how far the line of the shoulders, beside that of the hips, says where the thorax faces: half for
        sources whose shoulders wander as arms are raised
    noise_memory_s : time after which the errors of the positions have forgotten themselves, where that is known: what
        wanders for that long is then not taken for motion; None: errors are white unless the data clearly say otherwise
    bones : "together": the joints of a frame are moved as little as possible until all bones have constant lengths
        (`constant_bones`); "each": every bone keeps its direction, and its errors are handed on to all below it
    name, metadata : of the skeleton and the motion

    Returns
    -------
    Motion
        On a `SkeletonBody` in T pose (x to the person's left, y up). If it was smoothed, with standard deviations of
        rotations and root, and a bandwidth: nothing is smoothed twice blindly.

    Raises
    ------
    ShapeError, TimeError
        If the arrays do not fit together.
    NoPersonError
        If no five frames are seen together.
    """
    t = check_time(time_s)
    names = tuple(joint_names)
    tree = check_parents(parents, len(names))
    x = as_floats(positions_m, "positions_m", (t.size, len(names), 3))
    seen = np.asarray(np.isfinite(x).all(axis=2))
    share = seen.mean(axis=0) if t.size else np.zeros(len(names))
    if t.size < FEW_FRAMES or not share[0] > 0:
        raise NoPersonError(
            f"joint positions of {t.size} frames, {int(seen[:, 0].sum())} with a root: too few"
        )
    if smoothing not in ("auto", "none"):
        raise ShapeError(f"smoothing={smoothing!r}, wanted auto or none")
    if bones not in ("together", "each"):
        raise ShapeError(f"bones={bones!r}, wanted together or each")
    x, known = _filled(t, x, seen)
    pieces = [p for p in runs(t, known, None, max_gap_s) if p.size >= FEW_FRAMES]
    if not pieces:
        raise NoPersonError("no five frames together have a person in them")
    valid = np.zeros(t.size, dtype=np.bool_)
    shot = np.zeros(t.size, dtype=np.int64)
    calm = x.copy()
    chosen: list[dict[str, Any]] = []
    sd, bandwidth = np.full((t.size, len(names)), np.nan), 0.0
    for number, index in enumerate(pieces):
        valid[index] = True
        shot[index[0] :] = number
        if smoothing == "auto":
            calm[index], sd[index], what, passed = _smoothed(t[index], x[index], noise_memory_s)
            chosen.append(what)
            bandwidth = max(bandwidth, _PASSED * passed)
    if hand_share > 0:
        calm = _with_hands(calm, smpl_joints(names, tree), hand_share)
    frames = make_frames(names, tree, np.where(seen[..., None], calm, np.nan), shoulder_share)
    spread = _spread(x, seen, tree)
    limbs = [j for n, j in frames.smpl.items() if n.rpartition("_")[2] in ("elbow", "wrist", "knee", "ankle")]
    loose = [f"{names[j]} {100 * spread[j]:.0f} %" for j in limbs if spread[j] > _SPREAD]
    if loose:
        warnings.warn(
            QualityWarning(
                f"bones change their length (sd of the length: {', '.join(loose[:4])}); constant ones were put in"
            ),
            stacklevel=2,
        )
    quats, root = np.full((t.size, len(names), 4), np.nan), np.full((t.size, 3), np.nan)
    turn_sd = np.full((t.size, len(names)), np.nan)
    for index in pieces:
        held = keep_bones(calm[index], seen[index], frames) if bones == "together" else calm[index]
        vectors = held - held[:, np.maximum(tree, 0)]
        turn = rotations(frames, vectors, t[index] if smoothing == "auto" else None)
        quats[index] = local_quaternions(turn, tree)
        root[index] = held[:, 0]
        if smoothing == "auto":
            sd[index] = trust.position_sd(sd[index], held - calm[index], seen[index])
            turn_sd[index] = trust.rotation_sd(frames, vectors, sd[index])
    known = smoothing == "auto"
    return Motion(
        t, root, quats, frames.body(name), shot=shot, valid=valid,
        confidence=trust.confidence(turn_sd if known else np.zeros_like(turn_sd), seen, share, valid),
        rotation_sd_rad=turn_sd if known else None,
        root_sd_m=np.repeat(sd[:, :1], 3, axis=1) if known else None,
        bandwidth_hz=bandwidth if known else None,
        metadata={
            **(metadata or {}),
            "bones_m": {n: float(np.linalg.norm(frames.rest[j])) for j, n in enumerate(names) if tree[j] >= 0},
            "bone_spread": {n: float(s) for n, s in zip(names, spread, strict=True)},
            "positions": {"smoothing": smoothing, "chosen": chosen},
        },
    )  # fmt: skip


def local_quaternions(turn: Floats, parents: np.ndarray) -> Floats:
    """Sign-continuous joint rotations (T, J, 4) from rotations (T, J, 3, 3) to the world."""
    local = turn.copy()
    for j, k in enumerate(parents):
        if k >= 0:
            local[:, j] = np.swapaxes(turn[:, k], 1, 2) @ turn[:, j]
    return rotation.sign_continuous(rotation.from_matrix(local))


def _filled(t: Floats, x: Floats, seen: np.ndarray) -> tuple[Floats, np.ndarray]:
    """Positions with holes bridged joint by joint, and the frames (T,) bool where at least half the joints are seen."""
    known = seen[:, 0] & (seen.mean(axis=1) >= 0.5)
    out = x.copy()
    for j in range(x.shape[1]):
        good = seen[:, j]
        if good.all():
            continue
        if not good.any():
            raise ShapeError(f"joint {j} is never seen. Leave it out.")
        for c in range(3):
            out[~good, j, c] = np.interp(t[~good], t[good], x[good, j, c])
    return out, known


def _smoothed(
    t: Floats, x: Floats, noise_memory_s: float | None
) -> tuple[Floats, Floats, dict[str, Any], float]:
    """Positions (n, J, 3) without their noise, their sd (n, J) m, what was chosen, and the frequency it halves, Hz."""
    flat = x.reshape(t.size, -1)
    # one choice for the whole body: a clip of seconds says too little of each joint alone, and along an axis that all
    # but one limb rest on, that limb would be taken for noise
    result = smooth(t, flat, groups=np.zeros(flat.shape[1], dtype=np.int64), noise_memory_s=noise_memory_s)
    whole = result.spline if isinstance(result.spline, Spline) else result.spline.part(t[0], t[-1])
    calm = whole.evaluate(t)[:, :, 0].reshape(x.shape)
    node = np.clip(np.searchsorted(result.spline.time_s, t), 0, result.sd.shape[0] - 1)
    sd = result.sd[node, :, 0].reshape(x.shape).mean(axis=2)
    # each joint has its own noise: the common sd goes with what is left over of each
    left = np.sqrt(((x - calm) ** 2).mean(axis=(0, 2)))
    sd = sd * (left / max(float(np.sqrt((left**2).mean())), 1e-12))[None]
    passed = half_amplitude_hz(result.settings[0], float(np.median(np.diff(t))))
    return calm, sd, dict(result.settings[0]), passed


def _with_hands(x: Floats, smpl: dict[str, int], share: float) -> Floats:
    """Positions (T, J, 3) whose wrists and hands lie nearer to the forearms' lines."""
    out = x.copy()
    for side in ("left", "right"):
        joints = [smpl.get(f"{side}_{n}") for n in ("elbow", "wrist", "hand")]
        if None in joints:
            continue
        elbow, wrist, hand = (int(j) for j in joints if j is not None)
        reach = x[:, hand] - x[:, wrist]
        size = float(np.median(np.linalg.norm(reach, axis=1)))
        seen = x[:, wrist] + share * reach
        along = unit(seen - x[:, elbow])
        out[:, wrist] = seen - share * size * along
        out[:, hand] = out[:, wrist] + size * unit((1.0 - share) * reach + share * size * along)
    return out


def _spread(x: Floats, seen: np.ndarray, parents: np.ndarray) -> Floats:
    """Standard deviation of each bone's length over its median, (J,)."""
    length = np.linalg.norm(x - x[:, np.maximum(parents, 0)], axis=2)
    length = np.where(seen & seen[:, np.maximum(parents, 0)], length, np.nan)
    out = np.zeros(len(parents))
    for j, k in enumerate(parents):
        if k >= 0:
            good = length[np.isfinite(length[:, j]), j]
            middle = float(np.median(good)) if good.size else 0.0
            out[j] = float(np.median(np.abs(good - middle)) * 1.4826 / middle) if middle > 1e-6 else 0.0
    return out


__all__ = ["Frames", "local_quaternions", "skeleton_motion"]
