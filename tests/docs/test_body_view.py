"""Pictures of the body: labels apart, far-side sensors pale, the page of places up to date."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

import imusim as im
from imusim.body import SkeletonBody
from imusim.errors import ConfigError
from imusim.placement import attach, resolve
from imusim.viz.body_view import draw_body, draw_placements, view_matrix
from imusim.viz.placements_page import placements_figure, placements_page

DOCS = Path(__file__).parents[2] / "docs"


def test_labels_of_the_page_do_not_overlap():
    figure = placements_figure()
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    frame = figure.bbox
    # Text's own extent leaves out an annotation's line to its dot
    extents = [
        (t.get_text(), Text.get_window_extent(t, canvas.get_renderer()))
        for ax in figure.axes
        for t in ax.texts
    ]
    shown = {name for name, _ in extents}
    assert shown == set(im.placements())
    for i, (name, box) in enumerate(extents):
        assert frame.x0 <= box.x0
        assert box.x1 <= frame.x1, name
        for other, second in extents[i + 1 :]:
            apart = box.x1 <= second.x0 or second.x1 <= box.x0 or box.y1 <= second.y0 or second.y1 <= box.y0
            assert apart, (name, other)


def test_page_is_up_to_date():
    assert (DOCS / "placements.md").read_text(encoding="utf-8") == placements_page(), (
        "run python -m imusim.viz.placements_page"
    )
    assert (DOCS / "placements.png").stat().st_size > 100_000


def test_sensors_on_the_far_side_are_pale():
    body = im.open_body()
    sites = attach(body, None, resolve("sternum,lower_back,left_wrist"))
    x = (sites.offsets_m + sites.weights[..., None] * body.rest_joints()).sum(axis=1) + sites.lift_m
    for view, expected in (("front", [1.0, 0.35, 1.0]), ("back", [0.35, 1.0, 1.0])):
        ax = Figure().add_subplot()
        draw_body(ax, body.rest_vertices(), body.faces, x, ["1", "2", "3"], view=view)
        assert [line.get_alpha() for line in ax.lines] == expected
        assert [t.get_text() for t in ax.texts] == ["1", "2", "3"]
        sign = 1.0 if view == "front" else -1.0
        np.testing.assert_allclose([line.get_xdata()[0] for line in ax.lines], sign * x[:, 0])


def test_the_front_shows_a_face():
    """Half of the faces are drawn, those that look at the viewer; the nearest last."""
    body = im.open_body()
    for view, sign in (("front", 1.0), ("back", -1.0)):
        ax = Figure().add_subplot()
        draw_body(ax, body.rest_vertices(), body.faces, view=view)
        drawn = len(ax.collections[0].get_paths())
        assert 0.3 < drawn / len(body.faces) < 0.7
        last = ax.collections[0].get_paths()[-1].vertices[:3].mean(axis=0)
        # nearest to a viewer in front are the toes, behind are the buttocks
        assert (last[1] < -0.85) if sign > 0 else (-0.2 < last[1] < 0.1)


def test_skeletons_and_bad_views():
    body = im.open_body()
    plain = SkeletonBody(body.joint_names, body.parents, body.rest_joints())
    ax = Figure().add_subplot()
    draw_placements(ax, plain, None, attach(plain, None, resolve("fimad")))
    assert len(ax.collections[0].get_segments()) == 23
    with pytest.raises(ConfigError, match="front, back"):
        view_matrix("above")
