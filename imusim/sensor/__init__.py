"""Sensors: error terms, one file each, and presets of known parts.

>>> import imusim as im
>>> im.sensor.find("BMI270").name
'Bosch BMI270'
>>> mine = im.sensor.BMI270.replace(im.sensor.Saturation(acc_range_m_s2=4 * 9.80665))

A term is a frozen dataclass whose call maps (`Signals`, `Context`) to `Signals`; a sensor is a tuple of terms.
A new term is one file and one line here. Presets are sheets in `imusim/sensor/data`; a user's own is a YAML
file with the same keys.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from imusim.sensor.bias import Bias
from imusim.sensor.bias_instability import BiasInstability
from imusim.sensor.catalogue import IDEAL as ideal
from imusim.sensor.catalogue import describe, find, presets
from imusim.sensor.quantisation import Quantisation
from imusim.sensor.random_walk import RateRandomWalk
from imusim.sensor.saturation import Saturation
from imusim.sensor.scale import ScaleCrossAxis
from imusim.sensor.sensor import Number, Sensor
from imusim.sensor.sheet import read_sheet
from imusim.sensor.signals import Context, Signals, Term
from imusim.sensor.white_noise import WhiteNoise

if TYPE_CHECKING:
    BMI270: Sensor
    MPU6050: Sensor
    LSM6DSO: Sensor
    ICM20948: Sensor
    NotionalSmartwatch: Sensor

_NAMED = {
    "BMI270": "bmi270",
    "MPU6050": "mpu6050",
    "LSM6DSO": "lsm6dso",
    "ICM20948": "icm20948",
    "NotionalSmartwatch": "smartwatch",
}

__all__ = [
    "BMI270",
    "ICM20948",
    "LSM6DSO",
    "MPU6050",
    "Bias",
    "BiasInstability",
    "Context",
    "NotionalSmartwatch",
    "Number",
    "Quantisation",
    "RateRandomWalk",
    "Saturation",
    "ScaleCrossAxis",
    "Sensor",
    "Signals",
    "Term",
    "WhiteNoise",
    "describe",
    "find",
    "ideal",
    "presets",
    "read_sheet",
]


def __getattr__(name: str) -> Any:
    if name not in _NAMED:
        raise AttributeError(f"module 'imusim.sensor' has no attribute {name!r}")
    value = globals()[name] = find(_NAMED[name])
    return value
