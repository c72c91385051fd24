"""What is done with a person's landmarks once all frames are known: ends cut, sides named, quality of every frame."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imusim.video.facing import better_seen
from imusim.video.leaving import leaving
from imusim.video.quality import steadiness
from imusim.video.sides import untangle_sides

_EXCHANGED = 0.8  # trust in a frame whose left and right were exchanged


def put_in_order(
    raw: dict[str, Any], others: Mapping[int, NDArray[np.float32]], size_px: tuple[int, int]
) -> NDArray[np.bool_]:
    """Finish what `Harvest.arrays` gave, in place; return the frames whose left and right are not as they were seen.

    Parameters
    ----------
    raw : arrays of BlazePose's 33 landmarks
    others : other answers by frame (`facing`)
    size_px : (width, height) of the picture
    """
    gone = leaving(raw["time_s"], raw["landmarks_m"], raw["landmarks_px"], raw["shot"], size_px)
    raw["landmarks_m"][gone] = raw["landmarks_px"][gone] = np.nan
    raw["visibility"][gone] = raw["quality"][gone] = 0.0
    changed = _name_sides(raw, {i: other for i, other in others.items() if not gone[i]})
    raw["quality"] *= steadiness(raw["time_s"], raw["landmarks_m"], raw["landmarks_px"], raw["shot"])
    raw["quality"][changed] *= _EXCHANGED
    return changed


def _name_sides(raw: dict[str, Any], others: Mapping[int, NDArray[np.float32]]) -> NDArray[np.bool_]:
    """Name left and right as the whole clip says."""
    names = ("landmarks_m", "landmarks_px", "visibility")

    def untangled() -> list[Any]:
        world, px, visibility = (raw[n] for n in names)
        return list(untangle_sides(raw["time_s"], world, px, visibility, raw["shot"]))

    found = untangled()
    frames = better_seen(raw["landmarks_px"], found[1], others)
    if frames.size:
        rows = np.stack([others[i] for i in frames.tolist()]).astype(np.float64)
        for name, values in zip(names, (rows[..., :3], rows[..., 3:5], rows[..., 5]), strict=True):
            raw[name][frames] = values
        found = untangled()
    raw.update(zip(names, found, strict=False))
    return np.asarray(found[3], dtype=np.bool_)
