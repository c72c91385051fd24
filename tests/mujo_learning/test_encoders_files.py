"""Encoders: sizes, shapes, what the flags say; files: round trip, and what is refused."""

import json
import pickle

import numpy as np
import pytest
import torch

import mujo
from mujo.encoders import build, names, one_by_one
from mujo.errors import CheckpointError, ImusimError, ShapeError
from mujo.layout import Layout, Place

SIX = tuple(f"wrist.{c}.{a}" for c in ("acc", "gyro") for a in "xyz")


@pytest.mark.parametrize("name", names())
def test_any_length_and_no_batch_in_the_answer(name):
    torch.manual_seed(0)
    encoder = build(name).eval()
    for length in (16, 50, 125, 250):
        x = torch.randn(5, 8, length)
        whole = encoder(x)
        assert whole.shape == (5, encoder.width)
        np.testing.assert_allclose(encoder(x[2:3]).detach(), whole[2:3].detach(), atol=2e-5)
        assert encoder.maps(x).shape[1] == encoder.width // 2
    with pytest.raises(ShapeError, match="longer windows"):
        encoder(torch.randn(1, 8, 4))


def test_the_default_is_small():
    assert sum(p.numel() for p in build("fcn").parameters()) <= 100_000
    assert 0.8e6 < sum(p.numel() for p in build("resnet1d").parameters()) < 1.5e6
    with pytest.raises(ImusimError, match="fcn"):
        build("fnc")


def test_channels_go_where_the_layout_says():
    names_ = ("chest.acc.x", "chest.acc.y", "chest.acc.z", "arm.gyro.x", "arm.gyro.y", "arm.gyro.z")
    layout = Layout.of(names_)
    assert layout.places == (Place("chest", True, False), Place("arm", False, True))
    x = one_by_one(torch.arange(6.0)[None, :, None].expand(2, 6, 10), layout)
    assert x.shape == (4, 8, 10)
    np.testing.assert_allclose(x[0, :, 0], [0, 1 / 9.80665, 2 / 9.80665, 0, 0, 0, 1, 0], rtol=1e-6)
    np.testing.assert_allclose(x[3, :, 0], [0, 0, 0, 3 / 4, 4 / 4, 5 / 4, 0, 1])
    assert Layout.guess(12).channels == 12
    for wrong in (SIX[:2], SIX[::-1], ("a.x", "a.y", "a.z"), (*SIX[3:], *SIX[:3])):
        with pytest.raises(ShapeError):
            Layout.of(wrong)
    with pytest.raises(ShapeError, match="name them"):
        Layout.guess(7)


def test_file_round_trip(tmp_path):
    encoder = build("deep_conv_lstm", units=32)
    path = mujo.save_encoder(tmp_path / "a" / "encoder.safetensors", encoder, {"objective": "none"})
    again, card = mujo.load_encoder(path)
    assert card == {"objective": "none"}
    assert again.made_of == {"name": "deepconvlstm", "options": {"units": 32}}
    x = torch.randn(3, 8, 40)
    torch.testing.assert_close(again(x), encoder.eval()(x))
    assert [p.name for p in path.parent.iterdir()] == ["encoder.safetensors"]


def test_what_could_run_code_is_refused(tmp_path):
    path = tmp_path / "encoder.pt"
    path.write_bytes(pickle.dumps({"a": 1}))
    with pytest.raises(CheckpointError, match=r"can run code.*weights_only"):
        mujo.load_encoder(path)


def test_damaged_missing_and_other_files_are_told(tmp_path):
    from mujo.checkpoint import FORMAT, write_tensors

    good = mujo.save_encoder(tmp_path / "good.safetensors", build("fcn"))
    with pytest.raises(CheckpointError, match="no such file"):
        mujo.load_encoder(tmp_path / "none.safetensors")
    (tmp_path / "half.safetensors").write_bytes(good.read_bytes()[:5000])
    with pytest.raises(CheckpointError, match="damaged"):
        mujo.load_encoder(tmp_path / "half.safetensors")
    other = write_tensors(tmp_path / "other.safetensors", {"a": torch.zeros(2)}, {"format": "x"})
    with pytest.raises(CheckpointError, match=FORMAT):
        mujo.load_encoder(other)
    header = {"format": FORMAT, "encoder": {"name": "fcn", "options": {"channels": 32}}, "card": {}}
    wide = write_tensors(tmp_path / "wide.safetensors", build("fcn").state_dict(), header)
    with pytest.raises(CheckpointError, match="another configuration"):
        mujo.load_encoder(wide)
    assert json.dumps(header)
