"""benchmarks/README.md: one block a script, between markers, in a fixed order."""

from __future__ import annotations

import datetime
import platform
from importlib.metadata import version
from pathlib import Path

from benchmarks.meter import machine

PAGE = Path(__file__).with_name("README.md")
ORDER = (
    "intro", "bar", "core", "sensors", "video", "memory", "views", "views_fit", "fit", "fit_plain", "fit_speed",
    "rendered", "utd", "keraal", "train",
)  # fmt: skip
_TITLE = "# Benchmarks"
_PACKAGES = ("numpy", "scipy", "numba", "mediapipe", "av", "pyarrow", "matplotlib", "torch")

_INTRO = """`python -m benchmarks.run` (or `make bench`) measures everything below and rewrites this page; each section
names the command that makes it alone. Every figure is measured, none is typed.

* Read speeds as ratios. Another machine moves all rows alike. Where other processes may have run beside, the
  CPU seconds of our own process are given too: they hardly depend on the neighbours, wall time does.
* Clips: a walker, side view (7.7 s, 30 fps, 1768×994, two people, from sports2d), and one person seen by four
  calibrated cameras (1.67 s, 60 fps, portrait, from pose2sim). They are short. A median over four views of one
  person is no statistic of people.
* There is no laboratory truth in these clips. Where a section says "against", it says against what."""


def stamp() -> str:
    """Date, machine and versions of a measurement, in a line."""
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    day = datetime.datetime.now(datetime.UTC).date()
    return f"{day}, {machine()}; Python {platform.python_version()}, {packages}."


def write(name: str, text: str) -> None:
    """Replace block `name` of the page; the order of blocks is fixed."""
    old = PAGE.read_text() if PAGE.exists() else ""
    blocks = {n: _block(old, n) for n in ORDER}
    blocks["intro"] = _INTRO
    blocks[name] = f"{text}\n\n*Measured {stamp()}*" if name != "intro" else _INTRO
    parts = [f"<!-- {n}:begin -->\n{blocks[n]}\n<!-- {n}:end -->" for n in ORDER if blocks[n]]
    PAGE.write_text("\n\n".join([_TITLE, *parts]) + "\n")


def _block(page: str, name: str) -> str:
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    return page.split(begin)[1].split(end)[0].strip("\n") if begin in page else ""
