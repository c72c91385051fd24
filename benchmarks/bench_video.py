"""The video chain: throughput by model and frame rate and what it costs in accuracy, shares, memory, start-up.

`python -m benchmarks.bench_video`. Times are CPU seconds of the process where the table says so: wall-clock time on a
shared machine is noise.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np

import imusim as im
from benchmarks.bench_core import write
from imusim.demo import CLIP, HEIGHT_M, WALKER_BOX
from imusim.kinematics import BodyTrajectory
from imusim.warmup import warmup

PLACES = "body17"


def clips():
    """Name, file, person, height, frame rates to try."""
    yield "walking, 30 fps", im.asset(CLIP), WALKER_BOX, HEIGHT_M, (None, 15.0, 10.0)
    yield "camera 4, 60 fps", im.asset("clip_cam04"), "largest", None, (None, 30.0, 15.0, 10.0)


def signals(track, height):
    motion = im.fit(track, height_m=height, progress=False)
    return im.simulate(motion, PLACES, rate_hz=100)


def compare(a, b):
    """r and RMSE of acc and gyro over all axes and sensors, on common instants."""
    first, last = max(a.time_s[0], b.time_s[0]) + 0.1, min(a.time_s[-1], b.time_s[-1]) - 0.1
    t = np.arange(first, last, 0.01)

    def at(rec, signal):
        x = getattr(rec, signal).reshape(rec.time_s.size, -1)
        return np.stack([np.interp(t, rec.time_s, c) for c in x.T], axis=1)

    out = []
    for signal in ("acc", "gyro"):
        x, y = at(a, signal), at(b, signal)
        r = np.median([np.corrcoef(p, q)[0, 1] for p, q in zip(x.T, y.T, strict=True)])
        out += [r, np.sqrt(np.mean((x - y) ** 2))]
    return out


def throughput():
    rows = []
    for name, path, person, height, rates in clips():
        reference = None
        for model in ("full", "lite"):
            for fps in rates:
                start, cpu = time.perf_counter(), time.process_time()
                track = im.estimate_pose(path, model=model, fps=fps, person=person, progress=False)
                pose_wall, pose_cpu = time.perf_counter() - start, time.process_time() - cpu
                start = time.perf_counter()
                rec = signals(track, height)
                rest = time.perf_counter() - start
                reference = reference or rec
                seen = float(np.ptp(track.time_s[track.detected]))
                r_acc, e_acc, r_gyro, e_gyro = compare(reference, rec)
                rows.append(
                    f"| {name} | {model} | {'all' if fps is None else f'{fps:g}'} | {seen / (pose_wall + rest):.2f} "
                    f"| {seen / pose_cpu:.2f} | {r_acc:.2f} | {e_acc:.2f} | {r_gyro:.2f} | {e_gyro:.2f} |"
                )
                print(rows[-1], flush=True)
    return rows


def share():
    """What comes after the estimator, on the walking clip, kernels compiled."""
    warmup()
    cpu = time.process_time()
    wall = time.perf_counter()
    track = im.estimate_pose(im.asset(CLIP), person=WALKER_BOX, progress=False)
    pose = time.perf_counter() - wall, time.process_time() - cpu
    steps = {}

    def step(name, work):
        start, cpu = time.perf_counter(), time.process_time()
        value = work()
        steps[name] = time.perf_counter() - start, time.process_time() - cpu
        return value

    motion = step("fit", lambda: im.fit(track, height_m=HEIGHT_M, progress=False))
    trajectory = step("smoothing", lambda: BodyTrajectory(motion))
    recs = step(
        "17 sensors, ideal and BMI270",
        lambda: [im.simulate(trajectory, PLACES, sensor=s) for s in ("ideal", "bmi270")],
    )
    with tempfile.TemporaryDirectory() as folder:
        step("export", lambda: [r.save(Path(folder) / f"{i}.parquet") for i, r in enumerate(recs)])
        step("motion.npz", lambda: im.save_motion(Path(folder) / "motion.npz", motion))
    rows = [f"| {n} | {100 * w / pose[0]:.1f} % | {100 * c / pose[1]:.1f} % |" for n, (w, c) in steps.items()]
    wall, cpu = (sum(s[i] for s in steps.values()) / pose[i] for i in (0, 1))
    return [*rows, f"| **together** | **{100 * wall:.1f} %** | **{100 * cpu:.1f} %** |"]


def looped(path, seconds):
    """A clip of one person that walks to and fro for so long, half size, 30 fps."""
    import av

    frames = []
    with av.open(str(im.asset("clip_cam04"))) as source:
        for i, frame in enumerate(source.decode(video=0)):
            if i % 2 == 0:
                frames.append(frame.reformat(width=544, height=960, format="yuv420p").to_ndarray())
    cycle = frames + frames[-2:0:-1]
    with av.open(str(path), "w") as target:
        stream = target.add_stream("libx264", rate=30, options={"crf": "23", "preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 544, 960, "yuv420p"
        for i in range(int(seconds * 30)):
            target.mux(stream.encode(av.VideoFrame.from_ndarray(cycle[i % len(cycle)], format="yuv420p")))
        target.mux(stream.encode())
    return path


def memory():
    """Peak resident memory of `imusim simulate` on clips of two lengths."""
    rows = []
    for minutes in (2, 10):
        with tempfile.TemporaryDirectory() as folder:
            clip = looped(Path(folder) / "long.mp4", 60 * minutes)
            code = (
                "import sys; from imusim.cli import main\n"
                "main(sys.argv[1:])\n"
                "status = open('/proc/self/status').read()\n"
                "print('peak', status.split('VmHWM:')[1].split()[0])"  # ru_maxrss would be the parent's
            )
            args = [
                "simulate",
                str(clip),
                "--pose-model",
                "lite",
                "--pose-fps",
                "10",
                "--out",
                folder + "/out",
            ]
            done = subprocess.run(
                [sys.executable, "-c", code, *args], capture_output=True, text=True, check=True
            )
            peak = int(done.stdout.split("peak ")[1].split()[0]) / 1024
            rows.append(f"| {minutes} min | {peak:.0f} MB |")
            print(rows[-1], flush=True)
    return rows


def cpu_of(code):
    times = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return float(np.median(times))


def startup():
    bare = cpu_of("pass")
    rows = []
    for label, code in (
        ("import imusim", "import imusim"),
        ("import numpy", "import numpy"),
        (
            "imusim --help",
            "import sys; sys.argv = ['imusim', '--help']; from imusim.cli import main\ntry: main()\nexcept SystemExit: pass",
        ),
    ):
        rows.append(f"| {label} | {cpu_of(code) - bare:.2f} s |")
    return rows


def main():
    warnings.simplefilter("ignore")
    text = "\n".join(
        [
            "## The video chain",
            "",
            "`python -m benchmarks.bench_video`, 2 cores, no GPU. Accuracy is against the full model at every frame of",
            "the same clip: median r and RMSE over 17 places and three axes. Throughput is video time in which the",
            "person is seen over wall time of pose, fit and simulation (video-hours per wall-hour), and over",
            "the CPU time of the pose step alone.",
            "",
            "| clip | model | frames/s | video h / wall h | video h / CPU h | acc r | acc RMSE | gyro r | gyro RMSE |",
            "|---|---|---|---|---|---|---|---|---|",
            *throughput(),
            "",
            "What comes after the pose estimator, as a share of its time (walking clip, kernels compiled):",
            "",
            "| step | wall | CPU |",
            "|---|---|---|",
            *share(),
            "",
            "Peak memory of `imusim simulate`, everything included (lite model, 10 frames/s):",
            "",
            "| clip | peak |",
            "|---|---|",
            *memory(),
            "",
            "Start-up beyond the bare interpreter, CPU time:",
            "",
            "| | |",
            "|---|---|",
            *startup(),
        ]
    )
    print(text)
    write("video", text)


if __name__ == "__main__":
    main()
