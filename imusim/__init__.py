"""imusim: video or motion capture of a person → the signals a wearable IMU would have measured.

>>> import imusim as im
>>> track = im.estimate_pose("clip.mp4")                       # doctest: +SKIP
>>> motion = im.fit(track, body=im.open_body(), height_m=1.75) # doctest: +SKIP
>>> rec = im.simulate(motion, ["left_wrist", "right_thigh"], sensor=im.sensor.BMI270, rate_hz=100)  # doctest: +SKIP

Frames, units and signs: `imusim.conventions`. Importing this module loads nothing heavy: every name
below is imported on first use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from imusim._version import __version__

_LAZY = {
    "BodyTrajectory": "imusim.kinematics",
    "Kinematics": "imusim.types",
    "Motion": "imusim.types",
    "Placement": "imusim.types",
    "PoseTrack": "imusim.types",
    "Recording": "imusim.recording",
    "Trajectory": "imusim.trajectory",
    "Variation": "imusim.variation",
    "asset": "imusim.assets",
    "estimate_people": "imusim.video",
    "estimate_pose": "imusim.video",
    "fit": "imusim.fitting",
    "fit_map": "imusim.matching",
    "identify": "imusim.identification",
    "load_body": "imusim.body",
    "open_body": "imusim.body",
    "placements": "imusim.placement",
    "read_motion": "imusim.motion_io",
    "save_motion": "imusim.motion_io",
    "MagneticField": "imusim.magnetic",
    "save_stream": "imusim.recording",
    "simulate": "imusim.simulation",
    "stream": "imusim.simulation",
    "sweep": "imusim.sweeping",
    "sweep_statistics": "imusim.sweeping",
    "validate": "imusim.validation",
}
_SUBMODULES = ("body", "conventions", "errors", "rotation", "sensor", "viz")

__all__ = ["__version__", *_LAZY, *_SUBMODULES]

if TYPE_CHECKING:
    from imusim import body, conventions, errors, rotation, sensor, viz
    from imusim.assets import asset
    from imusim.body import load_body, open_body
    from imusim.fitting import fit
    from imusim.identification import identify
    from imusim.kinematics import BodyTrajectory
    from imusim.magnetic import MagneticField
    from imusim.matching import fit_map
    from imusim.motion_io import read_motion, save_motion
    from imusim.placement import placements
    from imusim.recording import Recording, save_stream
    from imusim.simulation import simulate, stream
    from imusim.sweeping import sweep, sweep_statistics
    from imusim.trajectory import Trajectory
    from imusim.types import Kinematics, Motion, Placement, PoseTrack
    from imusim.validation import validate
    from imusim.variation import Variation
    from imusim.video import estimate_people, estimate_pose


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        value = getattr(importlib.import_module(_LAZY[name]), name)
    elif name in _SUBMODULES:
        value = importlib.import_module(f"imusim.{name}")
    else:
        raise AttributeError(f"module 'imusim' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
