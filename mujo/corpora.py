"""Which clips a pre-training sees: the embedded movements, a corpus on disk, or both."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mujo.corpus import Clip
from mujo.errors import DatasetError

EMBEDDED = "embedded"


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
    names : "embedded" (made now, from the movements in the package), or folders of `mujo corpus build`
    placements : sensors that the embedded clips get
    per_movement : embedded clips a movement
    exclude_labels : movements that are left out
    seed : of the embedded clips

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
        else:
            from mujo import corpus

            more = (c for c in corpus.open(Path(name)) if c.label not in exclude_labels)
        clips.extend(more)
    if not clips:
        raise DatasetError(f"the corpus {', '.join(names)} has no clip")
    return clips
