"""`mujo corpus …` as people call it, and corpora by name."""

import numpy as np
import pytest

import imusim as im
import mujo
from mujo.corpus import embedded
from mujo.corpus.commands import Embedded, Info, Render
from mujo.corpus.corpora import MOST_FORCE, plausible, read_clips
from mujo.corpus.movement import library
from mujo.corpus.player import play
from mujo.errors import ConfigError, DatasetError
from mujo.pretrain_command import _table

ALL_BUT_TWO = sorted({m.label for m in library().values()} - {"squats", "wave"})


def test_embedded_then_info(tmp_path, capsys):
    without = ",".join(ALL_BUT_TWO)
    Embedded(
        tmp_path / "c", per_movement=1, placements="left_wrist", exclude_labels=without, text="none"
    ).run()
    Info(tmp_path / "c").run()
    said = capsys.readouterr().out
    assert "2 clips" in said
    assert "all whole" in said
    assert {c.label for c in mujo.corpus.open(tmp_path / "c")} == {"squats", "wave"}
    shard = next((tmp_path / "c").glob("*.tar"))
    shard.write_bytes(shard.read_bytes()[:-2000])
    with pytest.raises(im.errors.ImusimError, match=shard.name):
        Info(tmp_path / "c").run()


def test_clips_beyond_what_a_body_takes_are_left_out_with_a_word(tmp_path):
    import dataclasses

    clips = list(
        embedded.clips(seed=0, per_movement=2, movements=["squats"], placements=["left_wrist"], validation=0)
    )
    assert all(plausible(c) for c in clips)
    imu = clips[0].imu.copy()
    imu[7, 0, 1] = MOST_FORCE + 1
    imu[9] = np.nan
    hit = dataclasses.replace(clips[0], imu=imu)
    assert not plausible(hit)
    mujo.corpus.write(
        [dataclasses.replace(hit, text=()), dataclasses.replace(clips[1], text=())], tmp_path / "a"
    )
    with pytest.warns(im.errors.QualityWarning, match="1 of 2 clips"):
        assert [c.key for c in read_clips([str(tmp_path / "a")])] == [clips[1].key]
    mujo.corpus.write([dataclasses.replace(hit, text=())], tmp_path / "b")
    with pytest.warns(im.errors.QualityWarning), pytest.raises(DatasetError, match="no clip without forces"):
        read_clips([str(tmp_path / "b")])


def test_nothing_is_rendered_without_picture_features(tmp_path):
    with pytest.raises(ConfigError, match="image none"):
        Render(tmp_path, image="none").run()


@pytest.mark.asset
def test_rendered_clips_by_name_and_motion_files_by_list(tmp_path, capsys):
    pytest.importorskip("moderngl")
    clips = read_clips(
        ["rendered"], placements=["left_wrist"], per_movement=1, exclude_labels=[*ALL_BUT_TWO, "wave"]
    )
    assert [(c.source, c.label, c.video.shape[1]) for c in clips] == [("rendered", "squats", 1280)]
    assert clips[0].text_features.shape == (len(clips[0].text), 384)
    im.save_motion(tmp_path / "wave.npz", play(library()["wave"], 2.0, seed=1).motion)
    (tmp_path / "list.csv").write_text("clip,start_s,end_s,text\nwave.npz,0,,waving\nno.bvh,0,,none\n")
    Render(tmp_path / "out", motions=tmp_path / "list.csv", placements="left_wrist", text="none").run()
    assert "refused 1 clips" in capsys.readouterr().out
    (clip,) = mujo.corpus.open(tmp_path / "out")
    assert (clip.source, clip.text) == ("rendered", ("waving",))


def test_retrieval_is_told_in_a_line_for_each_direction():
    row = {"asked": "text", "wanted": "imu", "clips": "12", "recall": "0.5", "chance": "0.083"}
    lines = _table(
        [
            {**row, "k": "1"},
            {**row, "k": "5", "recall": "0.9"},
            {**row, "asked": "imu", "wanted": "text", "k": "1"},
        ]
    )
    assert len(lines) == 3
    assert "R@1 (chance)" in lines[0]
    assert "R@5 (chance)" in lines[0]
    assert lines[1].split() == ["text", "imu", "0.500", "(0.083)", "0.900", "(0.083)", "12"]
