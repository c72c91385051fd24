"""mujo: one joint feature space for video, text, pose and IMU (MuJo, PerCom 2025), built on imusim.

>>> import mujo
>>> data = mujo.data.load("motionsense")                        # doctest: +SKIP
>>> X, y, person = data.windows(window_s=2.0, overlap=0.5)      # doctest: +SKIP
>>> clf = mujo.HARClassifier().fit(X, y, groups=person)         # doctest: +SKIP

Importing this module loads nothing heavy: every name below is imported on first use. Data sets, encoders, evaluation,
the classifier, the corpus (`mujo.corpus`) and the joint pre-training (`mujo.joint.pretrain`) are here.
"""

from __future__ import annotations

import importlib
from typing import Any

from imusim._version import __version__

_LAZY = {
    "HARClassifier": "mujo.estimator",
    "load_encoder": "mujo.checkpoint",
    "save_encoder": "mujo.checkpoint",
}
_SUBMODULES = ("corpus", "data", "errors")

__all__ = ["__version__", *_LAZY, *_SUBMODULES]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        value = getattr(importlib.import_module(_LAZY[name]), name)
    elif name in _SUBMODULES:
        value = importlib.import_module(f"mujo.{name}")
    else:
        raise AttributeError(f"module 'mujo' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
