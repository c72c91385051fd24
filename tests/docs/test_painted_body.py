"""The painted body: a row a figure, colours that follow the values, and the command that draws it."""

import numpy as np
import pytest

import imusim as im
from imusim.cli import main
from imusim.errors import ConfigError, ShapeError
from imusim.viz.painted_body import Paint, paint_statistics, painted_body, save_picture

BODY = im.open_body()
HEIGHTS = BODY.rest_vertices()[:, 1] - BODY.rest_vertices()[:, 1].min()


def panels(figure):
    return [ax for ax in figure.axes if ax.collections and ax.get_aspect() == 1.0]


def test_a_row_a_figure_and_a_view_a_panel():
    figure = painted_body(
        [Paint(HEIGHTS, "Height", "m"), Paint(-HEIGHTS, "Depth", "m")], BODY, views=("front", "right")
    )
    assert len(panels(figure)) == 4
    assert len(figure.axes) == 6  # and two colour bars


def test_colours_follow_the_values_and_unknown_skin_is_grey():
    feet = np.flatnonzero(HEIGHTS < 0.3)
    figure = painted_body(
        Paint(HEIGHTS[feet], "Height", "m", (0.0, 0.3)), BODY, vertices=feet, views=("front",)
    )
    (panel,) = panels(figure)
    colours = panel.collections[0].get_facecolor()
    grey = np.ptp(colours[:, :3], axis=1) < 1e-9
    assert 0.5 < grey.mean() < 0.95


@pytest.mark.parametrize("values", [np.zeros(len(HEIGHTS)), np.full(len(HEIGHTS), np.nan)])
def test_nothing_to_tell_is_drawn_all_the_same(values, tmp_path):
    save_picture(painted_body(Paint(values, "Nothing", "m"), BODY, views=("front",)), tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_size > 1000


def test_wrong_arguments_are_refused(tmp_path):
    with pytest.raises(ShapeError, match="Height"):
        painted_body(Paint(HEIGHTS[:5], "Height", "m"), BODY)
    with pytest.raises(ConfigError, match="view"):
        painted_body(Paint(HEIGHTS, "Height", "m"), BODY, views=("above",))
    with pytest.raises(ConfigError, match="nothing"):
        painted_body([], BODY)
    with pytest.raises(ConfigError, match=r"\.png"):
        save_picture(painted_body(Paint(HEIGHTS, "Height", "m"), BODY, views=("front",)), tmp_path / "a.bmp")


def moving(frames=20):
    t = np.arange(frames) / 20
    q = np.zeros((frames, len(BODY.joint_names), 4))
    q[..., 0] = 1.0
    q[:, 0] = im.conventions.Q_WB_REST
    q[:, 16] = im.rotation.from_rotvec(np.stack([0 * t, 0 * t, 0.5 * np.sin(6 * t)], axis=1))
    return im.Motion(t, np.tile([0.0, 0.0, 1.0], (frames, 1)), q, BODY)


def test_statistics_are_painted():
    found = im.sweep_statistics(moving(), 10.0, smoothing="none")
    assert len(panels(paint_statistics(found, BODY, figure="peak", views=("back",)))) == 2
    with pytest.raises(ConfigError, match="rms"):
        paint_statistics(found, BODY, figure="mean")


def test_the_command_writes_the_picture(tmp_path, capsys):
    im.save_motion(tmp_path / "motion.npz", moving())
    out = tmp_path / "new" / "painted.png"
    main(["sweep", str(tmp_path / "motion.npz"), "--out", str(out), "--rate-hz", "10", "--smoothing", "none"])
    assert out.read_bytes()[:4] == b"\x89PNG"
    assert "13492 points" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["sweep", str(tmp_path / "none.npz")])
    assert "no such file" in capsys.readouterr().err
