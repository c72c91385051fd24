"""The default: a small fully convolutional network (Wang, Yan and Oates 2017), strided early to be fast."""

from __future__ import annotations

from torch import Tensor, nn

from mujo.encoders.frontend import CHANNELS, Encoder, block


class FCN(Encoder):
    """Four convolutions, the first two with stride 2; about 55 thousand weights.

    Parameters
    ----------
    channels : of the widest layers
    """

    def __init__(self, channels: int = 96) -> None:
        super().__init__()
        self.width = 2 * channels
        self.layers = nn.Sequential(
            block(CHANNELS, 32, 7, 2),
            block(32, 64, 5, 2),
            block(64, channels, 3),
            block(channels, channels, 3),
        )

    def maps(self, x: Tensor) -> Tensor:
        """(B, 8, T) → (B, channels, T/4)."""
        return self.layers(x)
