"""What users get when something is wrong: what we got, what we wanted, how to fix it.

Every exception a user can meet derives from `ImusimError`; the command line prints its message as one
sentence and exits with code 2, without a traceback. Nothing else is ever raised on purpose.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class ImusimError(Exception):
    """Base of every error that imusim raises on purpose."""


class ShapeError(ImusimError, ValueError):
    """An array has the wrong shape."""


class UnitError(ImusimError, ValueError):
    """A value is implausible in the unit that was asked for (g for m/s², cm for m ...)."""


class FrameError(ImusimError, ValueError):
    """A coordinate frame, axis convention or rotation is wrong."""


class TimeError(ImusimError, ValueError):
    """Time stamps are not finite, not increasing, or do not cover what was asked."""


class NoPersonError(ImusimError, ValueError):
    """No person was found (or not for long enough to say anything)."""


class VideoError(ImusimError, ValueError):
    """A file is not a video, has no picture, or cannot be decoded."""


class MotionFileError(ImusimError, ValueError):
    """A motion or recording file is damaged or not what it says it is."""


class ConfigError(ImusimError, ValueError):
    """A setting is out of range, or a configuration file has an unknown key."""


class UnknownNameError(ImusimError, KeyError):
    """A placement, preset, joint or asset of that name does not exist; the nearest names are suggested."""

    def __str__(self) -> str:  # KeyError would print the repr
        return str(self.args[0]) if self.args else ""


class AssetError(ImusimError, RuntimeError):
    """A file that is not ours is neither cached nor to be had."""


class MissingExtra(ImusimError, ImportError):
    """An optional part is not installed; the message names the pip line."""

    def __init__(self, extra: str, why: str) -> None:
        super().__init__(f'{why} needs an optional part. Install it: pip install "mujo[{extra}]"')


class MissingSystemPackage(ImusimError, RuntimeError):
    """A system library (libGL, glib ...) is missing; the message names the packages."""


class OutputError(ImusimError, OSError):
    """An output cannot be written; nothing half-written was left behind."""


class QualityWarning(UserWarning):
    """The result exists but should be trusted less: gaps, person switches, moving camera, assumed focal."""


def unknown_name(kind: str, name: str, known: Iterable[str]) -> UnknownNameError:
    """Build the error for an unknown name, with the nearest known ones."""
    known = sorted(known)
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    hint = f"Did you mean {' or '.join(repr(n) for n in near)}?" if near else f"Known: {', '.join(known)}."
    return UnknownNameError(f"unknown {kind} {name!r}. {hint}")
