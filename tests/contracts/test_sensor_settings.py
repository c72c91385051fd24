"""Settings that make no sense are refused; terms are exchanged and put where they belong."""

import numpy as np
import pytest
from sensor_cases import STRONG, motion

import imusim as im
from imusim.errors import ConfigError, ShapeError
from imusim.sensor import (
    Bandwidth,
    Bias,
    BiasInstability,
    Clock,
    GSensitivity,
    HardSoftIron,
    NonLinearity,
    Packets,
    Quantisation,
    RateRandomWalk,
    Saturation,
    ScaleCrossAxis,
    Sensor,
    SoftTissue,
    StrapSlip,
    Temperature,
    Vibration,
    WhiteNoise,
)
from imusim.sensor.order import ORDER


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


def test_names_must_match():
    with pytest.raises(ShapeError, match="2 sensor names"):
        Sensor("x", STRONG).apply(motion(), 100.0, 0, ("a", "b"))


def test_gyro_in_degrees_is_noticed():
    x = motion()
    with pytest.raises(im.errors.UnitError, match='gyro_unit="deg/s"'):
        im.Recording(x.time_s, x.acc, x.gyro * 57.3, ("a", "b", "c"))
    rec = im.Recording(x.time_s, x.acc, x.gyro * 180 / np.pi, ("a", "b", "c"), gyro_unit="deg/s")
    assert np.allclose(rec.gyro, x.gyro)


def test_replace():
    narrow = im.sensor.BMI270.replace(Saturation(acc_range_m_s2=20.0), RateRandomWalk(1e-4))
    assert len(narrow.terms) == len(im.sensor.BMI270.terms) + 1
    assert np.abs(narrow.apply(motion(), 100.0).acc).max() < 20.5
    assert np.abs(im.sensor.BMI270.apply(motion(), 100.0).acc).max() > 100


def test_a_new_link_goes_where_it_belongs():
    sensor = im.sensor.BMI270.replace(Packets(0.1), Bandwidth(40.0), StrapSlip(2.0))
    names = [type(t).__name__ for t in sensor.terms]
    assert names == sorted(names, key=ORDER.index)
    assert names[0] == "StrapSlip"
    assert names[-1] == "Packets"
