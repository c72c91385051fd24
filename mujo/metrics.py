"""Macro-F1, accuracy, and how sure they are: intervals by drawing people."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def confusion(truth: NDArray[np.int64], guess: NDArray[np.int64], classes: int) -> NDArray[np.int64]:
    """Counts (K, K): rows truth, columns guess."""
    return np.bincount(truth * classes + guess, minlength=classes * classes).reshape(classes, classes)


def macro_f1(counts: NDArray, axis_classes: NDArray[np.bool_] | None = None) -> NDArray[np.float64]:
    """Mean over classes of F1 = 2 TP / (2 TP + FP + FN), of confusion matrices (..., K, K).

    Classes that occur neither in truth nor in guesses do not count; `axis_classes` (K,) fixes which count instead (0
    for those that do not occur).
    """
    hit = np.diagonal(counts, axis1=-2, axis2=-1).astype(np.float64)
    total = counts.sum(axis=-1) + counts.sum(axis=-2)
    f1 = np.divide(2.0 * hit, total, out=np.zeros_like(hit), where=total > 0)
    used = total > 0 if axis_classes is None else np.broadcast_to(axis_classes, total.shape)
    return (f1 * used).sum(axis=-1) / np.maximum(used.sum(axis=-1), 1)


def accuracy(counts: NDArray) -> float:
    """Share of windows that are right."""
    return float(np.trace(counts) / max(counts.sum(), 1))


def person_interval(
    counts: NDArray, draws: int = 2000, level: float = 0.95, seed: int = 0
) -> tuple[float, float]:
    """Percentile bootstrap interval of macro-F1 over people.

    Parameters
    ----------
    counts : (P, K, K) confusion matrix of each person; with one person there is no interval (NaN)
    draws : of P people with replacement
    """
    people = len(counts)
    if people < 2:
        return float("nan"), float("nan")
    times = np.random.default_rng(seed).multinomial(people, np.full(people, 1.0 / people), size=draws)
    values = macro_f1(np.einsum("dp,pij->dij", times, counts))
    low, high = np.quantile(values, [0.5 - level / 2, 0.5 + level / 2])
    return float(low), float(high)
