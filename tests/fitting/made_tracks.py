"""Made-up people in front of made-up cameras, with BlazePose-like errors: what the fit should find is known."""

from __future__ import annotations

import numpy as np

from imusim import rotation
from imusim.body import open_body
from imusim.fitting import landmarks, refine, skeleton
from imusim.types import PoseTrack

FOCAL, SIZE = 1000.0, (1280, 720)


def skeleton_of(height_m=None, shape=None):
    body = open_body()
    beta = np.zeros(body.n_shape) if shape is None else np.asarray(shape)
    return skeleton.build_skeleton(body, beta, landmarks.body_marks(body))


def made_state(time_s, facing_deg=30.0, depth_m=4.0, swing=1.0):
    """Someone who marches on the spot with swinging, bending arms and a turning trunk, y-up body before the camera."""
    t = np.asarray(time_s)
    state = refine.empty_state(t.size)
    w = 2 * np.pi * 0.9
    s, c = swing * np.sin(w * t), swing * np.cos(w * t)

    def ball(name, x=0.0, y=0.0, z=0.0):
        v = np.deg2rad(np.stack(np.broadcast_arrays(x + 0 * t, y + 0 * t, z + 0 * t), axis=-1))
        state.balls[:, skeleton.BALLS.index(name)] = rotation.to_matrix(rotation.from_rotvec(v))

    def angle(name, degrees):
        state.angles[:, skeleton.ANGLES.index(name)] = np.deg2rad(degrees + 0 * t)

    # camera axes: y down, z away; a body with y up that faces the camera is turned by half a turn about x
    upright = rotation.to_matrix(rotation.from_rotvec([np.pi, 0.0, 0.0]))
    turn = np.deg2rad(np.stack([0 * t, facing_deg + 8 * s, 0 * t], axis=-1))
    state.balls[:, 0] = upright @ rotation.to_matrix(rotation.from_rotvec(turn))
    state.root[:] = np.stack([0.10 * s, 0.02 * c, depth_m + 0.05 * s], axis=-1)
    ball("spine", 2 + 2 * c, 2 * s, 1.5 * s)
    ball("neck", 4.0, 3 * s, 0.0)
    ball("left_hip", -20 - 20 * s, 3.0, 4.0)
    ball("right_hip", -20 + 20 * s, -3.0, -4.0)
    ball("left_ankle", 4 * s)
    ball("right_ankle", -4 * s)
    ball("left_shoulder", -10.0, -25 - 20 * s, -60.0)
    ball("right_shoulder", -10.0, 25 - 20 * s, 60.0)
    angle("left_knee", 35 + 25 * s)
    angle("right_knee", 35 - 25 * s)
    angle("left_elbow", 60 + 30 * c)
    angle("right_elbow", 60 - 30 * c)
    return state


def _along_the_sight(marks):
    """What an estimator reports that sees four fifths of the angle between camera axis and person as its own turn."""
    torso = [landmarks.AT[f"{side}_{part}"] for side in ("left", "right") for part in ("shoulder", "hip")]
    x, y, z = marks[:, torso].mean(axis=1).T
    angle = 0.8 * np.arctan2(np.hypot(x, y), z)
    axis = np.stack([y, -x, 0 * z], axis=-1) / np.hypot(x, y)[:, None]  # turns the ray back to z
    return np.einsum("tij,tlj->tli", rotation.to_matrix(rotation.from_rotvec(angle[:, None] * axis)), marks)


def made_track(time_s, state, skel, noise=1.0, seed=0, scale=0.93, smooth=0.6, still_noise=False):
    """PoseTrack of a state: landmarks scaled, hip-centred, with AR(1) errors of 25 / 75 mm and 15 mm in the image."""
    rng = np.random.default_rng(seed)
    marks = refine.pose(skel, state)[2]

    def coloured(shape):
        e = rng.normal(size=shape)
        if still_noise:
            return np.broadcast_to(e[:1], shape).copy()
        for i in range(1, shape[0]):
            e[i] = smooth * e[i - 1] + np.sqrt(1 - smooth**2) * e[i]
        return e

    world = scale * (_along_the_sight(marks) + noise * coloured(marks.shape) * [0.025, 0.025, 0.075])
    hips = 0.5 * (world[:, landmarks.AT["left_hip"]] + world[:, landmarks.AT["right_hip"]])
    world -= hips[:, None]
    px = FOCAL * marks[..., :2] / marks[..., 2:] + 0.5 * np.asarray(SIZE)
    px += noise * 0.015 * FOCAL / state.root[:, None, 2:] * coloured(px.shape)
    n = len(time_s)
    return PoseTrack(
        time_s=np.asarray(time_s),
        landmarks_m=world,
        landmarks_px=px,
        visibility=np.full((n, 33), 0.97),
        image_size_px=SIZE,
        landmark_names=landmarks.NAMES,
        shot=np.zeros(n, dtype=np.int64),
        quality=np.ones(n),
        switched=np.zeros(n, dtype=np.bool_),
        focal_px=FOCAL,
    )
