"""Maps of virtual signals to the distribution and spectrum of real ones."""

import json
import subprocess
import sys

import numpy as np
import pytest
from scipy.signal import lfilter

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


@pytest.mark.parametrize("kinds", ["quantile", "spectral", ("spectral", "quantile")])
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
    assert "mapped wrist (spectral, quantile)" in done.stdout
    out = im.Recording.load(tmp_path / "out.parquet")
    np.testing.assert_allclose(out.acc, im.fit_map(*pair).apply(pair[0]).acc, atol=1e-9)
    assert json.loads((tmp_path / "out.json").read_text())["metadata"]["mapped"]["kinds"] == [
        "spectral",
        "quantile",
    ]
