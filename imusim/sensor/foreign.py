"""Parameter files of other tools: MATLAB's imuSensor (JSON) and Kalibr's imu.yaml."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from imusim.errors import ConfigError, unknown_name
from imusim.sensor.bias import Bias
from imusim.sensor.bias_instability import BiasInstability
from imusim.sensor.g_sensitivity import GSensitivity
from imusim.sensor.hard_soft_iron import HardSoftIron
from imusim.sensor.quantisation import Quantisation
from imusim.sensor.random_walk import RateRandomWalk
from imusim.sensor.saturation import Saturation
from imusim.sensor.scale import ScaleCrossAxis
from imusim.sensor.sensor import Number, Sensor
from imusim.sensor.signals import PerAxis, Term
from imusim.sensor.temperature import Temperature
from imusim.sensor.white_noise import WhiteNoise

_KALIBR = (
    "accelerometer_noise_density",
    "accelerometer_random_walk",
    "gyroscope_noise_density",
    "gyroscope_random_walk",
)
_MATLAB = (
    "MeasurementRange", "Resolution", "ConstantBias", "AxesMisalignment", "NoiseDensity", "BiasInstability",
    "BiasInstabilityCoefficients", "BiasInstabilityNumerator", "BiasInstabilityDenominator", "RandomWalk", "NoiseType",
    "TemperatureBias", "TemperatureScaleFactor", "AccelerationBias",
)  # fmt: skip


def is_kalibr(sheet: Any) -> bool:
    """Whether a YAML mapping is Kalibr's."""
    return isinstance(sheet, Mapping) and any(key in sheet for key in _KALIBR)


def sensor_of_kalibr(sheet: Mapping[str, Any], where: str) -> Sensor:
    """Return the sensor of Kalibr's ``imu.yaml``.

    Its noise densities are Allan coefficients N (two-sided), its random walks K, all in SI.

    Raises
    ------
    ConfigError
        On a value that is not a number, 0 or more.
    """
    n_acc, k_acc, n_gyro, k_gyro = (_axes(sheet.get(key, 0.0), f"{where}: {key}") for key in _KALIBR)
    terms: list[Term] = []
    if k_acc or k_gyro:
        terms.append(RateRandomWalk(k_acc, k_gyro))
    terms.append(WhiteNoise(velocity_random_walk=n_acc, angle_random_walk=n_gyro))
    numbers = tuple(Number(key, _axes(sheet[key], key), where, True) for key in _KALIBR if key in sheet)
    return Sensor(Path(where).stem, tuple(terms), description=f"Kalibr's {Path(where).name}", numbers=numbers)


def read_matlab(path: Path | str, part: str | None = None) -> Sensor:
    """Return a sensor of a JSON file of parameters for MATLAB's ``imuSensor``.

    A file holds one or more parts, each with ``Accelerometer``, ``Gyroscope`` and ``Magnetometer``. NoiseDensity is N
    for NoiseType "double-sided" (MATLAB's default), the one-sided density for "single-sided". BiasInstability
    becomes our flicker noise of that coefficient; MATLAB's own filter coefficients are left aside, and
    said so in the description.

    Parameters
    ----------
    path : file
    part : name of the part; None if there is one

    Raises
    ------
    ConfigError
        If the file cannot be read or is something else.
    UnknownNameError
        On an unknown part or property, with the nearest known one.
    """
    path = Path(path).expanduser()
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"sensor file {path}: {error.strerror}. Give a preset's name or a file.") from None
    except ValueError as error:
        raise ConfigError(f"sensor file {path} is not JSON: {error}") from None
    parts = {
        name: value
        for name, value in (content.items() if isinstance(content, Mapping) else ())
        if isinstance(value, Mapping) and {"Accelerometer", "Gyroscope", "Magnetometer"} & set(value)
    }
    if not parts:
        raise ConfigError(
            f"{path}: wanted a part with Accelerometer and Gyroscope, as MATLAB's imuSensor loads them"
        )
    if part is None and len(parts) > 1:
        raise ConfigError(
            f"{path} has {len(parts)} parts ({', '.join(parts)}): say which, with read_matlab(path, part)"
        )
    if part is not None and part not in parts:
        raise unknown_name(f"part of {path.name}", part, tuple(parts))
    name = part or next(iter(parts))
    return _sensor_of_matlab(name, parts[name], str(path))


def _sensor_of_matlab(name: str, of: Mapping[str, Any], where: str) -> Sensor:
    acc, gyro, mag = (dict(of.get(k) or {}) for k in ("Accelerometer", "Gyroscope", "Magnetometer"))
    numbers = []
    for label, values in (("Accelerometer", acc), ("Gyroscope", gyro), ("Magnetometer", mag)):
        for key, value in values.items():
            if key not in _MATLAB:
                raise unknown_name(f"property of {label} in {where}:", key, _MATLAB)
            if key != "NoiseType" and not key.startswith("BiasInstability") and np.size(value) in (1, 3):
                numbers.append(Number(f"{label}.{key}", _axes(value, key, signed=True), where, True))

    def get(values: Mapping[str, Any], key: str) -> PerAxis:
        return _axes(values.get(key, 0.0), f"{where}: {key}", signed=True)

    acc_noise, gyro_noise = _density(acc, where), _density(gyro, where)
    mag_noise = get(mag, "NoiseDensity") if mag else 0.0
    if mag and _double_sided(mag, where):
        mag_noise = _times(mag_noise, math.sqrt(2.0))
    terms: tuple[Term, ...] = (
        GSensitivity(matrix=_diagonal(get(gyro, "AccelerationBias"))),
        HardSoftIron(
            hard_ut=get(mag, "ConstantBias"),
            soft_matrix=_misalignment(mag.get("AxesMisalignment", 0.0), where),
        ),
        ScaleCrossAxis(
            acc_matrix=_misalignment(acc.get("AxesMisalignment", 0.0), where),
            gyro_matrix=_misalignment(gyro.get("AxesMisalignment", 0.0), where),
        ),
        Bias(acc_m_s2=get(acc, "ConstantBias"), gyro_rad_s=get(gyro, "ConstantBias")),
        Temperature(
            acc_bias_per_k=get(acc, "TemperatureBias"),
            gyro_bias_per_k=get(gyro, "TemperatureBias"),
            acc_scale_per_k=_times(get(acc, "TemperatureScaleFactor"), 0.01),
            gyro_scale_per_k=_times(get(gyro, "TemperatureScaleFactor"), 0.01),
        ),
        BiasInstability(get(acc, "BiasInstability"), get(gyro, "BiasInstability")),
        RateRandomWalk(get(acc, "RandomWalk"), get(gyro, "RandomWalk")),
        WhiteNoise(**acc_noise, **_renamed(gyro_noise), mag_density_one_sided=mag_noise),  # pyright: ignore
        Saturation(*(_limit(v, where) for v in (acc, gyro, mag))),
        Quantisation(
            *(float(v.get("Resolution", 0.0)) for v in (acc, gyro)),
            bits=None,
            mag_lsb_ut=float(mag.get("Resolution", 0.0)),
        ),
    )
    return Sensor(
        name,
        terms,
        description=f"From {Path(where).name} for MATLAB's imuSensor; bias instability as flicker noise of that "
        "coefficient.",
        numbers=tuple(numbers),
    )


def _axes(value: Any, where: str, signed: bool = False) -> PerAxis:
    try:
        flat = [float(v) for v in np.ravel(value)]
    except (TypeError, ValueError):
        flat = []
    if len(flat) not in (1, 3) or not np.isfinite(flat).all() or (not signed and min(flat) < 0):
        raise ConfigError(
            f"{where}: wanted a number{'' if signed else ' ≥ 0'} or three of them, got {value!r}"
        )
    if len(flat) == 1 or flat[0] == flat[1] == flat[2]:
        return flat[0]
    return (flat[0], flat[1], flat[2])


def _times(value: PerAxis, factor: float) -> PerAxis:
    if isinstance(value, tuple):
        return (value[0] * factor, value[1] * factor, value[2] * factor)
    return value * factor


def _double_sided(values: Mapping[str, Any], where: str) -> bool:
    kind = values.get("NoiseType", "double-sided")
    if kind not in ("double-sided", "single-sided"):
        raise ConfigError(f"{where}: NoiseType {kind!r}: wanted double-sided or single-sided")
    return kind == "double-sided"


def _density(values: Mapping[str, Any], where: str) -> dict[str, PerAxis]:
    n = _axes(values.get("NoiseDensity", 0.0), f"{where}: NoiseDensity")
    return {"velocity_random_walk" if _double_sided(values, where) else "acc_density_one_sided": n}


def _renamed(noise: dict[str, PerAxis]) -> dict[str, PerAxis]:
    names = {"velocity_random_walk": "angle_random_walk", "acc_density_one_sided": "gyro_density_one_sided"}
    return {names[key]: value for key, value in noise.items()}


def _limit(values: Mapping[str, Any], where: str) -> float:
    value = values.get("MeasurementRange", math.inf)
    if value in ("Inf", "inf", None):
        return math.inf
    limit = _axes(value, f"{where}: MeasurementRange") if value != math.inf else math.inf
    if isinstance(limit, tuple):
        raise ConfigError(f"{where}: MeasurementRange: wanted one number")
    return limit


def _diagonal(value: PerAxis) -> Any:
    x, y, z = value if isinstance(value, tuple) else (value, value, value)
    return ((x, 0.0, 0.0), (0.0, y, 0.0), (0.0, 0.0, z)) if x or y or z else None


def _misalignment(value: Any, where: str) -> Any:
    """M − I of AxesMisalignment in per cent: a number, three (columns of the other axes), or a matrix, diagonal 100."""
    array = np.asarray(value, dtype=np.float64)
    if array.shape == (3, 3):
        m = array / 100.0 - np.eye(3)
    elif array.size in (1, 3):
        m = np.broadcast_to(array.ravel() / 100.0, (3, 3)).copy()
        np.fill_diagonal(m, 0.0)
    else:
        raise ConfigError(f"{where}: AxesMisalignment: wanted 1, 3 or 3 × 3 numbers in per cent")
    return tuple(tuple(float(x) for x in row) for row in m) if m.any() else None
