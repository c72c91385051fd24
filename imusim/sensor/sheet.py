"""Sensor sheets: small YAML files of a part's figures, in the units of data sheets → `Sensor`."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from imusim.conventions import STANDARD_GRAVITY
from imusim.errors import ConfigError, unknown_name
from imusim.sensor.bandwidth import Bandwidth
from imusim.sensor.bias import Bias
from imusim.sensor.bias_instability import BiasInstability
from imusim.sensor.clock import Clock
from imusim.sensor.g_sensitivity import GSensitivity
from imusim.sensor.hard_soft_iron import HardSoftIron
from imusim.sensor.quantisation import Quantisation
from imusim.sensor.random_walk import RateRandomWalk
from imusim.sensor.saturation import Saturation
from imusim.sensor.scale import ScaleCrossAxis
from imusim.sensor.sensor import Number, Sensor
from imusim.sensor.signals import PerAxis, Term, per_axis
from imusim.sensor.temperature import Temperature
from imusim.sensor.white_noise import WhiteNoise

MILLI_G = 1e-3 * STANDARD_GRAVITY
MICRO_G = 1e-6 * STANDARD_GRAVITY
DPS = math.pi / 180.0
DEG_PER_H = DPS / 3600.0

_TOP = (
    "name", "description", "notional", "rates_hz", "sources", "temperature_track_c", "acc", "gyro", "mag", "clock",
)  # fmt: skip
_NUMBER = ("value", "source", "checked", "note")
_UNITS: dict[str, dict[str, float]] = {
    "acc": {
        "range_g": STANDARD_GRAVITY,
        "bits": 1.0,
        "resolution_mg": MILLI_G,
        "density_one_sided_ug_per_sqrt_hz": MICRO_G,
        "offset_limit_mg": MILLI_G,
        "scale_limit_percent": 0.01,
        "cross_axis_limit_percent": 0.01,
        "bias_instability_ug": MICRO_G,
        "rate_random_walk_ug_per_sqrt_s": MICRO_G,
        "bandwidth_hz": 1.0,
        "temperature_offset_mg_per_k": MILLI_G,
        "temperature_scale_percent_per_k": 0.01,
    },
    "gyro": {
        "range_dps": DPS,
        "bits": 1.0,
        "resolution_mdps": 1e-3 * DPS,
        "density_one_sided_dps_per_sqrt_hz": DPS,
        "offset_limit_dps": DPS,
        "scale_limit_percent": 0.01,
        "cross_axis_limit_percent": 0.01,
        "bias_instability_deg_per_h": DEG_PER_H,
        "rate_random_walk_deg_per_h_per_sqrt_h": DEG_PER_H / 60.0,
        "bandwidth_hz": 1.0,
        "temperature_offset_dps_per_k": DPS,
        "temperature_scale_percent_per_k": 0.01,
        "g_sensitivity_dps_per_g": DPS / STANDARD_GRAVITY,
    },
    "mag": {
        "range_ut": 1.0,
        "resolution_ut": 1.0,
        "density_one_sided_ut_per_sqrt_hz": 1.0,
        "hard_iron_limit_ut": 1.0,
        "soft_iron_limit_percent": 0.01,
    },
    "clock": {"skew_limit_ppm": 1.0, "jitter_us": 1e-6},
}
_WHOLE = ("bits",)
_SCALAR = ("range", "resolution", "bandwidth", "soft_iron", "skew", "jitter")


def read_sheet(path: Path | str) -> Sensor:
    """Return the sensor that a YAML sheet describes.

    A sheet has ``name`` and any of ``description``, ``notional``, ``rates_hz: [low, high]``, ``sources``
    (short name → document), ``temperature_track_c: [[s, °C], ...]``, ``acc``, ``gyro``, ``mag`` and ``clock``. Under these
    four stand figures in data-sheet units, each a number, a list of three (x, y, z), or
    ``{value, source, checked, note}``; what is missing is not simulated. Kalibr's ``imu.yaml`` is understood too.

    Raises
    ------
    ConfigError
        If the file cannot be read, or a value is not what it should be.
    UnknownNameError
        On an unknown key, with the nearest known one.
    """
    import yaml

    path = Path(path).expanduser()
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not a text file"
        raise ConfigError(f"sensor file {path}: {why}. Give a preset's name or a YAML file.") from None
    try:
        sheet = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"sensor file {path} is not YAML: {' '.join(str(error).split())}") from None
    from imusim.sensor.foreign import is_kalibr, sensor_of_kalibr

    return sensor_of_kalibr(sheet, str(path)) if is_kalibr(sheet) else sensor_of(sheet, str(path))


def _one(values: dict[str, PerAxis], key: str, where: str) -> float:
    value = values.get(key, 0.0)
    if isinstance(value, tuple):
        raise ConfigError(f"{where}: clock.{key}: wanted one number, got {len(value)}")
    return value


def sensor_of(sheet: Any, where: str = "sensor") -> Sensor:
    """Return the sensor of a sheet that is already a mapping; raises as `read_sheet`."""
    sheet = _mapping(sheet, where, _TOP)
    if not isinstance(sheet.get("name"), str):
        raise ConfigError(f"{where}: a sheet needs a name, such as: name: my sensor")
    sources = _mapping(sheet.get("sources", {}), f"{where}: sources", None)
    numbers: list[Number] = []
    values: dict[str, dict[str, PerAxis]] = {}
    for signal, units in _UNITS.items():
        figures = _mapping(sheet.get(signal, {}), f"{where}: {signal}", tuple(units))
        values[signal] = {}
        for key, raw in figures.items():
            number = _number(raw, f"{signal}.{key}", sources, where)
            numbers.append(number)
            values[signal][key] = _scaled(number.value, units[key], key, f"{where}: {signal}.{key}")
    return Sensor(
        sheet["name"],
        _terms(
            values["acc"],
            values["gyro"],
            values["mag"],
            _track(sheet.get("temperature_track_c"), where),
            where,
        ),
        clock=Clock(
            _one(values["clock"], "skew_limit_ppm", where),
            jitter_s=_one(values["clock"], "jitter_us", where),
        ),
        rate_limits_hz=_rates(sheet.get("rates_hz"), where),
        description=str(sheet.get("description", "")).strip(),
        notional=bool(sheet.get("notional", False)),
        numbers=tuple(numbers),
    )


def _track(value: Any, where: str) -> tuple[tuple[float, float], ...]:
    if value is None:
        return ((0.0, 25.0),)
    try:
        return tuple((float(t), float(c)) for t, c in value)
    except (TypeError, ValueError):
        raise ConfigError(
            f"{where}: temperature_track_c: wanted pairs [s, °C], such as [[0, 22], [600, 34]], got {value!r}"
        ) from None


def _terms(
    acc: Mapping[str, Any],
    gyro: Mapping[str, Any],
    mag: Mapping[str, Any],
    track: tuple[tuple[float, float], ...],
    where: str,
) -> tuple[Term, ...]:
    """Build the terms in physical order; those without a figure are left out."""
    bits = {int(v["bits"]) for v in (acc, gyro) if "bits" in v}
    if len(bits) > 1:
        raise ConfigError(
            f"{where}: acc.bits and gyro.bits differ ({sorted(bits)}); one word length is simulated"
        )
    word = bits.pop() if bits else None
    steps = _step(acc, "range_g", "resolution_mg"), _step(gyro, "range_dps", "resolution_mdps")
    wanted: list[tuple[bool, Callable[[], Term]]] = [
        (
            _any(acc, gyro, "bandwidth_hz"),
            lambda: Bandwidth(acc.get("bandwidth_hz", math.inf), gyro.get("bandwidth_hz", math.inf)),
        ),
        ("g_sensitivity_dps_per_g" in gyro, lambda: GSensitivity(gyro["g_sensitivity_dps_per_g"])),
        (
            "hard_iron_limit_ut" in mag or "soft_iron_limit_percent" in mag,
            lambda: HardSoftIron(mag.get("hard_iron_limit_ut", 0.0), mag.get("soft_iron_limit_percent", 0.0)),
        ),
        (
            _any(acc, gyro, "scale_limit_percent", "cross_axis_limit_percent"),
            lambda: ScaleCrossAxis(
                acc_scale_limit=acc.get("scale_limit_percent", 0.0),
                gyro_scale_limit=gyro.get("scale_limit_percent", 0.0),
                acc_cross_axis_limit=acc.get("cross_axis_limit_percent", 0.0),
                gyro_cross_axis_limit=gyro.get("cross_axis_limit_percent", 0.0),
            ),
        ),
        (
            _any(acc, gyro, "offset_limit_mg", "offset_limit_dps"),
            lambda: Bias(acc.get("offset_limit_mg", 0.0), gyro.get("offset_limit_dps", 0.0)),
        ),
        (
            any(key.startswith("temperature_") for key in (*acc, *gyro)),
            lambda: Temperature(
                track,
                acc_bias_limit_per_k=acc.get("temperature_offset_mg_per_k", 0.0),
                gyro_bias_limit_per_k=gyro.get("temperature_offset_dps_per_k", 0.0),
                acc_scale_limit_per_k=acc.get("temperature_scale_percent_per_k", 0.0),
                gyro_scale_limit_per_k=gyro.get("temperature_scale_percent_per_k", 0.0),
            ),
        ),
        (
            _any(acc, gyro, "bias_instability_ug", "bias_instability_deg_per_h"),
            lambda: BiasInstability(
                acc.get("bias_instability_ug", 0.0), gyro.get("bias_instability_deg_per_h", 0.0)
            ),
        ),
        (
            _any(acc, gyro, "rate_random_walk_ug_per_sqrt_s", "rate_random_walk_deg_per_h_per_sqrt_h"),
            lambda: RateRandomWalk(
                acc.get("rate_random_walk_ug_per_sqrt_s", 0.0),
                gyro.get("rate_random_walk_deg_per_h_per_sqrt_h", 0.0),
            ),
        ),
        (
            any("density" in key for key in (*acc, *gyro, *mag)),
            lambda: WhiteNoise(
                acc.get("density_one_sided_ug_per_sqrt_hz", 0.0),
                gyro.get("density_one_sided_dps_per_sqrt_hz", 0.0),
                mag_density_one_sided=mag.get("density_one_sided_ut_per_sqrt_hz", 0.0),
            ),
        ),
        (
            _any(acc, gyro, "range_g", "range_dps") or "range_ut" in mag,
            lambda: Saturation(
                acc.get("range_g", math.inf), gyro.get("range_dps", math.inf), mag.get("range_ut", math.inf)
            ),
        ),
        (
            any(steps) or "resolution_ut" in mag,
            lambda: Quantisation(*steps, bits=word, mag_lsb_ut=mag.get("resolution_ut", 0.0)),
        ),
    ]
    try:
        return tuple(build() for present, build in wanted if present)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from None


def _any(acc: Mapping[str, Any], gyro: Mapping[str, Any], *keys: str) -> bool:
    return any(key in values for values in (acc, gyro) for key in keys)


def _step(values: Mapping[str, Any], range_key: str, resolution_key: str) -> float:
    """One LSB: as given, or the range over half the codes of the word."""
    if resolution_key in values:
        return float(values[resolution_key])
    if "bits" in values and range_key in values:
        return float(values[range_key]) / 2 ** (int(values["bits"]) - 1)
    return 0.0


def _mapping(value: Any, where: str, known: tuple[str, ...] | None) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ConfigError(f"{where}: wanted keys and values (key: value), got {type(value).__name__}")
    for key in value:
        if known is not None and key not in known:
            raise unknown_name(f"key in {where}:", str(key), known)
    return value


def _number(raw: Any, key: str, sources: Mapping[str, Any], where: str) -> Number:
    details = _mapping(raw, f"{where}: {key}", _NUMBER) if isinstance(raw, Mapping) else {"value": raw}
    value = details.get("value")
    if isinstance(value, list):
        value = tuple(value)
    try:
        per_axis(value, key)  # type: ignore[arg-type]
    except (ConfigError, TypeError, ValueError):
        raise ConfigError(f"{where}: {key}: {value!r} is neither a number ≥ 0 nor three of them") from None
    source = str(details.get("source", ""))
    return Number(
        key,
        value,  # type: ignore[arg-type]
        str(sources.get(source, source)),
        bool(details.get("checked", False)),
        str(details.get("note", "")),
    )


def _scaled(value: PerAxis, unit: float, key: str, where: str) -> PerAxis:
    if isinstance(value, tuple):
        if key in _WHOLE or any(word in key for word in _SCALAR):
            raise ConfigError(f"{where}: wanted one number for all axes")
        return (float(value[0]) * unit, float(value[1]) * unit, float(value[2]) * unit)
    if key in _WHOLE and value != int(value):
        raise ConfigError(f"{where}: {value!r} is not a whole number")
    return float(value) * unit


def _rates(value: Any, where: str) -> tuple[float, float] | None:
    if value is None:
        return None
    try:
        low, high = (float(v) for v in value)
    except (TypeError, ValueError):
        raise ConfigError(f"{where}: rates_hz: wanted [lowest, highest] in Hz, got {value!r}") from None
    if not 0 < low <= high:
        raise ConfigError(f"{where}: rates_hz: wanted 0 < lowest ≤ highest, got {value!r}")
    return low, high
