"""A video from a camera that turns, as one from a camera that stands still would have shown it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from imusim.rotation import to_matrix
from imusim.types import Floats

TURN_KEY, TURN_FOCAL_KEY = "camera_turn_wxyz", "camera_turn_focal_px"
"""As `imusim.video.camera_turn` writes them."""


def turns(metadata: Mapping[str, Any], count: int) -> tuple[Floats, float] | None:
    """Rotations (T, 3, 3) from each frame's camera axes to those of its shot's first frame, and the focal length · px that
    goes with them; None if the camera stood still, or the metadata are those of other frames."""
    kept = metadata.get(TURN_KEY)
    if kept is None or len(kept) != count:
        return None
    return to_matrix(np.asarray(kept, dtype=np.float64)), float(metadata[TURN_FOCAL_KEY])


def turned_px(px: Floats, turn: Floats, centre: Floats, focal_px: float) -> Floats:
    """Where points (T, N, 2) · px would be had the camera been turned back: by K R K⁻¹, of R (T, 3, 3)."""
    rays = np.concatenate([(px - centre) / focal_px, np.ones((*px.shape[:2], 1))], axis=-1)
    rays = np.einsum("tab,tnb->tna", turn, rays)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(rays[..., 2:] > 1e-3, focal_px * rays[..., :2] / rays[..., 2:] + centre, np.nan)
