"""The physical order of the links of the chain."""

from __future__ import annotations

from collections.abc import Sequence

ORDER = (
    "StrapSlip",
    "SoftTissue",
    "RockingMount",
    "Vibration",
    "Bandwidth",
    "GSensitivity",
    "NonLinearity",
    "HardSoftIron",
    "ScaleCrossAxis",
    "IdentifiedErrors",
    "Bias",
    "Temperature",
    "BiasInstability",
    "RateRandomWalk",
    "WhiteNoise",
    "Saturation",
    "Quantisation",
    "Packets",
)
"""Class names, from the body to the receiver. The clock comes before them all."""


def place_of(term: object, others: Sequence[object]) -> int:
    """Return the index at which a term belongs among others that are in order; the end for an unknown class."""
    name = type(term).__name__
    if name not in ORDER:
        return len(others)
    later = ORDER[ORDER.index(name) + 1 :]
    return next((i for i, other in enumerate(others) if type(other).__name__ in later), len(others))
