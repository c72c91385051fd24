"""Training: our loop against the barest one, same encoder, batch and windows; and what loading the data costs.

python -m benchmarks.bench_train
"""

from __future__ import annotations

import time

import numpy as np
import torch
from torch import nn

import mujo
from benchmarks.page import write
from mujo.augment import LIGHT, NOTHING
from mujo.encoders import build, names, one_by_one
from mujo.finetune import train_classifier
from mujo.layout import Layout
from mujo.training import Budget, one_thread

BATCH, REPEATS = 64, 5
SECONDS = 2.0  # of one timing


def ours(name: str, X, y, layout, augmentation, steps: int) -> float:
    """Windows a second."""
    budget = Budget(least_steps=steps, most_steps=steps, batch=BATCH)
    encoder = build(name)
    started = time.perf_counter()
    train_classifier(encoder, X, y, n_classes=7, layout=layout, budget=budget, augmentation=augmentation)
    return steps * BATCH / (time.perf_counter() - started)


def bare(name: str, x, labels, steps: int) -> float:
    """The same encoder and optimiser in the fewest lines: inputs ready, no augmentation, random batches."""
    net = build(name)
    head = nn.Linear(net.width, 7)
    optimiser = torch.optim.AdamW([*net.parameters(), *head.parameters()], 1e-3, foreach=True)
    lost = nn.CrossEntropyLoss()
    net.train()
    started = time.perf_counter()
    for _ in range(steps):
        chosen = torch.randint(len(x), (BATCH,))
        loss = lost(head(net(x[chosen])), labels[chosen])
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
    return steps * BATCH / (time.perf_counter() - started)


def drawing_share(X, layout, steps: int = 200) -> float:
    """Seconds a window of choosing windows and making them inputs of the encoder."""
    windows = torch.from_numpy(X)
    started = time.perf_counter()
    for _ in range(steps):
        one_by_one(windows[torch.randint(len(windows), (BATCH,))], layout)
    return (time.perf_counter() - started) / (steps * BATCH)


def main() -> None:
    windows = mujo.data.load("spar").windows()
    layout = Layout.of(windows.channel_names)
    x, labels = one_by_one(torch.from_numpy(windows.X), layout), torch.from_numpy(windows.y)
    lines = [
        "## Training",
        "",
        "`python -m benchmarks.bench_train`: windows a second on one thread, SPAR, (6, 100), batches of 64; medians of",
        "five, taken in turn. The bare loop: inputs ready, no augmentation, no clipping, no schedule.",
        "",
        "| encoder | weights | ours | ours, no augmentation | bare loop | no augmentation : bare | ours : bare |",
        "|---|---|---|---|---|---|---|",
    ]
    with one_thread():
        for name in names():
            bare(name, x, labels, 3)  # what is set up once
            steps = max(5, round(SECONDS * bare(name, x, labels, 5) / BATCH))
            rates = np.array(
                [
                    (
                        ours(name, windows.X, windows.y, layout, LIGHT, steps),
                        ours(name, windows.X, windows.y, layout, NOTHING, steps),
                        bare(name, x, labels, steps),
                    )
                    for _ in range(REPEATS)
                ]
            )
            a, b, c = np.median(rates, axis=0)
            r, s = np.median(rates[:, 1] / rates[:, 2]), np.median(rates[:, 0] / rates[:, 2])
            count = sum(p.numel() for p in build(name).parameters())
            lines.append(f"| {name} | {count:,} | {a:.0f} | {b:.0f} | {c:.0f} | {r:.2f} | {s:.2f} |")
            print(lines[-1], flush=True)
        share = drawing_share(windows.X, layout) * float(lines[-len(names())].split("|")[3])
    lines += [
        "",
        f"Choosing windows and turning them into inputs takes {100 * share:.1f} % of the default encoder's time.",
    ]
    write("train", "\n".join(lines))
    print(lines[-1])


if __name__ == "__main__":
    main()
