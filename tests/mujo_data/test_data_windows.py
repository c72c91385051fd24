"""Windows: what resampling keeps and removes, and that no window crosses anything."""

import dataclasses

import numpy as np
import pytest

from mujo.data.dataset import Bout, Card, Dataset
from mujo.data.windows import resample
from mujo.errors import ConfigError, DatasetError, ImusimError

CARD = Card("made", "made", 2, 100.0, ("wrist", "hip"), ("a", "b"), "none", "here", "nothing", "made")


def made(*lengths: int, rate: float = 100.0) -> Dataset:
    bouts = []
    for i, n in enumerate(lengths):
        t = np.arange(n) / rate
        x = np.stack([t + 1000 * i, np.sin(2 * np.pi * 2 * t), np.ones(n)], axis=1)
        both = {"wrist": {"acc": x, "gyro": -x}, "hip": {"acc": 2 * x}}
        bouts.append(Bout(f"b{i}", str(i % 2), i % 2, both))
    return Dataset(dataclasses.replace(CARD, rate_hz=rate), tuple(bouts))


def test_resampling_keeps_what_fits_and_removes_what_does_not():
    t = np.arange(0, 20, 0.01)
    slow, fast = np.sin(2 * np.pi * 8 * t)[:, None], np.sin(2 * np.pi * 40 * t)[:, None]
    inside = slice(100, -100)
    at = np.arange(0, 20, 0.02)
    kept, removed = resample(slow, 100, 50), resample(fast, 100, 50)  # 40 Hz would come back as 10 Hz
    np.testing.assert_allclose(kept[inside, 0], np.sin(2 * np.pi * 8 * at)[inside], atol=5e-3)
    assert np.abs(removed[inside]).max() < 0.01
    np.testing.assert_allclose(resample(np.ones((300, 1)) * 9.81, 100, 50), 9.81, rtol=1e-6)
    odd = resample(slow, 100, 30)
    assert len(odd) == 600


def test_windows_stay_inside_bouts_and_their_order_is_known():
    data = made(450, 199, 1000)
    windows = data.windows(window_s=2.0, overlap=0.5, rate_hz=100)
    assert windows.X.shape == (3 + 1 + 9, 9, 200)
    assert windows.channel_names[:4] == ("wrist.acc.x", "wrist.acc.y", "wrist.acc.z", "wrist.gyro.x")
    assert windows.channel_names[6:] == ("hip.acc.x", "hip.acc.y", "hip.acc.z")
    np.testing.assert_array_equal(windows.unit, [0] * 3 + [1] + [2] * 9)
    np.testing.assert_allclose(windows.X[:, 0, 0], 1000 * windows.unit + windows.start_s, rtol=1e-6)
    assert (np.floor(windows.X[:, 0] / 1000) == windows.unit[:, None]).all()  # nothing of another bout
    _, y, person = windows
    assert (y == np.array(person, dtype=int)).all()
    assert windows.padded == 1


def test_missing_samples_cost_their_windows_only():
    data = made(1000)
    data.bouts[0].signals["wrist"]["acc"][500] = np.nan
    windows = data.windows(rate_hz=100)
    assert (len(windows), windows.dropped) == (7, 2)
    assert np.isfinite(windows.X).all()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"window_s": 0}, "positive"),
        ({"overlap": 1.0}, "overlap"),
        ({"window_s": 0.01}, "two or more"),
        ({"null": "no"}, "null"),
        ({"sensors": ["ankle"]}, "ankle"),
        ({"sensors": "wrist"}, "lists of names"),
        ({"channels": ["mag"]}, "mag"),
        ({"sensors": ["hip"], "channels": ["gyro"]}, "measured were"),
    ],
)
def test_what_cannot_be_is_told(options, said):
    with pytest.raises(ImusimError, match=said):
        made(400).windows(**options)


def test_nothing_left_is_told():
    data = made(400)
    data.bouts[0].signals["hip"]["acc"][:] = np.nan
    with pytest.raises(DatasetError, match="no window"):
        data.windows()
    with pytest.raises(DatasetError, match="no recording"):
        Dataset(CARD, ())
    with pytest.raises(ConfigError):
        made(400).windows(rate_hz=-1)
