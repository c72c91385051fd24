"""Corpora on disk: what is written comes back; what is damaged is named."""

import json
import tarfile

import numpy as np
import pytest

import mujo
from mujo.corpus import Clip, embedded
from mujo.errors import CorpusError


def made(key="a", group="g", split="train", **more):
    rng = np.random.default_rng(len(key))
    return Clip(key=key, rate_hz=50.0, imu=rng.normal(size=(60, 2, 6)).astype(np.float32), placements=("a", "b"),
                group=group, split=split, **more)  # fmt: skip


def test_round_trip_of_every_modality(tmp_path):
    full = made(
        "full",
        pose=np.ones((60, 24, 3), np.float32),
        video=np.full((4, 8), 0.5, np.float32),
        video_time_s=np.arange(4, dtype=np.float32),
        text=("übung", "an exercise"),
        text_features=np.zeros((2, 3), np.float32),
        label="exercise",
        source="rendered",
        metadata={"seed": [1, 2]},
    )
    bare = made("bare", group="h", split="validation")
    corpus = mujo.corpus.write([full, bare], tmp_path)
    assert len(corpus) == 2
    a, b = mujo.corpus.open(tmp_path)
    for name in ("imu", "pose", "video", "video_time_s", "text_features"):
        assert np.array_equal(getattr(a, name), getattr(full, name))
    for name in ("key", "text", "label", "source", "split", "group", "placements", "metadata", "rate_hz"):
        assert getattr(a, name) == getattr(full, name)
    assert b.pose is None
    assert b.text == ()
    assert [c.key for c in corpus.where(split="validation")] == ["bare"]
    assert [c.key for c in corpus.where(source="rendered")] == ["full"]
    assert [c.key for c in corpus.where(exclude_labels=["Exercise"])] == ["bare"]
    assert "2 clips" in corpus.describe()


def test_the_same_clips_give_the_same_bytes(tmp_path):
    for name in ("one", "two"):
        clips = embedded.clips(
            seed=0, per_movement=1, movements=["wave", "squats", "push"], placements=["left_wrist"]
        )
        mujo.corpus.write(clips, tmp_path / name, shard_clips=2)
    one, two = ((tmp_path / n / "manifest.json").read_bytes() for n in ("one", "two"))
    assert one == two
    assert len(json.loads(one)["shards"]) == 2


def test_webdataset_layout_members_of_a_clip_follow_each_other(tmp_path):
    mujo.corpus.write([made("a"), made("b")], tmp_path)
    with tarfile.open(tmp_path / "part-00000.tar") as tar:
        names = tar.getnames()
    assert names == ["a.json", "a.imu.npy", "b.json", "b.imu.npy"]


@pytest.mark.parametrize("where", [600, -700])
def test_a_damaged_shard_is_named(tmp_path, where):
    mujo.corpus.write([made("a"), made("b", group="h")], tmp_path, shard_clips=1)
    path = tmp_path / "part-00001.tar"
    data = bytearray(path.read_bytes())
    data[where] ^= 0xFF
    path.write_bytes(data)
    seen = []
    with pytest.raises(CorpusError, match="part-00001"):
        seen.extend(c.key for c in mujo.corpus.open(tmp_path))
    assert seen == ["a"]


def test_a_truncated_or_missing_shard_is_named(tmp_path):
    corpus = mujo.corpus.write([made("a")], tmp_path)
    path = tmp_path / "part-00000.tar"
    path.write_bytes(path.read_bytes()[:700])
    with pytest.raises(CorpusError, match="part-00000"):
        list(corpus)
    path.unlink()
    with pytest.raises(CorpusError, match="part-00000"):
        mujo.corpus.open(tmp_path)


def test_pickles_are_never_loaded(tmp_path):
    corpus = mujo.corpus.write([made("a")], tmp_path)
    path = tmp_path / "part-00000.tar"
    np.save(tmp_path / "bad.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with tarfile.open(path, "w") as tar:
        tar.add(tmp_path / "bad.npy", "a.imu.npy")
    from mujo.corpus.shards import _hash

    trusting = type(corpus)(corpus.folder, corpus.entries, {"part-00000.tar": _hash(path)}, corpus.manifest)
    with pytest.raises(CorpusError, match="part-00000"):
        list(trusting)


def test_groups_stay_on_one_side_and_keys_differ(tmp_path):
    with pytest.raises(CorpusError, match="both sides"):
        mujo.corpus.write([made("a"), made("b", split="validation")], tmp_path / "x")
    with pytest.raises(CorpusError, match="two clips"):
        mujo.corpus.write([made("a"), made("a")], tmp_path / "y")
    with pytest.raises(CorpusError, match="two clips"):
        mujo.corpus.write([made("a"), made("a")], tmp_path / "z", shard_clips=1)
    with pytest.raises(CorpusError, match="key"):
        mujo.corpus.write([made("a.b")], tmp_path / "w")


def test_no_corpus_is_a_clear_error(tmp_path):
    with pytest.raises(CorpusError, match="manifest"):
        mujo.corpus.open(tmp_path)
    (tmp_path / "manifest.json").write_text("{}")
    with pytest.raises(CorpusError, match="version"):
        mujo.corpus.open(tmp_path)
    with pytest.raises(CorpusError, match="no clip"):
        mujo.corpus.write([], tmp_path / "empty")


def test_a_corpus_of_one_clip(tmp_path):
    corpus = mujo.corpus.write([made("only")], tmp_path)
    assert len(corpus) == 1
    assert len(corpus.where(split="validation")) == 0
    assert [c.key for c in corpus] == ["only"]
