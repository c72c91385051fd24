"""From labelled windows to a classifier: probe, fine-tuning, or from scratch; one readable loop."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mujo.augment import LIGHT, NOTHING, WORN, Augmentation
from mujo.encoders import Encoder, one_by_one
from mujo.errors import ConfigError, ShapeError, SplitError
from mujo.layout import Layout
from mujo.training import DEFAULT, Budget, adamw, descend, one_thread, schedule, seeded

MODES = ("finetune", "probe")
_EVAL_BATCH = 512


@dataclass(frozen=True)
class Beside:
    """Simulated windows that are trained on beside the real ones, with the classes they show.

    Parameters
    ----------
    X : (M, C, T) · the channels of the real windows, NaN nowhere
    y : (M,) class indices; classes without a simulated window are not guessed for simulated ones
    weight : of their loss, beside 1 of the real windows' loss
    augmentation : what they undergo
    """

    X: NDArray[np.float32]
    y: NDArray[np.int64]
    weight: float = 1.0
    augmentation: Augmentation = WORN


@dataclass(frozen=True)
class Recipe:
    """How not to forget what was pre-trained.

    Parameters
    ----------
    pull : of the weights towards where they started (L2-SP, Li et al. 2018), per unit of squared distance
    blend : share of the fine-tuned weights in the end, the rest is where they started (Wortsman et al. 2022)
    probed : fine-tuning starts behind a fitted probe (Kumar et al. 2022); a probe that fits few windows perfectly leaves
        nothing to learn from, a fresh head does not
    """

    pull: float = 0.0
    blend: float = 1.0
    probed: bool = True

    def __post_init__(self) -> None:
        if not (self.pull >= 0.0 and 0.0 <= self.blend <= 1.0):
            raise ConfigError(f"{self}: wanted pull of 0 or more, blend between 0 and 1")


PLAIN = Recipe()


@dataclass(frozen=True)
class Classifier:
    """An encoder with a linear head over the features of all sensors of a window.

    Attributes
    ----------
    encoder, head : in evaluation mode
    layout : of the channels
    centre, scale : (D,) the features are standardised with these (probe) or 0 and 1
    history : loss by step
    hint : scores (N, K) of windows that are added to the head's, or None
    """

    encoder: Encoder
    head: nn.Linear
    layout: Layout
    centre: Tensor
    scale: Tensor
    history: tuple[float, ...] = ()
    hint: Callable[[NDArray[np.float32]], Tensor] | None = None

    def predict_proba(self, X: NDArray[np.float32]) -> NDArray[np.float64]:
        """Class probabilities (N, K) of windows (N, C, T) · m/s², rad/s."""
        with torch.no_grad(), one_thread():
            found = (features(self.encoder, X, self.layout) - self.centre) / self.scale
            scores = self.head(found).double()
            if self.hint is not None:
                scores = scores + self.hint(X)
            return torch.softmax(scores, dim=1).numpy()

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
    beside: Beside | None = None,
    recipe: Recipe = PLAIN,
    hint: Callable[[NDArray[np.float32]], Tensor] | None = None,
    recordings: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Classifier:
    """Train a classifier on labelled windows.

    Parameters
    ----------
    encoder : is copied, not changed; its weights are where training starts ("from scratch": fresh ones)
    X : (N, C, T) · m/s², rad/s · device axes
    y : (N,) class indices
    n_classes : K; classes without a window, real or simulated, are never predicted
    layout : of the C channels

    Other Parameters
    ----------------
    mode : "finetune": all weights; a pre-trained encoder starts behind a fitted probe (unless the recipe says
        otherwise) and moves slower. "probe": the
        encoder stays as it is, logistic regression on its standardised features
    pretrained : whether the encoder's weights mean something
    budget, augmentation : of the loop
    seed : same seed, same bits
    beside : simulated windows with classes ("simulated and real together"); the probe is fitted on both, every step
        of fine-tuning takes a batch of each
    recipe : how a pre-trained encoder is kept from forgetting
    hint : what is known of windows before any label, as scores (N, K) up to a constant (such as
        `mujo.joint.zeroshot.Names`): they are added to the head's, which learns what they leave unexplained
    recordings : how many the windows come from: the probe's weights are held back as by so many examples, since
        windows of one recording are much alike. None: as many as windows
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
        given = torch.zeros(len(windows), n_classes) if hint is None else hint(X)
        centre, scale = torch.zeros(width), torch.ones(width)
        if mode == "probe" or (pretrained and recipe.probed):
            found = features(encoder, X, layout)
            centre, scale = found.mean(dim=0), found.std(dim=0, correction=0).clamp_min(1e-6)
            probed = _simulated(encoder, beside, layout, n_classes)
            _fit_probe(
                head, (found - centre) / scale, labels, given, 1.0 / (recordings or len(windows)), probed
            )
        history: tuple[float, ...] = ()
        if mode == "finetune":
            with torch.no_grad():  # fold the standardisation into the head, which then moves with the encoder
                head.weight /= scale
                head.bias -= head.weight @ centre
            centre, scale = torch.zeros(width), torch.ones(width)
            start = copy.deepcopy(encoder.state_dict())
            history = _descend(
                encoder, head, windows, labels, given, layout, present, pretrained, budget, augmentation, generator,
                progress, beside, recipe,
            )  # fmt: skip
            if pretrained and recipe.blend < 1.0:
                now = encoder.state_dict()
                mixed = {
                    k: torch.lerp(start[k], v, recipe.blend) if v.is_floating_point() else v
                    for k, v in now.items()
                }
                encoder.load_state_dict(mixed)
        if beside is not None:
            present[torch.from_numpy(np.unique(beside.y))] = True
        with torch.no_grad():
            head.bias[~present] = -1e4
    encoder.eval()
    head.eval()
    return Classifier(encoder, head.requires_grad_(False), layout, centre, scale, history, hint)


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
    given: Tensor,
    layout: Layout,
    present: Tensor,
    pretrained: bool,
    budget: Budget,
    augmentation: Augmentation,
    generator: torch.Generator,
    progress: Callable[[int, int], None] | None,
    beside: Beside | None,
    recipe: Recipe,
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
    extra = None if beside is None else _Extra(beside, layout, len(present), generator)
    anchors = [(p, p.detach().clone()) for p in encoder.parameters()] if pretrained and recipe.pull else []
    encoder.train()
    for step in range(steps):
        schedule(optimiser, step, steps)
        chosen = draw(batch)
        x = inputs[chosen].flatten(0, 1)
        if augmentation != NOTHING:
            x = augmentation(x, generator)
        scores = head(drop(encoder(x).reshape(batch, -1))) + given[chosen]
        loss = lost(scores[:, present], renumbered[labels[chosen]])
        if extra is not None:
            x, shown = extra(batch)
            with _statistics_kept(encoder):
                scores = head(drop(encoder(x).reshape(batch, -1)))
            loss = loss + extra.weight * lost(scores[:, extra.present], shown)
        if anchors:
            loss = loss + recipe.pull * torch.stack([(p - a).square().sum() for p, a in anchors]).sum()
        history.append(descend(optimiser, loss, step))
        if progress is not None:
            progress(step + 1, steps)
    return tuple(history)


class _Extra:
    """Draws simulated windows, classes equally often."""

    def __init__(self, beside: Beside, layout: Layout, classes: int, generator: torch.Generator) -> None:
        labels = torch.from_numpy(np.asarray(beside.y, dtype=np.int64))
        self.present = torch.zeros(classes, dtype=torch.bool)
        self.present[labels] = True
        self.labels = (self.present.cumsum(0) - 1)[labels]
        windows = torch.from_numpy(np.ascontiguousarray(beside.X, dtype=np.float32))
        self.inputs = one_by_one(windows, layout).unflatten(0, (len(windows), -1))
        self.draw = _BalancedDraw(labels, generator)
        self.weight, self.augmentation, self.generator = beside.weight, beside.augmentation, generator

    def __call__(self, batch: int) -> tuple[Tensor, Tensor]:
        """Inputs (batch · S, 8, T) and classes (batch,), numbered among those that have simulated windows."""
        chosen = self.draw(batch)
        return self.augmentation(self.inputs[chosen].flatten(0, 1), self.generator), self.labels[chosen]


@contextmanager
def _statistics_kept(encoder: nn.Module) -> Iterator[None]:
    """Batch normalisation takes the batch's statistics in the block, but does not remember them: those that are used
    in the end are the real windows'."""
    layers = [m for m in encoder.modules() if isinstance(m, nn.BatchNorm1d)]
    before = [m.momentum for m in layers]
    for m in layers:
        m.momentum = 0.0
    yield
    for m, momentum in zip(layers, before, strict=True):
        m.momentum = momentum


def _simulated(
    encoder: Encoder, beside: Beside | None, layout: Layout, classes: int
) -> tuple[Tensor, Tensor, float] | None:
    """Features, classes and weight of the simulated windows, for the probe: standardised by themselves, since what
    differs between simulated and real features as a whole says nothing about classes."""
    if beside is None:
        return None
    if beside.X.ndim != 3 or beside.X.shape[1] != layout.channels or len(beside.X) != len(beside.y):
        raise ShapeError(
            f"simulated windows {beside.X.shape}, classes {np.shape(beside.y)}: wanted (M, {layout.channels}, T)"
        )
    found = features(encoder, beside.X, layout)
    found = (found - found.mean(dim=0)) / found.std(dim=0, correction=0).clamp_min(1e-6)
    return found, torch.from_numpy(np.asarray(beside.y, dtype=np.int64)), beside.weight


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


def _fit_probe(
    head: nn.Linear,
    found: Tensor,
    labels: Tensor,
    given: Tensor,
    penalty: float,
    beside: tuple[Tensor, Tensor, float] | None = None,
) -> None:
    """Logistic regression (L2, classes weighted equally) by L-BFGS: convex, so the start does not matter."""
    weight = _equal(labels, head.out_features)
    other = None if beside is None else _equal(beside[1], head.out_features)
    with torch.no_grad():
        head.weight.zero_()
        head.bias.zero_()
    optimiser = torch.optim.LBFGS(head.parameters(), max_iter=100, line_search_fn="strong_wolfe")

    def cost() -> Tensor:
        optimiser.zero_grad()
        loss = nn.functional.cross_entropy(head(found) + given, labels, weight=weight)
        if beside is not None:
            loss = loss + beside[2] * nn.functional.cross_entropy(head(beside[0]), beside[1], weight=other)
        loss = loss + 0.5 * penalty * head.weight.square().sum()
        loss.backward()
        return loss

    optimiser.step(cost)


def _equal(labels: Tensor, classes: int) -> Tensor:
    """Weights (K,) that make the classes count equally."""
    present, counts = torch.unique(labels, return_counts=True)
    weight = torch.zeros(classes)
    weight[present] = len(labels) / (len(present) * counts.to(weight))
    return weight


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
