"""Masked reconstruction (Haresamudram et al. 2020): spans of time are blanked, the encoder must tell what was there."""

from __future__ import annotations

import torch
from torch import Generator, Tensor, nn

from mujo.augment import Augmentation
from mujo.encoders import Encoder


class MaskedReconstruction(nn.Module):
    """Mean squared error of the blanked samples, decoded from the encoder's maps by two small convolutions.

    Parameters
    ----------
    width : of the encoder's features (its maps have half of it)
    share : of the time that is blanked
    spans : into how many pieces of time the window is cut
    """

    def __init__(self, width: int, share: float = 0.4, spans: int = 10) -> None:
        super().__init__()
        self.share, self.spans = share, spans
        self.changes = Augmentation(rotation_deg=30.0, scale=0.1, noise=0.0, tempo=0.1)
        self.decoder = nn.Sequential(nn.Conv1d(width // 2, 64, 1), nn.ReLU(), nn.Conv1d(64, 6, 1))

    def loss(self, encoder: Encoder, x: Tensor, generator: Generator) -> Tensor:
        """Loss of a batch (B, 8, T)."""
        x = self.changes(x, generator)
        hidden = self.hide(len(x), x.shape[2], generator)[:, None]
        seen = torch.cat([x[:, :6].masked_fill(hidden, 0.0), x[:, 6:]], dim=1)
        told = nn.functional.interpolate(self.decoder(encoder.maps(seen)), size=x.shape[2], mode="linear")
        counts = hidden * x[:, 6:].repeat_interleave(3, dim=1)  # a sensor that is not there says nothing
        return ((told - x[:, :6]).square() * counts).sum() / counts.sum().clamp_min(1.0)

    def hide(self, batch: int, length: int, generator: Generator) -> Tensor:
        """(batch, length) bool: `share` of the spans of each window."""
        order = torch.rand(batch, self.spans, generator=generator).argsort(dim=1)
        hidden = order < round(self.share * self.spans)
        return hidden[:, (torch.arange(length) * self.spans) // length]
