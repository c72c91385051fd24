"""What may differ between a simulated and a real sensor: blocks of parameters, their units, and how large is plausible."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from imusim.errors import unknown_name
from imusim.rotation import from_rotvec, multiply, normalise
from imusim.sensor.rocking import Mount
from imusim.types import Floats

BLOCKS: Final = {
    "time": (("time_offset_s",), 10.0, 0.02),
    "skew": (("clock_skew",), 1e-3, 5e-4),
    "rotation": (("rotation_x", "rotation_y", "rotation_z"), 1.8, 0.05),
    "leverarm": (("lever_arm_x", "lever_arm_y", "lever_arm_z"), 0.3, 0.05),
    "bias": (("acc_bias_x", "acc_bias_y", "acc_bias_z", "gyro_bias_x", "gyro_bias_y", "gyro_bias_z"),
             (3.0,) * 3 + (1.0,) * 3, (0.3,) * 3 + (0.05,) * 3),
    "scale": (("acc_scale_x", "acc_scale_y", "acc_scale_z", "gyro_scale_x", "gyro_scale_y", "gyro_scale_z"), 0.1, 0.05),
    "bodyscale": (("body_scale",), 0.2, 0.1),
    "softtissue": (("mount_log_frequency", "mount_log_damping", "mount_shift_x", "mount_shift_y", "mount_shift_z",
                    "mount_turn_x", "mount_turn_y", "mount_turn_z"),
                   (0.5, 0.7, 1.0, 1.0, 1.0, 40.0, 40.0, 40.0), (0.1, 0.5, 0.3, 0.3, 0.3, 12.0, 12.0, 12.0)),
}  # fmt: skip
"""Block → names of its numbers, standard deviation of the weak prior that keeps what is not excited finite,
and the standard deviation beyond which a number counts as not identified. SI units; rotations in rad."""

ALIGN: Final = ("time", "skew", "rotation", "leverarm", "bias", "scale")
"""What a comparison of two recordings may ask for; identification from a motion knows "bodyscale" and "softtissue" too."""

_MEAN_HZ, _MEAN_DAMPING = 10.0, 0.1  # of the prior of a mount


@dataclass(frozen=True)
class Parameters:
    """One sensor's parameters.

    Parameters
    ----------
    time_offset_s : t_source = t_real + time_offset_s + clock_skew · (t_real − time_reference_s)
    clock_skew : s/s
    time_reference_s : instant of the real clock at which the offset holds · s
    rotation_wxyz : (4,), takes the real sensor's vectors to the source frame's axes
    lever_arm_m : (3,) · m · source frame's axes, from its origin to the real sensor
    acc_bias, gyro_bias : (3,) · m/s², rad/s · real sensor's axes, added by the real sensor
    acc_scale, gyro_scale : (3,), real sensor's axes, 1 for a perfect one
    body_scale : factor on the motion's acceleration
    mount : soft mount, in the source frame's axes; None: rigid
    """

    time_offset_s: float = 0.0
    clock_skew: float = 0.0
    time_reference_s: float = 0.0
    rotation_wxyz: Floats = field(default_factory=lambda: np.array([1.0, 0.0, 0.0, 0.0]))
    lever_arm_m: Floats = field(default_factory=lambda: np.zeros(3))
    acc_bias: Floats = field(default_factory=lambda: np.zeros(3))
    gyro_bias: Floats = field(default_factory=lambda: np.zeros(3))
    acc_scale: Floats = field(default_factory=lambda: np.ones(3))
    gyro_scale: Floats = field(default_factory=lambda: np.ones(3))
    body_scale: float = 1.0
    mount: Mount | None = None

    def source_time(self, time_s: Floats) -> Floats:
        """Return the source's instants of the real sensor's instants (N,) · s."""
        return time_s + self.time_offset_s + self.clock_skew * (time_s - self.time_reference_s)

    def deviation(self, blocks: Sequence[str]) -> Floats:
        """Return how far they are from the prior's mean, (P,); 0 for rotations and time, which have no prior."""
        parts = []
        for block in blocks:
            if block in ("time", "rotation"):
                parts.append(np.zeros(len(BLOCKS[block][0])))
            elif block == "skew":
                parts.append([self.clock_skew])
            elif block == "leverarm":
                parts.append(self.lever_arm_m)
            elif block == "bias":
                parts += [self.acc_bias, self.gyro_bias]
            elif block == "scale":
                parts += [self.acc_scale - 1.0, self.gyro_scale - 1.0]
            elif block == "bodyscale":
                parts.append([self.body_scale - 1.0])
            else:
                mount = self.mount or Mount()
                parts.append(
                    [np.log(mount.frequency_hz / _MEAN_HZ), np.log(mount.damping / _MEAN_DAMPING)]
                    + [*mount.shift, *mount.turn_per_m]
                )
        return np.concatenate(parts) if parts else np.zeros(0)

    def moved(self, step: Floats, blocks: Sequence[str]) -> Parameters:
        """Return the parameters a step (P,) further; a rotation turns about the real sensor's axes."""
        new, at = self, 0
        for block in blocks:
            d = step[at : at + len(BLOCKS[block][0])]
            at += d.size
            if block == "time":
                new = replace(new, time_offset_s=self.time_offset_s + float(d[0]))
            elif block == "skew":
                new = replace(new, clock_skew=self.clock_skew + float(d[0]))
            elif block == "rotation":
                new = replace(new, rotation_wxyz=normalise(multiply(self.rotation_wxyz, from_rotvec(d))))
            elif block == "leverarm":
                new = replace(new, lever_arm_m=self.lever_arm_m + d)
            elif block == "bias":
                new = replace(new, acc_bias=self.acc_bias + d[:3], gyro_bias=self.gyro_bias + d[3:])
            elif block == "scale":
                new = replace(new, acc_scale=self.acc_scale + d[:3], gyro_scale=self.gyro_scale + d[3:])
            elif block == "bodyscale":
                new = replace(new, body_scale=self.body_scale + float(d[0]))
            else:
                new = replace(new, mount=_moved(self.mount or Mount(), d))
        return new


def _moved(mount: Mount, d: Floats) -> Mount:
    """The mount a step (8,) further: logarithms of frequency and damping, shift, turn."""
    f, z = np.exp(np.clip(d[:2], -1.0, 1.0))
    shift, turn = np.asarray(mount.shift) + d[2:5], np.asarray(mount.turn_per_m) + d[5:]
    return replace(
        mount,
        frequency_hz=mount.frequency_hz * float(f),
        damping=mount.damping * float(z),
        shift=(float(shift[0]), float(shift[1]), float(shift[2])),
        turn_per_m=(float(turn[0]), float(turn[1]), float(turn[2])),
    )


def names_of(blocks: Sequence[str]) -> tuple[str, ...]:
    """Return the names of all numbers of some blocks."""
    return tuple(name for block in blocks for name in BLOCKS[block][0])


def numbers_of(blocks: Sequence[str], column: int) -> Floats:
    """Return column 1 (prior sd) or 2 (sd beyond which nothing is known) of `BLOCKS` for every number, (P,)."""
    if not blocks:
        return np.zeros(0)
    return np.concatenate(
        [np.broadcast_to(BLOCKS[block][column], (len(BLOCKS[block][0]),)) for block in blocks]
    ).astype(np.float64)


def check_blocks(asked: str | Sequence[str], known: Sequence[str]) -> tuple[str, ...]:
    """Return the blocks asked for, in the order of `BLOCKS`; "time,rotation" and ("time", "rotation") mean the same.

    Raises
    ------
    UnknownNameError
        If one does not exist.
    """
    wanted = [p.strip() for p in asked.split(",")] if isinstance(asked, str) else [str(p) for p in asked]
    wanted = [p for p in wanted if p and p != "none"]
    for name in wanted:
        if name not in known:
            raise unknown_name("part of an alignment", name, known)
    return tuple(block for block in BLOCKS if block in wanted)
