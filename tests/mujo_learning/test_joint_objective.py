"""The all-pairs loss against plain loops: missing modalities, equal texts; retrieval against counting."""

import itertools
import math

import numpy as np
import pytest
import torch

from mujo.joint.retrieval import recall_at
from mujo.objectives.joint import all_pairs


def unit(rng, n, d=6):
    z = rng.normal(size=(n, d))
    return torch.from_numpy(z / np.linalg.norm(z, axis=1, keepdims=True))


def by_loop(a, b, there, label, scale, several):
    """The pair's loss, window by window, in both directions."""
    rows = [i for i in range(len(a)) if there[i]]
    total = 0.0
    for x, y in ((a, b), (b, a)):
        losses = []
        for i in rows:
            others = [j for j in rows if label[j] != label[i]]
            if not others:
                continue
            alike = [j for j in rows if label[j] == label[i]]
            likeness = {j: scale * float(x[i] @ y[j]) for j in rows}
            if several:
                bottom = math.log(sum(math.exp(likeness[j]) for j in rows))
                losses.append(np.mean([bottom - likeness[j] for j in alike]))
            else:
                bottom = math.log(sum(math.exp(likeness[j]) for j in [i, *others]))
                losses.append(bottom - likeness[i])
        total += 0.5 * np.mean(losses)
    return total


def test_all_pairs_against_a_loop_with_holes_and_equal_texts():
    rng = np.random.default_rng(0)
    label = np.array([0, 0, 1, 2, 2, 2, 3, 4])
    names = ("imu", "text", "pose", "video")
    z = {m: unit(rng, 8) for m in names}
    there = {m: torch.from_numpy(rng.random(8) < 0.75) for m in names}
    there["imu"][:] = True
    alike = torch.from_numpy(label[:, None] == label[None, :])
    loss, parts = all_pairs(z, there, alike, torch.tensor(7.0, dtype=torch.float64))
    want = {}
    for a, b in itertools.combinations(names, 2):
        want[f"{a}-{b}"] = by_loop(
            z[a], z[b], (there[a] & there[b]).numpy(), label, 7.0, several="text" in (a, b)
        )
    assert set(parts) == set(want)
    for name, value in want.items():
        assert parts[name].item() == pytest.approx(value, rel=1e-10), name
    assert loss.item() == pytest.approx(np.mean(list(want.values())), rel=1e-10)


def test_what_is_missing_has_no_gradient_and_a_lone_text_says_nothing():
    rng = np.random.default_rng(1)
    z = {m: unit(rng, 4).requires_grad_() for m in ("imu", "text")}
    there = {"imu": torch.ones(4, dtype=torch.bool), "text": torch.tensor([True, True, True, False])}
    alike = torch.eye(4, dtype=torch.bool)
    all_pairs(z, there, alike, torch.tensor(5.0, dtype=torch.float64))[0].backward()
    assert z["imu"].grad[3].abs().max() == 0 == z["text"].grad[3].abs().max()
    assert z["imu"].grad[0].abs().max() > 0
    loss, parts = all_pairs(z, there, torch.ones(4, 4, dtype=torch.bool), torch.tensor(5.0))
    assert loss.item() == 0
    assert parts == {}


def test_a_perfect_space_costs_nothing():
    z = torch.eye(5, dtype=torch.float64)
    there = dict.fromkeys(("imu", "pose"), torch.ones(5, dtype=torch.bool))
    loss, _ = all_pairs({"imu": z, "pose": z}, there, torch.eye(5, dtype=torch.bool), torch.tensor(100.0))
    assert loss.item() < 1e-40
    loss, _ = all_pairs(
        {"imu": z, "pose": z.roll(1, 0)}, there, torch.eye(5, dtype=torch.bool), torch.tensor(100.0)
    )
    assert loss.item() == pytest.approx(100.0)


def test_recall_and_its_chance():
    rng = np.random.default_rng(2)
    label = np.array([0, 0, 0, 1, 2, 3, 4, 5])
    right = torch.from_numpy(label[:, None] == label[None, :])
    assert recall_at(right.double(), right, 1) == (1.0, pytest.approx(np.mean(right.sum(1).numpy() / 8)))
    drawn = [recall_at(torch.from_numpy(rng.random((8, 8))), right, 3) for _ in range(3000)]
    assert np.mean([d[0] for d in drawn]) == pytest.approx(drawn[0][1], abs=0.01)
