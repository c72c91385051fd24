"""The learning half's first minutes: simulated exercises pre-train an encoder, real ones with few labels test it."""

from __future__ import annotations

import time
from pathlib import Path

from mujo.evaluate import Results, Settings, write_plots, write_tables
from mujo.evaluate.plan import Run
from mujo.evaluate.runner import run_jobs
from mujo.splits import Labelled

DATASET = "spar"
LABELS = (Labelled(units=1), Labelled(0.1), Labelled(1.0))
STEPS = 0.4
"""Share of the usual numbers of steps."""


def demo(out: Path) -> None:
    """Pre-train on simulated smartwatches, then learn SPAR's exercises from 1 recording a class, 10 % and all.

    Raises
    ------
    ImusimError
        If the data cannot be had, or `out` cannot be written.
    """
    import imusim as im

    began = time.monotonic()
    print(
        "1/3  SPAR: seven shoulder exercises, ten people, a smartwatch (fetched once, then cached) ...",
        flush=True,
    )
    im.asset("spar")
    print(
        "2/3  made-up people do the movements of the embedded corpus, with simulated watches; pre-training on them,",
        flush=True,
    )
    print(
        "3/3  then learning from few real recordings, tested on people who were not trained on ...",
        flush=True,
    )
    settings = Settings(steps=STEPS)
    plain = [Run(DATASET, "fcn", "none", "scratch", "finetune", how, fold=0, seed=0) for how in LABELS]
    zero = Run(DATASET, "fcn", "mujo", "pretrained", "zeroshot", Labelled(1.0), 0, 0)
    mujo = [Run(DATASET, "fcn", "mujo", "pretrained", "finetune", how, 0, 0, "together") for how in LABELS]
    failed = run_jobs(out, [[zero, *mujo], plain], settings, processes=2)
    results = Results(out)
    write_tables(results)
    write_plots(results)
    print(side_by_side(results))
    print(
        f"rows, tables and pictures are in {out}/; {time.monotonic() - began:.0f} s. The whole of it, on four data sets:"
    )
    print("mujo evaluate --datasets spar,utd_mhad,mhealth,motionsense --grid results")
    if failed:
        print(f"{len(failed)} runs failed; see {out / 'failures'}")


def side_by_side(results: Results) -> str:
    """Macro-F1 from scratch and pre-trained, by how much is labelled."""
    score = {(r["mode"], r["init"], r["labelled"]): float(r["macro_f1"]) for r in results.rows()}
    units = {r["labelled"]: r["n_units"] for r in results.rows()}
    zero = score.get(("zeroshot", "pretrained", "f1"), float("nan"))
    lines = [
        "macro-F1 on two unseen people     from scratch    pre-trained on simulated signals",
        f"no label, by the names alone                 -          {zero:.3f}",
    ]
    for how in map(str, LABELS):
        pair = [score.get(("finetune", init, how), float("nan")) for init in ("scratch", "pretrained")]
        lines.append(
            f"{units.get(how, '?'):>4} labelled recordings                 {pair[0]:.3f}          {pair[1]:.3f}"
        )
    return "\n".join(lines)
