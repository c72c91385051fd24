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

from imusim.sensor.bandwidth import Bandwidth
from imusim.sensor.bias import Bias
from imusim.sensor.bias_instability import BiasInstability
from imusim.sensor.catalogue import IDEAL as ideal
from imusim.sensor.catalogue import describe, find, presets
from imusim.sensor.clock import Clock
from imusim.sensor.foreign import read_matlab
from imusim.sensor.g_sensitivity import GSensitivity
from imusim.sensor.hard_soft_iron import HardSoftIron
from imusim.sensor.identified import DeviceErrors, IdentifiedErrors
from imusim.sensor.non_linearity import NonLinearity
from imusim.sensor.packets import Packets
from imusim.sensor.quantisation import Quantisation
from imusim.sensor.random_walk import RateRandomWalk
from imusim.sensor.rocking import Mount, RockingMount
from imusim.sensor.saturation import Saturation
from imusim.sensor.scale import ScaleCrossAxis
from imusim.sensor.sensor import Number, Run, Sensor
from imusim.sensor.sheet import read_sheet
from imusim.sensor.signals import Context, Remembering, Signals, Step, Term
from imusim.sensor.soft_tissue import SoftTissue
from imusim.sensor.strap_slip import StrapSlip
from imusim.sensor.temperature import Temperature
from imusim.sensor.vibration import Vibration
from imusim.sensor.white_noise import WhiteNoise

if TYPE_CHECKING:
    BMI270: Sensor
    MPU6050: Sensor
    LSM6DSO: Sensor
    ICM20948: Sensor
    BMI160: Sensor
    MTi1: Sensor
    XIMU3: Sensor
    NotionalShimmer3: Sensor
    NotionalMyo: Sensor
    NotionalSmartwatch: Sensor

_NAMED = {
    "BMI270": "bmi270",
    "MPU6050": "mpu6050",
    "LSM6DSO": "lsm6dso",
    "ICM20948": "icm20948",
    "BMI160": "bmi160",
    "MTi1": "mti1",
    "XIMU3": "ximu3",
    "NotionalShimmer3": "shimmer3",
    "NotionalMyo": "myo",
    "NotionalSmartwatch": "smartwatch",
}

__all__ = [
    "BMI160",
    "BMI270",
    "ICM20948",
    "LSM6DSO",
    "MPU6050",
    "XIMU3",
    "Bandwidth",
    "Bias",
    "BiasInstability",
    "Clock",
    "Context",
    "DeviceErrors",
    "GSensitivity",
    "HardSoftIron",
    "IdentifiedErrors",
    "MTi1",
    "Mount",
    "NonLinearity",
    "NotionalMyo",
    "NotionalShimmer3",
    "NotionalSmartwatch",
    "Number",
    "Packets",
    "Quantisation",
    "RateRandomWalk",
    "Remembering",
    "RockingMount",
    "Run",
    "Saturation",
    "ScaleCrossAxis",
    "Sensor",
    "Signals",
    "SoftTissue",
    "Step",
    "StrapSlip",
    "Temperature",
    "Term",
    "Vibration",
    "WhiteNoise",
    "describe",
    "find",
    "ideal",
    "presets",
    "read_matlab",
    "read_sheet",
]


def __getattr__(name: str) -> Any:
    if name not in _NAMED:
        raise AttributeError(f"module 'imusim.sensor' has no attribute {name!r}")
    value = globals()[name] = find(_NAMED[name])
    return value
