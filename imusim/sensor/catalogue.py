"""Finding sensors: presets by name, sheets by path, Python objects by ``package.module:Name``."""

from __future__ import annotations

import functools
import importlib
import importlib.resources
import re
from pathlib import Path

from imusim.errors import ConfigError, UnknownNameError, unknown_name
from imusim.sensor.sensor import Number, Sensor
from imusim.sensor.sheet import sensor_of

IDEAL = Sensor("ideal", description="A perfect sensor: no errors, no limits.")
_PRESETS = (
    "bmi270", "bmi160", "mpu6050", "lsm6dso", "icm20948", "mti1", "ximu3", "shimmer3", "myo", "smartwatch",
)  # fmt: skip
_ALIASES = {
    "notionalsmartwatch": "smartwatch",
    "xsensdot": "mti1",
    "movelladot": "mti1",
    "shimmer": "shimmer3",
}


def presets() -> dict[str, Sensor]:
    """Return the presets that come with imusim, by name: "ideal", then the parts."""
    return {"ideal": IDEAL} | {name: preset(name) for name in _PRESETS}


@functools.cache
def preset(name: str) -> Sensor:
    """Return the part of that exact name from its sheet in `imusim/sensor/data`."""
    import yaml

    file = importlib.resources.files("imusim.sensor") / "data" / f"{name}.yaml"
    return sensor_of(yaml.safe_load(file.read_text(encoding="utf-8")), name)


def find(sensor: str | Path | Sensor | None) -> Sensor:
    """Return the sensor that is meant.

    Parameters
    ----------
    sensor : a `Sensor`; a preset's name (case, "-", "_" and spaces do not matter); the path of a YAML sheet, of Kalibr's
        ``imu.yaml`` or of a JSON file for MATLAB's ``imuSensor``;
        ``"package.module:Name"`` of a `Sensor`; None for "ideal"

    Raises
    ------
    UnknownNameError
        If there is no such preset, with the nearest name.
    ConfigError
        If a sheet is wrong, or what ``package.module:Name`` names is not a `Sensor`.
    """
    if sensor is None:
        return IDEAL
    if isinstance(sensor, Sensor):
        return sensor
    if str(sensor).lower().endswith((".yaml", ".yml")) or (
        isinstance(sensor, Path) and sensor.suffix.lower() != ".json"
    ):
        from imusim.sensor.sheet import read_sheet

        return read_sheet(sensor)
    if str(sensor).lower().endswith(".json"):
        from imusim.sensor.foreign import read_matlab

        return read_matlab(sensor)
    if not isinstance(sensor, str):
        raise ConfigError(f"sensor={sensor!r}: wanted a Sensor, a preset's name, a YAML file, or None")
    if ":" in sensor:
        return _imported(sensor)
    key = re.sub(r"[\s_-]", "", sensor).lower()
    key = _ALIASES.get(key, key)
    if key == "ideal":
        return IDEAL
    if key in _PRESETS:
        return preset(key)
    raise unknown_name("sensor", sensor, ("ideal", *_PRESETS))


def _imported(name: str) -> Sensor:
    module, _, attribute = name.partition(":")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise UnknownNameError(f"sensor {name!r}: {error}. Wanted package.module:Name of a Sensor.") from None
    if not isinstance(found, Sensor):
        raise ConfigError(f"sensor {name!r} is a {type(found).__name__}, wanted a Sensor")
    return found


def describe() -> str:
    """Return a text about every preset: its figures, where they come from, and which of them nobody checked."""
    blocks = [_block(name, sensor) for name, sensor in presets().items()]
    return (
        "\n\n".join(blocks)
        + "\n\n  †  from memory or at second hand, not looked up in the source named\n"
        + "  What a part does not list is not simulated. Limits are not standard deviations: every unit draws its\n"
        + "  own offset and scale within them, from the seed. Your own part: a YAML file with the same keys."
    )


def _block(name: str, sensor: Sensor) -> str:
    tag = "  (notional: chosen, not published)" if sensor.notional else ""
    title = name if sensor.name.lower() == name else f"{name}  {sensor.name}"
    lines = [f"{title}{tag}", f"  {sensor.description}"]
    if sensor.rate_limits_hz is not None:
        lines.append("  output rate {:g} to {:g} Hz".format(*sensor.rate_limits_hz))
    lines += [_line(number) for number in sensor.numbers]
    lines += [f"  source: {source}" for source in dict.fromkeys(n.source for n in sensor.numbers) if source]
    return "\n".join(lines)


def _line(number: Number) -> str:
    value = number.value
    text = ", ".join(f"{v:g}" for v in value) if isinstance(value, tuple) else f"{value:g}"
    mark = "" if number.checked else " †"
    note = f"   {number.note}" if number.note else ""
    return f"    {number.key:<46}{text + mark:<12}{note}".rstrip()
