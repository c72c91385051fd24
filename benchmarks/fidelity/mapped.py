"""Distribution mapping on UTD-MHAD: learned on the first people, measured on the rest; virtual signals from the Kinect."""

from __future__ import annotations

import warnings
from collections import defaultdict

import numpy as np
from tqdm import tqdm

import imusim as im
from benchmarks.fidelity.placement import RATE_HZ, THIGH_FROM, trials
from imusim.matching import power
from imusim.recording import Recording
from imusim.validation.metrics import distributions

LEARN = (1, 2, 3, 4)
KINDS = ("quantile", "spectral", "spectral,quantile")


def sets(every: int) -> dict[bool, tuple[Recording, Recording]]:
    """Learned-from people or not → virtual and real recordings of the right wrist, trials one after the other."""
    parts: dict[bool, list[tuple[np.ndarray, np.ndarray]]] = defaultdict(list)
    for action, person, real, motion in tqdm(
        trials(every), "UTD-MHAD", total=861 // every, leave=False, disable=None
    ):
        if action >= THIGH_FROM:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            at = real.time_s[(real.time_s >= motion.time_s[0]) & (real.time_s <= motion.time_s[-1])]
            rec = im.simulate(motion, placements=["right_wrist"], time_s=at, rate_hz=RATE_HZ)
        gap = np.full((round(RATE_HZ), 6), np.nan)  # between trials
        ours = np.vstack([np.hstack([rec.acc[:, 0], rec.gyro[:, 0]]), gap])
        theirs = np.vstack([np.hstack([real.acc[: at.size, 0], real.gyro[: at.size, 0]]), gap])
        parts[person in LEARN].append((ours, theirs))
    return {
        key: (_joined([a for a, _ in pairs]), _joined([b for _, b in pairs])) for key, pairs in parts.items()
    }


def measure(every: int = 7) -> dict[str, dict[str, float]]:
    """Map → mean over axes of the Wasserstein distance (over the real sd) and the distance of spectra, dB; held-out people."""
    found = sets(every)
    virtual, real = found[False]
    out = {"none": _distances(virtual, real)}
    for kinds in KINDS:
        out[kinds] = _distances(im.fit_map(*found[True], kinds).apply(virtual), real)
        print(kinds, out[kinds], flush=True)
    seconds = float(np.isfinite(found[True][1].acc[:, 0, 0]).sum() / RATE_HZ)
    out["seconds"] = {"learned": seconds}
    return out


def table(found: dict[str, dict[str, float]]) -> list[str]:
    """Lines of a table."""
    lines = [
        "| map | acc: Wasserstein / sd | acc: spectra, dB | gyro: Wasserstein / sd | gyro: spectra, dB |",
        "|---|---|---|---|---|",
    ]
    for kinds in ("none", *KINDS):
        row = found[kinds]
        lines.append(
            f"| {kinds} | "
            + " | ".join(f"{row[k]:.3g}" for k in ("acc_w", "acc_db", "gyro_w", "gyro_db"))
            + " |"
        )
    return lines


def _joined(parts: list[np.ndarray]) -> Recording:
    x = np.vstack(parts)[:, None]
    time = np.arange(x.shape[0]) / RATE_HZ
    return Recording(time, x[..., :3], x[..., 3:], ("right_wrist",), unit="m/s2", gyro_unit="rad/s")


def _distances(virtual: Recording, real: Recording) -> dict[str, float]:
    out = {}
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
    print("\n".join(table(measure())))
