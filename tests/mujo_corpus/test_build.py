"""Building a corpus: sources, quarantine, dead workers, kills."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import imusim as im
import mujo
from mujo.corpus.building import Settings, build
from mujo.corpus.make import part_of
from mujo.corpus.movement import library
from mujo.corpus.player import play
from mujo.corpus.sources import jobs, normalised, split_of
from mujo.errors import ConfigError, CorpusError, ImusimError

PLAIN = Settings(placements=("left_wrist",), text_features="none", image_features="none", pose_model="lite")


def motion_folder(folder: Path, names=("squats", "wave", "walking", "push"), seconds=3.0) -> Path:
    """Motion files and the CSV that names them."""
    rows = ["clip,start_s,end_s,text,label"]
    for name in names:
        im.save_motion(folder / f"{name}.npz", play(library()[name], seconds, seed=1).motion)
        rows.append(f"{name}.npz,0,,a person does {name}|{name},{name}")
    (folder / "list.csv").write_text("\n".join(rows) + "\n")
    return folder / "list.csv"


def refusals(folder: Path) -> dict[str, str]:
    with open(folder / "quarantine.csv", newline="") as file:
        return {row["clip"]: row["reason"] for row in csv.DictReader(file)}


def test_motion_files_with_words_join_without_video(tmp_path):
    source = motion_folder(tmp_path)
    corpus = build(source, tmp_path / "out", settings=PLAIN, progress=False)
    assert len(corpus) == 4
    clip = next(c for c in corpus if c.label == "squats")
    assert clip.source == "mocap"
    assert clip.text == ("a person does squats", "squats")
    assert clip.video is None
    assert clip.pose.shape == (len(clip.imu), 24, 3)
    direct = im.simulate(im.read_motion(tmp_path / "squats.npz"), ["left_wrist"], rate_hz=50)
    assert clip.imu[:, 0, :3] == pytest.approx(direct.acc[:, 0], abs=1e-4)


def test_bad_files_are_quarantined_and_the_rest_is_built(tmp_path):
    source = motion_folder(tmp_path, ("wave", "push"))
    (tmp_path / "broken.npz").write_bytes(b"PK\x03\x04 nothing")
    (tmp_path / "text.mp4").write_text("hello")
    (tmp_path / "empty.mkv").write_bytes(b"")
    with open(source, "a") as file:
        file.write("broken.npz,0,,x,\ntext.mp4,0,5,x,\nempty.mkv,0,5,x,\ngone.mp4,0,5,x,\nwave.npz,2,1,x,\n")
        file.write("wave.npz,one,2,x,\nwave.npz,0,1,x,\nwave.npz,50,60,x,\n")
    corpus = build(source, tmp_path / "out", settings=PLAIN, progress=False)
    assert sorted(c.key for c in corpus) == ["push___0", "wave___0"]
    said = refusals(tmp_path / "out")
    assert len(said) == 8
    assert "not there" in said["gone___0"]
    assert "shorter" in said["wave___3"]
    assert "no stretch" in said["wave___1"]
    assert "no stretch" in said["wave___2"]
    assert "0 frames" in said["wave___4"]
    assert all("Traceback" not in r for r in said.values())


def test_nothing_at_all_is_an_error_with_reasons(tmp_path):
    (tmp_path / "text.mp4").write_text("hello")
    with pytest.raises(CorpusError, match=r"quarantine\.csv"):
        build(tmp_path, tmp_path / "out", settings=PLAIN, progress=False)
    assert "not a video" in refusals(tmp_path / "out")["text___0"]


def test_other_settings_in_the_same_folder_are_refused(tmp_path):
    source = motion_folder(tmp_path, ("push",))
    build(source, tmp_path / "out", settings=PLAIN, progress=False)
    other = Settings(placements=("head",), text_features="none", image_features="none", pose_model="lite")
    with pytest.raises(ConfigError, match="placements"):
        build(source, tmp_path / "out", settings=other, progress=False)


KILLER = """
import os, signal
class Killer:
    name, width = "killer", 1
    def __call__(self, sentences):
        import numpy as np
        if any("wave" in s for s in sentences):
            os.kill(os.getpid(), signal.SIGSEGV)
        return np.zeros((len(sentences), 1), np.float32)
"""


def test_a_file_that_kills_its_worker_takes_only_itself(tmp_path, monkeypatch):
    source = motion_folder(tmp_path, ("push", "wave", "squats"))
    (tmp_path / "killer_module.py").write_text(KILLER)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{os.environ.get('PYTHONPATH', '')}")
    monkeypatch.syspath_prepend(str(tmp_path))
    settings = Settings(
        placements=("left_wrist",), text_features="killer_module:Killer", image_features="none"
    )
    corpus = build(source, tmp_path / "out", settings=settings, workers=2, progress=False)
    assert sorted(c.key for c in corpus) == ["push___0", "squats___0"]
    assert "signal 11" in refusals(tmp_path / "out")["wave___0"]


def command(source: Path, out: Path) -> list[str]:
    return [sys.executable, "-m", "mujo.cli", "corpus", "build", str(source), "--out", str(out), "--workers", "2",
            "--placements", "left_wrist", "--text", "none", "--image", "none"]  # fmt: skip


def test_killed_at_any_moment_it_goes_on_to_the_same_manifest(tmp_path):
    source = motion_folder(
        tmp_path, ("push", "wave", "squats", "walking", "clap", "boxing", "throw", "catch"), 20.0
    )
    subprocess.run(command(source, tmp_path / "whole"), check=True, capture_output=True)
    rng = np.random.default_rng(int(time.time()))
    started = time.time()
    killed = 0
    for _ in range(2):
        process = subprocess.Popen(
            command(source, tmp_path / "cut"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        wanted = int(rng.integers(1, 4)) + len(list((tmp_path / "cut").glob("mocap-*.tar")))
        while process.poll() is None and len(list((tmp_path / "cut").glob("mocap-*.tar"))) < min(wanted, 7):
            time.sleep(0.01)
            assert time.time() - started < 200
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            killed += 1
        process.wait()
        time.sleep(0.1)
    assert killed
    subprocess.run(command(source, tmp_path / "cut"), check=True, capture_output=True)
    assert (tmp_path / "whole/manifest.json").read_bytes() == (tmp_path / "cut/manifest.json").read_bytes()
    assert (tmp_path / "whole/quarantine.csv").read_bytes() == (tmp_path / "cut/quarantine.csv").read_bytes()
    assert len(list(mujo.corpus.open(tmp_path / "cut"))) == 8


def test_chapters_of_a_downloader(tmp_path):
    (tmp_path / "a b").mkdir()
    (tmp_path / "a b" / "-2DxGwlLX5s.mp4").write_bytes(b"x")
    chapters = [
        {"start_time": 0, "end_time": 30, "title": "1. Jumping Jacks (x20)"},
        {"start_time": 30, "end_time": 290.0, "title": "Squats"},
    ]
    (tmp_path / "a b" / "-2DxGwlLX5s.info.json").write_text(json.dumps({"chapters": chapters}))
    (tmp_path / "mute.webm").write_bytes(b"x")
    (tmp_path / "odd.mkv").write_bytes(b"x")
    (tmp_path / "odd.info.json").write_text("{")
    found = {j.unit: j for j in jobs(tmp_path)}
    assert set(found) == {"a-b__-2DxGwlLX5s", "mute", "odd"}
    spans = found["a-b__-2DxGwlLX5s"].spans
    assert spans[0].label == "jumping jacks"
    assert spans[0].text == ("1. Jumping Jacks (x20)", "jumping jacks")
    assert [s.key.rpartition("___")[2] for s in spans] == ["0", "1-0", "1-1", "1-2"]
    assert spans[3].end_s == 290
    assert found["mute"].spans[0].text == ()
    assert "damaged" in found["odd"].note


def test_the_published_split_is_understood(tmp_path):
    (tmp_path / "Some video [-6GAW7wj30g].mp4").write_bytes(b"x")
    chapters = [{"start_time": 10 * k, "end_time": 10 * k + 10, "title": f"move {k}"} for k in range(13)]
    (tmp_path / "Some video [-6GAW7wj30g].info.json").write_text(json.dumps({"chapters": chapters}))
    split = {"train": ["-6GAW7wj30g___11", "-6GAW7wj30g___2"], "val": ["zzzzzzzzzzz___0"]}
    (tmp_path / "split.json").write_text(json.dumps(split))
    there, gone = jobs(tmp_path / "split.json")
    assert [s.key for s in there.spans] == ["-6GAW7wj30g___2", "-6GAW7wj30g___11"]
    assert (there.split, gone.split) == ("train", "validation")
    assert there.spans[0].start_s == 20
    (tmp_path / "links.txt").write_text("https://www.youtube.com/watch?v=-6GAW7wj30g\n")
    (linked,) = jobs(tmp_path / "links.txt")
    assert len(linked.spans) == 13


@pytest.mark.data
def test_fimads_own_lists(tmp_path):
    mujo_data = os.environ.get("MUJO_DATA")
    if not mujo_data:
        pytest.skip("MUJO_DATA is not set")
    found = jobs(Path(mujo_data) / "fimad" / "train_val_split.json", tmp_path)
    count = {s: sum(len(j.spans) for j in found if j.split == s) for s in ("train", "validation")}
    assert count == {"train": 8227, "validation": 1584}
    assert {s: sum(j.split == s for j in found) for s in count} == {"train": 1090, "validation": 195}
    assert len(jobs(Path(mujo_data) / "fimad" / "youtube_links.txt", tmp_path)) == 1388


@pytest.mark.parametrize(
    ("text", "says"),
    [("clip,start_s\n", "lacks"), ("clip,start_s,end_s,text,colour\n", "colour"), ("clip,start_s,end_s,text\n", "no video"),
     ("clip,start_s,end_s,text,split\na.npz,0,1,x,test\n", "split")],
)  # fmt: skip
def test_a_wrong_list_is_one_clear_sentence(tmp_path, text, says):
    (tmp_path / "list.csv").write_text(text)
    with pytest.raises(ConfigError, match=says):
        jobs(tmp_path / "list.csv")


def test_labels_are_titles_without_numbers():
    assert normalised("12. Push-Ups (x10)") == "push-ups"
    assert normalised("Exercise 3: Jumping Jacks 30 sec") == "jumping jacks"
    sides = [split_of(f"video{i}", 0.15) for i in range(2000)]
    assert 0.12 < sides.count("validation") / 2000 < 0.18


@pytest.mark.asset
def test_a_real_video_with_chapters(tmp_path):
    (tmp_path / "walk.mp4").write_bytes(im.asset("clip_walking").read_bytes())
    chapters = [{"start_time": 1.0, "end_time": 3.0, "title": "Walking"}]
    (tmp_path / "walk.info.json").write_text(json.dumps({"chapters": chapters}))
    settings = Settings(
        placements=("left_wrist", "waist"), text_features="none", pose_model="lite", pose_fps=15
    )
    corpus = build(tmp_path, tmp_path / "out", settings=settings, progress=False)
    (clip,) = corpus
    assert clip.source == "video"
    assert clip.label == "walking"
    assert clip.duration_s == pytest.approx(2.0, abs=0.15)
    assert clip.video.shape == (4, 1280)
    assert np.all((clip.video_time_s >= 0) & (clip.video_time_s <= 2.2))
    assert np.nanmedian(np.linalg.norm(clip.imu[:, 1, :3], axis=1)) == pytest.approx(9.8, abs=3.0)
    with pytest.raises(ImusimError, match="spans_s"):
        im.estimate_pose(tmp_path / "walk.mp4", spans_s=[(3, 1)])


def test_a_stretch_of_a_motion_has_its_own_clock():
    motion = play(library()["squats"], 4.0, seed=0).motion
    part = part_of(motion, 1.0, 3.0)
    assert part.time_s[0] == 0.0
    assert part.time_s[-1] == pytest.approx(2.0)
    assert np.array_equal(part.root_position_m[0], motion.root_position_m[100])
    with pytest.raises(ConfigError, match="frames"):
        part_of(motion, 30.0, 40.0)
