"""Keraal's sample for scoring: three exercises, each seen by Vicon, Kinect and BlazePose at once.

Vicon: 17 rigid targets, position mm, quaternion xyzw, z up, 60 Hz. Kinect: 25 joints, m, y up. BlazePose: 33 landmarks in
shares of a 16:9 picture, which is mirrored: hands, forearms, head and hips of the second exercise fit Vicon's to 0.16 m
with left and right exchanged and the picture turned over, to 0.47 m at best without. The files start and end together and have no clock: frames are spread evenly over Vicon's time,
and what is left of a shift is found from how fast the wrists move.
"""

from __future__ import annotations

import json
import os
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from imusim.motion_io.layouts import BLAZEPOSE33, KINECT25, Layout

Floats = NDArray[np.float64]
RATE_HZ = 60.0
TRIALS = ("CTK", "ELK", "RTK")
SOURCES = {"Kinect": KINECT25, "BlazePose": BLAZEPOSE33}
TARGETS = (
    "right_forearm", "left_forearm", "right_arm", "left_arm", "chest", "right_thigh", "left_thigh", "right_shoulder",
    "left_shoulder", "right_hand", "left_hand", "right_foot", "left_foot", "hips", "head", "right_shin", "left_shin",
)  # fmt: skip
_TORSO_M = 0.5  # from hips to shoulders: the scale of what a picture shows
_WIDE, _HIGH = 16.0, 9.0
_DEPTHS = np.arange(2.0, 16.1, 0.5)  # scales of BlazePose's z that are tried
_ARMS = [
    (f"{s}_{a}", f"{s}_{b}")
    for s in ("left", "right")
    for a, b in (("shoulder", "elbow"), ("elbow", "wrist"))
]
_LAG_S = 0.25


@dataclass(frozen=True)
class Seen:
    """One exercise as one source saw it.

    Attributes
    ----------
    time_s : (F,) · s, on Vicon's clock
    points : (F, P, 3) · m · the source's axes
    layout : what the columns are
    """

    time_s: Floats
    points: Floats
    layout: Layout

    @property
    def joints(self) -> Floats:
        """(F, J, 3) · m · z up."""
        x = self.layout.positions(self.points)
        up = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
        return x @ (up if self.layout.up == "y" else up * [1.0, -1.0, -1.0]).T


@dataclass(frozen=True)
class Exercise:
    """One exercise.

    Attributes
    ----------
    name : of `TRIALS`
    time_s : (T,) · s, Vicon's
    position : (T, 17, 3) · m · z up
    quaternion : (T, 17, 4), wxyz, target to world
    seen : source → what it saw
    """

    name: str
    time_s: Floats
    position: Floats
    quaternion: Floats
    seen: dict[str, Seen]


def exercises() -> list[Exercise]:
    """The three trials."""
    with zipfile.ZipFile(Path(os.environ["MUJO_DATA"]) / "keraal" / "keraal_sample.zip") as z:
        marks = [_marks(_text(z, "BP", name, "json")) for name in TRIALS]
        scale = [_WIDE, _HIGH, _depth(marks)]
        return [_read(z, name, m * scale) for name, m in zip(TRIALS, marks, strict=True)]


def _text(z: zipfile.ZipFile, kind: str, name: str, suffix: str) -> str:
    return z.read(f"draw_skeleton/dataSampleKeraal/G3-{kind}-{name}-P1T1-Unknown-C-0.{suffix}").decode()


def _marks(text: str) -> Floats:
    """(F, 33, 3) in shares of the picture, mirrored back; z of a scale of its own."""
    frames = sorted(json.loads(text)["positions"].items(), key=lambda v: float(v[0]))
    other = {"left": "right", "right": "left"}
    names = [
        n if "_" not in n else "_".join(other.get(part, part) for part in n.split("_")).capitalize()
        for n in BLAZEPOSE33.points
    ]
    return np.array([[f[n.capitalize()] for n in names] for _, f in frames]) * [-1.0, 1.0, 1.0]


def _depth(marks: list[Floats]) -> float:
    """Scale of z at which the bones of the arms change their length least: the files do not say it."""
    at = BLAZEPOSE33.points.index

    def spread(depth: float) -> float:
        size = [
            np.linalg.norm((m[:, at(a)] - m[:, at(b)]) * [_WIDE, _HIGH, depth], axis=1)
            for m in marks
            for a, b in _ARMS
        ]
        return float(np.mean([v.std() / v.mean() for v in size]))

    return float(min(_DEPTHS, key=spread))


def _read(z: zipfile.ZipFile, name: str, marks: Floats) -> Exercise:
    def rows(kind: str, parts: int) -> Floats:
        lines = _text(z, kind, name, "txt").splitlines()
        return np.array([line.split() for line in lines], float).reshape(-1, parts, 7)

    vicon = rows("Vicon", 17)
    time = np.arange(len(vicon)) / RATE_HZ
    position = vicon[..., :3] / 1000.0
    middle = [
        marks[:, [BLAZEPOSE33.points.index(f"{s}_{n}") for s in ("left", "right")]].mean(axis=1)
        for n in ("hip", "shoulder")
    ]
    marks = marks * (_TORSO_M / np.median(np.linalg.norm(middle[0] - middle[1], axis=1)))
    wrists = position[:, [TARGETS.index("left_hand"), TARGETS.index("right_hand")]]
    seen = {}
    for source, points in (("Kinect", rows("Kinect", 25)[..., :3]), ("BlazePose", marks)):
        t = np.linspace(0.0, time[-1], len(points))
        lag = _lag(time, wrists, Seen(t, points, SOURCES[source]))
        seen[source] = Seen(t - lag, points, SOURCES[source])
    return Exercise(name, time, position, vicon[..., [6, 3, 4, 5]], seen)


def _lag(time_s: Floats, hands: Floats, seen: Seen) -> float:
    """By how much the source is behind, s: where the speeds of both hands agree best."""
    from benchmarks.fit.scoring import low_passed

    def speed(t: Floats, x: Floats) -> Floats:
        return np.linalg.norm(np.gradient(x, t, axis=0), axis=2)

    names = seen.layout.joints
    other = speed(seen.time_s, seen.joints[:, [names.index("left_hand"), names.index("right_hand")]])
    truth = low_passed(speed(time_s, hands), 3.0, RATE_HZ)
    lags = np.arange(-_LAG_S, _LAG_S + 1e-9, 1.0 / RATE_HZ)
    score = []
    for lag in lags:
        moved = np.stack([np.interp(time_s + lag, seen.time_s, c) for c in other.T], axis=1)
        moved = low_passed(moved, 3.0, RATE_HZ)
        score.append(sum(np.corrcoef(a, b)[0, 1] for a, b in zip(truth.T, moved.T, strict=True)))
    return float(lags[int(np.argmax(score))])
