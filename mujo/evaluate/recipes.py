"""How what was pre-trained meets labels: one rule for all data sets, a function of labelled recordings a class.

Which of the candidates is used was decided on training people alone (`mujo.evaluate.selection`, docs/selection.md).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mujo.augment import Augmentation
from mujo.encoders import Encoder
from mujo.finetune import Beside, Classifier, Recipe, train_classifier
from mujo.joint.zeroshot import Names
from mujo.training import DEFAULT, Budget


@dataclass(frozen=True)
class Rule:
    """One way to go from a joint space and labels to a classifier.

    Parameters
    ----------
    encoder_lr : learning rate of the encoder, as a share of the classifier's
    beside : weight of the simulated windows' loss (1: of the labelled windows) where one recording a class is labelled;
        with n it is divided by n
    until : with more labelled recordings a class than this, simulated windows are left out
    names : what the classes' names say is added to the scores, as much as it fits the labelled windows
    names_until : with more labelled recordings a class than this, names are left out
    probed : the classifier starts as a fitted probe (else fresh)
    blended : the weights in the end are n / (n + 1) of the way from the pre-trained ones
    """

    encoder_lr: float = 1.0
    beside: float = 1.0
    until: float = 3.0
    names: bool = False
    names_until: float = 10.0
    probed: bool = False
    blended: bool = False


CANDIDATES = {
    "probe first, lr 0.3, beside 0.3, weights blended": Rule(0.3, 0.3, probed=True, blended=True),
    "probe first, lr 0.3, beside 0.3, weights blended, names": Rule(
        0.3, 0.3, names=True, probed=True, blended=True
    ),
    "probe first, lr 0.3, beside 1": Rule(0.3, 1.0, probed=True),
    "lr 1": Rule(1.0, 0.0),
    "lr 1, beside 1": Rule(1.0, 1.0),
    "lr 1, names": Rule(1.0, 0.0, names=True),
    "lr 1, beside 0.3, names": Rule(1.0, 0.3, names=True),
    "lr 1, beside 1, names": Rule(1.0, 1.0, names=True),
}
CHOSEN = "lr 1, beside 0.3, names"


PROBE = Rule(names=True, names_until=math.inf)
"""Of the frozen probe; simulated windows are kept in where the run says so."""


@dataclass(frozen=True)
class Labels:
    """Labelled windows of a data set.

    Attributes
    ----------
    X : (N, C, T) · m/s², rad/s
    y : (N,)
    recordings : how many they come from
    a_class : labelled recordings a class, at least 1
    """

    X: NDArray[np.float32]
    y: NDArray[np.int64]
    recordings: int

    @property
    def a_class(self) -> float:
        """Labelled recordings a class."""
        return max(1.0, self.recordings / len(np.unique(self.y)))


def fit(
    rule: Rule,
    encoder: Encoder,
    labels: Labels,
    simulated: tuple[NDArray[np.float32], NDArray[np.int64]] | None,
    names: Names | None,
    *,
    augmentation: Augmentation,
    pretrained: bool = True,
    budget: Budget = DEFAULT,
    **options: Any,
) -> Classifier:
    """Train by a rule.

    Parameters
    ----------
    encoder : pre-trained, or fresh with ``pretrained=False`` (then the rule says how simulated windows are weighed)
    simulated : windows (M, C, T) and classes (M,), or None: without; those of classes that are not labelled are left
        out (a data set may have classes that this sensor does not see, and they must not be guessed)
    names : of the joint space, with statistics of unlabelled windows; or None: without
    augmentation : of the simulated windows
    options : of `mujo.finetune.train_classifier`
    """
    beside = None
    if rule.beside and labels.a_class <= rule.until and simulated is not None:
        X, y = np.asarray(simulated[0]), np.asarray(simulated[1])
        known = np.isin(y, labels.y)
        if known.any():
            beside = Beside(X[known], y[known], rule.beside / labels.a_class, augmentation)
    if pretrained:
        options["recordings"] = labels.recordings
        blend = labels.a_class / (labels.a_class + 1.0) if rule.blended else 1.0
        options["recipe"] = Recipe(blend=blend, probed=rule.probed)
        if rule.names and labels.a_class <= rule.names_until and names is not None:
            options["hint"] = names.fitted(labels.X, labels.y)
    return train_classifier(
        encoder, labels.X, labels.y, pretrained=pretrained, budget=replace(budget, encoder_lr=rule.encoder_lr),
        beside=beside, **options,
    )  # fmt: skip
