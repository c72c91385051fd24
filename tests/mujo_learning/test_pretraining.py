"""Objectives against slow oracles; a run that was killed goes on to the same weights."""

import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from made_windows import made_windows

from mujo import objectives
from mujo.encoders import build, one_by_one
from mujo.errors import CheckpointError, ShapeError
from mujo.layout import Layout
from mujo.objectives.masked import MaskedReconstruction
from mujo.objectives.simclr import nt_xent
from mujo.pretrain import pretrain_self_supervised
from mujo.training import Budget

WINDOWS = made_windows(people=3)
LAYOUT = Layout.of(WINDOWS.channel_names)
SHORT = Budget(least_steps=40, most_steps=40, batch=32, lr=2e-3)


def test_nt_xent_against_a_plain_loop():
    z = torch.randn(10, 7, dtype=torch.float64)
    unit = (z / z.norm(dim=1, keepdim=True)).numpy()
    want = []
    for i in range(10):
        partner = (i + 5) % 10
        others = [np.exp(unit[i] @ unit[j] / 0.2) for j in range(10) if j != i]
        want.append(-np.log(np.exp(unit[i] @ unit[partner] / 0.2) / sum(others)))
    assert float(nt_xent(z, 0.2)) == pytest.approx(np.mean(want), rel=1e-12)


def test_masked_share_and_what_counts():
    masked = MaskedReconstruction(16)
    generator = torch.Generator().manual_seed(0)
    hidden = masked.hide(50, 100, generator)
    assert (hidden.float().mean(dim=1) == 0.4).all()
    assert len({tuple(h.tolist()) for h in hidden}) > 20
    x = torch.randn(4, 8, 100)
    x[:, 3:6], x[:, 6], x[:, 7] = 0.0, 1.0, 0.0  # no gyroscope: it must not count
    encoder = build("fcn", channels=8)
    with torch.no_grad():
        masked.decoder[2].weight.zero_()
        masked.decoder[2].bias.copy_(torch.tensor([0.0, 0, 0, 9, 9, 9]))
    loss = masked.loss(encoder, x, generator)
    assert loss.item() == pytest.approx(1.0, abs=0.25)  # only the unit variance of acc, not 81


@pytest.mark.parametrize("name", objectives.names())
def test_the_loss_falls_and_bits_repeat(name):
    torch.manual_seed(0)
    encoder = build("fcn", channels=16)
    goal = objectives.build(name, encoder.width)
    generator = torch.Generator().manual_seed(0)
    x = one_by_one(torch.from_numpy(WINDOWS.X[:64]), LAYOUT)
    optimiser = torch.optim.AdamW([*encoder.parameters(), *goal.parameters()], 3e-3)
    losses = []
    for _ in range(60):
        loss = goal.loss(encoder, x, generator)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert np.mean(losses[-10:]) < 0.9 * np.mean(losses[:5])
    a, b = (
        pretrain_self_supervised(WINDOWS.X, layout=LAYOUT, objective=name, budget=SHORT, seed=3)
        for _ in range(2)
    )
    for k, v in a.state_dict().items():
        torch.testing.assert_close(v, b.state_dict()[k], rtol=0, atol=0)


SCRIPT = """
import sys
sys.path.insert(0, {here!r})
from test_pretraining import *
encoder = pretrain_self_supervised(WINDOWS.X, layout=LAYOUT, objective="simclr", budget=SHORT, seed=1,
    unfinished={place!r}, save_every=3, progress=lambda step, steps: print(step, flush=True))
from mujo.checkpoint import save_encoder
save_encoder({out!r}, encoder)
"""


def test_killed_and_resumed_it_ends_with_the_same_weights(tmp_path):
    from pathlib import Path

    from mujo.checkpoint import load_encoder

    want = pretrain_self_supervised(WINDOWS.X, layout=LAYOUT, objective="simclr", budget=SHORT, seed=1)
    place, out = tmp_path / "run.unfinished", tmp_path / "encoder.safetensors"
    script = SCRIPT.format(here=str(Path(__file__).parent), place=str(place), out=str(out))
    for kill_at in (7, 20):
        process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        for line in process.stdout:
            if int(line) >= kill_at:
                process.kill()
                break
        process.wait()
        process.stdout.close()
        assert place.is_file()
        assert not out.exists()
        time.sleep(0.05)
    subprocess.run([sys.executable, "-c", script], check=True, stdout=subprocess.DEVNULL)
    assert not place.exists()
    got, _ = load_encoder(out)
    for k, v in want.state_dict().items():
        torch.testing.assert_close(got.state_dict()[k], v, rtol=0, atol=0)


def test_another_runs_file_is_refused(tmp_path):
    place = tmp_path / "run.unfinished"
    longer = Budget(least_steps=400, most_steps=400, batch=32)

    class Stop(Exception):
        pass

    def stop(step, steps):
        if step == 5:
            raise Stop

    with pytest.raises(Stop):
        pretrain_self_supervised(
            WINDOWS.X,
            layout=LAYOUT,
            objective="masked",
            budget=longer,
            unfinished=place,
            save_every=2,
            progress=stop,
        )
    with pytest.raises(CheckpointError, match="another run"):
        pretrain_self_supervised(
            WINDOWS.X, layout=LAYOUT, objective="simclr", budget=longer, unfinished=place
        )
    with pytest.raises(ShapeError):
        pretrain_self_supervised(WINDOWS.X[:1], layout=LAYOUT, objective="simclr")
