"""Windows whose classes a person can tell: movements of different frequency and axis, people of different size."""

from __future__ import annotations

import numpy as np

from mujo.data import Windows


def made_windows(
    people: int = 5, bouts: int = 3, classes: int = 3, length: int = 60, seed: int = 0
) -> Windows:
    """`bouts` bouts a class and person, of six windows each."""
    rng = np.random.default_rng(seed)
    t = np.arange(length) / 50
    X, y, person, unit, start = [], [], [], [], []
    number = 0
    for p in range(people):
        size = rng.uniform(0.8, 1.3)
        for k in range(classes):
            for _ in range(bouts):
                for w in range(6):
                    phase = rng.uniform(0, 6.3)
                    acc = np.zeros((3, length))
                    acc[2] = 9.81
                    acc[k % 3] += 4 * size * np.sin(2 * np.pi * (1 + k) * t + phase)
                    gyro = np.zeros((3, length))
                    gyro[(k + 1) % 3] = 2 * size * np.cos(2 * np.pi * (1 + k) * t + phase)
                    X.append(np.concatenate([acc, gyro]) + rng.normal(0, 0.3, (6, length)))
                    y.append(k), person.append(f"p{p}"), unit.append(number), start.append(w * 0.6)
                number += 1
    names = tuple(f"wrist.{c}.{a}" for c in ("acc", "gyro") for a in "xyz")
    return Windows(
        np.array(X, np.float32), np.array(y), np.array(person), np.array(unit), np.array(start), names,
        tuple(f"c{k}" for k in range(classes)), 50.0,
    )  # fmt: skip
