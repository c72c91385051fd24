"""Skeletons of the first Kinect as UTD-MHAD hands them out: MATLAB files with ``d_skel`` (20, 3, T)."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np

from imusim.errors import MotionFileError, QualityWarning
from imusim.motion_io.clock import GIVE_RATE, frame_times
from imusim.motion_io.layouts import KINECT20
from imusim.motion_io.points import from_points
from imusim.types import Motion

NOMINAL_HZ = 30.0
DELAY_S = 0.045
"""How late UTD-MHAD's skeletons are against its inertial sensor: the wrists of one half of the people say 30, of the other
45 ms (`benchmarks/fit/bench_utd.py`); thighs rather more."""


def read_kinect_mat(
    path: Path,
    *,
    rate_hz: float | None = None,
    up: str | None = None,
    unit: str | None = None,
    delay_s: float = DELAY_S,
) -> Motion:
    """Read ``d_skel`` (20, 3, T), metres, y up, of a MATLAB file.

    Parameters
    ----------
    path : the file

    Other Parameters
    ----------------
    rate_hz : frames a second. **UTD-MHAD's skeletons are not at the nominal 30 Hz on the clock of its inertial
        sensor**: with N inertial samples at 50 Hz and F frames it is ``(F − 1) / (N / 50)``, about 19
    up, unit : override what is found out
    delay_s : taken off the times of the frames: the first is at −delay_s

    Raises
    ------
    MotionFileError
        If the file is damaged, of another kind, or empty, or the delay is no number.

    Warns
    -----
    QualityWarning
        If the rate was assumed.
    """
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    try:
        held: dict[str, Any] = loadmat(path, variable_names=["d_skel"], appendmat=False)
    except NotImplementedError:
        raise MotionFileError(f"{path.name} is MATLAB 7.3 (HDF5). Save it with -v7.") from None
    except (
        MatReadError,
        ValueError,
        TypeError,
        OSError,
        EOFError,
        KeyError,
        IndexError,
        MemoryError,
    ) as error:
        raise MotionFileError(f"{path.name} is damaged or not a MATLAB file: {error}") from None
    except Exception as error:  # zlib.error and whatever else a damaged stream raises
        raise MotionFileError(f"{path.name} is damaged: {type(error).__name__}: {error}") from None
    if "d_skel" not in held:
        raise MotionFileError(
            f"{path.name} has no d_skel (20, 3, frames). Inertial files of UTD-MHAD (d_iner) are recordings: "
            'mujo.data.load("utd_mhad", ...).'
        )
    skeleton = np.asarray(held["d_skel"])
    if skeleton.dtype.kind not in "fiu" or skeleton.ndim != 3 or skeleton.shape[:2] != (20, 3):
        raise MotionFileError(
            f"{path.name}: d_skel is {skeleton.dtype} {skeleton.shape}, wanted numbers (20, 3, frames)"
        )
    if not np.isfinite(delay_s):
        raise MotionFileError(f"{path.name}: delay_s={delay_s}, wanted seconds")
    if rate_hz is None:
        warnings.warn(
            QualityWarning(
                f"{path.name}: no rate in the file; assumed {NOMINAL_HZ:g} Hz. UTD-MHAD's skeletons run at about 19 Hz on "
                f"the inertial sensor's clock, (F - 1) / (N / 50). {GIVE_RATE}"
            ),
            stacklevel=3,
        )
    points = np.asarray(skeleton, dtype=np.float64).transpose(2, 0, 1)
    rate = rate_hz or NOMINAL_HZ
    about = {
        "format": "Kinect (MATLAB)",
        "rate_hz": rate,
        "rate_given": rate_hz is not None,
        "delay_s": delay_s,
    }
    return from_points(
        points, KINECT20, rate_hz=rate, source=path.name, up=up, unit=unit, on_floor=True,
        time_s=frame_times(len(points), rate, path.name) - delay_s, metadata=about,
    )  # fmt: skip
