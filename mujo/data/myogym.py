"""MyoGym (Koskimäki 2017): Myo armband on the right forearm, 10 people, 30 gym exercises, the rest is "none".

``MyoGym.mat``: raw_data (columns from 1: 10–12 acc in g, 14–16 gyro in deg/s), activity (99: none), trainer.
The armband's buffer repeats rows; a row equal to the one before in acc and gyro is dropped, the others are taken as
50 Hz.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from imusim.conventions import STANDARD_GRAVITY
from mujo.data.dataset import Bout, Card, Dataset
from mujo.data.files import Files, read_mat, stretches
from mujo.errors import DatasetError

CARD = Card(
    key="myogym",
    title="MyoGym (Koskimäki et al. 2017)",
    people=10,
    rate_hz=50.0,
    sensors=("right_forearm",),
    classes=(
        "seated cable rows", "one-arm dumbbell row", "wide-grip pulldown behind the neck", "bent over barbell row",
        "reverse grip bent-over row", "wide-grip front pulldown", "bench press", "incline dumbbell flyes",
        "incline dumbbell press", "dumbbell flyes", "pushups", "leverage chest press",
        "close-grip barbell bench press", "bar skullcrusher", "triceps pushdown", "bench dip",
        "overhead triceps extension", "tricep dumbbell kickback", "spider curl", "dumbbell alternate bicep curl",
        "incline hammer curl", "concentration curl", "cable curl", "hammer curl", "upright barbell row",
        "side lateral raise", "front dumbbell raise", "seated dumbbell shoulder press", "car drivers",
        "lying rear delt raise", "none",
    ),
    null_class="none",
    licence="not stated; research use",
    where="https://www.oulu.fi/bisg/node/40364",
    wants="MyoGym.mat",
    folder="myogym",
    note="names of the classes from the paper's table, not checked against the file",
)  # fmt: skip
_NULL = 99


def load(root: Path | str | None = None) -> Dataset:
    """Read MyoGym from its file (see `mujo.data.load`)."""
    files = Files(CARD, root)
    ((_, name),) = list(files.matching(r"MyoGym\.mat"))[:1]
    raw, activity, trainer = read_mat(files.read(name), name, "raw_data", "activity", "trainer")
    activity, trainer = activity.ravel().astype(np.int64), trainer.ravel().astype(np.int64)
    if raw.ndim != 2 or raw.shape[1] < 16 or not len(raw) == activity.size == trainer.size:
        raise DatasetError(
            f"{name}: raw_data {raw.shape}, activity {activity.shape}, trainer {trainer.shape}; wanted as many labels "
            "as rows, and 16 columns or more"
        )
    wrong = set(np.unique(activity).tolist()) - {*range(1, 31), _NULL}
    if wrong:
        raise DatasetError(f"{name}: unknown activities {sorted(wrong)}; wanted 1 to 30 and {_NULL}")
    x = raw[:, [9, 10, 11, 13, 14, 15]]
    fresh = np.ones(len(x), dtype=bool)
    fresh[1:] = (x[1:] != x[:-1]).any(axis=1)
    x, activity, trainer = x[fresh], activity[fresh], trainer[fresh]
    bouts = []
    for number, (first, last) in enumerate(stretches(activity, trainer)):
        label = len(CARD.classes) - 1 if activity[first] == _NULL else int(activity[first]) - 1
        part = x[first:last]
        signals = {"right_forearm": {"acc": part[:, :3] * STANDARD_GRAVITY, "gyro": np.deg2rad(part[:, 3:])}}
        bouts.append(Bout(f"{trainer[first]}/{number}", str(trainer[first]), label, signals))
    repeated = int((~fresh).sum())
    return Dataset(CARD, tuple(bouts), missing={"repeated rows": repeated} if repeated else {})
