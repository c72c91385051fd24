"""An attitude filter of another package, run on our ideal signals, finds our inclination (Laidig and Seel 2023)."""

import sys
from pathlib import Path

import numpy as np
import pytest
from vqf import VQF

import imusim as im
from imusim import rotation as r

sys.path.insert(0, str(Path(__file__).parents[1] / "physics"))

from core_cases import Sinusoids


@pytest.mark.parametrize(("position_m", "rotation_rad", "limit_deg"), [(0.115, 0.65, 1.5), (0.01, 0.2, 0.5)])
def test_inclination(position_m, rotation_rad, limit_deg):
    """The case of the benchmarks (rms |f| 17 m/s²), and a gentle one; heading is free."""
    case = Sinusoids(4, seed=0, position_m=position_m, rotation_rad=rotation_rad)
    t = np.arange(6001) / 100
    traj = im.Trajectory(t, *case.pose(t))
    rec = im.simulate(traj, rate_hz=100)
    truth = traj.kinematics(rec.time_s).orientation
    for s in range(4):
        found = VQF(0.01).updateBatch(rec.gyro[:, s].copy(), rec.acc[:, s].copy())["quat6D"]
        up = np.array([0.0, 0.0, 1.0])
        ours, theirs = r.rotate_inverse(truth[:, s], up), r.rotate_inverse(found, up)
        angle = np.rad2deg(np.arccos(np.clip(np.sum(ours * theirs, axis=1), -1, 1)))[1500:]
        assert np.sqrt(np.mean(angle**2)) < limit_deg
