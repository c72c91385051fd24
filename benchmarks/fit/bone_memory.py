"""How long the errors of a camera's joints last, without any other sensor: bones do not change their length, so what
changes it is error. Its variogram against that of an exponential memory."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_STEPS = 6  # frames: up to about a memory and a half
_TRIED_S = np.arange(0.05, 1.0, 0.01)
ARMS = [(f"{s}_{a}", f"{s}_{b}") for s in ("left", "right") for a, b in (("shoulder", "elbow"), ("elbow", "wrist"))]  # fmt: skip


def variogram(joints: Floats, names: Sequence[str]) -> tuple[Floats, float]:
    """Half the mean square change of the arms' lengths over 1 … 6 frames (6,), and their variance, m².

    Parameters
    ----------
    joints : (F, J, 3) · m
    names : J names
    """
    size = np.stack(
        [np.linalg.norm(joints[:, names.index(a)] - joints[:, names.index(b)], axis=1) for a, b in ARMS]
    )
    size = size - np.median(size, axis=1, keepdims=True)
    steps = [0.5 * np.mean((size[:, h:] - size[:, :-h]) ** 2) for h in range(1, _STEPS + 1)]
    return np.array(steps), float(np.mean(size**2))


def memory_s(found: Sequence[tuple[Floats, float]], step_s: float) -> float:
    """Memory · s of the exponential correlation that fits the variograms of many clips best."""
    shape = np.sum([v for v, _ in found], axis=0) / sum(s for _, s in found)
    lag = step_s * np.arange(1, _STEPS + 1)
    off = [((shape - (1.0 - np.exp(-lag / t))) ** 2).sum() for t in _TRIED_S]
    return float(_TRIED_S[int(np.argmin(off))])
