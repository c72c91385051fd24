"""What a single-camera pose estimator would report of a known motion: the noise, written down and seeded.

Errors of one landmark, standard deviations for a shoulder, an elbow or a knee (`landmarks.SD_FACTOR` times as much for
the others), at the person, in camera axes; calibrated on MediaPipe's landmarks of five real clips:

=====================  ==============  ============  =========================================================
kind                   across the view  along it      in time
=====================  ==============  ============  =========================================================
white                  4 mm            6 mm          new every frame
coloured               14 mm           50 mm         exponential correlation, 0.2 s
constant               8 mm            25 mm         one draw a clip: where the estimator sees a joint
=====================  ==============  ============  =========================================================

Image and metric landmarks come out of one network: they share 70 % of their errors across the view. The metric
ones are hip-centred, 7 % too small, follow the line of sight and lean 4° towards the camera. Besides: limbs hidden
for half a second, with errors four times as large and low visibility; left and right confused for a few frames,
with full visibility; frames without a person; single landmarks that are far off.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from imusim import rotation
from imusim.fitting.landmarks import AT, NAMES, SD_FACTOR
from imusim.types import Floats, PoseTrack

AXES = np.array([1.0, 1.0, 0.0]), np.array([0.0, 0.0, 1.0])
_LIMBS = tuple(
    tuple(AT[f"{side}_{n}"] for n in names)
    for side in ("left", "right")
    for names in (("elbow", "wrist", "pinky", "index", "thumb"), ("knee", "ankle", "heel", "foot_index"))
)


@dataclass(frozen=True)
class Noise:
    """Standard deviations (across, along the view) in metres, and how often what goes wrong.

    Attributes
    ----------
    white_m, coloured_m, constant_m : see the module
    memory_s : correlation time of the coloured part
    shared : correlation of the image's and the metric landmarks' errors across the view
    hidden_per_s, switched_per_s, lost_share, outlier_share : a limb hidden; sides confused; frames lost;
        landmarks far off
    scale, lean_deg, sight : of the metric landmarks: size, lean, whether they follow the line of sight
    """

    white_m: tuple[float, float] = (0.004, 0.006)
    coloured_m: tuple[float, float] = (0.014, 0.050)
    constant_m: tuple[float, float] = (0.008, 0.025)
    memory_s: float = 0.2
    shared: float = 0.7
    hidden_per_s: float = 0.25
    switched_per_s: float = 0.15
    lost_share: float = 0.01
    outlier_share: float = 0.003
    scale: float = 0.93
    lean_deg: float = 4.0
    sight: bool = True


MEDIAPIPE_LIKE = Noise()
WHITE_1CM = Noise(
    (0.01, 0.01), (0.0, 0.0), (0.0, 0.0), shared=0.0, hidden_per_s=0.0, switched_per_s=0.0, lost_share=0.0,
    outlier_share=0.0, scale=1.0, lean_deg=0.0, sight=False,
)  # fmt: skip


@dataclass(frozen=True)
class View:
    """A pinhole camera: p_c = R_cw (p_w − place_m); camera axes x right, y down, z away."""

    R_cw: Floats
    place_m: Floats
    focal_px: float = 1500.0
    size_px: tuple[int, int] = (1920, 1080)


def view_of(middle_m: Floats, azimuth_deg: float, distance_m: float, pitch_deg: float = 6.0) -> View:
    """A level camera that looks at a point; 0°: towards +y, at a person who faces −y; 90°: at their left side."""
    a, p = np.deg2rad([azimuth_deg, pitch_deg])
    ahead = np.array([-np.sin(a) * np.cos(p), np.cos(a) * np.cos(p), -np.sin(p)])
    right = np.array([np.cos(a), np.sin(a), 0.0])
    turn = np.stack([right, np.cross(ahead, right), ahead])
    return View(turn, np.asarray(middle_m) - distance_m * ahead)


def observe(
    time_s: Floats, marks_w: Floats, view: View, noise: Noise, seed: int, hidden: tuple[str, ...] = ()
) -> PoseTrack:
    """PoseTrack of landmarks seen by a camera.

    Parameters
    ----------
    time_s : (T,) · s
    marks_w : (T, 33, 3) · m · world
    view : the camera
    noise : how wrong the estimator is
    seed : of all that is random
    hidden : parts of names ("knee") of landmarks that are never seen: errors of 10 cm, visibility 0.05
    """
    rng = np.random.default_rng(seed)
    count = time_s.size
    step = float(np.median(np.diff(time_s)))
    marks = (marks_w - view.place_m) @ view.R_cw.T

    def errors() -> Floats:
        out = np.zeros((count, len(NAMES), 3))
        keep = np.exp(-step / noise.memory_s)
        slow = rng.normal(size=out.shape)
        for i in range(1, count):
            slow[i] = keep * slow[i - 1] + np.sqrt(1 - keep**2) * slow[i]
        white, constant = rng.normal(size=out.shape), rng.normal(size=out.shape[1:])
        for k, axes in enumerate(AXES):
            out += axes * (
                noise.white_m[k] * white + noise.coloured_m[k] * slow + noise.constant_m[k] * constant
            )
        return out * (SD_FACTOR[:, None] if noise.coloured_m[0] else 1.0)

    seen, own = errors(), errors()
    share = np.array([noise.shared, noise.shared, 1.0])
    metric = share * seen + np.sqrt(1 - share**2) * own
    visibility = np.clip(0.97 + 0.02 * rng.normal(size=(count, len(NAMES))), 0.0, 1.0)

    loud = np.ones((count, len(NAMES)))
    for _ in range(rng.poisson(noise.hidden_per_s * count * step)):
        limb = list(_LIMBS[rng.integers(len(_LIMBS))])
        first = int(rng.integers(count))
        part = slice(first, first + max(1, round(float(rng.uniform(0.3, 0.7)) / step)))
        loud[part, limb] = 4.0
        visibility[part, limb] = rng.uniform(0.15, 0.5)
    never = [i for i, n in enumerate(NAMES) if any(h in n for h in hidden)]
    loud[:, never], visibility[:, never] = 8.0, 0.05
    far = rng.random((count, len(NAMES))) < noise.outlier_share
    stray = far[..., None] * rng.normal(scale=0.25, size=marks.shape)
    seen, metric = loud[..., None] * seen + stray, loud[..., None] * metric + stray

    depth = marks[..., 2:]
    px = view.focal_px * (marks[..., :2] + seen[..., :2]) / depth + 0.5 * np.asarray(view.size_px)
    world = marks.copy()
    torso = [AT[f"{side}_{part}"] for side in ("left", "right") for part in ("shoulder", "hip")]
    if noise.sight:
        world = _along_the_sight(world, torso)
    lean = rotation.to_matrix(rotation.from_rotvec([np.deg2rad(noise.lean_deg), 0.0, 0.0]))
    middle = world[:, torso].mean(axis=1, keepdims=True)
    world = noise.scale * ((world - middle) @ lean.T + metric)
    hips = 0.5 * (world[:, AT["left_hip"]] + world[:, AT["right_hip"]])
    world -= hips[:, None]

    for _ in range(rng.poisson(noise.switched_per_s * count * step)):
        first, n = int(rng.integers(count)), int(rng.integers(2, 6))
        for array in (world, px):
            array[first : first + n] = array[first : first + n][:, _OTHER_SIDE]
    lost = rng.random(count) < noise.lost_share
    world[lost], px[lost] = np.nan, np.nan
    return PoseTrack(
        time_s, world, px, visibility, view.size_px, NAMES, np.zeros(count, dtype=np.int64),
        np.where(lost, 0.0, 1.0), np.zeros(count, dtype=np.bool_), view.focal_px,
    )  # fmt: skip


def _other_side() -> list[int]:
    out = []
    for name in NAMES:
        other = name.replace("left", "RIGHT").replace("right", "left").replace("RIGHT", "right")
        out.append(AT[other])
    return out


_OTHER_SIDE = _other_side()


def _along_the_sight(marks: Floats, torso: list[int]) -> Floats:
    """An estimator sees four fifths of the angle between camera axis and person as the person's own turn."""
    x, y, z = marks[:, torso].mean(axis=1).T
    away = np.maximum(np.hypot(x, y), 1e-9)
    angle = 0.8 * np.arctan2(away, z)
    axis = np.stack([y, -x, 0 * z], axis=-1) / away[:, None]
    return np.einsum("tij,tlj->tli", rotation.to_matrix(rotation.from_rotvec(angle[:, None] * axis)), marks)
