"""Sensors from the files of other programs."""

import json

import numpy as np
import pytest
from sensor_cases import motion

import imusim as im
from imusim.errors import ConfigError, UnknownNameError
from imusim.sensor import (
    Bias,
    GSensitivity,
    RateRandomWalk,
    Saturation,
    ScaleCrossAxis,
    Temperature,
    WhiteNoise,
)
from imusim.sensor.order import ORDER


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
