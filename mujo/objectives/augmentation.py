"""Augmentation prediction (Saeed et al. 2019): which of several changes was done to the window?"""

from __future__ import annotations

import torch
from torch import Generator, Tensor, nn

from mujo.augment import random_rotations, rotate, warp
from mujo.encoders import Encoder


class AugmentationPrediction(nn.Module):
    """Each change is done to half of the windows; one yes-or-no question a change.

    The changes: turned by any rotation, noisy, larger or smaller, backwards in time, upside down, pieces exchanged,
    faster or slower.

    Parameters
    ----------
    width : of the encoder's features
    """

    CHANGES = ("rotated", "noisy", "scaled", "backwards", "negated", "shuffled", "warped")

    def __init__(self, width: int) -> None:
        super().__init__()
        self.questions = nn.Sequential(nn.Linear(width, 64), nn.ReLU(), nn.Linear(64, len(self.CHANGES)))

    def loss(self, encoder: Encoder, x: Tensor, generator: Generator) -> Tensor:
        """Loss of a batch (B, 8, T)."""
        done = torch.rand(len(x), len(self.CHANGES), generator=generator) < 0.5
        signal, measured = x[:, :6], x[:, 6:]
        for i, name in enumerate(self.CHANGES):
            changed = getattr(self, f"_{name}")(signal, generator)
            signal = torch.where(done[:, i, None, None], changed, signal)
        signal = signal * measured.repeat_interleave(
            3, dim=1
        )  # noise has no place where nothing was measured
        found = encoder(torch.cat([signal, measured], dim=1))
        return nn.functional.binary_cross_entropy_with_logits(self.questions(found), done.float())

    @staticmethod
    def _rotated(x: Tensor, generator: Generator) -> Tensor:
        return rotate(x, random_rotations(len(x), 180.0, generator))

    @staticmethod
    def _noisy(x: Tensor, generator: Generator) -> Tensor:
        return x + 0.1 * torch.randn(x.shape, generator=generator)

    @staticmethod
    def _scaled(x: Tensor, generator: Generator) -> Tensor:
        return x * torch.exp(0.5 * torch.randn(len(x), 1, 1, generator=generator))

    @staticmethod
    def _backwards(x: Tensor, generator: Generator) -> Tensor:
        return x.flip(2)

    @staticmethod
    def _negated(x: Tensor, generator: Generator) -> Tensor:
        return -x

    @staticmethod
    def _shuffled(x: Tensor, generator: Generator) -> Tensor:
        pieces = list(x.split((x.shape[2] + 3) // 4, dim=2))
        order = torch.randperm(len(pieces), generator=generator).tolist()
        return torch.cat([pieces[i] for i in order], dim=2)

    @staticmethod
    def _warped(x: Tensor, generator: Generator) -> Tensor:
        faster = torch.rand(len(x), generator=generator) < 0.5
        return warp(x, torch.where(faster, 1.5, 0.67))
