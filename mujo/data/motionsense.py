"""MotionSense (Malekzadeh 2018): phone in the front trouser pocket, 24 people, six activities.

The files hold Apple's ``gravity`` and ``userAcceleration`` (in g, gravity pointing down at rest): specific force is
``−(gravity + userAcceleration) · 9.80665``.
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np

from imusim.conventions import STANDARD_GRAVITY
from mujo.data.dataset import Bout, Card, Dataset
from mujo.data.files import Files
from mujo.errors import DatasetError

CARD = Card(
    key="motionsense",
    title="MotionSense (Malekzadeh et al. 2018)",
    people=24,
    rate_hz=50.0,
    sensors=("pocket",),
    classes=("downstairs", "upstairs", "walking", "jogging", "standing", "sitting"),
    licence="MIT",
    where="https://github.com/mmalekzadeh/motion-sense",
    wants="A_DeviceMotion_data.zip, or its folder with dws_1/sub_1.csv ... wlk_15/sub_24.csv",
    folder="motionsense",
)
_CODES = ("dws", "ups", "wlk", "jog", "std", "sit")
_AXES = ("x", "y", "z")
_COLUMNS = [f"{name}.{axis}" for name in ("gravity", "userAcceleration", "rotationRate") for axis in _AXES]


def load(root: Path | str | None = None) -> Dataset:
    """Read MotionSense from its folder or archive (see `mujo.data.load`)."""
    import pandas as pd

    files = Files(CARD, root)
    bouts = []
    for match, name in files.matching(r"(dws|ups|wlk|jog|std|sit)_(\d+)/sub_(\d+)\.csv"):
        try:
            table = pd.read_csv(BytesIO(files.read(name)), usecols=_COLUMNS, dtype=np.float64)[
                _COLUMNS
            ].to_numpy()
        except ValueError as error:
            raise DatasetError(f"motionsense: {name} is not as published ({error}).") from None
        bouts.append(
            Bout(
                id=f"{match[1]}_{match[2]}/sub_{match[3]}",
                person=match[3],
                label=_CODES.index(match[1]),
                signals={
                    "pocket": {
                        "acc": -(table[:, 0:3] + table[:, 3:6]) * STANDARD_GRAVITY,
                        "gyro": table[:, 6:9],
                    }
                },
            )
        )
    return Dataset(CARD, tuple(bouts))
