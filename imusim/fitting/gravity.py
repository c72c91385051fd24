"""Which way is up in a clip of one camera: posture, floor, the picture's vertical lines, and what cameras do.

Each kind of evidence is a likelihood over directions. They are multiplied on a grid of camera pitch and roll;
the mean of the product is the answer and its spread the standard deviation. Lines, where there are enough, are
looked for near that answer and fused with it. A focal length that was only assumed turns into pitch error
(``d pitch = sin p cos p · d ln f`` for a vanishing point) and is part of the standard deviation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from imusim.errors import ShapeError
from imusim.fitting.gravity_floor import Floor, floor_contacts
from imusim.fitting.gravity_lines import LineEstimate, up_from_lines
from imusim.fitting.gravity_posture import NEEDED, Posture, foot_points, posture
from imusim.fitting.gravity_tilt import given_tilt, log_prior, tilt_from_up, up_from_tilt
from imusim.types import Floats, PoseTrack, as_floats

LINES_KEY = "background_lines_px"
"""Where a track's metadata keeps the straight lines of its still background, (N, 4) · px."""

_USER_SD_DEG = 1.0  # a phone's level is good to half a degree, a guess by eye to two
_FOCAL_LOG_SD = 0.15  # of an assumed focal length: main cameras of phones span 24 to 35 mm equivalent
_LINES_SD_DEG = (
    0.6  # each way: trees and walls lean, lenses distort, the optical axis is not quite in the middle
)
_GRID_DEG = 1.5
_PITCH_RANGE_DEG = (-60.0, 75.0)
_ROLL_RANGE_DEG = (-75.0, 75.0)


@dataclass(frozen=True)
class UpEstimate:
    """Direction of up, against gravity, in a clip.

    Attributes
    ----------
    up_c : (3,) unit vector · camera axes (x right, y down, z away)
    sd_deg : standard deviation of its angle to the truth (root of the mean square), degrees
    method : what decided: "user", "lines", "posture" or "prior"
    details : pitch, roll, and what each kind of evidence said
    """

    up_c: Floats
    sd_deg: float
    method: str
    details: Mapping[str, Any] = field(default_factory=dict)


def estimate_up(
    track: PoseTrack,
    joints_c: ArrayLike,
    joint_names: tuple[str, ...],
    valid: ArrayLike,
    focal_px: float,
    camera_tilt_deg: float | tuple[float, float] | None = None,
) -> UpEstimate:
    """Estimate the direction of up in camera axes, of a camera that does not move.

    Parameters
    ----------
    track : pose track; its times, picture size, whether it knows its focal length, and, if its metadata has
        them under `LINES_KEY`, the straight lines of the background are used
    joints_c : (T, J, 3) · m · camera axes, fitted joints, root translation included
    joint_names : J names, SMPL's
    valid : (T,) bool, frames to use
    focal_px : focal length that `joints_c` was fitted with · px

    Other Parameters
    ----------------
    camera_tilt_deg : what the user knows, instead of an estimate: pitch · degrees (positive: the camera looks down),
        or (pitch, roll) (positive roll: what is upright leans to the right in the picture)

    Raises
    ------
    ShapeError
        If shapes do not agree or joints are missing.
    ConfigError
        If `camera_tilt_deg` is not a tilt.

    Notes
    -----
    Nothing here can tell a camera on its side from a person lying down: it is taken to be upright within 75°.
    """
    if camera_tilt_deg is not None:
        pitch, roll = given_tilt(camera_tilt_deg)
        return UpEstimate(
            up_from_tilt(pitch, roll), _USER_SD_DEG, "user", {"pitch_deg": pitch, "roll_deg": roll}
        )
    joints = as_floats(joints_c, "joints_c", (len(track.time_s), len(joint_names), 3))
    missing = [n for n in NEEDED if n not in joint_names]
    if missing:
        raise ShapeError(f"estimate_up needs the joints {', '.join(missing)}, which joint_names lacks")
    use = np.asarray(valid, dtype=np.bool_) & np.isfinite(joints).all(axis=(1, 2))
    person, stance, floor = _from_person(joints[use], tuple(joint_names), track.time_s[use])
    line = _from_lines(track, focal_px, person)
    up, covariance = person
    method = "prior" if stance is None else "posture"
    if line is not None:
        extra = 0.0 if track.focal_px is not None else _FOCAL_LOG_SD
        common = np.radians(_LINES_SD_DEG) ** 2 * (np.eye(3) - np.outer(line.up_c, line.up_c))
        spread = line.covariance_c + common + _focal_covariance(line.up_c, extra)
        fused = _fuse(person, (line.up_c, spread))
        if fused is not None:
            (up, covariance), method = fused, "lines"
    pitch, roll = tilt_from_up(up)
    details: dict[str, Any] = {
        "pitch_deg": pitch,
        "roll_deg": roll,
        "person_tilt_deg": tilt_from_up(person[0]),
    }
    details["person_sd_deg"] = _sd(person[1])
    details["upright_share"] = 0.0 if stance is None else stance.upright_share
    details["floor_extent_m"] = floor.extent_m
    details["focal_assumed"] = track.focal_px is None
    if line is not None:
        details |= {
            "line_tilt_deg": tilt_from_up(line.up_c),
            "lines": line.lines,
            "line_support": line.support,
        }
    return UpEstimate(up, _sd(covariance), method, details)


def _from_person(
    joints: Floats, names: tuple[str, ...], time_s: Floats
) -> tuple[tuple[Floats, Floats], Posture | None, Floor]:
    """Mean and covariance of up by prior, posture and floor; and the evidence."""
    guess = up_from_tilt(5.0, 0.0)
    stance = posture(joints, names, time_s, guess) if len(joints) else None
    floor = Floor(np.zeros((0, 3)), np.zeros(0))
    pitch, roll = np.meshgrid(np.arange(*_PITCH_RANGE_DEG, _GRID_DEG), np.arange(*_ROLL_RANGE_DEG, _GRID_DEG))
    grid = up_from_tilt(pitch.ravel(), roll.ravel())
    score = log_prior(pitch.ravel(), roll.ravel()) + np.log(np.cos(np.radians(pitch.ravel())))
    if stance is not None:
        score = score + stance.log_likelihood(grid)
        if stance.upright_share > 0.5:
            floor = floor_contacts(foot_points(joints, names), time_s, stance.up_c, stance.along_sd_deg)
            score = score + floor.log_likelihood(grid)
    weight = np.exp(score - score.max())
    weight /= weight.sum()
    mean = weight @ grid
    mean /= np.linalg.norm(mean)
    off = grid - (grid @ mean)[:, None] * mean
    return (mean, (off * weight[:, None]).T @ off), stance, floor


def _from_lines(track: PoseTrack, focal_px: float, person: tuple[Floats, Floats]) -> LineEstimate | None:
    """Up by the background's lines, if the track has any."""
    segments = np.asarray(track.metadata.get(LINES_KEY, ()), dtype=np.float64).reshape(-1, 4)
    if len(segments) == 0:
        return None
    return up_from_lines(segments, track.image_size_px, focal_px, person[0], guess_sd_deg=_sd(person[1]))


def _focal_covariance(up_c: Floats, log_sd: float) -> Floats:
    """Covariance (3, 3) · rad² of an up that came from a vanishing point, by the focal length's uncertainty."""
    # (x, y, z) of a vanishing point scale as (x, y, f): d up = z (ẑ − z up) d ln f
    step = up_c[2] * (np.array([0.0, 0.0, 1.0]) - up_c[2] * up_c) * log_sd
    return np.outer(step, step)


def _fuse(a: tuple[Floats, Floats], b: tuple[Floats, Floats]) -> tuple[Floats, Floats] | None:
    """Combine two directions with covariances on the sphere; None where they contradict each other (over 4 sd)."""
    basis = np.linalg.svd(b[0][None, :])[2][1:]  # (2, 3), tangent at b
    gap = basis @ (a[0] / (a[0] @ b[0]))
    ca, cb = basis @ a[1] @ basis.T, basis @ b[1] @ basis.T
    total = ca + cb
    if gap @ np.linalg.solve(total, gap) > 16.0:
        return None
    gain = cb @ np.linalg.inv(total)
    up = b[0] + (gain @ gap) @ basis
    return up / np.linalg.norm(up), basis.T @ (cb - gain @ cb) @ basis


def _sd(covariance: Floats) -> float:
    """Root mean square angle, degrees."""
    return float(np.degrees(np.sqrt(np.trace(covariance))))
