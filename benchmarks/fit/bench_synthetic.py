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
from benchmarks.page import write
from imusim.fitting.refine import Terms
from imusim.types import Motion

CUTS_HZ = (1.0, 1.5, 2.0, 3.0, 4.0, 6.0)
FPS = 30.0
ENDS_S = 0.3
OURS = "imusim"
ABLATIONS = {
    "without contact": Terms(contact=False),
    "without limits and usual postures": Terms(limits=False),
    "without image landmarks": Terms(image=False),
}


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
    known = {"height_m": im.open_body().stature(None), "progress": False}
    found = {OURS: errors(im.fit(track, **known), "auto", truth)}
    unchosen = im.fit(track, terms=Terms(choice=False), **known)
    found["without smoothing choice"] = errors(unchosen, "none", truth)
    for label, terms in ABLATIONS.items():
        found[label] = errors(im.fit(track, terms=terms, **known), "auto", truth)
    single = im.fit(track, refine=False, **known)
    for what, motion in (("our fit without smoothing choice", unchosen), ("pose of each frame", single)):
        for cut in CUTS_HZ:
            found[f"{what}, Butterworth {cut:g} Hz"] = errors(low_passed(motion, cut), "none", truth)
    return found


def main(seeds: int) -> None:
    """Print and write the table."""
    table: dict[str, list[tuple[float, float]]] = {}
    for name in motions.ALL:
        draws = [one(name, seed) for seed in range(1, 1 + seeds)]
        for method in draws[0]:
            acc, gyro = np.mean([d[method] for d in draws], axis=0)
            table.setdefault(method, []).append((float(acc), float(gyro)))
        print(name, {m: tuple(np.round(v[-1], 2)) for m, v in table.items()}, flush=True)
    mean = {method: np.mean(rows, axis=0) for method, rows in table.items()}
    behind = []
    for what in ("our fit without smoothing choice", "pose of each frame"):
        cuts = {m: v for m, v in mean.items() if m.startswith(f"{what}, ")}
        acc, gyro = (min(cuts, key=lambda m, k=k: cuts[m][k]) for k in (0, 1))
        less = [100 * (1 - mean[OURS][k] / cuts[m][k]) for k, m in ((0, acc), (1, gyro))]
        behind.append(
            f"Against the best cut-off after the {what.removeprefix('our ')}: acceleration {less[0]:+.0f} % less error "
            f"({acc.rsplit(' ', 2)[1]} Hz), angular velocity {less[1]:+.0f} % ({gyro.rsplit(' ', 2)[1]} Hz)."
        )
    rows = [
        f"| {method} | " + " | ".join(f"{a:.2f} / {g:.2f}" for a, g in (*table[method], mean[method])) + " |"
        for method in table
    ]
    text = f"""## The fit against known truth

`python -m benchmarks.fit.bench_synthetic {seeds}`: made motions of the open body → landmarks with MediaPipe-like noise
(`benchmarks/fit/landmark_noise.py`: anisotropic, coloured, hidden limbs, confused sides, lost frames, stray landmarks;
seeds 1 … {seeds}) → fit → ideal sensors at {", ".join(world.PLACES)}. RMSE of the vectors, acceleration m/s² /
angular velocity rad/s; the error of a sensor's direction, gravity in it, is most of what remains. A cut-off is the same
for all motions and sensors, as it would be for a user who does not know the truth; "without smoothing choice" is
process noise of vigorous exercise everywhere.

{chr(10).join(behind)}

| method | {" | ".join(motions.ALL)} | mean |
|---|{"---|" * (len(motions.ALL) + 1)}
{chr(10).join(rows)}"""
    print(text)
    write("fit", text)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2)
