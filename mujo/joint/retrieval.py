"""Retrieval between modalities: given one, is the other of the same clip among the first k?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path

import torch
from torch import Generator, Tensor

from mujo.files import write_whole
from mujo.joint.draw import WindowDraw
from mujo.joint.model import JointModel

RANKS = (1, 5, 10)


@dataclass(frozen=True)
class Retrieval:
    """One direction.

    Attributes
    ----------
    asked, wanted : modalities
    k : how many of the first count
    recall : share of the clips whose partner (or, to and from text, one that says the same) is among the first k
    chance : what a random order would have
    clips : how many, one window each
    """

    asked: str
    wanted: str
    k: int
    recall: float
    chance: float
    clips: int


def retrieval(model: JointModel, draw: WindowDraw, seed: int = 0) -> list[Retrieval]:
    """R@k between every two modalities, one window of every clip of `draw`, against chance."""
    generator = Generator().manual_seed(seed)
    model.eval()
    with torch.no_grad():
        batch = draw(torch.arange(len(draw)), generator)
        found = model(batch.inputs)
    rows = []
    for asked, wanted in permutations(found, 2):
        there = torch.nonzero(batch.present[asked] & batch.present[wanted]).squeeze(1)
        if len(there) < 2:
            continue
        likeness = found[asked][there] @ found[wanted][there].T
        right = (
            batch.alike[there][:, there]
            if "text" in (asked, wanted)
            else torch.eye(len(there), dtype=torch.bool)
        )
        for k in RANKS:
            if k < len(there):
                recall, chance = recall_at(likeness, right, k)
                rows.append(Retrieval(asked, wanted, k, recall, chance, len(there)))
    return rows


def recall_at(likeness: Tensor, right: Tensor, k: int) -> tuple[float, float]:
    """(recall, chance) at k of a table of likenesses (N, N), `right` (N, N) bool saying what counts as found.

    Chance is exact: 1 − C(N − m, k) / C(N, k) for a row with m right answers.
    """
    first = likeness.topk(k, dim=1).indices
    hit = right.gather(1, first).any(dim=1).double().mean()
    count = len(likeness)
    many = right.sum(dim=1).double()
    miss = torch.ones_like(many)
    for i in range(k):
        miss = miss * ((count - many - i).clamp_min(0) / (count - i))
    return float(hit), float((1 - miss).mean())


def write_retrieval(path: Path, rows: Sequence[Retrieval]) -> None:
    """Write a CSV."""
    lines = ["asked,wanted,k,recall,chance,clips"]
    lines += [f"{r.asked},{r.wanted},{r.k},{r.recall:.4f},{r.chance:.4f},{r.clips}" for r in rows]
    write_whole(path, "\n".join(lines) + "\n")
