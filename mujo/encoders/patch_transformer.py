"""A Transformer over patches of time (Dosovitskiy et al. 2021; Nie et al. 2023), any window of a patch or more."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from mujo.encoders.frontend import CHANNELS, Encoder


class PatchTransformer(Encoder):
    """Patches, sinusoidal positions, pre-norm Transformer layers.

    Parameters
    ----------
    channels : of a token
    patch : samples a patch
    layers, heads : of the Transformer
    """

    def __init__(self, channels: int = 96, patch: int = 10, layers: int = 3, heads: int = 4) -> None:
        super().__init__()
        self.width, self.least = 2 * channels, patch
        self.cut = nn.Conv1d(CHANNELS, channels, patch, patch)
        layer = nn.TransformerEncoderLayer(
            channels, heads, 2 * channels, 0.1, batch_first=True, norm_first=True
        )
        self.body = nn.TransformerEncoder(layer, layers, nn.LayerNorm(channels), enable_nested_tensor=False)

    def maps(self, x: Tensor) -> Tensor:
        """(B, 8, T) → (B, channels, T/patch)."""
        tokens = self.cut(x).transpose(1, 2)
        return self.body(tokens + _positions(tokens.shape[1], tokens.shape[2]).to(tokens)).transpose(1, 2)


def _positions(count: int, width: int) -> Tensor:
    """Sinusoids (Vaswani et al. 2017), (count, width)."""
    rate = torch.exp(torch.arange(0, width, 2) * (-math.log(1e4) / width))
    angle = torch.arange(count)[:, None] * rate
    return torch.stack([angle.sin(), angle.cos()], dim=2).reshape(count, -1)[:, :width]
