"""MediaPipe's PoseLandmarker behind `PoseEstimator`."""

from __future__ import annotations

import atexit
import ctypes
import sys
import weakref
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imusim.errors import AssetError, MissingExtra, MissingSystemPackage
from imusim.video.estimator import LANDMARK_NAMES, Landmarks
from imusim.video.native_log import quiet_native_log

_SYSTEM = {
    "libGL.so.1": "libgl1",
    "libEGL.so.1": "libegl1",
    "libGLESv2.so.2": "libgles2",
    "libgthread-2.0.so.0": "libglib2.0-0",
    "libglib-2.0.so.0": "libglib2.0-0",
}
_UNFILTERED_STEP_MS = 1_000_000


def preflight() -> None:
    """Check that mediapipe and the system libraries that it loads are there.

    Raises
    ------
    MissingExtra
        If mediapipe is not installed.
    MissingSystemPackage
        Naming the Debian/Ubuntu packages of the libraries that are missing.
    """
    import importlib.util

    if importlib.util.find_spec("mediapipe") is None:
        raise MissingExtra("video", "Finding a person in a video")
    if not sys.platform.startswith("linux"):
        return
    missing: dict[str, str] = {}
    for library, package in _SYSTEM.items():
        try:
            ctypes.CDLL(library)
        except OSError:
            missing[library] = package
    if missing:
        packages = " ".join(dict.fromkeys(missing.values()))
        raise MissingSystemPackage(
            f"The pose estimator needs system libraries that are missing: {', '.join(missing)}. "
            f"Install them: sudo apt-get install -y {packages}"
        )


class MediaPipePose:
    """MediaPipe PoseLandmarker (BlazePose), one person followed from frame to frame.

    Parameters
    ----------
    task : `.task` bundle (`imusim.video.pose_model.pose_task`)
    min_confidence : detection, presence and tracking threshold, 0 … 1
    filtered : leave MediaPipe's own causal low-pass filter ("one euro") of the landmarks on. It delays fast
        limbs; the default is off, since what follows smooths without delay.

    Raises
    ------
    AssetError
        If the bundle is refused.
    MissingExtra, MissingSystemPackage
        As `preflight`.
    """

    landmark_names = LANDMARK_NAMES

    def __init__(self, task: Path, *, min_confidence: float = 0.5, filtered: bool = False) -> None:
        preflight()
        self.task = Path(task)
        self.min_confidence = min_confidence
        self.filtered = filtered
        self._landmarker: Any = None
        self._single: Any = None
        self._quiet_calls = 2
        self._clock_ms = 0

    @property
    def name(self) -> str:
        """Name and version, for metadata."""
        from importlib.metadata import version

        return f"mediapipe {version('mediapipe')} PoseLandmarker"

    def __call__(self, rgb: NDArray[np.uint8], time_s: float) -> Landmarks | None:
        """Return the followed person, or None."""
        if self._landmarker is None:
            self._landmarker, self._quiet_calls = self._create("VIDEO", 1), 2
            self._start_s, self._clock_ms = time_s, 0
        elif self.filtered:
            self._clock_ms = max(self._clock_ms + 1, round((time_s - self._start_s) * 1000))
        else:
            # The filter's cut-off acts per second: stamps far apart open it, tracking is not affected.
            self._clock_ms += _UNFILTERED_STEP_MS
        image = _image(rgb)
        if self._quiet_calls:  # the library talks until it has found somebody
            with quiet_native_log():
                result = self._landmarker.detect_for_video(image, self._clock_ms)
        else:
            result = self._landmarker.detect_for_video(image, self._clock_ms)
        found = _people(result, rgb.shape)
        self._quiet_calls -= bool(found and self._quiet_calls)
        return found[0] if found else None

    def candidates(self, rgb: NDArray[np.uint8]) -> list[Landmarks]:
        """Return the people that the detector finds in one image (up to 6; near ones may be merged)."""
        with quiet_native_log():
            if self._single is None:
                self._single = self._create("IMAGE", 6)
            return _people(self._single.detect(_image(rgb)), rgb.shape)

    def reset(self) -> None:
        """Forget the person that was followed."""
        if self._landmarker is not None:
            with quiet_native_log():
                self._landmarker.close()
            self._landmarker = None

    def close(self) -> None:
        """Free the native graphs."""
        self.reset()
        if self._single is not None:
            with quiet_native_log():
                self._single.close()
            self._single = None

    def _create(self, mode: str, people: int) -> Any:
        with quiet_native_log():
            from mediapipe.tasks.python import BaseOptions, vision

            options = vision.PoseLandmarkerOptions(
                base_options=BaseOptions(model_asset_path=str(self.task), delegate=BaseOptions.Delegate.CPU),
                running_mode=vision.RunningMode[mode],
                num_poses=people,
                min_pose_detection_confidence=self.min_confidence,
                min_pose_presence_confidence=self.min_confidence,
                min_tracking_confidence=self.min_confidence,
            )
            try:
                landmarker = vision.PoseLandmarker.create_from_options(options)
                atexit.register(_close_if_alive, weakref.ref(landmarker))
                return landmarker
            except (RuntimeError, ValueError) as error:
                raise AssetError(f"{self.task} is not a pose model that MediaPipe accepts: {error}") from None


def _close_if_alive(reference: weakref.ref[Any]) -> None:
    """Close before the interpreter is torn down; MediaPipe's own finaliser comes too late and complains."""
    landmarker = reference()
    if landmarker is not None:
        with quiet_native_log():
            landmarker.close()


def _image(rgb: NDArray[np.uint8]) -> Any:
    from mediapipe import Image, ImageFormat

    # MediaPipe ignores strides: a view with padded rows would silently be read as garbage.
    return Image(image_format=ImageFormat.SRGB, data=np.ascontiguousarray(rgb))


def _people(result: Any, shape: tuple[int, ...]) -> list[Landmarks]:
    height, width = shape[:2]
    people = []
    for world, image in zip(result.pose_world_landmarks, result.pose_landmarks, strict=True):
        people.append(
            Landmarks(
                np.array([(p.x, p.y, p.z) for p in world]),
                np.array([(p.x * width, p.y * height) for p in image]),
                np.array([p.visibility for p in image]),
                np.array([p.presence for p in image]),
            )
        )
    return people
