"""Which column of a table is what: names as loggers, phones and data sets write them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from imusim.conventions import STANDARD_GRAVITY
from imusim.errors import MotionFileError, UnitError
from imusim.types import Floats

_SEP = r"[ ._\-:/]*"
_ACC = r"accelerometer|acceleration|accel|acc"
_GYRO = r"gyroscope|gyro|gyr|angular[ ._-]?velocity|angular[ ._-]?rate|rotation[ ._-]?rate|omega"
_NAMED = re.compile(
    rf"(?P<sensor>.*?){_SEP}(?:(?P<acc>{_ACC})|(?P<gyro>{_GYRO})){_SEP}(?P<axis>[xyz])(?![a-z])(?P<unit>.*)",
    re.I,
)
_EUROC = re.compile(r"(?P<kind>[wa])_RS_S_(?P<axis>[xyz])\s*(?P<unit>.*)", re.I)
_SHORT = re.compile(r"(?P<kind>[agw])[ ._]?(?P<axis>[xyz])(?![a-z])(?P<unit>.*)", re.I)
_APPLE = re.compile(r"(?P<kind>gravity|user_?acceleration)[ ._]?(?P<axis>[xyz]).*", re.I)
_FREE = re.compile(r"linear|free|user|without.?g|lacc", re.I)
_TIME = re.compile(
    r"#?\s*(?:t|time|timestamp|time_?stamp|seconds|elapsed|epoch|sample ?time ?fine|sensortime)"
    r"(?:[ ._]?(?P<unit>[\[(]?(?:n|u|µ|m)?s(?:ec)?[\])]?))?", re.I)  # fmt: skip
ACC_UNITS = {"m/s²": 1.0, "g": STANDARD_GRAVITY, "mg": 1e-3 * STANDARD_GRAVITY}
GYRO_UNITS = {"rad/s": 1.0, "deg/s": np.pi / 180.0, "mdeg/s": 1e-3 * np.pi / 180.0}
_FAST_RAD_S = 25.0  # a person's 95 % of rates stay below; above it must be degrees


@dataclass
class Found:
    """Columns of one table.

    time : (index, unit as written) or None; sensors : name → "acc" / "gyro" → three indices; units : (sensor, signal) → as
    written; apple : "gravity" and "user" → three indices, if the acceleration is in two parts of Apple's sign.
    """

    time: tuple[int, str] | None = None
    sensors: dict[str, dict[str, list[int]]] = field(default_factory=dict)
    units: dict[tuple[str, str], str] = field(default_factory=dict)
    apple: dict[str, list[int]] = field(default_factory=dict)


def assign(names: Sequence[str], path: str) -> Found:
    """Find time and the sensors' signals among column names.

    Raises
    ------
    MotionFileError
        If no sensor has three axes of both signals, or gravity was taken out of the acceleration.
    """
    found = Found()
    free: list[str] = []
    parts: dict[str, dict[str, dict[str, int]]] = {}
    for at, name in enumerate(names):
        text = name.strip()
        if found.time is None and (match := _TIME.fullmatch(text)):
            found.time = at, match["unit"] or ""
            continue
        if match := _APPLE.fullmatch(text):
            kind = "gravity" if match["kind"].lower() == "gravity" else "user"
            found.apple.setdefault(kind, [-1, -1, -1])["xyz".index(match["axis"].lower())] = at
            continue
        for pattern in (_EUROC, _SHORT, _NAMED):
            if match := pattern.fullmatch(text):
                break
        else:
            continue
        groups = match.groupdict()
        if "kind" in groups:
            signal, sensor = ("acc" if groups["kind"].lower() == "a" else "gyro"), ""
        else:
            signal, sensor = ("acc" if groups["acc"] else "gyro"), groups["sensor"].strip(" ._-:/")
        if signal == "acc" and _FREE.search(sensor):
            free.append(text)
            continue
        own = parts.setdefault(sensor, {}).setdefault(signal, {})
        own.setdefault(match["axis"].lower(), at)
        found.units.setdefault((sensor, signal), match["unit"])
    if set(found.apple) == {"gravity", "user"} and all(min(v) >= 0 for v in found.apple.values()):
        parts.setdefault("", {})["acc"] = dict(zip("xyz", found.apple["user"], strict=True))
    else:
        found.apple = {}
    for sensor, signals in parts.items():
        if all(len(signals.get(s, {})) == 3 for s in ("acc", "gyro")):
            found.sensors[sensor] = {s: [signals[s][a] for a in "xyz"] for s in ("acc", "gyro")}
    if not found.sensors:
        got = ", ".join(names[:12]) + (" ..." if len(names) > 12 else "")
        if free:
            raise MotionFileError(
                f"{path}: {free[0]} is acceleration without gravity, wanted what the accelerometer reads (specific force). "
                "Export the raw acceleration."
            )
        raise MotionFileError(
            f"{path}: no sensor with acc and gyro x, y, z among the columns {got}. "
            "Wanted names such as time, acc_x, gyro_x, or "
            "left_wrist_acc_x ... for several sensors."
        )
    return found


def acc_factor(acc: Floats, written: str, asked: str, path: str) -> tuple[float, str]:
    """Return factor to m/s² and the unit: as asked, as the header says, or by the size of gravity.

    Raises
    ------
    UnitError
        If nothing says it and the median length is that of no unit.
    """
    if asked != "auto":
        unit = {"m/s2": "m/s²"}.get(asked, asked)
        if unit not in ACC_UNITS:
            raise UnitError(f"acc unit {asked!r}: wanted auto, m/s2, g or mg")
        return ACC_UNITS[unit], f"{unit}, as asked"
    norm = np.linalg.norm(acc, axis=1)
    size = float(np.median(norm[np.isfinite(norm)])) if np.isfinite(norm).any() else np.nan
    text = re.sub(r"[^a-z0-9/²^-]", "", written.lower().replace(" ", ""))
    said = (
        "m/s²"
        if text.startswith(("m/s", "ms-2", "ms^-2", "mps2", "m/s^2"))
        else text
        if text in ("g", "mg")
        else ""
    )
    for unit, factor in ACC_UNITS.items():
        if 0.4 < size * factor / STANDARD_GRAVITY < 2.6:
            if said and said != unit:
                return factor, f"{unit}, by the size of gravity (the header says {said}!)"
            return factor, unit + (", by the header" if said else ", by the size of gravity")
    raise UnitError(
        f"{path}: acc has a median length of {size:.3g}, wanted about 9.8 (m/s²), 1 (g) or 1000 (mg). "
        "Is gravity in it? Raw counts "
        "must be converted; or say the unit, --acc-unit."
    )


def gyro_factor(gyro: Floats, written: str, asked: str) -> tuple[float, str]:
    """Return factor to rad/s and the unit: as asked, as the header says, or by how fast a person turns.

    Raises
    ------
    UnitError
        On an unknown `asked`.
    """
    if asked != "auto":
        if asked not in GYRO_UNITS:
            raise UnitError(f"gyro unit {asked!r}: wanted auto, rad/s or deg/s")
        return GYRO_UNITS[asked], f"{asked}, as asked"
    text = re.sub(r"[^a-z°]", "", written.lower())
    if text.startswith(("mdps", "mdeg")):
        return GYRO_UNITS["mdeg/s"], "mdeg/s, by the header"
    if text.startswith(("dps", "deg", "°")):
        return GYRO_UNITS["deg/s"], "deg/s, by the header"
    if text.startswith("rad"):
        return 1.0, "rad/s, by the header"
    norm = np.linalg.norm(gyro, axis=1)
    fast = float(np.quantile(norm[np.isfinite(norm)], 0.95)) if np.isfinite(norm).any() else 0.0
    if fast > _FAST_RAD_S:
        return GYRO_UNITS["deg/s"], f"deg/s, by its size (5 % of the samples above {fast:.0f})"
    return 1.0, "rad/s, assumed: nothing says otherwise"
