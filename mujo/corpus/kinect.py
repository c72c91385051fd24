"""UTD-MHAD's Kinect skeletons as clips: the right wrist's acceleration from the joints, beside what was really measured.

Used for cross-modal transfer only: training people's own motion with its action names.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import imusim as im
from imusim.conventions import STANDARD_GRAVITY
from imusim.rotation import from_matrix, rotate_inverse
from mujo.corpus import Clip
from mujo.data.files import Files, read_mat
from mujo.data.utd_mhad import CARD
from mujo.errors import DatasetError

Floats = NDArray[np.float64]
RATE_HZ = 50.0
WRIST_ACTIONS = 21
PLACE = "right_wrist"
_LEFT_SHOULDER, _RIGHT_SHOULDER, _RIGHT_ELBOW, _RIGHT_WRIST, _HIPS = 5, 9, 10, 11, 3
_JOINTS = (0, 1, 2, 3, 5, 6, 7, 9, 10, 11, 13, 14, 15, 17, 18, 19)
"""Without hands and feet, which the Kinect knows worst."""
_EDGE = 5


@dataclass(frozen=True)
class Trial:
    """One action of one person.

    Attributes
    ----------
    action : 0 to 20; person, number : as in the file's name
    joints : (T, 20, 3) · m · z up, on the IMU's clock, 50 Hz, low-passed at 3 Hz
    acc : (T, 3) · m/s², what the sensor measured
    """

    action: int
    person: str
    number: int
    joints: Floats
    acc: Floats

    @property
    def session(self) -> str:
        """Person and repetition."""
        return f"s{self.person}_t{self.number}"


def read_trials(root: Path | str | None = None) -> list[Trial]:
    """Read the skeletons and inertial signals of the wrist actions.

    The skeleton has no clock: its frames are spread evenly over the inertial recording.

    Raises
    ------
    DatasetError
        If files are missing or of another layout.
    """
    from scipy.interpolate import CubicSpline
    from scipy.signal import butter, sosfiltfilt

    files = Files(CARD, root)
    low = butter(2, 3.0, fs=RATE_HZ, output="sos")
    skeletons = {m.groups(): n for m, n in files.matching(r"a(\d+)_s(\d+)_t(\d+)_skeleton\.mat")}
    out = []
    for match, name in files.matching(r"a(\d+)_s(\d+)_t(\d+)_inertial\.mat"):
        action = int(match[1])
        if action > WRIST_ACTIONS:
            continue
        if match.groups() not in skeletons:
            raise DatasetError(f"utd_mhad: {name} has no skeleton beside it; wanted Skeleton.zip too")
        (x,) = read_mat(files.read(name), name, "d_iner")
        other = skeletons[match.groups()]
        (s,) = read_mat(files.read(other), other, "d_skel")
        joints = np.stack([s[:, 0], -s[:, 2], s[:, 1]], axis=1).transpose(2, 0, 1)  # y up, z away → z up
        seconds = len(x) / RATE_HZ
        joints = CubicSpline(np.linspace(0, seconds, len(joints)), joints)(np.arange(len(x)) / RATE_HZ)
        out.append(
            Trial(
                action - 1,
                match[2],
                int(match[3]),
                sosfiltfilt(low, joints, axis=0),
                x[:, :3] * STANDARD_GRAVITY,
            )
        )
    return out


def wrist_force(trial: Trial) -> Floats:
    """Specific force at the right wrist (T, 3) · m/s² · forearm axes, from the joints alone.

    x points from elbow to wrist, y to the person's right as far as it is at right angles to x: the forearm's twist is
    not in the joints.
    """
    p = trial.joints
    x = _unit(p[:, _RIGHT_WRIST] - p[:, _RIGHT_ELBOW])
    right = _unit(p[:, _RIGHT_SHOULDER] - p[:, _LEFT_SHOULDER])
    y = _unit(right - (right * x).sum(axis=1, keepdims=True) * x)
    q_ws = from_matrix(np.stack([x, y, np.cross(x, y)], axis=-1))
    time = np.arange(len(p)) / RATE_HZ
    moved = im.Trajectory(time, p[:, _RIGHT_WRIST], q_ws).kinematics(time)
    return rotate_inverse(moved.orientation[:, 0], moved.acceleration[:, 0] + [0.0, 0.0, STANDARD_GRAVITY])


def fit_mounting(trials: Sequence[Trial]) -> Floats:
    """Rotation (3, 3), forearm axes to the sensor's, by least squares over paired signals (Kabsch).

    Samples above 4 g, where the sensor saturates or the joints jump, are left out.
    """
    from scipy.signal import butter, sosfiltfilt

    low = butter(2, 5.0, fs=RATE_HZ, output="sos")
    made = np.concatenate([wrist_force(t)[_EDGE:-_EDGE] for t in trials])
    real = np.concatenate([sosfiltfilt(low, t.acc, axis=0)[_EDGE:-_EDGE] for t in trials])
    fine = np.linalg.norm(made, axis=1) < 4 * STANDARD_GRAVITY
    u, _, vt = np.linalg.svd(real[fine].T @ made[fine])
    return u @ np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ vt))]) @ vt


def kinect_clips(
    trials: Sequence[Trial], R_sf: Floats, texts: dict[str, tuple[tuple[str, ...], NDArray]]
) -> list[Clip]:
    """Clips with simulated acceleration (no gyroscope), pose and the action's name.

    Parameters
    ----------
    trials : of training people only
    R_sf : (3, 3), forearm to sensor axes
    texts : action → (sentences, their frozen features (P, D))

    Notes
    -----
    The first session (a person's repetition) is for validation.
    """
    held_out = min(t.session for t in trials)
    clips = []
    for t in trials:
        force = wrist_force(t)[_EDGE:-_EDGE] @ R_sf.T
        imu = np.full((len(force), 1, 6), np.nan, np.float32)
        imu[:, 0, :3] = force
        name = CARD.classes[t.action]
        clips.append(
            Clip(
                key=f"a{t.action + 1}_{t.session}",
                rate_hz=RATE_HZ,
                imu=imu,
                placements=(PLACE,),
                pose=_heading_off(t.joints[_EDGE:-_EDGE]),
                text=texts[name][0],
                text_features=texts[name][1],
                label=name,
                source="mocap",
                split="validation" if t.session == held_out else "train",
                group=t.session,
            )
        )
    return clips


def _heading_off(joints: Floats) -> NDArray[np.float32]:
    """Joints from the hips, the first frame's heading turned to +y."""
    at = joints[:, _JOINTS] - joints[:, [_HIPS]]
    right = joints[0, _RIGHT_SHOULDER] - joints[0, _LEFT_SHOULDER]
    c, s = right[:2] / np.linalg.norm(right[:2])
    return (at @ np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])).astype(np.float32)


def _unit(v: Floats) -> Floats:
    return v / np.linalg.norm(v, axis=-1, keepdims=True)
