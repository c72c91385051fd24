"""`fit`: the way from a PoseTrack to a Motion, one step a file."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import numpy as np

from imusim import rotation
from imusim.errors import ConfigError, QualityWarning
from imusim.fitting import (
    contact,
    exchanged,
    gravity_floor,
    initial,
    landmarks,
    level,
    noise,
    pieces,
    process,
    root,
    shape,
    steady,
    trust,
    world,
)
from imusim.fitting import refine as refinement
from imusim.fitting.focal import Focal, find_focal
from imusim.fitting.gravity import UpEstimate, estimate_up
from imusim.fitting.skeleton import Skeleton, build_skeleton
from imusim.types import Body, Floats, Motion, PoseTrack

_FLIPPED_TRUST = 1e-3
_OUTSIDE = 0.4  # as if it were so visible: trusted by 0.03
_VISIBILITY_POWER = 4  # from full to half visibility landmarks jump three times as far from frame to frame


def fit(
    track: PoseTrack,
    body: Body | None = None,
    height_m: float | None = None,
    *,
    camera_tilt_deg: float | tuple[float, float] | None = None,
    focal_px: float | None = None,
    max_gap_s: float = 0.5,
    refine: bool = True,
    progress: bool = True,
    terms: refinement.Terms | None = None,
) -> Motion:
    """Fit a body to the landmarks of a video: what it did, in metres, in a world with z up.

    Parameters
    ----------
    track : landmarks of one person, from `im.estimate_pose`
    body : body with SMPL's joints; the open body if not given
    height_m : the person's height; worth giving: everything scales with it. Else an adult's is estimated

    Other Parameters
    ----------------
    camera_tilt_deg : how far the camera looks down, degrees (or with its roll), if known; else estimated
    focal_px : focal length in pixels, if known; else the track's, else assumed (and said so)
    max_gap_s : gaps up to this long are bridged; longer ones are marked not valid and divide the motion
    refine : refine over the whole clip; without it the closed-form pose of each frame stands alone
    progress : show a bar where it takes long
    terms : which parts of the model act (`imusim.fitting.refine.Terms`): to see what each is worth; all if not given

    Returns
    -------
    Motion
        World frame: floor at z = 0, heading of the camera (of a shot's first frame, if it turns), the person starts at
        x = y = 0. ``metadata`` says what was assumed: ``camera``, ``height``, ``gravity``, ``residual``, ``gaps``,
        ``switches``.

    Raises
    ------
    NoPersonError
        If no person was found, or never for five frames together.
    UnitError, ConfigError
        If the height or the focal length cannot be meant.
    ShapeError
        If the body or the track lacks joints or landmarks that are needed.

    Warns
    -----
    QualityWarning
        If the focal length was assumed, the person changed or was away for long.
    """
    height = shape.check_height(height_m)
    focal = find_focal(track, focal_px)
    if not max_gap_s >= 0.0:
        raise ConfigError(f"max_gap_s={max_gap_s!r}; wanted seconds, zero or more")
    if body is None:
        from imusim.body import open_body

        body = open_body()
    found = pieces.find_pieces(track, max_gap_s)
    marks3, px, visibility = landmarks.in_order(track)
    marks3, px, visibility = exchanged.mend(track.time_s, marks3, px, visibility, found.seen)
    centre = 0.5 * np.asarray(track.image_size_px, dtype=np.float64)
    marks3 = landmarks.in_camera_axes(marks3, px, focal.px, centre)
    shown = _shown(track, px, visibility)
    belief = _belief(track, shown, found.seen)
    turned = steady.turns(track.metadata, track.time_s.size)
    if turned is not None:
        px = steady.turned_px(px, turned[0], centre, turned[1])
        marks3 = np.einsum("tab,tnb->tna", turned[0], marks3)
        track = replace(
            track, landmarks_px=steady.turned_px(track.landmarks_px, turned[0], centre, turned[1])
        )
    body_marks = landmarks.body_marks(body)
    lengths = shape.bone_lengths(marks3[found.seen], belief[found.seen])
    shape_fit = shape.fit_shape(body, body_marks, lengths, height)
    skeleton = build_skeleton(body, shape_fit.shape, body_marks)
    stretched = shape.stretch(marks3, lengths, skeleton.marks)

    fits = []
    with _bar(sum(last - first for first, last in found.pieces), progress) as bar:
        for first, last in found.pieces:
            part = slice(first, last)
            fits.append(
                _fit_piece(
                    skeleton,
                    track,
                    part,
                    stretched[part],
                    px[part],
                    belief[part],
                    found.seen[part],
                    focal,
                    centre,
                    refine,
                    camera_tilt_deg,
                    bar,
                    terms or refinement.Terms(),
                )
            )
    motion = _assemble(
        track, body, skeleton, shape_fit.shape, found, fits, focal, centre, shown, camera_tilt_deg,
        {
            "camera": {
                "focal_px": focal.px,
                "focal_source": focal.source,
                "focal_log_sd": focal.log_sd,
                "centre_px": centre.tolist(),
                "pose": {},
            },
            "height": {
                "height_m": shape_fit.height_m,
                "sd_m": shape_fit.height_sd_m,
                "source": "estimated" if height is None else "given",
            },
            "scale": shape_fit.scale,
            "refined": refine,
        },
    )  # fmt: skip
    _warn(found, focal)
    return motion


def _shown(track: PoseTrack, px: Floats, visibility: Floats) -> Floats:
    """Visibility (T, 33), 0 … 1, of landmarks; next to none outside the picture, where the estimator only guesses."""
    width, height = track.image_size_px
    with np.errstate(invalid="ignore"):
        inside = (px[..., 0] >= 0) & (px[..., 0] <= width) & (px[..., 1] >= 0) & (px[..., 1] <= height)
    return np.where(inside, 1.0, _OUTSIDE) * np.clip(visibility, 0.0, 1.0)


def _belief(track: PoseTrack, shown: Floats, seen: np.ndarray) -> Floats:
    """How far each landmark is believed, (T, 33), 0 … 1: visibility⁴ × quality of the frame."""
    believed = shown**_VISIBILITY_POWER * track.quality[:, None]
    return np.where(seen[:, None], np.nan_to_num(believed), 0.0)


def _bar(total: int, progress: bool) -> Any:
    from tqdm import tqdm

    return tqdm(
        total=total, desc="fit", unit="frame", disable=None if progress else True, delay=2.0, leave=False
    )


def _fit_piece(
    skeleton: Skeleton,
    track: PoseTrack,
    part: slice,
    marks3: Floats,
    px: Floats,
    belief: Floats,
    seen: np.ndarray,
    focal: Focal,
    centre: Floats,
    refined: bool,
    camera_tilt_deg: float | tuple[float, float] | None,
    bar: Any,
    terms: refinement.Terms,
) -> tuple[refinement.State, refinement.Posterior]:
    """State and posterior of one piece; frames not `seen` are bridged."""
    time_s = track.time_s[part]
    marks3 = initial.fill_values(time_s, marks3, seen)
    px = initial.fill_values(time_s, px, seen)
    flipped = initial.flipped_frames(time_s, initial.pelvis_turn(marks3))
    good = seen & ~flipped
    if not good.any():
        good, flipped = seen, np.zeros_like(seen)
    belief = np.where(flipped[:, None], _FLIPPED_TRUST * belief, belief)
    start = initial.unhidden(time_s, initial.fill_values(time_s, marks3, good), belief)
    if refined:
        balls, angles = initial.mend(
            time_s, *initial.initial_pose(skeleton, initial.calmed(time_s, start), time_s)
        )
    else:
        balls, angles = initial.initial_pose(skeleton, start)
    state = refinement.State(np.zeros((time_s.size, 3)), balls, angles)
    points = refinement.pose(skeleton, state)[2]
    where = root.root_translation(points, px, belief + 1e-6, focal.px, centre)
    far = np.clip(where[:, 2], 0.3, None)
    depth = np.clip(root.smooth_depth(time_s, far, good.astype(np.float64)), 0.3, None)
    state.root[:] = where * (depth / where[:, 2])[:, None]
    what = noise.observe(time_s, marks3, px, belief, depth, focal.px, centre, terms.image)
    standing = contact.standing_feet(time_s, px, belief, depth, focal.px)
    state, posterior = refinement.refine(
        skeleton, what, standing, belief, state, refined, done=bar.update, terms=terms
    )
    if not (refined and terms.contact):
        return state, posterior
    floor = level.find_level(track, part, skeleton, state, posterior, focal, camera_tilt_deg)
    if floor is None:
        return state, posterior
    return refinement.refine(skeleton, what, standing, belief, state, floor=floor, terms=terms)


def _assemble(
    track: PoseTrack,
    body: Body,
    skeleton: Skeleton,
    beta: Floats,
    found: pieces.Pieces,
    fits: list[tuple[refinement.State, refinement.Posterior]],
    focal: Focal,
    centre: Floats,
    visibility: Floats,
    camera_tilt_deg: float | tuple[float, float] | None,
    assumed: dict[str, Any],
) -> Motion:
    """Put the pieces into the world, shot by shot, and into one Motion."""
    count, joints = track.time_s.size, len(skeleton.joint_names)
    root_w = np.full((count, 3), np.nan)
    quats = np.full((count, joints, 4), np.nan)
    sd = np.full((count, joints), np.nan)
    root_sd = np.full((count, 3), np.nan)
    sure = np.zeros((count, joints))
    valid = np.zeros(count, dtype=np.bool_)
    shot = np.zeros(count, dtype=np.int64)
    rot_c = np.full((count, joints, 3, 3), np.nan)
    joints_c = np.full((count, joints, 3), np.nan)
    marks_c = np.full((count, len(landmarks.NAMES), 3), np.nan)
    resting = np.zeros((count, len(landmarks.CONTACTS)))
    for number, ((first, last), (state, posterior)) in enumerate(zip(found.pieces, fits, strict=True)):
        rot_c[first:last], joints_c[first:last], marks_c[first:last] = refinement.pose(skeleton, state)
        resting[first:last] = posterior.resting
        valid[first:last] = True
        shot[first:] = number

    ups: list[dict[str, Any]] = []
    poses = assumed["camera"]["pose"]
    up_sd = 0.0
    for camera_shot in np.unique([track.shot[first] for first, _ in found.pieces]):
        frames = valid & (track.shot == camera_shot)
        at_rest = gravity_floor.rest_points(marks_c[frames], resting[frames], track.time_s[frames])
        up: UpEstimate = estimate_up(
            track, joints_c, skeleton.joint_names, frames, focal.px, camera_tilt_deg, focal.log_sd, at_rest
        )
        up_sd = max(up_sd, up.sd_deg)
        ups.append(
            {"method": up.method, "sd_deg": up.sd_deg, "up_c": np.asarray(up.up_c).tolist(), **up.details}
        )
        pose = world.place(
            skeleton, up.up_c, joints_c[frames, 0], rot_c[frames], marks_c[frames], resting[frames], found.seen[frames]
        )  # fmt: skip
        for number, (first, last) in enumerate(found.pieces):
            if track.shot[first] != camera_shot:
                continue
            part = slice(first, last)
            posterior = fits[number][1]
            poses[str(number)] = {"R_wc": pose.R_wc.tolist(), "position_w_m": pose.position_w.tolist()}
            root_w[part] = joints_c[part, 0] @ pose.R_wc.T + pose.position_w
            quats[part] = _local_quaternions(body, rot_c[part], pose.R_wc)
            root_sd[part] = trust.root_sd(posterior, joints_c[part, 0, 2], pose.R_wc)
            seen = found.seen[part]
            filled = initial.fill_values(track.time_s[part], visibility[part], seen)
            sd[part] = trust.rotation_sd(skeleton, posterior, filled)
            sure[part] = trust.confidence(skeleton, sd[part], filled, track.quality[part], seen)
    speed = np.concatenate([posterior.process for _, posterior in fits])
    bandwidth = process.bandwidth_hz(np.median(speed, axis=0), float(np.median(np.diff(track.time_s))))
    residual = _residuals(track, marks_c, found.seen & valid, focal.px, centre)
    metadata = {
        **track.metadata,
        **assumed,
        "gravity": ups,
        "residual": residual,
        "process": dict(zip(process.GROUPS, np.median(speed, axis=0).tolist(), strict=True)),
        "gaps": {"bridged": found.gaps_bridged, "cut": found.gaps_cut, "pieces_dropped": found.dropped},
        "switches": found.switches,
    }
    return Motion(
        track.time_s, root_w, quats, body, shape=beta, shot=shot, valid=valid, confidence=sure,
        rotation_sd_rad=sd, root_sd_m=root_sd, up_sd_deg=up_sd,
        bandwidth_hz=bandwidth if assumed["refined"] else None, metadata=metadata,
    )  # fmt: skip


def _local_quaternions(body: Body, rot_c: Floats, axes: Floats) -> Floats:
    """Sign-continuous joint rotations (T, J, 4) from rotations (T, J, 3, 3) to camera axes; the root's to the world."""
    local = np.empty_like(rot_c)
    for j, k in enumerate(body.parents):
        local[:, j] = axes @ rot_c[:, j] if k < 0 else np.swapaxes(rot_c[:, k], 1, 2) @ rot_c[:, j]
    return rotation.sign_continuous(rotation.from_matrix(local))


def _residuals(
    track: PoseTrack, marks_c: Floats, frames: np.ndarray, focal: float, centre: Floats
) -> dict[str, float]:
    """Root mean square distance per axis of fitted and seen landmarks in the picture, weighted by visibility."""
    _, px, visibility = landmarks.in_order(track)
    p = marks_c[frames]
    off = focal * p[..., :2] / p[..., 2:] + centre - px[frames]
    weight = np.clip(visibility[frames], 0.0, 1.0) ** 2 / landmarks.SD_FACTOR**2
    total = 2.0 * weight.sum()
    per_m = p[..., 2:] / focal
    return {
        "rms_px": float(np.sqrt((weight[..., None] * off**2).sum() / total)),
        "rms_mm": float(1e3 * np.sqrt((weight[..., None] * (off * per_m) ** 2).sum() / total)),
    }


def _warn(found: pieces.Pieces, focal: Focal) -> None:
    if focal.source == "assumed":
        warnings.warn(
            f"focal length not known; assumed {focal.px:.0f} px ± {focal.log_sd:.0%}. Distance from the camera scales "
            "with it (little else does). Give focal_px if you know it.",
            QualityWarning,
            stacklevel=3,
        )
    if found.switches:
        warnings.warn(
            f"the track seems to jump to another person {found.switches} time(s); those frames are not joined. "
            'Choose the person with person="x,y,w,h".',
            QualityWarning,
            stacklevel=3,
        )
    if found.gaps_cut or found.dropped:
        warnings.warn(
            f"the person was away too long to bridge {found.gaps_cut} time(s), {found.dropped} short part(s) were "
            "dropped; these frames are marked not valid.",
            QualityWarning,
            stacklevel=3,
        )
