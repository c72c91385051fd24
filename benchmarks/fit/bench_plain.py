"""The plain case of the design notes: white noise of 1 cm, 30 fps, an arm that moves at 0.5–1.5 or 1–3 Hz.

python -m benchmarks.fit.bench_plain [seeds]

Linear acceleration of the left wrist, camera axes: root mean square of the vector error over that of the truth. The
whole way is ours: landmarks → `im.fit` → smoothing chosen from the data. Ends of 0.3 s are left out.
"""

from __future__ import annotations

import sys
import warnings

import numpy as np

import imusim as im
from benchmarks.fit import landmark_noise, motions, world
from benchmarks.page import write
from imusim.kinematics import BodyTrajectory
from imusim.placement import attach, resolve
from imusim.types import Floats, Motion

BANDS_HZ = {"slow, 0.5–1.5 Hz": ((0.5, 1.5), 0.21), "fast, 1–3 Hz": ((1.0, 3.0), 0.25)}
ENDS_S = 0.3


def wrist_acceleration(motion: Motion, smoothing: str, time_s: Floats) -> Floats:
    """Linear acceleration of the left wrist joint, (N, 3) · m/s² · the motion's world."""
    sites = attach(motion.body, motion.shape, resolve(["left_wrist_joint"]))
    return BodyTrajectory(motion, smoothing).kinematics(time_s, sites).acceleration[:, 0]


def one(band_hz: tuple[float, float], seed: int) -> tuple[float, float, float]:
    """RMSE and rms of the truth · m/s², bandwidth of the fit · Hz."""
    made = motions.waving(band_hz, seed)
    time_s, marks = world.frames(made, 30.0)
    view = landmark_noise.view_of(marks.mean(axis=(0, 1)), made.azimuth_deg, 3.8)
    track = landmark_noise.observe(time_s, marks, view, landmark_noise.WHITE_1CM, seed)
    motion = im.fit(track, height_m=im.open_body().stature(None), progress=False)
    at = np.arange(ENDS_S, time_s[-1] - ENDS_S, 0.01)
    truth = wrist_acceleration(made.motion, "none", at) @ view.R_cw.T
    found = wrist_acceleration(motion, "auto", at) @ np.array(motion.metadata["camera"]["pose"]["0"]["R_wc"])
    rms = [float(np.sqrt((x**2).sum(axis=1).mean())) for x in (found - truth, truth)]
    return rms[0], rms[1], motion.bandwidth_hz or np.nan


def main(seeds: int) -> None:
    """Print and write the table."""
    rows = [
        "| arm | aim | RMSE / rms | worst draw | truth rms m/s² | bandwidth Hz |",
        "|---|---|---|---|---|---|",
    ]
    for name, (band, aim) in BANDS_HZ.items():
        e, s, b = np.array([one(band, seed) for seed in range(1, 1 + seeds)]).T
        rows.append(
            f"| {name} | {aim} | {np.mean(e / s):.3f} | {(e / s).max():.3f} | {s.mean():.1f} | {np.median(b):.1f} |"
        )
    text = f"""## The plain case: white noise of 1 cm on every landmark

`python -m benchmarks.fit.bench_plain {seeds}`: mean of {seeds} draws; linear acceleration of the wrist, whole fit, nothing tuned.

{chr(10).join(rows)}"""
    print(text)
    write("fit_plain", text)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 6)
