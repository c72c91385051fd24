"""Classes from their names alone: which class's sentences lie nearest in the joint space?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

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
MOST = 30.0
"""Largest gain of the names: a temperature of 0.033."""


@dataclass(frozen=True)
class Names:
    """What the classes' names say of windows: scores (N, K) that a classifier starts from.

    Parameters
    ----------
    model : the joint space
    layout : of the windows' channels
    middles : (M, D), the `prototypes` of the classes that have sentences
    classes : (M,) their indices
    count : K, of all classes; to one without sentences the names say nothing (its score is the mean, 0)
    gain : by which likenesses (cosines) become scores; `fitted` chooses it
    """

    model: JointModel
    layout: Layout
    middles: Tensor
    classes: NDArray[np.int64]
    count: int
    gain: float = 1.0

    def __call__(self, X: NDArray[np.float32]) -> Tensor:
        """Scores (N, K) of windows (N, C, T) · m/s², rad/s."""
        likeness = embed_windows(self.model, X, self.layout) @ self.middles.T
        out = likeness.new_zeros(len(X), self.count)
        out[:, torch.from_numpy(self.classes)] = self.gain * (likeness - likeness.mean(dim=1, keepdim=True))
        return out

    def guess(self, X: NDArray[np.float32]) -> NDArray[np.int64]:
        """Nearest class (N,) among those with sentences."""
        return self.classes[guess(self.model, X, self.layout, self.middles)]

    def fitted(self, X: NDArray[np.float32], y: NDArray[np.int64]) -> Names:
        """The same with the gain that makes the labels of these windows most likely, classes counted equally.

        Names that do not fit the windows get a small gain, those that fit a large one (0 to `MOST`). The windows must be
        new to the space.
        """
        scores = replace(self, gain=1.0)(X)
        chosen = torch.from_numpy(np.asarray(y, dtype=np.int64))
        _, place, counts = torch.unique(chosen, return_inverse=True, return_counts=True)
        weight = (1.0 / (len(counts) * counts))[place]
        known = torch.from_numpy(self.classes)

        def slope(gain: float) -> float:  # of the log-likelihood, which is concave in the gain
            p = torch.softmax(gain * scores[:, known], dim=1)
            expected = (p * scores[:, known]).sum(dim=1)
            mine = torch.isin(chosen, known)
            return float((weight * (scores.gather(1, chosen[:, None])[:, 0] - expected))[mine].sum())

        low, high = 0.0, MOST
        if slope(low) <= 0.0:
            return replace(self, gain=0.0)
        if slope(high) >= 0.0:
            return replace(self, gain=MOST)
        for _ in range(40):
            middle = 0.5 * (low + high)
            low, high = (middle, high) if slope(middle) > 0.0 else (low, middle)
        return replace(self, gain=0.5 * (low + high))


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
