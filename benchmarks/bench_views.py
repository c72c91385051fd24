"""One camera against four: joint accelerations of each calibrated view against the triangulated person.

    python -m benchmarks.bench_views [FOLDER [CLIP ...]]

With a folder, landmarks are kept there, and a second run reuses them. With clips, only these are turned, and the tables
are printed only.

The reference of a view is the estimator's own landmarks in the other three, undistorted, triangulated, low-passed
without phase and differentiated: video-grade truth, not a laboratory's. An error that all views share is not seen.
"""

from __future__ import annotations

import sys
import tempfile
import warnings
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from scipy.signal import butter, sosfiltfilt

import imusim as im
from benchmarks import clips
from benchmarks.page import write
from imusim.conventions import GRAVITY_W, STANDARD_GRAVITY
from imusim.kinematics import BodyTrajectory
from imusim.placement import attach, resolve
from imusim.video.leaving import leaving

PARTS = ("wrist", "elbow", "knee", "ankle")
JOINTS = tuple(f"{side}_{part}" for part in PARTS for side in ("left", "right"))
RATE, FRAMES, EDGE = 60.0, 100, 8
INNER = slice(EDGE, -EDGE)
CUTS_HZ = (4.0, 6.0)
TURN_DEG = 10.0
HIDDEN = 0.7  # a knee or ankle less visible than this is


class Camera(NamedTuple):
    """Lab axes to camera axes (x right, y down, z away), place · m · lab, K · px, OpenCV distortion."""

    turn: np.ndarray
    place_m: np.ndarray
    matrix: np.ndarray
    bend: np.ndarray


def cameras() -> list[Camera]:
    """The laboratory's calibration. Qualisys cameras look along −z with y up, and count in 1/64 px and mm."""
    out = []
    for camera in ET.parse(im.asset("calibration_cams")).getroot().iter("camera"):
        t, k = camera.find("transform").attrib, camera.find("intrinsic").attrib
        turn = np.array([[float(t[f"r{a}{b}"]) for b in (1, 2, 3)] for a in (1, 2, 3)])
        fu, fv, cu, cv = (
            float(k[n]) / 64 for n in ("focalLengthU", "focalLengthV", "centerPointU", "centerPointV")
        )
        bend = [float(k[f"{kind}Distortion{i}"]) for kind in ("radial", "tangental") for i in (1, 2)]
        place = np.array([float(t[n]) for n in "xyz"]) / 1e3
        matrix = np.array([[fu, 0, cu], [0, fv, cv], [0, 0, 1]])
        out.append(Camera(np.diag([1.0, -1.0, -1.0]) @ turn, place, matrix, np.array(bend)))
    return out


def triangulate(tracks, cams) -> np.ndarray:
    """Landmarks (T, 33, 3) · m · lab: least squares over the views' rays, weighted by visibility."""
    rows, values = [], []
    for track, camera in zip(tracks, cams, strict=True):
        px = track.landmarks_px[:FRAMES].reshape(-1, 1, 2)
        ray = cv2.undistortPoints(px, camera.matrix, camera.bend).reshape(FRAMES, -1, 2)
        weight = np.maximum(track.visibility[:FRAMES], 0.05)[..., None]
        for axis in (0, 1):
            row = weight * (camera.turn[axis] - ray[..., axis, None] * camera.turn[2])
            rows.append(row)
            values.append(row @ camera.place_m)
    a, b = np.stack(rows, axis=2), np.stack(values, axis=2)[..., None]
    at = np.swapaxes(a, 2, 3)
    return np.linalg.solve(at @ a, at @ b)[..., 0]


def low_passed(points: np.ndarray, cut_hz: float | None) -> np.ndarray:
    """Second-order Butterworth forwards and backwards along time."""
    if cut_hz is None:
        return points
    return sosfiltfilt(butter(2, cut_hz, fs=RATE, output="sos"), points, axis=0, padlen=30)


def accelerations(points: np.ndarray, names, cut_hz: float | None, about_hips: bool = True) -> np.ndarray:
    """Second central differences of the JOINTS (T, 8, 3), less those of the middle of the hips."""
    acc = np.gradient(np.gradient(low_passed(points, cut_hz), 1 / RATE, axis=0), 1 / RATE, axis=0)
    hips = acc[:, [names.index("left_hip"), names.index("right_hip")]].mean(axis=1, keepdims=True)
    return acc[:, [names.index(j) for j in JOINTS]] - (hips if about_hips else 0.0)


class View(NamedTuple):
    """What one view's motion says, camera axes: (T, 8, 3) each."""

    about_hips: np.ndarray  # acceleration, m/s²
    about_hips_sd: np.ndarray
    force: np.ndarray  # specific force, its error of the vertical included
    force_sd: np.ndarray


def ours(motion) -> View:
    """Accelerations of the joints from a fitted motion, and what is stated about their errors."""
    wanted = resolve([f"{j}_joint" for j in (*JOINTS, "left_hip", "right_hip")])
    sites = attach(motion.body, motion.shape, wanted)
    t, n = np.arange(FRAMES) / RATE, len(JOINTS)
    turn = np.array(motion.metadata["camera"]["pose"]["0"]["R_wc"])
    trajectory = BodyTrajectory(motion)
    k = trajectory.kinematics(t, sites)
    rigid = BodyTrajectory(replace(motion, root_sd_m=motion.root_sd_m * 1e-6, up_sd_deg=0.0))

    def in_camera(sd):  # variances along the camera's axes, errors of the sensor's axes taken as independent
        axes = (
            np.swapaxes(im.rotation.to_matrix(k.orientation), 2, 3) @ turn
        )  # camera → sensor, rows: sensor axes
        return np.sqrt(np.einsum("tsi,tsij->tsj", sd**2, axes**2))[:, :n]

    acc = k.acceleration - k.acceleration[:, n:].mean(axis=1, keepdims=True)
    force = k.acceleration - np.asarray(GRAVITY_W)
    stated = (in_camera(b.uncertainty(t, sites)[0]) for b in (rigid, trajectory))
    about, whole = stated
    return View((acc @ turn)[:, :n], about, (force @ turn)[:, :n], whole)


def r_rmse(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    return float(np.corrcoef(x, y)[0, 1]), float(np.sqrt(np.mean((x - y) ** 2)))


def agreement(folder: Path) -> dict[str, list[str]]:
    """Tables of one view against the triangulated person."""
    cams = cameras()
    tracks = [im.estimate_pose(im.asset(v), progress=False, cache=folder / f"{v}.npz") for v in clips.VIEWS]
    names = list(tracks[0].landmark_names)
    everyone = triangulate(tracks, cams)
    scores: dict[tuple, list] = {}
    errors: dict[tuple, list] = {}
    walks, ups = [], []
    for view, track, camera in zip(clips.VIEWS, tracks, cams, strict=True):
        motion = im.fit(track, progress=False)
        given = im.fit(track, focal_px=float(camera.matrix[0, 0]), progress=False)
        ups.append(
            f"| {view} | {_tilt(given, camera):.1f}° | {_tilt(motion, camera):.1f}° | {motion.up_sd_deg:.1f}° |"
        )
        walks.append(_walk(view, motion, everyone, names, camera))
        mine = ours(motion)
        rest = [
            i for i, v in enumerate(clips.VIEWS) if v != view
        ]  # noise of the view itself must not help it
        points = triangulate([tracks[i] for i in rest], [cams[i] for i in rest])
        methods = {
            "imusim": mine.about_hips,
            "world landmarks, Butterworth 6 Hz": accelerations(track.landmarks_m[:FRAMES], names, 6.0),
            "world landmarks": accelerations(track.landmarks_m[:FRAMES], names, None),
        }
        for cut in CUTS_HZ:
            want = accelerations(points, names, cut) @ camera.turn.T
            for i, joint in enumerate(JOINTS):
                for axis in range(3):
                    y = want[INNER, i, axis]
                    kind = "depth" if axis == 2 else "in plane"
                    for method, got in methods.items():
                        key = (joint.split("_")[1], kind, method)
                        found = (*r_rmse(got[INNER, i, axis], y), y.std())
                        scores.setdefault((*key, cut), []).append(found)
            force = (accelerations(points, names, cut, False) + [0, 0, STANDARD_GRAVITY]) @ camera.turn.T
            pairs = {
                "about the hips": (mine.about_hips, want, mine.about_hips_sd),
                "specific force": (mine.force, force, mine.force_sd),
            }
            for what, (got, truth, sd) in pairs.items():
                for kind, axes in (("in plane", slice(0, 2)), ("depth", slice(2, 3))):
                    e, s = (got - truth)[INNER, :, axes], sd[INNER, :, axes]
                    errors.setdefault((what, kind, cut), []).append((e.ravel(), s.ravel()))
    return {"scores": _score_rows(scores), "stated": _stated_rows(errors), "walks": walks, "ups": ups}


def _tilt(motion, camera: Camera) -> float:
    """Angle between estimated and calibrated up direction · degrees."""
    up = np.array(motion.metadata["gravity"][0]["up_c"])
    return float(np.degrees(np.arccos(np.clip(up @ camera.turn[:, 2], -1, 1))))


def _walk(view: str, motion, points, names, camera: Camera) -> str:
    """Row: mean velocity of the pelvis, in the lab and from one view."""
    t = np.arange(FRAMES) / RATE
    hips = points[:, [names.index("left_hip"), names.index("right_hip")]].mean(axis=1)
    true = np.polyfit(t, hips, 1)[0]
    ok = motion.valid
    got = np.polyfit(motion.time_s[ok], motion.root_position_m[ok], 1)[0]
    c_true = camera.turn @ true
    c_got = got @ np.array(motion.metadata["camera"]["pose"]["0"]["R_wc"])
    height = motion.metadata["height"]["height_m"]
    return (
        f"| {view} | {np.linalg.norm(true[:2]):.2f} | {np.linalg.norm(got[:2]):.2f} | {np.linalg.norm(c_true[:2]):.2f} "
        f"| {np.linalg.norm(c_got[:2]):.2f} | {c_true[2]:+.2f} | {c_got[2]:+.2f} | {height:.2f} |"
    )


def _score_rows(scores) -> list[str]:
    rows = []
    for part in PARTS:
        for kind in ("in plane", "depth"):
            for method in ("imusim", "world landmarks, Butterworth 6 Hz", "world landmarks"):
                cells = []
                for cut in CUTS_HZ:
                    r, e, s = np.median(scores[part, kind, method, cut], axis=0)
                    cells += [f"{r:.2f}", f"{e:.1f}", f"{s:.1f}"]
                rows.append(f"| {part} | {kind} | {method} | " + " | ".join(cells) + " |")
    return rows


def _stated_rows(errors) -> list[str]:
    rows = []
    for (what, kind, cut), pairs in errors.items():
        e, s = (np.concatenate(p) for p in zip(*pairs, strict=True))
        within = [f"{100 * np.mean(np.abs(e) <= k * s):.0f} %" for k in (1, 2)]
        ratio = np.sqrt(np.mean(e**2) / np.mean(s**2))
        each = [np.sqrt(np.mean(x**2) / np.mean(y**2)) for x, y in pairs]
        rows.append(
            f"| {what} | {kind} | {cut:g} Hz | {ratio:.2f} | {min(each):.2f} … {max(each):.2f} | "
            + " | ".join(within)
            + " |"
        )
    return sorted(rows)


def whole(track, matrix, name: str) -> np.ndarray:
    """Frames in which nothing of the person is cut off by the original picture's edges or hides behind something, (T,)."""
    width, height = next(clips.pictures(name)).shape[1::-1]
    back = cv2.invertAffineTransform(matrix)
    px = track.landmarks_px @ back[:, :2].T + back[:, 2]
    legs = [track.landmark_names.index(f"{s}_{p}") for p in ("knee", "ankle") for s in ("left", "right")]
    ok = track.detected & ~leaving(track.time_s, track.landmarks_m, px, track.shot, (width, height))
    ok &= track.visibility[:, legs].min(axis=1) > HIDDEN
    seen = np.flatnonzero(ok)
    return (np.arange(ok.size) >= seen[0]) & (np.arange(ok.size) <= seen[-1])


def only(track, frames):
    """The track without its other frames."""
    marks, px = (np.where(frames[:, None, None], m, np.nan) for m in (track.landmarks_m, track.landmarks_px))
    return replace(
        track,
        landmarks_m=marks,
        landmarks_px=px,
        visibility=np.where(frames[:, None], track.visibility, 0.0),
        quality=np.where(frames, track.quality, 0.0),
    )


def repeatability(folder: Path, names=(clips.WALKING, *clips.VIEWS)) -> list[str]:
    """Rows: what changes when the picture is turned, sensor by sensor."""
    rows = []
    for name in names:
        tracks, frames = [], []
        for angle in (0.0, TURN_DEG):
            path, who, matrix = clips.turned(folder / f"{name}_{angle:g}.mp4", name, angle, TURN_DEG)
            tracks.append(im.estimate_pose(path, person=who, progress=False, cache=path.with_suffix(".npz")))
            frames.append(whole(tracks[-1], matrix, name))
        a, b = (
            im.simulate(
                im.fit(only(t, frames[0] & frames[1]), height_m=clips.height_m(name), progress=False),
                "body17",
            )
            for t in tracks
        )
        t = a.time_s[(a.time_s >= b.time_s[0]) & (a.time_s <= b.time_s[-1])]
        x, y = (
            np.stack([np.interp(t, r.time_s, c) for c in r.acc.reshape(r.time_s.size, -1).T], axis=1)
            for r in (a, b)
        )
        d = np.sqrt(np.sum((x - y).reshape(t.size, -1, 3) ** 2, axis=2))
        rms = np.sqrt(np.nanmean(d**2, axis=0))
        inner = np.sqrt(np.nanmean(d[(t > t[0] + 0.25) & (t < t[-1] - 0.25)] ** 2, axis=0))
        sway = np.sqrt(
            np.nanmean(np.sum((x - np.nanmean(x, axis=0)).reshape(t.size, -1, 3) ** 2, axis=2), axis=0)
        )
        worst = int(rms.argmax())
        rows.append(
            f"| {name} | {t[-1] - t[0]:.1f} | {np.median(rms):.2f} | {rms.max():.2f} ({a.sensors[worst]}) "
            f"| {(rms <= 0.5).sum()} of 17 | {np.median(inner):.2f} | {inner.max():.2f} | {np.median(sway):.1f} |"
        )
        print(rows[-1], flush=True)
    return rows


def main() -> None:
    with tempfile.TemporaryDirectory() as away:
        folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(away)
        folder.mkdir(parents=True, exist_ok=True)
        _page(folder, sys.argv[2:])


def _page(folder: Path, some: list[str]) -> None:
    warnings.simplefilter("ignore")
    tables = agreement(folder)
    text = [
        "## One view against four",
        "",
        "`python -m benchmarks.bench_views`: one person, four calibrated views of 1.67 s. The reference is triangulated",
        "from the estimator's landmarks in the other three views (in all four its noise would be the view's own, which",
        "favours methods that keep noise), low-passed (Butterworth 2nd order, forwards and backwards) and differentiated.",
        "It is noisy itself, more so at 6 Hz. Each view is fitted alone, nothing given (no height, no focal length).",
        "",
        'Acceleration about the middle of the hips, camera axes; medians over views, sides and axes. "World landmarks":',
        "MediaPipe's 3-D landmarks of that view, differentiated twice, as they are or after a low-pass. m/s².",
        "",
        "| joint | axis | method | "
        + " | ".join(f"r ({c:g} Hz) | RMSE | reference rms" for c in CUTS_HZ)
        + " |",
        "|---|---|---|" + "---|" * (3 * len(CUTS_HZ)),
        *tables["scores"],
        "",
        "Stated standard deviation (`acc_sd`): rms of the actual error over rms of the stated one (1: honest, above:",
        "too sure), the same view by view, and how many errors lie within one and two (68 and 95 % if normal).",
        '"Specific force" includes the errors of the root and of the vertical, "about the hips" neither. Errors of the',
        "sensor's orientation about its bone are in the stated figure, but the reference cannot show them.",
        "",
        "| what | axis | reference | actual : stated | by view | ≤ 1 sd | ≤ 2 sd |",
        "|---|---|---|---|---|---|---|",
        *tables["stated"],
        "",
        "Mean speed of the pelvis, m/s: along the floor, in the picture's plane, away from the camera:",
        "",
        "| view | floor, four views | floor, one | in plane, four | in plane, one | away, four | away, one "
        "| height found, m |",
        "|---|---|---|---|---|---|---|---|",
        *tables["walks"],
        "",
        "Error of the up direction, with the calibrated focal length and with none given:",
        "",
        "| view | focal given | none given | stated sd |",
        "|---|---|---|---|",
        *tables["ups"],
        "",
        f"### The same clip turned by {TURN_DEG:g}° in the picture, encoded and estimated anew",
        "",
        "Both on one canvas with room for the turn, which fades out around the picture (so that no edge says which way is",
        "up), and only frames in which the whole person is in the original picture and not behind something (walking:",
        'a tree). Rms of the vector difference of ideal accelerations, m/s², over 17 sensors; "inner" without the first',
        'and last 0.25 s; "signal": median rms of the acceleration less its mean.',
        "",
        "| clip | s | median | worst | ≤ 0.5 | inner median | inner worst | signal |",
        "|---|---|---|---|---|---|---|---|",
    ]
    print("\n".join(text), flush=True)
    rows = repeatability(folder, some or (clips.WALKING, *clips.VIEWS))
    if not some:
        write("views", "\n".join([*text, *rows]))


if __name__ == "__main__":
    main()
