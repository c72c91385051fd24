"""What users of mujo get when something is wrong. All are `imusim.errors.ImusimError`s: one sentence, no traceback."""

from __future__ import annotations

from imusim.errors import ConfigError, ImusimError, MissingExtra, OutputError, ShapeError, unknown_name

__all__ = [
    "CheckpointError",
    "ConfigError",
    "CorpusError",
    "DatasetError",
    "ImusimError",
    "MissingExtra",
    "MissingPyTorch3D",
    "MovementError",
    "OutputError",
    "ShapeError",
    "SplitError",
    "TrainingError",
    "unknown_name",
]


class DatasetError(ImusimError, ValueError):
    """A data set is missing, incomplete, in another layout than as downloaded, or damaged."""


class SplitError(ImusimError, ValueError):
    """A split is impossible: a person without windows, a class left empty, one class only."""


class TrainingError(ImusimError, RuntimeError):
    """Training went wrong (a loss that is not finite); the last good checkpoint is kept."""


class CheckpointError(ImusimError, ValueError):
    """A checkpoint is damaged, of another configuration, or of a kind that could run code."""


class MovementError(ImusimError, ValueError):
    """A movement's text file says something impossible: an unknown key, an angle out of range, times out of order."""


class CorpusError(ImusimError, ValueError):
    """A corpus is missing, damaged or of another layout; the shard that is wrong is named."""


class MissingPyTorch3D(ImusimError, ImportError):
    """PyTorch3D is not there, or was built for another PyTorch; no pip line alone brings it."""

    def __init__(self, why: str) -> None:
        super().__init__(
            f"Silhouettes need PyTorch3D ({why}). It has no wheel for Linux and is built from its source: see "
            "docs/silhouettes.md"
        )
