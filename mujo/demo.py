"""The learning half's first two minutes: real smartwatch exercises, few labels, from scratch."""

from __future__ import annotations

from pathlib import Path

from mujo.evaluate import Results, Settings, write_plots, write_tables
from mujo.evaluate.plan import Run
from mujo.evaluate.runner import run_jobs
from mujo.splits import Labelled

DATASET = "spar"
LABELS = (Labelled(units=1), Labelled(0.1), Labelled(1.0))


def demo(out: Path) -> None:
    """Train the small encoder and the random forest on SPAR with 1 recording a class, 10 % and all labels, and show.

    Raises
    ------
    ImusimError
        If the data cannot be had, or `out` cannot be written.
    """
    import imusim as im

    print(
        "1/2  SPAR: seven shoulder exercises, ten people, a smartwatch (fetched once, then cached) ...",
        flush=True,
    )
    im.asset("spar")
    print("2/2  training from scratch, testing on people who were not trained on ...", flush=True)
    jobs = [
        [Run(DATASET, encoder, "none", "scratch", "finetune", how, fold=0, seed=0) for how in LABELS]
        for encoder in ("fcn", "random_forest")
    ]
    failed = run_jobs(out, jobs, Settings(), processes=2)
    results = Results(out)
    write_tables(results)
    write_plots(results)
    print((out / f"{DATASET}.md").read_text())
    print(
        f"results.csv, spar.md, learning_curves.png and confusion_spar.png are in {out}/. Rows of pre-trained encoders"
    )
    print("join the same table: mujo evaluate --datasets spar --grid report")
    if failed:
        print(f"{len(failed)} runs failed; see {out / 'failures'}")
