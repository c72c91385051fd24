"""The embedded corpus: movements from text files, played by many people who wear simulated IMUs.

It needs no video and no download, and everything in it is known exactly. It is a **substitute** for a corpus of real videos
such as FiMAD: nobody was filmed.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence

import numpy as np

import imusim as im
from imusim._version import __version__
from mujo.corpus.clip import Clip
from mujo.corpus.joints import pose_of
from mujo.corpus.movement import Movement, library
from mujo.corpus.performance import Style
from mujo.corpus.player import Performance, play
from mujo.corpus.wearers import Wearer, wearer
from mujo.errors import ConfigError, unknown_name

PLACEMENTS = (
    "left_wrist", "right_wrist", "left_upper_arm", "right_upper_arm", "right_forearm", "left_pocket", "right_pocket",
    "right_thigh", "left_ankle", "right_ankle", "chest", "waist", "head",
)  # fmt: skip
"""Where the sensors of the public data sets sit, and a few more."""


def clips(
    *,
    seed: int = 0,
    per_movement: int = 8,
    placements: Sequence[str] = PLACEMENTS,
    rate_hz: float = 50.0,
    exclude_labels: Sequence[str] = (),
    movements: Sequence[str] | None = None,
    duration_s: tuple[float, float] = (6.0, 14.0),
    people: int = 32,
    validation: float = 0.15,
    vary_placements: bool = True,
    tremor_deg: float = 0.0,
) -> Iterator[Clip]:
    """Play every movement `per_movement` times.

    Parameters
    ----------
    seed : the same seed gives the same bits; a clip does not depend on which others are asked for
    per_movement : clips of each movement
    placements : S names of `imusim.placements()`
    rate_hz : of imu and pose

    Other Parameters
    ----------------
    exclude_labels : labels (in any case) that are left out, for experiments that must not have seen them
    movements : names of the library; None: all
    duration_s : shortest and longest clip
    people : how many wearers there are; the wearer is the clip's group
    validation : share of the wearers whose clips are split "validation"
    vary_placements : every wearer wears the sensors a little differently (`Placement.vary`)
    tremor_deg : rms of physiologic tremor · degrees

    Yields
    ------
    Clip
        Source "embedded"; ideal signals in the segment axes of each placement.

    Raises
    ------
    ConfigError, UnknownNameError
        Before the first clip.
    """
    chosen = programme(per_movement, movements, exclude_labels)
    held_out = kept_for_validation(people, validation)
    if not 1.0 <= duration_s[0] <= duration_s[1]:
        raise ConfigError(f"duration_s={duration_s}: wanted (shortest, longest) of 1 s or more")
    wearers = [wearer(i, seed, placements, vary_placements) for i in range(people)]
    for number, name, movement in chosen:
        key = (seed, zlib.crc32(name.encode()), number)
        rng = np.random.default_rng(key)
        who = int(rng.integers(people))
        length = float(rng.uniform(*duration_s))
        performance = play(
            movement, length, seed=(*key, 1), shape=wearers[who].shape, style=Style(), tremor_deg=tremor_deg
        )
        split = "validation" if who < held_out else "train"
        yield as_clip(f"{name}-s{seed}-{number:04d}", movement, performance, wearers[who], rate_hz, split)


def programme(
    per_movement: int, movements: Sequence[str] | None, exclude_labels: Sequence[str]
) -> list[tuple[int, str, Movement]]:
    """What is played, in order: (number of the performance, name, movement).

    Raises
    ------
    ConfigError, UnknownNameError
    """
    if per_movement < 1:
        raise ConfigError(f"per_movement={per_movement}: wanted at least one clip of each")
    table = library()
    chosen = list(table) if movements is None else list(movements)
    for name in chosen:
        if name not in table:
            raise unknown_name("movement", name, table)
    without = {label.lower() for label in exclude_labels}
    kept = [n for n in chosen if without.isdisjoint((n.lower(), table[n].label.lower()))]
    return [(number, name, table[name]) for number in range(per_movement) for name in kept]


def kept_for_validation(people: int, validation: float) -> int:
    """How many of the people, the first ones, are kept for validation.

    Raises
    ------
    ConfigError
    """
    if people < 2 or not 0 <= validation < 1:
        raise ConfigError(f"people={people}, validation={validation}: wanted two people and a share below 1")
    return max(1, round(validation * people)) if validation else 0


def as_clip(
    key: str, movement: Movement, performance: Performance, who: Wearer, rate_hz: float, split: str
) -> Clip:
    """Simulate what a performance's wearer would have measured and put it together with the words."""
    motion = performance.motion
    rec = im.simulate(motion, list(who.placements), rate_hz=rate_hz, smoothing="none")
    return Clip(
        key=key,
        rate_hz=rate_hz,
        imu=np.concatenate([rec.acc, rec.gyro], axis=2).astype(np.float32),
        placements=tuple(p.name for p in who.placements),
        pose=pose_of(motion, rec.time_s),
        text=movement.text,
        label=movement.label,
        source="embedded",
        split=split,
        group=who.name,
        metadata={
            "movement": movement.name,
            "repetitions": performance.repetitions,
            "mirrored": performance.mirrored,
            "stature_m": round(who.stature_m, 3),
            "equipment": movement.equipment,
            "imusim": __version__,
            "heading_deg": round(float(motion.metadata["heading_deg"]), 2),
            "seed": [int(s) for s in motion.metadata["seed"]],
        },
    )
