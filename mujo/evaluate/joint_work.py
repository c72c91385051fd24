"""A run whose encoder was pre-trained on simulated signals: corpus, alignment, pre-training (each made once and kept)."""

from __future__ import annotations

import copy
import fcntl
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch

from mujo.augment import NOTHING, WORN, Augmentation
from mujo.checkpoint import load_encoder, save_encoder
from mujo.corpus import Clip
from mujo.corpus.corpora import EMBEDDED, read_clips, sentence_features
from mujo.data import Windows
from mujo.encoders import build, one_by_one
from mujo.evaluate.plan import Run
from mujo.evaluate.recipes import CANDIDATES, CHOSEN, PROBE, Labels, fit
from mujo.evaluate.variants import Variant, variant
from mujo.files import write_whole
from mujo.joint.adapt import HALF, adapt_statistics
from mujo.joint.align import fit_rotation, turn
from mujo.joint.model import JointModel
from mujo.joint.pretrain import JointSettings, pretrain_joint
from mujo.joint.targets import (
    TARGETS,
    Target,
    as_worn,
    class_of_movement,
    class_texts,
    simulated_windows,
    target,
)
from mujo.joint.zeroshot import Names, prototypes
from mujo.layout import Layout
from mujo.pretrain import pretrain_self_supervised
from mujo.training import DEFAULT, Budget, seeded

CORPUS_SEED = 0
PRETRAIN_SEED = 0
PER_MOVEMENT = 12
EACH = 4
"""Simulated windows a clip that are kept in while fine-tuning."""
STEPS = 600
BATCH = 192


@dataclass(frozen=True)
class Prepared:
    """The data of a run, turned and reduced to the variant's channels.

    Attributes
    ----------
    X : (N, C, T), all windows, in the corpus' axes
    layout, channel_names : of the channels
    X_sim, y_sim : simulated windows of the target's classes
    """

    X: np.ndarray
    layout: Layout
    channel_names: tuple[str, ...]
    X_sim: np.ndarray
    y_sim: np.ndarray


def corpus_guesses(
    folder: Path, run: Run, steps: float, windows: Windows, labelled: np.ndarray, unlabelled: np.ndarray
) -> Callable[[np.ndarray], np.ndarray]:
    """Pre-train (or take what is there), train as the run says; the function from windows (indices) to guesses."""
    v = variant(run.variant)
    ready = prepare(folder, run, v, windows, unlabelled)
    names = None
    if run.init == "scratch":  # the same simulated windows, nothing pre-trained
        with seeded(run.seed):
            encoder = build(run.encoder)
    elif run.objective in JOINT:
        model = joint_of(folder, run, v, steps, ready, unlabelled)
        encoder = model.imu
        if "text" in model.modalities:
            share = (
                HALF if run.mode == "zeroshot" else 1.0
            )  # both as chosen on training people (docs/selection.md)
            names = names_of(model, run.dataset, windows, ready, unlabelled if v.adapted else None, share)
        if run.mode == "zeroshot":
            return lambda test: names.guess(ready.X[test])
    else:
        encoder = self_supervised_of(folder, run, v, steps, ready)
    labels = Labels(ready.X[labelled], windows.y[labelled], len(np.unique(windows.unit[labelled])))
    rule = PROBE if run.mode == "probe" else CANDIDATES[CHOSEN]
    classifier = fit(
        rule, encoder, labels, (ready.X_sim, ready.y_sim) if v.together else None, names,
        augmentation=augmentation_of(run, v), pretrained=run.init == "pretrained", budget=_scaled(DEFAULT, steps),
        n_classes=len(windows.classes), layout=ready.layout, mode=run.mode, seed=run.seed,
    )  # fmt: skip
    return lambda test: classifier.predict(ready.X[test])


def names_of(
    model: JointModel,
    dataset: str,
    windows: Windows,
    ready: Prepared,
    unlabelled: np.ndarray | None,
    share: float = 1.0,
) -> Names:
    """The classes that the data have, by their sentences; `share` of the normalisation statistics from the unlabelled
    windows, if any.

    Raises
    ------
    CheckpointError
        If the space was trained without text.
    """
    found = [
        (windows.classes.index(name), texts)
        for name, (texts, _) in class_texts(dataset).items()
        if name in windows.classes and (windows.y == windows.classes.index(name)).any()
    ]
    if unlabelled is not None:
        model = copy.deepcopy(model)
        model.imu = adapt_statistics(model.imu, ready.X[unlabelled], ready.layout, share=share)
    middles = prototypes(model, [sentence_features(tuple(said)) for _, said in found])
    return Names(model, ready.layout, middles, np.array([k for k, _ in found]), len(windows.classes))


JOINT = ("mujo", "imu-text")


def columns(run: Run) -> dict[str, str]:
    """What the run's row says of its corpus."""
    v = variant(run.variant)
    used = run.init == "pretrained" or v.together
    from mujo.joint.targets import target as of

    aligned = v.aligned and of(run.dataset).axes == "segment"
    adapted = v.adapted and run.mode == "zeroshot"
    return {
        "pretrain_corpus": EMBEDDED + ("" if v.named else ", without the target's movements")
        if used
        else "none",
        "target_motion_used": "unlabelled signals in pre-training" if v.own else "no",
        "alignment": "unlabelled" if aligned or adapted else "none",
    }


def prepare(
    folder: Path, run: Run, v: Variant, windows: Windows, unlabelled: np.ndarray, mark: str = ""
) -> Prepared:
    """Turn the real windows, cut the simulated ones. Sees training people's windows, and no label.

    `mark` is part of the name under which the rotation is kept: the training people are others.
    """
    wanted = target(run.dataset)
    keep = [i for i, n in enumerate(windows.channel_names) if v.gyro or ".gyro." not in n]
    names = tuple(windows.channel_names[i] for i in keep)
    movements = class_of_movement(run.dataset, windows.classes)
    clips = corpus(str(folder), run.dataset, v.named)
    shown = tuple(c for c in clips if c.label in movements and c.split == "train")
    if shown:
        X_sim, said = _windows_of(shown, run.dataset, names, EACH)
        y_sim = np.array([movements[label] for label in said])
    else:
        X_sim, y_sim = np.zeros((0, len(names), windows.X.shape[2]), np.float32), np.zeros(0, np.int64)
    X = windows.X[:, keep]
    if v.aligned and wanted.axes == "segment":
        name = (
            f"{run.dataset}-fold{run.fold}{mark}-{'6' if v.gyro else '3'}{'' if v.named else '-unnamed'}.json"
        )
        X = X.copy()
        for place, part in _parts(names).items():
            if part.stop - part.start == 3 and ".gyro." in names[part.start]:
                continue  # without gravity a direction is not to be had
            sim = (
                X_sim[:, part] if len(X_sim) else _windows_of(tuple(clips), run.dataset, names, 1)[0][:, part]
            )
            X[:, part] = turn(
                X[:, part], _rotation(folder / "alignment" / f"{place}-{name}", X[unlabelled][:, part], sim)
            )
    return Prepared(X, Layout.of(names), names, X_sim, y_sim)


def joint_of(
    folder: Path, run: Run, v: Variant, steps: float, ready: Prepared, unlabelled: np.ndarray
) -> JointModel:
    """The joint space of this run: from its folder, or trained now."""
    own = (
        one_by_one(torch.from_numpy(np.ascontiguousarray(ready.X[unlabelled])), ready.layout)
        if v.own
        else None
    )
    out = folder / "encoders" / _name(run, v)
    with _one_at_a_time(out):
        settings = settings_of(run, v, steps)
        return pretrain_joint(_clips_for(folder, run, v), out, settings, own=own, corpus=EMBEDDED)


def settings_of(run: Run, v: Variant, steps: float) -> JointSettings:
    """Settings of the pre-training."""
    modalities = ("text",) if run.objective == "imu-text" else v.modalities
    return JointSettings(
        encoder=run.encoder, modalities=modalities, placements=_placements(run, v), steps=max(2, round(STEPS * steps)),
        batch=BATCH, augmentation=augmentation_of(run, v), validate_every=max(1, round(100 * steps)), seed=PRETRAIN_SEED,
    )  # fmt: skip


def self_supervised_of(folder: Path, run: Run, v: Variant, steps: float, ready: Prepared):
    """The encoder of a compared objective on the same clips, as many steps and windows a step."""
    path = folder / "encoders" / f"{_name(run, v)}.safetensors"
    with _one_at_a_time(path.with_suffix("")):
        if not path.is_file():
            clips = [c for c in _clips_for(folder, run, v) if c.split == "train"]
            place = _placements(run, v)
            parts = []
            for p in place:
                one = Target({"any": (p,)})
                names = [f"any.{k}.{a}" for k in ("acc", "gyro") for a in "xyz"]
                parts.append(simulated_windows(clips, one, names, each=4, seed=PRETRAIN_SEED)[0])
            count = max(2, round(STEPS * steps))
            encoder = pretrain_self_supervised(
                np.concatenate(parts),
                layout=Layout.guess(6),
                objective=run.objective,
                encoder=run.encoder,
                budget=Budget(least_steps=count, most_steps=count, batch=BATCH, lr=2e-3),
                seed=PRETRAIN_SEED,
                unfinished=path.with_suffix(".unfinished"),
            )
            save_encoder(path, encoder, {"objective": run.objective, "corpus": EMBEDDED})
        return load_encoder(path)[0]


@lru_cache(maxsize=4)
def corpus(folder: str, dataset: str, named: bool) -> tuple[Clip, ...]:
    """Clips of the embedded corpus in the target's axes, made once for a folder of results."""
    place = Path(folder) / "corpus"
    with _one_at_a_time(place):
        if not (place / "done").is_file():
            from mujo import corpus as shards

            shutil.rmtree(place, ignore_errors=True)
            everywhere = dict.fromkeys(p for t in TARGETS.values() for p in t.placements)
            clips = read_clips(
                [EMBEDDED], placements=[*everywhere], per_movement=PER_MOVEMENT, seed=CORPUS_SEED
            )
            shards.write(clips, place, progress=False)
            write_whole(place / "done", "")
    clips = read_clips([str(place)])
    if not named:
        gone = set(class_of_movement(dataset, tuple(class_texts(dataset))))
        clips = [c for c in clips if c.label not in gone]
    return tuple(as_worn(clips, target(dataset)))


def _clips_for(folder: Path, run: Run, v: Variant) -> list[Clip]:
    clips = list(corpus(str(folder), run.dataset, v.named))
    if not v.gyro:
        clips = [replace(c, imu=np.where(np.arange(6) < 3, c.imu, np.nan).astype(np.float32)) for c in clips]
    if v.share < 1.0:
        step = round(1 / v.share)
        train = [c for c in clips if c.split == "train"][::step]
        clips = [*train, *(c for c in clips if c.split != "train")]
    return clips


def _placements(run: Run, v: Variant) -> tuple[str, ...]:
    mine = target(run.dataset).placements
    if v.matched:
        return mine
    return tuple(dict.fromkeys(p for t in TARGETS.values() for p in t.placements if p not in mine))


def augmentation_of(run: Run, v: Variant) -> Augmentation:
    """What simulated windows undergo."""
    if not v.augmented:
        return NOTHING
    return replace(
        WORN, around_deg=target(run.dataset).around_deg, drop_gyro=WORN.drop_gyro if v.gyro else 0.0
    )


def _name(run: Run, v: Variant) -> str:
    """Name of the encoder: variants that differ in the fine-tuning alone share it."""
    same = replace(v, together=False, adapted=True, aligned=True)
    mark = "".join(
        f"-{k}={getattr(same, k)}" for k in vars(Variant()) if getattr(same, k) != getattr(Variant(), k)
    )
    mark = mark.replace("('", "").replace("')", "").replace("', '", "+").replace("',)", "").replace(" ", "")
    fold = f"-fold{run.fold}" if v.own else ""
    return f"corpus-{run.dataset}-{run.encoder}-{run.objective}{mark}{fold}-seed{PRETRAIN_SEED}"


def _parts(names: tuple[str, ...]) -> dict[str, slice]:
    """Sensor → its channels."""
    out: dict[str, slice] = {}
    for i, name in enumerate(names):
        sensor = name.rsplit(".", 2)[0]
        out[sensor] = slice(out[sensor].start if sensor in out else i, i + 1)
    return out


def _windows_of(clips: tuple[Clip, ...], dataset: str, names: tuple[str, ...], each: int):
    return simulated_windows(clips, target(dataset), names, each=each)


def _rotation(path: Path, real: np.ndarray, sim: np.ndarray) -> np.ndarray:
    """The rotation, from its file or found now and kept."""
    if not path.is_file():
        found = fit_rotation(real, sim)
        content = {
            "R_cd": found.R_cd.tolist(),
            "distance": found.distance,
            "before": found.before,
            "runner_up": found.runner_up,
        }
        write_whole(path, json.dumps(content) + "\n")
    return np.array(json.loads(path.read_text())["R_cd"])


@contextmanager
def _one_at_a_time(path: Path) -> Iterator[None]:
    """One process makes what the others wait for."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path.parent / f".{path.name}.lock", "w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def _scaled(budget: Budget, share: float) -> Budget:
    if share == 1.0:
        return budget
    least, most = (max(1, round(share * n)) for n in (budget.least_steps, budget.most_steps))
    return replace(budget, epochs=budget.epochs * share, least_steps=least, most_steps=most)
