"""A corpus on disk: tar shards in WebDataset's layout, and a manifest that knows the hash of each.

A clip is a run of members of one tar file whose names begin with its key: ``key.json`` and ``key.<array>.npy``. Nothing is
pickled, and nothing is unpickled on reading. A shard exists once its index (``name.json`` beside ``name.tar``) does, so a
killed writer leaves no half shard behind; the manifest is put together from the indices.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from imusim.atomic import written_together
from mujo.corpus.clip import Clip
from mujo.errors import CorpusError

FORMAT = "mujo-corpus"
VERSION = 1
MANIFEST = "manifest.json"
ARRAYS = ("imu", "pose", "video", "video_time_s", "text_features")
_WORDS = ("key", "rate_hz", "placements", "text", "label", "source", "split", "group", "metadata")


def write(
    clips: Iterable[Clip],
    folder: Path | str,
    *,
    name: str = "part",
    shard_clips: int = 64,
    progress: bool = True,
) -> Corpus:
    """Write clips to a corpus, which may already hold others under other names.

    Parameters
    ----------
    clips : any iterable; one shard of clips is in memory at a time
    folder : where the corpus is, or is to be
    name : shards are called name-00000.tar …; older shards of that name are replaced

    Other Parameters
    ----------------
    shard_clips : clips a shard
    progress : show a bar on a terminal

    Returns
    -------
    Corpus

    Raises
    ------
    CorpusError
        If two clips have one key, or a group is on both sides of the split.
    OutputError
        If the folder cannot be written.
    """
    folder = Path(folder)
    for old in sorted(folder.glob(f"{name}-[0-9][0-9][0-9][0-9][0-9].*")):
        old.unlink()
    waiting: list[Clip] = []
    number = 0
    for clip in tqdm(clips, desc="corpus", unit="clip", disable=None if progress else True):
        waiting.append(clip)
        if len(waiting) == shard_clips:
            write_shard(waiting, folder / f"{name}-{number:05d}.tar")
            waiting, number = [], number + 1
    if waiting:
        write_shard(waiting, folder / f"{name}-{number:05d}.tar")
    return finish(folder)


def write_shard(clips: Sequence[Clip], path: Path, extra: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Write one tar and its index, whole or not at all; return the index. The same clips give the same bytes."""
    seen = Counter(c.key for c in clips)
    if twice := [k for k, n in seen.items() if n > 1]:
        raise CorpusError(f"{path.name}: two clips are called {twice[0]!r}. Keys must differ.")
    index: dict[str, Any] = {"shard": path.name, "clips": [_entry(c) for c in clips], **(extra or {})}
    with written_together(path) as (partial,):
        with tarfile.open(partial, "w", format=tarfile.USTAR_FORMAT) as tar:
            for clip in clips:
                for member, data in _members(clip):
                    info = tarfile.TarInfo(member)
                    info.size = len(data)
                    tar.addfile(info, io.BytesIO(data))
        index["sha256"], index["bytes"] = _hash(partial), partial.stat().st_size
    with written_together(path.with_suffix(".json")) as (partial,):
        partial.write_text(json.dumps(index, indent=0, ensure_ascii=False), "utf-8")
    return index


def finish(folder: Path, extra: Mapping[str, Any] | None = None) -> Corpus:
    """Put the manifest together from the shards' indices and open the corpus.

    Raises
    ------
    CorpusError
        If there is no shard, two clips have one key, or a group is on both sides of the split.
    """
    shards = []
    for path in sorted(folder.glob("*.json")):
        if path.name == MANIFEST or not path.with_suffix(".tar").is_file():
            continue
        try:
            index = json.loads(path.read_text("utf-8"))
        except ValueError:
            index = None
        if not isinstance(index, dict) or "clips" not in index:
            raise CorpusError(f"{path} is not the index of a shard. Remove it and build the shard again.")
        shards.append(index)
    if not shards:
        raise CorpusError(f"{folder} holds no shard: no clip was made")
    _check([c for s in shards for c in s["clips"]])
    content = {"format": FORMAT, "version": VERSION, **(extra or {}), "shards": shards}
    with written_together(folder / MANIFEST) as (partial,):
        partial.write_text(json.dumps(content, indent=0, ensure_ascii=False), "utf-8")
    return open_corpus(folder)


def open_corpus(folder: Path | str) -> Corpus:
    """Open a corpus.

    Raises
    ------
    CorpusError
        If there is no manifest, it is of another format, or a shard is missing.
    """
    folder = Path(folder)
    try:
        content = json.loads((folder / MANIFEST).read_text("utf-8"))
    except OSError:
        raise CorpusError(
            f"{folder} holds no {MANIFEST}: no corpus, or one whose building was not finished"
        ) from None
    except ValueError:
        raise CorpusError(
            f"{folder / MANIFEST} is damaged: it is not JSON. Build the corpus again."
        ) from None
    if not isinstance(content, dict) or content.get("format") != FORMAT or content.get("version") != VERSION:
        raise CorpusError(f"{folder / MANIFEST} is not a {FORMAT} manifest of version {VERSION}")
    shards = tuple(content["shards"])
    if gone := [s["shard"] for s in shards if not (folder / s["shard"]).is_file()]:
        raise CorpusError(
            f"{folder}: shard {gone[0]} is missing ({len(gone)} in all). Copy it, or build again."
        )
    entries = tuple({**c, "shard": s["shard"]} for s in shards for c in s["clips"])
    return Corpus(folder, entries, {s["shard"]: s["sha256"] for s in shards}, content)


@dataclass(frozen=True)
class Corpus:
    """Clips on disk, or a part of them. Iterating reads shard by shard, in the order of the manifest.

    Parameters
    ----------
    folder : where it is
    entries : what the manifest says of each clip: key, label, source, split, group, duration_s, modalities, shard
    hashes : shard → sha256
    manifest : the whole manifest
    """

    folder: Path
    entries: tuple[Mapping[str, Any], ...]
    hashes: Mapping[str, str]
    manifest: Mapping[str, Any]
    _verified: set[str] = field(default_factory=set, compare=False, repr=False)

    def __len__(self) -> int:
        return len(self.entries)

    def __iter__(self) -> Iterator[Clip]:
        """Read the clips; a shard whose bytes are not what the manifest says is a `CorpusError` that names it."""
        wanted: dict[str, set[str]] = {}
        for entry in self.entries:
            wanted.setdefault(entry["shard"], set()).add(entry["key"])
        for shard, keys in wanted.items():
            self.verify(shard)
            yield from _read_shard(self.folder / shard, keys)

    def where(
        self,
        *,
        split: str | None = None,
        source: str | Sequence[str] | None = None,
        exclude_labels: Sequence[str] = (),
        labels: Sequence[str] | None = None,
    ) -> Corpus:
        """The clips of a split, of one or more sources, with or without labels (in any case)."""
        sources = {source} if isinstance(source, str) else None if source is None else set(source)
        without = {x.lower() for x in exclude_labels}
        only = None if labels is None else {x.lower() for x in labels}
        kept = tuple(
            e
            for e in self.entries
            if (split is None or e["split"] == split)
            and (sources is None or e["source"] in sources)
            and e["label"].lower() not in without
            and (only is None or e["label"].lower() in only)
        )
        return replace(self, entries=kept)

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels that occur, in alphabetical order."""
        return tuple(sorted({e["label"] for e in self.entries}))

    @property
    def hours(self) -> float:
        """Length of all clips together · h."""
        return sum(e["duration_s"] for e in self.entries) / 3600.0

    def verify(self, shard: str) -> None:
        """Compare a shard's sha256 with the manifest's, once.

        Raises
        ------
        CorpusError
            If they differ: the shard is named.
        """
        if shard in self._verified:
            return
        path = self.folder / shard
        if not path.is_file():
            raise CorpusError(f"shard {path} is missing. Copy it, or build again.")
        if _hash(path) != self.hashes[shard]:
            raise CorpusError(
                f"shard {path} is damaged: its sha256 is not the manifest's. Remove {path.name} and "
                f"{path.stem}.json and build again; the other shards are kept."
            )
        self._verified.add(shard)

    def describe(self) -> str:
        """A few lines for people."""
        lines = [f"{len(self)} clips, {self.hours:.2f} h, {len(self.labels)} labels, {self.folder}"]
        for what in ("source", "split"):
            count = Counter(e[what] for e in self.entries)
            lines.append(f"  {what:<7}" + ", ".join(f"{k} {n}" for k, n in sorted(count.items())))
        have = Counter(m for e in self.entries for m in e["modalities"])
        lines.append("  with   " + ", ".join(f"{k} {n}" for k, n in sorted(have.items())))
        lines.append(f"  groups {len({e['group'] for e in self.entries})}")
        return "\n".join(lines)


def _entry(clip: Clip) -> dict[str, Any]:
    have = [m for m in ("pose", "video", "text_features") if getattr(clip, m) is not None]
    return {
        "key": clip.key,
        "label": clip.label,
        "source": clip.source,
        "split": clip.split,
        "group": clip.group,
        "duration_s": round(clip.duration_s, 4),
        "modalities": ["imu", *have, *(["text"] if clip.text else [])],
    }


def _members(clip: Clip) -> Iterator[tuple[str, bytes]]:
    if not clip.key or any(c in clip.key for c in "./\\\0") or len(clip.key) > 80:
        raise CorpusError(f"clip key {clip.key!r}: wanted up to 80 characters without dots and slashes")
    words = {w: getattr(clip, w) for w in _WORDS}
    yield f"{clip.key}.json", json.dumps(words, ensure_ascii=False, sort_keys=True).encode()
    for name in ARRAYS:
        value = getattr(clip, name)
        if value is not None:
            buffer = io.BytesIO()
            np.save(buffer, np.ascontiguousarray(value, dtype=np.float32), allow_pickle=False)
            yield f"{clip.key}.{name}.npy", buffer.getvalue()


def _read_shard(path: Path, keys: set[str]) -> Iterator[Clip]:
    current, arrays, words = "", {}, {}
    try:
        with tarfile.open(path, "r:") as tar:
            for info in tar:
                key, _, rest = info.name.partition(".")
                if key != current:
                    if words:
                        yield _clip(words, arrays)
                    current, arrays, words = key, {}, {}
                if key not in keys:
                    continue
                stream = tar.extractfile(info)
                if stream is None:
                    raise CorpusError(f"shard {path}: member {info.name} is not a file")
                data = stream.read()
                if rest == "json":
                    words = json.loads(data)
                elif rest.removesuffix(".npy") in ARRAYS:
                    arrays[rest.removesuffix(".npy")] = np.load(io.BytesIO(data), allow_pickle=False)
            if words:
                yield _clip(words, arrays)
    except (tarfile.TarError, ValueError, KeyError, TypeError, OSError) as error:
        if isinstance(error, CorpusError):
            raise
        raise CorpusError(
            f"shard {path} cannot be read ({error}). Remove it and its .json, and build again."
        ) from None


def _clip(words: dict[str, Any], arrays: dict[str, Any]) -> Clip:
    known = {w: words[w] for w in _WORDS}
    return Clip(**{**known, "placements": tuple(known["placements"]), "text": tuple(known["text"])}, **arrays)


def _check(entries: Sequence[Mapping[str, Any]]) -> None:
    seen: dict[str, str] = {}
    keys: set[str] = set()
    for e in entries:
        if e["key"] in keys:
            raise CorpusError(
                f"two clips are called {e['key']!r}, in different shards. Give one part another seed or name."
            )
        keys.add(e["key"])
        if e["group"] and seen.setdefault(e["group"], e["split"]) != e["split"]:
            raise CorpusError(
                f"group {e['group']!r} is on both sides of the split; whole groups go to one side"
            )


def _hash(path: Path) -> str:
    with open(path, "rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_SEQUENTIAL)
        return hashlib.file_digest(file, "sha256").hexdigest()
