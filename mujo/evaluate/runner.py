"""Run a grid on several processes; go on where it was killed."""

from __future__ import annotations

import fcntl
import json
import multiprocessing
import os
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import numpy as np

from mujo.errors import ConfigError, TrainingError
from mujo.evaluate.plan import FOREST, Run, grid_of
from mujo.evaluate.results import Results
from mujo.evaluate.work import Settings, do_job, scaled, start_worker, windows_of
from mujo.files import write_whole


def run_jobs(
    folder: Path, jobs: Sequence[Sequence[Run]], settings: Settings, processes: int = 2, progress: bool = True
) -> list[str]:
    """Do all runs of the jobs that are not done yet; return the keys of those that failed.

    Raises
    ------
    ConfigError
        If another process is at work in the folder, or the folder is of another grid.
    TrainingError
        If a worker died (killed, out of memory); what was done is kept.
    """
    from tqdm import tqdm

    results = Results(folder)
    with _alone(folder):
        done = results.done()
        left = [[r for r in job if r.key not in done] for job in jobs]
        left = [job for job in left if job]
        total = sum(len(job) for job in jobs)
        bar = tqdm(
            total=total, initial=total - sum(map(len, left)), unit="run", disable=None if progress else True
        )
        failed: list[str] = []
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(
            processes, context, initializer=start_worker, initargs=(os.getpid(),)
        ) as pool:
            waiting = {pool.submit(do_job, str(folder), job, settings) for job in left}
            try:
                while waiting:
                    finished, waiting = wait(waiting, timeout=2.0, return_when=FIRST_COMPLETED)
                    for future in finished:
                        failed += future.result()
                    bar.update(len(results.done()) - bar.n)
            except BrokenProcessPool:
                raise TrainingError(
                    "a worker process died (killed, or out of memory). What was done is kept: run the same command again."
                ) from None
            finally:
                for future in waiting:
                    future.cancel()
                bar.close()
    return failed


def estimate(jobs: Sequence[Sequence[Run]], settings: Settings, processes: int) -> tuple[list[str], float]:
    """Lines that say what will be run and how long it takes, from short measurements here; and the wall time · s."""
    speed: dict[tuple[str, str], float] = {}
    cost: Counter[tuple[str, str]] = Counter()
    count: Counter[tuple[str, str]] = Counter()
    from mujo.pretrain import STEPS
    from mujo.training import DEFAULT

    for job in jobs:
        for number, run in enumerate(job):
            windows = len(windows_of(run.dataset, settings)) * 0.8
            what = (run.dataset, f"{run.encoder}, {run.objective}")
            count[what] += 1
            key = (run.dataset, run.encoder)
            if key not in speed:
                speed[key] = _speed(run, settings)
            if run.encoder == FOREST:
                cost[what] += windows * (run.labelled.fraction or 0.05) * speed[key]
                continue
            budget = scaled(DEFAULT, settings.steps)
            if run.mode == "finetune":
                labelled = max(16.0, windows * (run.labelled.fraction or 0.05))
                cost[what] += budget.steps(int(labelled)) * min(budget.batch, labelled) * speed[key]
            if run.simulated and run.init == "pretrained" and number == 0:
                from mujo.evaluate.joint_work import BATCH
                from mujo.evaluate.joint_work import STEPS as JOINT_STEPS

                cost[what] += 2.5 * JOINT_STEPS * settings.steps * BATCH * speed[key]
            elif run.init == "pretrained" and number == 0:
                first = scaled(STEPS, settings.steps)
                views = 2.0 if run.objective == "simclr" else 1.2
                cost[what] += first.steps(int(windows)) * first.batch * views * speed[key]
    lines = ["| data set | what | runs | minutes, one process |", "|---|---|---|---|"]
    lines += [f"| {d} | {w} | {count[d, w]} | {cost[d, w] / 60:.1f} |" for d, w in sorted(count)]
    return lines, sum(cost.values()) / processes


def _speed(run: Run, settings: Settings) -> float:
    """Seconds a training window, measured."""
    windows = windows_of(run.dataset, settings)
    if run.encoder == FOREST:
        from mujo.classical import forest, statistics

        few = slice(None, None, max(1, len(windows) // 400))
        started = time.perf_counter()
        found = statistics(windows.X[few], windows.rate_hz)
        forest(found, windows.y[few], found, 0)
        return (time.perf_counter() - started) / len(found)
    from mujo.encoders import build
    from mujo.finetune import train_classifier
    from mujo.layout import Layout
    from mujo.training import Budget

    steps = 12
    few = windows.X[:2000]
    halves = np.arange(len(few)) % 2
    layout = Layout.of(windows.channel_names)
    budget = Budget(least_steps=steps, most_steps=steps)
    train_classifier(
        build(run.encoder),
        few,
        halves,
        n_classes=2,
        layout=layout,
        budget=Budget(least_steps=2, most_steps=2),
    )
    started = time.perf_counter()
    train_classifier(build(run.encoder), few, halves, n_classes=2, layout=layout, budget=budget)
    return (time.perf_counter() - started) / (steps * 64)


def declare(folder: Path, grid: str, datasets: Sequence[str], settings: Settings, encoder: str) -> None:
    """Write grid.json, or check that the folder's grid is this one.

    Raises
    ------
    ConfigError
        If the folder holds results of another grid or other settings.
    """
    what = {
        "grid": grid, "datasets": list(datasets), "encoder": encoder, "steps": settings.steps,
        "cut": grid_of(grid).cut, "settings": asdict(grid_of(grid)),
    }  # fmt: skip
    path = folder / "grid.json"
    folder.mkdir(parents=True, exist_ok=True)
    if path.is_file():
        there = json.loads(path.read_text())
        odd = [k for k in ("grid", "encoder", "steps") if there.get(k) != what[k]]
        if odd:
            raise ConfigError(
                f"{folder} holds {odd[0]}={there.get(odd[0])!r}, wanted {what[odd[0]]!r}. Use another --out, or the same "
                "settings to go on."
            )
        what["datasets"] = list(dict.fromkeys([*there["datasets"], *datasets]))
    write_whole(path, json.dumps(what, indent=1) + "\n")


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    with open(folder / ".lock", "w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ConfigError(
                f"another process is at work in {folder}; wait for it, or use another --out"
            ) from None
        yield
