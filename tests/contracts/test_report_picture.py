"""Pictures: what is drawn where, that nothing is lost in long signals, and that odd inputs still give a picture."""

import numpy as np
import pytest
from matplotlib.text import Text
from PIL import Image

import imusim as im
from imusim.errors import OutputError
from imusim.types import PoseTrack
from imusim.viz.overlay import bone_edges, landmark_edges, overlay
from imusim.viz.panels import crop
from imusim.viz.plot import gaps_of
from imusim.viz.report import _nearest, _skeletons, draw_report, report
from imusim.viz.style import BAD, LEFT, RIGHT
from imusim.viz.traces import draw_traces, envelope, limits, runs

NAMES = ("left_wrist", "lower_back", "head")


def recording(samples=150, names=NAMES, **more):
    t = np.arange(samples) / 50
    shape = (samples, len(names), 3)
    acc = np.sin(2 * np.pi * t[:, None, None] + np.arange(3)) * np.ones(shape)
    acc[..., 1] += 9.81
    gyro = np.cos(2 * np.pi * t[:, None, None]) * np.ones(shape)
    metadata = {"sensor": {"name": "Bosch BMI270"}, "seed": 0, "axes": "segment"}
    metadata["placements"] = [vars(im.placements()[n]) for n in names if n in im.placements()]
    return im.Recording(t, acc, gyro, names, metadata=metadata | more.pop("metadata", {}), **more)


def motion(body=None, samples=90):
    body = im.open_body() if body is None else body
    q = np.zeros((samples, len(body.joint_names), 4))
    q[..., 0] = 1
    q[:, 0] = im.conventions.Q_WB_REST
    return im.Motion(np.arange(samples) / 30, np.zeros((samples, 3)), q, body, up_sd_deg=1.5)


def pose_track(samples=90, size=(320, 240)):
    rng = np.random.default_rng(0)
    names = ("left_shoulder", "right_shoulder", "left_hip", "right_hip", "left_knee", "right_knee")
    px = np.array([[180, 60], [140, 60], [170, 130], [150, 130], [170, 180], [150, 180.0]])
    px = px + np.linspace(0, 30, samples)[:, None, None]
    m = rng.normal(size=(samples, 6, 3))
    quality = np.full(samples, 0.8)
    quality[30:40] = 0.0
    m[30:40] = np.nan
    px[30:40] = np.nan
    shot = (np.arange(samples) >= 60).astype(int)
    switched = np.arange(samples) == 50
    return PoseTrack(
        np.arange(samples) / 30, m, px, np.ones((samples, 6)), size, names, shot, quality, switched
    )


def texts(figure):
    return [t.get_text() for t in figure.findobj(lambda a: hasattr(a, "get_text"))]


def near(colour, pixels):
    target = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)])
    return (np.abs(pixels.astype(int) - target).max(axis=-1) < 40).sum()


def test_the_report_shows_what_it_should(tmp_path):
    track, rec = pose_track(), recording(acc_sd=np.ones((150, 3, 3)), confidence=np.full((150, 3), 0.3))
    frames = [(k / 3, np.full((240, 320, 3), 90, np.uint8)) for k in range(6)]
    figure = draw_report(rec, motion(), None, track, frames, None, ["the camera moves"], "clip $5 $6.mp4")
    said = texts(figure)
    assert "clip $5 $6.mp4" in said
    assert any("Bosch BMI270" in s and "50 Hz" in s and "3 sensors" in s for s in said)
    assert "! the camera moves" in said
    assert "80 of 90 frames (89%)" in said
    assert "± 1.5° (0.26 m/s² on wrong axes)" in said
    assert {"1  left_wrist", "2  lower_back", "3  head", "confidence 0.30"} <= set(said)
    numbers = [t for t in figure.findobj(Text) if (t.get_text(), t.get_color()) == ("1", "white")]
    assert len(numbers) == 2  # on the body, front and back
    assert "specific force [m/s²]" in said
    assert "angular rate [rad/s]" in said
    assert any("quality 0.80" in s for s in said)
    assert any("nobody" in s for s in said)
    assert any("detected landmarks" in s for s in said)
    path = report(tmp_path / "report.png", recording=rec, motion=motion(), track=track, frames=frames)
    with Image.open(path) as picture:
        assert picture.format == "PNG"
        assert picture.size[0] == 1600
        pixels = np.asarray(picture.convert("RGB"))
    assert near(LEFT, pixels[85:400]) > 100
    assert near(RIGHT, pixels[85:400]) > 100
    assert [p.name for p in tmp_path.iterdir()] == ["report.png"]


def test_odd_inputs_still_give_a_picture(tmp_path):
    rec = recording()
    stick = im.body.SkeletonBody(
        ("root", "left_hip", "head"), [-1, 0, 0], [[0, 0, 0], [0.1, -0.1, 0], [0, 0.6, 0]]
    )
    missing = np.full_like(rec.acc, np.nan)
    empty = im.Recording(rec.time_s, missing, missing, NAMES)
    for i, arguments in enumerate(
        (
            {"recording": rec},
            {"recording": rec, "motion": motion(stick)},
            {"recording": empty, "motion": motion()},
            {"recording": recording(2), "warnings": ["long " * 400] * 9},
            {"recording": recording(30, ("手首", "$x$", "_"))},
            {"recording": rec, "motion": motion(), "video": tmp_path / "none.mp4"},
        )
    ):
        path = report(tmp_path / f"{i}.png", **arguments)
        with Image.open(path) as picture:
            assert picture.size[0] == 1600


def test_a_video_that_fails_becomes_a_warning(tmp_path, monkeypatch):
    seen = {}
    original = draw_report

    def spy(*arguments):
        seen["figure"] = original(*arguments)
        return seen["figure"]

    monkeypatch.setattr("imusim.viz.report.draw_report", spy)
    (tmp_path / "broken.mp4").write_bytes(b"nothing")
    report(tmp_path / "r.png", recording=recording(), track=pose_track(), video=tmp_path / "broken.mp4")
    assert any("no frames in this report" in s for s in texts(seen["figure"]))


def test_a_folder_that_cannot_be_written():
    with pytest.raises(OutputError, match="cannot write"):
        report("/proc/nowhere/report.png", recording=recording())


def test_plot():
    rec = recording()
    figure = rec.plot()
    assert len(figure.axes) == 2
    lines = [line for line in figure.axes[1].get_lines() if len(line.get_xdata()) == 150]
    assert len(lines) == 9
    for line, (s, i) in zip(lines, [(s, i) for s in range(3) for i in range(3)], strict=True):
        y, truth = np.asarray(line.get_ydata()), rec.gyro[:, s, i]
        assert np.array_equal(line.get_xdata(), rec.time_s)
        slope, start = np.polyfit(truth, y, 1)
        assert slope > 0
        assert np.abs(start + slope * truth - y).max() < 1e-9  # whole, nothing cut off
        bottom = 2 - s  # every sensor in a place of its own, from the top down
        assert bottom * 1.35 - 0.05 <= y.min() < y.max() <= (bottom + 1) * 1.35
    assert len(rec.plot("head").axes) == 2
    many = recording(40, tuple(f"s{i}" for i in range(21))).plot()
    assert len(many.axes) == 4
    assert {f"s{i}" for i in range(21)} <= set(texts(many))


def test_the_scale_of_a_place_is_that_of_its_signal():
    from imusim.viz.style import new_figure

    figure = new_figure(4, 3)
    ax = figure.add_subplot()
    t = np.arange(101.0)
    signal = np.stack([np.linspace(-20, 40, 101), np.zeros(101), np.full(101, np.nan)], axis=1)
    draw_traces(ax, t, signal, place=(5.0, 7.0))
    line = next(line for line in ax.get_lines() if len(line.get_xdata()) == 101)
    ticks = {a.get_text(): a.xy[1] for a in ax.texts}
    assert set(ticks) >= {"0", "20", "40"}
    for label, at in ticks.items():
        value = float(label.replace("\N{MINUS SIGN}", "-"))
        assert at == pytest.approx(np.interp(value, signal[:, 0], line.get_ydata()))
    assert np.min(line.get_ydata()) > 5
    assert np.max(line.get_ydata()) < 7


def test_the_envelope_keeps_every_peak():
    rng = np.random.default_rng(0)
    t, x = np.arange(100_003) / 100, rng.normal(size=(100_003, 3))
    x[77_777, 1] = 50
    x[5, 2] = -60
    x[2000:9000] = np.nan
    short_t, short = envelope(t, x)
    assert short.shape == (900, 3)
    assert (np.nanmax(short, axis=0) == np.nanmax(x, axis=0)).all()
    assert (np.nanmin(short, axis=0) == np.nanmin(x, axis=0)).all()
    assert (np.diff(short_t) > 0).all()
    assert abs(short_t[np.nanargmax(short[:, 1])] - t[77_777]) < 100_003 / 100 / 450
    inside = (short_t > 25) & (short_t < 85)
    assert np.isnan(short[inside]).all()
    few = envelope(t[:1000], x[:1000])
    assert few[0] is not None
    assert np.array_equal(few[1], x[:1000])


def test_bands_and_gaps_are_drawn():
    from imusim.viz.style import new_figure

    ax = new_figure(4, 3).add_subplot()
    t = np.arange(100) / 10
    gap = (t > 3) & (t < 5)
    draw_traces(ax, t, np.zeros((100, 3)), np.full((100, 3), 2.0), gap=gap, cuts_s=(7.0,), least_span=1.0)
    bands = [c for c in ax.collections if c.get_alpha() == 0.16]
    assert len(bands) == 3
    low, high = limits(np.zeros((100, 3)), np.full((100, 3), -4.0), np.full((100, 3), 4.0), 1.0)
    extent = bands[0].get_datalim(ax.transData)
    assert (extent.ymin, extent.ymax) == pytest.approx((low, high))  # cut where the scale ends
    shaded = [c for c in ax.collections if c not in bands]
    extent = shaded[0].get_paths()[0].get_extents()
    assert (extent.x0, extent.x1) == pytest.approx((3.05, 4.95))
    assert any(np.allclose(line.get_xdata(), 7.0) for line in ax.get_lines())


def test_a_wide_band_does_not_flatten_the_lines():
    y = np.array([[-1.0], [1.0]])
    low, high = limits(y, y - 100, y + 100, 0.0)
    assert high - low < 5
    assert limits(np.full((2, 3), np.nan), None, None, 1.0) == (-1.0, 1.0)
    low, high = limits(np.zeros((2, 3)), None, None, 4.0)
    assert high - low >= 4


def test_runs_and_nearest():
    assert runs(np.array([True, True, False, True])).tolist() == [[0, 1], [3, 3]]
    assert runs(np.zeros(3, bool)).tolist() == []
    assert _nearest(np.array([0.0, 1.0, 2.0]), np.array([-1, 0.4, 0.6, 9.0])).tolist() == [0, 0, 1, 2]


def test_gaps():
    rec = recording()
    acc = rec.acc.copy()
    acc[3, 1, 2] = np.nan
    valid = np.ones(150, bool)
    valid[7] = False
    gaps = gaps_of(im.Recording(rec.time_s, acc, rec.gyro, NAMES, valid=valid))
    assert np.argwhere(gaps).tolist() == [[3, 1], [7, 0], [7, 1], [7, 2]]


def test_overlay_draws_the_skeleton_where_the_points_are():
    rgb = np.full((101, 203, 3), 128, np.uint8)
    points = np.array([[20.0, 50], [180, 50], [np.nan, np.nan]])
    names = ("left_knee", "left_ankle", "right_knee")
    out = overlay(rgb, points, names, ((0, 1), (1, 2)))
    assert out.shape == rgb.shape
    assert out.dtype == np.uint8
    assert near(LEFT, out[50:51, 30:170]) > 100
    assert (out[70:] == 128).all()
    assert (out[:30] == 128).all()
    red = overlay(rgb, points, names, ((0, 1),), doubtful=True)
    assert near(BAD, red[50:51, 30:170]) > 100
    assert near(LEFT, red) == 0
    assert (rgb == 128).all()


def test_edges():
    assert landmark_edges(("left_hip", "right_hip", "left_knee")) == ((0, 1), (0, 2))
    body = im.open_body()
    assert len(bone_edges(body)) == 23
    assert all(body.parents[b] == a for a, b in bone_edges(body))


def test_the_fits_camera_puts_the_skeleton_on_the_frame():
    m = motion()
    # a camera 4 m in front of the person, looking along +y, its y axis down
    pose = {"R_wc": [[1, 0, 0], [0, 0, 1], [0, -1, 0]], "position_w_m": [0, -4.0, 0]}
    camera = {"focal_px": 100.0, "centre_px": [160.0, 120.0], "pose": {"0": pose}}
    m = im.Motion(m.time_s, m.root_position_m, m.joint_rotation_wxyz, m.body, metadata={"camera": camera})
    frames = [(k / 3, np.full((480, 640, 3), 90, np.uint8)) for k in range(3)]  # twice the track's size
    skeletons = _skeletons(frames, m, pose_track(), None)
    points, names, edges, _, what = skeletons[0]
    assert what == "fitted skeleton"
    assert edges == bone_edges(m.body)
    head, pelvis, hand = (points[names.index(n)] for n in ("head", "pelvis", "left_wrist"))
    x, y, z = m.body.pose(m.root_position_m[:1], m.joint_rotation_wxyz[:1]).joints[0][names.index("head")]
    assert head == pytest.approx(2 * np.array([160 + 100 * x / (4 + y), 120 - 100 * z / (4 + y)]))
    assert head[1] < pelvis[1] - 20
    assert hand[0] > pelvis[0] + 20  # faces the camera: the left is at the right
    given = _skeletons(frames, m, pose_track(), np.full((90, 24, 2), 5.0))
    assert (given[2][0] == 10).all()


def test_the_crop_holds_the_person_and_stays_in_the_frame():
    rgb = np.zeros((1080, 1920, 3), np.uint8)
    points = np.array([[1800.0, 300], [1850, 700]])
    x0, x1, y0, y1 = crop(rgb, (points, ("a", "b"), ((0, 1),), 1.0, ""), 400.0, 0.8)
    assert 0 <= x0 < 1800
    assert 1850 < x1 <= 1920
    assert 0 <= y0 < 300
    assert 700 < y1 <= 1080
    assert (x1 - x0) / (y1 - y0) == pytest.approx(0.8, abs=0.01)
    assert crop(rgb[:, :500], None, 0.0, 0.8) == (0, 500, 227, 852)
