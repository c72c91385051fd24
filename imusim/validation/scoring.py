"""One pair of sensors, aligned: its rows of the table and what the picture draws."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import welch

from imusim.identification.model import at_lever, corrected
from imusim.identification.parameters import Parameters
from imusim.identification.sources import Source
from imusim.types import Floats
from imusim.validation.classifier import discriminability
from imusim.validation.metrics import MEANING, basic, compare, longest_run
from imusim.validation.report import Overlay

AXES = ("x", "y", "z", "norm")
_SHOWN_S = 12.0


def side_by_side(source: Source, time_s: Floats, values: Floats, p: Parameters) -> tuple[Floats, Floats]:
    """Return simulated and real readings (N, 6) at the real instants, in the simulated sensor's axes and place."""
    seen = source.at(p.source_time(time_s))
    simulated = np.hstack([at_lever(seen, p.lever_arm_m, p.body_scale), seen.rate])
    return simulated, corrected(values, p)


def rows_of(
    sensor: str,
    simulated: Floats,
    real: Floats,
    before: tuple[Floats, Floats],
    fitted: tuple[Floats, Floats] | None,
    rate_hz: float,
) -> list[dict[str, Any]]:
    """Return eight rows of the table.

    Parameters
    ----------
    sensor : name of the real sensor
    simulated, real : (N, 6), aligned, the part that is scored
    before : the same without alignment
    fitted : the same of the part that was fitted, aligned; None: nothing was fitted
    rate_hz : of the real sensor
    """
    rows = []
    for k, signal in enumerate(("acc", "gyro")):
        part = slice(3 * k, 3 * k + 3)
        auc = discriminability(simulated[:, part], real[:, part], rate_hz)
        for i, axis in enumerate(AXES):
            a, b = _axis(simulated[:, part], i), _axis(real[:, part], i)
            row: dict[str, Any] = {"sensor": sensor, "signal": signal, "axis": axis}
            row |= compare(a, b, rate_hz)
            row["auc"] = auc if axis == "norm" else float("nan")
            unaligned = _basic(_axis(before[0][:, part], i), _axis(before[1][:, part], i))
            row |= {f"{name}_before": unaligned[name] for name in ("r", "rmse", "nrmse")}
            there = None if fitted is None else (_axis(fitted[0][:, part], i), _axis(fitted[1][:, part], i))
            fit = {"r": np.nan, "rmse": np.nan} if there is None else _basic(*there)
            row |= {f"{name}_fit": fit[name] for name in ("r", "rmse")}
            rows.append({key: row[key] for key in _order(row)})
    return rows


def overlay_of(time_s: Floats, simulated: Floats, real: Floats, rate_hz: float) -> Overlay:
    """Return up to twelve seconds in which the real sensor moves most, and the spectra of everything."""
    known: NDArray[np.bool_] = np.asarray(np.isfinite(simulated).all(axis=1) & np.isfinite(real).all(axis=1))
    first, last = _liveliest(real, known, round(_SHOWN_S * rate_hz))
    a, b = longest_run(known)
    spectra = []
    frequency = np.zeros(0)
    for x in (simulated, real, simulated - real):
        part = x[a:b]
        if part.shape[0] < 16:
            spectra.append(np.zeros((0, 2)))
            continue
        frequency, p = welch(
            part, rate_hz, nperseg=min(part.shape[0], max(32, round(2.56 * rate_hz))), axis=0
        )
        spectra.append(np.stack([p[:, :3].sum(axis=1), p[:, 3:].sum(axis=1)], axis=1))
    return Overlay(time_s[first:last], simulated[first:last], real[first:last], frequency, *spectra)


def _axis(x: Floats, i: int) -> Floats:
    return np.ascontiguousarray(x[:, i]) if i < 3 else np.linalg.norm(x, axis=1)


def _basic(a: Floats, b: Floats) -> dict[str, float]:
    known = np.isfinite(a) & np.isfinite(b)
    return basic(a[known], b[known])


def _order(row: dict[str, Any]) -> list[str]:
    head = ["sensor", "signal", "axis"]
    return head + [k for k in MEANING if k in row] + [k for k in row if k not in MEANING and k not in head]


def _liveliest(real: Floats, known: NDArray[np.bool_], length: int) -> tuple[int, int]:
    if real.shape[0] <= length:
        return 0, real.shape[0]
    moving = np.where(known, np.linalg.norm(np.nan_to_num(real[:, 3:]), axis=1), 0.0)
    sums = np.concatenate([[0.0], np.cumsum(moving)])
    first = int(np.argmax(sums[length:] - sums[:-length]))
    return first, first + length
