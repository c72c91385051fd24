"""Xsens MVNX: orientation and free acceleration of every sensor → what its accelerometer and gyroscope read."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from imusim.conventions import GRAVITY_W
from imusim.errors import MotionFileError
from imusim.recording import Recording
from imusim.rotation import rotate_inverse
from imusim.trajectory import Trajectory


def read_mvnx_sensors(path: Path) -> Recording:
    """Read the sensors of an MVNX file.

    Specific force is ``Rᵀ (a_free − g)``, with the file's sensor orientation R; angular rate is that of the orientation's
    quintic spline, for the file has no readings of the gyroscopes.

    Raises
    ------
    MotionFileError
        If it is damaged, or has no sensor data.
    """
    labels: list[str] = []
    free, turn, clock = [], [], []
    rate = 0.0
    try:
        for event, element in ElementTree.iterparse(path, events=("start", "end")):
            tag = element.tag.rsplit("}", 1)[-1]
            if event == "start":
                if tag == "subject":
                    rate = float(element.get("frameRate", "0"))
                elif tag == "sensor":
                    labels.append(element.get("label", f"s{len(labels)}"))
                continue
            if tag != "frame":
                continue
            if element.get("type") == "normal":
                values = {child.tag.rsplit("}", 1)[-1]: child.text or "" for child in element}
                if "sensorFreeAcceleration" not in values or "sensorOrientation" not in values:
                    break
                free.append([float(v) for v in values["sensorFreeAcceleration"].split()])
                turn.append([float(v) for v in values["sensorOrientation"].split()])
                clock.append(float(element.get("time", "nan")) / 1e3)
            element.clear()
    except (OSError, ValueError, ElementTree.ParseError) as error:
        raise MotionFileError(f"{path} is damaged or not MVNX: {str(error).splitlines()[0]}") from None
    count = len(labels)
    if (
        len(free) < 2
        or count == 0
        or {len(f) for f in free} != {3 * count}
        or {len(t) for t in turn} != {4 * count}
    ):
        raise MotionFileError(
            f"{path} has no sensor data (sensorFreeAcceleration, sensorOrientation). Export it with sensor data ticked."
        )
    # the file's times are whole milliseconds: the rate says more
    time = clock[0] + np.arange(len(free)) / rate if rate > 0 else np.asarray(clock)
    q = np.asarray(turn).reshape(-1, count, 4)
    a = np.asarray(free).reshape(-1, count, 3)
    k = Trajectory(time, np.zeros_like(a), q).kinematics(time)
    acc = rotate_inverse(k.orientation, a - np.asarray(GRAVITY_W))
    gyro = rotate_inverse(k.orientation, k.angular_velocity)
    said = [
        f"time: {'frame rate ' + format(rate, 'g') + ' Hz' if rate > 0 else 'the frames'}",
        f"{count} sensors, acc: orientation and free acceleration, gravity put back, m/s²",
        "gyro: the rate of sensorOrientation, rad/s (MVNX has no readings of the gyroscopes)",
    ]
    names = tuple(snake(label) for label in labels)
    return Recording(
        time, acc, gyro, names, metadata={"file": path.name, "read": said}, unit="m/s2", gyro_unit="rad/s"
    )


def snake(label: str) -> str:
    """Return a label such as RightUpperArm as right_upper_arm."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", label).lower()
