"""Compile every kernel once, on a second of a made-up person, so that later runs start at once."""

from __future__ import annotations

import time
import warnings
from dataclasses import replace

import numpy as np

from imusim.body import open_body
from imusim.errors import QualityWarning
from imusim.fitting import fit
from imusim.kinematics import BodyTrajectory
from imusim.sensor import find
from imusim.simulation import simulate
from imusim.trajectory import Trajectory
from imusim.types import PoseTrack


def warmup() -> float:
    """Run every compiled path of `imusim simulate` once; return the seconds it took."""
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", QualityWarning)
        motion = fit(_waving(), open_body(), 1.7, progress=False)
        trajectory = BodyTrajectory(motion)
        for sensor in ("bmi270", "smartwatch"):
            simulate(trajectory, "fimad", sensor=find(sensor))
        BodyTrajectory(replace(motion, bandwidth_hz=None))
        simulate(motion, ["left_wrist", "left_wrist_joint"], smoothing="none")
        still = np.zeros((30, 1, 3)), np.tile([1.0, 0.0, 0.0, 0.0], (30, 1, 1))
        for smoothing in ("none", "auto"):
            frames = Trajectory(np.arange(30) / 30, *still, smoothing=smoothing)
            simulate(frames.mounted([0.1, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0]))
    open_body().pose(motion.root_position_m, motion.joint_rotation_wxyz, vertices=True)
    return time.perf_counter() - start


def _waving(frames: int = 40) -> PoseTrack:
    """Somebody who sways before a camera 4 m away."""
    body = open_body()
    t = np.arange(frames) / 30
    rest = body.landmarks(None) * [1.0, -1.0, -1.0]  # facing the camera: y down, z away
    sway = 0.05 * np.sin(2 * np.pi * t[:, None, None] + np.arange(rest.size).reshape(rest.shape))
    marks = rest + sway
    names = tuple(body.landmark_names)
    px = 1000.0 * marks[..., :2] / (marks[..., 2:] + 4.0) + [640.0, 360.0]
    hips = [names.index("left_hip"), names.index("right_hip")]
    return PoseTrack(
        time_s=t,
        landmarks_m=marks - marks[:, hips].mean(axis=1, keepdims=True),
        landmarks_px=px,
        visibility=np.ones(marks.shape[:2]),
        image_size_px=(1280, 720),
        landmark_names=names,
        shot=np.zeros(frames, dtype=np.int64),
        quality=np.ones(frames),
        switched=np.zeros(frames, dtype=np.bool_),
        focal_px=1000.0,
    )
