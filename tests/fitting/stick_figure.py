"""A stick figure with SMPL's joint names, in a world with z up, and a tilted camera that looks at it."""

import numpy as np

from imusim.types import PoseTrack

NAMES = (
    "pelvis", "left_hip", "right_hip", "spine1", "left_knee", "right_knee", "spine2", "left_ankle", "right_ankle",
    "spine3", "left_foot", "right_foot", "neck", "left_collar", "right_collar", "head", "left_shoulder",
    "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_hand", "right_hand",
)  # fmt: skip
SIZE = (1080, 1920)
FOCAL = 1600.0

# standing, facing +y, x to the person's right is negative: (x, y, z) m
_STANDING = {
    "pelvis": (0, 0, 0.95), "left_hip": (-0.09, 0, 0.90), "right_hip": (0.09, 0, 0.90), "spine1": (0, 0, 1.05),
    "left_knee": (-0.09, 0.01, 0.50), "right_knee": (0.09, 0.01, 0.50), "spine2": (0, 0, 1.18),
    "left_ankle": (-0.09, -0.03, 0.08), "right_ankle": (0.09, -0.03, 0.08), "spine3": (0, 0, 1.25),
    "left_foot": (-0.09, 0.09, 0.02), "right_foot": (0.09, 0.09, 0.02), "neck": (0, 0, 1.45),
    "left_collar": (-0.08, 0, 1.40), "right_collar": (0.08, 0, 1.40), "head": (0, 0.02, 1.58),
    "left_shoulder": (-0.18, 0, 1.40), "right_shoulder": (0.18, 0, 1.40), "left_elbow": (-0.22, 0, 1.12),
    "right_elbow": (0.22, 0, 1.12), "left_wrist": (-0.23, 0.05, 0.87), "right_wrist": (0.23, 0.05, 0.87),
    "left_hand": (-0.23, 0.07, 0.79), "right_hand": (0.23, 0.07, 0.79),
}  # fmt: skip
_SITTING = {
    "left_knee": (-0.09, 0.42, 0.88), "right_knee": (0.09, 0.42, 0.88), "left_ankle": (-0.09, 0.42, 0.46),
    "right_ankle": (0.09, 0.42, 0.46), "left_foot": (-0.09, 0.54, 0.40), "right_foot": (0.09, 0.54, 0.40),
}  # fmt: skip


def standing() -> np.ndarray:
    """One pose, (24, 3) m, feet at the origin."""
    return np.array([_STANDING[n] for n in NAMES], dtype=np.float64)


def sitting() -> np.ndarray:
    """One pose, (24, 3) m: thighs level, the trunk upright."""
    return np.array([(_STANDING | _SITTING)[n] for n in NAMES], dtype=np.float64)


def walking(time_s: np.ndarray, speed: float = 1.3) -> np.ndarray:
    """Joints (T, 24, 3) m of someone who walks along x with 0.65 m steps; a foot on the ground stays where it is."""
    pose = standing()
    turned = pose[:, [1, 0, 2]] * [1, -1, 1]  # now facing +x
    x = speed * time_s
    joints = np.repeat(turned[None], len(time_s), axis=0) + np.c_[x, 0 * x, 0 * x][:, None]
    at = {n: i for i, n in enumerate(NAMES)}
    stride = 1.3
    for k, side in enumerate(("left", "right")):
        phase = x / stride + 0.5 * k
        part = phase % 1.0
        swing = np.clip((part - 0.6) / 0.4, 0.0, 1.0)
        place = stride * (np.floor(phase) - 0.5 * k + 0.3 + 0.5 * (1 - np.cos(np.pi * swing))) - x
        lift = 0.12 * np.sin(np.pi * swing)
        for joint, share in (("ankle", 1.0), ("foot", 1.0), ("knee", 0.5)):
            joints[:, at[f"{side}_{joint}"], 0] += share * place
            joints[:, at[f"{side}_{joint}"], 2] += share * lift
    return joints


def tilted(joints_w: np.ndarray, up_c: np.ndarray, where_c=(0.0, 0.5, 5.0)) -> np.ndarray:
    """World joints (T, 24, 3) in the axes of a camera whose up is `up_c`; world x goes to the right, origin at `where_c`."""
    up = np.asarray(up_c, dtype=np.float64)
    right = np.array([1.0, 0.0, 0.0]) - up[0] * up
    right /= np.linalg.norm(right)
    return joints_w @ np.stack([right, np.cross(up, right), up]) + np.asarray(where_c)


def track(joints_c: np.ndarray, time_s: np.ndarray, focal_px: float | None = FOCAL, **metadata) -> PoseTrack:
    """Return a pose track with those times and that metadata; its landmarks are not looked at."""
    n = len(time_s)
    return PoseTrack(
        time_s, np.zeros((n, 1, 3)), np.zeros((n, 1, 2)), np.ones((n, 1)), SIZE, ("nose",), np.zeros(n, np.int64),
        np.ones(n), np.zeros(n, np.bool_), focal_px, metadata,
    )  # fmt: skip


def angle_deg(a, b) -> float:
    """Angle between two unit vectors, degrees."""
    return float(np.degrees(np.arccos(np.clip(np.dot(a, b), -1.0, 1.0))))
