"""From labelled windows to a classifier: probe, fine-tuning, or from scratch; one readable loop."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mujo.augment import LIGHT, NOTHING, Augmentation
from mujo.encoders import Encoder, one_by_one
from mujo.errors import ConfigError, ShapeError, SplitError
from mujo.layout import Layout
from mujo.training import DEFAULT, Budget, adamw, descend, one_thread, schedule, seeded

MODES = ("finetune", "probe")
_EVAL_BATCH = 512


@dataclass(frozen=True)
class Classifier:
    """An encoder with a linear head over the features of all sensors of a window.

    Attributes
    ----------
    encoder, head : in evaluation mode
    layout : of the channels
    centre, scale : (D,) the features are standardised with these (probe) or 0 and 1
    history : loss by step
    """

    encoder: Encoder
    head: nn.Linear
    layout: Layout
    centre: Tensor
    scale: Tensor
    history: tuple[float, ...] = ()

    def predict_proba(self, X: NDArray[np.float32]) -> NDArray[np.float64]:
        """Class probabilities (N, K) of windows (N, C, T) · m/s², rad/s."""
        with torch.no_grad(), one_thread():
            found = (features(self.encoder, X, self.layout) - self.centre) / self.scale
            return torch.softmax(self.head(found).double(), dim=1).numpy()

    def predict(self, X: NDArray[np.float32]) -> NDArray[np.int64]:
        """Most probable class (N,) of windows (N, C, T)."""
        return self.predict_proba(X).argmax(axis=1)


def train_classifier(
    encoder: Encoder,
    X: NDArray[np.float32],
    y: NDArray[np.int64],
    *,
    n_classes: int,
    layout: Layout,
    mode: str = "finetune",
    pretrained: bool = False,
    budget: Budget = DEFAULT,
    augmentation: Augmentation = LIGHT,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Classifier:
    """Train a classifier on labelled windows.

    Parameters
    ----------
    encoder : is copied, not changed; its weights are where training starts ("from scratch": fresh ones)
    X : (N, C, T) · m/s², rad/s · device axes
    y : (N,) class indices
    n_classes : K; classes without a window are never predicted
    layout : of the C channels

    Other Parameters
    ----------------
    mode : "finetune": all weights; a pre-trained encoder starts behind a fitted probe and moves slower. "probe": the
        encoder stays as it is, logistic regression on its standardised features
    pretrained : whether the encoder's weights mean something
    budget, augmentation : of the loop
    seed : same seed, same bits
    progress : called with (step, steps)

    Raises
    ------
    ShapeError, SplitError, ConfigError
        On arrays that do not fit, NaN, fewer than two classes.
    TrainingError
        If the loss becomes NaN.

    Notes
    -----
    Every step draws the classes with equal probability and then windows of the class: macro-F1 counts classes, not
    windows. The number of steps depends on the number of windows only (`Budget.steps`): nothing is selected, so no
    window is held out. Fine-tuning behind a probe: Kumar et al. 2022.
    """
    if mode not in MODES:
        raise ConfigError(f"mode={mode!r}: wanted one of {', '.join(MODES)}")
    _check(X, y, n_classes, layout)
    encoder = copy.deepcopy(encoder)
    with one_thread(), seeded(seed) as generator:
        windows = torch.from_numpy(np.ascontiguousarray(X, dtype=np.float32))
        labels = torch.from_numpy(np.asarray(y, dtype=np.int64))
        present = torch.zeros(n_classes, dtype=torch.bool)
        present[labels] = True
        width = encoder.width * len(layout.places)
        head = nn.Linear(width, n_classes)
        centre, scale = torch.zeros(width), torch.ones(width)
        if mode == "probe" or pretrained:
            found = features(encoder, X, layout)
            centre, scale = found.mean(dim=0), found.std(dim=0, correction=0).clamp_min(1e-6)
            _fit_probe(head, (found - centre) / scale, labels)
        history: tuple[float, ...] = ()
        if mode == "finetune":
            if pretrained:
                with (
                    torch.no_grad()
                ):  # fold the standardisation into the head, which then moves with the encoder
                    head.weight /= scale
                    head.bias -= head.weight @ centre
                centre, scale = torch.zeros(width), torch.ones(width)
            history = _descend(
                encoder,
                head,
                windows,
                labels,
                layout,
                present,
                pretrained,
                budget,
                augmentation,
                generator,
                progress,
            )
        with torch.no_grad():
            head.bias[~present] = -1e4
    encoder.eval()
    head.eval()
    return Classifier(encoder, head.requires_grad_(False), layout, centre, scale, history)


def features(encoder: Encoder, X: NDArray[np.float32], layout: Layout) -> Tensor:
    """Features (N, S · width) of windows (N, C, T), the encoder in evaluation mode."""
    encoder.eval()
    out = []
    with torch.no_grad():
        for i in range(0, len(X), _EVAL_BATCH):
            part = torch.from_numpy(np.ascontiguousarray(X[i : i + _EVAL_BATCH], dtype=np.float32))
            out.append(encoder(one_by_one(part, layout)).reshape(len(part), -1))
    return torch.cat(out)


def _descend(
    encoder: Encoder,
    head: nn.Linear,
    windows: Tensor,
    labels: Tensor,
    layout: Layout,
    present: Tensor,
    pretrained: bool,
    budget: Budget,
    augmentation: Augmentation,
    generator: torch.Generator,
    progress: Callable[[int, int], None] | None,
) -> tuple[float, ...]:
    draw = _BalancedDraw(labels, generator)
    batch = min(budget.batch, max(16, len(windows)))
    steps = budget.steps(len(windows))
    optimiser = adamw(
        [(encoder, budget.lr * (budget.encoder_lr if pretrained else 1.0)), (head, budget.lr)],
        budget.weight_decay,
    )
    lost = nn.CrossEntropyLoss(label_smoothing=budget.smoothing)
    drop = nn.Dropout(budget.dropout)
    renumbered = present.cumsum(0) - 1  # labels are smoothed over the classes that exist
    inputs = one_by_one(windows, layout).unflatten(0, (len(windows), -1))  # once, not at every step
    history = []
    encoder.train()
    for step in range(steps):
        schedule(optimiser, step, steps)
        chosen = draw(batch)
        x = inputs[chosen].flatten(0, 1)
        if augmentation != NOTHING:
            x = augmentation(x, generator)
        scores = head(drop(encoder(x).reshape(batch, -1)))
        loss = lost(scores[:, present], renumbered[labels[chosen]])
        history.append(descend(optimiser, loss, step))
        if progress is not None:
            progress(step + 1, steps)
    return tuple(history)


class _BalancedDraw:
    """Draws windows so that all classes come equally often."""

    def __init__(self, labels: Tensor, generator: torch.Generator) -> None:
        order = torch.argsort(labels, stable=True)
        _, counts = torch.unique_consecutive(labels[order], return_counts=True)
        self.order, self.counts, self.generator = order, counts, generator
        self.first = torch.cumsum(counts, 0) - counts

    def __call__(self, batch: int) -> Tensor:
        which = torch.randint(len(self.counts), (batch,), generator=self.generator)
        share = torch.rand(batch, generator=self.generator, dtype=torch.float64)
        return self.order[self.first[which] + (share * self.counts[which]).long()]


def _fit_probe(head: nn.Linear, found: Tensor, labels: Tensor) -> None:
    """Logistic regression (L2, classes weighted equally) by L-BFGS: convex, so the start does not matter."""
    classes, counts = torch.unique(labels, return_counts=True)
    weight = torch.zeros(head.out_features)
    weight[classes] = len(labels) / (len(classes) * counts.to(weight))
    with torch.no_grad():
        head.weight.zero_()
        head.bias.zero_()
    optimiser = torch.optim.LBFGS(head.parameters(), max_iter=100, line_search_fn="strong_wolfe")
    penalty = 1.0 / len(labels)

    def cost() -> Tensor:
        optimiser.zero_grad()
        loss = (
            nn.functional.cross_entropy(head(found), labels, weight=weight)
            + 0.5 * penalty * head.weight.square().sum()
        )
        loss.backward()
        return loss

    optimiser.step(cost)


def _check(X: NDArray, y: NDArray, n_classes: int, layout: Layout) -> None:
    if X.ndim != 3 or len(X) != len(y) or X.shape[1] != layout.channels:
        raise ShapeError(
            f"X has shape {X.shape} and y {np.shape(y)}: wanted (N, {layout.channels}, T) windows and (N,) labels"
        )
    if not np.isfinite(X).all():
        raise ShapeError(
            f"X has {int((~np.isfinite(X)).any(axis=(1, 2)).sum())} windows with NaN or Inf: leave them out"
        )
    if len(y) and (np.min(y) < 0 or np.max(y) >= n_classes):
        raise ShapeError(f"labels go from {np.min(y)} to {np.max(y)}: wanted 0 to {n_classes - 1}")
    if len(np.unique(y)) < 2:
        raise SplitError(f"the training windows have {len(np.unique(y))} class(es); two or more are needed")
