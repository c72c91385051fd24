"""How a camera turned: from the still background, frame by frame, so that the fit can take it out.

Corners of the background are followed from frame to frame (Lucas and Kanade, IJCAI 1981, forwards and back), and the
rotation that takes their lines of sight to each other is found by reweighted least squares (Kabsch, Acta Cryst. A32, 1976).
A camera that only turns has no parallax: nothing needs to be known of how far things are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imusim.rotation import from_matrix
from imusim.types import Floats, PoseTrack
from imusim.video.decode import frames
from imusim.video.lines import Background

TURN_KEY, TURN_FOCAL_KEY = "camera_turn_wxyz", "camera_turn_focal_px"
"""Where a track's metadata keeps, for each frame, the rotation from its camera's axes to those of its shot's first
frame, and the focal length that it was found with."""

MOVING_SHARE = 0.2
"""Of the frames, from which on the camera is called moving."""

_TYPICAL_FOCAL = 0.85  # of the longer side: a phone's
_SIDE_PX = 640
_CORNERS = 400
_FEWEST = 30  # corners that are followed, for a rotation to mean anything
_WORST_PX = 0.7  # median of what a rotation leaves: more is parallax, a camera that walks
_FARTHEST_DEG = 45.0  # a picture plane shows no more
_ROUNDS = 12
_BORDER_PX = 8.0  # a line that ends nearer to the border of any frame may be the border
_ROOM = 0.15  # about the person, in their size


@dataclass(frozen=True)
class CameraTurns:
    """Rotations of the camera.

    Attributes
    ----------
    R : (T, 3, 3) from the camera axes of each frame to those of the first frame of its shot
    left_px : median distance that the rotation leaves between followed corners, pixels of a 640-pixel picture
    followed : share of the frames with enough corners
    lines_px : shot (as text) → straight lines of the background (N, 4) · px, as its first frame would show them
    """

    R: Floats
    left_px: float
    followed: float
    lines_px: dict[str, list[list[float]]]

    @property
    def believed(self) -> bool:
        """Whether the background moves as a camera that turns makes it."""
        return self.left_px <= _WORST_PX and self.followed >= 0.9 and self.largest_deg <= _FARTHEST_DEG

    @property
    def largest_deg(self) -> float:
        """Largest angle from the first frame of a shot · degrees."""
        cosine = 0.5 * (np.trace(self.R, axis1=1, axis2=2) - 1.0)
        return float(np.degrees(np.arccos(np.clip(cosine.min(), -1.0, 1.0))))

    def metadata(self, focal_px: float) -> dict[str, Any]:
        """What a track keeps of it."""
        return {
            TURN_KEY: np.round(from_matrix(self.R), 9).tolist(),
            TURN_FOCAL_KEY: focal_px,
            "background_lines_px": self.lines_px,
        }


def with_turns(
    path: Path, tracks: list[PoseTrack], focal_px: float | None, fps: float | None, progress: bool
) -> list[PoseTrack]:
    """Keep how the camera turned with the tracks of one video, if it is one that moved and that is how.

    Parameters
    ----------
    path : the video
    tracks : of the people in it, with the same times
    focal_px : focal length · pixels; None: a phone's
    fps, progress : as for `camera_turns`
    """
    if not tracks or tracks[0].metadata["camera_moving_fraction"] <= MOVING_SHARE:
        return tracks
    focal = focal_px or _TYPICAL_FOCAL * max(tracks[0].image_size_px)
    found = camera_turns(path, tracks[0], focal, fps, progress)
    said: dict[str, Any] = {"camera_turn_left_px": found.left_px if np.isfinite(found.left_px) else None}
    if found.believed:
        said |= {"camera_turn_largest_deg": found.largest_deg, **found.metadata(focal)}
    return [replace(t, metadata={**t.metadata, **said}) for t in tracks]


def moving_note(track: PoseTrack) -> str | None:
    """Say what is to be known of a camera that moved; None of one that stood still."""
    moving = float(track.metadata.get("camera_moving_fraction", 0.0))
    if moving <= MOVING_SHARE:
        return None
    turned = track.metadata.get("camera_turn_largest_deg")
    what = (
        "A static camera is assumed: the camera's motion will appear as the person's."
        if turned is None
        else f"The camera's turns (up to {turned:.1f}°) are taken out; if it was carried, its path is not."
    )
    return f"the background moves in {moving:.0%} of the clip. {what}"


def camera_turns(
    path: Path, track: PoseTrack, focal_px: float, fps: float | None = None, progress: bool = False
) -> CameraTurns:
    """Follow the background of a video once more, without the person.

    Parameters
    ----------
    path : the video
    track : its track; tells where the person is, and which frames there are
    focal_px : focal length · pixels of the upright picture
    fps : as the track was made with
    progress : whether to show a bar on a terminal
    """
    import cv2
    from tqdm import tqdm

    count = track.time_s.size
    out = np.tile(np.eye(3), (count, 1, 1))
    left: list[float] = []
    before: tuple[int, Any] | None = None
    scale = 1.0
    still: dict[int, Background] = {}
    centre = 0.5 * np.asarray(track.image_size_px, dtype=np.float64)
    camera = np.array([[focal_px, 0.0, centre[0]], [0.0, focal_px, centre[1]], [0.0, 0.0, 1.0]])
    shown = tqdm(total=count, desc="camera", unit="frame", disable=None if progress else True, leave=False)
    with shown:
        for row, rgb, scale in _frames(path, track, fps):
            grey, share = _small(rgb)
            if before is not None and track.shot[row] == track.shot[before[0]]:
                person = _person(track, before[0], scale * share)
                found = _step(before[1], grey, person, scale * share, focal_px, track.image_size_px)
                out[row] = out[before[0]] if found is None else out[before[0]] @ found[0]
                if found is not None:
                    left.append(found[1])
            before = (row, grey)
            size = np.diag([scale, scale, 1.0])
            back = size @ camera @ out[row] @ np.linalg.inv(size @ camera)
            still.setdefault(int(track.shot[row]), Background()).add(
                cv2.warpPerspective(rgb, back, (rgb.shape[1], rgb.shape[0]), borderMode=cv2.BORDER_REPLICATE)
            )
            shown.update(1)
    lines = {
        str(shot): _always_seen(kept.segments() / scale, out[track.shot == shot], camera, centre)
        .round(2)
        .tolist()
        for shot, kept in still.items()
    }
    return CameraTurns(out, float(np.median(left)) if left else np.inf, len(left) / max(1, count - 1), lines)


def _always_seen(lines: Floats, turn: Floats, camera: Floats, centre: Floats) -> Floats:
    """Those lines (N, 4) · px of the first frame's picture whose ends are in the picture of every frame."""
    few = turn[:: max(1, len(turn) // 200)]
    ends = np.concatenate([lines.reshape(-1, 2), np.ones((2 * len(lines), 1))], axis=1)
    # the first frame's lines of sight, in the axes of the others: Rᵀ
    seen = np.einsum("ab,tcb,cd,nd->tna", camera, few, np.linalg.inv(camera), ends, optimize=True)
    px = seen[..., :2] / seen[..., 2:]
    inside = (np.abs(px - centre) < centre - _BORDER_PX).all(axis=(0, 2))
    return lines[inside.reshape(-1, 2).all(axis=1)]


def _frames(path: Path, track: PoseTrack, fps: float | None) -> Iterator[tuple[int, Any, float]]:
    """Row in the track, picture (h, w, 3) uint8, and its scale, of every frame that the track has."""
    for time_s, rgb in frames(path, fps, max_side=2 * _SIDE_PX):
        row = int(np.searchsorted(track.time_s, time_s - 1e-6))
        if row < track.time_s.size and abs(track.time_s[row] - time_s) < 1e-6:
            yield row, rgb, rgb.shape[1] / track.image_size_px[0]


def _small(rgb: Any) -> tuple[Any, float]:
    """Grey picture of at most `_SIDE_PX`, and its scale."""
    import cv2

    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    share = min(1.0, _SIDE_PX / max(grey.shape))
    size = (round(grey.shape[1] * share), round(grey.shape[0] * share))
    return (cv2.resize(grey, size, interpolation=cv2.INTER_AREA) if share < 1.0 else grey), share


def _person(track: PoseTrack, row: int, scale: float) -> tuple[int, int, int, int] | None:
    """Box x0, y0, x1, y1 about the person, pixels of the small picture."""
    px = track.landmarks_px[row] * scale
    if not np.isfinite(px).all():
        return None
    low, high = px.min(axis=0), px.max(axis=0)
    room = _ROOM * (high - low).max() + 5.0
    x0, y0 = np.maximum(low - room, 0.0).astype(int).tolist()
    x1, y1 = np.maximum(high + room, 0.0).astype(int).tolist()
    return x0, y0, x1, y1


def _step(
    a: Any,
    b: Any,
    person: tuple[int, int, int, int] | None,
    scale: float,
    focal_px: float,
    size_px: tuple[int, int],
) -> tuple[Floats, float] | None:
    """Rotation (3, 3) from the second frame's camera axes to the first's, and what it leaves · px; None if unseen."""
    import cv2

    mask = np.full(a.shape, 255, dtype=np.uint8)
    if person is not None:
        x0, y0, x1, y1 = person
        mask[y0:y1, x0:x1] = 0
    corners = cv2.goodFeaturesToTrack(a, _CORNERS, 0.01, 8, mask=mask)
    if corners is None or len(corners) < _FEWEST:
        return None
    there, ok, _ = cv2.calcOpticalFlowPyrLK(a, b, corners, corners.copy(), winSize=(21, 21), maxLevel=3)
    back, ok_back, _ = cv2.calcOpticalFlowPyrLK(b, a, there, there.copy(), winSize=(21, 21), maxLevel=3)
    good = (ok[:, 0] == 1) & (ok_back[:, 0] == 1) & (np.abs(back - corners)[:, 0].max(axis=1) < 0.5)
    if int(good.sum()) < _FEWEST:
        return None
    centre = 0.5 * np.asarray(size_px, dtype=np.float64)
    rays = [_rays(p[good, 0].astype(np.float64) / scale, centre, focal_px) for p in (corners, there)]
    turn, off = _rotation(*rays)
    return turn, off * focal_px * scale


def _rays(px: Floats, centre: Floats, focal_px: float) -> Floats:
    """Unit lines of sight (N, 3)."""
    rays = np.column_stack([(px - centre) / focal_px, np.ones(len(px))])
    return rays / np.linalg.norm(rays, axis=1, keepdims=True)


def _rotation(a: Floats, b: Floats) -> tuple[Floats, float]:
    """Rotation R with a ≈ R b of most of the unit vectors a, b (N, 3), Cauchy's weights; median of |a − R b|."""
    weight: NDArray[np.float64] = np.ones(len(a))
    turn = np.eye(3)
    off = np.zeros(len(a))
    for _ in range(_ROUNDS):
        u, _, vt = np.linalg.svd((a * weight[:, None]).T @ b)
        turn = u @ np.diag([1.0, 1.0, np.linalg.det(u @ vt)]) @ vt
        off = np.linalg.norm(a - b @ turn.T, axis=1)
        weight = 1.0 / (1.0 + (off / (3.0 * np.median(off) + 1e-9)) ** 2)
    return turn, float(np.median(off))
