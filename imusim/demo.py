"""The first five minutes: a real clip, one command, a picture to look at."""

from __future__ import annotations

from pathlib import Path

from imusim.assets import asset
from imusim.workflow import FitOptions, PoseOptions, Result, SensorOptions, simulate_file

CLIP = "clip_walking"
HEIGHT_M = 1.65  # given with the clip by its authors
WALKER_BOX = "1400,540,260,430"  # where the walker comes out from behind a tree


def run_demo(out: Path, *, report: bool = True) -> Result:
    """Turn the walking clip of the assets into IMU recordings in `out`, and say what to look at.

    The clip shows two people; the walker is chosen by a box in the first frame.
    """
    print("1/2  fetching a walking clip and the pose model (once, into the user cache) ...")
    clip = asset(CLIP)
    print(f"2/2  {clip.name} -> virtual BMI270s at 17 places, 100 Hz ...")
    result = simulate_file(
        clip,
        out,
        pose=PoseOptions(person=WALKER_BOX),
        fit=FitOptions(height_m=HEIGHT_M),
        sensors=SensorOptions(placements="body17", sensor="bmi270"),
        report=report,
    )
    print(_what_to_see(result))
    return result
