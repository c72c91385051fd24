"""`mujo pretrain`: a corpus, a joint space, what is told to people."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from mujo.augment import WORN
from mujo.corpus.corpora import read_clips
from mujo.joint.pretrain import JointSettings, pretrain_joint


def pretrain_once(
    corpora: Sequence[str],
    placements: Sequence[str],
    modalities: Sequence[str],
    encoder: str,
    per_movement: int,
    steps: int,
    batch: int,
    mounting: str,
    seed: int,
    out: Path,
) -> str:
    """Pre-train, or go on; returns what to tell people.

    Raises
    ------
    ImusimError
        Of any kind: an unreadable corpus, a folder of another run, a loss that is not finite.
    """
    from tqdm import tqdm

    clips = read_clips(corpora, placements=placements, per_movement=per_movement, seed=seed)
    settings = JointSettings(
        encoder=encoder,
        modalities=tuple(modalities),
        placements=tuple(placements),
        steps=steps,
        batch=batch,
        augmentation=replace(WORN, rotation_deg=180.0) if mounting == "any" else WORN,
        seed=seed,
    )
    with tqdm(desc="pretrain", unit="step", total=steps, disable=None, leave=False) as bar:
        pretrain_joint(
            clips, out, settings, corpus=", ".join(corpora), progress=lambda step, _: bar.update(step - bar.n)
        )
    rows = list(csv.DictReader(io.StringIO((out / "retrieval.csv").read_text())))
    names = "encoder.safetensors, joint.safetensors, retrieval.csv, log.csv, README.md"
    return "\n".join([f"{len(clips)} clips; on held-out groups:", *_table(rows), f"wrote {names} in {out}/"])


def _table(rows: Sequence[Mapping[str, str]]) -> list[str]:
    """Recall at every k, chance in brackets, a line for each direction."""
    ranks = sorted({int(r["k"]) for r in rows})
    lines = ["given    find     " + "".join(f"R@{k} (chance)   " for k in ranks) + "clips"]
    ways = dict.fromkeys((r["asked"], r["wanted"]) for r in rows)
    for way in ways:
        mine = {int(r["k"]): r for r in rows if (r["asked"], r["wanted"]) == way}
        cells = [
            f"{float(mine[k]['recall']):.3f} ({float(mine[k]['chance']):.3f})".ljust(15)
            if k in mine
            else " " * 15
            for k in ranks
        ]
        clips = next(iter(mine.values()))["clips"]
        lines.append(f"{way[0]:8} {way[1]:8} " + "".join(cells) + clips)
    return lines
