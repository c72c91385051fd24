"""A full disk, a kill at any moment, damaged and awkward videos: nothing half-written, nothing silent."""

import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from make_video import set_rotation

import imusim as im

av = pytest.importorskip("av")
pytestmark = [pytest.mark.asset, pytest.mark.xdist_group("interrupted")]

FAST = ("--pose-model", "lite", "--placements", "left_wrist", "--format", "csv")
WHOLE = {"imu.csv", "imu.json", "ideal.csv", "ideal.json", "motion.npz", "pose.npz", "report.png"}


def command(*args: str) -> list[str]:
    return [sys.executable, "-m", "imusim.cli", "simulate", *args]


def pictures(name: str, first: int, last: int) -> list[np.ndarray]:
    with av.open(str(im.asset(name))) as source:
        return [
            f.to_ndarray(format="rgb24") for f, _ in zip(source.decode(video=0), range(last), strict=False)
        ][first:]


def encode(path: Path, images: list[np.ndarray], rate: int = 60) -> Path:
    with av.open(str(path), "w") as target:
        stream = target.add_stream("libx264", rate=rate, options={"preset": "ultrafast", "crf": "20"})
        stream.height, stream.width = images[0].shape[0] // 2 * 2, images[0].shape[1] // 2 * 2
        stream.pix_fmt = "yuv420p"
        for rgb in images:
            cut = np.ascontiguousarray(rgb[: stream.height, : stream.width])
            target.mux(stream.encode(av.VideoFrame.from_ndarray(cut, format="rgb24")))
        target.mux(stream.encode())
    return path


@pytest.fixture(scope="module")
def clip(tmp_path_factory) -> Path:
    return encode(
        tmp_path_factory.mktemp("clip") / "me.mp4", [p[::2, ::2] for p in pictures("clip_cam04", 0, 60)]
    )


def no_traceback(done: subprocess.CompletedProcess[str], code: int) -> None:
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr


def test_a_full_disk_is_one_sentence_and_leaves_nothing(clip, tmp_path):
    def small_files() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # the write fails instead, as on a full disk
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    out = tmp_path / "out"
    done = subprocess.run(
        command(str(clip), "--out", str(out), *FAST),
        capture_output=True, text=True, timeout=300, preexec_fn=small_files,
    )  # fmt: skip
    no_traceback(done, 2)
    assert done.stderr.count("imusim: error:") == 1
    assert not out.exists() or [p.name for p in out.rglob("*")] == []


@pytest.mark.slow
def test_killed_at_any_moment_it_leaves_whole_files_and_goes_on(clip, tmp_path):
    out = tmp_path / "out"
    args = command(str(clip), "--out", str(out), *FAST)
    started = time.monotonic()
    subprocess.run(args, check=True, capture_output=True, timeout=300)
    whole = time.monotonic() - started
    want = {p.name: p.read_bytes() for p in out.iterdir() if p.suffix == ".csv"}
    assert {p.name for p in out.iterdir()} == WHOLE
    moments = np.random.default_rng(7).uniform(0.15, 1.0, 4) * whole
    for moment in moments:
        for file in out.iterdir():
            file.unlink()
        process = subprocess.Popen(args, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.wait(moment)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
        visible = {p.name for p in out.iterdir() if not p.name.startswith(".")} if out.exists() else set()
        assert visible in (set(), {"pose.npz"}, WHOLE)  # all of it appears at once, at the end
        subprocess.run(args, check=True, capture_output=True, timeout=300)
        assert {p.name: p.read_bytes() for p in out.iterdir() if p.suffix == ".csv"} == want


def test_a_terminated_run_cleans_up(clip, tmp_path):
    out = tmp_path / "out"
    process = subprocess.Popen(
        command(str(clip), "--out", str(out), *FAST),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    time.sleep(2.0)
    process.send_signal(signal.SIGTERM)
    said = process.communicate(timeout=60)[1]
    assert process.returncode not in (0, 1)
    assert "Traceback" not in said
    assert not out.exists() or not [p for p in out.iterdir() if p.name != "pose.npz"]


def test_a_truncated_file_is_used_as_far_as_it_goes_and_that_is_said(clip, tmp_path):
    # frames in the order of the file: the end can be missing while the index at the front is whole
    cut = tmp_path / "cut.mkv"
    with av.open(str(clip)) as source, av.open(str(cut), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    data = cut.read_bytes()
    cut.write_bytes(data[: int(0.7 * len(data))])
    done = subprocess.run(command(str(cut), *FAST), capture_output=True, text=True, timeout=300)
    no_traceback(done, 0)
    assert "warning" in done.stderr.lower()


def test_a_4k_portrait_phone_video_with_rotation_metadata(clip, tmp_path):
    """Phones store the picture lying and say how to turn it; the person must stand in what comes out."""
    import cv2

    lying = []
    for rgb in pictures("clip_cam04", 0, 40):
        side = max(0, (rgb.shape[1] - rgb.shape[0] * 9 // 16) // 2)
        upright = cv2.resize(rgb[:, side : rgb.shape[1] - side], (2160, 3840))
        lying.append(np.rot90(upright, 1))
    phone = encode(tmp_path / "phone.mp4", lying)
    set_rotation(phone, 90)
    done = subprocess.run(command(str(phone), *FAST), capture_output=True, text=True, timeout=400)
    no_traceback(done, 0)
    acc = im.Recording.load(tmp_path / "phone_imu" / "ideal.csv").acc
    assert np.isfinite(acc).all()
    assert 7.0 < np.median(np.linalg.norm(acc, axis=-1)) < 13.0


def test_a_person_who_leaves_for_seconds_is_marked_not_invented(clip, tmp_path):
    seen = [p[::2, ::2] for p in pictures("clip_cam04", 0, 60)]
    with_person = [seen[i] for i in (*range(60), *range(58, 0, -1))]
    nobody = np.full_like(seen[0], 90)
    path = encode(tmp_path / "away.mp4", [*with_person, *([nobody] * 120), *with_person])
    done = subprocess.run(command(str(path), *FAST), capture_output=True, text=True, timeout=300)
    no_traceback(done, 0)
    assert "warning" in done.stderr.lower()
    rec = im.Recording.load(tmp_path / "away_imu" / "ideal.csv")
    away = (rec.time_s > 2.2) & (rec.time_s < 3.6)
    assert not rec.valid[away].any()
    assert np.isnan(rec.acc[away]).all()
    assert rec.valid[rec.time_s < 1.8].all()
