"""MHEALTH (Banos 2014): chest, left ankle and right arm, 10 people, twelve activities.

Columns of ``mHealth_subject<k>.log``: chest acc (1–3), ECG (4–5), left ankle acc, gyro, mag (6–14), right arm acc,
gyro, mag (15–23), label (24, 0 is none). acc is in m/s². The gyroscopes are in deg/s says its README, but an arm that
jogs within ±2.3 deg/s there is not: the numbers are taken as rad/s.
A signal that is missing in a whole file (all NaN) is not there.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mujo.data.dataset import Bout, Card, Dataset
from mujo.data.files import Files, read_table, stretches

CARD = Card(
    key="mhealth",
    title="MHEALTH (Banos et al. 2014)",
    people=10,
    rate_hz=50.0,
    sensors=("chest", "left_ankle", "right_arm"),
    classes=(
        "standing", "sitting", "lying", "walking", "climbing stairs", "waist bends", "frontal arm elevation",
        "knee bends", "cycling", "jogging", "running", "jumping front and back", "none",
    ),
    null_class="none",
    licence="CC BY 4.0",
    where="https://archive.ics.uci.edu/dataset/319/mhealth+dataset",
    wants="MHEALTHDATASET.zip, or its folder with mHealth_subject1.log ... mHealth_subject10.log",
    folder="mhealth",
    note="the unit of the gyroscopes is doubtful: deg/s by the README, rad/s by the values; taken as rad/s",
)  # fmt: skip
_COLUMNS = {
    ("chest", "acc"): 0, ("left_ankle", "acc"): 5, ("left_ankle", "gyro"): 8,
    ("right_arm", "acc"): 14, ("right_arm", "gyro"): 17,
}  # fmt: skip


def load(root: Path | str | None = None) -> Dataset:
    """Read MHEALTH from its folder or archive (see `mujo.data.load`)."""
    files = Files(CARD, root)
    bouts = []
    for match, name in files.matching(r"mHealth_subject(\d+)\.log"):
        table = read_table(files.read(name), name, 24)
        present = {key: at for key, at in _COLUMNS.items() if np.isfinite(table[:, at : at + 3]).any()}
        label = table[:, 23].astype(np.int64)
        for number, (first, last) in enumerate(stretches(label)):
            signals: dict[str, dict[str, np.ndarray]] = {}
            for (sensor, kind), at in present.items():
                signals.setdefault(sensor, {})[kind] = table[first:last, at : at + 3]
            which = int(label[first]) - 1 if label[first] else len(CARD.classes) - 1
            bouts.append(Bout(f"{match[1]}/{number}", match[1], which, signals))
    return Dataset(CARD, tuple(bouts))
