"""The joint space: an encoder and a projection for every modality, and their file."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from mujo.checkpoint import fill, read_tensors, write_tensors
from mujo.encoders import Encoder, build
from mujo.encoders.modalities import PoseEncoder, TextEncoder, VideoEncoder
from mujo.errors import CheckpointError

FORMAT = "mujo-joint-1"
HOTTEST = math.log(100.0)
"""Largest logarithm of one over the temperature."""


class JointModel(nn.Module):
    """Encoders and projections into one space, and the temperature of its likenesses.

    Parameters
    ----------
    encoder : name of the inertial encoder
    options : of the inertial encoder
    dimension : D of the space
    temperature : at the start; it is learnt
    text_width, pose_joints, video_width : size of the inputs; 0 leaves the modality out

    Attributes
    ----------
    imu : the inertial encoder, the part that people take away
    made_of : how it was made, for its file
    """

    def __init__(
        self,
        encoder: str = "fcn",
        options: Mapping[str, Any] | None = None,
        dimension: int = 512,
        temperature: float = 0.1,
        text_width: int = 0,
        pose_joints: int = 0,
        video_width: int = 0,
    ) -> None:
        super().__init__()
        self.made_of = {
            "encoder": encoder, "options": dict(options or {}), "dimension": dimension, "temperature": temperature,
            "text_width": text_width, "pose_joints": pose_joints, "video_width": video_width,
        }  # fmt: skip
        self.imu: Encoder = build(encoder, **self.made_of["options"])
        self.parts = nn.ModuleDict()
        if text_width:
            self.parts["text"] = TextEncoder(text_width)
        if pose_joints:
            self.parts["pose"] = PoseEncoder(pose_joints)
        if video_width:
            self.parts["video"] = VideoEncoder(video_width)
        widths = {"imu": self.imu.width} | {name: part.width for name, part in self.parts.items()}
        self.projections = nn.ModuleDict({name: _projection(w, dimension) for name, w in widths.items()})
        self.log_scale = nn.Parameter(torch.tensor(-math.log(temperature)))

    @property
    def modalities(self) -> tuple[str, ...]:
        """Names of the modalities it has."""
        return tuple(self.projections)

    @property
    def scale(self) -> Tensor:
        """One over the temperature, bounded."""
        return self.log_scale.clamp(max=HOTTEST).exp()

    def embed(self, modality: str, x: Tensor) -> Tensor:
        """Unit vectors (B, D).

        Parameters
        ----------
        modality : "imu", "text", "pose" or "video"
        x : imu (B, 8, T) as `mujo.encoders.frontend` says; text (B, D); pose (B, T, J, 3) · m; video (B, F, D)
        """
        found = self.imu(x) if modality == "imu" else self.parts[modality](x)
        return nn.functional.normalize(self.projections[modality](found), dim=1)

    def forward(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Unit vectors of every modality given."""
        return {name: self.embed(name, x) for name, x in inputs.items()}


def _projection(width: int, dimension: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(width, dimension), nn.ReLU(), nn.Linear(dimension, dimension))


def save_joint(path: Path | str, model: JointModel, card: Mapping[str, Any] | None = None) -> Path:
    """Write all parts of a joint space, whole or not at all (see `mujo.save_encoder`)."""
    header = {"format": FORMAT, "joint": model.made_of, "card": dict(card or {})}
    return write_tensors(path, model.state_dict(), header)


def load_joint(path: Path | str) -> tuple[JointModel, dict[str, Any]]:
    """Read a joint space and its card.

    Raises
    ------
    CheckpointError
        If the file is missing, damaged, of another kind, or its weights are of another configuration.
    """
    tensors, header = read_tensors(path)
    if header.get("format") != FORMAT:
        raise CheckpointError(
            f"{path} is {header.get('format', 'something else')!r}, wanted {FORMAT!r} (joint.safetensors of mujo pretrain)"
        )
    model = JointModel(**header["joint"])
    fill(model, tensors, path)
    return model, header["card"]
