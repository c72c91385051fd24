"""DSADS, Daily and Sports Activities (Barshan 2010): torso, arms and legs, 8 people, 19 activities.

``data/aAA/pP/sSS.txt``: 125 rows at 25 Hz, 45 columns: torso, right arm, left arm, right leg, left leg, each with
acc (m/s²), gyro (rad/s) and magnetometer. The 60 segments of an activity are one recording of five minutes, cut by its
authors: they are joined again, so that no recording is on both sides of a split.
"""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np

from mujo.data.dataset import Bout, Card, Dataset
from mujo.data.files import Files, read_table
from mujo.errors import DatasetError

CARD = Card(
    key="dsads",
    title="DSADS, daily and sports activities (Barshan and Yüksek 2014)",
    people=8,
    rate_hz=25.0,
    sensors=("torso", "right_arm", "left_arm", "right_leg", "left_leg"),
    classes=(
        "sitting", "standing", "lying on back", "lying on side", "ascending stairs", "descending stairs",
        "standing in an elevator", "moving around in an elevator", "walking in a parking lot", "walking on a treadmill",
        "walking on an inclined treadmill", "running on a treadmill", "exercising on a stepper",
        "exercising on a cross trainer", "cycling horizontally", "cycling vertically", "rowing", "jumping",
        "playing basketball",
    ),
    licence="CC BY 4.0",
    where="https://archive.ics.uci.edu/dataset/256",
    wants="the archive, or its folder data/ with a01/p1/s01.txt ... a19/p8/s60.txt",
    folder="dsads",
)  # fmt: skip


def load(root: Path | str | None = None) -> Dataset:
    """Read DSADS from its folder or archive (see `mujo.data.load`)."""
    files = Files(CARD, root)
    segments: dict[tuple[int, int], dict[int, np.ndarray]] = {}
    for match, name in files.matching(r"a(\d\d)/p(\d)/s(\d\d)\.txt"):
        table = read_table(files.read(name), name, 45, delimiter=",")
        segments.setdefault((int(match[1]), int(match[2])), {})[int(match[3])] = table
    bouts = []
    for (activity, person), parts in sorted(segments.items()):
        if not 1 <= activity <= len(CARD.classes):
            raise DatasetError(f"dsads: activity a{activity:02d}: wanted a01 to a19")
        numbers = sorted(parts)
        breaks = [
            0,
            *[i + 1 for i in range(len(numbers) - 1) if numbers[i + 1] != numbers[i] + 1],
            len(numbers),
        ]
        for first, last in itertools.pairwise(breaks):  # a missing segment is a gap
            x = np.concatenate([parts[n] for n in numbers[first:last]])
            signals = {
                sensor: {"acc": x[:, 9 * i : 9 * i + 3], "gyro": x[:, 9 * i + 3 : 9 * i + 6]}
                for i, sensor in enumerate(CARD.sensors)
            }
            bouts.append(
                Bout(f"a{activity:02d}/p{person}/s{numbers[first]:02d}", str(person), activity - 1, signals)
            )
    return Dataset(CARD, tuple(bouts))
