"""Motions in closed form, and recordings of them with everything between simulated and real planted."""

import numpy as np
from scipy.signal import lfilter

import imusim as im
from imusim.rotation import from_rotvec


def made_trajectory(
    seed: int, length_s: float = 20.0, rate_hz: float = 100.0, frames: int = 1
) -> im.Trajectory:
    """Frames that move and turn about all axes with frequencies between 0.3 and 2.5 Hz."""
    rng = np.random.default_rng(seed)
    t = np.arange(0.0, length_s, 1.0 / rate_hz)

    def waves(size: float) -> np.ndarray:
        total = np.zeros((t.size, frames, 3))
        for f in rng.uniform(0.3, 2.5, 4):
            phase = rng.uniform(0, 2 * np.pi, (frames, 3))
            total += size * rng.normal(size=(frames, 3)) * np.sin(2 * np.pi * f * t[:, None, None] + phase)
        return total

    return im.Trajectory(t, waves(0.1), from_rotvec(waves(0.35)))


def read_by(trajectory: im.Trajectory, seed: int, *, offset_s=0.0, skew=0.0, rotation=(1.0, 0, 0, 0), lever=(0.0, 0, 0),
            acc_bias=0.0, gyro_bias=0.0, acc_scale=1.0, acc_noise=0.05, gyro_noise=0.01, colour=0.0, rate_hz=64.0,
            names=("left_wrist",)) -> im.Recording:  # fmt: skip
    """What a real sensor reads whose clock shows t with t_sim = t + offset + skew (t − middle)."""
    rng = np.random.default_rng(seed)
    first, last = trajectory.time_s[0] + 1.0, trajectory.time_s[-1] - 1.0
    true = np.arange(first, last, 1.0 / rate_hz)
    rec = im.simulate(trajectory.mounted(lever, rotation), time_s=true, rate_hz=rate_hz)
    clock = true - offset_s
    if skew:
        middle = 0.5 * (clock[0] + clock[-1])
        clock = (true - offset_s + skew * middle) / (1 + skew)

    def noise(size):
        white = rng.standard_normal(rec.acc.shape)
        if colour:
            white[0] /= np.sqrt(1 - colour**2)  # as loud from the first sample on
            white = lfilter([np.sqrt(1 - colour**2)], [1, -colour], white, axis=0)
        return size * white

    return im.Recording(
        clock, rec.acc * acc_scale + acc_bias + noise(acc_noise), rec.gyro + gyro_bias + noise(gyro_noise), names,
        unit="m/s2", gyro_unit="rad/s",
    )  # fmt: skip
