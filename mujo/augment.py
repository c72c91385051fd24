"""Random changes of windows that keep their meaning: mounting, wear, noise, bias, drift, tempo, missing channels.

All take and return encoder inputs ``(B, 8, T)`` (`mujo.encoders.frontend`) and a torch generator; strengths are
standard deviations or limits. A strength of zero is the identity.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import torch
from torch import Generator, Tensor

from mujo.errors import ConfigError


@dataclass(frozen=True)
class Augmentation:
    """What a training window may undergo, in this order.

    Parameters
    ----------
    rotation_deg : largest angle of a random rotation of the sensor on the body (uniform axis; 180: any mounting)
    scale : standard deviation of the logarithm of the signal's size (tempo and vigour of people; gain of the part)
    noise : standard deviation of white noise, in units of the input (1 g, 4 rad/s)
    tempo : largest relative change of speed; the window is resampled linearly about its middle
    drop_gyro : probability that a sensor's gyroscope is taken away (where its accelerometer is there)
    around_deg : largest angle about the sensor's x axis (along the segment: a strap that turned, a forearm's own twist)
    bias : standard deviation of a constant offset of every channel, in units of the input
    drift : standard deviation of a random walk at the window's end, in units of the input
    drop_acc : probability that a sensor's accelerometer is taken away (where its gyroscope is there)
    """

    rotation_deg: float = 15.0
    scale: float = 0.08
    noise: float = 0.02
    tempo: float = 0.1
    drop_gyro: float = 0.0
    around_deg: float = 0.0
    bias: float = 0.0
    drift: float = 0.0
    drop_acc: float = 0.0

    def __post_init__(self) -> None:
        for name in (f.name for f in fields(self)):
            if not 0.0 <= getattr(self, name) < math.inf:
                raise ConfigError(f"{name}={getattr(self, name)}: wanted a finite number, 0 or more")
        if self.tempo >= 1.0 or self.drop_gyro + self.drop_acc > 1.0:
            raise ConfigError("wanted tempo below 1, drop_gyro and drop_acc together up to 1")
        if self.rotation_deg > 180.0 or self.around_deg > 180.0:
            raise ConfigError("wanted rotation_deg and around_deg up to 180")

    def __call__(self, x: Tensor, generator: Generator) -> Tensor:
        """Change every window of (B, 8, T) by itself."""
        count = len(x)
        signal, measured = x[:, :6], x[:, 6:]
        if self.tempo:
            signal = warp(signal, 1.0 + self.tempo * (2.0 * _uniform(count, generator) - 1.0))
        if self.rotation_deg or self.scale or self.around_deg:
            turn = torch.eye(3).expand(count, 3, 3)
            if self.rotation_deg:
                turn = random_rotations(count, self.rotation_deg, generator)
            if self.around_deg:
                turn = turn @ about_x(math.radians(self.around_deg) * (2 * _uniform(count, generator) - 1))
            if self.scale:
                turn = turn * torch.exp(self.scale * torch.randn(count, 1, 1, generator=generator))
            signal = rotate(signal, turn)
        if self.noise:
            size = self.noise * measured[:, :, :1].repeat_interleave(3, dim=1)
            signal = torch.addcmul(signal, torch.randn(signal.shape, generator=generator), size)
        if self.bias or self.drift:
            there = measured[:, :, :1].repeat_interleave(3, dim=1)
            signal = signal + there * self.bias * torch.randn(count, 6, 1, generator=generator)
            if self.drift:
                steps = torch.randn(signal.shape, generator=generator) * (self.drift / signal.shape[2] ** 0.5)
                signal = signal + there * steps.cumsum(dim=2)
        if self.drop_gyro or self.drop_acc:
            drawn, both = _uniform(count, generator), measured[:, :, 0].amin(dim=1) > 0
            keep = torch.stack(
                [(drawn < 1.0 - self.drop_acc) | ~both, (drawn >= self.drop_gyro) | ~both], dim=1
            )
            measured = measured * keep[:, :, None]
            signal = signal * measured.repeat_interleave(3, dim=1)
        return torch.cat([signal, measured], dim=1)


NOTHING = Augmentation(0.0, 0.0, 0.0, 0.0, 0.0)
LIGHT = Augmentation()
"""For training on labels."""
STRONG = Augmentation(rotation_deg=60.0, scale=0.2, noise=0.05, tempo=0.2, drop_gyro=0.2)
"""For two views of one window."""
WORN = Augmentation(
    rotation_deg=30.0,
    scale=0.15,
    noise=0.03,
    tempo=0.2,
    drop_gyro=0.3,
    around_deg=30.0,
    bias=0.03,
    drift=0.02,
)
"""For simulated signals: how sensors are worn and what their errors are, wider than any one of them."""


def random_rotations(count: int, limit_deg: float, generator: Generator) -> Tensor:
    """Rotation matrices (count, 3, 3): uniform axis; angle uniform up to the limit, for 180° uniform over SO(3)."""
    if limit_deg >= 180.0:
        q = torch.randn(count, 4, generator=generator)
        return _matrix(q / q.norm(dim=1, keepdim=True))
    axis = torch.randn(count, 3, generator=generator)
    axis = axis / axis.norm(dim=1, keepdim=True)
    half = 0.5 * math.radians(limit_deg) * _uniform(count, generator)[:, None]
    return _matrix(torch.cat([half.cos(), half.sin() * axis], dim=1))


def about_x(angle: Tensor) -> Tensor:
    """Rotation matrices (B, 3, 3) by angles (B,) about the x axis · rad."""
    half = 0.5 * angle[:, None]
    zero = torch.zeros_like(half)
    return _matrix(torch.cat([half.cos(), half.sin(), zero, zero], dim=1))


def rotate(signal: Tensor, turn: Tensor) -> Tensor:
    """Turn acc and gyro of (B, 6, T) by (B, 3, 3)."""
    count, _, length = signal.shape
    return (turn[:, None] @ signal.reshape(count, 2, 3, length)).reshape(count, 6, length)


def warp(signal: Tensor, speed: Tensor) -> Tensor:
    """Play (B, 6, T) at `speed` (B,) about the middle; past the ends the last value holds.

    Angular rates go with the speed; accelerations are left as they are (their part from gravity does not change).
    """
    length = signal.shape[2]
    middle = 0.5 * (length - 1)
    at = (middle + (torch.arange(length) - middle) * speed[:, None]).clamp_(0, length - 1)
    low = at.long().clamp_(max=length - 2)
    share = (at - low)[:, None]
    low = low[:, None].expand(-1, 6, -1)
    out = torch.lerp(signal.gather(2, low), signal.gather(2, low + 1), share)
    out[:, 3:] *= speed[:, None, None]
    return out


def _uniform(count: int, generator: Generator) -> Tensor:
    return torch.rand(count, generator=generator)


def _matrix(q: Tensor) -> Tensor:
    """Rotation matrices of unit quaternions wxyz (B, 4)."""
    w, x, y, z = q.unbind(1)
    rows = [
        1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y),
        2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x),
        2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y),
    ]  # fmt: skip
    return torch.stack(rows, dim=1).reshape(-1, 3, 3)
