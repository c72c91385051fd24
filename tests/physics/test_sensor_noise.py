"""Noise against its definitions: standard deviation, Welch density, Allan deviation (allantools), moments."""

import allantools
import numpy as np
import pytest
from scipy.signal import welch

from imusim.sensor import (
    Bias,
    BiasInstability,
    Context,
    Quantisation,
    RateRandomWalk,
    Saturation,
    ScaleCrossAxis,
    Signals,
    WhiteNoise,
)


def still(samples, sensors=1, rate_hz=100.0):
    zero = np.zeros((samples, sensors, 3))
    return Signals(np.arange(samples) / rate_hz, zero, zero.copy())


def context(rate_hz=100.0, sensors=1, seed=0):
    return Context(rate_hz, seed, tuple(f"s{i}" for i in range(sensors)), "term")


def allan(x, rate_hz, taus):
    used, deviation, _, _ = allantools.oadev(x, rate=rate_hz, data_type="freq", taus=np.asarray(taus, float))
    assert np.allclose(used, taus)
    return deviation


N = 400_000  # × 3 axes = 1.2 million samples


def test_a_data_sheet_density_is_one_sided():
    rate, density = 200.0, 0.007
    out = WhiteNoise(gyro_density_one_sided=density, acc_density_one_sided=2 * density)(
        still(N), context(rate)
    )
    assert out.gyro.std() == pytest.approx(density * np.sqrt(rate / 2), rel=0.003)  # 1.2e6 samples: sd 0.07 %
    assert out.acc.std() == pytest.approx(2 * density * np.sqrt(rate / 2), rel=0.003)
    f, psd = welch(out.gyro[:, 0], fs=rate, nperseg=4096, axis=0)
    inside = (f > 1) & (f < 0.98 * rate / 2)
    assert np.sqrt(psd[inside].mean()) == pytest.approx(density, rel=0.02)
    assert np.sqrt(psd[inside & (f < 20)].mean()) == pytest.approx(density, rel=0.02)  # flat
    # and the Allan deviation at 1 s is n/√2: 0.00495 for 0.007
    deviation = np.mean([allan(out.gyro[:, 0, i], rate, [1.0])[0] for i in range(3)])
    assert deviation == pytest.approx(density / np.sqrt(2), rel=0.02)


def test_an_angle_random_walk_is_the_allan_coefficient():
    rate, n = 50.0, 3e-3
    out = WhiteNoise(angle_random_walk=n, velocity_random_walk=(n, 2 * n, 4 * n))(still(N), context(rate))
    assert out.gyro.std() == pytest.approx(n * np.sqrt(rate), rel=0.003)
    for tau in (0.5, 1.0, 4.0):
        assert allan(out.gyro[:, 0, 0], rate, [tau])[0] == pytest.approx(n / np.sqrt(tau), rel=0.03)
    assert out.acc.std(axis=(0, 1)) / (n * np.sqrt(rate)) == pytest.approx([1, 2, 4], rel=0.005)


def test_the_noise_of_axes_sensors_and_signals_is_independent():
    out = WhiteNoise(1.0, 1.0)(still(100_000, 2), context(2.0, 2))
    channels = np.concatenate([out.acc, out.gyro], axis=-1).reshape(100_000, -1)
    correlation = np.corrcoef(channels.T) - np.eye(12)
    assert np.abs(correlation).max() < 5 / np.sqrt(100_000)


def test_rate_random_walk_has_its_allan_deviation():
    rate, k, taus = 10.0, 2e-4, [10.0, 40.0, 100.0]
    out = RateRandomWalk(gyro_rad_s_per_sqrt_s=k)(still(100_000, 4, rate), context(rate, 4))
    measured = np.mean([allan(out.gyro[:, s, i], rate, taus) for s in range(4) for i in range(3)], axis=0)
    assert measured == pytest.approx(k * np.sqrt(np.array(taus) / 3), rel=0.05)
    assert (out.gyro[0] == 0).all()


def test_bias_instability_is_a_floor_of_the_allan_deviation():
    rate, b = 10.0, 1e-3
    taus = np.array([4.0, 10, 30, 100, 300])
    out = BiasInstability(gyro_rad_s=b)(still(200_000, 6, rate), context(rate, 6))
    variances = [allan(out.gyro[:, s, i], rate, taus) ** 2 for s in range(6) for i in range(3)]
    floor = np.sqrt(np.mean(variances, axis=0))
    assert floor == pytest.approx(np.full(5, 0.664 * b), rel=0.12)
    assert floor.max() / floor.min() < 1.2


def test_bias_instability_has_a_one_over_f_spectrum():
    rate, b = 10.0, 1e-3
    out = BiasInstability(acc_m_s2=b, tau_s=(0.1, 3000.0), processes=12)(
        still(2**17, 4, rate), context(rate, 4)
    )
    f, psd = welch(out.acc.reshape(2**17, -1), fs=rate, nperseg=2**14, axis=0)
    one_sided = 2 * b**2 / (2 * np.pi * f[1:])
    band = (f[1:] > 5e-3) & (f[1:] < 0.3)
    ratio = psd[1:].mean(axis=1)[band] / one_sided[band]
    assert np.exp(np.log(ratio).mean()) == pytest.approx(1.0, abs=0.1)
    slope = np.polyfit(np.log(f[1:][band]), np.log(psd[1:].mean(axis=1)[band]), 1)[0]
    assert slope == pytest.approx(-1.0, abs=0.1)


def test_one_gauss_markov_process_peaks_where_theory_says():
    rate, sigma, tau = 20.0, 1.0, 1.0
    process = BiasInstability(gyro_rad_s=sigma, tau_s=(tau, tau), processes=1)
    out = process(still(200_000, 2, rate), context(rate, 2)).gyro
    assert out.std() == pytest.approx(sigma, rel=0.02)
    assert out[0].std() > 0.1  # starts from its stationary law, not from zero
    taus = np.array([0.5, 1.0, 1.9, 4.0, 8.0])
    deviation = np.mean([allan(out[:, s, i], rate, taus) for s in range(2) for i in range(3)], axis=0)
    # Allan variance of a Gauss–Markov process (IEEE Std 952-1997, annex C.1.3), variance σ²
    x = taus / tau
    theory = sigma * np.sqrt(2 / x * (1 - (3 - 4 * np.exp(-x) + np.exp(-2 * x)) / (2 * x)))
    assert deviation == pytest.approx(theory, rel=0.03)
    assert deviation[2] == pytest.approx(0.617 * sigma, rel=0.03)
    lag = int(tau * rate)
    correlation = np.mean(out[lag:] * out[:-lag]) / np.mean(out**2)
    assert correlation == pytest.approx(np.exp(-1), abs=0.02)


def test_stationary_law_over_many_units():
    process = BiasInstability(gyro_rad_s=1.0, tau_s=(100.0, 100.0), processes=1)
    out = process(still(40, 2000), context(sensors=2000)).gyro
    assert out[0].std() == pytest.approx(1.0, rel=0.03)  # 6000 numbers: sd 0.9 %
    assert out[-1].std() == pytest.approx(1.0, rel=0.03)


def test_bias_stays_in_its_limits_and_fills_them():
    limit = (0.5, 1.0, 2.0)
    for law, spread in (("uniform", 1 / np.sqrt(3)), ("normal", 0.329)):  # 0.986583/3: normal cut at 3 sd
        out = Bias(acc_limit_m_s2=limit, gyro_rad_s=0.25, law=law)(still(2, 20_000), context(sensors=20_000))
        offsets = out.acc[0]
        assert (out.acc[0] == out.acc[1]).all()
        assert (np.abs(offsets) <= limit).all()
        assert offsets.std(axis=0) / limit == pytest.approx(np.full(3, spread), rel=0.02)
        assert np.abs(offsets.mean(axis=0)) == pytest.approx(0, abs=0.06)
        assert (out.gyro == 0.25).all()


def test_scale_and_cross_axis_is_a_matrix():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(50, 1, 3))
    m = ((0.01, 0.002, -0.003), (0.0, -0.02, 0.001), (0.004, 0.0, 0.03))
    out = ScaleCrossAxis(acc_matrix=m)(Signals(np.arange(50.0), x, x), context())
    assert np.allclose(out.acc[:, 0], x[:, 0] @ (np.eye(3) + np.array(m)).T, rtol=0, atol=1e-15)
    assert out.gyro is x or (out.gyro == x).all()


def test_drawn_scale_stays_in_its_limits():
    sensors = 5000
    axes = np.broadcast_to(np.eye(3)[:, None, :], (3, sensors, 3))
    term = ScaleCrossAxis(gyro_scale_limit=0.03, gyro_cross_axis_limit=0.02)
    m = (
        term(Signals(np.arange(3.0), axes, axes), context(sensors=sensors)).gyro - axes
    )  # column i of M at time i
    diagonal = np.stack([m[i, :, i] for i in range(3)])
    others = np.stack([m[i, :, j] for i in range(3) for j in range(3) if i != j])
    assert 0.0299 < np.abs(diagonal).max() <= 0.03 + 1e-12
    assert 0.0199 < np.abs(others).max() <= 0.02 + 1e-12
    assert diagonal.std() == pytest.approx(0.03 / np.sqrt(3), rel=0.02)


def test_saturation_clips_at_the_range():
    x = np.linspace(-200, 200, 4001)[:, None, None] * np.ones(3)
    out = Saturation(acc_range_m_s2=156.9064)(Signals(np.arange(4001.0), x, x), context())
    assert out.acc.max() == 156.9064
    assert out.acc.min() == -156.9064
    inside = np.abs(x) < 156.9
    assert (out.acc[inside] == x[inside]).all()
    assert (out.gyro == x).all()


def test_quantisation_error_is_uniform():
    step = 0.0047
    x = np.random.default_rng(1).normal(0, 1, (400_000, 1, 3))
    out = Quantisation(acc_lsb_m_s2=step)(Signals(np.arange(400_000.0), x, x), context()).acc
    error = out - x
    assert np.abs(error).max() <= step / 2 * (1 + 1e-9)
    assert error.mean() == pytest.approx(0, abs=5 * step / np.sqrt(12 * 1.2e6))
    assert error.var() == pytest.approx(step**2 / 12, rel=0.005)
    assert np.allclose(out / step, np.rint(out / step), atol=1e-9)


def test_a_signed_word_has_one_code_more_below():
    x = np.array([-50.0, 50.0])[:, None, None] * np.ones(3)
    out = Quantisation(gyro_lsb_rad_s=1.0, bits=5)(Signals(np.arange(2.0), x, x), context()).gyro
    assert out[:, 0, 0].tolist() == [-16.0, 15.0]
    free = Quantisation(gyro_lsb_rad_s=1.0, bits=None)(Signals(np.arange(2.0), x, x), context()).gyro
    assert free[:, 0, 0].tolist() == [-50.0, 50.0]


def test_quantisation_adds_to_the_white_noise_of_an_mpu6050():
    # 0.005 dps/√Hz at 200 Hz is 0.05 dps rms; a step of 1/16.4 dps adds 11 %
    dps = np.pi / 180
    noise = WhiteNoise(gyro_density_one_sided=0.005 * dps)(still(N), context(200.0))
    both = Quantisation(gyro_lsb_rad_s=dps / 16.4)(noise, context(200.0)).gyro
    # the grid is coarser than the noise, so the phase of the mean matters: average over it with a ramp
    ramp = np.linspace(0, 100 * dps / 16.4, N)[:, None, None]
    shifted = (
        Quantisation(gyro_lsb_rad_s=dps / 16.4)(noise.with_(gyro=noise.gyro + ramp), context(200.0)).gyro
        - ramp
    )
    expected = np.sqrt(0.05**2 + (1 / 16.4) ** 2 / 12)
    assert shifted.std() / dps == pytest.approx(expected, rel=0.005)
    assert 1.04 < expected / 0.05 < 1.12
    assert both.std() > 0.045 * dps
