"""What all encoders share: one sensor's signals come in on fixed scales, one feature vector a sensor goes out.

The input of every encoder is ``(B, 8, T)``: acc x y z in g, gyro x y z in units of 4 rad/s, and two constant channels
that say whether acc and gyro were measured (what was not is zero). The scales are fixed: nothing of a data set's
statistics is in them, so one file of weights serves every data set and every place.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from imusim.conventions import STANDARD_GRAVITY
from mujo.errors import ShapeError
from mujo.layout import Layout

CHANNELS = 8
GYRO_UNIT = 4.0
"""rad/s: brisk movements of the wrist."""


def one_by_one(X: Tensor, layout: Layout) -> Tensor:
    """Turn windows of several sensors into inputs of an encoder.

    Parameters
    ----------
    X : (B, C, T) · m/s², rad/s
    layout : of the C channels, S places

    Returns
    -------
    (B · S, 8, T) : the sensors of a window follow one another
    """
    if X.ndim != 3 or X.shape[1] != layout.channels:
        raise ShapeError(f"windows have shape {tuple(X.shape)}, wanted (N, {layout.channels}, T)")
    batch, _, length = X.shape
    out = X.new_zeros(batch, len(layout.places), CHANNELS, length)
    at = 0
    for s, place in enumerate(layout.places):
        if place.acc:
            out[:, s, 0:3] = X[:, at : at + 3] / STANDARD_GRAVITY
            out[:, s, 6] = 1.0
            at += 3
        if place.gyro:
            out[:, s, 3:6] = X[:, at : at + 3] / GYRO_UNIT
            out[:, s, 7] = 1.0
            at += 3
    return out.reshape(batch * len(layout.places), CHANNELS, length)


class Encoder(nn.Module):
    """Base of the encoders: `maps` in a subclass, mean and maximum over time here.

    Attributes
    ----------
    width : features a sensor, twice the channels of `maps`
    least : shortest window, samples
    """

    width: int
    least: int = 8
    made_of: dict[str, object]
    """Name and options it was built with, for its file."""

    def maps(self, x: Tensor) -> Tensor:
        """(B, 8, T) → (B, width/2, T'): features over time."""
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        """(B, 8, T) → (B, width)."""
        if x.shape[-1] < self.least:
            raise ShapeError(
                f"windows of {x.shape[-1]} samples; {type(self).__name__} needs {self.least} or more. Use longer windows."
            )
        found = self.maps(x)
        return torch.cat([found.mean(dim=2), found.amax(dim=2)], dim=1)


def block(channels: int, out: int, kernel: int, stride: int = 1) -> nn.Sequential:
    """Convolution over time, batch normalisation, ReLU."""
    return nn.Sequential(
        nn.Conv1d(channels, out, kernel, stride, padding=kernel // 2, bias=False),
        nn.BatchNorm1d(out),
        nn.ReLU(),
    )
