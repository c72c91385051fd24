"""One view fitted alone against the other three triangulated, with a better estimator in the reference. Video-grade evidence.

    python -m benchmarks.fit.bench_views_fit [FOLDER]

With a folder, landmarks are kept there, and a second run reuses them.

The view has the estimator that users get ("full"), the reference the heavy model in the other three views. Besides
the accelerations: speed, limbs of the wrong side, and whether bones keep their length.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import numpy as np

import imusim as im
from benchmarks import clips
from benchmarks.bench_views import (
    CUTS_HZ,
    FRAMES,
    INNER,
    JOINTS,
    RATE,
    accelerations,
    cameras,
    low_passed,
    ours,
    r_rmse,
    triangulate,
)  # fmt: skip
from benchmarks.page import write
from imusim.fitting.project import joints_world

ENDS = ("wrist", "ankle")
PAIRS = ("wrist", "elbow", "knee", "ankle")
FAR_APART_M = 0.12


def flips(points_c: np.ndarray, truth_c: np.ndarray, names) -> tuple[int, int]:
    """Frames × pairs of joints whose left and right are exchanged, and how many were looked at; (T, J, 3) · m · camera axes.

    In the picture's plane, about the middle of the hips, where left and right are far enough apart to tell.
    """

    def about_hips(x: np.ndarray) -> np.ndarray:
        hips = x[:, [names.index("left_hip"), names.index("right_hip")]].mean(axis=1, keepdims=True)
        return (x - hips)[..., :2]

    got, want = about_hips(points_c), about_hips(truth_c)
    wrong = seen = 0
    for part in PAIRS:
        a, b = names.index(f"left_{part}"), names.index(f"right_{part}")

        def off(i: int, j: int) -> np.ndarray:
            return np.linalg.norm(got[:, i] - want[:, j], axis=1)

        tell = np.linalg.norm(want[:, a] - want[:, b], axis=1) > FAR_APART_M
        wrong += int((tell & (off(a, b) + off(b, a) < off(a, a) + off(b, b))).sum())
        seen += int(tell.sum())
    return wrong, seen


def main(folder: Path | None = None) -> None:
    """Print and write the tables."""
    cams = cameras()
    tracks = {
        m: [
            im.estimate_pose(im.asset(v), model=m, progress=False, cache=folder and folder / f"{v}_{m}.npz")
            for v in clips.VIEWS
        ]
        for m in ("full", "heavy")
    }
    names = list(tracks["full"][0].landmark_names)
    everyone = triangulate(tracks["heavy"], cams)
    t = np.arange(FRAMES) / RATE
    hips = everyone[:, [names.index("left_hip"), names.index("right_hip")]].mean(axis=1)
    true_velocity = np.polyfit(t, hips, 1)[0]
    true_speed = float(np.linalg.norm(true_velocity[:2]))
    scores: dict[tuple, list] = {}
    rows = []
    for v, (view, camera) in enumerate(zip(clips.VIEWS, cams, strict=True)):
        motion = im.fit(tracks["full"][v], progress=False)
        mine = ours(motion).about_hips
        rest = [i for i in range(len(cams)) if i != v]
        for model in ("heavy", "full"):
            points = triangulate([tracks[model][i] for i in rest], [cams[i] for i in rest])
            for cut in CUTS_HZ:
                want = accelerations(points, names, cut) @ camera.turn.T
                for i, joint in enumerate(JOINTS):
                    for axis in range(3):
                        ends = "wrist, ankle" if joint.split("_")[1] in ENDS else "elbow, knee"
                        key = (ends, "depth" if axis == 2 else "in plane", model, cut)
                        found = (v, *r_rmse(mine[INNER, i, axis], want[INNER, i, axis]))
                        scores.setdefault(key, []).append(found)
        ok = motion.valid
        velocity = np.polyfit(motion.time_s[ok], motion.root_position_m[ok], 1)[0]
        speed = np.linalg.norm(velocity[:2])
        joints = joints_world(motion)[:FRAMES]
        pose = motion.metadata["camera"]["pose"]["0"]
        in_camera = (joints - np.array(pose["position_w_m"])) @ np.array(pose["R_wc"])
        mine_c, true_c = velocity @ np.array(pose["R_wc"]), camera.turn @ true_velocity
        order = [motion.body.joint_names.index(n) for n in (*JOINTS, "left_hip", "right_hip")]
        index = [names.index(n) for n in (*JOINTS, "left_hip", "right_hip")]
        truth = low_passed((everyone - camera.place_m) @ camera.turn.T, 6.0)[:, index]
        wrong, seen = flips(in_camera[:, order], truth, [*JOINTS, "left_hip", "right_hip"])
        bones = np.linalg.norm(joints[:, 1:] - joints[:, list(motion.body.parents[1:])], axis=-1)
        rows.append(
            f"| {view} | {true_speed:.2f} | {speed:.2f} | {100 * (speed / true_speed - 1):+.0f} % "
            f"| {1e3 * np.linalg.norm((mine_c - true_c)[:2]):.0f} | {1e3 * (mine_c - true_c)[2]:+.0f} | {wrong} of {seen} "
            f"| {1e3 * np.ptp(bones, axis=0).max():.1e} |"
        )
    lines = []
    for (ends, kind, model, cut), values in sorted(scores.items()):
        x = np.array(values)
        by_view = ", ".join(f"{np.median(x[x[:, 0] == v, 1]):.2f}" for v in range(len(cams)))
        r, rmse = np.median(x[:, 1:], axis=0)
        lines.append(f"| {ends} | {kind} | {model} | {cut:g} Hz | {r:.3f} | {by_view} | {rmse:.1f} |")
    text = f"""## One view's fit against the other three views

`python -m benchmarks.fit.bench_views_fit`: four calibrated views of 1.67 s of one person. Each view is fitted alone from
the "full" model's landmarks, nothing given; the reference is triangulated from the other three views' landmarks by the
model named, low-passed and differentiated, and is noisy itself. Acceleration about the middle of the hips, m/s²; medians over
joints, sides, axes and views.

| joints | axis | model of the reference | low-pass | r | r by view | RMSE |
|---|---|---|---|---|---|---|
{chr(10).join(lines)}

Speed along the floor, m/s (height and focal length not given: it scales with them), the error of the velocity across the
view and away from the camera, mm/s, joints on the wrong side (frames × pairs, in the picture), and how much the longest
change of any bone is. 5 % is 3 cm in the 1.7 s of these clips, less than a foot in the picture is wrong by, on the floor
(made walks of known truth, as short: `tests/fitting/test_fit_walking_speed.py`):

| view | speed, four views | one view | error | across | away | wrong side | bones mm |
|---|---|---|---|---|---|---|---|
{chr(10).join(rows)}"""
    print(text)
    write("views_fit", text)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
