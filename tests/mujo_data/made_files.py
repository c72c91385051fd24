"""Small files in the official layouts, with signals that say which channel they are."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
from scipy.io import savemat


def ramp(rows: int, columns: int) -> np.ndarray:
    """Column c holds c + 1 + a small ramp: every channel is told apart."""
    return np.arange(1.0, columns + 1) + 1e-3 * np.arange(rows)[:, None]


def motionsense(folder: Path) -> Path:
    head = [f"{n}.{a}" for n in ("attitude", "gravity", "rotationRate", "userAcceleration") for a in "xyz"]
    head[:3] = ["attitude.roll", "attitude.pitch", "attitude.yaw"]
    for code, trial in (("dws", 1), ("wlk", 7), ("std", 6)):
        for person in (1, 2, 11):
            path = folder / "A_DeviceMotion_data" / f"{code}_{trial}" / f"sub_{person}.csv"
            path.parent.mkdir(parents=True, exist_ok=True)
            rows = ramp(250, 12) * 0.1
            lines = ["," + ",".join(head)] + [
                f"{i}," + ",".join(map(repr, r)) for i, r in enumerate(rows.tolist())
            ]
            path.write_text("\n".join(lines) + "\n")
    return folder


def mmfit(folder: Path) -> Path:
    for workout in ("00", "01", "14"):
        place = folder / f"w{workout}"
        place.mkdir(parents=True)
        stamp = 1000.0 + np.arange(0.0, 20_000.0, 9.7)  # about 103 Hz, as watches are
        frame = stamp * 30.0 / 1000.0
        for name, first in (("sw_l_acc", 1.0), ("sw_l_gyr", 4.0), ("sw_r_acc", 7.0), ("sw_r_gyr", 10.0)):
            xyz = np.tile([first, first + 1, first + 2], (stamp.size, 1))
            if name == "sw_l_acc":  # two seconds of nothing
                keep = (stamp < 15_000) | (stamp > 17_000)
            else:
                keep = np.ones(stamp.size, bool)
            np.save(place / f"w{workout}_{name}.npy", np.column_stack([frame, stamp, xyz])[keep])
        (place / f"w{workout}_labels.csv").write_text(
            "60,150,10,squats\n151,240,12,squats\n300,390,9,lunges\n"
        )
    return folder


def myogym(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    raw = ramp(1200, 20)
    raw[100:110] = raw[99]  # the buffer repeats a row
    activity = np.repeat([99, 3, 99, 30], 300)[:, None]
    trainer = np.repeat([1, 1, 2, 2], 300)[:, None]
    savemat(folder / "MyoGym.mat", {"raw_data": raw, "activity": activity, "trainer": trainer})
    return folder


def hapt(folder: Path) -> Path:
    raw = folder / "RawData"
    raw.mkdir(parents=True)
    for experiment, person in ((1, 1), (2, 1), (3, 2)):
        np.savetxt(raw / f"acc_exp{experiment:02d}_user{person:02d}.txt", ramp(600, 3))
        np.savetxt(raw / f"gyro_exp{experiment:02d}_user{person:02d}.txt", 10 + ramp(600, 3))
    labels = [(1, 1, 5, 1, 200), (1, 1, 1, 201, 600), (2, 1, 4, 101, 400), (3, 2, 7, 11, 90)]
    np.savetxt(raw / "labels.txt", labels, fmt="%d")
    return folder


def dsads(folder: Path) -> Path:
    for activity in (1, 9):
        for person in (1, 2):
            place = folder / "data" / f"a{activity:02d}" / f"p{person}"
            place.mkdir(parents=True)
            for segment in (1, 2, 3, 5):  # the fourth is missing
                np.savetxt(place / f"s{segment:02d}.txt", ramp(125, 45), delimiter=",")
    return folder


def zipped(folder: Path, archive: Path) -> Path:
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            out.write(path, path.relative_to(folder))
    return archive
