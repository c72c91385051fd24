"""Presets, sheets of one's own, and how a sensor is found by what it is called."""

import json

import numpy as np
import pytest
from sensor_cases import motion, same_bits

import imusim as im
from imusim.errors import ConfigError, QualityWarning, UnknownNameError
from imusim.sensor import (
    Bias,
    Quantisation,
    Saturation,
    ScaleCrossAxis,
    WhiteNoise,
)


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


def test_describe_lists_every_preset_and_marks_the_unchecked():
    text = im.sensor.describe()
    for name in im.sensor.presets():
        assert name in text
    assert "†" in text


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
