"""The quantisation step of a recording, from the values that occur."""

from __future__ import annotations

import numpy as np

from imusim.types import Floats

_SAMPLES = 200_000  # that are looked at
_FEWEST = 4  # different values


def quantisation_step(x: Floats) -> float:
    """Return the step between the values of a signal, in its unit; 0 if they lie on no grid.

    Neighbouring values must be whole multiples of one step apart, to 5 % of it (files round).

    Parameters
    ----------
    x : (T,) or (T, C), of one unit and one step; finite
    """
    columns = np.asarray(x, dtype=np.float64)[:_SAMPLES]
    columns = columns[:, None] if columns.ndim == 1 else columns
    gaps = [np.diff(np.unique(column)) for column in columns.T]
    gaps = [gap for gap in gaps if gap.size >= _FEWEST - 1]
    if not gaps:
        return 0.0
    gap = np.concatenate(gaps).astype(np.float64)
    gap = gap[gap > 1e-9 * np.abs(columns).max()]
    if gap.size < _FEWEST - 1:
        return 0.0
    step = float(np.median(gap[gap < 1.5 * gap.min()]))
    multiples = gap / step
    on_grid = np.abs(multiples - np.rint(multiples)) < 0.05
    return step if on_grid.mean() > 0.99 else 0.0
