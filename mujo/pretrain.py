"""Pre-training without labels; one readable loop that goes on where it was killed.

The file of an unfinished run holds everything: encoder, objective, optimiser, random state, step. Going on from it
gives the same weights as never having stopped.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mujo import objectives
from mujo.checkpoint import read_tensors, write_tensors
from mujo.encoders import Encoder, build, one_by_one
from mujo.errors import CheckpointError, ConfigError, ShapeError
from mujo.layout import Layout
from mujo.training import Budget, adamw, descend, one_thread, schedule, seeded

STEPS = Budget(epochs=30.0, least_steps=300, most_steps=600, batch=128, lr=2e-3)
"""Default budget of a pre-training."""
_FORMAT = "mujo-unfinished-1"


def pretrain_self_supervised(
    X: NDArray[np.float32],
    *,
    layout: Layout,
    objective: str,
    encoder: str = "fcn",
    budget: Budget = STEPS,
    seed: int = 0,
    unfinished: Path | str | None = None,
    save_every: int = 200,
    progress: Callable[[int, int], None] | None = None,
) -> Encoder:
    """Train an encoder on windows without labels.

    Parameters
    ----------
    X : (N, C, T) · m/s², rad/s · device axes; of training people only
    layout : of the C channels; sensors are taken one by one
    objective : "simclr", "masked" or "augmentation"
    encoder : its name

    Other Parameters
    ----------------
    budget : of the loop
    seed : same seed, same bits
    unfinished : file that is written now and then, and read if it is there; removed at the end
    save_every : steps between two writings
    progress : called with (step, steps)

    Raises
    ------
    CheckpointError
        If the unfinished run is of another configuration or other data.
    TrainingError
        If the loss becomes NaN; the last file stays.
    """
    if X.ndim != 3 or len(X) < 2 or not np.isfinite(X).all():
        raise ShapeError(f"X has shape {X.shape}: wanted (N, C, T) finite windows, two or more")
    if save_every < 1:
        raise ConfigError(f"save_every={save_every}: wanted 1 or more")
    place = Path(unfinished) if unfinished is not None else None
    identity = _identity(X, layout, objective, encoder, budget, seed)
    with one_thread(), seeded(seed) as generator:
        net = build(encoder)
        goal = objectives.build(objective, net.width)
        windows = one_by_one(torch.from_numpy(np.ascontiguousarray(X, dtype=np.float32)), layout)
        batch = min(budget.batch, len(windows))
        steps = budget.steps(len(windows))
        optimiser = adamw([(net, budget.lr), (goal, budget.lr)], budget.weight_decay)
        start = 0
        if place is not None and place.is_file():
            start = _restore(place, identity, net, goal, optimiser, generator)
        net.train()
        goal.train()
        for step in range(start, steps):
            schedule(optimiser, step, steps)
            chosen = torch.randint(len(windows), (batch,), generator=generator)
            descend(optimiser, goal.loss(net, windows[chosen], generator), step)
            if place is not None and (step + 1) % save_every == 0 and step + 1 < steps:
                _keep(place, identity, step + 1, net, goal, optimiser, generator)
            if progress is not None:
                progress(step + 1, steps)
    if place is not None:
        place.unlink(missing_ok=True)
    net.eval()
    return net


def _identity(X: NDArray, layout: Layout, objective: str, encoder: str, budget: Budget, seed: int) -> str:
    """What must be the same for a run to go on."""
    data = hashlib.blake2b(np.ascontiguousarray(X).tobytes(), digest_size=16).hexdigest()
    parts = {"data": data, "layout": [asdict(p) for p in layout.places], "budget": asdict(budget)}
    return json.dumps({**parts, "objective": objective, "encoder": encoder, "seed": seed}, sort_keys=True)


def _keep(place: Path, identity: str, step: int, net, goal, optimiser, generator: torch.Generator) -> None:
    tensors: dict[str, Tensor] = {f"net.{k}": v for k, v in net.state_dict().items()}
    tensors |= {f"goal.{k}": v for k, v in goal.state_dict().items()}
    for number, state in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{number}.{k}": v for k, v in state.items()}
    tensors |= {"random.own": generator.get_state(), "random.torch": torch.get_rng_state()}
    write_tensors(place, tensors, {"format": _FORMAT, "identity": identity, "step": step})


def _restore(place: Path, identity: str, net, goal, optimiser, generator: torch.Generator) -> int:
    tensors, header = read_tensors(place)
    if header.get("format") != _FORMAT or header.get("identity") != identity:
        raise CheckpointError(
            f"{place} is of another run (other data, settings or seed). Remove it, or give another file."
        )
    net.load_state_dict({k.removeprefix("net."): v for k, v in tensors.items() if k.startswith("net.")})
    goal.load_state_dict({k.removeprefix("goal."): v for k, v in tensors.items() if k.startswith("goal.")})
    state = optimiser.state_dict()
    state["state"] = {}
    for name, value in tensors.items():
        if name.startswith("optimiser."):
            _, number, key = name.split(".")
            state["state"].setdefault(int(number), {})[key] = value
    optimiser.load_state_dict(state)
    generator.set_state(tensors["random.own"])
    torch.set_rng_state(tensors["random.torch"])
    return int(header["step"])
