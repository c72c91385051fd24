"""The links of the chain against closed forms: filters, non-linearity, temperature, vibration, wear, clock, packets."""

import numpy as np
import pytest
from scipy.signal import butter, freqs, welch

from imusim import Recording
from imusim.sensor import (
    Bandwidth,
    Clock,
    Context,
    GSensitivity,
    HardSoftIron,
    NonLinearity,
    Packets,
    Sensor,
    Signals,
    SoftTissue,
    StrapSlip,
    Temperature,
    Vibration,
    WhiteNoise,
)
from imusim.sensor.soft_tissue import damping_of, peak_of

MILLION = 340_000  # × 3 axes


def still(samples, sensors=1, rate_hz=100.0):
    zero = np.zeros((samples, sensors, 3))
    return Signals(np.arange(samples) / rate_hz, zero, zero.copy(), zero.copy())


def context(rate_hz=100.0, sensors=1, seed=0):
    return Context(rate_hz, seed, tuple(f"s{i}" for i in range(sensors)), "term")


def tone(f_hz, rate_hz=1000.0, seconds=20.0):
    t = np.arange(int(seconds * rate_hz)) / rate_hz
    x = np.repeat(np.sin(2 * np.pi * f_hz * t)[:, None, None], 3, axis=2)
    return Signals(t, x, x.copy())


def response(out, x, f_hz):
    """Complex gain at f from the second half, whole periods."""
    n = len(x.time_s) // 2
    wave = np.exp(-2j * np.pi * f_hz * x.time_s[n:])
    return (wave @ out[n:, 0, 0]) / (wave @ x.acc[n:, 0, 0])


@pytest.mark.parametrize("order", [1, 2, 4])
@pytest.mark.parametrize("f_hz", [2.0, 10.0, 25.0, 60.0])
def test_bandwidth_is_an_analogue_butterworth(order, f_hz):
    cutoff, x = 25.0, tone(f_hz)
    got = response(Bandwidth(acc_hz=cutoff, order=order)(x, context(1000.0)).acc, x, f_hz)
    b, a = butter(order, 2 * np.pi * cutoff, analog=True)
    wanted = freqs(b, a, [2 * np.pi * f_hz])[1][0]
    # linear between samples: the input's own error is (ω h)²/12 = 1 % at 60 Hz
    assert abs(got - wanted) < 0.02 * abs(wanted) + 1e-3


def test_the_group_delay_is_the_one_stated():
    for order in (1, 2, 4):
        term, x = Bandwidth(acc_hz=20.0, order=order), tone(0.5)
        phase = -np.angle(response(term(x, context(1000.0)).acc, x, 0.5))
        assert phase / (2 * np.pi * 0.5) == pytest.approx(term.delay_s(20.0), rel=0.01)


def test_a_cutoff_above_nyquist_still_delays():
    term = Bandwidth(acc_hz=200.0)
    x = tone(1.0, 100.0)
    phase = -np.angle(response(term(x, context(100.0)).acc, x, 1.0))
    assert phase / (2 * np.pi) == pytest.approx(term.delay_s(200.0), rel=0.02)


def test_bandwidth_passes_gravity_and_shapes_a_million_noise_samples():
    rate, cutoff = 100.0, 10.0
    noise = WhiteNoise(1.0)(still(MILLION), context(rate))
    out = Bandwidth(acc_hz=cutoff)(noise.with_(acc=noise.acc + 9.80665), context(rate)).acc
    assert out.mean() == pytest.approx(9.80665, abs=0.03)
    f, psd = welch(out[:, 0] - 9.80665, fs=rate, nperseg=2048, axis=0)
    low = (f > 0.5) & (f < 3)
    assert psd[low].mean() == pytest.approx(1.0, rel=0.03)
    at = np.argmin(np.abs(f - cutoff))
    assert psd[at - 3 : at + 4].mean() == pytest.approx(0.5, rel=0.1)


def test_noise_folded_into_a_slow_output():
    out = WhiteNoise(acc_density_one_sided=0.01, enbw_hz=400.0)(still(MILLION), context(50.0)).acc
    assert out.std() == pytest.approx(0.01 * np.sqrt(400.0), rel=0.004)
    lag = np.mean(out[1:] * out[:-1]) / out.var()
    assert abs(lag) < 0.005


def test_non_linearity_is_the_polynomial():
    x = np.linspace(-150, 150, 3001)[:, None, None] * np.ones(3)
    s = Signals(np.arange(3001.0), x, x / 10)
    out = NonLinearity(1e-4, 2e-6, (0.0, 1e-3, 0.0), -1e-4)(s, context())
    assert out.acc == pytest.approx(x + 1e-4 * x**2 + 2e-6 * x**3, rel=1e-12)
    w = x / 10
    assert out.gyro == pytest.approx(w + np.array([0, 1e-3, 0]) * w**2 - 1e-4 * w**3, rel=1e-12)


def test_g_sensitivity_of_gravity():
    per_g = np.deg2rad(0.1) / 9.80665
    x = still(2, 20_000)
    x = x.with_(acc=x.acc + np.array([0, 0, 9.80665]))
    out = GSensitivity(per_g)(x, context(sensors=20_000)).gyro[0]
    assert np.abs(out).max() <= np.deg2rad(0.1)
    assert out.std() == pytest.approx(np.deg2rad(0.1) / np.sqrt(3), rel=0.02)
    known = GSensitivity(matrix=((0, 0, 1e-3), (0, 0, 0), (0, 0, -2e-3)))(x, context(sensors=20_000)).gyro
    assert known[0, 0] == pytest.approx([9.80665e-3, 0, -2 * 9.80665e-3])


def test_temperature_follows_its_track():
    term = Temperature(
        ((0.0, 25.0), (100.0, 45.0)),
        25.0,
        acc_bias_per_k=0.01,
        acc_scale_per_k=1e-3,
        gyro_bias_per_k=(0, 1e-4, 0),
    )
    x = still(1501, rate_hz=10.0)
    out = term(x.with_(acc=x.acc + 10.0), context(10.0))
    above = np.minimum(x.time_s / 100 * 20, 20.0)
    assert out.acc[:, 0, 0] == pytest.approx(10.0 * (1 + 1e-3 * above) + 0.01 * above)
    assert out.gyro[:, 0, 1] == pytest.approx(1e-4 * above)
    assert (out.gyro[:, 0, 0] == 0).all()
    drawn = Temperature(((0.0, 35.0),), 25.0, acc_bias_limit_per_k=0.01)(
        still(2, 20_000), context(sensors=20_000)
    ).acc
    assert drawn.std() == pytest.approx(0.1 / np.sqrt(3), rel=0.02)
    assert np.abs(drawn).max() <= 0.1


def test_vibration_has_the_density_it_was_given():
    rate, table = 200.0, ((2.0, 0.5), (10.0, 2.0), (60.0, 0.02))
    out = Vibration(acc_psd=table)(still(MILLION, rate_hz=rate), context(rate)).acc[:, 0]
    f, psd = welch(out, fs=rate, nperseg=4096, axis=0)
    wanted = np.exp(np.interp(np.log(np.maximum(f, 1e-9)), np.log([2, 10, 60]), np.log([0.5, 2.0, 0.02])))
    inside = (f > 3) & (f < 55)
    ratio = psd.mean(axis=1)[inside] / wanted[inside]
    assert np.convolve(ratio, np.ones(40) / 40, "valid") == pytest.approx(1.0, abs=0.06)
    assert psd[(f > 70)].max() < 0.02 * 0.02
    power = np.trapezoid(wanted[(f >= 2) & (f <= 60)], f[(f >= 2) & (f <= 60)])
    assert out.var() == pytest.approx(power, rel=0.02)


def test_soft_tissue_rings_with_its_frequency_and_peak():
    for peak in (1.05, 1.55, 2.18, 5.0):
        assert peak_of(damping_of(peak)) == pytest.approx(peak, rel=1e-9)
    f0, peak = 9.8, 2.18
    z = damping_of(peak)
    grid = np.linspace(0.3, 2.0, 5000)
    gain = np.abs((2j * z * grid + 1) / (1 - grid**2 + 2j * z * grid))
    assert gain.max() == pytest.approx(peak, rel=1e-6)
    for f in (1.0, 5.0, 9.0, 20.0):
        x = tone(f)
        got = response(SoftTissue(f0, peak_gain=peak)(x, context(1000.0)).acc, x, f)
        u = f / f0
        assert got == pytest.approx((2j * z * u + 1) / (1 - u**2 + 2j * z * u), rel=0.01)
    resting = still(10)
    out = SoftTissue(f0, 2.7, peak, 0.63)(resting.with_(acc=resting.acc + 9.80665), context())
    assert out.acc == pytest.approx(9.80665, abs=1e-9)


def test_soft_tissue_may_be_on_some_sensors_only():
    x = tone(9.8)
    wide = Signals(x.time_s, np.repeat(x.acc, 2, axis=1), np.repeat(x.gyro, 2, axis=1))
    out = SoftTissue(9.8, sensors="shin")(wide, Context(1000.0, 0, ("left_shin", "chest"), "t")).acc
    assert (out[:, 1] == wide.acc[:, 1]).all()
    assert np.abs(out[5000:, 0]).max() > 1.8


def test_strap_slip_turns_and_keeps_lengths():
    x = still(MILLION, rate_hz=10.0)
    x = x.with_(acc=x.acc + np.array([0, 0, 9.80665]))
    out = StrapSlip((3.0, 1.0, 0.0), tau_s=20.0)(x, context(10.0)).acc[:, 0]
    assert np.linalg.norm(out, axis=1) == pytest.approx(9.80665, rel=1e-12)
    # about x by θ: gravity appears on y as +g sin θ
    assert np.rad2deg(np.arcsin(out[:, 1] / 9.80665)).std() == pytest.approx(3.0, rel=0.05)
    assert np.rad2deg(np.arcsin(out[:, 0] / 9.80665)).std() == pytest.approx(1.0, rel=0.05)


def test_hard_and_soft_iron():
    x = still(2)
    field = np.array([20.0, 0.0, -40.0])
    x = x.with_(mag=x.mag + field)
    a = ((0.1, 0, 0), (0, 0, 0.05), (0, 0, 0))
    out = HardSoftIron(hard_ut=(1.0, 2.0, 3.0), soft_matrix=a)(x, context()).mag[0, 0]
    assert out == pytest.approx((np.eye(3) + np.array(a)) @ field + [1, 2, 3])
    many = still(1, 20_000)
    drawn = HardSoftIron(hard_limit_ut=10.0)(many, context(sensors=20_000)).mag
    assert drawn.std() == pytest.approx(10 / np.sqrt(3), rel=0.02)


def test_skew_and_offset_move_the_instants():
    rate, f = 100.0, 1.0
    t = np.arange(60_001) / rate
    wave = np.sin(2 * np.pi * f * t)[:, None, None] * np.ones((1, 1, 3))
    rec = Recording(t, wave, wave.copy(), ("s",), unit="m/s2")
    out = Sensor("x", clock=Clock(skew_ppm=100.0, offset_s=0.002)).measure(rec)
    true = t * (1 + 1e-4) + 0.002
    assert out.true_time_s[:, 0] == pytest.approx(np.minimum(true, true), abs=1e-12)
    inside = true < t[-1]
    assert out.acc[inside, 0, 0] == pytest.approx(np.sin(2 * np.pi * f * true[inside]), abs=1e-6)
    assert (out.time_s == t).all()


def test_jitter_is_white_and_makes_the_noise_it_should():
    rate, f, jitter = 100.0, 2.0, 1e-3
    t = np.arange(MILLION) / rate
    wave = np.sin(2 * np.pi * f * t)[:, None, None] * np.ones((1, 1, 3))
    rec = Recording(t, wave, wave.copy(), ("s",), unit="m/s2")
    out = Sensor("x", clock=Clock(jitter_s=jitter)).measure(rec, seed=1)
    moved = out.true_time_s[:, 0] - t
    assert moved.std() == pytest.approx(jitter, rel=0.01)
    assert abs(np.corrcoef(moved[1:], moved[:-1])[0, 1]) < 0.01
    assert (out.acc - wave).std() == pytest.approx(2 * np.pi * f * jitter / np.sqrt(2), rel=0.01)


@pytest.mark.parametrize(("share", "burst", "packet"), [(0.05, 1.0, 1), (0.1, 4.0, 1), (0.02, 2.0, 10)])
def test_losses_have_their_share_and_their_bursts(share, burst, packet):
    x = still(1_000_000)
    lost = np.isnan(Packets(share, burst, packet)(x, context()).acc[:, 0, 0])
    assert lost.mean() == pytest.approx(share, rel=0.06)
    runs = np.diff(np.flatnonzero(np.diff(np.concatenate([[0], lost.view(np.int8), [0]]))))[::2] / packet
    assert runs.mean() == pytest.approx(burst if burst > 1 else 1 / (1 - share), rel=0.05)


def test_late_and_held_packets_show_what_had_arrived():
    x = still(1000)
    ramp = np.arange(1000.0)[:, None, None] * np.ones(3)
    x = x.with_(acc=ramp)
    held = Packets(0.2, 3.0, show="hold")(x, context()).acc[:, 0, 0]
    lost = np.isnan(Packets(0.2, 3.0)(x, context()).acc[:, 0, 0])
    start = np.argmax(~lost)
    wanted = np.maximum.accumulate(np.where(lost, -1.0, np.arange(1000.0)))
    assert (held[start:] == wanted[start:]).all()
    late = Packets(late=0.3)(x, context()).acc[:, 0, 0]
    behind = np.arange(1000) - late
    assert np.nanmin(behind) == 0
    assert np.mean(behind[5:] > 0) == pytest.approx(0.3, abs=0.06)
