"""What the README shows runs: its Python block, and every command parses."""

import re
import shlex
from pathlib import Path

import pytest

README = (Path(__file__).parents[2] / "README.md").read_text()


@pytest.mark.asset
@pytest.mark.xdist_group("real-clips")
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_python_block(tmp_path, monkeypatch):
    import imusim as im

    code = "\n".join(re.findall(r"```python\n(.*?)```", README, re.DOTALL))
    assert "im.estimate_pose" in code
    clip = im.asset("clip_cam04")
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    exec(code.replace('"clip.mp4"', repr(str(clip))), names)  # our own README, not a user's file
    assert names["rec"].sensors == ("left_wrist", "right_thigh")
    assert (tmp_path / "walk.parquet").exists()
    assert (tmp_path / "walk.json").exists()


def test_commands_parse(tmp_path, monkeypatch, capsys):
    import tyro

    from imusim.cli import Command

    validation = (Path(__file__).parents[2] / "docs" / "validation.md").read_text()
    commands = re.findall(r"^    (imusim [^#→\n]+)", README + validation, re.MULTILINE)
    assert len(commands) > 8
    for line in commands:
        tyro.cli(Command, args=shlex.split(line)[1:])


def test_pictures_and_pages_exist():
    for path in re.findall(r"\]\(([^)h][^)]*)\)|`((?:docs|imusim)/[\w./]+)`", README):
        name = path[0] or path[1]
        assert (Path(__file__).parents[2] / name).exists(), name
