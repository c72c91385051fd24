"""Which parameter buys what: identification on one half with some parameters, its prediction scored on the other."""

from __future__ import annotations

import warnings

import numpy as np

import imusim as im
from benchmarks.fidelity.methods import known_between
from benchmarks.fidelity.recordings import Pair
from imusim.identification.model import predict
from imusim.identification.solve import solve
from imusim.identification.sources import KinematicSource

RIGID = ("time", "rotation", "leverarm", "bias", "scale")
EVERYTHING = "+ soft tissue"
STEPS = {
    "nothing": (),
    "time": RIGID[:1],
    "+ rotation": RIGID[:2],
    "+ lever arm": RIGID[:3],
    "+ bias": RIGID[:4],
    "+ scale": RIGID,
    EVERYTHING: (*RIGID, "softtissue"),
    **{f"+ scale, but no {b}": tuple(x for x in RIGID if x != b) for b in RIGID[:-1]},
}


def ablate(pair: Pair) -> dict[str, np.ndarray]:
    """Step → rmse (S, 2) of acc m/s² and gyro rad/s on the held-out half, where poses are known."""
    frames = [
        im.Trajectory(pair.time_s, pair.position_m[:, s], pair.orientation_wxyz[:, s], smoothing="auto")
        for s in range(len(pair.real.sensors))
    ]
    span = float(pair.time_s[0]), float(pair.time_s[-1])
    time = pair.real.time_s
    half = time.size // 2
    out = {}
    for step, blocks in STEPS.items():
        rows = []
        for s in range(len(pair.real.sensors)):
            y = np.hstack([pair.real.acc[:, s], pair.real.gyro[:, s]])
            source = KinematicSource(frames[s].kinematics, 0, span)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                fit = solve(source, time[:half], y[:half], blocks, max_offset_s=1.0)
            assert fit is not None
            p = fit.parameters
            left = y[half:] - predict(source, time[half:], p)
            left[~known_between(pair, p.source_time(time[half:]))[:, s]] = np.nan
            rows.append([np.sqrt(np.nanmean(left[:, part] ** 2)) for part in (slice(0, 3), slice(3, 6))])
        out[step] = np.array(rows)
        print(pair.name, step, np.median(out[step], axis=0).round(3), flush=True)
    return out


def table(found: dict[str, dict[str, np.ndarray]]) -> list[str]:
    """Lines of a table: medians over sensors of acc and gyro rmse, one pair of columns a set."""
    names = list(found)
    lines = [
        "| identified | " + " | ".join(f"{n}: acc, gyro rmse" for n in names) + " |",
        "|---|" + "---|" * len(names),
    ]
    for step in STEPS:
        cells = [f"{a:.3f}, {g:.3f}" for a, g in (np.median(found[n][step], axis=0) for n in names)]
        lines.append(f"| {step} | " + " | ".join(cells) + " |")
    return lines


def softened(found: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What the soft mount takes off the rmse, as shares (acc, gyro): median and worst over sensors, and of all pooled."""
    rigid, soft = found["+ scale"], found[EVERYTHING]
    gain = 1.0 - soft / rigid
    pooled = 1.0 - np.sqrt((soft**2).mean(axis=0) / (rigid**2).mean(axis=0))
    return {"median": np.median(gain, axis=0), "worst": gain.min(axis=0), "pooled": pooled}
