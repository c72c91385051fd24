"""One camera against four: joint accelerations of each calibrated view against the triangulated person.

`python -m benchmarks.bench_views`. The reference is the estimator's own landmarks in four views, undistorted,
triangulated, low-passed at 4 Hz without phase and differentiated: video-grade truth, not a laboratory's.
"""

from __future__ import annotations

import tempfile
import warnings
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.signal import butter, sosfiltfilt

import imusim as im
from benchmarks.bench_core import write
from imusim.demo import CLIP, HEIGHT_M, WALKER_BOX
from imusim.kinematics import BodyTrajectory
from imusim.placement import attach, resolve

VIEWS = ("clip_cam01", "clip_cam02", "clip_cam03", "clip_cam04")
JOINTS = tuple(f"{side}_{part}" for part in ("wrist", "elbow", "knee", "ankle") for side in ("left", "right"))
RATE, FRAMES, EDGE = 60.0, 100, 8
CUT_HZ = 4.0


def cameras():
    """(R_cw, position · m, K, distortion) of each view, our camera axes (x right, y down, z away)."""
    out = []
    for camera in ET.parse(im.asset("calibration_cams")).getroot().iter("camera"):
        t, k = camera.find("transform").attrib, camera.find("intrinsic").attrib
        turn = np.array([[float(t[f"r{a}{b}"]) for b in (1, 2, 3)] for a in (1, 2, 3)])
        f = [float(k[n]) / 64 for n in ("focalLengthU", "focalLengthV", "centerPointU", "centerPointV")]
        matrix = np.array([[f[0], 0, f[2]], [0, f[1], f[3]], [0, 0, 1]])
        bend = [
            float(k[n])
            for n in (
                "radialDistortion1",
                "radialDistortion2",
                "tangentalDistortion1",
                "tangentalDistortion2",
            )
        ]
        place = np.array([float(t[n]) for n in "xyz"]) / 1e3
        out.append((np.diag([1.0, -1.0, -1.0]) @ turn, place, matrix, np.array(bend)))
    return out


def triangulate(tracks, cams):
    """Landmarks (T, 33, 3) · m · laboratory axes, least squares over views weighted by visibility."""
    import cv2

    rows, values = [], []
    for track, (turn, place, matrix, bend) in zip(tracks, cams, strict=True):
        px = cv2.undistortPoints(track.landmarks_px[:FRAMES].reshape(-1, 1, 2), matrix, bend).reshape(
            FRAMES, -1, 2
        )
        weight = np.maximum(track.visibility[:FRAMES], 0.05)
        for axis in (0, 1):
            row = (turn[axis] - px[..., axis, None] * turn[2]) * weight[..., None]
            rows.append(row)
            values.append(row @ place)
    a, b = np.stack(rows, axis=2), np.stack(values, axis=2)
    return np.linalg.solve(np.swapaxes(a, 2, 3) @ a, np.swapaxes(a, 2, 3) @ b[..., None])[..., 0]


def accelerations(points, names, cut_hz):
    """Second differences of joints relative to the middle of the hips: name → (T, 3)."""
    if cut_hz:
        points = sosfiltfilt(butter(2, cut_hz, fs=RATE, output="sos"), points, axis=0, padlen=30)
    acc = np.gradient(np.gradient(points, 1 / RATE, axis=0), 1 / RATE, axis=0)
    hips = 0.5 * (acc[:, names.index("left_hip")] + acc[:, names.index("right_hip")])
    return {j: acc[:, names.index(j)] - hips for j in JOINTS}


def ours(motion):
    """The same from the fitted motion, camera axes, and the stated sd's norm (T, 8)."""
    sites = attach(
        motion.body, motion.shape, resolve([f"{j}_joint" for j in (*JOINTS, "left_hip", "right_hip")])
    )
    known = BodyTrajectory(replace(motion, root_sd_m=motion.root_sd_m * 1e-6, up_sd_deg=0.0))
    t = np.arange(FRAMES) / RATE
    acc = known.kinematics(t, sites).acceleration
    acc = acc - 0.5 * (acc[:, -1:] + acc[:, -2:-1])
    sd = np.linalg.norm(known.uncertainty(t, sites)[0], axis=-1)
    turn = np.array(motion.metadata["camera"]["pose"]["0"]["R_wc"])
    return {j: acc[:, i] @ turn for i, j in enumerate(JOINTS)}, dict(zip(JOINTS, sd.T, strict=False))


def agreement():
    cams = cameras()
    tracks = [im.estimate_pose(im.asset(v), progress=False) for v in VIEWS]
    names = list(tracks[0].landmark_names)
    truth = accelerations(triangulate(tracks, cams), names, CUT_HZ)
    scores, stated, ups = {}, [], []
    for view, track, (turn, _, matrix, _) in zip(VIEWS, tracks, cams, strict=True):
        motion = im.fit(track, progress=False)
        given = im.fit(track, focal_px=float(matrix[0, 0]), progress=False)
        up = turn[:, 2]
        errors = [
            np.degrees(np.arccos(np.clip(np.array(m.metadata["gravity"][0]["up_c"]) @ up, -1, 1)))
            for m in (given, motion)
        ]
        ups.append(f"| {view} | {errors[0]:.1f}° | {errors[1]:.1f}° | {motion.up_sd_deg:.1f}° |")
        mine, sd = ours(motion)
        methods = {
            "world landmarks, differenced": accelerations(track.landmarks_m[:FRAMES], names, None),
            "world landmarks, Butterworth 6 Hz, differenced": accelerations(
                track.landmarks_m[:FRAMES], names, 6.0
            ),
            "imusim": mine,
        }
        inner = slice(EDGE, -EDGE)
        for joint in JOINTS:
            want = (truth[joint] @ turn.T)[inner]
            for method, got in methods.items():
                for axis in range(3):
                    x, y = got[joint][inner, axis], want[:, axis]
                    kind = "depth" if axis == 2 else "in plane"
                    part = "wrist, ankle" if joint.split("_")[1] in ("wrist", "ankle") else "elbow, knee"
                    scores.setdefault((method, part, kind), []).append(
                        (np.corrcoef(x, y)[0, 1], np.sqrt(np.mean((x - y) ** 2)), y.std())
                    )
            error = np.sqrt(np.mean(np.sum((mine[joint][inner] - want) ** 2, axis=1)))
            stated.append(error / np.sqrt(np.mean(sd[joint][inner] ** 2)))
    rows = []
    for (method, part, kind), values in sorted(scores.items(), key=lambda i: (i[0][1], i[0][2], i[0][0])):
        r, e, s = np.median(values, axis=0)
        rows.append(f"| {part} | {kind} | {method} | {r:.2f} | {e:.1f} | {s:.1f} |")
    return rows, ups, float(np.median(stated))


def turned(path, name, rate):
    """The clip turned by 10° in its plane."""
    import av
    import cv2

    with av.open(str(im.asset(name))) as source, av.open(str(path), "w") as target:
        stream = None
        for frame in source.decode(video=0):
            rgb = frame.to_ndarray(format="rgb24")
            h, w = rgb.shape[0] // 2 * 2, rgb.shape[1] // 2 * 2
            if stream is None:
                stream = target.add_stream("libx264", rate=rate, options={"crf": "12", "preset": "veryfast"})
                stream.width, stream.height, stream.pix_fmt = w, h, "yuv420p"
            matrix = cv2.getRotationMatrix2D((rgb.shape[1] / 2, rgb.shape[0] / 2), 10, 1.0)
            rgb = cv2.warpAffine(rgb, matrix, (rgb.shape[1], rgb.shape[0]), borderMode=cv2.BORDER_REPLICATE)
            target.mux(
                stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb[:h, :w]), format="rgb24"))
            )
        target.mux(stream.encode())
    return path


def repeatability():
    import cv2

    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name in (CLIP, *VIEWS):
            walk = name == CLIP
            height, person, person_turned = None, "largest", "largest"
            if walk:
                height, person = HEIGHT_M, WALKER_BOX
                x, y, w, h = (float(v) for v in WALKER_BOX.split(","))
                matrix = cv2.getRotationMatrix2D((1768 / 2, 994 / 2), 10, 1.0)
                cx, cy = matrix @ [x + w / 2, y + h / 2, 1.0]
                person_turned = f"{cx - w / 2:.0f},{cy - h / 2:.0f},{w:.0f},{h:.0f}"
            clip = turned(Path(folder) / f"{name}.mp4", name, 30 if walk else 60)
            a, b = (
                im.simulate(
                    im.fit(im.estimate_pose(p, person=who, progress=False), height_m=height, progress=False),
                    "body17",
                )
                for p, who in ((im.asset(name), person), (clip, person_turned))
            )
            t = a.time_s[(a.time_s >= b.time_s[0]) & (a.time_s <= b.time_s[-1])]
            x, y = (
                np.stack([np.interp(t, r.time_s, c) for c in r.acc.reshape(r.time_s.size, -1).T], axis=1)
                for r in (a, b)
            )
            rms = np.sqrt(np.mean(np.sum((x - y).reshape(t.size, -1, 3) ** 2, axis=2), axis=0))
            rows.append(
                f"| {name} | {np.median(rms):.2f} | {rms.max():.2f} ({a.sensors[int(rms.argmax())]}) "
                f"| {(rms <= 0.5).sum()} of 17 |"
            )
            print(rows[-1], flush=True)
    return rows


def main():
    warnings.simplefilter("ignore")
    rows, ups, stated = agreement()
    text = "\n".join(
        [
            "## One view against four",
            "",
            "`python -m benchmarks.bench_views`: acceleration of joints relative to the hips, camera axes, medians",
            f"over four views; reference triangulated from all four, low-passed at {CUT_HZ:g} Hz (last column: its rms).",
            "",
            "| joints | axis | method | r | RMSE m/s² | rms |",
            "|---|---|---|---|---|---|",
            *rows,
            "",
            f"Actual error over stated standard deviation of acceleration, median of joints and views: {stated:.2f}.",
            "",
            "Error of the up direction, with the calibrated focal length and with none given:",
            "",
            "| view | focal given | none given | stated sd |",
            "|---|---|---|---|",
            *ups,
            "",
            "The same clip turned by 10° and estimated anew: rms of the vector difference of ideal accelerations, m/s²:",
            "",
            "| clip | median sensor | worst sensor | sensors ≤ 0.5 |",
            "|---|---|---|---|",
            *repeatability(),
        ]
    )
    print(text)
    write("views", text)


if __name__ == "__main__":
    main()
