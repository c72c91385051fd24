"""The fit against known truth: made motions → landmarks with MediaPipe-like noise, 30 fps → sensors at six places.

python -m benchmarks.fit.bench_synthetic [seeds]
"""

from __future__ import annotations

import sys
import warnings
from dataclasses import replace

import numpy as np
from scipy.signal import butter, sosfiltfilt

import imusim as im
from benchmarks.fit import landmark_noise, motions, world
from imusim.types import Motion

CUTS_HZ = (1.0, 1.5, 2.0, 3.0, 4.0, 6.0)
FPS = 30.0
ENDS_S = 0.3


def low_passed(motion: Motion, cut_hz: float) -> Motion:
    """Butterworth 2nd order forwards and backwards on root and rotations."""
    sos = butter(2, cut_hz, fs=FPS, output="sos")
    turn = sosfiltfilt(sos, motion.joint_rotation_wxyz, axis=0)
    turn /= np.linalg.norm(turn, axis=-1, keepdims=True)
    root = sosfiltfilt(sos, motion.root_position_m, axis=0)
    return replace(motion, root_position_m=root, joint_rotation_wxyz=turn, bandwidth_hz=None)


def errors(motion: Motion, smoothing: str, truth) -> tuple[float, float]:
    """RMSE (norm of the vector, mean over places) of acceleration m/s² and angular velocity rad/s."""
    got = world.signals(motion, smoothing, truth.time_s)

    def rms(x: np.ndarray) -> float:
        return float(np.sqrt((x**2).sum(axis=2).mean(axis=0)).mean())

    return rms(got.acc - truth.acc), rms(got.gyro - truth.gyro)


def one(name: str, seed: int) -> dict[str, tuple[float, float]]:
    """Errors of each method on one motion and one draw of the noise."""
    made = motions.ALL[name]()
    time_s, marks = world.frames(made, FPS)
    middle = marks.mean(axis=(0, 1))
    middle[2] = max(middle[2], 0.5)
    view = landmark_noise.view_of(middle, made.azimuth_deg, 6.5 if name == "walk" else 3.8)
    track = landmark_noise.observe(time_s, marks, view, landmark_noise.MEDIAPIPE_LIKE, seed)
    truth = world.signals(made.motion, "none", np.arange(ENDS_S, time_s[-1] - ENDS_S, 0.01))
    height = im.open_body().stature(None)
    found = {"imusim": errors(im.fit(track, height_m=height, progress=False), "auto", truth)}
    frame_by_frame = im.fit(track, height_m=height, refine=False, progress=False)
    for cut in CUTS_HZ:
        label = f"frame by frame, Butterworth {cut:g} Hz"
        found[label] = errors(low_passed(frame_by_frame, cut), "none", truth)
    return found


def main() -> None:
    """Print the table."""
    warnings.simplefilter("ignore")
    seeds = range(1, 1 + (int(sys.argv[1]) if len(sys.argv) > 1 else 2))
    table: dict[str, list[tuple[float, float]]] = {}
    for name in motions.ALL:
        draws = [one(name, seed) for seed in seeds]
        for method in draws[0]:
            mean = np.mean([d[method] for d in draws], axis=0)
            table.setdefault(method, []).append((float(mean[0]), float(mean[1])))
    print("RMSE m/s² / rad/s, six places, mean of draws")
    print("| method | " + " | ".join(motions.ALL) + " | mean |")
    print("|---|" + "---|" * (len(motions.ALL) + 1))
    for method, rows in table.items():
        cells = [f"{a:.2f} / {g:.2f}" for a, g in (*rows, tuple(np.mean(rows, axis=0)))]
        print(f"| {method} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
