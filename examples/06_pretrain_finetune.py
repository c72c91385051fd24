"""The whole way: simulated movements -> joint pre-training -> few labels on real data -> a table."""

import copy
import tempfile
import time
from pathlib import Path

import numpy as np

import mujo
from mujo.augment import WORN
from mujo.corpus.corpora import read_clips, sentence_features
from mujo.evaluate.recipes import CANDIDATES, CHOSEN, Labels, fit
from mujo.finetune import train_classifier
from mujo.joint.adapt import adapt_statistics
from mujo.joint.pretrain import JointSettings, pretrain_joint
from mujo.joint.targets import as_worn, class_of_movement, class_texts, simulated_windows, target
from mujo.joint.zeroshot import Names, prototypes
from mujo.layout import Layout
from mujo.metrics import confusion, macro_f1
from mujo.splits import Labelled, person_folds, split
from mujo.training import Budget, seeded


def main(
    per_movement: int = 12, steps: int = 800, finetune_steps: int = 300, out: str | None = None
) -> dict[str, list[float]]:
    """Macro-F1 on two unseen people of SPAR, by labelled recordings a class: from scratch and pre-trained."""
    began = time.monotonic()
    wanted = target("spar")  # a smartwatch on the arm that exercises, in its own axes
    clips = as_worn(read_clips(["embedded"], placements=wanted.placements, per_movement=per_movement), wanted)
    folder = Path(tempfile.mkdtemp())
    settings = JointSettings(placements=wanted.placements, steps=steps)
    model = pretrain_joint(clips, folder, settings, corpus="embedded")
    print(
        f"{len(clips)} clips, {steps} steps: {folder}/encoder.safetensors after {time.monotonic() - began:.0f} s"
    )

    windows = mujo.data.load("spar").windows(window_s=2.0, overlap=0.5)
    layout = Layout.of(windows.channel_names)
    movements = class_of_movement("spar", windows.classes)
    made, said = simulated_windows([c for c in clips if c.label in movements], wanted, windows.channel_names)
    simulated = (made, [movements[m] for m in said])
    test_people = person_folds(sorted(set(windows.person.tolist())))[0]
    told = [sentence_features(class_texts("spar")[name][0]) for name in windows.classes]
    space = copy.deepcopy(
        model
    )  # statistics of unlabelled windows of training people; names are judged in it
    space.imu = adapt_statistics(model.imu, windows.X[~np.isin(windows.person, test_people)], layout)
    classes = np.arange(len(windows.classes))
    names = Names(space, layout, prototypes(model, told), classes, len(classes))
    budget = Budget(least_steps=finetune_steps, most_steps=finetune_steps)
    table: dict[str, list[float]] = {"from scratch": [], "pre-trained": []}
    for units in (1, 4):
        parts = split(windows, test_people, Labelled(units=units))
        X, y = windows.X[parts.labelled], windows.y[parts.labelled]
        with seeded(0):
            fresh = mujo.encoders.build("fcn")
        options = {"n_classes": len(windows.classes), "layout": layout, "budget": budget}
        scratch = train_classifier(fresh, X, y, **options)
        labels = Labels(X, y, parts.units)
        rule = CANDIDATES[CHOSEN]
        tuned = fit(rule, model.imu, labels, simulated, names, augmentation=WORN, **options)
        for name, classifier in (("from scratch", scratch), ("pre-trained", tuned)):
            guess = classifier.predict(windows.X[parts.test])
            table[name].append(float(macro_f1(confusion(windows.y[parts.test], guess, len(windows.classes)))))
    print("labelled recordings a class      1      4")
    for name, scores in table.items():
        print(f"{name:28}" + "".join(f"  {score:.3f}" for score in scores))
    print(f"{time.monotonic() - began:.0f} s in all")
    return table


if __name__ == "__main__":
    main()
