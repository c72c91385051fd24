"""UTD-MHAD (Chen 2015): one sensor on the right wrist (actions 1–21) or the right thigh (22–27), 8 people.

``d_iner`` (N, 6): acc in g, gyro in deg/s, 50 Hz; the sensor saturates at −8 g and ±1000 deg/s.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from imusim.conventions import STANDARD_GRAVITY
from mujo.data.dataset import Bout, Card, Dataset
from mujo.data.files import Files, read_mat
from mujo.errors import DatasetError

CARD = Card(
    key="utd_mhad",
    title="UTD-MHAD (Chen et al. 2015)",
    people=8,
    rate_hz=50.0,
    sensors=("right_wrist", "right_thigh"),
    classes=(
        "swipe left", "swipe right", "wave", "clap", "throw", "arm cross", "basketball shoot", "draw x",
        "draw circle clockwise", "draw circle counter-clockwise", "draw triangle", "bowling", "boxing",
        "baseball swing", "tennis swing", "arm curl", "tennis serve", "push", "knock", "catch", "pick up and throw",
        "jog", "walk", "sit to stand", "stand to sit", "lunge", "squat",
    ),
    licence="research use",
    where="https://personal.utdallas.edu/~kehtar/UTD-MHAD.html",
    wants="Inertial.zip, or its folder with a1_s1_t1_inertial.mat ... a27_s8_t4_inertial.mat",
    folder="utd_mhad",
)  # fmt: skip
_WRIST_ACTIONS = 21


def load(root: Path | str | None = None) -> Dataset:
    """Read UTD-MHAD's inertial part from its folder or archive (see `mujo.data.load`)."""
    files = Files(CARD, root)
    bouts = []
    for match, name in files.matching(r"a(\d+)_s(\d+)_t(\d+)_inertial\.mat"):
        (x,) = read_mat(files.read(name), name, "d_iner")
        action = int(match[1])
        if x.ndim != 2 or x.shape[1] != 6 or not 1 <= action <= len(CARD.classes):
            raise DatasetError(
                f"utd_mhad: {name}: d_iner has shape {x.shape}, wanted (N, 6), actions 1 to 27"
            )
        sensor = "right_wrist" if action <= _WRIST_ACTIONS else "right_thigh"
        signals = {sensor: {"acc": x[:, :3] * STANDARD_GRAVITY, "gyro": np.deg2rad(x[:, 3:])}}
        bouts.append(Bout(f"a{action}_s{match[2]}_t{match[3]}", match[2], action - 1, signals))
    return Dataset(CARD, tuple(bouts))
