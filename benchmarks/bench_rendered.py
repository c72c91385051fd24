"""The real chain on rendered video whose IMU signals are known exactly: MediaPipe → fit → IMU against the truth.

    python -m benchmarks.bench_rendered

Movements of the embedded library are drawn with random camera, light, clothes and background, written as a video file, and
go through `im.estimate_pose`, `im.fit` and `im.simulate` as any video does. The truth is the simulation of the motion that
was drawn. Signals are compared in the sensors' own axes, on the video's clock: nothing is aligned.
"""

from __future__ import annotations

import argparse
import tempfile
import time
import warnings
from pathlib import Path

import av
import numpy as np
from scipy.signal import butter, sosfiltfilt

import imusim as im
from benchmarks.page import write
from mujo.corpus.movement import library
from mujo.corpus.player import play
from mujo.corpus.rendering import draw_scene, film
from mujo.corpus.wearers import wearer

MOVEMENTS = (
    "squats", "lunges", "bicep_curls", "lateral_raises", "front_raise", "jumping_jacks", "shoulder_press", "dumbbell_rows",
    "waist_bends_forward", "side_bends", "boxing", "throw", "wave", "high_knees", "deadlift", "walking", "push_ups", "sit_ups",
)  # fmt: skip
PLACES = ("left_wrist", "right_wrist", "right_upper_arm", "chest", "waist", "right_thigh", "left_ankle")
FPS, SECONDS, EDGE = 30, 6.0, 15
LOW = butter(2, 5.0, fs=50.0, output="sos")


def video(motion: im.Motion, seed: int, path: Path) -> float:
    """Draw a motion into a file; returns the camera's bearing."""
    scene = draw_scene(motion, seed)
    with av.open(str(path), "w") as target:
        stream = target.add_stream("libx264", rate=FPS, options={"crf": "20"})
        stream.width, stream.height = scene.size_px
        stream.pix_fmt = "yuv420p"
        for rgb in film(motion, scene, np.arange(int(SECONDS * FPS)) / FPS):
            target.mux(stream.encode(av.VideoFrame.from_ndarray(rgb, format="rgb24")))
        target.mux(stream.encode(None))
    return scene.bearing_deg


def compare(truth: im.Recording, found: im.Recording) -> dict[str, tuple[float, ...]]:
    """Placement → acc r, acc RMSE m/s², gyro r, gyro RMSE rad/s; both low-passed at 5 Hz, ends dropped."""
    out = {}
    for k, name in enumerate(PLACES):
        row: list[float] = []
        for field in ("acc", "gyro"):
            a, b = (sosfiltfilt(LOW, getattr(r, field)[:, k], axis=0)[EDGE:-EDGE] for r in (truth, found))
            mean = a - a.mean(axis=0), b - b.mean(axis=0)
            r = (mean[0] * mean[1]).sum() / np.sqrt((mean[0] ** 2).sum() * (mean[1] ** 2).sum())
            row += [float(r), float(np.sqrt(((a - b) ** 2).sum(axis=1).mean()))]
        out[name] = tuple(row)
    return out


def main(movements: tuple[str, ...] = MOVEMENTS, model: str = "full", page: bool = True) -> str:
    rows, detected, lost, seconds = [], [], [], 0.0
    for k, name in enumerate(movements):
        person = wearer(k, 1, PLACES, vary=False)
        motion = play(library()[name], SECONDS + 0.2, seed=(1, k), shape=person.shape).motion
        with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            path = Path(folder) / "made.mp4"
            bearing = video(motion, k, path)
            began = time.process_time()
            try:
                track = im.estimate_pose(path, model=model, progress=False)
                fitted = im.fit(track, height_m=person.stature_m, progress=False)
            except im.errors.ImusimError as error:
                lost.append(f"{name} ({' '.join(str(error).split())[:60]}…)")
                detected.append(0.0)
                continue
            t = (
                np.arange(np.ceil(fitted.time_s[fitted.valid][0] * 50), fitted.time_s[fitted.valid][-1] * 50)
                / 50
            )
            found = im.simulate(fitted, list(PLACES), rate_hz=50, time_s=t)
            seconds += time.process_time() - began
            detected.append(float(track.detected.mean()))
        truth = im.simulate(motion, list(PLACES), rate_hz=50, time_s=t, smoothing="none")
        good = np.isfinite(found.acc).all(axis=(1, 2))
        if good.mean() < 0.99:
            lost.append(f"{name} (only {good.mean():.0%} could be simulated)")
            continue
        rows.append((name, bearing, detected[-1], compare(truth, found)))
    table = np.array([[r[3][p] for p in PLACES] for r in rows])  # (clip, place, 4)
    text = [
        "## Rendered: the real chain against exact truth",
        "",
        f"`python -m benchmarks.bench_rendered`: {len(movements)} made motions of {SECONDS:g} s, drawn at 480×480 and {FPS} fps with "
        "random camera, light, clothes and background, one person each, height given; MediaPipe "
        f"({model}) → fit → IMU against the IMU of the motion that was drawn. These are **rendered** people: a drawn body may be "
        "easier or harder to see than a filmed one. Both sides low-passed at 5 Hz, nothing aligned.",
        "",
        f"Person found in {np.mean(detected):.0%} of the frames (worst clip {np.min(detected):.0%}); "
        f"{len(lost)} of {len(movements)} clips gave no recording"
        + (": " + "; ".join(lost) if lost else "")
        + ". "
        f"Cost of the chain: {seconds / (SECONDS * max(len(rows), 1)):.2f} CPU seconds a second of video.",
        "",
        "Median over clips (quartiles in brackets):",
        "",
        "| sensor | acc r | acc RMSE m/s² | gyro r | gyro RMSE rad/s |",
        "|---|---|---|---|---|",
    ]
    for k, place in enumerate(PLACES):
        q = np.quantile(table[:, k], [0.25, 0.5, 0.75], axis=0)
        cells = [f"{q[1, c]:.2f} ({q[0, c]:.2f}–{q[2, c]:.2f})" for c in range(4)]
        text.append(f"| {place} | " + " | ".join(cells) + " |")
    text += [
        "",
        "| movement | camera from front | found | wrist acc r | wrist gyro r | chest acc r | ankle acc r |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, bearing, seen, of in rows:
        wrist = max(("left_wrist", "right_wrist"), key=lambda p: of[p][0])
        text.append(
            f"| {name} | {bearing:+.0f}° | {seen:.0%} | {of[wrist][0]:.2f} | {of[wrist][2]:.2f} | {of['chest'][0]:.2f} | "
            f"{of['left_ankle'][0]:.2f} |"
        )
    text += [
        "",
        "(The wrist of a row is the one that was seen better; still parts have low r because there is nothing to follow.)",
    ]
    block = "\n".join(text)
    if page:
        write("rendered", block)
    return block


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", default="full")
    print(main(model=parser.parse_args().model))
