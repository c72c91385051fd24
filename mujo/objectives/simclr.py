"""SimCLR (Chen et al. 2020; for inertial signals Tang et al. 2020): two views of a window are alike, all others not."""

from __future__ import annotations

import torch
from torch import Generator, Tensor, nn

from mujo.augment import STRONG, Augmentation
from mujo.encoders import Encoder


class SimCLR(nn.Module):
    """NT-Xent over two augmented views, through a projection that is thrown away.

    Parameters
    ----------
    width : of the encoder's features
    temperature : of the softmax
    views : how a view is made
    """

    def __init__(self, width: int, temperature: float = 0.1, views: Augmentation = STRONG) -> None:
        super().__init__()
        self.temperature, self.views = temperature, views
        self.projection = nn.Sequential(nn.Linear(width, 128), nn.ReLU(), nn.Linear(128, 64))

    def loss(self, encoder: Encoder, x: Tensor, generator: Generator) -> Tensor:
        """Loss of a batch (B, 8, T)."""
        both = torch.cat([self.views(x, generator), self.views(x, generator)])
        return nt_xent(self.projection(encoder(both)), self.temperature)


def nt_xent(z: Tensor, temperature: float) -> Tensor:
    """Normalised temperature-scaled cross entropy of 2B vectors (2B, D); i and i + B are two views of one thing."""
    z = nn.functional.normalize(z, dim=1)
    alike = z @ z.T / temperature
    alike = alike.masked_fill(torch.eye(len(z), dtype=torch.bool), float("-inf"))
    half = len(z) // 2
    partner = torch.cat([torch.arange(half, 2 * half), torch.arange(half)])
    return nn.functional.cross_entropy(alike, partner)
