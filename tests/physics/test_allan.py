"""Allan analysis: deviations against allantools, N, B and K against the truth that the simulator was given."""

import allantools
import numpy as np
import pytest

from imusim.allan import (
    Coefficients,
    StaticRecording,
    allan_deviation,
    fit_coefficients,
    fit_sensor,
    model_deviation,
    needed_duration_s,
    quantisation_step,
    sheet_of,
    write_sheet,
)
from imusim.allan.likelihood import Problem, maximise
from imusim.allan.noise_type import overlapping_edf, power_law
from imusim.allan.spectrum import flicker_power
from imusim.errors import ConfigError, ShapeError, TimeError
from imusim.sensor import BiasInstability, Context, RateRandomWalk, Signals, WhiteNoise, read_sheet

DPS = np.pi / 180
DEG_PER_H = DPS / 3600

# Three presets, one an axis. N is the data sheet's (BMI270, MPU-6050, LSM6DSO: 7, 5 and 3.8 mdps/√Hz, one-sided); the
# makers say nothing about B and K: these are chosen, of the size that others measured on parts of this kind.
N = np.array([7.0, 5.0, 3.8]) * 1e-3 * DPS / np.sqrt(2)
B = np.array([10.0, 8.0, 4.0]) * DEG_PER_H
K = np.array([20.0, 15.0, 8.0]) * DEG_PER_H / 60
RATE, HOURS, SEEDS, WANTED = 10.0, 6.0, 100, 88


def at_rest(seed, rate_hz=RATE, hours=HOURS, n=N, b=B, k=K):
    samples = int(hours * 3600 * rate_hz)
    zero = np.zeros((samples, 1, 3))
    signals = Signals(np.arange(samples) / rate_hz, zero, zero)
    for name, term in (
        ("white", WhiteNoise(angle_random_walk=tuple(n))),
        ("flicker", BiasInstability(gyro_rad_s=tuple(b))),
        ("walk", RateRandomWalk(gyro_rad_s_per_sqrt_s=tuple(k))),
    ):
        signals = term(signals, Context(rate_hz, seed, ("still",), name))
    return signals.gyro[:, 0]


def noises(samples):
    rng = np.random.default_rng(3)
    white = rng.normal(size=samples)
    flicker = np.fft.irfft(
        np.fft.rfft(rng.normal(size=samples)) / np.sqrt(np.arange(samples // 2 + 1) + 0.5), samples
    )
    return {"white": white, "flicker": flicker, "walk": np.cumsum(white), "offset": white + 1e3}


# deviation ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["white", "flicker", "walk", "offset"])
def test_deviation_is_that_of_allantools(kind):
    x = noises(50_000)[kind]
    curve = allan_deviation(x, 13.0)
    taus, deviation, _, _ = allantools.oadev(x, rate=13.0, data_type="freq", taus=curve.tau_s)
    assert np.allclose(taus, curve.tau_s, rtol=1e-12)
    assert np.abs(curve.deviation / deviation - 1).max() < 1e-9
    assert (curve.low < curve.deviation).all()
    assert (curve.deviation < curve.high).all()
    assert curve.tau_s[0] == pytest.approx(1 / 13)
    assert curve.tau_s[-1] == pytest.approx(10_000 / 13, rel=0.01)
    assert curve.tau_s.size < 6.1 * np.log2(10_000) + 1


def test_columns_are_analysed_one_by_one():
    x = np.stack([noises(4000)[kind] for kind in ("white", "walk")], axis=1)
    both = allan_deviation(x, 5.0, [0.2, 1.0, 20.0])
    assert both.deviation.shape == both.edf.shape == (3, 2)
    for c in range(2):
        one = allan_deviation(x[:, c], 5.0, [0.2, 1.0, 20.0])
        assert (one.deviation == both.deviation[:, c]).all()
        assert (one.high == both.high[:, c]).all()


@pytest.mark.parametrize(("alpha", "least"), [(0, 0.97), (-1, 0.9), (-2, 0.97)])
def test_degrees_of_freedom_are_nearly_the_exact_ones(alpha, least):
    for m in (10, 100, 1000):
        exact = allantools.edf_greenhall(alpha, 2, m, 20_001, overlapping=True, modified=False)
        assert least < overlapping_edf(alpha, 20_000, m) / float(exact) < 1.35


def test_noise_types_are_told_apart():
    x = noises(20_000)
    assert power_law(x["white"]) == 0
    assert power_law(x["flicker"]) == -1
    assert power_law(x["walk"]) == -2
    assert power_law(np.diff(np.diff(x["white"]))) == 2
    assert power_law(x["white"][:20]) is None


def test_intervals_of_the_deviation_cover_the_truth():
    rng = np.random.default_rng(5)
    x = rng.normal(size=(4000, 300))
    taus = np.array([2.0, 20.0, 200.0])
    curve = allan_deviation(x, 1.0, taus)
    truth = 1 / np.sqrt(taus)[:, None]
    cover = ((curve.low <= truth) & (truth <= curve.high)).mean(axis=1)
    assert (cover > 0.91).all()  # 95 %, standard error 1.3 %
    walk = allan_deviation(np.cumsum(x, axis=0), 1.0, taus)
    truth = np.sqrt((2 * taus**2 + 1) / (6 * taus))[:, None]  # of a sampled walk
    cover = ((walk.low <= truth) & (truth <= walk.high)).mean(axis=1)
    assert (cover > 0.90).all()


def test_wrong_series_are_refused():
    with pytest.raises(ShapeError, match="NaN"):
        allan_deviation([1.0, np.nan, 2.0, 3.0], 1.0)
    with pytest.raises(ShapeError, match="shape"):
        allan_deviation(np.zeros((4, 3, 2)), 1.0)
    with pytest.raises(ConfigError, match="rate"):
        allan_deviation([1.0, 2.0, 3.0], 0.0)
    with pytest.raises(TimeError, match="3 or more"):
        allan_deviation([1.0, 2.0], 1.0)
    with pytest.raises(TimeError, match="shorter"):
        allan_deviation(np.arange(10.0), 1.0, [6.0])
    with pytest.raises(ConfigError, match="positive"):
        allan_deviation(np.arange(10.0), 1.0, [-1.0])
    with pytest.raises(TimeError, match="256"):
        fit_coefficients(np.arange(100.0), 1.0)
    with pytest.raises(ConfigError, match="never changes"):
        fit_coefficients(np.ones(1000), 1.0)
    with pytest.raises(ConfigError, match="highest_hz"):
        fit_coefficients(np.arange(1000.0), 1.0, highest_hz=0.7)
    with pytest.raises(ConfigError, match="flicker_s"):
        fit_coefficients(np.arange(1000.0), 1.0, flicker_s=(3.0, 1.0))


# coefficients ---------------------------------------------------------------------------------------------


def test_flicker_powers_are_exact():
    from scipy.fft import dct
    from scipy.linalg import toeplitz

    samples, rate, taus = 240, 10.0, tuple(BiasInstability().taus_s())
    variance = np.log(taus[1] / taus[0]) / np.pi
    covariance = sum(variance * toeplitz(np.exp(-np.arange(samples) / (rate * tau))) for tau in taus)
    basis = dct(np.eye(samples), type=2, norm="ortho", axis=0)
    exact = np.einsum("ij,jk,ik->i", basis, covariance, basis)[1:]
    ours = flicker_power(samples, rate, taus, np.sin(np.pi * np.arange(1, samples) / (2 * samples)))
    assert np.abs(ours / exact - 1).max() < 1e-10


def test_least_deviance_of_exact_powers_is_the_truth():
    rng = np.random.default_rng(0)
    f = np.geomspace(1e-4, 1, 60)
    weights = np.stack([np.ones(60), 1 / f, 1 / f**2])
    theta = np.array([1.0, 0.02, 3e-5])
    problem = Problem(theta @ weights, rng.integers(1, 1000, 60).astype(float), weights)
    assert maximise(problem)[1] == pytest.approx(theta, rel=1e-4)
    none = Problem(theta[:1] @ weights[:1], problem.count, weights)
    assert maximise(none)[1][1:] @ weights[1:].max(axis=1) < 1e-3


@pytest.fixture(scope="module")
def hundred():
    """Of every seed: the fit, our deviations, and how often allantools' interval holds the truth where N, B, K dominate."""
    fits: list[Coefficients] = []
    curves = []
    inside = np.zeros((3, 3), dtype=int)
    for seed in range(SEEDS):
        x = at_rest(seed)
        fits.append(fit_coefficients(x, RATE))
        if seed < 40:
            curves.append(allan_deviation(x, RATE, TAUS).deviation)
        for c in range(3):
            used, deviation, _, _ = allantools.oadev(x[:, c], rate=RATE, data_type="freq", taus=DOMINATED_S)
            assert np.allclose(used, DOMINATED_S)
            for row, tau in enumerate(DOMINATED_S):
                low, high = allantools_interval(deviation[row], tau, ALPHA[row])
                inside[row, c] += low <= true_deviation(tau, c) <= high
    return fits, inside, np.array(curves)


DOMINATED_S = (0.5, 60.0, 3000.0)  # where N, B and K dominate, of every preset
ALPHA = (0, -1, -2)
TAUS = (0.1, 1.0, 10.0, 100.0, 1000.0)


def allantools_interval(deviation, tau, alpha):
    phases = int(HOURS * 3600 * RATE) + 1
    edf = allantools.edf_greenhall(alpha, 2, round(tau * RATE), phases, overlapping=True, modified=False)
    return allantools.confidence_interval(deviation, edf, ci=0.95)


def true_deviation(tau, c):
    parts = model_deviation([tau], N[c], B[c], K[c], tuple(BiasInstability().taus_s()))
    return float(np.sqrt(sum(part[0] ** 2 for part in parts)))


def test_the_model_is_what_the_terms_make(hundred):
    _, _, curves = hundred
    measured = np.sqrt(np.mean(curves**2, axis=0))
    for c in range(3):
        truth = [true_deviation(tau, c) for tau in TAUS]
        assert measured[:4, c] == pytest.approx(truth[:4], rel=0.03)
        assert measured[4, c] == pytest.approx(truth[4], rel=0.1)


def test_each_noise_dominates_where_it_is_looked_at():
    for c in range(3):
        for row, tau in enumerate(DOMINATED_S):
            parts = model_deviation([tau], N[c], B[c], K[c], tuple(BiasInstability().taus_s()))
            assert int(np.argmax([part[0] for part in parts])) == row


def test_coefficients_lie_in_their_intervals(hundred):
    fits, _, _ = hundred
    for symbol, truth in (("N", N), ("B", B), ("K", K)):
        estimates = [getattr(fit, symbol) for fit in fits]
        inside = sum(((e.low <= truth) & (truth <= e.high)).astype(int) for e in estimates)
        assert (inside >= WANTED).all(), f"{symbol}: {inside}"
        values = np.array([e.value for e in estimates]) / truth
        limit = {"N": 0.002, "B": 0.02, "K": 0.15}[symbol]
        assert np.abs(values.mean(axis=0) - 1).max() < limit, f"{symbol}: {values.mean(axis=0)}"
    assert sum(fit.N.identified.all() and fit.B.identified.all() for fit in fits) == SEEDS
    assert max(fit.misfit.max() for fit in fits) < 5
    assert all(len(fit.flicker_taus_s) == 8 for fit in fits)  # the simulator's own band was likelier


def test_deviations_by_allantools_lie_where_the_truth_says(hundred):
    _, inside, _ = hundred
    assert (inside >= WANTED).all(), f"rows N, B, K; columns presets: {inside}"


def test_white_noise_has_no_other_coefficients():
    x = np.random.default_rng(1).normal(size=(60_000, 20))
    fit = fit_coefficients(x, 10.0)
    assert fit.N.value == pytest.approx(np.full(20, 1 / np.sqrt(10)), rel=0.02)
    assert (~fit.B.identified).sum() >= 17
    assert (~fit.K.identified).sum() >= 17
    assert (fit.B.high < 0.1).all()


def test_pure_flicker_noise_up_to_nyquist_is_recognised():
    # J. Kasdin's fractional difference filter (Proc. IEEE 83, 1995): driven by unit variance: B = 1
    samples, b = 2**16, 1.0
    h = np.cumprod(np.concatenate([[1.0], (np.arange(1, samples) - 0.5) / np.arange(1, samples)]))
    rng = np.random.default_rng(2)
    noise = np.fft.irfft(
        np.fft.rfft(h, 2 * samples) * np.fft.rfft(rng.normal(size=2 * samples)), 2 * samples
    )[samples:]
    fit = fit_coefficients(b * noise, 10.0, highest_hz=2.0)
    assert len(fit.flicker_taus_s) > 8
    assert float(fit.B.value) == pytest.approx(b, rel=0.05)


def test_a_known_step_is_not_noise():
    rng = np.random.default_rng(4)
    step = 0.5
    x = np.rint(rng.normal(0, 0.4, 200_000) / step) * step
    plain, told = fit_coefficients(x, 10.0), fit_coefficients(x, 10.0, step=step)
    assert float(told.N.value) == pytest.approx(0.4 / np.sqrt(10), rel=0.02)
    assert float(plain.N.value) == pytest.approx(np.sqrt(0.16 + step**2 / 12) / np.sqrt(10), rel=0.02)


def test_longer_is_needed_for_less():
    taus = tuple(BiasInstability().taus_s())
    strong = needed_duration_s("K", N[0], B[0], K[0], taus, RATE, 600.0)
    weak = needed_duration_s("K", N[0], B[0], K[0] / 2, taus, RATE, 600.0)
    assert 600 < strong < weak < 5 * 86_400
    assert 2 * 3600 < strong < 12 * 3600  # nine of ten of the hundred fits at 6 h have it
    assert needed_duration_s("K", N[0], B[0], 0.0, taus, RATE, 600.0) == np.inf


# preset ---------------------------------------------------------------------------------------------------


def test_the_smallest_step_is_found():
    rng = np.random.default_rng(0)
    codes = np.rint(rng.normal(0, 3, (5000, 3)))
    assert quantisation_step(codes * 0.061) == pytest.approx(0.061, rel=1e-9)
    assert quantisation_step(np.round(codes * 0.0610352, 4)) == pytest.approx(0.0610352, rel=0.01)
    assert quantisation_step(rng.normal(size=(5000, 3))) == 0.0
    assert quantisation_step(np.zeros(100)) == 0.0


def test_a_sheet_brings_the_coefficients_back(tmp_path):
    gyro = fit_coefficients(at_rest(0, hours=3.0), RATE)
    acc = fit_coefficients(100 * at_rest(1, hours=3.0), RATE)
    text = sheet_of('my: "watch" # 1', acc, gyro, source="a: recording", acc_step=1e-3, gyro_step=2e-4)
    sensor = read_sheet(write_sheet(tmp_path / "mine.yaml", text))
    assert sensor.name == 'my: "watch" # 1'
    terms = {type(term).__name__: term for term in sensor.terms}
    _, white = terms["WhiteNoise"].sigma(RATE)
    assert white == pytest.approx(gyro.N.value * np.sqrt(RATE), rel=1e-3)
    assert np.array(terms["BiasInstability"].gyro_rad_s) == pytest.approx(gyro.B.value, rel=1e-3)
    assert np.array(terms["BiasInstability"].acc_m_s2) == pytest.approx(acc.B.value, rel=1e-3)
    if (gyro.K.value > 0).any():
        assert np.array(terms["RateRandomWalk"].gyro_rad_s_per_sqrt_s) == pytest.approx(
            gyro.K.value, rel=1e-3
        )
    assert terms["Quantisation"].acc_lsb_m_s2 == pytest.approx(1e-3, rel=1e-4)
    assert terms["Quantisation"].gyro_lsb_rad_s == pytest.approx(2e-4, rel=1e-4)
    assert all(number.checked and number.source == "a: recording" for number in sensor.numbers)
    assert any("95 %" in number.note for number in sensor.numbers)
    with pytest.raises(ConfigError, match="name"):
        sheet_of(" ", acc, gyro)


def test_motion_is_noticed():
    rng = np.random.default_rng(0)
    acc, gyro = rng.normal(0, 0.01, (6000, 3)) + [0, 0, 9.81], rng.normal(0, 1e-3, (6000, 3))
    assert StaticRecording(acc, gyro, 10.0).motion() is None
    bumped = acc.copy()
    bumped[3000:3020] += rng.normal(0, 1.0, (20, 3))
    moved = StaticRecording(bumped, gyro, 10.0).motion()
    assert moved is not None
    assert moved[1] == pytest.approx(300.0, abs=1.0)
    doubts = fit_sensor(StaticRecording(bumped, gyro, 10.0), "x").doubts()
    assert any("not still" in doubt for doubt in doubts)
    assert any("too short" in doubt for doubt in doubts)
