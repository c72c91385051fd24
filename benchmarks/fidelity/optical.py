"""Optical poses of the IMUs themselves: every method under the same alignment, fitted on one half, scored on the other."""

from __future__ import annotations

import numpy as np

import imusim as im
from benchmarks.fidelity.methods import METHODS, known_between
from benchmarks.fidelity.recordings import Pair, broad, chain, swing
from imusim.recording import Recording

ALIGN = ("time", "rotation", "leverarm", "bias", "scale")
SETS = {"swing": swing, "chain, rigid": chain, "chain, on foam": lambda: chain("nonrigid"), "BROAD": broad}


def score(rec: Recording, pair: Pair, align=ALIGN) -> dict[str, float]:
    """Medians over sensors and axes on the held-out half, and without alignment."""
    table = im.validate(rec, pair.real, align, max_offset_s=1.0).to_dataframe()
    axes = table[table.axis != "norm"]
    out = {}
    for signal, rows in axes.groupby("signal"):
        out[f"{signal}_r"] = float(rows.r.median())
        out[f"{signal}_rmse"] = float(np.sqrt((rows.rmse**2).groupby(rows.sensor).mean()).median())
        out[f"{signal}_r_before"] = float(rows.r_before.median())
    return out


def on_common(rec: Recording, pair: Pair) -> tuple[Recording, float]:
    """The recording where all methods have something to say, and the share of instants it had before."""
    known = known_between(pair, rec.time_s)
    share = float(np.isfinite(rec.acc).all(axis=-1).mean())
    acc, gyro = rec.acc.copy(), rec.gyro.copy()
    acc[~known], gyro[~known] = np.nan, np.nan
    out = Recording(rec.time_s, acc, gyro, rec.sensors, unit="m/s2", gyro_unit="rad/s")
    return out, share


def compare(name: str) -> dict[str, dict[str, float]]:
    """Method → figures on one set."""
    pair = SETS[name]()
    out = {}
    for method, make in METHODS.items():
        try:
            rec, share = on_common(make(pair), pair)
            out[method] = score(rec, pair) | {"covered": share}
        except Exception as error:
            print(f"{name}: {method} failed: {error}", flush=True)
            continue
        print(name, method, {k: round(v, 3) for k, v in out[method].items()}, flush=True)
    return out
