"""Builds a corpus from files: in parallel, resumable after any kill, and never stopped by one bad video.

One file is one job, one shard and one worker's turn. A job is done when its shard's index, or the note that nothing could be
made of it, is in the folder; both appear in one step. A killed build repeats the files that it was in the middle of.
"""

from __future__ import annotations

import contextlib
import csv
import ctypes
import json
import multiprocessing as mp
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

from tqdm import tqdm

from imusim._version import __version__
from imusim.atomic import written_together
from imusim.errors import OutputError
from mujo.corpus.make import Maker, Refused, Settings
from mujo.corpus.shards import Corpus, finish, write_shard
from mujo.corpus.sources import Job, jobs
from mujo.errors import ConfigError, CorpusError

SETTINGS = "settings.json"
QUARANTINE = "quarantine.csv"
_NOTES = "nothing"  # folder of notes on files that gave no clip


def build(
    source: Path | str,
    out: Path | str,
    *,
    videos: Path | str | None = None,
    settings: Settings | None = None,
    workers: int = 1,
    validation: float = 0.15,
    progress: bool = True,
) -> Corpus:
    """Build a corpus, or go on with one that was interrupted.

    Parameters
    ----------
    source : a folder of videos, a CSV, or FiMAD's split or link list (`mujo.corpus.sources`)
    out : folder of the corpus
    videos : where the videos of a list are; None: beside it

    Other Parameters
    ----------------
    settings : how clips are made; must be what the folder was begun with
    workers : processes
    validation : share of the groups on the validation side, where the source does not say
    progress : show a bar on a terminal

    Returns
    -------
    Corpus
        ``quarantine.csv`` in its folder says which clips could not be made, and why.

    Raises
    ------
    ConfigError
        If the source cannot be used, or `out` holds a corpus of other settings.
    CorpusError
        If not one clip could be made.
    OutputError
        If the disk is full or the folder cannot be written: what is done stays; the same command goes on.
    """
    settings = settings or Settings()
    out = Path(out)
    if workers < 1:
        raise ConfigError(f"workers={workers}: wanted 1 or more")
    todo = jobs(Path(source), None if videos is None else Path(videos), validation)
    _begin(out, settings)
    _warm(settings)
    left = [j for j in todo if not _is_done(out, j)]
    bar = tqdm(
        total=len(todo),
        initial=len(todo) - len(left),
        desc="build",
        unit="file",
        disable=None if progress else True,
    )
    with bar:
        _run(left, out, settings, min(workers, max(len(left), 1)), bar)
    units = {f"{_shard_name(j)}.tar" for j in todo}
    refused = [r for j in todo for r in _refused_of(out, j)]
    write_quarantine(out, refused)
    if not any((out / u).is_file() for u in units):
        raise CorpusError(f"no clip could be made of {source}; {out / QUARANTINE} says why")
    return finish(out, {"settings": settings.as_dict(), "imusim": __version__, "quarantined": len(refused)})


def _shard_name(job: Job) -> str:
    return ("video-" if job.is_video else "mocap-") + job.unit


def _is_done(out: Path, job: Job) -> bool:
    name = _shard_name(job)
    shard = (out / f"{name}.json").is_file() and (out / f"{name}.tar").is_file()
    return shard or (out / _NOTES / f"{name}.json").is_file()


def _refused_of(out: Path, job: Job) -> list[Refused]:
    name = _shard_name(job)
    for path in (out / f"{name}.json", out / _NOTES / f"{name}.json"):
        if path.is_file():
            return [Refused(**r) for r in json.loads(path.read_text("utf-8"))["quarantine"]]
    return []


def _begin(out: Path, settings: Settings) -> None:
    """Note the settings, or compare them with those of an earlier run."""
    path = out / SETTINGS
    now = json.loads(json.dumps(settings.as_dict()))
    if path.is_file():
        try:
            before = json.loads(path.read_text("utf-8"))
        except ValueError:
            before = None
        if before != now:
            other = [k for k in now if not isinstance(before, dict) or before.get(k) != now[k]]
            raise ConfigError(
                f"{out} was begun with other settings ({', '.join(other)}). Give the same ones, or another folder."
            )
        return
    with written_together(path) as (partial,):
        partial.write_text(json.dumps(now, indent=1), "utf-8")


def _warm(settings: Settings) -> None:
    """Fetch what is fetched once, and fail at once where a part is not installed."""
    from mujo.corpus.features import find_image, find_text

    find_text(settings.text_features)
    find_image(settings.image_features)


def do_job(maker: Maker, job: Job, out: Path) -> int:
    """Make a job's clips and put them on disk; return how many."""
    clips, refused = maker(job)
    _put(job, clips, refused, out)
    return len(clips)


def _put(job: Job, clips: Sequence[Any], refused: Sequence[Refused], out: Path) -> None:
    rows = [{**asdict(r), "start_s": _plain(r.start_s), "end_s": _plain(r.end_s)} for r in refused]
    name = _shard_name(job)
    if clips:
        write_shard(clips, out / f"{name}.tar", {"quarantine": rows})
    else:
        with written_together(out / _NOTES / f"{name}.json") as (partial,):
            partial.write_text(json.dumps({"quarantine": rows}, indent=0), "utf-8")


def _plain(value: Any) -> Any:
    return value if isinstance(value, str) or abs(value) < 1e12 else str(value)


def _run(left: list[Job], out: Path, settings: Settings, workers: int, bar: tqdm[Any]) -> None:
    """Hand jobs to workers; a worker that dies takes only its job with it."""
    context = mp.get_context("spawn")
    waiting = list(reversed(left))
    running: dict[Any, tuple[Any, Job | None]] = {}
    bad = 0

    def start() -> None:
        ours, theirs = context.Pipe()
        process = context.Process(target=_work, args=(theirs, out, settings, os.getpid()), daemon=True)
        process.start()
        theirs.close()
        running[ours] = (process, None)
        give(ours)

    def give(pipe: Any) -> None:
        process, _ = running.pop(pipe)
        if waiting:
            job = waiting.pop()
            running[pipe] = (process, job)
            with contextlib.suppress(OSError):  # it died before its turn; noticed at the next wait
                pipe.send(job)
        else:
            pipe.close()
            process.join(5.0)

    try:
        for _ in range(workers):
            if waiting:
                start()
        while running:
            for pipe in wait(list(running)):
                process, job = running[pipe]
                assert job is not None
                try:
                    kind, value = pipe.recv()  # type: ignore[attr-defined]
                except (EOFError, OSError):
                    process.join(5.0)
                    how = (
                        f"signal {-process.exitcode}"
                        if (process.exitcode or 0) < 0
                        else f"exit code {process.exitcode}"
                    )
                    refused = [
                        Refused(s.key, job.path.name, s.start_s, s.end_s, f"the worker died of it ({how})")
                        for s in job.spans
                    ]
                    _put(job, [], refused, out)
                    running.pop(pipe)
                    bad += 1
                    bar.set_postfix(bad=bad)
                    bar.update(1)
                    if waiting:
                        start()
                    continue
                if kind == "stop":
                    raise OutputError(value)
                bad += value == 0
                bar.set_postfix(bad=bad)
                bar.update(1)
                give(pipe)
    finally:
        for process, _ in running.values():
            process.kill()
        for process, _ in running.values():
            process.join(5.0)


def _work(pipe: Any, out: Path, settings: Settings, parent: int) -> None:
    """A worker's life."""
    _die_with(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _one_thread()
    maker: Maker | None = None
    while True:
        try:
            job: Job = pipe.recv()
        except (EOFError, OSError):
            return
        try:
            maker = maker or Maker(settings)
            pipe.send(("done", do_job(maker, job, out)))
        except OutputError as error:
            pipe.send(("stop", str(error)))
        except MemoryError:
            os._exit(137)


def _one_thread() -> None:
    try:
        import torch
    except ImportError:
        return
    torch.set_num_threads(1)


def _die_with(parent: int) -> None:
    """End this process when its parent is gone, however that went."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1.0)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def write_quarantine(out: Path, refused: Sequence[Refused]) -> None:
    """Write the list of clips that could not be made, whole or not at all."""
    with (
        written_together(out / QUARANTINE) as (partial,),
        open(partial, "w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.writer(file)
        writer.writerow(("clip", "file", "start_s", "end_s", "reason"))
        for r in refused:
            writer.writerow((r.key, r.file, r.start_s, r.end_s, r.reason))
