"""Encoders of what is not inertial: pose, frozen video features, frozen text features. Small: the corpus is."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mujo.encoders.frontend import block


class PoseEncoder(nn.Module):
    """Joint positions over time: two strided convolutions and one more, mean and maximum over time.

    Parameters
    ----------
    joints : J
    channels : of the layers
    """

    def __init__(self, joints: int, channels: int = 96) -> None:
        super().__init__()
        self.width = 2 * channels
        self.layers = nn.Sequential(
            block(3 * joints, channels, 7, 2), block(channels, channels, 5, 2), block(channels, channels, 3)
        )

    def forward(self, pose: Tensor) -> Tensor:
        """(B, T, J, 3) · m → (B, width)."""
        found = self.layers(pose.flatten(2).transpose(1, 2))
        return torch.cat([found.mean(dim=2), found.amax(dim=2)], dim=1)


class VideoEncoder(nn.Module):
    """Frozen features of some frames: a layer a frame, mean and maximum over the frames.

    Parameters
    ----------
    features : D of the frozen network
    channels : of the layer
    """

    def __init__(self, features: int, channels: int = 128) -> None:
        super().__init__()
        self.width = 2 * channels
        self.frame = nn.Sequential(nn.LayerNorm(features), nn.Linear(features, channels), nn.ReLU())

    def forward(self, video: Tensor) -> Tensor:
        """(B, F, D) → (B, width)."""
        found = self.frame(video)
        return torch.cat([found.mean(dim=1), found.amax(dim=1)], dim=1)


class TextEncoder(nn.Module):
    """Frozen features of a sentence, normalised: the projection behind it does the rest.

    Parameters
    ----------
    features : D of the frozen network
    """

    def __init__(self, features: int) -> None:
        super().__init__()
        self.width = features
        self.norm = nn.LayerNorm(features, elementwise_affine=False)

    def forward(self, text: Tensor) -> Tensor:
        """(B, D) → (B, D)."""
        return self.norm(text)
