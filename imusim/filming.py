"""From what a command is given, a folder or a motion file, to a film or an animated mesh of it."""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from imusim.errors import ConfigError, MotionFileError, QualityWarning
from imusim.types import Body, Motion, Placement


@dataclass(frozen=True)
class Shown:
    """What a film is made of.

    Parameters
    ----------
    motion : the motion
    placements : the sensors on it
    axes : which of a placement's axes the sensors have: "segment" or "device"
    video : the video that the motion was fitted to, if it was found
    """

    motion: Motion
    placements: list[Placement]
    axes: str
    video: Path | None


def find_shown(
    source: Path | str,
    *,
    placements: str | Sequence[str | Placement] | None = None,
    video: Path | str | None = None,
    body: Body | None = None,
) -> Shown:
    """Find motion, sensors and video.

    Parameters
    ----------
    source : a folder that `imusim simulate` wrote, or a motion file

    Other Parameters
    ----------------
    placements : what to put on the body; None: the sensors of the folder's recording, else the FiMAD places
    video : the video that the motion came from; None: looked for in the folder, beside it, and where the command runs
    body : body model, if the motion was not saved with the open body

    Raises
    ------
    ConfigError
        If the folder holds no motion.
    MotionFileError, UnknownNameError
        If a file is damaged; on unknown placements.

    Warns
    -----
    QualityWarning
        If the motion was made from a video that cannot be found.
    """
    from imusim.motion_io import read_motion
    from imusim.placement import resolve

    source = Path(source)
    path = source / "motion.npz" if source.is_dir() else source
    if source.is_dir() and not path.is_file():
        raise ConfigError(
            f"{source} holds no motion.npz. Give a folder that imusim simulate wrote, or a motion file."
        )
    motion = read_motion(path, body=body)
    sidecar = path.with_name("imu.json")
    axes = "segment"
    chosen: list[Placement] | None = None if placements is None else resolve(placements)
    if chosen is None and sidecar.is_file():
        chosen, axes = read_sensors(sidecar)
    return Shown(
        motion,
        resolve("fimad") if chosen is None else chosen,
        axes,
        _video(path, motion) if video is None else _given(video),
    )


def film_file(
    source: Path | str,
    out: Path | str | None = None,
    *,
    placements: str | Sequence[str | Placement] | None = None,
    video: Path | str | None = None,
    body: Path | str | None = None,
    view: str | None = None,
    fps: float | None = None,
    height_px: int = 480,
    progress: bool = True,
) -> tuple[Path, int]:
    """Write a film of a folder's or file's motion; see `find_shown` and `imusim.viz.render.film.film`.

    Returns
    -------
    path, frames
        The file, ``body.mp4`` in the folder (or ``<name>.mp4`` beside the motion file) unless `out` is given, and
        its number of frames.
    """
    from imusim.body import load_body
    from imusim.placement import attach
    from imusim.viz.render.film import film

    source = Path(source)
    shown = find_shown(
        source, placements=placements, video=video, body=None if body is None else load_body(body)
    )
    default = source / "body.mp4" if source.is_dir() else source.with_suffix(".mp4")
    path = default if out is None else Path(out)
    if path.resolve() in {source.resolve(), shown.video and shown.video.resolve()}:
        raise ConfigError(f"{path} is the input. Give another name with --out.")
    motion = shown.motion
    sites = attach(motion.body, motion.shape, shown.placements, shown.axes)
    frames = film(
        path,
        motion,
        sites,
        video=shown.video,
        view=view,
        fps=fps,
        height_px=height_px,
        progress=progress,
    )
    return path, frames


def export_file(
    source: Path | str,
    out: Path | str | None = None,
    *,
    format: str = "glb",
    fps: float | None = None,
    body: Path | str | None = None,
    progress: bool = True,
) -> Path:
    """Write a motion file's (or folder's) motion as an animated ``.glb`` or as a folder of ``.obj`` frames.

    Returns
    -------
    Path
        The file or folder; beside the motion unless `out` is given.

    Raises
    ------
    ConfigError, MotionFileError, OutputError
        On an unknown format, a motion that cannot be read or shown, an output that cannot be written.
    """
    from imusim.body import SkinnedBody, load_body
    from imusim.export.gltf import save_glb
    from imusim.export.obj import save_obj
    from imusim.motion_io import read_motion
    from imusim.viz.render.clothes import clothed

    source = Path(source)
    path = source / "motion.npz" if source.is_dir() else source
    if format not in ("glb", "obj"):
        raise ConfigError(f"format {format!r}, wanted glb or obj")
    motion = read_motion(path, body=None if body is None else load_body(body))
    if format == "glb":
        target = path.with_suffix(".glb") if out is None else Path(out)
        return save_glb(
            target, motion, clothed(motion.body) if isinstance(motion.body, SkinnedBody) else None
        )
    folder = path.with_name(path.stem + "_obj") if out is None else Path(out)
    save_obj(folder, motion, fps=fps, progress=progress)
    return folder


def read_sensors(sidecar: Path) -> tuple[list[Placement] | None, str]:
    """Read the placements and their axes ("segment" or "device") out of a recording's JSON; None if it names none.

    Raises
    ------
    MotionFileError
        If it is no such file.
    """
    from imusim.placement import SkinPoint

    try:
        about = json.loads(sidecar.read_text(encoding="utf-8"))["metadata"]
        if "placements" not in about:
            return None, "segment"
        out = []
        for entry in about["placements"]:
            kind = SkinPoint if "axes_given" in entry else Placement
            known = {f.name for f in fields(kind)}
            out.append(kind(**{k: _tuples(v) for k, v in entry.items() if k in known}))
        return out, "segment" if about.get("axes", "segment") == "segment" else "device"
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise MotionFileError(f"{sidecar} is damaged or not a recording's description: {error}") from None


def _tuples(value: Any) -> Any:
    return tuple(_tuples(v) for v in value) if isinstance(value, list) else value


def _given(video: Path | str) -> Path:
    path = Path(video)
    if not path.is_file():
        raise ConfigError(f"no such video: {path}")
    return path


def _video(path: Path, motion: Motion) -> Path | None:
    """The video that a motion says it came from: in its folder, up to two above (`--people all`), or the working one."""
    name = motion.metadata.get("video")
    if not name:
        return None
    name = Path(str(name)).name
    for folder in (path.parent, path.parent.parent, path.parent.parent.parent, Path()):
        if (folder / name).is_file():
            return folder / name
    warnings.warn(
        QualityWarning(
            f"{name}, from which this motion was made, is not here: the body is shown alone. Give --video."
        ),
        stacklevel=3,
    )
    return None
