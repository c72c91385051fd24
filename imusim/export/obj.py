"""A motion as a folder of Wavefront OBJ files, one a frame."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from imusim.atomic import written_together
from imusim.body import SkinnedBody
from imusim.errors import ConfigError
from imusim.types import Motion


def save_obj(
    folder: Path | str, motion: Motion, *, fps: float | None = None, progress: bool = False
) -> tuple[Path, ...]:
    """Write the skin of every valid frame as ``frame_<number>.obj``, metres, world axes (z up); all appear together.

    Parameters
    ----------
    folder : where the files go; made if it is not there
    motion : of a body with a skin

    Other Parameters
    ----------------
    fps : no more than this many frames a second (the first at or after each multiple of 1/fps); None: every frame
    progress : whether to show a progress bar on a terminal

    Raises
    ------
    ConfigError
        If the body has no skin, no frame is valid, or fps is not positive.
    OutputError
        If a file cannot be written; none is left then.
    """
    from tqdm import tqdm
    from trimesh import Trimesh
    from trimesh.exchange.obj import export_obj

    body = motion.body
    if not isinstance(body, SkinnedBody):
        raise ConfigError(
            f"{body.name} has no skin to write as a mesh. Export it as .glb, or fit a body to it."
        )
    if fps is not None and not fps > 0:
        raise ConfigError(f"fps={fps:g}, wanted a positive number of frames a second")
    chosen = np.flatnonzero(motion.valid)
    if fps is not None and chosen.size:
        due = np.floor((motion.time_s - motion.time_s[0]) * fps + 1e-6)[chosen]
        chosen = chosen[np.concatenate([[True], np.diff(due) > 0])]
    if chosen.size == 0:
        raise ConfigError("this motion has no valid frame: there is nothing to export")
    paths = tuple(Path(folder) / f"frame_{i:06d}.obj" for i in chosen)
    shape = motion.shape if motion.shape.size else None
    with written_together(*paths) as temporary:
        frames = zip(chosen, temporary, strict=True)
        for i, path in tqdm(
            frames, total=len(paths), desc="obj", unit="frame", disable=None if progress else True
        ):
            posed = body.pose(motion.root_position_m[i], motion.joint_rotation_wxyz[i], shape)
            assert posed.vertices is not None
            mesh = Trimesh(posed.vertices[0], body.faces, process=False)
            path.write_text(export_obj(mesh, include_normals=False, digits=6, header=""), encoding="ascii")
    return paths
