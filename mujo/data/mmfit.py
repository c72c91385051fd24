"""MM-Fit (Strömbäck 2020): two watches, two phones in the pockets, one earbud; 21 workouts, ten exercises.

``wNN/wNN_<place>_<acc|gyr>.npy``: rows of video frame, time stamp (ms), x, y, z; ``wNN_labels.csv``: first and last
video frame, repetitions, exercise (no header). The stamps are irregular: signals are interpolated on 100 Hz, and where
stamps are more than 0.1 s apart nothing is said (NaN). What is between the labelled sets is "non_activity".
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np

from mujo.data.dataset import Bout, Card, Dataset
from mujo.data.files import Files, read_array, stretches
from mujo.errors import DatasetError

CARD = Card(
    key="mmfit",
    title="MM-Fit (Strömbäck et al. 2020)",
    people=21,
    rate_hz=100.0,
    sensors=("left_wrist", "right_wrist", "left_pocket", "right_pocket", "left_ear"),
    classes=(
        "squats", "pushups", "dumbbell_shoulder_press", "lunges", "dumbbell_rows", "situps", "tricep_extensions",
        "bicep_curls", "lateral_shoulder_raises", "jumping_jacks", "non_activity",
    ),
    null_class="non_activity",
    licence="research use",
    where="https://mmfit.github.io",
    wants="mm-fit.zip, or its folders w00 ... w20 with w00_labels.csv, w00_sw_l_acc.npy, w00_sw_l_gyr.npy ...",
    folder="mmfit",
    note="people are workouts: the files do not say who did which",
)  # fmt: skip
PUBLISHED = {
    "unseen": {
        "train": ("01", "02", "03", "04", "06", "07", "08", "16", "17", "18"),
        "validation": ("14", "15", "19"),
        "test": ("00", "05", "12", "13", "20"),
    },
    "seen": {
        "train": ("01", "02", "03", "04", "06", "07", "08", "16", "17", "18"),
        "validation": ("14", "15", "19"),
        "test": ("09", "10", "11"),
    },
}
_PLACES = {
    "sw_l": "left_wrist",
    "sw_r": "right_wrist",
    "sp_l": "left_pocket",
    "sp_r": "right_pocket",
    "eb_l": "left_ear",
}
_KINDS = {"acc": "acc", "gyr": "gyro"}
_LONGEST_GAP_S = 0.1


def load(root: Path | str | None = None) -> Dataset:
    """Read MM-Fit from its folder or archive (see `mujo.data.load`)."""
    files = Files(CARD, root)
    workouts: dict[str, dict[tuple[str, str], np.ndarray]] = {}
    for match, name in files.matching(r"w(\d\d)_(sw_l|sw_r|sp_l|sp_r|eb_l)_(acc|gyr)\.npy"):
        table = read_array(files.read(name), name)
        if table.ndim != 2 or table.shape[1] != 5 or len(table) < 2:
            raise DatasetError(
                f"mmfit: {name} has shape {table.shape}, wanted (N, 5): frame, time stamp, x, y, z"
            )
        workouts.setdefault(match[1], {})[_PLACES[match[2]], _KINDS[match[3]]] = table.astype(np.float64)
    bouts: list[Bout] = []
    for workout, tables in workouts.items():
        text = files.optional(f"w{workout}_labels.csv")
        if text is None:
            raise DatasetError(
                f"mmfit: w{workout}_labels.csv is missing beside the signals. Get {CARD.wants}."
            )
        bouts += _bouts(workout, tables, read_labels(text, f"w{workout}_labels.csv"))
    return Dataset(CARD, tuple(bouts), PUBLISHED)


def read_labels(text: bytes, name: str) -> list[tuple[int, int, int, str]]:
    """Rows of a label file: first frame, last frame, repetitions, exercise.

    Raises
    ------
    DatasetError
        If a row is not that, or names an unknown exercise.
    """
    import pandas as pd

    try:
        table = pd.read_csv(BytesIO(text), header=None, names=["first", "last", "count", "what"])
        rows = [(int(a), int(b), int(c), str(d).strip()) for a, b, c, d in table.itertuples(index=False)]
    except (ValueError, TypeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise DatasetError(f"mmfit: {name} is not a label file ({error}).") from None
    for first, last, _, what in rows:
        if what not in CARD.classes or not 0 <= first <= last:
            raise DatasetError(f"mmfit: {name}: row {first},{last},…,{what} is not of the official labels")
    return rows


def _bouts(
    workout: str, tables: dict[tuple[str, str], np.ndarray], labels: list[tuple[int, int, int, str]]
) -> list[Bout]:
    first = max(t[0, 1] for t in tables.values())
    last = min(t[-1, 1] for t in tables.values())
    if last <= first:
        raise DatasetError(f"mmfit: the signals of workout {workout} have no time in common")
    time_ms = np.arange(first, last, 1000.0 / CARD.rate_hz)
    signals = {key: _on_grid(table, time_ms) for key, table in tables.items()}
    reference = next(iter(tables.values()))
    frame = np.interp(time_ms, reference[:, 1], reference[:, 0])
    label = np.full(time_ms.size, CARD.classes.index("non_activity"))
    number = np.zeros(time_ms.size, dtype=int)  # neighbouring sets of one exercise stay apart
    for i, (begin, end, _, what) in enumerate(labels):
        inside = (frame >= begin) & (frame < end + 1)  # the last frame lasts until the next
        label[inside], number[inside] = CARD.classes.index(what), i + 1
    out = []
    for i, (a, b) in enumerate(stretches(label, number)):
        part: dict[str, dict[str, np.ndarray]] = {}
        for (place, kind), x in signals.items():
            part.setdefault(place, {})[kind] = x[a:b]
        out.append(Bout(f"w{workout}/{i}", workout, int(label[a]), part))
    return out


def _on_grid(table: np.ndarray, time_ms: np.ndarray) -> np.ndarray:
    """Signals (T, 3) at the wanted times; NaN in gaps."""
    stamps, at = np.unique(table[:, 1], return_index=True)
    x = np.stack([np.interp(time_ms, stamps, table[at, 2 + i]) for i in range(3)], axis=1)
    after = np.clip(np.searchsorted(stamps, time_ms), 1, stamps.size - 1)
    x[stamps[after] - stamps[after - 1] > 1000.0 * _LONGEST_GAP_S] = np.nan
    return x
