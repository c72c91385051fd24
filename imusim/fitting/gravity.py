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
from numpy.typing import ArrayLike, NDArray

from imusim.errors import ShapeError
from imusim.fitting.gravity_floor import Floor, RestFloor, RestPoints, floor_contacts, floor_of_rest
from imusim.fitting.gravity_focal import TYPICAL_LOG_SD, focal_from_lines
from imusim.fitting.gravity_lines import up_from_lines
from imusim.fitting.gravity_posture import NEEDED, Posture, foot_points, posture
from imusim.fitting.gravity_tilt import given_tilt, log_prior, tilt_from_up, up_from_tilt
from imusim.types import Floats, PoseTrack, as_floats

LINES_KEY = "background_lines_px"
"""Where a track's metadata keeps the straight lines of its still background: (N, 4) x0, y0, x1, y1 · px of the
upright image, or a mapping from the number of the shot (as text) to such a list."""

_USER_SD_DEG = 1.0  # a phone's level is good to half a degree, a guess by eye to two
_LINES_SD_DEG = (
    0.6  # each way: trees and walls lean, lenses distort, the optical axis is not quite in the middle
)
_GRID_DEG = 1.5
_FLOOR_SHARE = 0.5  # of the moments on foot, for the lower foot to be called a floor contact
_PITCH_RANGE_DEG = (-60.0, 75.0)
_ROLL_RANGE_DEG = (-75.0, 75.0)


@dataclass(frozen=True)
class UpEstimate:
    """Direction of up, against gravity, in a clip.

    Attributes
    ----------
    up_c : (3,) unit vector · camera axes (x right, y down, z away)
    sd_deg : standard deviation of its angle to the truth (root of the mean square), degrees
    method : what decided: "user", "lines", "posture", "floor" or "prior"
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
    focal_log_sd: float | None = None,
    rest: RestPoints | None = None,
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
    focal_log_sd : standard deviation of ln `focal_px`; 0 if it is known; None: known if the track knows it, else
        measured from the lines if they tell, else `gravity_focal.TYPICAL_LOG_SD`
    rest : what of the body rested; the floor of someone who is not on foot

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
    belief = _belief(joints[use], tuple(joint_names), track.time_s[use], rest)
    stance, floor = belief.stance, belief.floor
    up, covariance = person = belief.moments()
    segments = _segments(track, use)
    lens = None
    if focal_log_sd is None:
        lens = None if track.focal_px is not None else focal_from_lines(segments, track.image_size_px)
        focal_log_sd = 0.0 if track.focal_px is not None else TYPICAL_LOG_SD
    if lens is not None:
        focal_px, focal_log_sd = lens.focal_px, lens.log_sd
    line = up_from_lines(segments, track.image_size_px, focal_px, person[0], log_belief=belief.log_density)
    method = "prior" if stance is None else "posture"
    if stance is None and floor.tells:
        method = "floor"
    if line is not None:
        common = np.radians(_LINES_SD_DEG) ** 2 * (np.eye(3) - np.outer(line.up_c, line.up_c))
        spread = line.covariance_c + common + _focal_covariance(line.up_c, focal_log_sd)
        (up, covariance), method = _fuse(person, (line.up_c, spread)), "lines"
    pitch, roll = tilt_from_up(up)
    details: dict[str, Any] = {
        "pitch_deg": pitch,
        "roll_deg": roll,
        "person_tilt_deg": tilt_from_up(person[0]),
    }
    details["person_sd_deg"] = _sd(person[1])
    details["upright_share"] = 0.0 if stance is None else stance.upright_share
    details["floor_extent_m"] = floor.extent_m
    details["rests_on_floor"] = isinstance(floor, RestFloor) and floor.tells
    details["focal_log_sd"] = focal_log_sd
    if lens is not None:
        details["focal_from_lines_px"] = lens.focal_px
    if line is not None:
        details |= {
            "line_tilt_deg": tilt_from_up(line.up_c),
            "lines": line.lines,
            "line_support": line.support,
        }
    return UpEstimate(up, _sd(covariance), method, details)


@dataclass(frozen=True)
class _Belief:
    """What cameras do, how the person stands and where the feet are, together."""

    stance: Posture | None
    floor: Floor | RestFloor

    def log_density(self, up_c: Floats) -> Floats:
        """Over directions (N, 3), up to a constant."""
        score = log_prior(up_c) + self.floor.log_likelihood(up_c)
        return score if self.stance is None else score + self.stance.log_likelihood(up_c)

    def moments(self) -> tuple[Floats, Floats]:
        """Mean (3,) and covariance (3, 3) · rad², by sums over a grid of tilts."""
        pitch, roll = np.meshgrid(
            np.arange(*_PITCH_RANGE_DEG, _GRID_DEG), np.arange(*_ROLL_RANGE_DEG, _GRID_DEG)
        )
        grid = up_from_tilt(pitch.ravel(), roll.ravel())
        score = self.log_density(grid)
        weight = np.exp(score - score.max()) * np.cos(np.radians(pitch.ravel()))
        weight /= weight.sum()
        mean = weight @ grid
        mean /= np.linalg.norm(mean)
        off = grid - (grid @ mean)[:, None] * mean
        return mean, (off * weight[:, None]).T @ off


def _belief(
    joints: Floats, names: tuple[str, ...], time_s: Floats, rest: RestPoints | None = None
) -> _Belief:
    """Weigh posture, and the floor: under the feet of who is mostly on foot, else under what rests."""
    floor: Floor | RestFloor = Floor(np.zeros((0, 3)), np.zeros(0))
    stance = posture(joints, names, time_s, up_from_tilt(5.0, 0.0)) if len(joints) else None
    if stance is not None and stance.upright_share > _FLOOR_SHARE:
        floor = floor_contacts(foot_points(joints, names), time_s, stance.up_c, stance.along_sd_deg)
    elif rest is not None:
        floor = floor_of_rest(rest, up_from_tilt(8.0, 0.0))
    return _Belief(stance, floor)


def _segments(track: PoseTrack, use: NDArray[np.bool_]) -> Floats:
    """Lines of the background, (N, 4) · px, of the shot that most of the used frames belong to."""
    kept = track.metadata.get(LINES_KEY, ())
    if isinstance(kept, Mapping):
        shots, count = np.unique(track.shot[use], return_counts=True)
        kept = kept.get(str(shots[np.argmax(count)]), ()) if len(shots) else ()
    return np.asarray(kept, dtype=np.float64).reshape(-1, 4)


def _focal_covariance(up_c: Floats, log_sd: float) -> Floats:
    """Covariance (3, 3) · rad² of an up that came from a vanishing point, by the focal length's uncertainty."""
    # (x, y, z) of a vanishing point scale as (x, y, f): d up = z (ẑ − z up) d ln f
    step = up_c[2] * (np.array([0.0, 0.0, 1.0]) - up_c[2] * up_c) * log_sd
    return np.outer(step, step)


def _fuse(person: tuple[Floats, Floats], lines: tuple[Floats, Floats]) -> tuple[Floats, Floats]:
    """Combine two directions with covariances on the sphere.

    Lines were looked for with the person in mind. Where the two still differ by more than two standard
    deviations, the person is trusted less, in proportion (postures have outliers), and the spread grows by the
    same factor (Birge's ratio).
    """
    basis = np.linalg.svd(lines[0][None, :])[2][1:]  # (2, 3), tangent at the lines' answer
    gap = basis @ (person[0] / (person[0] @ lines[0]))
    cp, cl = basis @ person[1] @ basis.T, basis @ lines[1] @ basis.T
    far = max(1.0, float(gap @ np.linalg.solve(cp + cl, gap)) / 4.0)
    gain = cl @ np.linalg.inv(far * cp + cl)
    up = lines[0] + (gain @ gap) @ basis
    return up / np.linalg.norm(up), far * basis.T @ (cl - gain @ cl) @ basis


def _sd(covariance: Floats) -> float:
    """Root mean square angle, degrees."""
    return float(np.degrees(np.sqrt(np.trace(covariance))))
