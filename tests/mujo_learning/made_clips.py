"""Clips of movements that differ in frequency and axis, at two places; some without text, pose or video."""

from __future__ import annotations

import numpy as np

from mujo.corpus import Clip

WORDS = np.random.default_rng(99).normal(size=(8, 12)).astype(np.float32)


def made_clips(movements: int = 4, each: int = 8, length: int = 220, seed: int = 0) -> list[Clip]:
    """`each` clips a movement, the last two of them for validation."""
    rng = np.random.default_rng(seed)
    t = np.arange(length) / 50
    clips = []
    for k in range(movements):
        for n in range(each):
            phase, size = rng.uniform(0, 6.3), rng.uniform(0.7, 1.3)
            wave = size * np.sin(2 * np.pi * (0.6 + 0.6 * k) * t + phase)
            imu = rng.normal(0, 0.2, (length, 2, 6)).astype(np.float32)
            imu[:, 0, 2] += 9.81
            imu[:, 1, 0] -= 9.81
            imu[:, :, k % 3] += 4 * wave[:, None]
            imu[:, :, 3 + (k + 1) % 3] += 2 * wave[:, None]
            pose = np.zeros((length, 3, 3), np.float32)
            pose[:, 1, 2], pose[:, 2, k % 3] = 0.5, wave
            moments = np.arange(0, length / 50, 0.2)
            seen = np.stack([np.interp(moments, t, wave), np.full(len(moments), k), np.cos(moments)], axis=1)
            has_text, has_video = n % 4 != 3, n % 3 != 2
            clips.append(
                Clip(
                    key=f"m{k}_{n}",
                    rate_hz=50.0,
                    imu=imu,
                    placements=("left_wrist", "right_wrist"),
                    pose=pose if n % 5 != 4 else None,
                    video=seen.astype(np.float32) if has_video else None,
                    video_time_s=moments.astype(np.float32) if has_video else None,
                    text=(f"movement {k}", f"doing {k}") if has_text else (),
                    text_features=WORDS[[k, k]] + np.array([[0.0], [0.1]], np.float32) if has_text else None,
                    label=f"m{k}",
                    split="validation" if n >= each - 2 else "train",
                    group=f"g{n}",
                )
            )
    return clips
