"""What a pre-trained encoder of the results is made of, by name: the method itself, and what is left out of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from mujo.errors import unknown_name


@dataclass(frozen=True)
class Variant:
    """One way to pre-train and fine-tune.

    Parameters
    ----------
    modalities : beside the inertial signals
    gyro : whether gyroscopes are used, simulated and real
    augmented : whether simulated windows are changed at random
    matched : whether the target's placements are simulated, or all others
    aligned : whether the mounting rotation is fitted on unlabelled windows of training people
    adapted : whether normalisation statistics are taken from unlabelled windows of training people
    named : whether the target's movements are in the corpus
    own : whether unlabelled windows of training people are trained on too (two views)
    share : of the corpus that is used
    together : whether simulated windows are kept in while fine-tuning, with the classes they show
    """

    modalities: tuple[str, ...] = ("text", "pose", "video")
    gyro: bool = True
    augmented: bool = True
    matched: bool = True
    aligned: bool = True
    adapted: bool = True
    named: bool = True
    own: bool = False
    share: float = 1.0
    together: bool = False


VARIANTS = {
    "main": Variant(),
    "corpus": Variant(),
    "together": Variant(together=True),
    "no text": Variant(modalities=("pose", "video")),
    "no pose": Variant(modalities=("text", "video")),
    "no video": Variant(modalities=("text", "pose")),
    "no gyro": Variant(gyro=False),
    "no augmentation": Variant(augmented=False),
    "no placement match": Variant(matched=False),
    "no alignment": Variant(aligned=False),
    "no adaptation": Variant(adapted=False),
    "no target names": Variant(named=False),
    "quarter of the corpus": Variant(share=0.25),
    "own windows too": Variant(own=True),
}


def variant(name: str) -> Variant:
    """The variant of that name; "together, X" is X with simulated windows kept in.

    Raises
    ------
    UnknownNameError
    """
    plain = name.removeprefix("together, ")
    if plain not in VARIANTS:
        raise unknown_name("variant", name, VARIANTS)
    return replace(VARIANTS[plain], together=True) if plain != name else VARIANTS[name]
