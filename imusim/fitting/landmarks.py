"""Where BlazePose's 33 landmarks are on a body, and which joints carry them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from imusim.errors import ShapeError
from imusim.types import Body, Floats, PoseTrack

FACE = (
    "nose", "left_eye_inner", "left_eye", "left_eye_outer", "right_eye_inner", "right_eye", "right_eye_outer",
    "left_ear", "right_ear", "mouth_left", "mouth_right",
)  # fmt: skip
NAMES = (
    *FACE, "left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist",
    "left_pinky", "right_pinky", "left_index", "right_index", "left_thumb", "right_thumb", "left_hip", "right_hip",
    "left_knee", "right_knee", "left_ankle", "right_ankle", "left_heel", "right_heel", "left_foot_index",
    "right_foot_index",
)  # fmt: skip
AT = {name: i for i, name in enumerate(NAMES)}
CONTACTS = (
    "left_heel", "right_heel", "left_foot_index", "right_foot_index", "left_index", "right_index", "left_pinky",
    "right_pinky", "left_knee", "right_knee", "left_hip", "right_hip", "left_shoulder", "right_shoulder",
    "left_wrist", "right_wrist",
)  # fmt: skip
"""Landmarks that may rest on something; the first four are feet."""
LIFT_M = np.array([0.05] * 2 + [0.035] * 2 + [0.045] * 4 + [0.06] * 2 + [0.13] * 2 + [0.12] * 2 + [0.06] * 2)
"""How far above the floor they are then, roughly, m: hips and shoulders of a back that lies, a hand that is flat; feet and,
where the skin is known, hips: see `world.lifts_of`."""

SD_FACTOR = np.ones(len(NAMES))
"""How much worse a landmark is than a good one. The face is eleven landmarks of one thing; hips are a matter
of definition; knuckles are small."""
for _name in NAMES:
    if _name in FACE:
        SD_FACTOR[AT[_name]] = 2.0
    elif "hip" in _name or "foot_index" in _name or "heel" in _name:
        SD_FACTOR[AT[_name]] = 1.3
    elif "thumb" in _name:
        SD_FACTOR[AT[_name]] = 4.0
    elif any(part in _name for part in ("pinky", "index")):
        SD_FACTOR[AT[_name]] = 2.0
    elif "wrist" in _name:
        SD_FACTOR[AT[_name]] = 1.5

# Where BlazePose puts its landmarks, against the joints of a body, as fractions of stature (to the person's
# left for left ones, up, forward; rest pose). Measured on the image landmarks of one walker from the side and one
# person from four sides: thigh and shin come out equally long and the trunk 6 cm longer than between the joints.
_SEEN_AT = {
    "ear": (0.0, -0.008, 0.008), "shoulder": (0.0, 0.010, 0.0), "hip": (0.010, -0.020, 0.022), "knee": (0.0, -0.022, 0.0),
    "ankle": (0.0, 0.006, 0.0), "heel": (0.0, 0.0, -0.006), "foot_index": (0.0, 0.004, -0.022),
    "pinky": (-0.010, 0.0, 0.0), "index": (-0.014, 0.0, 0.0),
}  # fmt: skip

# Joints that carry a landmark which is not at its own joint's centre: a shifted landmark must not swing with the limb.
_CARRIED_BY = {"shoulder": (("collar", 1.0),), "knee": (("hip", 0.5), ("knee", 0.5))}


def _seen_at(height: float) -> Floats:
    shift = np.zeros((len(NAMES), 3))
    for name, i in AT.items():
        side, _, part = name.partition("_")
        if part in _SEEN_AT:
            shift[i] = height * np.asarray(_SEEN_AT[part]) * ((-1, 1, 1) if side == "right" else (1, 1, 1))
    return shift


@dataclass(frozen=True)
class BodyMarks:
    """The landmarks of one body.

    Parameters
    ----------
    model : a body with `landmarks(shape)` and `landmark_weights`
    own : whether that is the body being fitted; else its offsets from the joints are borrowed, scaled by stature
    """

    model: Any
    own: bool
    names: tuple[str, ...] = NAMES

    def positions(self, body: Body, shape: Floats) -> Floats:
        """Landmarks in the rest pose, (33, 3) · m · B, of `body` with the given shape."""
        if self.own:
            return np.asarray(self.model.landmarks(shape), dtype=np.float64) + _seen_at(stature(body, shape))
        scale = stature(body, shape) / stature(self.model, np.zeros(self.model.n_shape))
        weights = np.asarray(self.model.landmark_weights, dtype=np.float64)
        offsets = np.asarray(self.model.landmarks(None)) - weights @ self.model.rest_joints(None)
        rest = body.rest_joints(shape)
        joints = [body.joint_names.index(n) for n in self.model.joint_names]
        return weights @ rest[joints] + scale * offsets + _seen_at(stature(body, shape))

    def carriers(self, body: Body) -> list[list[tuple[int, float]]]:
        """For each landmark, (joint of `body`, weight) pairs; the weights sum to 1."""
        weights = np.asarray(self.model.landmark_weights, dtype=np.float64)
        found = []
        for name, row in zip(self.names, weights, strict=True):
            side, _, part = name.partition("_")
            if part == "hip":
                found.append([(body.joint_names.index("pelvis"), 1.0)])
                continue
            if part in _CARRIED_BY:
                found.append(
                    [(body.joint_names.index(f"{side}_{joint}"), w) for joint, w in _CARRIED_BY[part]]
                )
                continue
            keep = np.flatnonzero(row > 0.02 * row.max())
            total = row[keep].sum()
            found.append(
                [(body.joint_names.index(self.model.joint_names[j]), float(row[j] / total)) for j in keep]
            )
        return found


def body_marks(body: Body) -> BodyMarks:
    """Landmarks of a body: its own where it has them, else the open body's, moved to its joints.

    Raises
    ------
    ShapeError
        If the body has neither landmarks nor the open body's joints.
    """
    if hasattr(body, "landmarks") and hasattr(body, "landmark_weights"):
        return BodyMarks(body, own=True)
    from imusim.body import open_body

    model = open_body()
    missing = [n for n in model.joint_names if n not in body.joint_names]
    if missing:
        raise ShapeError(
            f"fitting landmarks needs a body with SMPL's joints; {body.name!r} lacks {', '.join(missing)}. "
            "Use im.open_body() or a SMPL-family file."
        )
    return BodyMarks(model, own=False)


def stature(body: Body, shape: Floats) -> float:
    """Standing height, m: the body's own figure, else the extent of its skin, else of its joints and a head."""
    if hasattr(body, "stature"):
        return float(body.stature(shape))  # pyright: ignore[reportAttributeAccessIssue]
    skin = body.rest_vertices(shape)
    if skin is not None:
        return float(np.ptp(skin[:, 1]))
    return float(np.ptp(body.rest_joints(shape)[:, 1]) + 0.25)


def in_order(track: PoseTrack) -> tuple[Floats, Floats, Floats]:
    """The track's landmarks in the order of `NAMES`: (T, 33, 3) m, (T, 33, 2) px, visibility (T, 33).

    Raises
    ------
    ShapeError
        If the track lacks landmarks that the fit needs.
    """
    if tuple(track.landmark_names) == NAMES:
        return track.landmarks_m, track.landmarks_px, track.visibility
    missing = [n for n in NAMES if n not in track.landmark_names]
    if missing:
        raise ShapeError(f"the track lacks the landmarks {', '.join(missing)}; wanted BlazePose's 33")
    order = [track.landmark_names.index(n) for n in NAMES]
    return track.landmarks_m[:, order], track.landmarks_px[:, order], track.visibility[:, order]


_RAY_SHARE = 0.8


def in_camera_axes(marks3: Floats, px: Floats, focal_px: float, centre_px: Floats) -> Floats:
    """Turn BlazePose's metric landmarks (T, 33, 3) from the line of sight to the camera's axes.

    The estimator sees a crop around the person and knows nothing of where in the picture it is: its axes follow the
    ray to the person. Measured by warping real frames as if the camera had turned (yaw ±6°, pitch ±8°): the
    landmarks turn by a fifth of the camera's turn, so four fifths of the ray's angle are put back.

    Parameters
    ----------
    marks3 : (T, 33, 3) · m
    px : (T, 33, 2) · pixels
    focal_px, centre_px : pinhole camera
    """
    from imusim import rotation

    torso = [AT[f"{side}_{part}"] for side in ("left", "right") for part in ("shoulder", "hip")]
    ray = np.concatenate(
        [(px[:, torso].mean(axis=1) - centre_px) / focal_px, np.ones((px.shape[0], 1))], axis=1
    )
    ray /= np.linalg.norm(ray, axis=1, keepdims=True)
    known = np.isfinite(ray).all(axis=1)
    sine = np.hypot(ray[known, 0], ray[known, 1])
    angle = np.arctan2(sine, ray[known, 2])
    scale = _RAY_SHARE * angle / np.maximum(sine, 1e-12)
    turn = np.stack([-ray[known, 1] * scale, ray[known, 0] * scale, np.zeros(scale.size)], axis=1)
    out = marks3.copy()
    out[known] = np.einsum("tij,tlj->tli", rotation.to_matrix(rotation.from_rotvec(turn)), marks3[known])
    return out
