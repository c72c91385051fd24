"""BlazePose's landmark network itself, run by LiteRT on squares that we choose.

What it says of a 256 by 256 square (MediaPipe's model card and graphs): 39 points with x, y (px of the square), z, and
the logits of visibility and presence; the same points in metres about the hips; whether there is a person; and a
heat map a point, 64 by 64, whose centre of mass near the point is where the point really is. Points 33 and 34 are no
landmarks: the middle of the hips, and a point on the circle around the whole person, above the head.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imusim.errors import AssetError, MissingExtra
from imusim.types import Floats
from imusim.video.native_log import quiet_native_log

SIZE = 256
"""Pixels of the square, each way."""
_MEMBER = "pose_landmarks_detector.tflite"
_POINTS = 39
_REACH = 3  # the heat map is read so many cells around a point
_SEEN = 0.5  # where it does not exceed this, the point stays
_OFFSETS = np.arange(-_REACH, _REACH + 1)


@dataclass(frozen=True)
class Answer:
    """What the network says of one square.

    Parameters
    ----------
    points : (39, 2), 0 … 1 of the square
    world_m : (39, 3) m, x right, y down, z away, as the square is turned
    visibility, presence : (39,), 0 … 1
    person : 0 … 1, belief that there is somebody
    """

    points: Floats
    world_m: Floats
    visibility: Floats
    presence: Floats
    person: float


class LandmarkNet:
    """The landmark network of a `.task` bundle.

    Parameters
    ----------
    task : the bundle (`imusim.video.pose_model.pose_task`)

    Raises
    ------
    MissingExtra
        If LiteRT is not installed.
    AssetError
        If the bundle holds no such network.
    """

    def __init__(self, task: Path) -> None:
        try:
            from ai_edge_litert.interpreter import Interpreter
        except ImportError:
            raise MissingExtra("video", "Finding a person in a video") from None
        try:
            with zipfile.ZipFile(task) as bundle:
                network = bundle.read(_MEMBER)
            with quiet_native_log():
                self._net: Any = Interpreter(model_content=network, num_threads=1)
                self._net.allocate_tensors()
            entry, *rest = self._net.get_input_details()
            found = {tuple(d["shape"][1:]): d["index"] for d in self._net.get_output_details()}
            wanted = ((_POINTS * 5,), (_POINTS * 3,), (1,), (64, 64, _POINTS))
            if rest or tuple(entry["shape"]) != (1, SIZE, SIZE, 3) or not set(wanted) <= set(found):
                raise ValueError("its inputs and outputs are not BlazePose's")
        except (OSError, KeyError, ValueError, RuntimeError, zipfile.BadZipFile) as error:
            raise AssetError(f"{task} is not a pose model that can be used: {error}") from None
        self._entry = entry["index"]
        self._flat, self._solid, self._flag, self._heat = (found[shape] for shape in wanted)

    def __call__(self, square: NDArray[np.uint8]) -> Answer:
        """Look at a square, (256, 256, 3) uint8 RGB."""
        self._net.set_tensor(self._entry, np.multiply(square[None], 1.0 / 255.0, dtype=np.float32))
        self._net.invoke()
        flat = self._net.get_tensor(self._flat)[0].reshape(_POINTS, 5).astype(np.float64)
        world = self._net.get_tensor(self._solid)[0].reshape(_POINTS, 3).astype(np.float64)
        heat = self._net.get_tensor(self._heat)[0]
        return Answer(
            _refined(flat[:, :2] / SIZE, heat),
            world,
            _logistic(flat[:, 3]),
            _logistic(flat[:, 4]),
            float(self._net.get_tensor(self._flag)[0, 0]),
        )


def _refined(points: Floats, heat: NDArray[np.float32]) -> Floats:
    """Move each point (P, 2) to the centre of mass of its heat map (n, n, P) in the cells around it."""
    size = heat.shape[0]
    cell = np.floor(points * size).astype(np.intp)
    inside = ((cell >= 0) & (cell < size)).all(axis=1)
    columns, rows = (cell[:, k, None] + _OFFSETS for k in (0, 1))
    valid = ((rows >= 0) & (rows < size))[:, :, None] & ((columns >= 0) & (columns < size))[:, None, :]
    near = heat[
        np.clip(rows, 0, size - 1)[:, :, None],
        np.clip(columns, 0, size - 1)[:, None, :],
        np.arange(points.shape[0])[:, None, None],
    ]
    mass = np.where(valid, _logistic(near.astype(np.float64)), 0.0)
    sure = inside & (mass.max(axis=(1, 2)) >= _SEEN)
    total = np.maximum(mass.sum(axis=(1, 2)), 1e-12)
    x = (mass.sum(axis=1) * columns).sum(axis=1) / total
    y = (mass.sum(axis=2) * rows).sum(axis=1) / total
    return np.where(sure[:, None], np.column_stack([x, y]) / size, points)


def _logistic(x: Floats) -> Floats:
    return 1.0 / (1.0 + np.exp(-np.clip(x, -60.0, 60.0)))
