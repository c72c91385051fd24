"""Classes from their names alone: which class's sentences lie nearest in the joint space?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mujo.encoders import one_by_one
from mujo.errors import CheckpointError, ShapeError
from mujo.joint.model import JointModel
from mujo.layout import Layout
from mujo.training import one_thread

_BATCH = 512


def embed_windows(model: JointModel, X: NDArray[np.float32], layout: Layout) -> Tensor:
    """Unit vectors (N, D) of windows (N, C, T) · m/s², rad/s; those of several sensors are averaged."""
    model.eval()
    out = []
    with torch.no_grad(), one_thread():
        for i in range(0, len(X), _BATCH):
            part = torch.from_numpy(np.ascontiguousarray(X[i : i + _BATCH], dtype=np.float32))
            found = model.embed("imu", one_by_one(part, layout)).unflatten(0, (len(part), -1))
            out.append(torch.nn.functional.normalize(found.mean(dim=1), dim=1))
    return torch.cat(out)


def prototypes(model: JointModel, phrasings: Sequence[NDArray[np.float32]]) -> Tensor:
    """Unit vectors (K, D), the middle of each class's sentences.

    Parameters
    ----------
    phrasings : K arrays (P, F) of frozen text features

    Raises
    ------
    CheckpointError
        If the space was trained without text.
    """
    if "text" not in model.modalities:
        raise CheckpointError("this joint space was trained without text: classes have no names in it")
    if any(len(p) == 0 for p in phrasings):
        raise ShapeError("a class has no sentence")
    with torch.no_grad(), one_thread():
        middles = [
            model.embed("text", torch.from_numpy(np.asarray(p, np.float32))).mean(dim=0) for p in phrasings
        ]
    return torch.nn.functional.normalize(torch.stack(middles), dim=1)


def guess(model: JointModel, X: NDArray[np.float32], layout: Layout, names: Tensor) -> NDArray[np.int64]:
    """Nearest class (N,) of windows (N, C, T), given the classes' `prototypes` (K, D)."""
    return (embed_windows(model, X, layout) @ names.T).argmax(dim=1).numpy()
