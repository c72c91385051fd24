"""The joint space on made movements: it learns, holes and all; killed ten times, it ends with the same weights."""

import csv
import dataclasses
import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from made_clips import WORDS, made_clips

import mujo
from mujo.augment import NOTHING, WORN, Augmentation, about_x
from mujo.errors import CheckpointError, ConfigError, DatasetError, TrainingError
from mujo.joint.draw import WindowDraw
from mujo.joint.model import JointModel, load_joint, save_joint
from mujo.joint.pretrain import JointSettings, pretrain_joint
from mujo.joint.zeroshot import guess, prototypes
from mujo.layout import Layout

CLIPS = made_clips()
SHORT = JointSettings(steps=60, batch=32, validate_every=4, dimension=32, lr=3e-3)


def rows_of(path):
    return list(csv.DictReader(io.StringIO(path.read_text())))


def test_windows_are_what_the_clips_say():
    draw = WindowDraw(CLIPS, window_s=1.0)
    generator = torch.Generator().manual_seed(0)
    batch = draw(draw.clips(200, generator), generator)
    assert batch.inputs["imu"].shape == (200, 8, 50)
    assert {k: tuple(v.shape[1:]) for k, v in batch.inputs.items() if k != "imu"} == {
        "text": (12,), "pose": (50, 3, 3), "video": (8, 3),
    }  # fmt: skip
    counts = torch.bincount(draw.label[batch.clip])
    assert counts.min() > 25  # movements come equally often
    for row in range(0, 200, 17):
        clip = CLIPS[int(batch.clip[row])]
        window = batch.inputs["imu"][row, :6].T.numpy() * np.array([9.80665] * 3 + [4.0] * 3)
        found = [
            (p, s)
            for p in range(2)
            for s in range(171)
            if np.allclose(clip.imu[s : s + 50, p], window, atol=1e-4)
        ]
        assert len(found) == 1
        if batch.present["pose"][row]:
            start = found[0][1]
            np.testing.assert_array_equal(batch.inputs["pose"][row].numpy(), clip.pose[start : start + 50])
        assert bool(batch.present["text"][row]) == (len(clip.text) > 0)
    only = WindowDraw(CLIPS, placements=["right_wrist"], window_s=1.0)
    x = only(torch.arange(8), generator).inputs["imu"]
    assert x[:, 0].mean() < -0.8  # gravity is on x there


def test_gaps_short_clips_and_missing_gyroscopes():
    holed = CLIPS[0].imu.copy()
    holed[60:, 0] = np.nan
    holed[:, 1, 3:] = np.nan
    clip = dataclasses.replace(CLIPS[0], imu=holed)
    draw = WindowDraw([clip], window_s=1.0)
    batch = draw(torch.zeros(200, dtype=torch.long), torch.Generator().manual_seed(0))
    x = batch.inputs["imu"]
    assert torch.isfinite(x).all()
    right = x[:, 0].mean(dim=1) < -0.5
    assert 0 < (~right).sum() < 30  # eleven of 182 starts are whole on the left
    assert (x[right][:, 3:6] == 0).all()
    assert (x[right][:, 7] == 0).all()
    assert (x[~right][:, 7] == 1).all()
    short = dataclasses.replace(CLIPS[0], imu=CLIPS[0].imu[:30], pose=None, video=None, video_time_s=None)
    assert (
        WindowDraw([short], window_s=1.0)(torch.zeros(1, dtype=torch.long), torch.Generator())
        .inputs["imu"]
        .shape[2]
        == 50
    )
    with pytest.raises(DatasetError, match="pocket"):
        WindowDraw([clip], placements=["pocket"])
    with pytest.raises(DatasetError, match="no clip"):
        WindowDraw([])


def test_worn_changes_keep_what_must_be_kept():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(64, 8, 100, generator=generator)
    x[:, 6:] = 1.0
    torch.testing.assert_close(NOTHING(x, generator), x)
    y = dataclasses.replace(NOTHING, around_deg=90.0)(x, generator)
    torch.testing.assert_close(y[:, [0, 3]], x[:, [0, 3]])  # x is the axis
    torch.testing.assert_close(y[:, :3].norm(dim=1), x[:, :3].norm(dim=1))
    y = dataclasses.replace(NOTHING, bias=0.5)(x, generator) - x
    assert y[:, :6].std(dim=2).max() < 1e-5
    assert y[:, :6].mean(dim=2).std() == pytest.approx(0.5, abs=0.06)
    y = dataclasses.replace(NOTHING, drift=0.5)(x, generator) - x
    assert y[:, :6, -1].std() == pytest.approx(0.5, abs=0.06)
    y = dataclasses.replace(NOTHING, drop_gyro=0.4, drop_acc=0.4)(x, generator)
    gone = (y[:, 6:, 0] == 0).float().mean(dim=0)
    assert gone.tolist() == pytest.approx([0.4, 0.4], abs=0.15)
    assert (y[:, 6:, 0].sum(dim=1) >= 1).all()
    with pytest.raises(ConfigError):
        Augmentation(drop_gyro=0.6, drop_acc=0.6)
    quarter = about_x(torch.tensor([np.pi / 2], dtype=torch.float32))[0]
    torch.testing.assert_close(
        quarter @ torch.tensor([0.0, 1, 0]), torch.tensor([0.0, 0, 1]), atol=1e-6, rtol=0
    )


def test_it_learns_finds_and_names(tmp_path):
    settings = dataclasses.replace(SHORT, steps=150, validate_every=30, augmentation=Augmentation())
    model = pretrain_joint(CLIPS, tmp_path, settings, corpus="made")
    log = rows_of(tmp_path / "log.csv")
    assert len(log) == 150
    loss = np.array([float(r["loss"]) for r in log])
    assert loss[-10:].mean() < 0.6 * loss[:10].mean()
    found = rows_of(tmp_path / "retrieval.csv")
    assert {(r["asked"], r["wanted"]) for r in found} >= {("imu", "text"), ("text", "pose"), ("video", "imu")}
    first = {(r["asked"], r["wanted"]): r for r in found if r["k"] == "1"}
    row = first["imu", "text"]
    assert float(row["recall"]) > 0.9 > 0.4 > float(row["chance"])
    assert "Retrieval" in (tmp_path / "README.md").read_text()
    # classes by their names alone, of clips that were not trained on
    held = [c for c in CLIPS if c.split == "validation"]
    X = np.array([c.imu[60:160, 0].T for c in held])
    names = prototypes(model, [WORDS[[k]] for k in range(4)])
    hit = guess(model, X, Layout.guess(6), names) == np.array([int(c.label[1:]) for c in held])
    assert hit.mean() >= 0.75
    # the encoder alone is what HARClassifier takes
    encoder, card = mujo.load_encoder(tmp_path / "encoder.safetensors")
    assert card["corpus"] == "made"
    for k, v in encoder.state_dict().items():
        torch.testing.assert_close(v, model.imu.state_dict()[k], rtol=0, atol=0)
    train = np.array([c.imu[:100, 0].T for c in CLIPS])
    clf = mujo.HARClassifier(encoder=tmp_path / "encoder.safetensors", freeze=True)
    assert clf.fit(train, [c.label for c in CLIPS]).score(X, [c.label for c in held]) > 0.7
    again = pretrain_joint(CLIPS, tmp_path, settings, corpus="made")  # finished: nothing is trained
    torch.testing.assert_close(again.log_scale, model.log_scale, rtol=0, atol=0)


SCRIPT = """
import sys
sys.path.insert(0, {here!r})
from test_joint_pretraining import *
pretrain_joint(CLIPS, {out!r}, SHORT, progress=lambda step, steps: print(step, flush=True))
"""


@pytest.mark.slow
def test_killed_ten_times_the_curve_goes_on(tmp_path):
    """kill -9 at ten random steps: the log and the weights are those of a run that was never stopped."""
    whole = pretrain_joint(CLIPS, tmp_path / "whole", SHORT)
    out = tmp_path / "killed"
    script = SCRIPT.format(here=str(Path(__file__).parent), out=str(out))
    moments = np.sort(np.random.default_rng(5).integers(4, 59, 10))
    kills = 0
    for kill_at in moments:
        process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        for line in process.stdout:
            if int(line) >= kill_at:
                process.kill()
                kills += 1
                break
        process.wait()
        process.stdout.close()
    assert kills == 10
    assert not (out / "encoder.safetensors").exists()
    subprocess.run([sys.executable, "-c", script], check=True, stdout=subprocess.DEVNULL)
    got, _ = load_joint(out / "joint.safetensors")
    for k, v in whole.state_dict().items():
        torch.testing.assert_close(got.state_dict()[k], v, rtol=0, atol=0)
    assert (out / "log.csv").read_text() == (tmp_path / "whole" / "log.csv").read_text()
    assert (out / "retrieval.csv").read_text() == (tmp_path / "whole" / "retrieval.csv").read_text()
    assert not (out / "unfinished.safetensors").exists()


def test_refused_and_stopped(tmp_path, monkeypatch):
    class Stop(Exception):
        pass

    def stop(step, steps):
        if step == 9:
            raise Stop

    with pytest.raises(Stop):
        pretrain_joint(CLIPS, tmp_path, SHORT, progress=stop)
    with pytest.raises(CheckpointError, match="another settings"):
        pretrain_joint(CLIPS, tmp_path, dataclasses.replace(SHORT, batch=16))
    with pytest.raises(CheckpointError, match="another clips"):
        pretrain_joint(CLIPS[1:], tmp_path, SHORT)
    kept = (tmp_path / "unfinished.safetensors").read_bytes()
    monkeypatch.setattr(
        "mujo.joint.pretrain._loss", lambda whole, model, *_: (model.log_scale * float("nan"), {})
    )
    with pytest.raises(TrainingError, match="nan at step 8"):
        pretrain_joint(CLIPS, tmp_path, SHORT)
    assert (tmp_path / "unfinished.safetensors").read_bytes() == kept
    assert load_joint(tmp_path / "joint.safetensors")[1]["step"] in (4, 8)
    with pytest.raises(DatasetError, match="validation"):
        pretrain_joint([c for c in CLIPS if c.split == "train"], tmp_path / "b", SHORT)
    with pytest.raises(DatasetError, match="one movement"):
        pretrain_joint([c for c in CLIPS if c.label == "m0"], tmp_path / "c", SHORT)
    with pytest.raises(DatasetError, match="no clip"):
        pretrain_joint([], tmp_path / "d", SHORT)
    with pytest.raises(ConfigError, match="modalities"):
        JointSettings(modalities=("smell",))


def test_files_of_another_kind_are_refused(tmp_path):
    model = JointModel(dimension=16, text_width=4)
    save_joint(tmp_path / "joint.safetensors", model)
    with pytest.raises(CheckpointError, match="mujo-encoder"):
        mujo.load_encoder(tmp_path / "joint.safetensors")
    mujo.save_encoder(tmp_path / "encoder.safetensors", model.imu)
    with pytest.raises(CheckpointError, match="mujo-joint"):
        load_joint(tmp_path / "encoder.safetensors")
    (tmp_path / "joint.safetensors").write_bytes(b"no")
    with pytest.raises(CheckpointError, match="damaged"):
        load_joint(tmp_path / "joint.safetensors")
    with pytest.raises(CheckpointError, match="without text"):
        prototypes(JointModel(dimension=16), [WORDS[:1]])
    assert WORN.rotation_deg > 0
