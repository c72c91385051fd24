import cv2
import numpy as np
import pytest

from imusim.video.region import Region, follow_angle, window


def picture(height=300, width=420) -> np.ndarray:
    y, x = np.mgrid[:height, :width] + 0.5
    waves = [np.sin(x / 31 + y / 17), np.sin(x / 23 - y / 41), np.cos(x / 57) * np.cos(y / 29)]
    return (127 + 90 * np.stack(waves, axis=-1)).round().astype(np.uint8)


def value(x, y):
    """The picture's brightness in closed form."""
    waves = [np.sin(x / 31 + y / 17), np.sin(x / 23 - y / 41), np.cos(x / 57) * np.cos(y / 29)]
    return 127 + 90 * np.stack(waves, axis=-1)


@pytest.mark.parametrize("angle", [0.0, 0.3, -2.0])
@pytest.mark.parametrize("side", [60.0, 130.0, 190.0])
def test_each_pixel_of_a_square_shows_the_place_it_stands_for(side, angle):
    region = Region(np.array([205.3, 148.8]), side, angle)
    size = 64
    square = window(picture(), region, size).cut(region, size).astype(float)
    i, j = np.meshgrid(np.arange(size), np.arange(size))
    at = region.to_picture((np.stack([i, j], axis=-1) + 0.5) / size)
    assert np.abs(square - value(at[..., 0], at[..., 1])).mean() < 2.0  # smoothing of the waves, rounding


def test_a_turned_square_is_upright():
    region = Region(np.array([10.0, 20.0]), 8.0, np.radians(90.0))
    np.testing.assert_allclose(
        region.to_picture(np.array([[0.5, 0.0], [1.0, 0.5]])), [[14, 20], [10, 24]], atol=1e-12
    )


def test_squares_outside_the_picture_are_black_there_and_cost_nothing():
    rgb = np.full((100, 80, 3), 200, np.uint8)
    part = window(rgb, Region(np.array([0.0, 50.0]), 60.0, 0.0), 64)
    square = part.cut(Region(np.array([0.0, 50.0]), 60.0, 0.0), 64)
    assert (square[:, :30] == 0).all()
    assert (square[:, 34:] == 200).all()
    far = window(rgb, Region(np.array([-500.0, -500.0]), 60.0, 0.0), 64)
    assert far.image.size <= 12
    assert not far.cut(Region(np.array([-500.0, -500.0]), 60.0, 0.0), 64).any()


def test_reduction_averages_instead_of_skipping():
    """A picture of alternating rows is grey when reduced; sampled, it would be stripes."""
    rgb = np.zeros((1024, 1024, 3), np.uint8)
    rgb[::2] = 255
    region = Region(np.array([512.0, 512.0]), 900.0, 0.1)
    ours = window(rgb, region, 64).cut(region, 64)
    sampled = cv2.warpAffine(rgb, np.array([[0.071, 0.0, 0.0], [0.0, 0.071, 0.0]]), (64, 64))
    assert ours[16:48, 16:48].std() < 12 < sampled.std()


def test_angles_are_followed_across_half_a_turn():
    assert follow_angle(-3.1, 3.1) == pytest.approx(-3.1 + 2 * np.pi)
    assert follow_angle(0.2, 0.1) == pytest.approx(0.2)
