"""Which clips a pre-training sees: the embedded movements, the same in pictures, corpora on disk, or several of these."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imusim.errors import QualityWarning
from mujo.corpus import Clip
from mujo.errors import DatasetError

EMBEDDED, RENDERED = "embedded", "rendered"
MOST_FORCE = 300.0
"""m/s²; twice what wearable accelerometers measure. More is a flaw of the motion."""


def read_clips(
    names: Sequence[str],
    *,
    placements: Sequence[str] = (),
    per_movement: int = 40,
    exclude_labels: Sequence[str] = (),
    seed: int = 0,
) -> list[Clip]:
    """Read the clips of one or more corpora.

    Parameters
    ----------
    names : "embedded" (made now, from the movements in the package), "rendered" (the same, shown to a camera), or folders
        of `mujo corpus build`
    placements : sensors that the clips made now get
    per_movement : embedded clips a movement; rendered ones, which take far longer, are a quarter as many
    exclude_labels : movements that are left out
    seed : of the clips made now; both kinds have the same people, and the same of them are held out

    Raises
    ------
    DatasetError
        If no clip is found.
    """
    clips: list[Clip] = []
    for name in names:
        if name == EMBEDDED:
            from mujo.corpus import embedded

            more = embedded.clips(
                seed=seed,
                per_movement=per_movement,
                placements=tuple(placements),
                rate_hz=50.0,
                exclude_labels=tuple(exclude_labels),
            )
        elif name == RENDERED:
            more = _rendered(placements, max(1, per_movement // 4), exclude_labels, seed)
        else:
            from mujo import corpus

            more = corpus.open(Path(name)).where(exclude_labels=tuple(exclude_labels))
        clips.extend(more)
    if not clips:
        raise DatasetError(f"the corpus {', '.join(names)} has no clip")
    fine = [c for c in clips if plausible(c)]
    if len(fine) < len(clips):
        said = (
            f"{len(clips) - len(fine)} of {len(clips)} clips have forces above {MOST_FORCE:g} m/s²: left out"
        )
        warnings.warn(QualityWarning(said), stacklevel=2)
    if not fine:
        raise DatasetError(
            f"the corpus {', '.join(names)} has no clip without forces above {MOST_FORCE:g} m/s²"
        )
    return [with_text_features(c) for c in fine]


def _rendered(
    placements: Sequence[str], per_movement: int, exclude_labels: Sequence[str], seed: int
) -> Iterator[Clip]:
    from tqdm import tqdm

    from mujo.corpus import rendering
    from mujo.corpus.features import find_image

    image = find_image("efficientnet-lite0")
    assert image is not None
    made = rendering.clips(
        image,
        seed=seed,
        per_movement=per_movement,
        placements=tuple(placements),
        rate_hz=50.0,
        exclude_labels=tuple(exclude_labels),
    )
    return iter(tqdm(made, desc="render", unit="clip", disable=None))


def plausible(clip: Clip) -> bool:
    """Whether no specific force is beyond what a body takes on the wrist, chest or hip without harm."""
    return float(np.nanmax(np.abs(clip.imu[..., :3]), initial=0.0)) <= MOST_FORCE


def with_text_features(clip: Clip) -> Clip:
    """The clip with frozen features of its sentences, if it has sentences and no features yet."""
    if not clip.text or clip.text_features is not None:
        return clip
    return replace(clip, text_features=np.stack([sentence_features((s,))[0] for s in clip.text]))


@cache
def sentence_features(sentences: tuple[str, ...]) -> NDArray[np.float32]:
    """Frozen features (P, D) of P sentences: MiniLM, fetched once."""
    return _text_encoder()(list(sentences))


@cache
def _text_encoder() -> Any:
    from mujo.corpus.features import find_text

    return find_text("minilm")
