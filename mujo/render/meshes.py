"""A motion as PyTorch3D meshes."""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from imusim.types import Motion
from mujo.errors import ConfigError, MissingPyTorch3D
from mujo.render.skin import Skin, quaternion_matrix

if TYPE_CHECKING:
    from pytorch3d.structures import Meshes


def pytorch3d_part(name: str) -> ModuleType:
    """Import ``pytorch3d.<name>``.

    Raises
    ------
    MissingPyTorch3D
        If PyTorch3D is not there, or was built for another PyTorch.
    """
    import importlib

    try:
        return importlib.import_module(f"pytorch3d.{name}")
    except ImportError as error:
        raise MissingPyTorch3D(str(error)) from None


def motion_meshes(
    motion: Motion,
    frames: ArrayLike | None = None,
    *,
    faces: int | None = None,
    device: torch.device | str = "cpu",
) -> Meshes:
    """Return the skin in some frames of a motion as one batch of meshes, world axes (z up), metres.

    Parameters
    ----------
    motion : of a body with a skin
    frames : N frame numbers; None: every valid frame. All are held in memory: 12 bytes a vertex

    Other Parameters
    ----------------
    faces : no more than this many triangles (see `Skin`); None: all
    device : where the meshes go

    Returns
    -------
    pytorch3d.structures.Meshes
        N meshes with the same faces.

    Raises
    ------
    ConfigError
        If the body has no skin, a frame does not exist or is not valid, or none is left.
    MissingPyTorch3D
        If PyTorch3D is not installed.
    """
    structures = pytorch3d_part("structures")
    chosen = valid_frames(motion, frames)
    skin = Skin(motion.body, faces=faces, device=device)

    def tensor(a: np.ndarray) -> torch.Tensor:
        return torch.as_tensor(np.ascontiguousarray(a), dtype=torch.float32, device=device)

    vertices = skin.vertices(
        tensor(motion.root_position_m[chosen]),
        quaternion_matrix(tensor(motion.joint_rotation_wxyz[chosen])),
        tensor(motion.shape),
    )
    return structures.Meshes(verts=vertices, faces=skin.faces.expand(len(chosen), -1, -1))


def valid_frames(motion: Motion, frames: ArrayLike | None) -> NDArray[np.int64]:
    """Return frame numbers (N,) after checking them; None: all that are valid.

    Raises
    ------
    ConfigError
    """
    if frames is None:
        chosen = np.flatnonzero(motion.valid)
    else:
        chosen = np.atleast_1d(np.asarray(frames))
        if chosen.ndim != 1 or chosen.dtype.kind not in "iu":
            raise ConfigError(
                f"frames must be whole numbers (N,), got {chosen.dtype} of shape {chosen.shape}"
            )
        wrong = (chosen < 0) | (chosen >= motion.time_s.size)
        if wrong.any():
            raise ConfigError(
                f"frame {int(chosen[wrong][0])} does not exist: the motion has {motion.time_s.size}"
            )
        if not motion.valid[chosen].all():
            raise ConfigError(
                f"frame {int(chosen[~motion.valid[chosen]][0])} is not valid: nobody was seen there. Leave it out."
            )
    if chosen.size == 0:
        raise ConfigError("no frame is left: this motion has no valid one, or none was asked for")
    return chosen.astype(np.int64)
