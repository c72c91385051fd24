"""UTD-MHAD for scoring: skeletons as files, the inertial signals beside them, sensors where the kit sat."""

from __future__ import annotations

import io
import os
import re
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.io import loadmat

import imusim as im
from imusim.conventions import STANDARD_GRAVITY
from imusim.motion_io.layouts import KINECT20
from imusim.types import Motion

Floats = NDArray[np.float64]
RATE_HZ = 50.0
WRIST_ACTIONS = 21
TO_WORLD = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
"""The camera's axes (y up, z away) to the world's."""


@dataclass(frozen=True)
class Trial:
    """One action of one person.

    Attributes
    ----------
    name : "a1_s1_t1"
    person : 1 to 8
    place : "right_wrist" or "right_thigh"
    joints : (F, J, 3) · m · world, as the Kinect gave them, in the order of `KINECT20.joints`
    frame_s : (F,) · s, frames spread evenly over the inertial recording
    time_s : (N,) · s, of the inertial samples
    acc, gyro : (N, 3) · m/s², rad/s · the real sensor's axes
    motion : what `read_motion` makes of the file at those times: without the delay that it takes off otherwise
    """

    name: str
    person: int
    place: str
    joints: Floats
    frame_s: Floats
    time_s: Floats
    acc: Floats
    gyro: Floats
    motion: Motion


def trials(every: int = 1) -> Iterator[Trial]:
    """Every n-th trial, read by `im.read_motion` from a file of its own."""
    root = Path(os.environ["MUJO_DATA"]) / "utd_mhad"
    with (
        zipfile.ZipFile(root / "Skeleton.zip") as skeletons,
        zipfile.ZipFile(root / "Inertial.zip") as inertial,
        tempfile.TemporaryDirectory() as folder,
    ):
        found = [
            {m[0]: n for n in z.namelist() if n.endswith(".mat") and (m := re.search(r"a\d+_s\d+_t\d+", n))}
            for z in (skeletons, inertial)
        ]
        for key in sorted(found[0])[::every]:
            raw = skeletons.read(found[0][key])
            path = Path(folder) / "skeleton.mat"
            path.write_bytes(raw)
            seen = loadmat(io.BytesIO(raw))["d_skel"].astype(float).transpose(2, 0, 1)
            imu = loadmat(io.BytesIO(inertial.read(found[1][key])))["d_iner"].astype(float)
            action, person, _ = (int(n[1:]) for n in key.split("_"))
            seconds = len(imu) / RATE_HZ
            yield Trial(
                key,
                person,
                "right_wrist" if action <= WRIST_ACTIONS else "right_thigh",
                KINECT20.positions(seen) @ TO_WORLD.T,
                np.linspace(0, seconds, len(seen)),
                np.arange(len(imu)) / RATE_HZ,
                imu[:, :3] * STANDARD_GRAVITY,
                np.radians(imu[:, 3:]),
                im.read_motion(path, rate_hz=(len(seen) - 1) / seconds, delay_s=0.0),
            )


@dataclass(frozen=True)
class Signals:
    """Specific force and angular rate of one sensor, (n,) · s and (n, 3) · m/s², rad/s."""

    time_s: Floats
    acc: Floats
    gyro: Floats

    def at(self, time_s: Floats) -> tuple[Floats, Floats]:
        """Acc and gyro (N, 3) at `time_s` (N,), held after the end."""
        return tuple(
            np.stack([np.interp(time_s, self.time_s, c) for c in v.T], axis=1) for v in (self.acc, self.gyro)
        )  # type: ignore[return-value]


def simulated(motion: Motion, places: Sequence[str]) -> list[Signals]:
    """What `im.simulate` gives for perfect sensors there, at 200 Hz: the inertial samples' instants among them."""
    made = im.simulate(motion, list(places), rate_hz=4 * RATE_HZ)
    return [Signals(made.time_s, made.acc[:, i], made.gyro[:, i]) for i in range(len(places))]
