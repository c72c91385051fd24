"""UTD-MHAD's Kinect skeletons as clips: the right wrist's acceleration from the joints, beside what was really measured.

Used for cross-modal transfer only: training people's own motion with its action names.
"""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import imusim as im
from imusim.conventions import STANDARD_GRAVITY
from imusim.errors import QualityWarning
from mujo.corpus import Clip
from mujo.corpus.joints import pose_of
from mujo.data.files import Files, read_mat
from mujo.data.utd_mhad import CARD
from mujo.errors import DatasetError

Floats = NDArray[np.float64]
RATE_HZ = 50.0
WRIST_ACTIONS = 21
PLACE = "right_wrist"
_FINE = 4
"""Simulated samples a real one, so that a delay can be taken off by interpolation."""
_DELAYS_S = np.arange(0.0, 0.121, 0.015)
_BAND_HZ = 5.0
_EDGE = 5


@dataclass(frozen=True)
class Trial:
    """One action of one person.

    Attributes
    ----------
    action : 0 to 20; person, number : as in the file's name
    motion : what `imusim.read_motion` makes of the skeleton, its frames spread evenly over the inertial recording
    force : (4 N, 3) · m/s² · specific force of a perfect sensor at the right wrist, segment axes, 200 Hz
    acc : (N, 3) · m/s², what the sensor measured, 50 Hz
    """

    action: int
    person: str
    number: int
    motion: im.Motion
    force: Floats
    acc: Floats

    @property
    def session(self) -> str:
        """Person and repetition."""
        return f"s{self.person}_t{self.number}"

    @property
    def time_s(self) -> Floats:
        """(N,) · s, of the real samples."""
        return np.arange(len(self.acc)) / RATE_HZ


@dataclass(frozen=True)
class Alignment:
    """How the simulated wrist lies to the sensor, from paired signals of some people.

    Attributes
    ----------
    delay_s : by which the skeletons are late
    R_sf : (3, 3), forearm (segment) axes to the sensor's
    """

    delay_s: float
    R_sf: Floats


def read_trials(root: Path | str | None = None, every: int = 1) -> list[Trial]:
    """Read the skeletons and inertial signals of the wrist actions, every n-th of them.

    The skeleton has no clock: its frames are spread evenly over the inertial recording. Its delay is left in
    (`fit_alignment` finds it).

    Raises
    ------
    DatasetError
        If files are missing or of another layout.
    """
    files = Files(CARD, root)
    skeletons = {m.groups(): n for m, n in files.matching(r"a(\d+)_s(\d+)_t(\d+)_skeleton\.mat")}
    found = list(files.matching(r"a(\d+)_s(\d+)_t(\d+)_inertial\.mat"))
    out = []
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", QualityWarning)  # a Kinect's bones do change their lengths
        for match, name in [f for f in found if int(f[0][1]) <= WRIST_ACTIONS][::every]:
            if match.groups() not in skeletons:
                raise DatasetError(f"utd_mhad: {name} has no skeleton beside it; wanted Skeleton.zip too")
            (x,) = read_mat(files.read(name), name, "d_iner")
            other = skeletons[match.groups()]
            content = files.read(other)
            (s,) = read_mat(content, other, "d_skel")
            path = Path(folder) / Path(other).name
            path.write_bytes(content)
            motion = im.read_motion(path, rate_hz=(s.shape[2] - 1) * RATE_HZ / len(x), delay_s=0.0)
            path.unlink()
            made = im.simulate(motion, [PLACE], time_s=_instants(len(x)))
            acc = x[:, :3] * STANDARD_GRAVITY
            out.append(Trial(int(match[1]) - 1, match[2], int(match[3]), motion, made.acc[:, 0], acc))
    return out


def wrist_force(trial: Trial, delay_s: float = 0.0) -> Floats:
    """Specific force at the right wrist (N, 3) · m/s² · segment axes, at the real samples, from the joints alone.

    After the last frame the last value is held.
    """
    return _at(trial.force, trial.time_s + delay_s)


def fit_alignment(trials: Sequence[Trial]) -> Alignment:
    """Delay and mounting rotation by least squares over paired signals (Kabsch), both below 5 Hz.

    Samples above 4 g, where the sensor saturates or the joints jump, are left out.

    Raises
    ------
    DatasetError
        If there is no trial.
    """
    if not trials:
        raise DatasetError("utd_mhad: no trial to align")
    real = np.concatenate([_below(t.acc, RATE_HZ)[_EDGE:-_EDGE] for t in trials])
    made = [_below(t.force, _FINE * RATE_HZ) for t in trials]
    best: tuple[float, Alignment] | None = None
    for delay in _DELAYS_S.tolist():
        moved = np.concatenate(
            [_at(f, t.time_s + delay)[_EDGE:-_EDGE] for f, t in zip(made, trials, strict=True)]
        )
        fine = np.linalg.norm(moved, axis=1) < 4 * STANDARD_GRAVITY
        u, _, vt = np.linalg.svd(real[fine].T @ moved[fine])
        turn = u @ np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ vt))]) @ vt
        cost = float(((real[fine] - moved[fine] @ turn.T) ** 2).mean())
        if best is None or cost < best[0]:
            best = cost, Alignment(delay, turn)
    assert best is not None
    return best[1]


def kinect_clips(
    trials: Sequence[Trial], alignment: Alignment, texts: dict[str, tuple[tuple[str, ...], NDArray]]
) -> list[Clip]:
    """Clips with simulated acceleration (no gyroscope), pose and the action's name.

    Parameters
    ----------
    trials : of training people only
    alignment : fitted on training people
    texts : action → (sentences, their frozen features (P, D))

    Notes
    -----
    The first session (a person's repetition) is for validation.
    """
    held_out = min(t.session for t in trials)
    clips = []
    for t in trials:
        force = wrist_force(t, alignment.delay_s)[_EDGE:-_EDGE] @ alignment.R_sf.T
        imu = np.full((len(force), 1, 6), np.nan, np.float32)
        imu[:, 0, :3] = force
        name = CARD.classes[t.action]
        clips.append(
            Clip(
                key=f"a{t.action + 1}_{t.session}",
                rate_hz=RATE_HZ,
                imu=imu,
                placements=(PLACE,),
                pose=pose_of(t.motion, t.time_s[_EDGE:-_EDGE] + alignment.delay_s),
                text=texts[name][0],
                text_features=texts[name][1],
                label=name,
                source="mocap",
                split="validation" if t.session == held_out else "train",
                group=t.session,
            )
        )
    return clips


def _instants(samples: int) -> Floats:
    """(4 N,) · s, of the simulated samples."""
    return np.arange(_FINE * samples) / (_FINE * RATE_HZ)


def _at(force: Floats, time_s: Floats) -> Floats:
    t = _instants(len(force) // _FINE)
    return np.stack([np.interp(time_s, t, f) for f in force.T], axis=1)


def _below(x: Floats, rate_hz: float) -> Floats:
    from scipy.signal import butter, sosfiltfilt

    return sosfiltfilt(butter(2, _BAND_HZ, fs=rate_hz, output="sos"), x, axis=0)
