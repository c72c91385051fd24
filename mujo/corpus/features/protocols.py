"""What a frozen feature extractor is, and how the command line finds one."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from mujo.errors import ConfigError

Floats = NDArray[np.float32]


@runtime_checkable
class TextFeatures(Protocol):
    """Sentences → vectors."""

    name: str
    """What the corpus says the features are."""
    width: int
    """D."""

    def __call__(self, sentences: Sequence[str]) -> Floats:
        """Features (N, D) float32 of N sentences."""
        ...


@runtime_checkable
class ImageFeatures(Protocol):
    """Pictures → vectors."""

    name: str
    width: int

    def __call__(self, pictures: Sequence[NDArray[np.uint8]]) -> Floats:
        """Features (N, D) float32 of N pictures (H, W, 3) uint8 RGB of any size."""
        ...


def find_text(name: str) -> TextFeatures | None:
    """ "minilm", "none", or one's own class as "package.module:Name" (called without arguments).

    Raises
    ------
    ConfigError, MissingExtra
    """
    if name == "none":
        return None
    if name == "minilm":
        from mujo.corpus.features.text import MiniLM

        return MiniLM()
    return _import(name, TextFeatures, "minilm")


def find_image(name: str) -> ImageFeatures | None:
    """ "efficientnet-lite0", "none", or one's own class as "package.module:Name" (called without arguments).

    Raises
    ------
    ConfigError, MissingExtra
    """
    if name == "none":
        return None
    if name == "efficientnet-lite0":
        from mujo.corpus.features.image import EfficientNetLite0

        return EfficientNetLite0()
    return _import(name, ImageFeatures, "efficientnet-lite0")


def _import(name: str, wanted: type, known: str) -> Any:
    module, _, attribute = name.partition(":")
    if not attribute:
        raise ConfigError(f'features {name!r}: wanted "{known}", "none" or your own "package.module:Name"')
    try:
        made = getattr(importlib.import_module(module), attribute)()
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"features {name!r} cannot be imported: {error}") from None
    if not isinstance(made, wanted):
        raise ConfigError(
            f"features {name!r}: wanted an object with name, width and a call (mujo.corpus.features)"
        )
    return made
