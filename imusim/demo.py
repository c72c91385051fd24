"""The first five minutes: a real clip, one command, a picture to look at."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import numpy as np

from imusim.assets import asset, fetch
from imusim.options import FitOptions, PoseOptions, SensorOptions
from imusim.recording import Recording
from imusim.workflow import Result, simulate_file

CLIP = "clip_walking"
HEIGHT_M = 1.65  # given with the clip by its authors
WALKER_BOX = "1400,540,260,430"  # where the walker comes out from behind a tree


def run_demo(out: Path, *, report: bool = True) -> Result:
    """Turn the walking clip of the assets into IMU recordings in `out`, and say what to look at.

    Parameters
    ----------
    out : folder for the outputs
    report : whether to draw the picture

    Raises
    ------
    ImusimError
        If the clip or the pose model cannot be had, or `out` cannot be written.
    """
    print("1/3  a walking clip and the pose model (fetched once, then cached) ...", flush=True)
    fetch([CLIP, "pose_detector", "pose_full"])
    clip = asset(CLIP)
    print("2/3  kernels (compiled once, then cached) ...", flush=True)
    from imusim.warmup import warmup

    warmup()
    print(f"3/3  {clip.name}: pose -> body -> 17 virtual BMI270s at 100 Hz ...", flush=True)
    result = simulate_file(
        clip,
        out,
        pose=PoseOptions(person=WALKER_BOX),
        fit=FitOptions(height_m=HEIGHT_M),
        sensors=SensorOptions(placements="body17", sensor="bmi270"),
        report=report,
    )
    print(_what_to_see(result))
    _show(result.folder / "report.png")
    return result


def _what_to_see(result: Result) -> str:
    """Say what came out, and what a walk should look like."""
    rec = Recording.load(result.folder / "ideal.parquet")
    wanted = ("pelvis", "head", "left_hand", "right_foot")
    rows = []
    for name in wanted:
        acc = np.linalg.norm(rec.acc[:, rec.sensors.index(name)], axis=-1)
        gyro = np.linalg.norm(rec.gyro[:, rec.sensors.index(name)], axis=-1)
        rows.append(f"  {name:<12} {np.nanmedian(acc):8.2f} {np.nanmax(acc):8.1f} {np.nanmax(gyro):8.1f}")
    steps = ", ".join(f"{step} {s:.1f} s" for step, s in result.seconds.items())
    return "\n".join(
        [
            "",
            f"wrote {', '.join(f.name for f in result.files)} to {result.folder}/  ({steps})",
            "",
            "  sensor        median      max      max   (m/s2, m/s2, rad/s)",
            "                 |acc|    |acc|   |gyro|",
            *rows,
            "",
            "What you should see: medians near 9.81 (gravity), the hand and foot swinging far more than the pelvis.",
            f"Now look at {result.folder / 'report.png'}: is the skeleton on the walker?",
        ]
    )


def _show(picture: Path) -> None:
    """Open the picture where there is a desktop; elsewhere its path has been printed."""
    opener = shutil.which("xdg-open") or shutil.which("open")
    if opener and picture.exists() and (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        subprocess.Popen([opener, str(picture)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
