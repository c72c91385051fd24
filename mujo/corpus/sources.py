"""What a corpus is to be built from: a folder of videos, a CSV, or FiMAD's published lists.

=========================  =======================================================================================
a folder                   every video in it and below; clips are the chapters of ``<name>.info.json`` (as a
                           downloader writes it); without chapters, stretches of ``<name>.vtt`` or ``.srt``, if it
                           is there; else the whole video, wordless
a CSV                      ``clip,start_s,end_s,text`` with one row a clip and optional ``label``, ``split``, ``group``;
                           `clip` is a video or a motion file, `text` may hold phrasings divided by "|"
``train_val_split.json``   FiMAD's split: clip ids ``youtubeID___chapter``; the videos are looked for in a folder
``youtube_links.txt``      FiMAD's link list: every chapter of those videos
=========================  =======================================================================================

Captions beside a video (`mujo.corpus.captions`) are one phrasing more for each of its clips: what is said in it.
"""

from __future__ import annotations

import csv
import hashlib
import json
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mujo.corpus.captions import captions_of, said_between, stretches
from mujo.corpus.clip import SPLITS
from mujo.errors import ConfigError

VIDEO_SUFFIXES = (".mp4", ".mkv", ".webm", ".mov", ".avi", ".m4v")
_CSV_COLUMNS = ("clip", "start_s", "end_s", "text")
_CSV_MORE = ("label", "split", "group")


@dataclass(frozen=True)
class Span:
    """A stretch of a file that becomes a clip: name, start and end · s, phrasings, label."""

    key: str
    start_s: float
    end_s: float
    text: tuple[str, ...]
    label: str


@dataclass(frozen=True)
class Job:
    """One file and its spans; what one worker does at a time, and what one shard holds."""

    unit: str
    path: Path
    spans: tuple[Span, ...]
    group: str
    split: str
    note: str = ""

    @property
    def is_video(self) -> bool:
        """Whether the file is a video rather than a motion."""
        return self.path.suffix.lower() in VIDEO_SUFFIXES


def jobs(
    source: Path, videos: Path | None = None, validation: float = 0.15, longest_s: float = 120.0
) -> list[Job]:
    """List what there is to do, in alphabetical order.

    Parameters
    ----------
    source : see above
    videos : where the videos of a list are; None: beside it
    validation : share of the groups that are validation, where the source does not say
    longest_s : longer spans are cut into equal parts

    Raises
    ------
    ConfigError
        If the source is none of those, is damaged, or names nothing that is there.
    """
    if source.is_dir():
        found = [
            _whole(p, source, validation)
            for p in sorted(source.rglob("*"))
            if p.suffix.lower() in VIDEO_SUFFIXES
        ]
    elif not source.is_file():
        raise ConfigError(
            f"{source}: no such file or folder. Give a folder of videos, a CSV or FiMAD's list."
        )
    elif source.suffix.lower() == ".csv":
        found = _from_csv(source, videos or source.parent, validation)
    elif source.suffix.lower() == ".json":
        found = _from_split(source, videos or source.parent)
    elif source.suffix.lower() == ".txt":
        found = _from_links(source, videos or source.parent, validation)
    else:
        raise ConfigError(
            f"{source}: wanted a folder of videos, a .csv, FiMAD's split .json or its link list .txt"
        )
    if not found:
        raise ConfigError(f"{source}: no video ({', '.join(VIDEO_SUFFIXES)}) or motion file was found")
    cut = [_with_captions(replace(j, spans=tuple(_parts(j.spans, longest_s)))) for j in found]
    names = [j.unit for j in cut]
    if twice := next((n for n in names if names.count(n) > 1), None):
        raise ConfigError(f"{source}: two files would both be called {twice!r}. Rename one.")
    return sorted(cut, key=lambda j: j.unit)


def split_of(group: str, validation: float) -> str:
    """Side of a group, by its hash: the same wherever and whenever it is built."""
    number = int.from_bytes(hashlib.sha256(group.encode()).digest()[:4], "big") / 2**32
    return SPLITS[1] if number < validation else SPLITS[0]


def safe(name: str) -> str:
    """A name that can be a file's and a clip's key."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", name)[:64] or "clip"


def normalised(title: str) -> str:
    """A chapter's title as a label: lower case, without numbering, counts and emphasis."""
    text = re.sub(r"[\(\[].*?[\)\]]", " ", title.lower())
    text = re.sub(r"^\s*(exercise|move|round|set|day|part)?\s*#?\d+\s*[.:)\-–]*\s*", "", text)
    text = re.sub(r"\b(x\s*)?\d+\s*(reps?|sets?|x|s|secs?|seconds?|min(ute)?s?|rounds?)?\b", " ", text)
    return re.sub(r"[^a-z\- ]+", " ", text).strip(" -").replace("  ", " ")


def chapters(video: Path) -> tuple[list[dict[str, Any]], str]:
    """Chapters of a video's ``.info.json``, and why there are none.

    Returns
    -------
    list of {start_time, end_time, title}, and a note ("" if all is well)
    """
    for path in (video.with_suffix(".info.json"), video.with_name(video.name + ".info.json")):
        if path.is_file():
            break
    else:
        return [], "no .info.json: the whole video is one clip without words"
    try:
        info = json.loads(path.read_text("utf-8"))
        listed = info.get("chapters") or []
        good = []
        for c in listed:
            start, end = float(c["start_time"]), float(c["end_time"])
            if math.isfinite(start) and math.isfinite(end) and 0 <= start < end:
                good.append({"start_time": start, "end_time": end, "title": str(c.get("title", ""))})
            else:
                good.append({"bad": f"from {start} to {end} s", "title": str(c.get("title", ""))})
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        return (
            [],
            f"{path.name} is damaged ({type(error).__name__}): the whole video is one clip without words",
        )
    if good:
        return good, ""
    title = str(info.get("title", "")).strip()
    return [
        {"start_time": 0.0, "end_time": math.inf, "title": title}
    ], "no chapters: the whole video is one clip"


def _whole(
    video: Path, folder: Path, validation: float, only: Iterable[int] | None = None, split: str | None = None
) -> Job:
    name = (
        video.relative_to(folder).with_suffix("").as_posix() if video.is_relative_to(folder) else video.stem
    )
    unit = safe(name.replace("/", "__"))
    listed, note = chapters(video)
    if only is None and all(c.get("end_time") == math.inf for c in listed):
        title = listed[0]["title"] if listed else ""
        by_words = [
            {"start_time": a, "end_time": b, "title": title} for a, b in stretches(captions_of(video)[0])
        ]
        listed = by_words or listed
        note = "no chapters: cut by its captions" if by_words else note
    if not listed:
        listed = [{"start_time": 0.0, "end_time": math.inf, "title": ""}]
    wanted = range(len(listed)) if only is None else sorted(set(only))
    spans = []
    for k in wanted:
        chapter = listed[k] if k < len(listed) else {"bad": "no such chapter", "title": ""}
        title = chapter["title"].strip()
        label = normalised(title)
        text = tuple(dict.fromkeys(t for t in (title, label) if t))
        start, end = (
            (math.nan, math.nan) if "bad" in chapter else (chapter["start_time"], chapter["end_time"])
        )
        spans.append(Span(f"{unit}___{k}", start, end, text, label))
    return Job(unit, video, tuple(spans), unit, split or split_of(unit, validation), note)


def _with_captions(job: Job) -> Job:
    """The job with what is said in its spans as a further phrasing of each."""
    if not job.is_video:
        return job
    cues, trouble = captions_of(job.path)
    spans = tuple(
        replace(s, text=(*s.text, said)) if (said := said_between(cues, s.start_s, s.end_s)) else s
        for s in job.spans
    )
    return replace(job, spans=spans, note="; ".join(n for n in (job.note, trouble) if n))


def _from_csv(path: Path, folder: Path, validation: float) -> list[Job]:
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            missing = [c for c in _CSV_COLUMNS if c not in (reader.fieldnames or ())]
            unknown = [c for c in reader.fieldnames or () if c not in (*_CSV_COLUMNS, *_CSV_MORE)]
            if missing or unknown:
                what = (
                    f"lacks {', '.join(missing)}" if missing else f"has unknown columns {', '.join(unknown)}"
                )
                raise ConfigError(
                    f"{path} {what}; wanted {','.join(_CSV_COLUMNS)} and maybe {', '.join(_CSV_MORE)}"
                )
            rows = list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f"{path} cannot be read as CSV ({error})") from None
    files: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        files.setdefault((row["clip"] or "").strip(), []).append(row)
    out = []
    for name, mine in files.items():
        unit = safe(Path(name).with_suffix("").as_posix().replace("/", "__"))
        group = (mine[0].get("group") or "").strip() or unit
        split = (mine[0].get("split") or "").strip() or split_of(group, validation)
        if split not in SPLITS:
            raise ConfigError(f"{path}: split {split!r} of {name}, wanted {' or '.join(SPLITS)}")
        spans = []
        for k, row in enumerate(mine):
            text = tuple(t.strip() for t in (row["text"] or "").split("|") if t.strip())
            label = (row.get("label") or "").strip() or normalised(text[0] if text else "")
            spans.append(
                Span(
                    f"{unit}___{k}",
                    _number(row["start_s"], 0.0),
                    _number(row["end_s"], math.inf),
                    text,
                    label,
                )
            )
        out.append(Job(unit, folder / name, tuple(spans), group, split))
    return out


def _number(text: str | None, otherwise: float) -> float:
    if not (text or "").strip():
        return otherwise
    try:
        return float(text or "")
    except ValueError:
        return math.nan  # that clip is quarantined


def _from_split(path: Path, folder: Path) -> list[Job]:
    try:
        content = json.loads(path.read_text("utf-8"))
        sides = {k: list(content[k]) for k in content}
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ConfigError(
            f"{path} is not FiMAD's split ({type(error).__name__}): wanted lists of clip ids"
        ) from None
    names = {"train": "train", "val": "validation", "validation": "validation"}
    if unknown := [k for k in sides if k not in names]:
        raise ConfigError(f"{path}: unknown side {unknown[0]!r}, wanted train and val")
    chosen: dict[str, tuple[str, list[int]]] = {}
    for side, ids in sides.items():
        for clip in ids:
            parts = re.fullmatch(r"(.+)___(\d+)", str(clip)) or re.fullmatch(r"(.+)_(\d+)", str(clip))
            if parts is None:
                raise ConfigError(f"{path}: {clip!r} is not a clip id, wanted youtubeID___chapter")
            chosen.setdefault(parts[1], (names[side], []))[1].append(int(parts[2]))
    return list(_of_ids({v: (s, k) for v, (s, k) in chosen.items()}, folder, 0.0))


def _from_links(path: Path, folder: Path, validation: float) -> list[Job]:
    ids = [
        m.group(1)
        for line in path.read_text("utf-8").splitlines()
        if (m := re.search(r"(?:v=|youtu\.be/)([\w-]{6,})", line))
    ]
    if not ids:
        raise ConfigError(f"{path}: no link such as https://www.youtube.com/watch?v=… was found")
    return list(_of_ids(dict.fromkeys(ids, (None, None)), folder, validation))


def _of_ids(
    wanted: dict[str, tuple[str | None, list[int] | None]], folder: Path, validation: float
) -> Iterator[Job]:
    """Jobs of videos by their id: a file is the one whose name is, or ends with, the id."""
    there: dict[str, Path] = {}
    for p in sorted(folder.rglob("*")):
        if p.suffix.lower() in VIDEO_SUFFIXES:
            stem = p.stem
            there.setdefault(stem, p)
            if m := re.search(r"\[([\w-]{11})\]$", stem):
                there.setdefault(m.group(1), p)
    for video, (side, numbers) in wanted.items():
        path = there.get(video)
        if path is None:
            gone = tuple(Span(f"{safe(video)}___{k}", math.nan, math.nan, (), "") for k in numbers or [0])
            split = side or split_of(video, validation)
            yield Job(safe(video), folder / f"{video}.mp4", gone, safe(video), split, "missing")
            continue
        job = _whole(path, path.parent, validation, numbers, side)
        spans = tuple(
            Span(f"{safe(video)}___{s.key.rpartition('___')[2]}", s.start_s, s.end_s, s.text, s.label)
            for s in job.spans
        )
        yield Job(safe(video), path, spans, safe(video), side or split_of(safe(video), validation), job.note)


def _parts(spans: Iterable[Span], longest_s: float) -> Iterator[Span]:
    for span in spans:
        length = span.end_s - span.start_s
        if not math.isfinite(length) or length <= longest_s:
            yield span
            continue
        count = math.ceil(length / longest_s)
        for k in range(count):
            a, b = (span.start_s + length * f / count for f in (k, k + 1))
            yield Span(f"{span.key}-{k}", a, b, span.text, span.label)
