"""Soft silhouettes of meshes seen from `imusim.viz.render` cameras.

A pixel's value is ``1 − Π_f (1 − sigmoid(−d_f |d_f| / σ))`` over the faces near it, d_f its signed distance from face
f in the picture: Liu et al., "Soft rasterizer: a differentiable renderer for image-based 3D reasoning", ICCV 2019.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from imusim.viz.render import Camera
from mujo.errors import ConfigError
from mujo.render.meshes import pytorch3d_part

if TYPE_CHECKING:
    from pytorch3d.renderer import PerspectiveCameras
    from pytorch3d.structures import Meshes

_FLIP = np.array([-1.0, -1.0, 1.0])  # PyTorch3D: x left, y up, z away; ours: x right, y down, z away
_TINY = 1e-4  # a face counts as far as it would give a pixel this much


class Silhouettes:
    """Draws meshes as soft masks, one camera a mesh; differentiable by the vertices.

    Parameters
    ----------
    cameras : N cameras of one picture size, or one for all meshes

    Other Parameters
    ----------------
    blur_px : σ = blur_px² (in pixels²): how soft the edge is. 0: hard, and nothing to differentiate
    faces_per_pixel : nearest faces that are looked at; too few leave holes where many small faces lie in a pixel
    device : where the picture is drawn

    Raises
    ------
    ConfigError
        If the sizes of the cameras differ, or a number is not positive.
    MissingPyTorch3D
        If PyTorch3D is not installed.
    """

    def __init__(
        self,
        cameras: Camera | Sequence[Camera],
        *,
        blur_px: float = 0.7,
        faces_per_pixel: int = 32,
        device: torch.device | str = "cpu",
    ) -> None:
        several = [cameras] if isinstance(cameras, Camera) else list(cameras)
        if len({c.size_px for c in several}) != 1:
            raise ConfigError("cameras must be one or more, all with the same picture size")
        if not (blur_px >= 0 and faces_per_pixel >= 1):
            raise ConfigError(
                f"blur_px={blur_px}, faces_per_pixel={faces_per_pixel}: wanted 0 or more, 1 or more"
            )
        self._cameras, self._device = several, device
        self._size = several[0].size_px
        self.blur_px, self._faces_per_pixel = float(blur_px), int(faces_per_pixel)

    def __call__(self, meshes: Meshes) -> Tensor:
        """Return masks (N, H, W), 0 … 1, of N meshes in world axes."""
        renderer = pytorch3d_part("renderer")
        width, height = self._size
        count = len(meshes)
        if len(self._cameras) not in (1, count):
            raise ConfigError(f"{len(self._cameras)} cameras for {count} meshes: wanted as many, or one")
        # distances are in units in which the shorter side is 2
        sigma = (self.blur_px * 2.0 / min(width, height)) ** 2
        settings = renderer.RasterizationSettings(
            image_size=(height, width),
            blur_radius=float(np.log(1.0 / _TINY - 1.0) * sigma),
            faces_per_pixel=self._faces_per_pixel if self.blur_px else 1,
            perspective_correct=False,
            bin_size=None,
        )
        cameras = torch3d_cameras(self._cameras * (count if len(self._cameras) == 1 else 1), self._device)
        fragments = renderer.MeshRasterizer(cameras=cameras, raster_settings=settings)(meshes)
        if not self.blur_px:
            return (fragments.pix_to_face[..., 0] >= 0).to(fragments.dists.dtype)
        blend = renderer.BlendParams(sigma=sigma)
        return renderer.SoftSilhouetteShader(blend_params=blend)(fragments, meshes)[..., 3]


def torch3d_cameras(cameras: Sequence[Camera], device: torch.device | str = "cpu") -> PerspectiveCameras:
    """Return N cameras as PyTorch3D's: the same pixels for the same points of the world."""
    renderer = pytorch3d_part("renderer")

    def tensor(rows: list[np.ndarray]) -> Tensor:
        return torch.as_tensor(np.stack(rows), dtype=torch.float32, device=device)

    return renderer.PerspectiveCameras(
        focal_length=tensor([np.array([c.focal_px, c.focal_px]) for c in cameras]),
        principal_point=tensor([np.array(c.centre_px) for c in cameras]),
        R=tensor([c.R_cw.T * _FLIP for c in cameras]),  # row vectors: x_cam = x_world R + T
        T=tensor([c.t_c_m * _FLIP for c in cameras]),
        image_size=tensor([np.array(c.size_px[::-1]) for c in cameras]),
        in_ndc=False,
        device=device,
    )


def coarser(camera: Camera, block_px: int) -> Camera:
    """Return a camera with the same view whose pixels are blocks of so many; what is left over at the end is cut off."""
    width, height = camera.size_px
    assert camera.centre_px is not None
    return Camera(
        (width // block_px, height // block_px),
        camera.focal_px / block_px,
        camera.R_cw,
        camera.t_c_m,
        (camera.centre_px[0] / block_px, camera.centre_px[1] / block_px),
    )
