"""BlazePose with regions of interest that are ours: MediaPipe's detector, the landmark network by LiteRT."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from imusim.video.appearance import region_around
from imusim.video.estimator import LANDMARK_NAMES, Landmarks
from imusim.video.landmark_net import SIZE, Answer, LandmarkNet
from imusim.video.mediapipe_pose import MediaPipePose
from imusim.video.region import MARGIN, Region, Window, window
from imusim.video.sides import exchange_order

_COUNT = len(LANDMARK_NAMES)
_CENTRE, _AROUND = 33, 34  # points of the network's that say where the person is
_SETTLE = 3
_MIRRORED = exchange_order()


class BlazePose:
    """BlazePose, told where to look.

    Parameters
    ----------
    task : `.task` bundle (`imusim.video.pose_model.pose_task`)
    min_confidence : belief below which there is nobody, 0 … 1

    Raises
    ------
    AssetError
        If the bundle is refused.
    MissingExtra, MissingSystemPackage
        If mediapipe, LiteRT or a system library is missing.
    """

    landmark_names = LANDMARK_NAMES

    def __init__(self, task: Path, *, min_confidence: float = 0.5) -> None:
        self.min_confidence = min_confidence
        self._detector = MediaPipePose(task, min_confidence=min_confidence)
        self._net = LandmarkNet(task)
        self._region: Region | None = None

    @property
    def name(self) -> str:
        """Names and versions, for metadata."""
        from importlib.metadata import version

        return f"BlazePose by LiteRT {version('ai-edge-litert')}, mediapipe {version('mediapipe')} detector"

    def look(self, part: Window, region: Region, *, mirrored: bool = False) -> Landmarks | None:
        """Return the person in a square of the picture, or None; `mirrored` shows the network its mirror image."""
        square = part.cut(region, SIZE)
        if mirrored:
            square = np.ascontiguousarray(square[:, ::-1])
        answer = self._net(square)
        if answer.person < self.min_confidence:
            return None
        return _landmarks(_unmirrored(answer) if mirrored else answer, region)

    def __call__(self, rgb: NDArray[np.uint8], time_s: float) -> Landmarks | None:
        """Return the person in an image, looked for near where they were in the image before."""
        if self._region is None:
            people = self.candidates(rgb)
            if not people:
                return None
            self._region = region_around(people[0])
            settle = _SETTLE
        else:
            settle = 1
        seen = None
        for _ in range(settle):
            seen = self.look(window(rgb, self._region, SIZE), self._region)
            if seen is None or seen.region is None:
                self._region = None
                return None
            self._region = seen.region
        return seen

    def candidates(self, rgb: NDArray[np.uint8]) -> list[Landmarks]:
        """Return the people that the detector finds in one image (up to 6; near ones may be merged)."""
        return self._detector.candidates(rgb)

    def reset(self) -> None:
        """Forget the person that was followed."""
        self._region = None

    def close(self) -> None:
        """Free the native graphs."""
        self._detector.close()


def _landmarks(answer: Answer, region: Region) -> Landmarks:
    points = region.to_picture(answer.points)
    world = answer.world_m[:_COUNT].copy()
    world[:, :2] = world[:, :2] @ region.axes
    around = points[_AROUND] - points[_CENTRE]
    own = Region(
        points[_CENTRE],
        float(max(2.0 * MARGIN * np.hypot(*around), 8.0)),
        float(np.arctan2(around[0], -around[1])),
    )
    return Landmarks(world, points[:_COUNT], answer.visibility[:_COUNT], answer.presence[:_COUNT], own)


def _unmirrored(answer: Answer) -> Answer:
    """What the answer to a mirror image says of the image."""
    order = np.concatenate([_MIRRORED, np.arange(_COUNT, answer.points.shape[0])])
    points, world = answer.points[order].copy(), answer.world_m[order].copy()
    points[:, 0] = 1.0 - points[:, 0]
    world[:, 0] = -world[:, 0]
    return Answer(points, world, answer.visibility[order], answer.presence[order], answer.person)
