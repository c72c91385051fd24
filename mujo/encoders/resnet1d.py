"""A residual network over time (He et al. 2016, in one dimension), about one million weights."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mujo.encoders.frontend import CHANNELS, Encoder, block


class _Residual(nn.Module):
    def __init__(self, channels: int, out: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            block(channels, out, 5, stride),
            nn.Conv1d(out, out, 5, padding=2, bias=False),
            nn.BatchNorm1d(out),
        )
        same = channels == out and stride == 1
        self.skip = nn.Identity() if same else nn.Conv1d(channels, out, 1, stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.body(x) + self.skip(x))


class ResNet1D(Encoder):
    """A stem and six residual blocks in three stages.

    Parameters
    ----------
    channels : of the first stage; doubled twice
    """

    least = 16

    def __init__(self, channels: int = 56) -> None:
        super().__init__()
        c = channels
        self.width = 8 * c
        self.layers = nn.Sequential(
            block(CHANNELS, c, 7, 2),
            _Residual(c, c, 1), _Residual(c, c, 1),
            _Residual(c, 2 * c, 2), _Residual(2 * c, 2 * c, 1),
            _Residual(2 * c, 4 * c, 2), _Residual(4 * c, 4 * c, 1),
        )  # fmt: skip

    def maps(self, x: Tensor) -> Tensor:
        """(B, 8, T) → (B, 4 channels, T/8)."""
        return self.layers(x)
