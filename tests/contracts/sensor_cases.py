"""Every term at a strength that shows, and signals to put through it."""

import inspect

import numpy as np

from imusim import sensor as sensor_module
from imusim.sensor import (
    Bandwidth,
    Bias,
    BiasInstability,
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
    Signals,
    SoftTissue,
    StrapSlip,
    Temperature,
    Term,
    Vibration,
    WhiteNoise,
)

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
