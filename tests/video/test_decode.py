import warnings

import numpy as np
import pytest
from make_video import gradient, set_rotation, write_sound, write_video

from imusim.errors import QualityWarning, VideoError
from imusim.video.decode import DecodeCounts, focal_from_tags, frames, probe

pytest.importorskip("av")


def test_variable_frame_rate_gives_the_true_times(tmp_path):
    rng = np.random.default_rng(0)
    times = np.concatenate([[0.0], np.cumsum(rng.uniform(0.01, 0.09, 40))])
    path = write_video(tmp_path / "vfr.mp4", (gradient(64, 48, i) for i in range(41)), times.tolist())
    got = np.array([t for t, _ in frames(path)])
    assert got.shape == times.shape
    np.testing.assert_allclose(got, times, atol=1.2e-5)  # half a tick of the 1/90000 s clock, twice
    uniform = np.arange(41) / probe(path).fps
    assert np.abs(uniform - times).max() > 0.02  # frame / fps would have been wrong


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_rotation_metadata_makes_pictures_upright(tmp_path, degrees):
    upright = gradient(96, 64)  # as it should be seen
    stored = np.ascontiguousarray(np.rot90(upright, degrees // 90))  # players turn it clockwise by `degrees`
    path = set_rotation(write_video(tmp_path / "phone.mp4", [stored] * 3), degrees)
    info = probe(path)
    assert info.size_px == (96, 64)
    _, rgb = next(frames(path))
    assert rgb.shape == (64, 96, 3)
    assert np.abs(rgb.astype(int) - upright).mean() < 4.0
    assert rgb.flags.c_contiguous


@pytest.mark.parametrize("width", [1768, 98, 64])
def test_rows_are_packed_at_widths_that_the_decoder_pads(tmp_path, width):
    image = gradient(width, 50)
    path = write_video(tmp_path / "wide.mp4", [image] * 2)
    for _, rgb in frames(path):
        assert rgb.flags.c_contiguous
        assert rgb.strides == (3 * width, 3, 1)
        assert np.abs(rgb.astype(int) - image).mean() < 4.0


def test_fewer_frames_a_second_go_by_time_not_by_count(tmp_path):
    times = [0.0, 0.01, 0.02, 0.03, 0.2, 0.21, 0.4, 0.6, 0.61]
    path = write_video(tmp_path / "vfr.mp4", (gradient(64, 48, i) for i in range(9)), times)
    got = [t for t, _ in frames(path, fps=5.0)]
    np.testing.assert_allclose(got, [0.0, 0.2, 0.4, 0.6], atol=1e-4)
    with pytest.raises(VideoError, match="positive"):
        next(frames(path, fps=0.0))


def test_large_frames_are_scaled_down_by_the_decoder(tmp_path):
    path = write_video(tmp_path / "large.mp4", [gradient(640, 360)] * 2)
    _, rgb = next(frames(path, max_side=160))
    assert rgb.shape == (90, 160, 3)
    assert np.abs(rgb.astype(int) - gradient(160, 90)).mean() < 5.0


def test_frames_after_a_time(tmp_path):
    path = write_video(tmp_path / "a.mp4", (gradient(64, 48, i) for i in range(20)))
    got = [t for t, _ in frames(path, after_s=0.3)]
    np.testing.assert_allclose(got, np.arange(10, 20) / 30, atol=1e-4)


def test_missing_empty_folder_text_and_sound(tmp_path):
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "notes.mp4").write_text("this is not a video, it is a note about one\n" * 50)
    for name, wanted in (
        ("nothing.mp4", "no such file"),
        ("empty.mp4", "empty"),
        ("notes.mp4", "not a video"),
        (".", "folder"),
    ):
        for read in (probe, lambda p: next(frames(p))):
            with pytest.raises(VideoError, match=wanted):
                read(tmp_path / name)
    with pytest.raises(VideoError, match="only sound"):
        probe(write_sound(tmp_path / "tone.m4a"))


def test_video_without_frames(tmp_path):
    path = write_video(tmp_path / "one.mkv", [gradient(64, 48)] * 2)
    data = path.read_bytes()
    cut = data.index(b"\x1f\x43\xb6\x75")  # the first cluster: keep the headers only
    path.write_bytes(data[:cut])
    with pytest.raises(VideoError):
        probe(path)
    with pytest.raises(VideoError):
        list(frames(path))


def test_truncated_file_gives_what_it_has_and_says_so(tmp_path):
    rng = np.random.default_rng(1)
    noise = (rng.integers(0, 255, (96, 128, 3), dtype=np.uint8) for _ in range(60))
    path = write_video(tmp_path / "whole.mp4", noise, options={"movflags": "+faststart"})
    whole = path.read_bytes()
    # an index at the front, as cameras and downloads have it, and 60 % of the pictures
    moved = tmp_path / "front.mp4"
    import av

    with av.open(str(path)) as source, av.open(str(moved), "w", options={"movflags": "faststart"}) as out:
        stream = out.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                out.mux(packet)
    whole = moved.read_bytes()
    assert whole.index(b"moov") < whole.index(b"mdat")
    moved.write_bytes(whole[: int(len(whole) * 0.6)])
    counts = DecodeCounts()
    with pytest.warns(QualityWarning, match=r"decoded 1\.\d\d s of 2\.00 s"):
        got = list(frames(moved, counts=counts))
    assert 20 <= len(got) < 50
    assert counts.truncated


def test_whole_file_does_not_warn(tmp_path):
    path = write_video(tmp_path / "a.mp4", (gradient(64, 48, i) for i in range(30)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(list(frames(path))) == 30


def test_focal_length_from_a_35_mm_equivalent():
    tags = {"com.apple.quicktime.camera.focal_length.35mm_equivalent": "26"}
    focal = focal_from_tags(tags, (1080, 1920))
    assert focal == pytest.approx(26 / 36 * 1920)
    assert focal_from_tags({"FocalLengthIn35mmFilm": "24 mm"}, (1920, 1080)) == pytest.approx(24 / 36 * 1920)
    assert focal_from_tags({"encoder": "Lavf 35"}, (1080, 1920)) is None
    assert focal_from_tags({"com.apple.quicktime.camera.focal_length.35mm_equivalent": "0"}, (9, 9)) is None
