"""Vertical lines of the background: the up direction from their vanishing point."""

import numpy as np
import pytest

from imusim.fitting.gravity_lines import up_from_lines
from imusim.video.lines import Background

SIZE = (1920, 1080)
FOCAL = 1600.0


def _camera(pitch_deg: float, roll_deg: float) -> np.ndarray:
    """Up direction in camera axes of a camera that looks `pitch` down and is rolled by `roll`."""
    p, r = np.radians([pitch_deg, roll_deg])
    return np.array([np.sin(r) * np.cos(p), -np.cos(r) * np.cos(p), -np.sin(p)])


def _room(up: np.ndarray, rng: np.random.Generator, verticals: int, clutter: int) -> np.ndarray:
    """Pictures of vertical posts at random places, and of lines in random directions, with 0.5 px of noise."""

    def project(p):
        return p[:, :2] / p[:, 2:] * FOCAL + np.array(SIZE) / 2

    foot = np.c_[
        rng.uniform(-4, 4, verticals), rng.uniform(-1.5, 1.5, verticals), rng.uniform(5, 12, verticals)
    ]
    posts = np.c_[project(foot), project(foot + up * rng.uniform(0.8, 2.0, verticals)[:, None])]
    a = rng.uniform([0, 0], SIZE, (clutter, 2))
    angle = rng.uniform(0, np.pi, clutter)
    length = rng.uniform(60, 300, clutter)
    other = np.c_[a, a + length[:, None] * np.c_[np.cos(angle), np.sin(angle)]]
    return np.r_[posts, other] + rng.normal(0, 0.5, (verticals + clutter, 4))


def _angle(a, b):
    return np.degrees(np.arccos(np.clip(a @ b, -1, 1)))


@pytest.mark.parametrize("seed", range(10))
def test_recovers_up_from_posts_among_clutter(seed):
    rng = np.random.default_rng(seed)
    up = _camera(rng.uniform(-5, 25), rng.uniform(-20, 20))
    guess = up + rng.normal(0, 0.08, 3)
    found = up_from_lines(_room(up, rng, 25, 60), SIZE, FOCAL, guess)
    assert found is not None
    error = _angle(found.up_c, up)
    sd = np.degrees(np.sqrt(np.trace(found.covariance_c)))
    assert error < 1.5
    assert error < 3 * sd


def test_turning_the_picture_turns_up_with_it():
    rng = np.random.default_rng(3)
    up = _camera(10, 0)
    lines = _room(up, rng, 30, 30)
    c, s = np.cos(np.radians(10)), np.sin(np.radians(10))
    turn = np.array([[c, -s], [s, c]])
    centre = np.array(SIZE) / 2
    turned = ((lines.reshape(-1, 2) - centre) @ turn.T + centre).reshape(-1, 4)
    turn3 = np.eye(3)
    turn3[:2, :2] = turn
    a = up_from_lines(lines, SIZE, FOCAL, up)
    b = up_from_lines(turned, SIZE, FOCAL, turn3 @ up)
    assert a is not None
    assert b is not None
    assert _angle(turn3 @ a.up_c, b.up_c) < 1e-3


def test_too_few_lines_say_nothing():
    rng = np.random.default_rng(0)
    up = _camera(10, 0)
    assert up_from_lines(np.zeros((0, 4)), SIZE, FOCAL, up) is None
    assert up_from_lines(_room(up, rng, 2, 0), SIZE, FOCAL, up) is None


def test_floor_lines_can_be_left_out():
    rng = np.random.default_rng(5)
    up = _camera(15, 0)
    lines = _room(up, rng, 20, 0)
    below = lines.copy()
    below[:, [1, 3]] = 1000 + below[:, [1, 3]] * 0.01  # a bundle near the lower edge
    both = up_from_lines(np.r_[lines, below], SIZE, FOCAL, up, floor_px=990)
    alone = up_from_lines(lines[np.maximum(lines[:, 1], lines[:, 3]) < 990], SIZE, FOCAL, up)
    assert both is not None
    assert alone is not None
    np.testing.assert_array_equal(both.up_c, alone.up_c)


def test_background_median_forgets_what_moves():
    pytest.importorskip("cv2")
    background = Background()
    rng = np.random.default_rng(0)
    for i in range(100):
        frame = np.full((270, 480, 3), 120, np.uint8)
        frame[20:250, 100:110] = 255  # a post that stays
        x = int(200 + i * 2)
        frame[50:220, x : x + 30] = 10  # someone who walks by
        background.add(frame + rng.integers(0, 3, frame.shape, dtype=np.uint8))
    segments = background.segments()
    assert len(segments) >= 2
    assert (np.abs(segments[:2, [0, 2]] - 105) < 8).all()  # the post's two edges are the longest
    assert (segments[:, [0, 2]] < 130).all()  # and the walker left none
    assert len(background._frames) <= 9
