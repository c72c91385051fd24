"""Joins frozen text features to clips that have words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from mujo.corpus.clip import Clip
from mujo.corpus.features import TextFeatures


def with_words(clips: Iterable[Clip], features: TextFeatures | None) -> Iterator[Clip]:
    """Clips with the features of their phrasings; each sentence is encoded once. None leaves them as they are."""
    known: dict[str, np.ndarray] = {}
    for clip in clips:
        if features is None or not clip.text:
            yield clip
            continue
        if new := [s for s in clip.text if s not in known]:
            known.update(zip(new, features(new), strict=True))
        yield replace(clip, text_features=np.stack([known[s] for s in clip.text]))
