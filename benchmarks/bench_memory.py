"""Peak memory of a whole run: does it grow with the length of the clip?

    python -m benchmarks.bench_memory [quick]

"quick" measures one kind of run only: no cut, with the report, on every third frame of the clip.

The peak is VmHWM, read by the process itself at its end. (`ru_maxrss` would include the peak of the process that
started it.)
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import imusim as im
from benchmarks import clips
from benchmarks.page import write

MINUTES = (2, 10)
POSE_FPS = 5
LIMIT_MB = 1200

_PEAK = "print('peak', open('/proc/self/status').read().split('VmHWM:')[1].split()[0])"
_SIMULATE = f"import sys; from imusim.cli import main; main(sys.argv[1:]); {_PEAK}"
_BEHIND = f"""
import sys, warnings
from benchmarks.bench_memory import behind
warnings.simplefilter("ignore")
behind(float(sys.argv[1]), sys.argv[2])
{_PEAK}
"""


def peak_mb(code: str, *arguments: str) -> float:
    """Peak resident memory of a Python process · MB."""
    command = [sys.executable, "-W", "ignore", "-c", code, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{arguments}: {done.stderr[-2000:]}")
    return int(done.stdout.split("peak ")[1].split()[0]) / 1024


def behind(minutes: float, folder: str) -> None:
    """Run the estimator on the short clip, then the rest on its track to and fro for so long, all frames."""
    from dataclasses import replace

    import numpy as np

    from imusim.kinematics import BodyTrajectory

    name = clips.WALKING
    track = im.estimate_pose(im.asset(name), person=clips.person(name), progress=False)
    count, length = round(minutes * 60 * clips.fps(name)), track.time_s.size
    order = np.resize(np.concatenate([np.arange(length), np.arange(length)[::-1]]), count)
    arrays = {k: getattr(track, k)[order] for k in ("landmarks_m", "landmarks_px", "visibility", "quality")}
    none = np.zeros(count, dtype=np.int64)
    track = replace(track, time_s=np.arange(count) / clips.fps(name), shot=none, switched=none > 0, **arrays)
    motion = im.fit(track, height_m=clips.height_m(name), progress=False)
    trajectory = BodyTrajectory(motion)
    recs = [im.simulate(trajectory, "body17", sensor=s) for s in ("bmi270", "ideal")]
    for i, rec in enumerate(recs):
        rec.save(Path(folder) / f"{i}.parquet")
    im.save_motion(Path(folder) / "motion.npz", motion)


def rows_of(folder: Path, quick: bool) -> list[str]:
    """One row a kind of run, one column a length."""
    fro = clips.to_and_fro(folder / "fro.mp4", clips.WALKING, 3 if quick else 1)
    sources = {"no cut (to and fro)": fro}
    if not quick:
        sources["a cut every 7.7 s (looped)"] = im.asset(clips.WALKING)
    rows = []

    def row(what: str, peaks: list[float]) -> None:
        per_minute = (peaks[-1] - peaks[0]) / (MINUTES[-1] - MINUTES[0])
        rows.append(f"| {what} | " + " | ".join(f"{p:.0f} MB" for p in peaks) + f" | {per_minute:+.1f} MB |")
        print(rows[-1], flush=True)

    for kind, source in sources.items():
        for report in (True,) if quick else (True, False):
            peaks = []
            for minutes in MINUTES:
                clip = clips.repeated(folder / "long.mp4", source, 60 * minutes)
                with tempfile.TemporaryDirectory(dir=folder) as out:
                    options = [
                        "--out",
                        out,
                        "--placements",
                        "body17",
                        "--person",
                        clips.person(clips.WALKING),
                    ]
                    options += ["--pose-model", "lite", "--pose-fps", str(POSE_FPS), "--height-m", "1.65"]
                    options += [] if report else ["--no-report"]
                    peaks.append(peak_mb(_SIMULATE, "simulate", str(clip), *options))
            row(f"`imusim simulate`, {kind}, report {'on' if report else 'off'}", peaks)
    if quick:
        return rows
    row(
        "estimator on 7.7 s, then all behind it on 30 frames/s, no cut",
        [peak_mb(_BEHIND, str(minutes), str(folder)) for minutes in MINUTES],
    )
    return rows


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        rows = rows_of(Path(folder), "quick" in sys.argv[1:])
    quick = "quick" in sys.argv[1:]
    more = [
        "The last row feeds what comes behind the estimator with every frame of a 30 fps clip, in a process that has",
        "also run the estimator (full model).",
    ]
    text = [
        "## Memory",
        "",
        f"`python -m benchmarks.bench_memory{' quick' if quick else ''}`: peak resident memory (VmHWM) of one process. The",
        f"walking clip repeated, lite model, {POSE_FPS} frames/s, 17 sensors at 100 Hz, BMI270 and ideal; wanted: at most",
        f"{LIMIT_MB} MB, and no growth." + (" Source: 10 frames/s, 1768 × 994." if quick else ""),
        *([] if quick else more),
        "",
        "| run | " + " | ".join(f"{m} min" for m in MINUTES) + " | per further minute |",
        "|---|" + "---|" * (len(MINUTES) + 1),
        *rows,
    ]
    print("\n".join(text))
    write("memory", "\n".join(text))


if __name__ == "__main__":
    main()
