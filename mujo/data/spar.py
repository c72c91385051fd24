"""SPAR (Burns 2018): smartwatch on the wrist, seven shoulder exercises, 10 people, both arms.

The file is an asset (a wheel carries it) and a pickle of numpy arrays. It is read once, after its sha256 was checked,
by an unpickler that makes nothing but arrays, and kept as plain numbers beside it. acc in g, gyro in rad/s, 50 Hz.

The file's acc has the sign of a watch's own interface, in which gravity points down: on both arms, in every exercise
whose posture is known (arms that hang, palms down at the side, elbows bent with thumbs up), all three axes have the
opposite of the specific force that such a watch feels. It is turned round here.
"""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np

import imusim as im
from imusim.atomic import written_together
from imusim.conventions import STANDARD_GRAVITY
from mujo.data.dataset import Bout, Card, Dataset
from mujo.errors import DatasetError

CARD = Card(
    key="spar",
    title="SPAR, shoulder physiotherapy exercises (Burns et al. 2018)",
    people=10,
    rate_hz=50.0,
    sensors=("wrist",),
    classes=(
        "pendulum", "abduction", "forward elevation", "internal rotation", "external rotation", "trapezius extension",
        "upright row",
    ),
    licence="BSD-3-Clause (as part of seglearn)",
    where="the package seglearn 1.2.5, fetched on first use (asset spar)",
    wants="watch_dataset.npy",
    folder="spar",
)  # fmt: skip
_CODES = ["PEN", "ABD", "FEL", "IR", "ER", "TRAP", "ROW"]
_ALLOWED = {
    ("numpy", "ndarray"), ("numpy", "dtype"), ("numpy.core.multiarray", "_reconstruct"), ("_codecs", "encode"),
}  # fmt: skip


def load(root: Path | str | None = None) -> Dataset:
    """Read SPAR; `root` may be a copy of the file (see `mujo.data.load`)."""
    path = im.asset("spar") if root is None else _given(Path(root))
    plain = path.with_suffix(".plain.npz")
    if not plain.is_file():
        _convert(path, plain)
    with np.load(plain, allow_pickle=False) as content:
        x, lengths, y, person, side = (content[k] for k in ("x", "lengths", "y", "person", "side"))
    bouts = []
    ends = np.cumsum(lengths)
    for i, (start, end) in enumerate(zip(ends - lengths, ends, strict=True)):
        part = x[start:end].astype(np.float64)
        signals = {"wrist": {"acc": -part[:, :3] * STANDARD_GRAVITY, "gyro": part[:, 3:]}}
        arm = "right" if side[i] else "left"
        bouts.append(Bout(f"{person[i]}/{_CODES[y[i]]}/{arm}/{i}", str(person[i]), int(y[i]), signals))
    return Dataset(CARD, tuple(bouts))


def _given(root: Path) -> Path:
    path = root / "watch_dataset.npy" if root.is_dir() else root
    if not path.is_file():
        raise DatasetError(f"spar: no file {path}. Leave the folder out: it is fetched on first use.")
    return im.asset("spar", path=path)


class _OnlyArrays(pickle.Unpickler):
    """Unpickles numpy arrays, lists and numbers; anything else is refused."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise DatasetError(
                f"spar: the file asks for {module}.{name}: refused. It is not the published one."
            )
        return super().find_class(module.replace("numpy.core", "numpy._core"), name)


def _convert(path: Path, plain: Path) -> None:
    with open(path, "rb") as stream:
        np.lib.format.read_magic(stream)
        np.lib.format.read_array_header_1_0(stream)
        content = _OnlyArrays(io.BytesIO(stream.read()), encoding="latin1").load()
    record = content.item() if isinstance(content, np.ndarray) else content
    if list(record["y_labels"]) != _CODES:
        raise DatasetError("spar: the file's classes are not those of the published one")
    with written_together(plain) as (partial,), open(partial, "wb") as out:
        np.savez_compressed(
            out,
            x=np.concatenate(record["X"]).astype(np.float32),
            lengths=np.array([len(a) for a in record["X"]]),
            y=np.asarray(record["y"], dtype=np.int64),
            person=np.asarray(record["subject"], dtype=np.int64),
            side=np.asarray(record["side"], dtype=np.int64),
        )
