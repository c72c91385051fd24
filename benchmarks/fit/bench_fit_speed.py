"""How long the fit takes, and that ten minutes take ten times as long as one: CPU seconds of one process, warm.

python -m benchmarks.fit.bench_fit_speed
"""

from __future__ import annotations

import resource
import time
import warnings

import numpy as np

import imusim as im
from benchmarks.fit import landmark_noise, motions, world
from benchmarks.page import write

FPS = 30.0


def track_of(seconds: float, seed: int = 1):
    """Squats that go on and on, with fresh noise throughout."""
    made = motions.squat(8.8, 2.2)
    _, marks = world.frames(made, FPS)
    count = round(seconds * FPS)
    marks = np.tile(marks, (count // len(marks) + 1, 1, 1))[:count]
    view = landmark_noise.view_of(marks.mean(axis=(0, 1)), made.azimuth_deg, 3.8)
    return landmark_noise.observe(np.arange(count) / FPS, marks, view, landmark_noise.MEDIAPIPE_LIKE, seed)


def seconds_of(track) -> float:
    """CPU seconds of one fit."""
    start = time.process_time()
    im.fit(track, height_m=im.open_body().stature(None), progress=False)
    return time.process_time() - start


def main() -> None:
    """Print and write the table."""
    seconds_of(track_of(5.0))  # compiles
    rows = ["| clip | frames | CPU s | frames/s | memory so far MB |", "|---|---|---|---|---|"]
    rates = {}
    for minutes in (1, 10):
        track = track_of(60.0 * minutes)
        took = min(seconds_of(track) for _ in range(2 if minutes < 10 else 1))
        rates[minutes] = track.time_s.size / took
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        rows.append(
            f"| {minutes} min | {track.time_s.size} | {took:.2f} | {rates[minutes]:.0f} | {memory:.0f} |"
        )
    text = f"""## Speed of the fit

`python -m benchmarks.fit.bench_fit_speed`: squats with MediaPipe-like landmarks, 30 fps, one thread, compiled before.
Time per frame of ten minutes over that of one: {rates[1] / rates[10]:.2f} (long clips are fitted in overlapping parts).

{chr(10).join(rows)}"""
    print(text)
    write("fit_speed", text)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
