"""Against real IMUs whose own poses were filmed: fitted on one half, scored on the other."""

import os
from pathlib import Path

import numpy as np
import pytest

import imusim as im
from benchmarks.fidelity import mapped
from benchmarks.fidelity.ablation import RIGID
from benchmarks.fidelity.methods import differences, ours
from benchmarks.fidelity.optical import on_common, score
from benchmarks.fidelity.recordings import chain, swing
from imusim.identification.model import predict
from imusim.identification.solve import solve
from imusim.identification.sources import KinematicSource

pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(
        not (Path(os.environ.get("MUJO_DATA", "")) / "swing").is_dir(), reason="MUJO_DATA is not set"
    ),
]


def test_a_swinging_leg():
    pair = swing()
    found = score(ours(pair), pair)
    assert found["acc_r"] >= 0.98
    assert found["acc_rmse"] <= 0.5
    assert found["gyro_r"] >= 0.96


@pytest.mark.parametrize("mount", ["rigid", "nonrigid"])
def test_a_chain_is_ahead_of_differences(mount):
    pair = chain(mount)
    we, they = (score(on_common(make(pair), pair)[0], pair) for make in (ours, differences))
    for signal in ("acc", "gyro"):
        assert we[f"{signal}_r"] > they[f"{signal}_r"]
        assert we[f"{signal}_rmse"] < they[f"{signal}_rmse"]


def test_maps_bring_people_nearer_who_were_not_seen():
    """Kinect and the thigh: distributions and spectra of both signals, learned on four people, of the other four."""
    found = mapped.measure(mapped.sets("right_thigh", every=5))
    for kinds in ("spectral", "quantile,spectral"):
        assert found[kinds]["acc_db"] < 0.5 * found["none"]["acc_db"]
        assert found[kinds]["gyro_db"] < 0.5 * found["none"]["gyro_db"]
        assert found[kinds]["auc"] < found["none"]["auc"]
    assert found["quantile,spectral"]["acc_w"] < 0.5 * found["none"]["acc_w"]
    assert found["quantile,spectral"]["gyro_w"] < 0.5 * found["none"]["gyro_w"]


def test_foam_with_its_soft_mount():
    """Two of the five sensors: at least 15 % less rmse than without."""
    pair = chain("nonrigid")
    half = pair.real.time_s.size // 2
    for s in (2, 4):
        frame = im.Trajectory(
            pair.time_s, pair.position_m[:, s], pair.orientation_wxyz[:, s], smoothing="auto"
        )
        source = KinematicSource(frame.kinematics, 0, (pair.time_s[0], pair.time_s[-1]))
        y = np.hstack([pair.real.acc[:, s], pair.real.gyro[:, s]])
        left = []
        for blocks in (RIGID, (*RIGID, "softtissue")):
            fit = solve(source, pair.real.time_s[:half], y[:half], blocks, max_offset_s=1.0)
            rest = y[half:] - predict(source, pair.real.time_s[half:], fit.parameters)
            left.append([np.sqrt(np.nanmean(rest[:, part] ** 2)) for part in (slice(0, 3), slice(3, 6))])
        assert (np.array(left[1]) < 0.85 * np.array(left[0])).all()
