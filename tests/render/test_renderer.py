"""Pixels against projective geometry worked out in NumPy, and that a renderer can be used for long."""

import resource
import sys

import numpy as np
import pytest
import trimesh

import imusim as im
from imusim.errors import ConfigError, FrameError, MissingExtra, ShapeError
from imusim.viz.render import Camera, Floor, Light, Outfit, Renderer, clothed, clutter, gradient

BALL = trimesh.creation.icosphere(subdivisions=5, radius=0.5)
CAMERA = Camera.looking_at((160, 120), (1.2, -2.9, 1.1), (0.1, 0.2, 0.3), focal_px=170, roll_deg=12)


def pixel_rays(camera):
    """Directions (H, W, 3) in world axes of the rays through the middles of the pixels."""
    w, h = camera.size_px
    u, v = np.meshgrid(np.arange(w) + 0.5, np.arange(h) + 0.5)
    rays = np.stack([u, v, np.ones_like(u)], axis=-1) @ np.linalg.inv(camera.K).T @ camera.R_cw
    return rays / np.linalg.norm(rays, axis=-1, keepdims=True)


@pytest.mark.parametrize("centre", [None, (60.0, 75.5)])
def test_ball_covers_the_pixels_whose_rays_meet_it(renderer, centre):
    camera = Camera(CAMERA.size_px, CAMERA.focal_px, CAMERA.R_cw, CAMERA.t_c_m, centre)
    at = np.array([0.1, 0.2, 0.3])
    rays = pixel_rays(camera)
    to = at - camera.position_m
    miss = np.linalg.norm(to - (rays @ to)[..., None] * rays, axis=-1)  # distance of the ray from the middle
    seen = renderer.mask(camera, [(renderer.mesh(BALL.faces, (1, 1, 1)), BALL.vertices + at)])
    assert seen[miss < 0.499].all()
    assert not seen[miss > 0.501].any()
    assert 1500 < seen.sum() < 4000


def test_camera_projects_like_its_matrix_and_its_ray():
    x = np.random.default_rng(0).normal(size=(50, 3))
    h = (x @ CAMERA.R_cw.T + CAMERA.t_c_m) @ CAMERA.K.T
    np.testing.assert_allclose(CAMERA.project(x), h[:, :2] / h[:, 2:], rtol=1e-12)
    np.testing.assert_allclose(CAMERA.project([0.1, 0.2, 0.3]), [80, 60], atol=1e-9)
    assert np.isnan(CAMERA.project(CAMERA.position_m + (CAMERA.position_m - [0.1, 0.2, 0.3]))).all()
    upright = Camera.looking_at((100, 100), (0, -3, 1), (0, 0, 1))
    u, v = upright.project([[0.1, 0, 1], [0, 0, 1.1]]).T
    assert u[0] > 50  # from the south, east is right
    assert v[1] < 50  # and up is up


def test_nearer_meshes_hide_farther_ones_whatever_the_order(renderer):
    camera = Camera.looking_at((101, 101), (0, -3, 0), (0, 0, 0))
    red, blue = renderer.mesh(BALL.faces, (1, 0, 0)), renderer.mesh(BALL.faces, (0, 0, 1))
    for order in (1, -1):
        scene = [(red, BALL.vertices * 0.5 + [0, -1, 0]), (blue, BALL.vertices)][::order]
        rgb = renderer.frame(camera, scene, light=Light(gloss=0.0))
        assert rgb[50, 50, 0] > 60 > 5 > rgb[50, 50, 2]


def test_shading_is_lambert_on_a_ball(renderer):
    camera = Camera.looking_at((201, 201), (0, -4, 0), (0, 0, 0), focal_px=500)
    light = Light(toward=(0.5, -1.0, 0.8), ambient=0.0, gloss=0.0)
    rgb = renderer.frame(camera, [(renderer.mesh(BALL.faces, (0.9, 0.5, 0.2)), BALL.vertices)], light=light)
    rays = pixel_rays(camera)
    to = -camera.position_m
    along = rays @ to
    half = 0.25 - (to @ to - along**2)
    inside = half > 0.01
    where = camera.position_m + rays * (along - np.sqrt(np.clip(half, 0, None)))[..., None]
    toward = np.array(light.toward) / np.linalg.norm(light.toward)
    wanted = np.clip(where / 0.5 @ toward, 0, 1)[..., None] * [0.9, 0.5, 0.2] * 255
    assert np.abs(rgb.astype(float) - wanted)[inside].max() < 4


def test_shadow_lies_where_the_light_puts_it(renderer):
    camera = Camera.looking_at((160, 160), (0, -0.01, 6), (0, 0, 0))
    ball = renderer.mesh(BALL.faces, (1, 1, 1))
    plain = Floor(light=(0.8, 0.8, 0.8), dark=(0.8, 0.8, 0.8), shadow=1.0, reach_m=40)
    light = Light(toward=(1, 0, 1))
    rgb = renderer.frame(camera, [(ball, BALL.vertices + [0, 0, 1.5])], floor=plain, light=light)
    u, v = camera.project([[-1.5, 0, 0], [1.5, 0, 0]]).astype(int).T
    assert rgb[v[0], u[0]].max() < 30  # 45° away from the lamp
    assert abs(int(rgb[v[1], u[1], 0]) - 204) <= 2


def test_checker_is_in_world_axes(renderer):
    camera = Camera.looking_at((200, 200), (0.3, -1.0, 3), (0, 0, 0.2))
    rgb = renderer.frame(camera, [], floor=Floor(height_m=0.2, tile_m=0.5, light=(1, 1, 1), dark=(0, 0, 0)))
    x, y = np.meshgrid(np.arange(-0.75, 1, 0.5), np.arange(-0.75, 1, 0.5))
    u, v = (
        camera.project(np.stack([x, y, np.full_like(x, 0.2)], axis=-1)).round().astype(int).transpose(2, 0, 1)
    )
    tiles = rgb[v, u, 0] > 128
    parity = (np.floor(x / 0.5) + np.floor(y / 0.5)) % 2 == 0
    assert (tiles == parity).all() or (tiles == ~parity).all()


def test_background_fills_what_no_mesh_covers(renderer):
    picture = gradient((160, 120), top=(0, 0, 0), bottom=(1, 1, 1))
    ball = renderer.mesh(BALL.faces, (1, 0, 0))
    rgb = renderer.frame(CAMERA, [(ball, BALL.vertices)], background=picture)
    free = ~renderer.mask(CAMERA, [(ball, BALL.vertices)])
    np.testing.assert_array_equal(rgb[free], picture[free])
    one = renderer.frame(CAMERA, [(ball, BALL.vertices)], background=(0.2, 0.4, 0.6))
    np.testing.assert_array_equal(one[0, 0], [51, 102, 153])


def test_renderers_side_by_side_draw_the_same_bits(opengl):
    body = im.open_body()
    x = np.stack([body.v_template[:, 0], -body.v_template[:, 2], body.v_template[:, 1] + 0.96], axis=1)
    pictures = []
    with Renderer() as first, Renderer() as second:
        meshes = [r.mesh(body.faces, clothed(body)) for r in (first, second)]
        for _ in range(2):
            for renderer, mesh in zip((first, second), meshes, strict=True):
                camera = Camera.looking_at((96, 96), (1.5, -3, 1.2), (0, 0, 0.9))
                pictures.append(renderer.frame(camera, [(mesh, x)], floor=Floor()))
                renderer.frame(
                    Camera.looking_at((64, 32), (1, -3, 1), (0, 0, 1)), [(mesh, x)]
                )  # another size
    for other in pictures[1:]:
        np.testing.assert_array_equal(pictures[0], other)


def test_long_use_does_not_grow(renderer):
    back = clutter((64, 64), np.random.default_rng(1))

    def draw(count):
        for i in range(count):
            mesh = renderer.mesh(BALL.faces, (1, 1, 1))  # a new one each time: given back with the old one
            camera = Camera.looking_at((64 + i % 3, 64), (0, -3, 0), (0, 0, 0))
            renderer.frame(camera, [(mesh, BALL.vertices)], background=back.copy(), floor=Floor())

    draw(60)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    draw(240)
    grown_mb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert grown_mb < 30  # each mesh has 600 kB: leaking would take 150 MB


def test_outfits_cover_the_body_and_follow_the_seed():
    body = im.open_body()
    paint = clothed(body, Outfit(sleeve=2.0, leg=2.0))
    names = np.array(body.joint_names)[body.weights.argmax(axis=1)]
    assert (paint[names == "left_elbow"] == Outfit().shirt).mean() > 0.9
    assert (paint[names == "right_knee"] == Outfit().trousers).mean() > 0.9
    assert (paint[names == "left_wrist"] == Outfit().skin).all()
    assert Outfit.random(np.random.default_rng(7)) == Outfit.random(np.random.default_rng(7))
    one, other = (clutter((40, 30), np.random.default_rng(s)) for s in (1, 1))
    np.testing.assert_array_equal(one, other)
    assert one.shape == (30, 40, 3)


def test_what_cannot_be_drawn_is_refused(renderer):
    ball = renderer.mesh(BALL.faces, (1, 1, 1))
    with pytest.raises(ShapeError, match=r"wanted \(10242, 3\)"):
        renderer.frame(CAMERA, [(ball, BALL.vertices[:5])])
    with pytest.raises(ShapeError, match="not all finite"):
        renderer.frame(CAMERA, [(ball, BALL.vertices * np.nan)])
    with pytest.raises(ShapeError, match="uint8"):
        renderer.frame(CAMERA, [(ball, BALL.vertices)], background=np.zeros((4, 4, 3)))
    with pytest.raises(ShapeError, match="outside"):
        renderer.mesh([[0, 1, 9]], np.zeros((4, 3)))
    with pytest.raises(FrameError, match="rotation"):
        Camera((10, 10), 5.0, np.eye(3) * 2, np.zeros(3))
    with pytest.raises(ConfigError, match="focal"):
        Camera((10, 10), -1.0, np.eye(3), np.zeros(3))
    renderer.close()
    with pytest.raises(ConfigError, match="closed"):
        renderer.frame(CAMERA, [])


def test_without_the_extra_the_pip_line_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "moderngl", None)
    with pytest.raises(MissingExtra, match=r'pip install "mujo\[render\]"'):
        Renderer()
