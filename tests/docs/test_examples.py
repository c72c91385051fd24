"""The examples run, and what they print is what they say."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]


def example(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / "examples" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.asset
@pytest.mark.xdist_group("real-clips")
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_simulate_video(tmp_path, capsys):
    import imusim as im

    rec = example("01_simulate_video").main(str(im.asset("clip_cam04")), 1.75, str(tmp_path / "walk.parquet"))
    assert rec.sensors == ("left_wrist", "right_pocket")
    assert im.Recording.load(tmp_path / "walk.parquet").acc.shape == rec.acc.shape
    assert "up is known" in capsys.readouterr().out


def test_placements():
    rec = example("02_placements").main()
    assert rec.sensors == ("left_wrist", "watch_worn_high", "at_a_point")
    np.testing.assert_allclose(np.linalg.norm(rec.acc.mean(axis=0), axis=-1), 9.81, atol=0.4)


def test_rigid_frames():
    rec = example("03_rigid_frames").main()
    np.testing.assert_allclose(rec.acc[400, 0], [-(np.pi**2) * 0.2, 0.0, 9.80665], atol=1e-5)
    np.testing.assert_allclose(rec.gyro[400, 0], [0.0, 0.0, np.pi], atol=1e-7)


@pytest.mark.asset
def test_har_classifier(capsys):
    assert min(example("04_har_classifier").main(steps=60)) > 0.6
    assert "10 people" in capsys.readouterr().out


@pytest.mark.asset
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_build_corpus(tmp_path, capsys):
    import json

    import imusim as im

    (tmp_path / "videos").mkdir()
    (tmp_path / "videos" / "walk.mp4").write_bytes(im.asset("clip_walking").read_bytes())
    chapters = {"chapters": [{"start_time": 1.0, "end_time": 3.0, "title": "1. Walking"}]}
    (tmp_path / "videos" / "walk.info.json").write_text(json.dumps(chapters))
    corpus = example("05_build_corpus").main(
        str(tmp_path / "videos"),
        str(tmp_path / "corpus"),
        per_movement=1,
        placements=("left_wrist",),
        pose_model="lite",
        pose_fps=15,
        text_features="none",
        image_features="none",
    )
    assert len(corpus.where(source="video")) == 1
    assert len(corpus.where(source="embedded")) > 50
    assert "walk___0" in capsys.readouterr().out


@pytest.mark.asset
@pytest.mark.filterwarnings("ignore:.*clips have forces:UserWarning")
def test_pretrain_finetune(capsys):
    """The whole way in a short form: the table is printed, and both beat chance (1/7)."""
    table = example("06_pretrain_finetune").main(per_movement=2, steps=20, finetune_steps=40)
    assert {name: len(scores) for name, scores in table.items()} == {"from scratch": 2, "pre-trained": 2}
    assert min(table["from scratch"] + table["pre-trained"]) > 0.2
    assert "pre-trained" in capsys.readouterr().out
