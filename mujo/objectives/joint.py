"""MuJo's joint space: symmetric contrastive losses over all pairs of modalities, some of which may be missing."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

import torch
from torch import Tensor


def all_pairs(
    embedded: Mapping[str, Tensor],
    present: Mapping[str, Tensor],
    alike: Tensor,
    scale: Tensor,
    pairs: tuple[tuple[str, str], ...] | None = None,
) -> tuple[Tensor, dict[str, Tensor]]:
    """Mean over the pairs of modalities that occur in the batch of the symmetric contrastive loss (Radford et al. 2021).

    Parameters
    ----------
    embedded : modality → (B, D), unit vectors; rows of what is missing may hold anything finite
    present : modality → (B,) bool
    alike : (B, B) bool, symmetric: which windows say the same (equal texts); a window is alike to itself
    scale : one over the temperature
    pairs : which pairs count; None: all

    Returns
    -------
    loss : scalar; 0 if no pair has two windows that differ
    by_pair : "imu-text" → its loss

    Notes
    -----
    Towards or from text, all windows with the equal text are positives, in equal parts (Khosla et al. 2020, their
    outer sum). Between other modalities a window's own partner is the positive, and windows that say the same are
    neither positive nor negative. A row without any negative says nothing and is left out.
    """
    by_pair = {}
    for a, b in combinations(embedded, 2) if pairs is None else pairs:
        rows = torch.nonzero(present[a] & present[b]).squeeze(1)
        if len(rows) < 2:
            continue
        same = alike[rows][:, rows]
        informative = ~same.all(dim=1)
        if not bool(informative.any()):
            continue
        likeness = scale * embedded[a][rows] @ embedded[b][rows].T
        loss = one_pair(likeness, same, several="text" in (a, b), informative=informative)
        by_pair[f"{a}-{b}"] = loss
    if not by_pair:
        return scale.new_zeros(()), {}
    return torch.stack(list(by_pair.values())).mean(), by_pair


def one_pair(likeness: Tensor, same: Tensor, several: bool, informative: Tensor) -> Tensor:
    """Symmetric loss of one pair of modalities.

    Parameters
    ----------
    likeness : (N, N), scaled cosines, rows one modality, columns the other
    same : (N, N) bool, which say the same
    several : all that say the same are positives (else the partner alone, the others are left out)
    informative : (N,) bool, rows that have a negative
    """
    own = torch.eye(len(likeness), dtype=torch.bool, device=likeness.device)
    positive = same if several else own
    weight = positive.to(likeness) / positive.sum(dim=1, keepdim=True)
    total = likeness.new_zeros(())
    for table in (likeness, likeness.T):
        seen = table if several else table.masked_fill(same & ~own, float("-inf"))
        log_p = (table - torch.logsumexp(seen, dim=1, keepdim=True)) * weight
        total = total - log_p.sum(dim=1)[informative].mean()
    return 0.5 * total
