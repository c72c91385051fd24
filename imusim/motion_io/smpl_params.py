"""SMPL parameters: AMASS, and what video estimators (WHAM, GVHMR, 4DHumans ...) save.

No licensed model is needed: without `body` the rotations move the open body, whose 24 joints are SMPL's.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imusim import rotation
from imusim.body import SkinnedBody, open_body
from imusim.errors import MotionFileError, QualityWarning, ShapeError
from imusim.motion_io.clock import GIVE_RATE, frame_times
from imusim.motion_io.world import UNITS, check_unit, find_world
from imusim.types import Body, Floats, Motion

RATE_KEYS = ("mocap_framerate", "mocap_frame_rate", "mocap_frame_rate_hz", "framerate", "frame_rate", "fps")
_ROOTS = ("root_orient", "global_orient", "smpl_global_orient", "pred_global_orient")
_BODIES = ("pose_body", "body_pose", "smpl_body_pose", "pred_body_pose")
_WHOLE = ("pose_world", "poses", "pose", "full_pose", "fullpose", "smpl_poses")
_TRANSLATIONS = ("trans_world", "trans", "transl", "smpl_trans", "translation", "pred_cam_t", "root_trans")
_SHAPES = ("betas", "beta", "shape", "smpl_betas", "pred_betas")
ASSUMED_HZ = 30.0
_SAME = 22
_HANDS_FROM = {52: 22, 55: 25}


def looks_like_smpl(keys: Any) -> bool:
    """Whether a file with those keys holds SMPL parameters."""
    keys = set(keys)
    return bool(keys & set(_WHOLE)) or bool(keys & set(_ROOTS) and keys & set(_BODIES))


def read_smpl_params(
    held: Mapping[str, NDArray[Any]],
    source: str,
    *,
    rate_hz: float | None = None,
    body: Body | None = None,
    up: str | None = None,
    unit: str | None = None,
) -> Motion:
    """Turn the arrays of a SMPL parameter file into a Motion.

    Poses are rotation vectors, (T, 3 J) with J = 22, 23 (without root), 24 (SMPL), 52 (SMPL-H) or 55 (SMPL-X), or
    matrices (T, J, 3, 3); root and body may be apart.

    Parameters
    ----------
    held : key → array
    source : what to call the file in messages

    Other Parameters
    ----------------
    rate_hz : frames a second; None: the file's, else 30, and said
    body : body with SMPL's joints; None: the open body (``betas`` are kept in the metadata). A SMPL-family body whose
        gender fits gets the file's ``betas``
    up, unit : override what is found out

    Raises
    ------
    MotionFileError
        If a key is missing, or its array has a shape or type that cannot be meant.

    Warns
    -----
    QualityWarning
        If the rate was assumed, or joints of hands and face were left out.
    """
    pose = _pose(held, source)
    frames, joints = pose.shape[:2]
    trans = UNITS[check_unit(unit or "m")] * _translation(held, frames, source)
    rate, rate_from = _rate(held, rate_hz, source)
    model: Body = open_body() if body is None else body
    given, quats = _onto(model, pose, source)
    betas = _betas(held)
    shape = None
    if body is not None and isinstance(model, SkinnedBody) and betas is not None:
        shape = np.zeros(model.n_shape)
        shape[: min(betas.size, model.n_shape)] = betas[: model.n_shape]
    rest = model.rest_joints(shape)
    gravity = "z" if any(k.startswith("mocap_frame") for k in held) else "y"
    # SMPL's translation leaves out where the pelvis is in the rest pose; known only with the body itself
    points = _points(quats, rest, np.asarray(model.parents), trans + (rest[0] if body is not None else 0.0))
    world = find_world(
        points[:, :24], tuple(model.joint_names)[:24], np.asarray(model.parents)[:24],
        up=gravity, unit="m", given_up=up, given_unit="m", source=source,
    )  # fmt: skip
    quats[:, 0] = rotation.multiply(rotation.from_matrix(world.axes), quats[:, 0])
    root = points[:, 0] @ world.axes.T
    metadata: dict[str, Any] = {
        **world.about,
        "source": source,
        "format": "SMPL parameters",
        "rate_hz": rate,
        "rate_from": rate_from,
        "joints_in_file": joints,
        "joints_left_out": given,
    }
    if betas is not None:
        metadata["betas"] = betas.tolist()
    if "gender" in held:
        metadata["gender"] = _text(held["gender"])
    return Motion(
        frame_times(frames, rate, source),
        root,
        rotation.sign_continuous(quats),
        model,
        shape=np.zeros(0) if shape is None else shape,
        metadata=metadata,
    )


def _first(held: Mapping[str, Any], keys: tuple[str, ...]) -> str | None:
    return next((k for k in keys if k in held), None)


def _numbers(held: Mapping[str, Any], key: str, source: str) -> Floats:
    array = np.asarray(held[key])
    if array.dtype.kind not in "fiu":
        raise MotionFileError(f"{source}: {key} has type {array.dtype}, wanted numbers")
    out = np.asarray(array, dtype=np.float64)
    if not np.isfinite(out).all():
        raise MotionFileError(
            f"{source}: {key} has {int((~np.isfinite(out)).sum())} values that are not finite"
        )
    return out


def _quaternions(array: Floats, key: str, source: str) -> Floats:
    """(T, J, 4) from rotation vectors (T, 3 J), (T, J, 3) or matrices (T, J, 3, 3), (T, 1, J, 3, 3)."""
    if array.size == 0:
        raise MotionFileError(f"{source}: {key} is empty (shape {array.shape})")
    if array.ndim >= 3 and array.shape[-2:] == (3, 3):
        array = array.reshape(array.shape[0], -1, 3, 3)
        off = np.abs(array @ np.swapaxes(array, -1, -2) - np.eye(3)).max()
        if off > 1e-2:
            raise MotionFileError(f"{source}: {key} is not made of rotation matrices (off by {off:.2g})")
        return rotation.from_matrix(array)
    if array.ndim < 2 or array.reshape(array.shape[0], -1).shape[1] % 3:
        raise MotionFileError(
            f"{source}: {key} has shape {array.shape}, wanted rotation vectors (frames, 3 J) or matrices (frames, J, 3, 3)"
        )
    vectors = array.reshape(array.shape[0], -1, 3)
    if np.abs(vectors).max() > 50.0:
        raise MotionFileError(
            f"{source}: {key} has values up to {np.abs(vectors).max():.3g}; wanted rotation vectors in radians"
        )
    return rotation.from_rotvec(vectors)


def _pose(held: Mapping[str, Any], source: str) -> Floats:
    """Rotations (T, J, 4) of all joints that the file has, root first."""
    root, parts = _first(held, _ROOTS), _first(held, _BODIES)
    if root is not None and parts is not None:
        a, b = (_quaternions(_numbers(held, k, source), k, source) for k in (root, parts))
        if a.shape[1] != 1 or a.shape[0] != b.shape[0] or b.shape[1] not in (21, 23):
            raise MotionFileError(
                f"{source}: {root} of {a.shape[1]} joints and {a.shape[0]} frames, {parts} of {b.shape[1]} joints and "
                f"{b.shape[0]} frames; wanted 1 and 21 (SMPL-X) or 23 (SMPL) joints, alike in frames"
            )
        return np.concatenate([a, b], axis=1)
    key = _first(held, _WHOLE)
    if key is None:
        raise MotionFileError(f"{source} has no poses (it has {', '.join(sorted(held)[:10]) or 'nothing'})")
    pose = _quaternions(_numbers(held, key, source), key, source)
    if pose.shape[1] not in (22, 24, 52, 55):
        raise MotionFileError(
            f"{source}: {key} has {pose.shape[1]} joints; wanted 22, 24 (SMPL), 52 (SMPL-H) or 55 (SMPL-X)"
        )
    return pose


def _translation(held: Mapping[str, Any], frames: int, source: str) -> Floats:
    key = _first(held, _TRANSLATIONS)
    if key is None:
        warnings.warn(QualityWarning(f"{source} has no translation: the root stays in place"), stacklevel=4)
        return np.zeros((frames, 3))
    trans = _numbers(held, key, source).reshape(-1, 3) if np.size(held[key]) else np.zeros((0, 3))
    if trans.shape != (frames, 3):
        raise MotionFileError(f"{source}: {key} has {trans.shape[0]} frames, the pose has {frames}")
    return trans


def _rate(held: Mapping[str, Any], given: float | None, source: str) -> tuple[float, str]:
    if given is not None:
        return float(given), "given"
    key = _first(held, RATE_KEYS)
    if key is not None:
        value = _numbers(held, key, source).ravel()
        if value.size == 1 and value[0] > 0:
            return float(value[0]), key
        raise MotionFileError(f"{source}: {key} is {value[:3]}, wanted one positive number. {GIVE_RATE}")
    warnings.warn(
        QualityWarning(f"{source}: no frame rate in the file; assumed {ASSUMED_HZ:g} Hz. {GIVE_RATE}"),
        stacklevel=4,
    )
    return ASSUMED_HZ, "assumed"


def _betas(held: Mapping[str, Any]) -> Floats | None:
    key = _first(held, _SHAPES)
    if key is None:
        return None
    betas = np.asarray(held[key])
    if betas.dtype.kind not in "fiu" or betas.size == 0:
        return None
    betas = np.asarray(betas, dtype=np.float64)
    betas = np.median(betas.reshape(-1, betas.shape[-1]), axis=0) if betas.ndim > 1 else betas
    return betas if np.isfinite(betas).all() else None


def _text(value: Any) -> str:
    array = np.asarray(value)
    item = array.item() if array.size == 1 else str(array)
    return item.decode("utf-8", "replace") if isinstance(item, bytes) else str(item)


def _onto(model: Body, pose: Floats, source: str) -> tuple[int, Floats]:
    """How many turning joints were left out, and rotations (T, J, 4) of the model's joints."""
    names = tuple(model.joint_names)
    if len(names) < _SAME or names[:_SAME] != tuple(open_body().joint_names)[:_SAME]:
        raise ShapeError(
            f"{source} moves SMPL's joints, {model.name!r} has others. Read it without body= and move it on: "
            "im.fit(motion, body=body)."
        )
    quats = np.tile(np.array([1.0, 0.0, 0.0, 0.0]), (pose.shape[0], len(names), 1))
    count = pose.shape[1]
    if count == len(names):
        quats[:] = pose
        return 0, quats
    quats[:, :_SAME] = pose[:, :_SAME]
    if (
        count in _HANDS_FROM and len(names) in _HANDS_FROM
    ):  # SMPL-X on SMPL-H and back: fingers fit, the face does not
        quats[:, _HANDS_FROM[len(names)] :] = pose[:, _HANDS_FROM[count] :]
        return 0, quats
    moving = int((rotation.angle(pose[:, _SAME:]).max(axis=0) > 1e-3).sum()) if count > _SAME else 0
    if moving:
        warnings.warn(
            QualityWarning(
                f"{source}: {moving} joints of hands and face that {model.name} does not have were left out"
            ),
            stacklevel=4,
        )
    return moving, quats


def _points(quats: Floats, rest: Floats, parents: NDArray[np.int64], root: Floats) -> Floats:
    """Joints (T, J, 3) in the file's axes."""
    turn = rotation.to_matrix(quats)
    where = np.empty((*turn.shape[:2], 3))
    for j, k in enumerate(parents):
        if k < 0:
            where[:, j] = root
        else:
            turn[:, j] = turn[:, k] @ turn[:, j]
            where[:, j] = where[:, k] + turn[:, k] @ (rest[j] - rest[k])
    return where
