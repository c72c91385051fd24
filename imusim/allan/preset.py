"""Fitted coefficients → a sensor sheet (YAML) that `imusim.sensor.read_sheet` reads."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np

from imusim.allan.coefficients import Coefficients, Estimate
from imusim.conventions import STANDARD_GRAVITY
from imusim.errors import ConfigError
from imusim.types import Floats

DPS = math.pi / 180.0
MICRO_G = 1e-6 * STANDARD_GRAVITY
DEG_PER_H = DPS / 3600.0

UNITS: dict[str, dict[str, tuple[str, str, float]]] = {
    "acc": {
        "N": ("density_one_sided_ug_per_sqrt_hz", "µg/√Hz", MICRO_G / math.sqrt(2.0)),
        "B": ("bias_instability_ug", "µg", MICRO_G),
        "K": ("rate_random_walk_ug_per_sqrt_s", "µg/√s", MICRO_G),
    },
    "gyro": {
        "N": ("density_one_sided_dps_per_sqrt_hz", "°/s/√Hz", DPS / math.sqrt(2.0)),
        "B": ("bias_instability_deg_per_h", "°/h", DEG_PER_H),
        "K": ("rate_random_walk_deg_per_h_per_sqrt_h", "°/h/√h", DEG_PER_H / 60.0),
    },
}
"""Of every signal and coefficient: the sheet's key, its unit, and how much of SI that is (N: one-sided, a √2 more)."""


def sheet_of(
    name: str,
    acc: Coefficients,
    gyro: Coefficients,
    *,
    source: str = "measured",
    acc_step: float = 0.0,
    gyro_step: float = 0.0,
    acc_mean: Floats | None = None,
    gyro_mean: Floats | None = None,
) -> str:
    """Return a sensor sheet as YAML text.

    Values are the most likely ones; where the interval reaches 0, the note says so. A coefficient of which there is no
    sign on any axis is left out (and so not simulated); its upper bound stands in a comment.

    Parameters
    ----------
    name : of the sensor
    acc, gyro : coefficients of the three axes, fitted in m/s² and rad/s

    Other Parameters
    ----------------
    source : document or recording they come from
    acc_step, gyro_step : quantisation steps · m/s², rad/s; 0: none
    acc_mean, gyro_mean : (3,), means at rest · m/s², rad/s; noted in the description

    Raises
    ------
    ConfigError
        If the name is empty, or the coefficients are not those of three axes.
    """
    if not name.strip():
        raise ConfigError("name is empty: wanted what the sensor is called")
    for signal, fitted in (("acc", acc), ("gyro", gyro)):
        if np.shape(fitted.N.value) != (3,):
            raise ConfigError(
                f"{signal}: wanted coefficients of three axes, got shape {np.shape(fitted.N.value)}"
            )
    hours = gyro.duration_s / 3600.0
    about = (
        f"Noise of one unit at rest, fitted to {hours:.3g} h at {gyro.rate_hz:g} Hz. Scale was not measured."
    )
    if gyro_mean is not None:
        about += f" Mean of gyro (offset and the Earth's turn) {_list(gyro_mean / DPS)} °/s."
    if acc_mean is not None:
        in_g = acc_mean / STANDARD_GRAVITY
        about += f" Mean of acc {_list(in_g)} g, norm {np.linalg.norm(in_g):.4g} g."
    lines = [
        f"name: {_quoted(name)}",
        f"description: {_quoted(about)}",
        "sources:",
        f"  fit: {_quoted(source)}",
    ]
    for signal, fitted, step, key, unit in (
        ("acc", acc, acc_step, "resolution_mg", 1e3 * MICRO_G),
        ("gyro", gyro, gyro_step, "resolution_mdps", 1e-3 * DPS),
    ):
        lines.append(f"{signal}:")
        if step > 0:
            lines.append(_line(key, f"{step / unit:.6g}", "smallest step between values"))
        for symbol, (name_of, unit_of, si) in UNITS[signal].items():
            lines.append(_coefficient(name_of, unit_of, si, getattr(fitted, symbol)))
    return "\n".join(lines) + "\n"


def write_sheet(path: str | Path, text: str) -> Path:
    """Write a sheet whole or not at all; return its path.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    from imusim.atomic import written_together

    path = Path(path)
    with written_together(path) as (temporary,):
        temporary.write_text(text, encoding="utf-8")
    return path


def in_unit(estimate: Estimate, si: float) -> list[tuple[float, float, float]]:
    """Return (value, low, high) of every axis in a unit that is `si` of the estimate's."""
    columns = (np.atleast_1d(v) / si for v in (estimate.value, estimate.low, estimate.high))
    return [(float(v), float(low), float(high)) for v, low, high in zip(*columns, strict=True)]


def interval_text(value: float, low: float, high: float) -> str:
    """Return an interval in words, to three digits, or to four if three hide its width."""
    if low <= 0:
        return f"below {high:.3g}"
    digits = 3 if high > 1.02 * low else 4
    return f"{low:.{digits}g} to {high:.{digits}g}"


def _coefficient(key: str, unit: str, si: float, estimate: Estimate) -> str:
    axes = in_unit(estimate, si)
    said = ", ".join(f"{axis} {interval_text(*of)}" for axis, of in zip("xyz", axes, strict=True))
    if not any(value > 0 for value, _, _ in axes):
        return f"  # {key}: no sign of it; 95 %: {said} {unit}"
    doubtful = (
        "" if all(low > 0 for _, low, _ in axes) else "; not identified where only an upper bound stands"
    )
    return _line(key, _list(np.array([value for value, _, _ in axes])), f"95 %: {said} {unit}{doubtful}")


def _line(key: str, value: str, note: str) -> str:
    return f"  {key}: {{value: {value}, source: fit, checked: true, note: {_quoted(note)}}}"


def _list(values: Floats) -> str:
    return "[" + ", ".join(_yaml_number(v) for v in values) + "]"


def _yaml_number(value: float) -> str:
    """Four digits; YAML 1.1 takes 1e-05 for a word, so an exponent gets a point."""
    text = f"{value:.4g}"
    mantissa, e, exponent = text.partition("e")
    return text if not e or "." in mantissa else f"{mantissa}.0e{exponent}"


def _quoted(text: str) -> str:
    return json.dumps(" ".join(text.split()), ensure_ascii=False)
