"""What every training loop here shares: the budget, the schedule, one thread, and a loss that is a number."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn

from mujo.errors import ConfigError, TrainingError


@dataclass(frozen=True)
class Budget:
    """How long and how fast to train; the same for an encoder from scratch and a pre-trained one.

    Parameters
    ----------
    epochs : passes over the windows, within the two limits below
    least_steps, most_steps : limits of the number of optimiser steps
    batch : windows a step (fewer if there are fewer)
    lr : highest learning rate (AdamW; linear warm-up over a tenth, then cosine to zero)
    encoder_lr : share of `lr` for the weights of a pre-trained encoder
    weight_decay : of AdamW
    dropout : before the classifier
    smoothing : of the labels
    """

    epochs: float = 30.0
    least_steps: int = 150
    most_steps: int = 600
    batch: int = 64
    lr: float = 3e-3
    encoder_lr: float = 0.3
    weight_decay: float = 0.01
    dropout: float = 0.2
    smoothing: float = 0.05

    def __post_init__(self) -> None:
        if not (
            self.epochs > 0 and 1 <= self.least_steps <= self.most_steps and self.batch >= 2 and self.lr > 0
        ):
            raise ConfigError(f"{self}: wanted positive epochs, steps, lr and a batch of two or more")

    def steps(self, windows: int) -> int:
        """Optimiser steps for so many windows."""
        wanted = round(self.epochs * windows / self.batch)
        return min(max(wanted, self.least_steps), self.most_steps)


DEFAULT = Budget()


@contextmanager
def one_thread() -> Iterator[None]:
    """Run torch on one thread: for small networks the fastest, and the same bits on every machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def seeded(seed: int) -> Iterator[Generator]:
    """Torch's global state seeded for the block and put back after it; yields a generator of its own."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield Generator().manual_seed(seed)


def schedule(optimiser: torch.optim.Optimizer, step: int, steps: int) -> None:
    """Set the learning rates for a step: linear warm-up over a tenth, then cosine to zero."""
    warm = max(1, steps // 10)
    share = (
        (step + 1) / warm
        if step < warm
        else 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))
    )
    for group in optimiser.param_groups:
        group["lr"] = share * group["peak"]


def adamw(groups: list[tuple[nn.Module, float]], weight_decay: float) -> torch.optim.AdamW:
    """AdamW over modules, each with its peak learning rate."""
    listed = [
        {"params": list(m.parameters()), "lr": lr, "peak": lr}
        for m, lr in groups
        if any(True for _ in m.parameters())
    ]
    return torch.optim.AdamW(listed, weight_decay=weight_decay, fused=True)


def descend(optimiser: torch.optim.Optimizer, loss: Tensor, step: int) -> float:
    """One step down.

    Raises
    ------
    TrainingError
        If the loss is not finite; the weights are still those of the step before.
    """
    value = check_loss(loss, step)
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    params = [p for g in optimiser.param_groups for p in g["params"]]
    nn.utils.clip_grad_norm_(params, 5.0, foreach=True)
    optimiser.step()
    return value


def check_loss(loss: Tensor, step: int) -> float:
    """The loss as a number.

    Raises
    ------
    TrainingError
        If it is not finite.
    """
    value = float(loss.detach())
    if not math.isfinite(value):
        raise TrainingError(
            f"the loss became {value} at step {step}; the weights of the step before are kept"
        )
    return value
