"""A validation of ten minutes and seventeen sensors: CPU seconds and memory."""

from __future__ import annotations

import resource
import time

import numpy as np

import imusim as im
from imusim.recording import Recording

MINUTES, SENSORS, RATE_HZ = 10, 17, 100.0


def pair(seed: int = 0) -> tuple[Recording, Recording]:
    """Two recordings of one made motion: the real one late by 0.3 s, turned, biased and noisy."""
    rng = np.random.default_rng(seed)
    t = np.arange(int(60 * MINUTES * RATE_HZ)) / RATE_HZ
    signals = []
    for offset in (0.0, 0.3):
        draw = np.random.default_rng(seed + 1)
        x = np.zeros((t.size, SENSORS, 6))
        for _ in range(12):
            hz, phase = draw.uniform(0.2, 4.0, (SENSORS, 6)), draw.uniform(0, 6.3, (SENSORS, 6))
            x += draw.normal(size=(SENSORS, 6)) * np.sin(2 * np.pi * hz * (t[:, None, None] + offset) + phase)
        signals.append(x + [0.0, 0.0, 9.81, 0.0, 0.0, 0.0])
    turn = im.rotation.to_matrix(im.rotation.from_rotvec(0.3 * rng.normal(size=(SENSORS, 3))))
    real = signals[1].reshape(t.size, SENSORS, 2, 3)
    real = np.einsum("tskj,sji->tski", real, turn) + 0.05 + 0.1 * rng.normal(size=real.shape)
    names = tuple(f"s{i}" for i in range(SENSORS))
    made = Recording(t, signals[0][..., :3], signals[0][..., 3:], names, unit="m/s2", gyro_unit="rad/s")
    return made, Recording(t, real[:, :, 0], real[:, :, 1], names, unit="m/s2", gyro_unit="rad/s")


def measure() -> dict[str, float]:
    """CPU seconds (compiled already) and peak memory of the process, MB."""
    made, real = pair()
    short = slice(0, 2000)

    def cut(rec: Recording) -> Recording:
        return Recording(
            rec.time_s[short], rec.acc[short], rec.gyro[short], rec.sensors, unit="m/s2", gyro_unit="rad/s"
        )

    im.validate(cut(made), cut(real))
    start = time.process_time()
    report = im.validate(made, real)
    seconds = time.process_time() - start
    offset = [p["time_offset_s"] for p in report.alignment.values()]
    assert np.abs(np.array(offset) + 0.3).max() < 1e-2 or np.abs(np.array(offset) - 0.3).max() < 1e-2, offset
    return {"cpu_s": seconds, "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


if __name__ == "__main__":
    print(measure())
