"""Made motions shown to a camera: random view, light, clothes and background; video whose IMU signals are known exactly.

What comes of it is called "rendered", never "video": nobody was filmed, and a drawn body is easier or harder to see than a
person, nobody knows which. Extra: ``pip install "mujo[render]"``.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

import imusim as im
from mujo.corpus.clip import Clip
from mujo.corpus.embedded import PLACEMENTS, as_clip, kept_for_validation, programme
from mujo.corpus.features import ImageFeatures
from mujo.corpus.player import play
from mujo.corpus.wearers import wearer
from mujo.errors import ConfigError

Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class Scene:
    """What one film looks like; drawn from a seed.

    Parameters
    ----------
    size_px : (width, height)
    bearing_deg : where the camera stands, from straight in front of the person (positive to the person's left)
    distance_m, height_m : of the camera; it looks at the middle of the person's path
    focal_px : focal length · pixels
    follows : the camera rolls along with a person who travels far
    seed : of clothes, light and background
    """

    size_px: tuple[int, int]
    bearing_deg: float
    distance_m: float
    height_m: float
    focal_px: float
    follows: bool
    seed: int


def draw_scene(motion: im.Motion, seed: int, side_px: int = 480) -> Scene:
    """Draw a scene in which the whole motion is seen: mostly from in front, at times from anywhere."""
    rng = np.random.default_rng([seed, 515])
    bearing = float(rng.normal(0.0, 35.0) if rng.random() < 0.75 else rng.uniform(-180.0, 180.0))
    reach = float(np.ptp(motion.root_position_m, axis=0).max())
    focal = side_px * float(rng.uniform(1.0, 1.5))
    follows = reach > 2.5
    room = 2.5 + (0.0 if follows else reach)  # metres that must fit into the picture
    distance = room * focal / side_px * float(rng.uniform(1.0, 1.25))
    return Scene((side_px, side_px), bearing, distance, float(rng.uniform(0.6, 1.8)), focal, follows, seed)


def film(motion: im.Motion, scene: Scene, time_s: Sequence[float] | NDArray[np.float64]) -> Iterator[Picture]:
    """Draw a motion at instants · s; yields pictures (H, W, 3) uint8.

    Raises
    ------
    MissingExtra, MissingSystemPackage, ConfigError
        Without the renderer's parts; for a body without skin.
    """
    from imusim.viz.render import Camera, Floor, Light, Outfit, Renderer, clothed, clutter

    body = motion.body
    faces = body.faces
    if faces is None:
        raise ConfigError(f"{body.name} has no skin to draw; move the motion on to a body with one (im.fit)")
    rng = np.random.default_rng([scene.seed, 616])
    ahead = np.radians(90.0 + float(motion.metadata.get("heading_deg", 0.0)) + scene.bearing_deg)
    path = motion.root_position_m
    middle = 0.5 * (path.max(axis=0) + path.min(axis=0))
    target = np.array([middle[0], middle[1], max(0.45, 0.9 * middle[2])])
    eye = target + scene.distance_m * np.array([np.cos(ahead), np.sin(ahead), 0.0])
    eye[2] = scene.height_m
    t = motion.time_s - motion.time_s.mean()
    pace = (t @ (path - path.mean(axis=0)) / (t @ t)) * scene.follows  # m/s
    lamp = rng.normal(size=3)
    light = Light(
        (float(lamp[0]), float(lamp[1]), 0.4 + abs(float(lamp[2]))), ambient=float(rng.uniform(0.35, 0.6))
    )
    background = clutter(scene.size_px, rng)
    colours = clothed(body, Outfit.random(rng))
    grey = float(rng.uniform(0.45, 0.85))
    floor = Floor(light=(grey, grey, grey), dark=(0.85 * grey, 0.86 * grey, 0.88 * grey))
    index = np.clip(np.searchsorted(motion.time_s, np.asarray(time_s) - 1e-9), 0, motion.time_s.size - 1)
    with Renderer() as renderer:
        skin = renderer.mesh(faces, colours)
        for i in index:
            posed = body.pose(motion.root_position_m[i], motion.joint_rotation_wxyz[i], motion.shape)  # type: ignore[attr-defined]
            here = pace * t[i]
            camera = Camera.looking_at(scene.size_px, eye + here, target + here, focal_px=scene.focal_px)
            yield renderer.frame(
                camera, [(skin, posed.vertices[0])], light=light, background=background, floor=floor
            )


def clips(
    image: ImageFeatures,
    *,
    seed: int = 0,
    per_movement: int = 1,
    placements: Sequence[str] = PLACEMENTS,
    rate_hz: float = 50.0,
    exclude_labels: Sequence[str] = (),
    movements: Sequence[str] | None = None,
    duration_s: float = 8.0,
    people: int = 32,
    validation: float = 0.15,
    image_fps: float = 2.0,
    side_px: int = 288,
) -> Iterator[Clip]:
    """Embedded movements that were also shown to a camera: all four modalities without any download.

    Parameters
    ----------
    image : frozen picture features
    seed, per_movement, placements, rate_hz, exclude_labels, movements, people, validation : as in
        `mujo.corpus.embedded.clips`; the people (and their split) are the same for the same seed
    duration_s : length of each
    image_fps : pictures a second
    side_px : edge of the pictures

    Yields
    ------
    Clip
        Source "rendered".
    """
    chosen = programme(per_movement, movements, exclude_labels)
    held_out = kept_for_validation(people, validation)
    wearers = [wearer(i, seed, placements) for i in range(people)]
    for number, name, movement in chosen:
        key = (seed, zlib.crc32(name.encode()), number, 2)
        who = int(np.random.default_rng(key).integers(people))
        done = play(movement, duration_s, seed=key, shape=wearers[who].shape)
        split = "validation" if who < held_out else "train"
        clip = as_clip(f"rendered-{name}-s{seed}-{number:04d}", movement, done, wearers[who], rate_hz, split)
        scene = draw_scene(done.motion, key[1] % 2**31 + number + 7919 * seed, side_px)
        times = np.arange(0.25 / image_fps, duration_s, 1.0 / image_fps)
        pictures = list(film(done.motion, scene, times))
        yield replace(
            clip,
            source="rendered",
            video=image(pictures).astype(np.float32),
            video_time_s=times.astype(np.float32),
            metadata={
                **clip.metadata,
                "image_features": image.name,
                "bearing_deg": round(scene.bearing_deg, 1),
            },
        )
