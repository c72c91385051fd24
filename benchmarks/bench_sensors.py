"""What sensor models and increments promise, measured: Allan coefficients, densities, a strapdown, an attitude filter.

    python -m benchmarks.bench_sensors

The same calculations are tests (tests/physics/test_allan.py, test_sensor_moments.py, test_sampling.py,
tests/reference/test_vqf.py); this prints their figures.
"""

from __future__ import annotations

import allantools
import numpy as np
import test_allan as case
from core_cases import Sinusoids
from scipy.signal import welch

from benchmarks.page import write
from imusim import rotation as r
from imusim import sensor as sensors
from imusim.allan import fit_coefficients
from imusim.conventions import GRAVITY_W
from imusim.sensor import Quantisation, Signals, WhiteNoise
from imusim.simulation import simulate
from imusim.trajectory import Trajectory

PRESETS = ("BMI270", "MPU-6050", "LSM6DSO")


def allan() -> list[str]:
    """Of a hundred recordings of three gyroscopes: how often the truth lies inside, and the estimates' mean."""
    ours, theirs, mean = np.zeros((3, 3), int), np.zeros((3, 3), int), np.zeros((3, 3))
    for seed in range(case.SEEDS):
        x = case.at_rest(seed)
        fit = fit_coefficients(x, case.RATE)
        for row, (symbol, truth) in enumerate((("N", case.N), ("B", case.B), ("K", case.K))):
            e = getattr(fit, symbol)
            ours[row] += (e.low <= truth) & (truth <= e.high)
            mean[row] += e.value / truth / case.SEEDS
        for c in range(3):
            _, deviation, _, _ = allantools.oadev(
                x[:, c], rate=case.RATE, data_type="freq", taus=case.DOMINATED_S
            )
            for row, tau in enumerate(case.DOMINATED_S):
                low, high = case.allantools_interval(deviation[row], tau, case.ALPHA[row])
                theirs[row, c] += low <= case.true_deviation(tau, c) <= high
    return [
        f"| {name} | "
        + " | ".join(f"{theirs[i, c]} · {ours[i, c]} · {mean[i, c]:.3f}" for i in range(3))
        + " |"
        for c, name in enumerate(PRESETS)
    ]


def densities(samples: int = 340_000, rate: float = 800.0) -> list[str]:
    """Welch's one-sided density of presets at rest, through their whole chain, over the sheet's; rounding taken off."""
    rows = []
    for name in PRESETS:
        sensor = sensors.find(name)
        terms = {type(t): t for t in sensor.terms}
        zero = np.zeros((samples, 1, 3))
        out = sensor.apply(Signals(np.arange(samples) / rate, zero, zero.copy()), rate, 4)
        found = []
        for y, n, lsb in (
            (out.acc, terms[WhiteNoise].acc_density_one_sided, terms[Quantisation].acc_lsb_m_s2),
            (out.gyro, terms[WhiteNoise].gyro_density_one_sided, terms[Quantisation].gyro_lsb_rad_s),
        ):
            f, psd = welch(y[:, 0], fs=rate, nperseg=4096, axis=0)
            power = psd[(f > 20) & (f < 0.98 * rate / 2)].mean()
            found += [np.sqrt(power) / np.mean(n), np.sqrt(power - lsb**2 / 12 / (rate / 2)) / np.mean(n)]
        rows.append(f"| {name} | " + " | ".join(f"{v:.3f}" for v in found) + " |")
    return rows


def strapdown() -> tuple[float, float]:
    """Position (m) and orientation (°) that increments at 100 Hz miss by after 60 s."""
    t = np.arange(6001) / 100
    traj = Trajectory(t, *Sinusoids(17, seed=3).pose(t))
    rec = simulate(traj, rate_hz=100, sampling="increments")
    start, h = traj.kinematics([0.0]), 0.01
    q, v, p = start.orientation[0], start.velocity[0], start.position[0]
    for angle, dv in zip(rec.gyro * h, rec.acc * h, strict=True):
        before = v
        v = v + r.rotate(q, dv) + np.asarray(GRAVITY_W) * h
        q = r.multiply(q, r.from_rotvec(angle))
        p = p + 0.5 * h * (before + v)
    end = traj.kinematics([rec.time_s[-1]])
    return float(np.abs(p - end.position[0]).max()), float(np.rad2deg(r.angle(q, end.orientation[0])).max())


def inclination(position_m: float, rotation_rad: float) -> float:
    """Largest rms error of vqf's inclination from our ideal signals after 15 s, of 17 sensors · °."""
    from vqf import VQF

    t = np.arange(6001) / 100
    traj = Trajectory(t, *Sinusoids(17, position_m=position_m, rotation_rad=rotation_rad).pose(t))
    rec = simulate(traj, rate_hz=100)
    truth, up, worst = traj.kinematics(rec.time_s).orientation, np.array([0.0, 0.0, 1.0]), 0.0
    for s in range(17):
        found = VQF(0.01).updateBatch(rec.gyro[:, s].copy(), rec.acc[:, s].copy())["quat6D"]
        both = r.rotate_inverse(truth[:, s], up) * r.rotate_inverse(found, up)
        error = np.rad2deg(np.arccos(np.clip(both.sum(axis=1), -1, 1)))[1500:]
        worst = max(worst, float(np.sqrt(np.mean(error**2))))
    return worst


def main() -> None:
    """Measure everything and write the page's part."""
    missed, turned = strapdown()
    text = [
        "## What sensors and increments promise",
        "",
        f"`python -m benchmarks.bench_sensors`. Gyroscopes at rest, {case.HOURS:g} h at {case.RATE:g} Hz, {case.SEEDS} seeds; N of the data "
        "sheets, B and K notional. How many of the 100 have the truth inside the 95 % interval, wanted ≥ 88: of the Allan "
        "deviation by `allantools` where that noise dominates · of `imusim sensors fit`; then the fits' mean over the truth.",
        "",
        "| | N | B | K |",
        "|---|---|---|---|",
        *allan(),
        "",
        "One-sided Welch density of a preset at rest over its data sheet's, 800 Hz, a million samples; wanted within 2 % with "
        "the rounding LSB²/12 taken off:",
        "",
        "| | acc | rounding off | gyro | rounding off |",
        "|---|---|---|---|---|",
        *densities(),
        "",
        "| | wanted | found |",
        "|---|---|---|",
        f"| strapdown of increments, 17 sensors, 60 s: position, worst | ≤ 1 mm | {1000 * missed:.2g} mm |",
        f"| the same: orientation | | {turned:.1e}° |",
        f"| `vqf` on ideal signals, rms inclination after 15 s, worst of 17, the bar's motion | ≤ 1.5° | {inclination(0.115, 0.65):.2f}° |",
        f"| the same, a gentle motion | ≤ 0.5° | {inclination(0.01, 0.2):.2f}° |",
    ]
    write("sensors", "\n".join(text))
    print("\n".join(text))


if __name__ == "__main__":
    main()
