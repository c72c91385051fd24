"""The parallel corpus: clips with video features, text, pose and simulated IMU, on one clock.

>>> import mujo
>>> from mujo.corpus import embedded
>>> corpus = mujo.corpus.write(embedded.clips(seed=0, per_movement=2), "corpus/")  # doctest: +SKIP
>>> for clip in mujo.corpus.open("corpus/").where(split="train"):                  # doctest: +SKIP
...     clip.imu.shape, clip.text
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

_LAZY = {
    "Clip": ("mujo.corpus.clip", "Clip"),
    "Corpus": ("mujo.corpus.shards", "Corpus"),
    "build": ("mujo.corpus.building", "build"),
    "open": ("mujo.corpus.shards", "open_corpus"),
    "write": ("mujo.corpus.shards", "write"),
}

__all__ = ["Clip", "Corpus", "build", "open", "write"]

if TYPE_CHECKING:
    from mujo.corpus.building import build
    from mujo.corpus.clip import Clip
    from mujo.corpus.shards import Corpus, write
    from mujo.corpus.shards import open_corpus as open


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'mujo.corpus' has no attribute {name!r}")
    module, attribute = _LAZY[name]
    return getattr(importlib.import_module(module), attribute)
