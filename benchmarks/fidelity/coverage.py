"""Planted placements, errors and clocks: are they found again, and how often do the 95 % intervals hold the truth?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

import imusim as im
from benchmarks.fidelity.planted import made_trajectory, read_by
from imusim.rotation import conjugate, from_rotvec, multiply, to_rotvec

EVERYTHING = ("time", "skew", "rotation", "leverarm", "bias", "scale")
COLOURS = {"white": 0.0, "coloured": 0.9}
FEW, MANY = 100, 1000


@dataclass(frozen=True)
class Recovered:
    """Of N seeds and P numbers that are the axes of Q quantities.

    names (P,), errors (N, P) and half the widths of the 95 % intervals (N, P), SI; joint (N, Q): whether the quantity's joint
    95 % region holds the truth.
    """

    names: tuple[str, ...]
    error: np.ndarray
    half: np.ndarray
    joint: np.ndarray

    def covered(self, seeds: int | None = None) -> dict[str, float]:
        """Number → per cent of the first seeds (None: of all) whose interval holds the truth."""
        inside = (np.abs(self.error) < self.half)[:seeds]
        return dict(zip(self.names, (100.0 * inside.mean(axis=0)).tolist(), strict=True))

    def covered_together(self, seeds: int | None = None) -> dict[str, float]:
        """Quantity ("lever_arm", say) → the same of its joint region, which does not depend on the axes it is written in."""
        shares = 100.0 * self.joint[:seeds].mean(axis=0)
        return dict(zip(quantities(self.names), shares.tolist(), strict=True))

    def worst(self) -> dict[str, float]:
        """Quantity → the largest error of all seeds and axes."""
        out: dict[str, float] = {}
        for name, size in zip(self.names, np.abs(self.error).max(axis=0), strict=True):
            out[quantity(name)] = max(out.get(quantity(name), 0.0), float(size))
        return out


def quantities(names: Iterable[str]) -> dict[str, list[str]]:
    """Quantity → its axes."""
    out: dict[str, list[str]] = {}
    for name in names:
        out.setdefault(quantity(name), []).append(name)
    return out


def quantity(name: str) -> str:
    """What a number is an axis of."""
    return name[:-2] if name[-2:] in ("_x", "_y", "_z") else name


def recover(seeds: Iterable[int], colour: float) -> Recovered:
    """Identify everything from one made motion, 12 s at 50 Hz, noise of 0.2 m/s² and 0.04 rad/s (AR(1), its coefficient)."""
    trajectory = made_trajectory(7, 14.0)
    errors, halves, joints, names = [], [], [], ()
    for seed in tqdm(seeds, "planted", leave=False, disable=None):
        rng = np.random.default_rng(1000 + seed)
        turn, lever = from_rotvec(rng.normal(size=3)), 0.05 * rng.normal(size=3)
        offset, bias = rng.uniform(-0.4, 0.4), rng.normal(size=2) * (0.1, 0.02)
        real = read_by(
            trajectory, seed, offset_s=offset, rotation=turn, lever=lever, acc_bias=bias[0], gyro_bias=bias[1],
            acc_scale=1.01, acc_noise=0.2, gyro_noise=0.04, colour=colour, rate_hz=50,
        )  # fmt: skip
        fit = im.identify(trajectory, real, EVERYTHING, max_offset_s=0.5).fits["left_wrist"]
        p, names = fit.parameters, fit.names
        off = to_rotvec(multiply(conjugate(turn), p.rotation_wxyz))
        clock = [p.time_offset_s - offset, p.clock_skew]
        biases = [p.acc_bias - bias[0], p.gyro_bias - bias[1]]
        errors.append(
            np.concatenate(
                [clock, off, p.lever_arm_m - lever, *biases, p.acc_scale - 1.01, p.gyro_scale - 1.0]
            )
        )
        halves.append([fit.half_width(name) for name in names])
        error = dict(zip(names, errors[-1], strict=True))
        joints.append(
            [fit.holds(axes, np.array([error[a] for a in axes])) for axes in quantities(names).values()]
        )
    return Recovered(names, np.array(errors), np.array(halves), np.array(joints))


def table(found: dict[str, Recovered]) -> list[str]:
    """Lines: by quantity, of every noise, coverage over few and many seeds, jointly and axis by axis, and the largest error."""
    lines = [
        "| | "
        + " | ".join(f"{n}: of {FEW} seeds | axes | of {MANY}, % | axes | largest error" for n in found)
        + " |",
        "|---|" + "---|---|---|---|---|" * len(found),
    ]
    for name in next(iter(found.values())).worst():
        cells = []
        for row in found.values():
            for seeds, digits in ((FEW, 0), (None, 1)):
                own = [f"{v:.{digits}f}" for k, v in row.covered(seeds).items() if quantity(k) == name]
                cells += [f"{row.covered_together(seeds)[name]:.1f}", ", ".join(own) if len(own) > 1 else ""]
            cells.append(_size(name, row.worst()[name]))
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return lines


def _size(name: str, value: float) -> str:
    for start, factor, unit in (
        ("time", 1e3, "ms"),
        ("clock", 1e6, "ppm"),
        ("rotation", 180 / np.pi, "°"),
        ("lever", 1e3, "mm"),
        ("acc_bias", 1.0, "m/s²"),
        ("gyro_bias", 1.0, "rad/s"),
        ("", 100.0, "%"),
    ):
        if name.startswith(start):
            return f"{factor * value:.2g} {unit}"
    raise AssertionError


if __name__ == "__main__":
    print("\n".join(table({name: recover(range(MANY), colour) for name, colour in COLOURS.items()})))
