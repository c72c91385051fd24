"""A grid of runs → results.csv, tables, plots; resumable at any run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from mujo.evaluate.plan import GRIDS, Grid, Run, grid_of, plan
from mujo.evaluate.plots import write_plots
from mujo.evaluate.results import Results
from mujo.evaluate.runner import declare, estimate, run_jobs
from mujo.evaluate.tables import write_tables
from mujo.evaluate.work import Settings

__all__ = ["GRIDS", "Grid", "Results", "Run", "Settings", "evaluate", "plan", "write_plots", "write_tables"]


def evaluate(
    datasets: Sequence[str],
    out: Path | str,
    *,
    grid: str = "quick",
    encoder: str = "fcn",
    roots: Mapping[str, str] | None = None,
    processes: int = 2,
    steps: float = 1.0,
    progress: bool = True,
    say: Callable[[str], None] = print,
) -> list[str]:
    """Run a grid, then write the tables and plots; run it again to go on after an interruption.

    Parameters
    ----------
    datasets : keys of `mujo.data`
    out : folder of the results
    grid : "quick" or "report" (from scratch, and pre-trained on the target's own unlabelled windows); "results" or
        "results-quick" (pre-trained on the simulated corpus too); "transfer" and "zeroshot", parts of "results"
    encoder : the one that is trained in all settings

    Other Parameters
    ----------------
    roots : data set → folder, where it is not under ``MUJO_DATA``
    processes : workers, one thread each
    steps : share of the usual numbers of optimiser steps
    progress : show a bar on a terminal
    say : takes the lines that are for people

    Returns
    -------
    list of str
        Keys of the runs that failed (failures/ says why).
    """
    jobs = plan(grid, datasets, encoder)
    folder = Path(out)
    settings = Settings(tuple(sorted((roots or {}).items())), steps)
    done = Results(folder).done()
    left = [[r for r in job if r.key not in done] for job in jobs]
    left = [job for job in left if job]
    declare(folder, grid, datasets, settings, encoder)
    say(
        f"grid {grid}: {sum(map(len, jobs))} runs, {sum(map(len, left))} to do. Cut to fit: {grid_of(grid).cut}."
    )
    failed: list[str] = []
    if left:
        lines, seconds = estimate(left, settings, processes)
        say("\n".join(lines))
        say(f"about {seconds / 60:.0f} minutes on {processes} processes of this machine")
        failed = run_jobs(folder, jobs, settings, processes, progress)
    results = Results(folder)
    for file in (*write_tables(results), *write_plots(results)):
        say(f"wrote {file}")
    if failed:
        say(f"{len(failed)} runs failed; see {folder / 'failures'}")
    return failed
