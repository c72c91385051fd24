"""What a user gets when the input is wrong: exit code 2, one clear sentence, no traceback, nothing half-written."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

av = pytest.importorskip("av")


def run(*args: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "imusim.cli", *args],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, **env},
    )


def assert_one_clear_sentence(done: subprocess.CompletedProcess[str], *words: str) -> None:
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    errors = [line for line in done.stderr.splitlines() if line.startswith("imusim: error:")]
    assert len(errors) == 1, done.stderr
    for word in words:
        assert word.lower() in errors[0].lower(), errors[0]


def write_video(path: Path, frames: int = 40, size: tuple[int, int] = (320, 240)) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=30)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        for _ in range(frames):
            picture = av.VideoFrame.from_ndarray(np.full((size[1], size[0], 3), 90, np.uint8), format="rgb24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    return path


def leftovers(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.rglob("*") if p.is_file())


def test_no_such_file(tmp_path):
    assert_one_clear_sentence(run("simulate", str(tmp_path / "none.mp4")), "no such file", "none.mp4")
    assert leftovers(tmp_path) == []


def test_folder_instead_of_file(tmp_path):
    assert_one_clear_sentence(run("simulate", str(tmp_path)), "is a folder")


def test_not_a_video(tmp_path):
    fake = tmp_path / "fake.mp4"
    fake.write_bytes(b"this is not a video" * 100)
    assert_one_clear_sentence(run("simulate", str(fake)), "fake.mp4")
    assert leftovers(tmp_path) == ["fake.mp4"]


def test_empty_file(tmp_path):
    empty = tmp_path / "empty.mp4"
    empty.touch()
    assert_one_clear_sentence(run("simulate", str(empty)), "empty.mp4")


def test_audio_only(tmp_path):
    path = tmp_path / "speech.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=16000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 16000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    assert_one_clear_sentence(run("simulate", str(path)), "audio")


@pytest.mark.asset
def test_constant_image_has_no_person(tmp_path):
    assert_one_clear_sentence(run("simulate", str(write_video(tmp_path / "grey.mp4"))), "no person")
    assert leftovers(tmp_path) == ["grey.mp4"]


def test_unknown_placement_is_told_before_the_long_work(tmp_path):
    clip = write_video(tmp_path / "clip.mp4")
    assert_one_clear_sentence(
        run("simulate", str(clip), "--placements", "left_wirst"), "left_wirst", "left_wrist"
    )


def test_unknown_preset(tmp_path):
    clip = write_video(tmp_path / "clip.mp4")
    assert_one_clear_sentence(run("simulate", str(clip), "--sensor", "bmi207"), "bmi207", "bmi270")


def test_unknown_yaml_key(tmp_path):
    clip = write_video(tmp_path / "clip.mp4")
    places = tmp_path / "places.yaml"
    places.write_text("- name: watch\n  base: left_wrist\n  ofset_m: [0, 0, 0.01]\n")
    assert_one_clear_sentence(run("simulate", str(clip), "--placements", str(places)), "ofset_m", "offset_m")


@pytest.mark.parametrize("height", ["17", "0.17", "-1", "nan"])
def test_absurd_height(tmp_path, height):
    clip = write_video(tmp_path / "clip.mp4")
    assert_one_clear_sentence(run("simulate", str(clip), "--height-m", height), "height")


@pytest.mark.parametrize(
    ("option", "value", "word"),
    [
        ("--rate-hz", "0", "rate"),
        ("--rate-hz", "1e9", "rate"),
        ("--format", "xlsx", "format"),
        ("--person", "biggest", "person"),
        ("--person", "1,2,3", "person"),
        ("--pose-fps", "-3", "fps"),
        ("--pose-model", "huge", "model"),
        ("--focal-px", "-5", "focal"),
        ("--camera-tilt-deg", "400", "tilt"),
        ("--max-gap-s", "-1", "gap"),
        ("--body", "nowhere.npz", "nowhere.npz"),
    ],
)
def test_option_out_of_range(tmp_path, option, value, word):
    clip = write_video(tmp_path / "clip.mp4")
    assert_one_clear_sentence(run("simulate", str(clip), option, value), word)
    assert leftovers(tmp_path) == ["clip.mp4"]


@pytest.mark.skipif(
    os.geteuid() == 0 and not Path("/proc").exists(), reason="needs a folder that cannot be written"
)
def test_output_folder_not_writable(tmp_path):
    clip = write_video(tmp_path / "clip.mp4")
    in_the_way = tmp_path / "file"
    in_the_way.write_text("I am a file")
    assert_one_clear_sentence(run("simulate", str(clip), "--out", str(in_the_way)), "cannot write", "file")
    assert_one_clear_sentence(run("simulate", str(clip), "--out", "/proc/nowhere"), "cannot write")
    assert in_the_way.read_text() == "I am a file"


def test_help_is_for_newcomers():
    done = run("simulate", "--help")
    assert done.returncode == 0
    for option in ("--placements", "--height-m", "--person", "--camera-tilt-deg", "--pose-fps", "--axes"):
        assert option in done.stdout
