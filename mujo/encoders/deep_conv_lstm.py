"""DeepConvLSTM (Ordóñez and Roggen 2016): the classic of the field."""

from __future__ import annotations

from torch import Tensor, nn

from mujo.encoders.frontend import CHANNELS, Encoder, block


class DeepConvLSTM(Encoder):
    """Four convolutions (the first with stride 2, to halve the recurrence), then an LSTM.

    Parameters
    ----------
    channels : of the convolutions
    units : of the LSTM
    """

    def __init__(self, channels: int = 64, units: int = 128) -> None:
        super().__init__()
        self.width = 2 * units
        self.layers = nn.Sequential(
            block(CHANNELS, channels, 5, 2), *(block(channels, channels, 5) for _ in range(3))
        )
        self.lstm = nn.LSTM(channels, units, batch_first=True)

    def maps(self, x: Tensor) -> Tensor:
        """(B, 8, T) → (B, units, T/2)."""
        return self.lstm(self.layers(x).transpose(1, 2))[0].transpose(1, 2)
