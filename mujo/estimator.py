"""The scikit-learn face: `HARClassifier`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from mujo.errors import ShapeError, SplitError


class HARClassifier(ClassifierMixin, BaseEstimator):
    """Activity recognition from windows of inertial signals; works in pipelines and with `GroupKFold`.

    Parameters
    ----------
    encoder : a file (``.safetensors``), an `Encoder`, or a name ("fcn", "resnet1d", ...) to train from scratch
    freeze : keep a pre-trained encoder as it is and fit a linear probe
    channels : C names such as "wrist.acc.x"; None: 3 channels are acc, 6 a sensor are acc and gyro
    budget : `mujo.training.Budget`, None for the default
    seed : same seed, same bits

    Attributes
    ----------
    classes_ : (K,) labels as given
    classifier_ : the trained `mujo.finetune.Classifier`

    Examples
    --------
    >>> from sklearn.model_selection import GroupKFold, cross_val_score
    >>> cross_val_score(HARClassifier(), X, y, groups=person, cv=GroupKFold(5))  # doctest: +SKIP
    """

    def __init__(
        self,
        encoder: Any = "fcn",
        *,
        freeze: bool = False,
        channels: Sequence[str] | None = None,
        budget: Any = None,
        seed: int = 0,
    ) -> None:
        self.encoder = encoder
        self.freeze = freeze
        self.channels = channels
        self.budget = budget
        self.seed = seed

    def fit(self, X: ArrayLike, y: ArrayLike, groups: ArrayLike | None = None) -> HARClassifier:
        """Train on windows (N, C, T) · m/s², rad/s · device axes, and their labels (N,) of any type.

        `groups` (N,), the people, are not needed to train; they are checked for length and taken so that
        scikit-learn's tools can pass them.

        Raises
        ------
        ShapeError, SplitError
        """
        from mujo.finetune import train_classifier
        from mujo.training import DEFAULT

        X = self._windows(X)
        y = np.asarray(y)
        if y.shape != (len(X),) or (groups is not None and np.shape(groups) != y.shape):
            raise ShapeError(
                f"{len(X)} windows, labels {y.shape}, groups {np.shape(groups)}: wanted one each"
            )
        self.classes_, numbers = np.unique(y, return_inverse=True)
        if self.classes_.size < 2:
            raise SplitError(f"all labels are {self.classes_.tolist()}; two classes or more are needed")
        self.n_features_in_ = X.shape[1]
        net, pretrained = self._encoder()
        self.classifier_ = train_classifier(
            net,
            X,
            numbers,
            n_classes=self.classes_.size,
            layout=self._layout(X.shape[1]),
            mode="probe" if self.freeze else "finetune",
            pretrained=pretrained,
            budget=self.budget or DEFAULT,
            seed=self.seed,
        )
        return self

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Probabilities (N, K) of `classes_`."""
        check_is_fitted(self, "classifier_")
        return self.classifier_.predict_proba(self._windows(X))

    def predict(self, X: ArrayLike) -> NDArray:
        """Labels (N,)."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def _encoder(self) -> tuple[Any, bool]:
        from mujo.checkpoint import load_encoder
        from mujo.encoders import build
        from mujo.training import seeded

        if isinstance(self.encoder, Path) or (
            isinstance(self.encoder, str) and self.encoder.endswith(".safetensors")
        ):
            return load_encoder(self.encoder)[0], True
        if isinstance(self.encoder, str):
            if self.freeze:
                raise ShapeError(
                    f"freeze=True with encoder={self.encoder!r}: fresh weights know nothing; give a file"
                )
            with seeded(self.seed):
                return build(self.encoder), False
        return self.encoder, True

    def _layout(self, channels: int) -> Any:
        from mujo.layout import Layout

        return Layout.guess(channels) if self.channels is None else Layout.of(list(self.channels))

    @staticmethod
    def _windows(X: ArrayLike) -> NDArray[np.float32]:
        windows = np.asarray(X, dtype=np.float32)
        if windows.ndim != 3:
            raise ShapeError(
                f"X has shape {windows.shape}: wanted windows (N, channels, time), not flattened"
            )
        return windows
