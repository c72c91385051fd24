"""Cross-modal transfer on UTD-MHAD: training people's own Kinect motion, with its action names, teaches a wrist sensor.

Not the headline: the motion is the data set's own; delay and mounting are fitted on paired signals of training people.
21 wrist actions, acceleration only, four folds of two people, windows of 3 s (an action lasts about that).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mujo.augment import Augmentation
from mujo.corpus import Clip
from mujo.corpus.corpora import sentence_features
from mujo.corpus.kinect import PLACE, RATE_HZ, WRIST_ACTIONS, fit_alignment, kinect_clips, read_trials
from mujo.data import Windows, load
from mujo.encoders import build
from mujo.evaluate.plan import Run
from mujo.evaluate.recipes import PROBE, Labels, Rule, fit
from mujo.finetune import train_classifier
from mujo.joint.adapt import adapt_statistics
from mujo.joint.pretrain import JointSettings, pretrain_joint
from mujo.joint.targets import Target, class_texts, simulated_windows
from mujo.joint.zeroshot import Names, prototypes
from mujo.layout import Layout
from mujo.training import DEFAULT, seeded

WINDOW_S = 3.0
START_S = 0.4
"""Simulated windows begin within this of their recording's start: most recordings give one window, from their start."""
BAND_HZ = 5.0
"""What the joints resolve: the real signals are low-passed there too, for whatever was pre-trained on them."""
FOLDS = (("1", "2"), ("3", "4"), ("5", "6"), ("7", "8"))
STEPS, BATCH = 400, 128
WIDE = Augmentation(rotation_deg=40.0, around_deg=60.0, scale=0.15, noise=0.05, tempo=0.15, bias=0.03)
RULE = Rule(encoder_lr=0.3, beside=1.0, until=8.0, names=True, names_until=8.0)
"""Simulated windows are the same people's here: names and simulated windows both count."""


@lru_cache(maxsize=1)
def transfer_windows(root: str | None) -> Windows:
    """Windows of the wrist's acceleration."""
    return load("utd_mhad", root).windows(window_s=WINDOW_S, sensors=[PLACE], channels=("acc",))


@lru_cache(maxsize=2)
def fold_clips(root: str | None, fold: int) -> tuple[Clip, ...]:
    """Clips of the people who are not tested in the fold."""
    trials = [t for t in _trials(root) if t.person not in FOLDS[fold]]
    texts = {n: (said, sentence_features(said)) for n, (said, _) in class_texts("utd_mhad").items()}
    clips = kinect_clips(trials, fit_alignment(trials), texts)
    most = round((WINDOW_S + START_S) * RATE_HZ)
    return tuple(replace(c, imu=c.imu[:most], pose=c.pose[:most]) for c in clips)


@lru_cache(maxsize=1)
def _trials(root: str | None):
    return read_trials(root)


def in_band(X: NDArray[np.float32]) -> NDArray[np.float32]:
    """Windows (N, C, T) low-passed at `BAND_HZ` (second order, forwards and backwards)."""
    from scipy.signal import butter, sosfiltfilt

    return sosfiltfilt(butter(2, BAND_HZ, fs=RATE_HZ, output="sos"), X, axis=2).astype(np.float32)


def transfer_guesses(
    folder: Path,
    run: Run,
    steps: float,
    root: str | None,
    windows: Windows,
    labelled: np.ndarray,
    unlabelled: np.ndarray,
) -> Callable[[np.ndarray], np.ndarray]:
    """Train as the run says; the function from windows (indices) to guesses."""
    layout = Layout.of(windows.channel_names)
    budget = replace(
        DEFAULT,
        epochs=DEFAULT.epochs * steps,
        least_steps=max(1, round(DEFAULT.least_steps * steps)),
        most_steps=max(1, round(DEFAULT.most_steps * steps)),
    )
    options = {"n_classes": len(windows.classes), "layout": layout, "budget": budget, "seed": run.seed}
    with seeded(run.seed):
        encoder = build(run.encoder)
    if run.variant == "transfer" and run.init == "scratch" and run.mode != "zeroshot":
        plain = train_classifier(encoder, windows.X[labelled], windows.y[labelled], **options)
        return lambda test: plain.predict(windows.X[test])
    X = in_band(windows.X)
    clips = fold_clips(root, run.fold)
    made, said = simulated_windows(clips, Target({PLACE: (PLACE,)}), windows.channel_names, window_s=WINDOW_S)
    shown = np.array([windows.classes.index(name) for name in said])
    if run.init == "scratch" and run.mode == "zeroshot":  # supervised on the same simulated labels
        trained = train_classifier(encoder, made, shown, augmentation=WIDE, **options)
        trained = replace(trained, encoder=adapt_statistics(trained.encoder, X[unlabelled], layout))
        return lambda test: trained.predict(X[test])
    names = None
    if run.init == "pretrained":
        settings = JointSettings(
            encoder=run.encoder, modalities=("text", "pose"), window_s=WINDOW_S, steps=max(2, round(STEPS * steps)),
            batch=BATCH, augmentation=WIDE, validate_every=max(1, round(100 * steps)), seed=run.seed,
        )  # fmt: skip
        out = folder / "encoders" / f"kinect-{run.encoder}-fold{run.fold}-seed{run.seed}"
        model = pretrain_joint(clips, out, settings, corpus="UTD-MHAD Kinect, training people")
        model.imu = adapt_statistics(model.imu, X[unlabelled], layout)
        texts = class_texts("utd_mhad")
        said = [sentence_features(texts[c][0]) for c in windows.classes[:WRIST_ACTIONS]]
        count = len(windows.classes)
        names = Names(model, layout, prototypes(model, said), np.arange(WRIST_ACTIONS), count)
        if run.mode == "zeroshot":
            return lambda test: names.guess(X[test])
        encoder = model.imu
    labels = Labels(X[labelled], windows.y[labelled], len(np.unique(windows.unit[labelled])))
    classifier = fit(
        PROBE if run.mode == "probe" else RULE, encoder, labels,
        (made, shown) if run.variant == "transfer, together" else None, names, augmentation=WIDE,
        pretrained=run.init == "pretrained", mode=run.mode, **options,
    )  # fmt: skip
    return lambda test: classifier.predict(X[test])


def columns(run: Run) -> dict[str, str]:
    """What the run's row says of its corpus."""
    used = run.variant == "transfer, together" or run.init == "pretrained" or run.mode == "zeroshot"
    return {
        "pretrain_corpus": "utd_mhad: Kinect skeletons of training people" if used else "none",
        "target_motion_used": "yes, training people's with action names" if used else "no",
        "alignment": "paired" if used else "none",
    }
