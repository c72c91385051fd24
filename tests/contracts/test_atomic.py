"""Files appear whole, all together, or not at all."""

import os
import stat
from pathlib import Path

import pytest

from imusim.atomic import written_together
from imusim.errors import OutputError


@pytest.fixture
def kept(tmp_path):
    path = tmp_path / "kept.bin"
    path.write_bytes(b"old")
    return path


def test_new_content_comes_at_once_and_others_may_read_it(kept):
    with written_together(kept) as (partial,):
        partial.write_bytes(b"new")
        assert kept.read_bytes() == b"old"
    assert kept.read_bytes() == b"new"
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE(kept.stat().st_mode) == 0o666 & ~mask


def test_the_old_file_stays_when_interrupted(kept, monkeypatch):
    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", killed)
    with pytest.raises(KeyboardInterrupt), written_together(kept) as (partial,):
        partial.write_bytes(b"new")
    assert kept.read_bytes() == b"old"
    assert [p.name for p in kept.parent.iterdir()] == ["kept.bin"]


def test_neither_of_two_appears_when_the_second_fails(kept):
    other = kept.with_name("other.bin")
    with pytest.raises(OutputError), written_together(kept, other) as (first, _):
        first.write_bytes(b"new")  # and `other` is never written
    assert kept.read_bytes() == b"old"
    assert [p.name for p in kept.parent.iterdir()] == ["kept.bin"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_full_disk_is_an_error_that_says_so(kept):
    with pytest.raises(OutputError, match="No space left"), written_together(kept):
        Path("/dev/full").write_bytes(b"new")
    assert kept.read_bytes() == b"old"


def test_a_folder_in_the_way(tmp_path):
    (tmp_path / "out.csv").mkdir()
    with pytest.raises(OutputError, match="it is a folder"), written_together(tmp_path / "out.csv"):
        pass
