import numpy as np
import pytest
from stick_people import template

from imusim.video.estimator import LANDMARK_NAMES
from imusim.video.quality import steadiness
from imusim.video.sides import untangle_sides

OTHER = np.array(
    [
        LANDMARK_NAMES.index(n.replace("left", "?").replace("right", "left").replace("?", "right"))
        for n in LANDMARK_NAMES
    ]
)
LEG = [i for i, n in enumerate(LANDMARK_NAMES) if any(p in n for p in ("knee", "ankle", "heel", "foot"))]


def walk(heading_deg, count=90, fps=30.0, noise=0.005):
    """A body that swings arms and legs about its side-to-side axis, seen from some side; hip-centred metres."""
    rng = np.random.default_rng(0)
    t = np.arange(count) / fps
    body = np.repeat(template()[None], count, axis=0)
    for side, sign in (("left", 1.0), ("right", -1.0)):
        swing = sign * 0.45 * np.sin(2 * np.pi * 0.9 * t)
        for parts, pivot, angle in (
            (("knee", "ankle", "heel", "foot_index"), f"{side}_hip", swing),
            (("elbow", "wrist", "pinky", "index", "thumb"), f"{side}_shoulder", -swing),
        ):
            at = template()[LANDMARK_NAMES.index(pivot)]
            for part in parts:
                name = f"{side}_{part}"
                if name in LANDMARK_NAMES:
                    i = LANDMARK_NAMES.index(name)
                    arm = template()[i] - at
                    c, s = np.cos(angle), np.sin(angle)
                    body[:, i, 1] = at[1] + c * arm[1] - s * arm[2]
                    body[:, i, 2] = at[2] + s * arm[1] + c * arm[2]
    heading = np.radians(np.broadcast_to(heading_deg, (count,)))
    c, s = np.cos(heading)[:, None], np.sin(heading)[:, None]
    x, z = body[..., 0].copy(), body[..., 2].copy()
    body[..., 0], body[..., 2] = c * x + s * z, -s * x + c * z
    body += rng.normal(0, noise, body.shape)
    px = 300 + 200 * body[..., :2] + np.array([2.0, 0]) * np.arange(count)[:, None, None]
    return t, body, px, np.full((count, 33), 0.9), np.zeros(count, dtype=np.int64)


@pytest.mark.parametrize("heading", [0.0, 40.0, 90.0, 180.0, -90.0])
def test_a_clean_walk_is_left_alone_also_where_legs_cross(heading):
    t, world, px, seen, shot = walk(heading)
    out = untangle_sides(t, world, px, seen, shot)
    assert not out[3].any()
    np.testing.assert_array_equal(out[0], world)


def test_a_real_turn_is_left_alone():
    t, world, px, seen, shot = walk(np.linspace(0, 360, 90))
    assert not untangle_sides(t, world, px, seen, shot)[3].any()


def test_back_taken_for_front_is_undone_and_depth_kept():
    t, world, px, seen, shot = walk(10.0)
    wrong_w, wrong_p = world.copy(), px.copy()
    for flipped in (slice(20, 23), slice(40, 60), slice(70, 71)):
        wrong_w[flipped] = world[flipped][:, OTHER]
        wrong_p[flipped] = px[flipped][:, OTHER]
    w, p, _, changed = untangle_sides(t, wrong_w, wrong_p, seen, shot)
    assert changed.sum() == 24
    np.testing.assert_allclose(w, world, atol=1e-12)
    np.testing.assert_allclose(p, px, atol=1e-12)


def test_legs_taken_for_one_another_in_side_view_are_undone():
    t, world, px, seen, shot = walk(90.0)
    wrong_w, wrong_p = world.copy(), px.copy()
    wide = 14  # legs apart: sin(2π 0.9 t) is near its peak at 0.28 s, 0.47 s later they pass
    for frame in (wide - 6, wide - 5, wide - 4, wide - 3):
        wrong_w[frame, LEG], wrong_p[frame, LEG] = world[frame, OTHER[LEG]], px[frame, OTHER[LEG]]
    w, p, _, changed = untangle_sides(t, wrong_w, wrong_p, seen, shot)
    np.testing.assert_array_equal(np.flatnonzero(changed), [8, 9, 10, 11])
    np.testing.assert_allclose(p, px, atol=1e-12)
    np.testing.assert_allclose(w, world, atol=1e-12)


def test_gaps_and_cuts_are_not_bridged():
    t, world, px, seen, shot = walk(0.0)
    world[30:50] = px[30:50] = np.nan
    shot = shot.copy()
    shot[70:] = 1
    px[70:] = px[70:][:, OTHER]  # another view after the cut: nobody can say it is wrong
    world[70:] = world[70:][:, OTHER] * (1, 1, -1)
    out = untangle_sides(t, world, px, seen, shot)
    assert not out[3].any()
    assert np.isnan(out[1][30:50]).all()


def test_steadiness_marks_the_frame_that_jumps():
    t, world, px, _, shot = walk(0.0)
    clean = steadiness(t, world, px, shot)
    assert clean.min() > 0.8
    px[45] += 60.0  # 0.3 m
    jumpy = steadiness(t, world, px, shot)
    assert jumpy[45] < 0.01
    assert jumpy[:43].min() > 0.8
    assert jumpy[48:].min() > 0.8
    shot = (np.arange(90) >= 45).astype(np.int64)
    assert steadiness(t, world, px, shot)[45] == 1.0  # across a cut nothing is compared
