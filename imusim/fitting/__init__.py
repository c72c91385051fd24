"""From a person's landmarks to a body's motion: shape, first pose, distance, refinement, world; and from body to body."""

from __future__ import annotations

from typing import Any

from imusim.fitting.project import joints_px
from imusim.types import Body, Motion, PoseTrack

__all__ = ["fit", "joints_px"]


def fit(
    track: PoseTrack | Motion, body: Body | None = None, height_m: float | None = None, **options: Any
) -> Motion:
    """Fit a body to what is known of a movement, in metres, in a world with z up.

    Parameters
    ----------
    track : landmarks of one person, from `im.estimate_pose`; or a Motion on any skeleton, from `im.read_motion`, which is
        moved on to the body joint by joint
    body : body with SMPL's joints; the open body if not given
    height_m : the person's height; worth giving for landmarks: everything scales with it

    Other Parameters
    ----------------
    options : for landmarks only, see `imusim.fitting.pipeline.fit`: camera_tilt_deg, focal_px, max_gap_s, refine, progress

    Returns
    -------
    Motion
        ``metadata`` says what was assumed.

    Raises
    ------
    NoPersonError
        If no person was found, or never for five frames together.
    UnitError, ConfigError
        If the height or the focal length cannot be meant, or an option is for landmarks only.
    ShapeError
        If the body or the source lacks joints or landmarks that are needed.
    """
    if isinstance(track, Motion):
        from imusim.errors import ConfigError
        from imusim.fitting.retarget import retarget

        said = sorted(set(options) - {"progress"})
        if said:
            raise ConfigError(f"{', '.join(said)}: for landmarks of a video only, this is a Motion")
        return retarget(track, body, height_m)
    from imusim.fitting.pipeline import fit as fit_track

    return fit_track(track, body, height_m, **options)
