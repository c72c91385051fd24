"""The frequency that a smoothing is said to halve is halved by it."""

import numpy as np
import pytest

from imusim.smoothing import half_amplitude_hz, smooth


@pytest.mark.parametrize("colour", [0.0, 0.5])
@pytest.mark.parametrize(("order", "low"), [(3, 1), (4, 2)])
@pytest.mark.parametrize("corner_hz", [1.0, 2.0])
def test_half_amplitude(order, low, corner_hz, colour):
    settings = {
        "order": order,
        "low_order": low,
        "corner_hz": corner_hz,
        "log_strength": -3.0,
        "noise_colour": colour,
        "noise_sd": 1.0,
    }
    t = np.arange(600) / 20.0
    f = half_amplitude_hz(settings, 0.05)
    wave = np.stack([np.cos(2 * np.pi * f * t), np.sin(2 * np.pi * f * t)], axis=1)
    calm = smooth(t, wave, groups=[0, 0], chosen=[settings]).spline.evaluate(t)[:, :, 0]
    middle = slice(150, -150)
    gain = np.sqrt((calm[middle] ** 2).mean() / (wave[middle] ** 2).mean())
    assert gain == pytest.approx(0.5, abs=0.03)
