"""What holds for every term and preset: zero strength, seeds, independence of order, gaps, names, sheets."""

import inspect
import json

import numpy as np
import pytest

import imusim as im
from imusim import sensor as sensor_module
from imusim.errors import ConfigError, QualityWarning, ShapeError, UnknownNameError
from imusim.sensor import (
    Bandwidth,
    Bias,
    BiasInstability,
    Clock,
    Context,
    DeviceErrors,
    GSensitivity,
    HardSoftIron,
    IdentifiedErrors,
    Mount,
    NonLinearity,
    Packets,
    Quantisation,
    RateRandomWalk,
    Remembering,
    RockingMount,
    Saturation,
    ScaleCrossAxis,
    Sensor,
    Signals,
    SoftTissue,
    StrapSlip,
    Temperature,
    Term,
    Vibration,
    WhiteNoise,
)
from imusim.sensor.order import ORDER

STRONG = (
    StrapSlip(5.0, 10.0),
    SoftTissue(9.8, 2.7, 2.18, 0.63, rotation_frequency_hz=12.0),
    RockingMount((Mount("s1", 11.0, 0.08, (0.1, 0.9, 0.2), (-30.0, 2.0, 1.0)),)),
    Vibration(((1.0, 1.0), (40.0, 0.1)), ((1.0, 1.0), (40.0, 0.1))),
    Bandwidth(30.0, 20.0, 10.0),
    GSensitivity(1e-3),
    NonLinearity(1e-3, 1e-5, 1e-3, 1e-4),
    HardSoftIron(20.0, 0.1),
    ScaleCrossAxis(0.03, 0.03, 0.02, 0.02),
    IdentifiedErrors(
        (DeviceErrors("s1", (1.01, 0.99, 1.0), (1.0, 1.02, 1.0), (0.1, 0, 0), (0, 0.01, 0), 0.01, 0.001),)
    ),
    Bias(0.5, 0.1),
    Temperature(((0.0, 20.0), (2.0, 40.0)), 25.0, 0.01, 0.01, 1e-3, 1e-3),
    BiasInstability(1e-3, 1e-3),
    RateRandomWalk(1e-4, 1e-4),
    WhiteNoise(0.01, 0.001, mag_density_one_sided=0.1),
    Saturation(80.0, 10.0, 60.0),
    Quantisation(0.005, 0.001, mag_lsb_ut=0.15),
    Packets(0.1, 3.0, 5, 0.1),
)
TERM_CLASSES = [
    value
    for name in sensor_module.__all__
    if inspect.isclass(value := getattr(sensor_module, name))
    and ("__call__" in vars(value) or issubclass(value, Remembering))
    and value not in (Term, Remembering, sensor_module.Run)
]


def motion(samples=300, sensors=3, seed=0):
    rng = np.random.default_rng(seed)
    acc, gyro = rng.normal(0, 40, (samples, sensors, 3)), rng.normal(0, 5, (samples, sensors, 3))
    acc[0, 0, 0] = -0.0  # + 0.0 would lose the sign
    return Signals(np.arange(samples) / 100, acc, gyro, rng.normal(0, 40, (samples, sensors, 3)))


def context(sensors=3, seed=0, names=None):
    return Context(100.0, seed, names or tuple(f"s{i}" for i in range(sensors)), "t")


def same_bits(a, b):
    return a.tobytes() == b.tobytes()


def test_every_public_term_is_covered_here():
    assert {type(t) for t in STRONG} == set(TERM_CLASSES)
    assert tuple(type(t).__name__ for t in STRONG) == ORDER


@pytest.mark.parametrize("kind", TERM_CLASSES)
def test_zero_strength_is_the_identity_to_the_bit(kind):
    x = motion()
    out = kind()(x, context())
    assert same_bits(out.acc, x.acc)
    assert same_bits(out.gyro, x.gyro)
    assert same_bits(out.mag, x.mag)
    assert isinstance(kind(), Term)


@pytest.mark.parametrize("term", STRONG, ids=lambda t: type(t).__name__)
def test_strong_terms_change_signals_and_not_their_input(term):
    x = motion()
    before = x.acc.copy(), x.gyro.copy()
    out = term(x, context())
    changed = {n for n in ("acc", "gyro", "mag") if not same_bits(getattr(out, n), getattr(x, n))}
    only = {"GSensitivity": {"gyro"}, "HardSoftIron": {"mag"}}
    assert changed >= only.get(type(term).__name__, {"acc", "gyro"})
    assert same_bits(x.acc, before[0])
    assert same_bits(x.gyro, before[1])


@pytest.mark.parametrize("term", STRONG[:-1], ids=lambda t: type(t).__name__)
def test_gaps_stay_gaps_and_do_not_spread(term):
    x = motion()
    acc = x.acc.copy()
    acc[100:120, 1] = np.nan
    whole, gappy = term(x, context()), term(x.with_(acc=acc), context())
    missing = np.isnan(acc)
    assert (np.isnan(gappy.acc) == missing).all()
    if isinstance(term, Bandwidth | SoftTissue | RockingMount):  # they begin anew behind a gap
        missing[120:, 1] = True
    assert same_bits(gappy.acc[~missing], whole.acc[~missing])


@pytest.mark.parametrize("term", STRONG, ids=lambda t: type(t).__name__)
def test_a_longer_recording_begins_like_a_shorter_one(term):
    long, short = motion(300), motion(300)
    short = short.part(0, 77)
    a, b = term(long, context()), term(short, context())
    for name in ("acc", "gyro", "mag"):
        assert same_bits(getattr(a, name)[:77].copy(), getattr(b, name).copy())


@pytest.mark.parametrize("cuts", [(1, 2, 3), (77, 150, 151, 290), tuple(range(10, 300, 10))])
def test_blocks_change_no_bit(cuts):
    x, sensor = motion(), Sensor("x", tuple(t for t in STRONG if not isinstance(t, Quantisation)))
    whole = sensor.begin(100.0, 3, ("a", "b", "c"))(x)
    run = sensor.begin(100.0, 3, ("a", "b", "c"))
    parts = [run(x.part(a, b)) for a, b in zip((0, *cuts), (*cuts, 300), strict=True)]
    for name in ("acc", "gyro", "mag"):
        assert same_bits(np.concatenate([getattr(p, name) for p in parts]), getattr(whole, name).copy())
    assert same_bits(sensor.apply(x, 100.0, 3, ("a", "b", "c")).acc.copy(), whole.acc.copy())


def test_same_seed_same_bits_other_seed_other_bits():
    sensor, x = Sensor("x", STRONG), motion()
    a, b, c = (sensor.apply(x, 100.0, seed) for seed in (7, 7, 8))
    assert same_bits(a.acc, b.acc)
    assert same_bits(a.gyro, b.gyro)
    assert not same_bits(a.acc, c.acc)


def test_a_sensor_gets_the_same_numbers_whoever_else_is_there():
    x, terms = motion(), (Bias(0.5, 0.1), BiasInstability(1e-3, 1e-3), WhiteNoise(0.01, 0.001))
    three = Sensor("x", terms).apply(x, 100.0, 3, ("a", "b", "c"))
    one = Signals(x.time_s, x.acc[:, 1:2], x.gyro[:, 1:2])
    alone = Sensor("x", terms).apply(one, 100.0, 3, ("b",))
    assert same_bits(three.acc[:, 1:2].copy(), alone.acc)
    # and a term its own, whatever other terms there are
    zero = x.with_(acc=np.zeros_like(x.acc))
    only = Sensor("x", (WhiteNoise(0.01),)).apply(zero, 100.0, 3).acc
    more = Sensor("x", (ScaleCrossAxis(0.1), BiasInstability(), WhiteNoise(0.01))).apply(zero, 100.0, 3).acc
    assert same_bits(only, more)


def test_two_terms_of_one_class_draw_different_numbers():
    zero = motion().with_(acc=np.zeros((300, 3, 3)))
    out = Sensor("x", (WhiteNoise(1.0), WhiteNoise(1.0))).apply(zero, 100.0, 0).acc
    assert out.std() == pytest.approx(np.sqrt(2 * 50), rel=0.05)


@pytest.mark.parametrize("name", list(im.sensor.presets()))
def test_presets(name):
    preset = im.sensor.presets()[name]
    assert im.sensor.find(name.upper()) is im.sensor.find(name)
    out = preset.apply(motion(), 50.0, 0)
    assert np.isfinite(out.acc).all()
    assert json.loads(json.dumps(preset.describe()))["name"] == preset.name
    if name == "ideal":
        assert same_bits(out.acc, motion().acc)
    else:
        assert {type(t).__name__ for t in preset.terms} >= {
            "WhiteNoise",
            "Saturation",
        }
        assert all(n.source for n in preset.numbers)


def test_preset_figures_in_si():
    g, dps = 9.80665, np.pi / 180
    bmi = {type(t): t for t in im.sensor.BMI270.terms}
    assert bmi[WhiteNoise].acc_density_one_sided == pytest.approx(160e-6 * g)
    assert bmi[WhiteNoise].gyro_density_one_sided == pytest.approx(0.007 * dps)
    assert bmi[Saturation].acc_range_m_s2 == pytest.approx(16 * g)
    assert bmi[Quantisation].acc_lsb_m_s2 == pytest.approx(g / 2048)
    mpu = {type(t): t for t in im.sensor.MPU6050.terms}
    assert mpu[Bias].acc_limit_m_s2 == pytest.approx((0.05 * g, 0.05 * g, 0.08 * g))
    assert mpu[Quantisation].gyro_lsb_rad_s == pytest.approx(dps / 16.4)
    assert mpu[ScaleCrossAxis].gyro_cross_axis_limit == pytest.approx(0.02)
    lsm = {type(t): t for t in im.sensor.LSM6DSO.terms}
    assert lsm[Quantisation].gyro_lsb_rad_s == pytest.approx(0.070 * dps)
    assert not im.sensor.BMI270.notional
    assert im.sensor.NotionalSmartwatch.notional


def test_find():
    assert im.sensor.find(None) is im.sensor.ideal
    assert im.sensor.find(im.sensor.BMI270) is im.sensor.BMI270
    assert im.sensor.find("MPU-6050") is im.sensor.MPU6050
    assert im.sensor.find("imusim.sensor:ICM20948") is im.sensor.ICM20948
    with pytest.raises(UnknownNameError, match="Did you mean 'bmi270'"):
        im.sensor.find("bmi207")
    with pytest.raises(UnknownNameError, match="no attribute"):
        im.sensor.find("imusim.sensor:Nothing")
    with pytest.raises(ConfigError, match="wanted a Sensor"):
        im.sensor.find("imusim.sensor:find")
    with pytest.raises(AttributeError):
        im.sensor.BMI999  # noqa: B018


def test_a_users_sheet(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text(
        "name: mine\nrates_hz: [10, 100]\nacc:\n  range_g: 2\n  bits: 8\n  offset_limit_mg: [1, 2, 3]\n"
        "gyro: {bias_instability_deg_per_h: 5}\n"
    )
    mine = im.sensor.find(file)
    assert [type(t).__name__ for t in mine.terms] == ["Bias", "BiasInstability", "Saturation", "Quantisation"]
    assert mine.terms[3].acc_lsb_m_s2 == pytest.approx(2 * 9.80665 / 128)
    assert mine.terms[1].gyro_rad_s == pytest.approx(np.deg2rad(5 / 3600))
    with pytest.warns(QualityWarning, match="10 to 100 Hz"):
        mine.apply(motion(), 200.0)


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("name: x\nacc: {rang_g: 2}", UnknownNameError, "Did you mean 'range_g'"),
        ("name: x\naccel: {range_g: 2}", UnknownNameError, "Did you mean 'acc'"),
        ("name: x\nacc: {range_g: -2}", ConfigError, "acc.range_g"),
        ("name: x\nacc: {range_g: two}", ConfigError, "acc.range_g"),
        ("name: x\nacc: {range_g: [1, 2, 3]}", ConfigError, "one number for all axes"),
        ("name: x\nacc: {range_g: 0}", ConfigError, "positive range"),
        ("name: x\nacc: {bits: 1.5}", ConfigError, "whole number"),
        ("name: x\nacc: 3", ConfigError, "keys and values"),
        ("name: x\nrates_hz: [3, 1]", ConfigError, "rates_hz"),
        ("acc: {}", ConfigError, "needs a name"),
        ("- 1", ConfigError, "keys and values"),
        ("name: [", ConfigError, "not YAML"),
        ("name: x\nacc: {range_g: {value: 2, checkd: true}}", UnknownNameError, "Did you mean 'checked'"),
    ],
)
def test_a_wrong_sheet_says_what_is_wrong(tmp_path, text, error, message):
    file = tmp_path / "wrong.yaml"
    file.write_text(text)
    with pytest.raises(error, match=message):
        im.sensor.find(str(file))


def test_a_missing_sheet(tmp_path):
    with pytest.raises(ConfigError, match=r"none\.yaml: No such file"):
        im.sensor.find(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: WhiteNoise(acc_density_one_sided=-1),
        lambda: WhiteNoise(gyro_density_one_sided=1e-3, angle_random_walk=1e-3),
        lambda: WhiteNoise((1.0, 2.0)),
        lambda: Bias(law="gaussian"),
        lambda: Bias(acc_limit_m_s2=np.nan),
        lambda: BiasInstability(tau_s=(3.0, 1.0)),
        lambda: BiasInstability(processes=0, tau_s=(1.0, 1.0)),
        lambda: BiasInstability(processes=1),
        lambda: RateRandomWalk(-1.0),
        lambda: Saturation(0.0),
        lambda: Quantisation(-1.0),
        lambda: Quantisation(bits=1),
        lambda: ScaleCrossAxis(acc_matrix=((1.0, 2.0),)),
        lambda: Sensor("x", (WhiteNoise,)),
        lambda: Sensor("x", STRONG).apply(motion(), 0.0),
        lambda: Sensor("x", STRONG).apply(motion(), 100.0, -1),
    ],
)
def test_wrong_settings_are_refused(wrong):
    with pytest.raises(ConfigError):
        wrong()


def test_names_must_match():
    with pytest.raises(ShapeError, match="2 sensor names"):
        Sensor("x", STRONG).apply(motion(), 100.0, 0, ("a", "b"))


def test_replace():
    narrow = im.sensor.BMI270.replace(Saturation(acc_range_m_s2=20.0), RateRandomWalk(1e-4))
    assert len(narrow.terms) == len(im.sensor.BMI270.terms) + 1
    assert np.abs(narrow.apply(motion(), 100.0).acc).max() < 20.5
    assert np.abs(im.sensor.BMI270.apply(motion(), 100.0).acc).max() > 100


def test_describe_lists_every_preset_and_marks_the_unchecked():
    text = im.sensor.describe()
    for name in im.sensor.presets():
        assert name in text
    assert "†" in text


def test_an_empty_recording_is_no_trouble():
    empty = Signals(np.zeros(0), np.zeros((0, 2, 3)), np.zeros((0, 2, 3)))
    assert Sensor("x", STRONG).apply(empty, 100.0).acc.shape == (0, 2, 3)


def test_a_new_link_goes_where_it_belongs():
    sensor = im.sensor.BMI270.replace(Packets(0.1), Bandwidth(40.0), StrapSlip(2.0))
    names = [type(t).__name__ for t in sensor.terms]
    assert names == sorted(names, key=ORDER.index)
    assert names[0] == "StrapSlip"
    assert names[-1] == "Packets"


def test_a_perfect_clock_is_the_identity():
    assert Clock().perfect
    x = motion()
    rec = im.Recording(x.time_s, x.acc, x.gyro, ("a", "b", "c"), unit="m/s2")
    assert Sensor("x").measure(rec) is rec
    assert Sensor("x", (Bias(0.5),)).measure(rec).true_time_s is None


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Bandwidth(0.0),
        lambda: Bandwidth(order=3),
        lambda: NonLinearity(np.nan),
        lambda: GSensitivity(-1.0),
        lambda: GSensitivity(matrix=((1.0,),)),
        lambda: HardSoftIron(-1.0),
        lambda: Temperature(track_c=((1.0, 20.0), (0.0, 30.0))),
        lambda: Temperature(track_c=(1.0, 2.0)),
        lambda: Temperature(acc_bias_limit_per_k=-1.0),
        lambda: Vibration(((1.0, 1.0),)),
        lambda: Vibration(((2.0, 1.0), (1.0, 1.0))),
        lambda: Vibration(((1.0, 0.0), (2.0, 1.0))),
        lambda: SoftTissue(-1.0),
        lambda: SoftTissue(10.0, peak_gain=1.0),
        lambda: StrapSlip(1.0, 0.0),
        lambda: Packets(1.0),
        lambda: Packets(0.1, show="zero"),
        lambda: Packets(0.9, burst=1.0),
        lambda: Packets(0.1, packet=0),
        lambda: Clock(jitter_s=-1.0),
        lambda: Clock(skew_ppm=2e4),
        lambda: WhiteNoise(enbw_hz=0.0),
    ],
)
def test_wrong_settings_of_the_new_links_are_refused(wrong):
    with pytest.raises(ConfigError, match="wanted"):
        wrong()


def test_kalibrs_file(tmp_path):
    file = tmp_path / "imu.yaml"
    file.write_text(
        "accelerometer_noise_density: 0.01\naccelerometer_random_walk: 0.0002\ngyroscope_noise_density: 0.005\n"
        "gyroscope_random_walk: 4.0e-06\nrostopic: /imu0\nupdate_rate: 200.0\n"
    )
    walk, noise = im.sensor.find(file).terms
    assert noise == WhiteNoise(velocity_random_walk=0.01, angle_random_walk=0.005)
    assert walk == RateRandomWalk(2e-4, 4e-6)
    assert noise.sigma(200.0)[0][0] == pytest.approx(0.01 * np.sqrt(200))
    file.write_text("gyroscope_noise_density: fast")
    with pytest.raises(ConfigError, match="wanted a number"):
        im.sensor.find(file)


MATLAB = {
    "GenericLowCost9Axis": {
        "Accelerometer": {
            "MeasurementRange": 19.6133,
            "Resolution": 0.0023928,
            "ConstantBias": [0.1962, 0.1962, 0.1962],
            "NoiseDensity": [0.0012356, 0.0012356, 0.002],
            "BiasInstability": 0.002,
            "RandomWalk": [9.8e-5] * 3,
            "TemperatureBias": [0.0294] * 3,
            "TemperatureScaleFactor": [0.02] * 3,
            "AxesMisalignment": [1.0, 2.0, 3.0],
        },
        "Gyroscope": {
            "MeasurementRange": 4.363,
            "NoiseDensity": 8.7e-5,
            "NoiseType": "single-sided",
            "AccelerationBias": [1.78e-4] * 3,
            "AxesMisalignment": [[100, 1, 0], [0, 101, 0], [0, 0, 100]],
        },
        "Magnetometer": {
            "MeasurementRange": 1200,
            "Resolution": 0.1,
            "ConstantBias": 1.0,
            "NoiseDensity": 0.01,
        },
    }
}


def test_a_matlab_parameter_file(tmp_path):
    file = tmp_path / "generic.json"
    file.write_text(json.dumps(MATLAB))
    sensor = im.sensor.find(str(file))
    t = {type(x): x for x in sensor.terms}
    assert t[WhiteNoise].velocity_random_walk == (0.0012356, 0.0012356, 0.002)  # double-sided: σ = N √rate
    assert t[WhiteNoise].gyro_density_one_sided == 8.7e-5
    assert t[Saturation] == Saturation(19.6133, 4.363, 1200.0)
    assert t[Bias].acc_m_s2 == 0.1962
    assert t[Temperature].acc_scale_per_k == pytest.approx(2e-4)
    assert t[GSensitivity].matrix[1] == (0.0, 1.78e-4, 0.0)
    assert t[ScaleCrossAxis].acc_matrix == ((0.0, 0.02, 0.03), (0.01, 0.0, 0.03), (0.01, 0.02, 0.0))
    assert np.allclose(t[ScaleCrossAxis].gyro_matrix, [[0, 0.01, 0], [0, 0.01, 0], [0, 0, 0]])
    assert [type(x).__name__ for x in sensor.terms] == sorted(
        (type(x).__name__ for x in sensor.terms), key=ORDER.index
    )
    out = sensor.apply(motion(), 100.0)
    assert np.isfinite(out.mag).all()
    json.dumps(sensor.describe())


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("{", ConfigError, "not JSON"),
        ("[]", ConfigError, "wanted a part"),
        ('{"a": {"Gyroscope": {"NoiseDensty": 1}}}', UnknownNameError, "Did you mean 'NoiseDensity'"),
        ('{"a": {"Gyroscope": {"NoiseDensity": [1, 2]}}}', ConfigError, "NoiseDensity"),
        ('{"a": {"Gyroscope": {}}, "b": {"Gyroscope": {}}}', ConfigError, "2 parts"),
        ('{"a": {"Gyroscope": {"NoiseType": "both"}}}', ConfigError, "NoiseType"),
    ],
)
def test_a_wrong_matlab_file_says_what_is_wrong(tmp_path, text, error, message):
    file = tmp_path / "wrong.json"
    file.write_text(text)
    with pytest.raises(error, match=message):
        im.sensor.find(file)


def test_sheets_know_the_new_links(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text(
        "name: mine\ntemperature_track_c: [[0, 25], [60, 35]]\n"
        "acc: {bandwidth_hz: 40, temperature_offset_mg_per_k: 1}\n"
        "gyro: {g_sensitivity_dps_per_g: 0.1}\n"
        "mag: {range_ut: 4900, resolution_ut: 0.15, hard_iron_limit_ut: 20, density_one_sided_ut_per_sqrt_hz: 0.1}\n"
        "clock: {skew_limit_ppm: 50, jitter_us: 100}\n"
    )
    mine = im.sensor.find(file)
    assert [type(t).__name__ for t in mine.terms] == [
        "Bandwidth", "GSensitivity", "HardSoftIron", "Temperature", "WhiteNoise", "Saturation", "Quantisation",
    ]  # fmt: skip
    assert (mine.clock.skew_limit_ppm, mine.clock.jitter_s) == pytest.approx((50.0, 1e-4))
    file.write_text("name: x\ntemperature_track_c: 3")
    with pytest.raises(ConfigError, match="temperature_track_c"):
        im.sensor.find(file)


def test_gyro_in_degrees_is_noticed():
    x = motion()
    with pytest.raises(im.errors.UnitError, match='gyro_unit="deg/s"'):
        im.Recording(x.time_s, x.acc, x.gyro * 57.3, ("a", "b", "c"))
    rec = im.Recording(x.time_s, x.acc, x.gyro * 180 / np.pi, ("a", "b", "c"), gyro_unit="deg/s")
    assert np.allclose(rec.gyro, x.gyro)
