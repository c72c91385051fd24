"""Encoders of inertial signals: one sensor's window → a feature vector. Pass your own `Encoder`, or a name.

Names are those of the classes in lower case: fcn (default), resnet1d, patchtransformer, deepconvlstm.
"""

from __future__ import annotations

from typing import Any

from mujo.encoders.deep_conv_lstm import DeepConvLSTM
from mujo.encoders.fcn import FCN
from mujo.encoders.frontend import Encoder, one_by_one
from mujo.encoders.patch_transformer import PatchTransformer
from mujo.encoders.resnet1d import ResNet1D
from mujo.errors import unknown_name

__all__ = ["FCN", "DeepConvLSTM", "Encoder", "PatchTransformer", "ResNet1D", "build", "one_by_one"]

_NAMES = {c.__name__.lower(): c for c in (FCN, ResNet1D, PatchTransformer, DeepConvLSTM)}


def names() -> tuple[str, ...]:
    """Names that `build` knows."""
    return tuple(_NAMES)


def build(name: str, **options: Any) -> Encoder:
    """Make an encoder by name, with fresh weights (torch's random state).

    Raises
    ------
    UnknownNameError
        The nearest names are suggested.
    """
    key = name.lower().replace("_", "").replace("-", "")
    if key not in _NAMES:
        raise unknown_name("encoder", name, _NAMES)
    encoder = _NAMES[key](**options)
    encoder.made_of = {"name": key, "options": options}
    return encoder
