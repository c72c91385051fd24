"""Keraal: IMU from BlazePose and Kinect tracks against IMU from the Vicon track of the same trial. Video-grade evidence.

Reference: each Vicon target as a rigid frame of its own (`im.Trajectory`). Judged: the track through `im.read_motion` and
`im.simulate`, beside plain differences of the raw landmarks. Sensor axes: one mounting rotation a segment and source, fitted
on the other two exercises, for both methods alike.

    MUJO_DATA=... python -m benchmarks.fit.bench_keraal
"""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import imusim as im
from benchmarks.fit.keraal import RATE_HZ, SOURCES, TARGETS, Exercise, Seen, exercises
from benchmarks.fit.plain import plain_signals, segment_frames
from benchmarks.fit.scoring import by_axis, low_passed, mounting, outer
from benchmarks.page import write
from imusim.errors import QualityWarning
from imusim.types import Motion, Placement

Floats = NDArray[np.float64]
Pair = tuple[Floats, Floats]
OURS, PLAIN = "ours", "plain"
_MOVES = 0.25  # rad/s: segments that turn less, rms over the exercises, hold still
_BONES = {
    "hips": ("pelvis", "neck", "hip", 0.0), "chest": ("pelvis", "neck", "shoulder", 0.7),
    **{
        f"{s}_{part}": (f"{s}_{a}", f"{s}_{b}", of, 0.5)
        for s in ("left", "right")
        for part, a, b, of in (
            ("arm", "shoulder", "elbow", "shoulder"), ("forearm", "elbow", "wrist", "shoulder"),
            ("hand", "wrist", "hand", "shoulder"), ("thigh", "hip", "knee", "hip"), ("shin", "knee", "ankle", "hip"),
        )
    },
}  # fmt: skip
"""Segment → joints at its ends, the pair of joints that tells right from left, how far along the target sits."""


def _place(segment: str) -> Placement:
    start, end, _, share = _BONES[segment]
    if segment == "hips":
        return Placement("hips", "pelvis", on="bone")
    if segment == "chest":
        return Placement("chest", "spine3", child="neck", along=0.7, on="bone")
    return Placement(segment, start, child=end, along=share, on="bone")


def _low(acc: Floats, gyro: Floats) -> Pair:
    return low_passed(acc, 5.0, RATE_HZ), low_passed(gyro, 4.0, RATE_HZ)


def reference(e: Exercise, when: NDArray[np.bool_]) -> dict[str, Pair]:
    """Segment → acc and gyro of Vicon's target there, low-passed."""
    pick = [TARGETS.index(s) for s in _BONES]
    made = im.simulate(
        im.Trajectory(e.time_s, e.position[:, pick], e.quaternion[:, pick]), time_s=e.time_s[when]
    )
    return {s: _low(made.acc[:, i], made.gyro[:, i]) for i, s in enumerate(_BONES)}


def ours(seen: Seen, time_s: Floats, source: str) -> dict[str, Pair]:
    """The track through a file, `read_motion` and `simulate`."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "track.npz"
        np.savez(
            path,
            positions=seen.points,
            time_s=seen.time_s - seen.time_s[0],
            layout=source.lower() + str(seen.points.shape[1]),
        )
        motion: Motion = im.read_motion(path)
    made = im.simulate(motion, [_place(s) for s in _BONES], time_s=time_s - seen.time_s[0])
    return {s: _low(made.acc[:, i], made.gyro[:, i]) for i, s in enumerate(_BONES)}


def plain(seen: Seen, time_s: Floats) -> dict[str, Pair]:
    """Differences of the raw landmarks."""
    x = dict(zip(seen.layout.joints, seen.joints.transpose(1, 0, 2), strict=True))
    out = {}
    for segment, (start, end, of, share) in _BONES.items():
        axes = segment_frames(x[start], x[end], x[f"right_{of}"] - x[f"left_{of}"])
        point = (1.0 - share) * x[start] + share * x[end]
        out[segment] = _low(*plain_signals(seen.time_s, point, axes, time_s))
    return out


def measure() -> tuple[dict[tuple[str, str, str], Floats], dict[str, float]]:
    """(source, method, segment) → median over exercises of r and RMSE of acc, r and RMSE of gyro by axis (4, 3); how fast
    each segment turns, rad/s."""
    held: dict[tuple[str, str, str], list[tuple[Pair, Pair]]] = {}
    turns: dict[str, list[float]] = {}
    for e in exercises():
        for source, seen in e.seen.items():
            when = (e.time_s >= seen.time_s[0]) & (e.time_s <= seen.time_s[-1])
            real = reference(e, when)
            for method, made in (
                (OURS, ours(seen, e.time_s[when], source)),
                (PLAIN, plain(seen, e.time_s[when])),
            ):
                for segment in _BONES:
                    held.setdefault((source, method, segment), []).append((made[segment], real[segment]))
            for segment, (_, gyro) in real.items():
                turns.setdefault(segment, []).append(float((gyro**2).sum(axis=1).mean()))
    out = {}
    for key, pairs in held.items():
        says = [outer(made, real) for made, real in pairs]
        scores = []
        for i, (made, real) in enumerate(pairs):
            turn = mounting(np.sum([o for k, o in enumerate(says) if k != i], axis=0)).T
            scores.append([*by_axis(made[0] @ turn, real[0]), *by_axis(made[1] @ turn, real[1])])
        out[key] = np.median(np.array(scores), axis=0)
    return out, {s: float(np.sqrt(np.mean(v))) for s, v in turns.items()}


def tables(
    found: dict[tuple[str, str, str], Floats], moving: list[str]
) -> tuple[str, dict[str, tuple[int, int, int]]]:
    """Table of the moving segments; source → figures ahead in r and in RMSE, and how many of each."""
    lines = [
        "| source | segment | signal | r: x y z | of plain differences | RMSE: x y z | of plain differences |",
        "|---|---|---|---|---|---|---|",
    ]
    count = {}
    for source in SOURCES:
        better = np.zeros(3, int)
        for segment in moving:
            mine, other = found[source, OURS, segment], found[source, PLAIN, segment]
            for k, signal in ((0, "acc m/s²"), (2, "gyro rad/s")):
                cells = [
                    " ".join(f"{v:.2f}" for v in row)
                    for row in (mine[k], other[k], mine[k + 1], other[k + 1])
                ]
                lines.append(
                    f"| {source} | {segment.replace('_', ' ')} | {signal} | " + " | ".join(cells) + " |"
                )
                better += [(mine[k] > other[k]).sum(), (mine[k + 1] < other[k + 1]).sum(), 3]
        count[source] = (int(better[0]), int(better[1]), int(better[2]))
    return "\n".join(lines), count


def main() -> None:
    """Measure and write the section."""
    found, turns = measure()
    moving = [s for s in _BONES if turns[s] > _MOVES]
    still = [s.replace("_", " ") for s in _BONES if turns[s] <= _MOVES]
    table, count = tables(found, moving)
    said = "; ".join(f"{s}: r in {a} of {n}, RMSE in {b} of {n}" for s, (a, b, n) in count.items())
    text = f"""## Cameras against Vicon: Keraal

`python -m benchmarks.fit.bench_keraal` · video-grade evidence: one person, three exercises of 6.5 s, median over them. IMU
from the BlazePose and Kinect tracks through `read_motion` and `simulate` against IMU of the Vicon target on that segment, both
low-passed (acc 5 Hz, gyro 4 Hz), gravity in; one mounting rotation a segment, fitted on the other two exercises. Beside it plain
differences of the raw landmarks, mounted the same way. BlazePose is in shares of a mirrored picture: turned over, taken for 16:9, its depth scaled so
that the arms keep their lengths, the whole to a torso of 0.5 m. The tracks have no common clock: one shift a track from the speeds of the hands, for both methods alike.

Ahead of plain differences: {said}. Not in the table, since they hold still (below {_MOVES} rad/s): {", ".join(still) or "none"}.

{table}"""
    print(text)
    write("keraal", text)


if __name__ == "__main__":
    warnings.simplefilter("ignore", QualityWarning)
    main()
