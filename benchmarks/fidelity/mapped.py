"""Distribution mapping on UTD-MHAD: learned on some people, measured on the rest; virtual signals from the Kinect."""

from __future__ import annotations

import warnings
from collections import defaultdict

import numpy as np
from tqdm import tqdm

import imusim as im
from benchmarks.fidelity.placement import RATE_HZ, THIGH_FROM, trials
from imusim.matching import power
from imusim.recording import Recording
from imusim.validation.classifier import discriminability
from imusim.validation.metrics import distributions

LEARN = (1, 2, 3, 4)
KINDS = ("quantile", "spectral", "quantile,spectral")
WORN = {"right_wrist": 7, "right_thigh": 1}  # and which share of its trials is played
FIGURES = ("acc_w", "acc_db", "gyro_w", "gyro_db", "auc")


def sets(place: str, every: int | None = None) -> dict[bool, tuple[Recording, Recording]]:
    """Learned-from people or not → virtual and real recordings at a place, its every n-th trial, one after the other."""
    thigh = place == "right_thigh"
    every = every or WORN[place]
    parts: dict[bool, list[tuple[np.ndarray, np.ndarray]]] = defaultdict(list)
    played = trials(1_000_000, every) if thigh else trials(every)
    for action, person, real, motion in tqdm(played, f"UTD-MHAD {place}", leave=False, disable=None):
        if (action >= THIGH_FROM) != thigh:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            at = real.time_s[(real.time_s >= motion.time_s[0]) & (real.time_s <= motion.time_s[-1])]
            rec = im.simulate(motion, placements=[place], time_s=at, rate_hz=RATE_HZ)
        gap = np.full((round(RATE_HZ), 6), np.nan)  # between trials
        ours = np.vstack([np.hstack([rec.acc[:, 0], rec.gyro[:, 0]]), gap])
        theirs = np.vstack([np.hstack([real.acc[: at.size, 0], real.gyro[: at.size, 0]]), gap])
        parts[person in LEARN].append((ours, theirs))
    return {
        key: (_joined([a for a, _ in pairs]), _joined([b for _, b in pairs])) for key, pairs in parts.items()
    }


def measure(found: dict[bool, tuple[Recording, Recording]]) -> dict[str, dict[str, float]]:
    """Map → figures on the held-out people, maps learned on the others, then the other way round: the mean of both.

    Figures are means over axes of the Wasserstein distance (over the real sd) and of the distance of spectra, dB, and how
    well a classifier tells virtual from real windows.
    """
    out: dict[str, list[dict[str, float]]] = defaultdict(list)
    for learned in (True, False):
        virtual, real = found[not learned]
        out["none"].append(_distances(virtual, real))
        for kinds in KINDS:
            out[kinds].append(_distances(im.fit_map(*found[learned], kinds).apply(virtual), real))
        out["the other people's real signals"].append(_distances(found[learned][1], real, alike=False))
    return {
        kinds: {key: float(np.mean([row[key] for row in rows])) for key in FIGURES}
        for kinds, rows in out.items()
    }


def minutes(found: dict[bool, tuple[Recording, Recording]]) -> float:
    """Real minutes that a map was learned from, the mean of both halves."""
    return float(np.mean([np.isfinite(real.acc[:, 0, 0]).sum() / RATE_HZ / 60 for _, real in found.values()]))


def table(found: dict[str, dict[str, float]]) -> list[str]:
    """Lines of a table."""
    lines = [
        "| map | acc: Wasserstein / sd | acc: spectra, dB | gyro: Wasserstein / sd | gyro: spectra, dB | AUC |",
        "|---|---|---|---|---|---|",
    ]
    for kinds, row in found.items():
        cells = [f"{row[k]:.3g}" if np.isfinite(row[k]) else "–" for k in FIGURES]
        lines.append(f"| {kinds} | " + " | ".join(cells) + " |")
    return lines


def _joined(parts: list[np.ndarray]) -> Recording:
    x = np.vstack(parts)[:, None]
    time = np.arange(x.shape[0]) / RATE_HZ
    return Recording(time, x[..., :3], x[..., 3:], ("sensor",), unit="m/s2", gyro_unit="rad/s")


def _distances(virtual: Recording, real: Recording, *, alike: bool = True) -> dict[str, float]:
    """Figures of one pair; the classifier needs windows of the same moments (`alike`)."""
    both = [np.hstack([r.acc[:, 0], r.gyro[:, 0]]) for r in (virtual, real)]
    out = {"auc": discriminability(*both, RATE_HZ) if alike else np.nan}
    for signal in ("acc", "gyro"):
        a, b = getattr(virtual, signal)[:, 0], getattr(real, signal)[:, 0]
        w = []
        for x, y in zip(a.T, b.T, strict=True):
            x, y = x[np.isfinite(x)], y[np.isfinite(y)]
            w.append(distributions(x, y)[1] / y.std())
        ours, theirs = (power(x, RATE_HZ)[1][1:] for x in (a, b))  # inside trials
        share = np.cumsum(theirs, axis=0) / theirs.sum(axis=0)
        decibel = np.where(share < 0.99, 10 * np.log10(ours / theirs), np.nan)
        db = np.sqrt(np.nanmean(decibel**2, axis=0))
        out |= {f"{signal}_w": float(np.mean(w)), f"{signal}_db": float(np.mean(db))}
    return out


if __name__ == "__main__":
    for name in WORN:
        print("\n".join(table(measure(sets(name)))))
