"""Encoders as files: weights in safetensors, what they are in its header as JSON. Nothing is ever unpickled."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from imusim._version import __version__
from mujo.encoders import Encoder, build
from mujo.errors import CheckpointError
from mujo.files import write_whole

FORMAT = "mujo-encoder-1"


def save_encoder(path: Path | str, encoder: Encoder, card: Mapping[str, Any] | None = None) -> Path:
    """Write an encoder, whole or not at all.

    Parameters
    ----------
    path : ``.safetensors``
    encoder : built by `mujo.encoders.build`
    card : what it was trained on and how; plain values

    Raises
    ------
    CheckpointError
        If the encoder was not built by name: then nobody could build it again.
    OutputError
        If it cannot be written.
    """
    if not getattr(encoder, "made_of", None):
        raise CheckpointError(
            "this encoder was not made by mujo.encoders.build: its file could not be read again"
        )
    header = {"format": FORMAT, "version": __version__, "encoder": encoder.made_of, "card": dict(card or {})}
    return write_tensors(path, encoder.state_dict(), header)


def load_encoder(path: Path | str) -> tuple[Encoder, dict[str, Any]]:
    """Read an encoder and its card.

    Raises
    ------
    CheckpointError
        If the file is missing, damaged, of another kind, or its weights are of another configuration.
    """
    tensors, header = read_tensors(path)
    if header.get("format") != FORMAT:
        raise CheckpointError(f"{path} is {header.get('format', 'something else')!r}, wanted {FORMAT!r}")
    made = header["encoder"]
    encoder = build(made["name"], **made["options"])
    fill(encoder, tensors, path)
    return encoder, header["card"]


def fill(module: nn.Module, tensors: Mapping[str, Tensor], path: Path | str) -> None:
    """Put a file's weights into a module and set it to evaluation.

    Raises
    ------
    CheckpointError
        If the weights are of another configuration.
    """
    want = {k: tuple(v.shape) for k, v in module.state_dict().items()}
    got = {k: tuple(v.shape) for k, v in tensors.items()}
    if want != got:
        odd = sorted(k for k in want.keys() | got.keys() if want.get(k) != got.get(k))[0]
        raise CheckpointError(
            f"{path}: weights of another configuration: {odd} is {got.get(odd)}, wanted {want.get(odd)}"
        )
    module.load_state_dict(tensors)
    module.eval()


def write_tensors(path: Path | str, tensors: Mapping[str, Tensor], header: Mapping[str, Any]) -> Path:
    """Write named tensors and a JSON header to a safetensors file, atomically."""
    from safetensors.torch import save

    path = Path(path)
    data = save({k: v.detach().contiguous() for k, v in tensors.items()}, {"mujo": json.dumps(header)})
    write_whole(path, data)
    return path


def read_tensors(path: Path | str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read what `write_tensors` wrote.

    Raises
    ------
    CheckpointError
    """
    from safetensors import SafetensorError, safe_open

    path = Path(path)
    if path.suffix in (".pt", ".pth", ".pkl", ".ckpt", ".bin"):
        raise CheckpointError(
            f"{path}: files of this kind can run code when they are read: refused. Convert one that you trust: "
            'safetensors.torch.save_file(torch.load(path, weights_only=True), "encoder.safetensors")'
        )
    if not path.is_file():
        raise CheckpointError(f"{path}: no such file")
    try:
        with safe_open(path, framework="pt") as stream:
            header = json.loads((stream.metadata() or {}).get("mujo", "{}"))
            tensors: dict[str, torch.Tensor] = {k: stream.get_tensor(k) for k in stream.keys()}  # noqa: SIM118
    except (SafetensorError, json.JSONDecodeError, OSError) as error:
        raise CheckpointError(f"{path} is damaged or no safetensors file ({error})") from None
    return tensors, header
