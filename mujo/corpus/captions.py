"""What is said in a video, from the captions beside it: WebVTT (.vtt) and SubRip (.srt), as downloaders write them."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

SUFFIXES = (".vtt", ".srt")
MOST_WORDS = 60
"""Of one clip's captions; a text encoder reads little more."""
_TIMES = re.compile(r"((?:\d+:)?\d{1,2}:\d{2}[.,]\d{1,3})\s+-->\s+((?:\d+:)?\d{1,2}:\d{2}[.,]\d{1,3})")
_MARKS = re.compile(r"<[^>]*>|\{[^}]*\}")
_SOUNDS = re.compile(r"\[[^\]]*\]|\([^)]*\)|♪")
_LEAST_S, _GAP_S, _MOST_S = 8.0, 4.0, 20.0


@dataclass(frozen=True)
class Cue:
    """One caption: from when to when · s, and its words."""

    start_s: float
    end_s: float
    text: str


def captions_of(video: Path) -> tuple[list[Cue], str]:
    """Cues of the captions beside a video, and why there are none.

    ``name.vtt``, ``name.srt`` or ``name.LANGUAGE.vtt``; of several languages English is taken, else the first.

    Returns
    -------
    list of cues in order of time, and a note ("" if all is well or there is no such file)
    """
    stem = video.name.removesuffix(video.suffix)
    try:
        beside = sorted(p for p in video.parent.iterdir() if p.suffix.lower() in SUFFIXES)
    except OSError:
        return [], ""
    named = [p for p in beside if re.fullmatch(re.escape(stem) + r"(\.[\w-]{2,12})?", p.stem)]
    if not named:
        return [], ""
    path = min(
        named, key=lambda p: (not p.stem[len(stem) + 1 :].lower().startswith("en"), p.stem != stem, p.name)
    )
    try:
        cues = parse_captions(path.read_text("utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        return [], f"{path.name} is damaged ({type(error).__name__}): the clips are without captions"
    return cues, "" if cues else f"{path.name} holds no caption"


def parse_captions(text: str) -> list[Cue]:
    """Cues of a WebVTT or SubRip text, without marks, sounds in brackets and lines that scroll by twice.

    What is not a cue (headers, numbers, notes, styles) is passed over; a cue that ends before it starts is left out.
    """
    cues: list[Cue] = []
    shown: list[str] = []
    for block in re.split(r"\n[ \t]*\n", text.replace("\r\n", "\n").replace("\r", "\n")):
        lines = block.strip("\n").split("\n")
        at = next((k for k, line in enumerate(lines) if _TIMES.search(line)), None)
        if at is None:
            continue
        found = _TIMES.search(lines[at])
        assert found is not None
        start, end = (_seconds(found[k]) for k in (1, 2))
        said = [
            " ".join(_SOUNDS.sub(" ", html.unescape(_MARKS.sub("", line))).split())
            for line in lines[at + 1 :]
        ]
        said = [line for line in said if line]
        new = [line for line in said if line not in shown]
        shown = said or shown
        if new and start < end:
            cues.append(Cue(start, end, " ".join(new)))
    return sorted(cues, key=lambda c: c.start_s)


def said_between(cues: Sequence[Cue], start_s: float, end_s: float) -> str:
    """Words of the cues whose middle is in a stretch · s, at most `MOST_WORDS` of them; "" where nothing is said."""
    words: list[str] = []
    for cue in cues:
        if start_s <= 0.5 * (cue.start_s + cue.end_s) < end_s:
            words += cue.text.split()
    return " ".join(words[:MOST_WORDS])


def stretches(cues: Sequence[Cue]) -> list[tuple[float, float]]:
    """Cut a video without chapters by its captions: (start, end) · s.

    A stretch ends where nothing is said for 4 s, once it has 8 s, and in any case with the cue that makes it 20 s long.
    """
    out: list[tuple[float, float]] = []
    for cue in cues:
        if out:
            start, end = out[-1]
            paused = end - start >= _LEAST_S and cue.start_s - end >= _GAP_S
            if not paused and end - start < _MOST_S:
                out[-1] = (start, max(end, cue.end_s))
                continue
        out.append((cue.start_s, cue.end_s))
    return out


def _seconds(clock: str) -> float:
    parts = clock.replace(",", ".").split(":")
    return sum(float(p) * 60**k for k, p in enumerate(reversed(parts)))
