"""Maps of virtual signals to the distribution and spectrum of real ones."""

import json
import subprocess
import sys

import numpy as np
import pytest
from scipy.signal import butter, lfilter, sosfiltfilt

import imusim as im
from imusim.errors import ConfigError, TimeError, UnknownNameError
from imusim.validation.metrics import distributions, spectra


def made(seed, seconds=180, rate=50.0, *, real=False, names=("wrist",)):
    """Coloured noise; the real one is skewed, larger and has lost its high frequencies."""
    g = np.random.default_rng(seed)
    n = int(seconds * rate)
    x = lfilter([1.0], [1, -0.6], g.normal(size=(n, len(names), 6)), axis=0)
    if real:
        x = lfilter([0.3], [1, -0.7], x, axis=0)
        x = x + 0.15 * x**2
    x = x + [0.0, 0.0, 9.8, 0, 0, 0]
    t = np.arange(n) / rate
    return im.Recording(t, x[..., :3], x[..., 3:], names, unit="m/s2", gyro_unit="rad/s")


@pytest.fixture(scope="module")
def pair():
    return made(1), made(2, real=True)


@pytest.mark.parametrize("kinds", ["quantile", "spectral", ("quantile", "spectral")])
def test_held_out_signals_come_nearer(pair, kinds):
    virtual, real = made(3), made(4, real=True)
    mapped = im.fit_map(*pair, kinds).apply(virtual)
    for a, b, c in zip(virtual.acc[:, 0].T, mapped.acc[:, 0].T, real.acc[:, 0].T, strict=True):
        far, near = (distributions(x, c)[1] for x in (a, b))
        wide, close = (spectra(x, c, 50.0)[1] for x in (a, b))
        if "quantile" in kinds:
            assert near < 0.3 * far  # the means of three minutes differ too
        if "spectral" in kinds:
            assert close < 0.35 * wide
            assert np.corrcoef(a, b)[0, 1] > 0.6  # without phase: the signal is where it was
    assert mapped.metadata["mapped"] == {
        "kinds": [kinds] if isinstance(kinds, str) else list(kinds),
        "real_s": real.duration_s,
        "seed": 0,
    }
    assert "mapped" not in virtual.metadata


@pytest.mark.parametrize("kinds", ["quantile", "spectral"])
def test_like_onto_like_changes_nothing(pair, kinds):
    virtual = pair[0]
    mapped = im.fit_map(virtual, virtual, kinds).apply(virtual)
    np.testing.assert_allclose(mapped.acc, virtual.acc, atol=1e-6)
    np.testing.assert_allclose(mapped.gyro, virtual.gyro, atol=1e-6)


def test_another_rate_keeps_the_gain_at_a_frequency(pair):
    found = im.fit_map(*pair, "spectral")
    gains = []
    for rate in (50.0, 100.0):
        t = np.arange(int(40 * rate)) / rate
        wave = np.sin(2 * np.pi * 5.0 * t)[:, None, None] * np.ones(3)
        rec = im.Recording(t, wave + [0, 0, 9.8], wave, ("wrist",), unit="m/s2", gyro_unit="rad/s")
        gains.append(found.apply(rec).gyro[int(5 * rate) : -int(5 * rate), 0].std(axis=0))
    np.testing.assert_allclose(gains[0], gains[1], rtol=0.02)


def filmed(seed, *, real=False, jumps=0):
    """Movement below 3 Hz, its size 1 and 0.1 in turn for 10 s; the real one has more above, the filmed one may jump."""
    g = np.random.default_rng(seed)
    n, rate = 9000, 50.0
    size = np.where((np.arange(n) // 500) % 2 == 0, 1.0, 0.1)[:, None]
    slow = sosfiltfilt(butter(4, 3.0, fs=rate, output="sos"), g.normal(size=(n, 6)), axis=0)
    x = size * slow / slow.std()
    if real:
        x = x + 0.3 * size * g.normal(size=(n, 6))
    for at in g.integers(100, n - 100, jumps):
        x[at : at + 3] += 40.0
    x = (x + [0.0, 0.0, 9.8, 0, 0, 0])[:, None]
    return im.Recording(
        np.arange(n) / rate, x[..., :3], x[..., 3:], ("wrist",), unit="m/s2", gyro_unit="rad/s"
    )


@pytest.mark.parametrize("jumps", [0, 2])
def test_what_a_camera_cannot_see_is_filled_with_noise(jumps):
    """The missing band comes out as loud as the real one, moment by moment, even if a landmark jumped while learning."""
    virtual, real = filmed(11), filmed(12, real=True)
    found = im.fit_map(filmed(13, jumps=jumps), filmed(14, real=True), "spectral")
    mapped = found.apply(virtual)
    high = butter(4, 6.0, "highpass", fs=50.0, output="sos")
    at = np.arange(9000) % 1000
    for part in ((at > 75) & (at < 425), (at > 575) & (at < 925)):
        sizes = [sosfiltfilt(high, r.gyro[:, 0], axis=0)[part].std() for r in (virtual, mapped, real)]
        assert sizes[0] < 0.1 * sizes[2]
        assert 0.6 * sizes[2] < sizes[1] < 1.7 * sizes[2]
    low = butter(4, 2.0, fs=50.0, output="sos")  # what was there stays
    kept = [sosfiltfilt(low, r.gyro[:, 0, 0]) for r in (virtual, mapped)]
    assert np.corrcoef(*kept)[0, 1] > 0.98
    again, other = found.apply(virtual), found.apply(virtual, seed=1)
    assert (again.acc == mapped.acc).all()
    assert (again.gyro == mapped.gyro).all()
    assert not (other.gyro == mapped.gyro).any()
    assert other.metadata["mapped"]["seed"] == 1


def test_gaps_stay_gaps_and_bad_input_is_said(pair):
    virtual, real = pair
    found = im.fit_map(virtual, real)
    acc = virtual.acc.copy()
    acc[100:130] = np.nan
    holed = im.Recording(virtual.time_s, acc, virtual.gyro, ("wrist",), unit="m/s2", gyro_unit="rad/s")
    mapped = found.apply(holed)
    assert (np.isnan(mapped.acc) == np.isnan(acc)).all()
    with pytest.raises(ConfigError, match="mapped already"):
        found.apply(mapped)
    with pytest.raises(UnknownNameError):
        im.fit_map(virtual, real, "spectrel")
    with pytest.raises(ConfigError, match="at most once"):
        im.fit_map(virtual, real, "quantile,quantile")
    with pytest.raises(TimeError, match="10 s or more"):
        im.fit_map(virtual, made(5, 4))
    with pytest.raises(UnknownNameError, match="ankle"):
        found.apply(made(6, 20, names=("ankle",)))


def test_command(pair, tmp_path):
    pair[0].save(tmp_path / "sim.parquet")
    pair[1].save(tmp_path / "real.parquet")
    run = [sys.executable, "-m", "imusim.cli", "map", "sim.parquet", "real.parquet", "out.parquet"]
    done = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "mapped wrist (quantile, spectral)" in done.stdout
    out = im.Recording.load(tmp_path / "out.parquet")
    np.testing.assert_allclose(out.acc, im.fit_map(*pair).apply(pair[0]).acc, atol=1e-9)
    assert json.loads((tmp_path / "out.json").read_text())["metadata"]["mapped"]["kinds"] == [
        "quantile",
        "spectral",
    ]
