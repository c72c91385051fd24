"""The video chain: speed by model and frame rate and what it costs in accuracy; shares of the steps; start-up.

python -m benchmarks.bench_video [CLIP ...]
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import warnings
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage

import numpy as np

import imusim as im
from benchmarks import clips
from benchmarks.meter import Cost, meter
from benchmarks.page import write
from imusim.kinematics import BodyTrajectory

PLACES = "body17"
SHOWN = {
    "pelvis": ("pelvis",),
    "wrists": ("left_wrist", "right_wrist"),
    "ankles": ("left_ankle", "right_ankle"),
}
EDGE_S = 0.1


def settings(name: str):
    """Model and frame rate (None: every frame), the reference first."""
    rates = (None, 15.0, 10.0) if name == clips.WALKING else (None, 30.0, 15.0, 10.0)
    return [(model, fps) for model in ("full", "lite") for fps in rates]


def label(name: str, fps: float | None) -> str:
    return f"{clips.fps(name)} (all)" if fps is None else f"{fps:g}"


def after_pose(track, height_m, folder: Path) -> dict[str, Cost]:
    """Everything behind the estimator, as `imusim simulate` does it, step by step."""
    with meter() as fit:
        motion = im.fit(track, height_m=height_m, progress=False)
    with meter() as smoothing:
        trajectory = BodyTrajectory(motion)
    with meter() as simulate:
        recs = [im.simulate(trajectory, PLACES, sensor=s, rate_hz=100) for s in ("ideal", "bmi270")]
    with meter() as export:
        for i, rec in enumerate(recs):
            rec.save(folder / f"{i}.parquet")
        im.save_motion(folder / "motion.npz", motion)
    return {"fit": fit, "smoothing": smoothing, "17 sensors, ideal and BMI270": simulate, "export": export}


def settings_rows(
    folder: Path, names=(clips.WALKING, "clip_cam04")
) -> tuple[list[str], list[str], list[str]]:
    """Rows of what each setting takes, what it costs against the full model at every frame, and the first one's steps."""
    speeds, costs, shares = [], [], []
    for name in names:
        reference = None
        for model, fps in settings(name):
            with meter() as pose:
                track = im.estimate_pose(
                    im.asset(name), model=model, fps=fps, person=clips.person(name), progress=False
                )
            steps = after_pose(track, clips.height_m(name), folder)
            rest = sum(c.cpu_s for c in steps.values())
            seen_s = track.detected.sum() * float(np.median(np.diff(track.time_s)))
            row = f"| {name[5:]} | {model} | {label(name, fps)} |"
            speeds.append(
                f"{row} {seen_s / pose.cpu_s:.2f} | {seen_s / rest:.1f} | {seen_s / (pose.cpu_s + rest):.2f} "
                f"| {1e3 * pose.cpu_s / track.detected.sum():.0f} | {100 * rest / pose.cpu_s:.0f} % |"
            )
            print(speeds[-1], flush=True)
            motion = im.fit(track, height_m=clips.height_m(name), progress=False)
            ideal = im.simulate(motion, [PLACES, *SHOWN["wrists"], *SHOWN["ankles"]], rate_hz=100)
            if reference is None:
                reference = ideal
                shares = shares or share(pose, steps)
                continue
            found = compare(reference, ideal)
            cells = []
            for group in ("17", *SHOWN):
                r_acc, e_acc, r_gyro, e_gyro = np.median(found[group], axis=0)
                cells += [f"{r_acc:.2f} · {e_acc:.2f}", f"{r_gyro:.2f} · {e_gyro:.2f}"]
            costs.append(f"{row} " + " | ".join(cells) + " |")
            print(costs[-1], flush=True)
    return speeds, costs, shares


def compare(a, b) -> dict[str, list[tuple[float, float]]]:
    """r and RMSE of acc and gyro in sensor axes: of every one of the 17, and of the places shown.

    RMSE is of the vector (root of the mean squared norm of the difference); r pools the three axes, each less its
    mean, so that gravity is not counted as agreement.
    """
    first, last = max(a.time_s[0], b.time_s[0]) + EDGE_S, min(a.time_s[-1], b.time_s[-1]) - EDGE_S
    t = a.time_s[(a.time_s >= first) & (a.time_s <= last)]
    found: dict[str, list[tuple[float, float]]] = {}
    for s, sensor in enumerate(a.sensors):
        both = []
        for signal in ("acc", "gyro"):
            x, y = (
                np.stack([np.interp(t, r.time_s, getattr(r, signal)[:, s, i]) for i in range(3)], axis=1)
                for r in (a, b)
            )
            known = np.isfinite(x).all(axis=1) & np.isfinite(y).all(axis=1)
            x, y = x[known], y[known]
            error = float(np.sqrt(((x - y) ** 2).sum(axis=1).mean()))
            x, y = x - x.mean(axis=0), y - y.mean(axis=0)
            both += [(float((x * y).sum() / np.sqrt((x**2).sum() * (y**2).sum())), error)]
        groups = [g for g, members in SHOWN.items() if sensor in members]
        groups += ["17"] if s < 17 else []
        for g in groups:
            found.setdefault(g, []).append(tuple(np.ravel(both)))
    return found


def share(pose: Cost, steps: dict[str, Cost]) -> list[str]:
    """Rows: each step behind the estimator as a share of the estimator's CPU time."""
    total = sum(c.cpu_s for c in steps.values())
    found = {"estimator": pose.cpu_s, **{k: c.cpu_s for k, c in steps.items()}}
    found["**everything behind the estimator**"] = total
    return [f"| {step} | {s:.2f} s | {100 * s / pose.cpu_s:.1f} % |" for step, s in found.items()]


def cpu_of(code: str, runs: int = 7) -> float:
    """Median CPU seconds of a Python process."""
    times = []
    for _ in range(runs):
        before = getrusage(RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)
        after = getrusage(RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return float(np.median(times))


def startup() -> list[str]:
    """Rows: CPU seconds of starting, the interpreter's own included."""
    show_help = "import sys; from imusim.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass"
    codes = {
        "bare interpreter": "pass",
        "`import numpy`": "import numpy",
        "`import imusim`": "import imusim",
        "`imusim --help`": show_help,
        "`imusim simulate --help`": show_help.replace("['--help']", "['simulate', '--help']"),
    }
    return [f"| {what} | {cpu_of(code):.2f} s |" for what, code in codes.items()]


def main() -> None:
    warnings.simplefilter("ignore")
    from imusim.warmup import warmup

    warmup()
    im.estimate_pose(im.asset("clip_cam01"), model="lite", fps=10.0, progress=False)  # libraries are loaded
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        starts = startup()
        speeds, costs, shares = settings_rows(folder, *([tuple(sys.argv[1:])] if sys.argv[1:] else []))
    text = [
        "## The video chain",
        "",
        f"`python -m {' '.join(['benchmarks.bench_video', *sys.argv[1:]])}`",
        "",
        "### Speed",
        "",
        "Hours of video in which the person is seen per CPU hour: CPU time, since this machine was shared when it was",
        'measured; decoding runs in a thread beside the networks, so wall time is less. "Pose" is the whole of',
        '`estimate_pose`: decoding, cuts, choice of person, networks; "rest" is fit, smoothing, 17 sensors at 100 Hz ideal',
        "and BMI270, export.",
        "",
        "| clip | model | frames/s | pose | rest | all | pose CPU ms/frame | rest : pose |",
        "|---|---|---|---|---|---|---|---|",
        *speeds,
        "",
        "### What a faster setting costs",
        "",
        "Ideal signals in sensor axes against those of the full model at every frame of the same clip: r · RMSE",
        "(vector; m/s², rad/s). Median over sensors. The reference is an estimate itself, so this is how much the answer",
        "changes, not how wrong it is.",
        "",
        "| clip | model | frames/s | acc, 17 places | gyro, 17 places | acc, pelvis | gyro, pelvis | acc, wrists "
        "| gyro, wrists | acc, ankles | gyro, ankles |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
        *costs,
        "",
        "### Share of what comes behind the estimator",
        "",
        "Walking clip, full model, every frame; kernels compiled before; one run, all threads' CPU time.",
        "",
        "| step | CPU | of the estimator's |",
        "|---|---|---|",
        *shares,
        "",
        "### Start-up",
        "",
        "| CPU time of a process | |",
        "|---|---|",
        *starts,
    ]
    print("\n".join(text))
    write("video", "\n".join(text))


if __name__ == "__main__":
    main()
