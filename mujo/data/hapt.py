"""HAPT (Reyes-Ortiz 2015): phone on the waist, 30 people, six activities and six transitions.

``RawData/acc_expNN_userNN.txt`` in g, ``gyro_…`` in rad/s, 50 Hz; ``labels.txt``: experiment, person, activity, first
and last sample (from 1). What has no label is left out.
"""

from __future__ import annotations

from pathlib import Path

from imusim.conventions import STANDARD_GRAVITY
from mujo.data.dataset import Bout, Card, Dataset
from mujo.data.files import Files, read_table
from mujo.errors import DatasetError

CARD = Card(
    key="hapt",
    title="HAPT, smartphone activities and postural transitions (Reyes-Ortiz et al. 2015)",
    people=30,
    rate_hz=50.0,
    sensors=("waist",),
    classes=(
        "walking", "walking upstairs", "walking downstairs", "sitting", "standing", "laying", "stand to sit",
        "sit to stand", "sit to lie", "lie to sit", "stand to lie", "lie to stand",
    ),
    licence="CC BY 4.0",
    where="https://archive.ics.uci.edu/dataset/341",
    wants="the archive, or its folder RawData/ with acc_exp01_user01.txt, gyro_exp01_user01.txt ... and labels.txt",
    folder="hapt",
)  # fmt: skip


def load(root: Path | str | None = None) -> Dataset:
    """Read HAPT's raw signals from its folder or archive (see `mujo.data.load`)."""
    files = Files(CARD, root)
    ((_, label_file),) = list(files.matching(r"labels\.txt"))[:1]
    labels = read_table(files.read(label_file), label_file, 5).astype(int)
    recordings = {}
    for match, name in files.matching(r"acc_exp(\d+)_user(\d+)\.txt"):
        other = name.replace("acc_exp", "gyro_exp")
        gyro = files.optional(other)
        if gyro is None:
            raise DatasetError(
                f"hapt: {other} is missing beside {name}. Get the whole archive from {CARD.where}."
            )
        acc_table, gyro_table = read_table(files.read(name), name, 3), read_table(gyro, other, 3)
        if len(acc_table) != len(gyro_table):
            raise DatasetError(
                f"hapt: {name} has {len(acc_table)} rows and {other} {len(gyro_table)}: cut short?"
            )
        recordings[int(match[1]), int(match[2])] = (acc_table * STANDARD_GRAVITY, gyro_table)
    bouts = []
    missing = 0
    for number, (experiment, person, activity, first, last) in enumerate(labels.tolist()):
        if (experiment, person) not in recordings:
            missing += 1
            continue
        acc, gyro_signal = recordings[experiment, person]
        if not (1 <= first <= last <= len(acc)) or not 1 <= activity <= len(CARD.classes):
            raise DatasetError(
                f"hapt: {label_file}, row {number + 1}: samples {first} to {last} of {len(acc)}, activity {activity}"
            )
        part = slice(first - 1, last)
        signals = {"waist": {"acc": acc[part], "gyro": gyro_signal[part]}}
        bouts.append(Bout(f"exp{experiment:02d}/{number}", str(person), activity - 1, signals))
    return Dataset(
        CARD, tuple(bouts), missing={"labelled stretches without signals": missing} if missing else {}
    )
