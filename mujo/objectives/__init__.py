"""Objectives that need no labels, for the encoder of one sensor. Pass an object, or a name.

An objective is a module with `loss(encoder, x, generator)`: x is (B, 8, T), `mujo.encoders.frontend`; what it needs
besides the encoder (a projection, a decoder) are its own weights, thrown away afterwards.
"""

from __future__ import annotations

from typing import Protocol

from torch import Generator, Tensor

from mujo.encoders import Encoder
from mujo.errors import unknown_name
from mujo.objectives.augmentation import AugmentationPrediction
from mujo.objectives.masked import MaskedReconstruction
from mujo.objectives.simclr import SimCLR

__all__ = ["AugmentationPrediction", "MaskedReconstruction", "Objective", "SimCLR", "build", "names"]

_NAMES = {"simclr": SimCLR, "masked": MaskedReconstruction, "augmentation": AugmentationPrediction}


class Objective(Protocol):
    """What `mujo.pretrain` needs (a `torch.nn.Module` besides)."""

    def loss(self, encoder: Encoder, x: Tensor, generator: Generator) -> Tensor:
        """Loss of a batch (B, 8, T)."""
        ...


def names() -> tuple[str, ...]:
    """Names that `build` knows."""
    return tuple(_NAMES)


def build(name: str, width: int) -> AugmentationPrediction | MaskedReconstruction | SimCLR:
    """Make an objective by name for an encoder of that width, with fresh weights.

    Raises
    ------
    UnknownNameError
    """
    if name not in _NAMES:
        raise unknown_name("objective", name, _NAMES)
    return _NAMES[name](width)
