"""Normalisation statistics of an encoder taken anew from unlabelled windows (Li et al. 2017, AdaBN)."""

from __future__ import annotations

import copy
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from mujo.encoders import Encoder, one_by_one
from mujo.errors import ConfigError
from mujo.layout import Layout
from mujo.training import one_thread

_BATCH = 256
_MOST = 4096
HALF = 0.5
"""Share of the unlabelled windows where they may show other movements, or in other shares, than the corpus."""
E = TypeVar("E", bound=Encoder)


def adapt_statistics(
    encoder: E, X: NDArray[np.float32], layout: Layout, seed: int = 0, share: float = 1.0
) -> E:
    """A copy of the encoder whose batch normalisation has the means and variances of these windows.

    What simulated and real signals differ in as a whole (their noise, their bandwidth) is taken out layer by layer. An
    encoder without batch normalisation is returned as it is.

    Parameters
    ----------
    X : (N, C, T) · m/s², rad/s · windows of training people, no labels
    layout : of the channels
    seed : of the order
    share : of these windows in the statistics; the rest is what the encoder was trained on: means and variances are
        those of a mixture of the two

    Raises
    ------
    ConfigError
        If the share is not between 0 and 1.
    """
    if not 0.0 <= share <= 1.0:
        raise ConfigError(f"share={share}: wanted 0 to 1")
    encoder = copy.deepcopy(encoder)
    layers = [m for m in encoder.modules() if isinstance(m, nn.BatchNorm1d)]
    if not layers or len(X) < 2:
        return encoder
    order = np.random.default_rng(seed).permutation(len(X))[:_MOST]
    before = [(m.momentum, m.running_mean.clone(), m.running_var.clone()) for m in layers]
    for m in layers:
        m.reset_running_stats()
        m.momentum = None  # plain average over the batches
    encoder.train()
    with torch.no_grad(), one_thread():
        for part in np.array_split(order, max(1, len(order) // _BATCH)):
            encoder(one_by_one(torch.from_numpy(np.ascontiguousarray(X[part], np.float32)), layout))
    for m, (momentum, mean, var) in zip(layers, before, strict=True):
        m.momentum = momentum
        apart = m.running_mean - mean
        m.running_mean = mean + share * apart
        m.running_var = (1.0 - share) * var + share * m.running_var + share * (1.0 - share) * apart.square()
    return encoder.eval()
