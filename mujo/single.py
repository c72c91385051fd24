"""`mujo finetune`: one training, one test, its outputs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from mujo.checkpoint import load_encoder, save_encoder
from mujo.data import load
from mujo.encoders import build
from mujo.errors import ConfigError
from mujo.evaluate.plan import FOLDS, PROTOCOL
from mujo.files import write_whole
from mujo.finetune import train_classifier
from mujo.layout import Layout
from mujo.metrics import accuracy, confusion, macro_f1, person_interval
from mujo.splits import Labelled, person_folds, split
from mujo.training import seeded


def finetune_once(
    dataset: str,
    encoder: str,
    mode: str,
    labelled: Labelled,
    fold: int,
    seed: int,
    root: Path | None,
    out: Path,
) -> str:
    """Train, test, write the outputs; returns what to tell people.

    Raises
    ------
    ImusimError
        Of any kind: missing data, an impossible split, a file that is no encoder.
    """
    from tqdm import tqdm

    if not 0 <= fold < FOLDS:
        raise ConfigError(f"fold={fold}: wanted 0 to {FOLDS - 1}")
    from_file = encoder.endswith((".safetensors", ".pt", ".pth", ".ckpt", ".bin"))
    if mode == "probe" and not from_file:
        raise ConfigError(
            f"mode probe with encoder {encoder!r}: fresh weights know nothing. Give a .safetensors file."
        )
    with seeded(seed):
        net = load_encoder(encoder)[0] if from_file else build(encoder)
    windows = load(dataset, root).windows(**PROTOCOL.get(dataset, {}))
    test_people = person_folds(sorted(set(windows.person.tolist())), FOLDS)[fold]
    parts = split(windows, test_people, labelled, seed)
    with tqdm(desc="train", unit="step", disable=None, leave=False) as bar:

        def tell(step: int, steps: int) -> None:
            bar.total = steps
            bar.update(step - bar.n)

        classifier = train_classifier(
            net,
            windows.X[parts.labelled],
            windows.y[parts.labelled],
            n_classes=len(windows.classes),
            layout=Layout.of(windows.channel_names),
            mode=mode,
            pretrained=from_file,
            seed=seed,
            progress=tell,
        )
    truth, guess, person = (
        windows.y[parts.test],
        classifier.predict(windows.X[parts.test]),
        windows.person[parts.test],
    )
    count = len(windows.classes)
    people = np.array([confusion(truth[person == p], guess[person == p], count) for p in np.unique(person)])
    total = people.sum(axis=0)
    low, high = person_interval(people)
    scores = {
        "dataset": dataset, "encoder": encoder, "mode": mode, "labelled": str(labelled), "fold": fold, "seed": seed,
        "test_people": list(test_people), "labelled_recordings": parts.units, "labelled_windows": len(parts.labelled),
        "test_windows": len(parts.test), "macro_f1": float(macro_f1(total)), "macro_f1_interval": [low, high],
        "accuracy": accuracy(total),
    }  # fmt: skip
    out.mkdir(parents=True, exist_ok=True)
    write_whole(out / "scores.json", json.dumps(scores, indent=1) + "\n")
    rows = [",".join(["true \\ guessed", *windows.classes])]
    rows += [
        ",".join([name, *map(str, line)]) for name, line in zip(windows.classes, total.tolist(), strict=True)
    ]
    write_whole(out / "confusion.csv", "\n".join(rows) + "\n")
    card = {
        "objective": "supervised",
        "corpus": dataset,
        "labelled": str(labelled),
        "fold": fold,
        "seed": seed,
    }
    classifier.encoder.made_of = net.made_of
    save_encoder(out / "encoder.safetensors", classifier.encoder, card)
    return (
        f"{dataset}: macro-F1 {scores['macro_f1']:.3f} [{low:.2f}, {high:.2f}], accuracy {scores['accuracy']:.3f} on "
        f"{len(test_people)} unseen people; trained on {parts.units} recordings ({len(parts.labelled)} windows)\n"
        f"wrote {out / 'scores.json'}, confusion.csv, encoder.safetensors"
    )
