"""Random changes of windows that keep their meaning: mounting, unit, noise, tempo.

All take and return encoder inputs ``(B, 8, T)`` (`mujo.encoders.frontend`) and a torch generator; strengths are
standard deviations or limits. A strength of zero is the identity.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

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
    """

    rotation_deg: float = 15.0
    scale: float = 0.08
    noise: float = 0.02
    tempo: float = 0.1
    drop_gyro: float = 0.0

    def __post_init__(self) -> None:
        for name in ("rotation_deg", "scale", "noise", "tempo", "drop_gyro"):
            if not 0.0 <= getattr(self, name) < math.inf:
                raise ConfigError(f"{name}={getattr(self, name)}: wanted a finite number, 0 or more")
        if self.tempo >= 1.0 or self.drop_gyro > 1.0 or self.rotation_deg > 180.0:
            raise ConfigError("wanted tempo below 1, drop_gyro up to 1, rotation_deg up to 180")

    def __call__(self, x: Tensor, generator: Generator) -> Tensor:
        """Change every window of (B, 8, T) by itself."""
        count = len(x)
        signal, measured = x[:, :6], x[:, 6:]
        if self.tempo:
            signal = warp(signal, 1.0 + self.tempo * (2.0 * _uniform(count, generator) - 1.0))
        if self.rotation_deg or self.scale:
            turn = torch.eye(3).expand(count, 3, 3)
            if self.rotation_deg:
                turn = random_rotations(count, self.rotation_deg, generator)
            if self.scale:
                turn = turn * torch.exp(self.scale * torch.randn(count, 1, 1, generator=generator))
            signal = rotate(signal, turn)
        if self.noise:
            size = self.noise * measured[:, :, :1].repeat_interleave(3, dim=1)
            signal = torch.addcmul(signal, torch.randn(signal.shape, generator=generator), size)
        if self.drop_gyro:
            gone = (_uniform(count, generator) < self.drop_gyro) & (measured[:, 0, 0] > 0)
            keep = (~gone)[:, None, None].to(signal)
            signal = torch.cat([signal[:, :3], signal[:, 3:] * keep], dim=1)
            measured = torch.cat([measured[:, :1], measured[:, 1:] * keep], dim=1)
        return torch.cat([signal, measured], dim=1)


NOTHING = Augmentation(0.0, 0.0, 0.0, 0.0, 0.0)
LIGHT = Augmentation()
"""For training on labels."""
STRONG = Augmentation(rotation_deg=60.0, scale=0.2, noise=0.05, tempo=0.2, drop_gyro=0.2)
"""For two views of one window."""


def random_rotations(count: int, limit_deg: float, generator: Generator) -> Tensor:
    """Rotation matrices (count, 3, 3): uniform axis; angle uniform up to the limit, for 180° uniform over SO(3)."""
    if limit_deg >= 180.0:
        q = torch.randn(count, 4, generator=generator)
        return _matrix(q / q.norm(dim=1, keepdim=True))
    axis = torch.randn(count, 3, generator=generator)
    axis = axis / axis.norm(dim=1, keepdim=True)
    half = 0.5 * math.radians(limit_deg) * _uniform(count, generator)[:, None]
    return _matrix(torch.cat([half.cos(), half.sin() * axis], dim=1))


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
