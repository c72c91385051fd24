"""The moment or spectrum that each term promises, on a million samples, where the other tests have fewer."""

import math

import numpy as np
import pytest
from scipy.signal import cont2discrete, freqz, welch
from scipy.stats import truncnorm

import imusim as im
from imusim.sensor import (
    Bias,
    Clock,
    Context,
    DeviceErrors,
    GSensitivity,
    HardSoftIron,
    IdentifiedErrors,
    NonLinearity,
    Quantisation,
    Saturation,
    ScaleCrossAxis,
    Sensor,
    Signals,
    SoftTissue,
    StrapSlip,
    Temperature,
    WhiteNoise,
)
from imusim.sensor.order import ORDER
from imusim.sensor.soft_tissue import damping_of

SAMPLES = 340_000  # × 3 axes


def gaussian(sd=1.0, mean=0.0, rate_hz=100.0, samples=SAMPLES):
    """Signals of one sensor, white and normal."""
    rng = np.random.default_rng(7)
    draw = [rng.normal(mean, sd, (samples, 1, 3)) for _ in range(3)]
    return Signals(np.arange(samples) / rate_hz, *draw)


def context(rate_hz=100.0, sensors=1, seed=0):
    return Context(rate_hz, seed, tuple(f"s{i}" for i in range(sensors)), "term")


def regressed(y, *columns):
    """Coefficients of y (T, 1, 3) on columns (T, 1, 3) or ones, axis by axis of y, and the largest residual."""
    x = np.concatenate([c[:, 0] for c in columns], axis=1)
    found, *_ = np.linalg.lstsq(x, y[:, 0], rcond=None)
    return found.T, np.abs(x @ found - y[:, 0]).max()


def test_non_linearity_of_gaussian_noise():
    """E[y] = k₂ σ², E[y x] = σ² (1 + 3 k₃ σ²), and var y by the moments of a normal."""
    sd, k2, k3 = 10.0, 1e-3, 2e-5
    x = gaussian(sd)
    y = NonLinearity(acc_quadratic=k2, acc_cubic=k3)(x, context()).acc
    assert y.mean() == pytest.approx(k2 * sd**2, abs=4 * sd / math.sqrt(y.size))
    assert (y * x.acc).mean() / sd**2 == pytest.approx(1 + 3 * k3 * sd**2, rel=0.006)
    wanted = sd**2 + 6 * k3 * sd**4 + 15 * k3**2 * sd**6 + 2 * k2**2 * sd**4
    assert y.var() == pytest.approx(wanted, rel=0.006)


@pytest.mark.parametrize("law", ["uniform", "normal"])
def test_scale_cross_axis_and_iron_are_linear_maps_within_their_limits(law):
    x = gaussian()
    term = ScaleCrossAxis((0.03, 0.02, 0.01), 0.05, 0.002, 0.004, law=law)
    out = term(x, context(seed=3))
    for y, given, scale, cross in (
        (out.acc, x.acc, np.array([0.03, 0.02, 0.01]), 0.002),
        (out.gyro, x.gyro, np.full(3, 0.05), 0.004),
    ):
        matrix, residual = regressed(y, given)
        error = np.abs(matrix - np.eye(3))
        assert residual < 1e-12
        assert (np.diag(error) <= scale).all()
        assert (np.diag(error) > 1e-6).all()
        others = error[~np.eye(3, dtype=bool)]
        assert others.max() <= cross
        assert np.unique(others).size == 6
    out = HardSoftIron(20.0, 0.1, law=law)(x, context(seed=3))
    found, residual = regressed(out.mag, x.mag, np.ones((SAMPLES, 1, 1)))
    assert residual < 1e-9
    assert (np.abs(found[:, :3] - np.eye(3)) <= 0.1).all()
    assert (np.abs(found[:, 3]) <= 20.0).all()
    assert np.unique(np.abs(found)).size == 12


def test_g_sensitivity_correlates_the_gyro_with_the_specific_force():
    x, limit = gaussian(), 1.78e-4
    out = GSensitivity(limit)(x, context(seed=1))
    found, residual = regressed(out.gyro - x.gyro, x.acc)
    assert residual < 1e-12
    assert (np.abs(found) <= limit).all()
    assert np.unique(found).size == 9
    assert out.gyro.var() == pytest.approx(1.0, rel=0.01)
    assert out.acc is x.acc


def test_temperature_is_a_line_in_what_it_is_above_the_reference():
    x = gaussian(9.0)
    term = Temperature(((0.0, 20.0), (1000.0, 45.0), (3400.0, 30.0)), 25.0, 0.01, 1e-3, 2e-3, 1e-3)
    out = term(x, context(seed=2))
    above = np.interp(x.time_s, [0, 1000, 3400], [20, 45, 30])[:, None, None] - 25.0
    for y, given, bias, scale in ((out.acc, x.acc, 0.01, 2e-3), (out.gyro, x.gyro, 1e-3, 1e-3)):
        for axis in range(3):
            g = given[..., axis : axis + 1]
            (found,), residual = regressed(y[..., axis : axis + 1] - g, above, above * g)
            assert residual < 1e-10
            assert 1e-6 * bias < abs(found[0]) <= bias
            assert 1e-6 * scale < abs(found[1]) <= scale


def test_turn_on_bias_stays_for_the_recording():
    x = gaussian()
    out = Bias(0.5, 0.1, gyro_rad_s=(0.0, 1.0, 0.0))(x, context())
    assert np.ptp(out.acc - x.acc, axis=0).max() < 1e-14
    assert np.ptp(out.gyro - x.gyro, axis=0).max() < 1e-14
    assert (np.abs((out.gyro - x.gyro)[0, 0] - [0, 1, 0]) <= 0.1).all()


def test_saturation_of_gaussian_noise():
    """A share erfc(c/√2) sticks at ± c σ; the variance is that of a censored normal."""
    c = 1.5
    out = Saturation(acc_range_m_s2=c)(gaussian(), context()).acc
    share = math.erfc(c / math.sqrt(2))
    assert (np.abs(out) == c).mean() == pytest.approx(share, rel=0.01)
    density = math.exp(-c * c / 2) / math.sqrt(2 * math.pi)
    assert out.var() == pytest.approx((1 - share) - 2 * c * density + share * c * c, rel=0.005)


def test_soft_tissue_shapes_white_noise_as_its_filter_does():
    rate, f0, peak = 200.0, 9.8, 2.18
    x = gaussian(rate_hz=rate)
    y = SoftTissue(f0, peak_gain=peak)(x, context(rate)).acc
    w, z = 2 * np.pi * f0, float(damping_of(peak))
    top, bottom, _ = cont2discrete(([2 * z * w, w * w], [1, 2 * z * w, w * w]), 1 / rate, method="foh")
    f, psd = welch(y[:, 0], fs=rate, nperseg=2048, axis=0)
    wanted = np.abs(freqz(np.squeeze(top), bottom, worN=f, fs=rate)[1]) ** 2 / (rate / 2)
    ratio = psd.mean(axis=1)[5:-1] / wanted[5:-1]
    assert np.convolve(ratio, np.ones(25) / 25, "valid") == pytest.approx(1.0, abs=0.05)
    assert math.sqrt((psd.mean(axis=1) * rate / 2).max()) == pytest.approx(peak, rel=0.05)


def test_wearers_have_resonances_and_peaks_of_the_stated_spread():
    rate, count, samples = 250.0, 2000, 300
    still = np.zeros((samples, count, 3))
    still[100:] = 1.0  # a step, settled before and long after
    term = SoftTissue(9.8, 2.7, 2.18, 0.63)
    y = term(Signals(np.arange(samples) / rate, still, still), context(rate, count)).acc[:, :, 0]
    # from the step's impulse response
    gain = np.abs(np.fft.rfft(np.diff(y, axis=0), 4096, axis=0))
    f = np.fft.rfftfreq(4096, 1 / rate)
    peak = gain.max(axis=0)
    z = damping_of(np.maximum(peak, 1.0201))
    a = 4 * z**2
    f0 = f[gain.argmax(axis=0)] / np.sqrt((np.sqrt(1 + 2 * a) - 1) / a)
    cut = truncnorm((1.02 - 2.18) / 0.63, np.inf, 2.18, 0.63)
    assert np.median(f0) == pytest.approx(9.8, rel=0.02)
    assert np.percentile(f0, [30, 70]) == pytest.approx([9.8 - 0.524 * 2.7, 9.8 + 0.524 * 2.7], rel=0.03)
    assert np.median(peak) == pytest.approx(2.18, rel=0.03)
    assert np.percentile(peak, [70, 90]) == pytest.approx(2.18 + 0.63 * np.array([0.524, 1.282]), rel=0.03)
    assert peak[peak > 1.05].mean() == pytest.approx(cut.mean(), rel=0.04)


def test_strap_slip_forgets_in_its_correlation_time():
    rate, tau = 10.0, 5.0
    x = Signals(np.arange(SAMPLES) / rate, *(np.zeros((SAMPLES, 1, 3)) for _ in range(2)))
    x = x.with_(acc=x.acc + np.array([0, 0, 1.0]))
    angle = StrapSlip((2.0, 2.0, 0.0), tau_s=tau)(x, context(rate)).acc[:, 0, :2]
    for lag_s in (2.5, 5.0, 10.0):
        k = round(lag_s * rate)
        correlation = np.mean(angle[k:] * angle[:-k]) / np.mean(angle**2)
        assert correlation == pytest.approx(math.exp(-lag_s / tau), abs=0.03)


def test_drawn_skews_and_offsets_fill_their_limits():
    run = Clock(skew_limit_ppm=50.0, offset_limit_s=0.01).start(context(sensors=20_000), 0.0)
    true = run.instants(np.array([0.0, 1000.0]))
    skew = 1e6 * ((true[1] - true[0]) / 1000 - 1)
    assert np.abs(true[0]).max() <= 0.01
    assert true[0].std() == pytest.approx(0.01 / math.sqrt(3), rel=0.02)
    assert np.abs(skew).max() <= 50.001
    assert skew.std() == pytest.approx(50 / math.sqrt(3), rel=0.02)


@pytest.mark.parametrize("name", ["bmi270", "mpu6050", "lsm6dso"])
def test_a_presets_density_comes_out_of_its_whole_chain(name):
    """Welch's one-sided density at rest is the data sheet's, once that of rounding, 2 LSB²/(12 rate), is taken off."""
    rate = 800.0
    sensor = im.sensor.find(name)
    terms = {type(t): t for t in sensor.terms}
    zero = np.zeros((SAMPLES, 1, 3))
    out = sensor.apply(Signals(np.arange(SAMPLES) / rate, zero, zero.copy()), rate, 4)
    step = terms[Quantisation]
    for y, n, lsb in (
        (out.acc, terms[WhiteNoise].acc_density_one_sided, step.acc_lsb_m_s2),
        (out.gyro, terms[WhiteNoise].gyro_density_one_sided, step.gyro_lsb_rad_s),
    ):
        f, psd = welch(y[:, 0], fs=rate, nperseg=4096, axis=0)
        inside = (f > 20) & (f < 0.98 * rate / 2)
        floor = lsb**2 / 12 / (rate / 2)
        assert np.sqrt(psd[inside].mean() - floor) == pytest.approx(np.mean(n), rel=0.02)


def test_a_chain_of_terms_that_are_off_is_no_chain():
    x = gaussian(samples=1000)
    off = Sensor("off", tuple(getattr(im.sensor, name)() for name in ORDER))
    out = off.apply(x, 100.0, 1)
    for name in ("acc", "gyro", "mag"):
        assert getattr(out, name).tobytes() == getattr(x, name).tobytes()
    one = Sensor("one", (WhiteNoise(1e-3, 1e-3),)).apply(x, 100.0, 1)
    more = Sensor("more", (*off.terms[:5], WhiteNoise(1e-3, 1e-3), *off.terms[5:])).apply(x, 100.0, 1)
    assert one.acc.tobytes() == more.acc.tobytes()


def test_identified_errors_are_those_of_the_device():
    rate, n = 100.0, 0.02
    device = DeviceErrors("s1", acc_scale=(1.01, 0.99, 1.0), acc_bias=(0.1, 0.0, -0.2), acc_density=n)
    x = gaussian(5.0)
    two = Signals(x.time_s, np.repeat(x.acc, 2, axis=1), np.repeat(x.gyro, 2, axis=1))
    out = IdentifiedErrors((device,))(two, context(rate, 2))
    assert out.acc[:, 0].tobytes() == two.acc[:, 0].tobytes()
    assert out.gyro.tobytes() == two.gyro.tobytes()
    noise = out.acc[:, 1] - (two.acc[:, 1] * device.acc_scale + device.acc_bias)
    assert noise.std() == pytest.approx(n * math.sqrt(rate / 2), rel=0.004)
    assert np.abs(noise.mean(axis=0)).max() < 5 * n * math.sqrt(rate / 2 / SAMPLES)
