"""The quantile map of one axis: every value goes to the real value of the same rank."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from imusim.types import Floats

_QUANTILES = np.concatenate([[0.001, 0.005], np.linspace(0.01, 0.99, 99), [0.995, 0.999]])


def learn_quantiles(signal: str, virtual: Floats, real: Floats) -> dict[str, Any]:
    """Return ``{signal: {"virtual": (3, Q), "real": (3, Q)}}`` of signals (N, 3), NaN where unknown."""
    pair = [[np.nanquantile(c, _QUANTILES) for c in x.T] for x in (virtual, real)]
    return {signal: {"virtual": np.array(pair[0]).tolist(), "real": np.array(pair[1]).tolist()}}


def map_quantiles(step: Mapping[str, Any], signal: str, x: Floats) -> None:
    """Map (N, 3) in place; beyond the outermost quantiles the difference there is kept."""
    for c, ours, theirs in zip(x.T, step[signal]["virtual"], step[signal]["real"], strict=True):
        a, b = np.asarray(ours), np.asarray(theirs)
        a = a + 1e-12 * np.arange(a.size)  # a signal that stands still has equal quantiles
        inside = np.interp(c, a, b)
        out = np.where(c < a[0], c + (b[0] - a[0]), np.where(c > a[-1], c + (b[-1] - a[-1]), inside))
        c[:] = np.where(np.isfinite(c), out, np.nan)
