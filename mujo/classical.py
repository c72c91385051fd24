"""The classical baseline: statistics of every channel and a random forest."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def statistics(X: NDArray[np.float32], rate_hz: float) -> NDArray[np.float32]:
    """Features of windows (N, C, T): (N, F).

    Of each channel and of the norm of each triple: mean, standard deviation, least and greatest, quartiles, root mean
    square of the first difference, skewness, kurtosis, the strongest frequency and its share of the power, spectral
    entropy; and the correlations within each triple.
    """
    triples = X.reshape(len(X), -1, 3, X.shape[2]).astype(np.float64)
    norms = np.linalg.norm(triples, axis=2)
    x = np.concatenate([X.astype(np.float64), norms], axis=1)
    mean, sd = x.mean(axis=2), x.std(axis=2)
    centred = x - mean[..., None]
    unit = centred / np.maximum(sd, 1e-9)[..., None]
    power = np.abs(np.fft.rfft(centred * np.hanning(x.shape[2]), axis=2))[..., 1:] ** 2
    share = power / np.maximum(power.sum(axis=2, keepdims=True), 1e-12)
    frequency = np.fft.rfftfreq(x.shape[2], 1.0 / rate_hz)[1:]
    entropy = -(share * np.log(np.maximum(share, 1e-12))).sum(axis=2)
    turned = triples - triples.mean(axis=3, keepdims=True)
    turned /= np.maximum(triples.std(axis=3, keepdims=True), 1e-9)
    pairs = [(turned[:, :, a] * turned[:, :, b]).mean(axis=2) for a, b in ((0, 1), (0, 2), (1, 2))]
    columns = [
        mean, sd, x.min(axis=2), x.max(axis=2), *np.quantile(x, [0.25, 0.5, 0.75], axis=2),
        np.sqrt((np.diff(x, axis=2) ** 2).mean(axis=2)), (unit**3).mean(axis=2), (unit**4).mean(axis=2),
        frequency[power.argmax(axis=2)], share.max(axis=2), entropy, *pairs,
    ]  # fmt: skip
    return np.concatenate(columns, axis=1).astype(np.float32)


def forest(
    found: NDArray[np.float32], y: NDArray[np.int64], test: NDArray[np.float32], seed: int
) -> NDArray[np.int64]:
    """Train a random forest (Breiman 2001; 200 trees, classes weighted equally) on features, and guess."""
    from sklearn.ensemble import RandomForestClassifier

    model = RandomForestClassifier(200, class_weight="balanced_subsample", random_state=seed, n_jobs=1)
    return model.fit(found, y).predict(test)
