"""The paired recordings: optical poses of the IMUs themselves, and what those IMUs read, both as their files have them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.io import loadmat
from scipy.spatial.transform import Rotation

from imusim.conventions import STANDARD_GRAVITY
from imusim.recording import Recording


@dataclass(frozen=True)
class Pair:
    """Poses of S rigid frames (world z up, NaN where not seen) and their IMUs' recording.

    time_s (T,), position_m (T, S, 3), orientation_wxyz (T, S, 4).
    """

    name: str
    time_s: np.ndarray
    position_m: np.ndarray
    orientation_wxyz: np.ndarray
    real: Recording


def folder() -> Path:
    """Where the recordings are: MUJO_DATA."""
    return Path(os.environ.get("MUJO_DATA", "."))


def swing() -> Pair:
    """A leg that swings, 256 Hz; world z points down and is in mm, matrices are stored column by column."""
    at = folder() / "swing"
    lines = (at / "swing_6D.tsv").read_text().splitlines()
    head = next(i for i, line in enumerate(lines) if line.startswith("BODY_NAMES"))
    names = [n.strip() for n in lines[head].split("\t")[1:] if n.strip()]
    rows = [[float(x) for x in line.split("\t") if x.strip()] for line in lines[head + 2 :] if line.strip()]
    data = np.array(rows).reshape(len(rows), len(names), 16)
    seen = data[:, :, 6] >= 0
    up = np.diag([1.0, -1.0, -1.0])  # about x by half a turn: z up
    position = np.where(seen[..., None], data[:, :, :3] / 1000.0 @ up.T, np.nan)
    matrix = up @ data[:, :, 7:].reshape(len(rows), len(names), 3, 3).swapaxes(2, 3)
    quaternion = _wxyz(matrix, seen)
    table = np.genfromtxt(at / "swing_imu.csv", delimiter=",", names=True)
    parts = {"Upper Leg IMU": "upper_leg", "Foot IMU": "foot", "Lower Leg IMU": "lower_leg"}

    def signal(kind: str) -> np.ndarray:
        return np.stack(
            [np.stack([table[f"{parts[n]}_{kind}_{a}"] for a in "xyz"], 1) for n in names], axis=1
        )

    real = Recording(
        table["time_s"], signal("accelerometer") * STANDARD_GRAVITY, signal("gyroscope"),
        tuple(parts[n] for n in names), unit="m/s2", gyro_unit="rad/s",
    )  # fmt: skip
    return Pair("swing", np.arange(len(rows)) / 256.0, position, quaternion, real)


def chain(mount: str = "rigid") -> Pair:
    """Five segments moved by hand: poses at 30 Hz with gaps, IMUs at 40 Hz; the frame's origin is marker 1."""
    at = folder() / "chain"
    omc = np.genfromtxt(at / "omc.csv", delimiter=",", skip_header=2, names=True)
    imu = np.genfromtxt(at / f"imu_{mount}.csv", delimiter=",", skip_header=2, names=True)
    segments = [f"seg{i}" for i in range(1, 6)]
    markers = np.stack(
        [
            np.stack([np.stack([omc[f"{s}_marker{m}_{a}"] for a in "xyz"], 1) for m in range(1, 5)], axis=1)
            for s in segments
        ],
        axis=1,
    )  # (T, S, 4, 3)
    quaternion = np.stack([np.stack([omc[f"{s}_quat_{a}"] for a in "wxyz"], 1) for s in segments], axis=1)
    position = markers.mean(axis=2)
    signals = {
        k: np.stack([np.stack([imu[f"{s}_{k}_{a}"] for a in "xyz"], 1) for s in segments], axis=1)
        for k in ("acc", "gyr")
    }
    time = np.arange(imu.size) / 40.0
    real = Recording(time, signals["acc"], signals["gyr"], tuple(segments), unit="m/s2", gyro_unit="rad/s")
    return Pair(f"chain_{mount}", np.arange(omc.size) / 30.0, position, quaternion, real)


def broad() -> Pair:
    """BROAD trial 10: a sensor moved by hand, 286 Hz; rows where `movement` is set."""
    mat = loadmat(folder() / "broad" / "10_undisturbed_slow_translation_A.mat", squeeze_me=True)
    rate = float(mat["sampling_rate"])
    time = np.arange(mat["imu_acc"].shape[0]) / rate
    moves = np.flatnonzero(np.asarray(mat["movement"], dtype=bool))
    part = slice(int(moves[0]), int(moves[-1]) + 1)
    real = Recording(
        time[part],
        mat["imu_acc"][part, None],
        mat["imu_gyr"][part, None],
        ("sensor",),
        unit="m/s2",
        gyro_unit="rad/s",
    )
    return Pair("broad", time[part], mat["opt_pos"][part, None], mat["opt_quat"][part, None], real)


def _wxyz(matrix: np.ndarray, seen: np.ndarray) -> np.ndarray:
    out = np.full((*seen.shape, 4), np.nan)
    out[seen] = Rotation.from_matrix(matrix[seen]).as_quat()[:, [3, 0, 1, 2]]
    return out
