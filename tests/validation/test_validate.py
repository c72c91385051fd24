"""A simulated recording against what a made device read: what was planted is found, what is wrong is said."""

import json

import numpy as np
import pytest

import imusim as im
from benchmarks.fidelity.planted import made_trajectory, read_by
from imusim.errors import ConfigError, ImusimError, TimeError, UnitError, UnknownNameError
from imusim.rotation import angle, from_rotvec, rotate

TURN = from_rotvec([0.4, -0.3, 1.6])


@pytest.fixture(scope="module")
def pair():
    trajectory = made_trajectory(3, 30.0)
    simulated = im.simulate(trajectory, rate_hz=100)
    simulated = im.Recording(simulated.time_s, simulated.acc, simulated.gyro, ("left_wrist",))
    real = read_by(trajectory, 1, offset_s=-4.0137, rotation=TURN, acc_bias=0.2, gyro_bias=-0.05)
    return simulated, real


def test_planted_alignment_is_found(pair):
    report = im.validate(*pair, align=("time", "rotation", "bias"))
    a = report.alignment["left_wrist"]
    assert abs(a["time_offset_s"] + 4.0137) < 1e-4
    assert angle(a["rotation_wxyz"], TURN) < np.radians(0.1)
    np.testing.assert_allclose(a["acc_bias"], 0.2, atol=0.02)
    np.testing.assert_allclose(a["gyro_bias"], -0.05, atol=0.004)
    for name, truth in (("acc_bias", 0.2), ("gyro_bias", -0.05)):
        assert (np.abs(a[name] - truth) < 4.5 * a[f"{name}_sd"]).all()
    table = report.to_dataframe()
    assert list(zip(table.sensor, table.signal, table.axis, strict=True)) == [
        ("left_wrist", s, x) for s in ("acc", "gyro") for x in ("x", "y", "z", "norm")
    ]
    assert (table.r > 0.999).all()
    assert np.median(table.r_before[table.axis != "norm"]) < 0.8
    # the residual is the planted noise, 0.05 m/s² and 0.01 rad/s
    by = table[table.axis != "norm"].groupby("signal").rmse.mean()
    assert by["acc"] == pytest.approx(0.05, rel=0.1)
    assert by["gyro"] == pytest.approx(0.01, rel=0.1)


def test_rotation_takes_real_vectors_to_simulated_axes(pair):
    simulated, real = pair
    a = im.validate(simulated, real).alignment["left_wrist"]
    t = real.time_s + a["time_offset_s"]
    expected = np.stack([np.interp(t, simulated.time_s, c) for c in simulated.acc[:, 0].T], axis=1)
    turned = rotate(a["rotation_wxyz"], real.acc[:, 0] - a["acc_bias"])
    assert np.median(np.linalg.norm(turned - expected, axis=1)) < 0.15


def test_lever_arm_skew_and_scale():
    trajectory = made_trajectory(5, 40.0)
    simulated = im.simulate(trajectory, rate_hz=120)
    lever = np.array([0.04, -0.02, 0.06])
    real = read_by(trajectory, 2, offset_s=1.5, skew=4e-4, rotation=TURN, lever=lever, acc_scale=1.03)
    report = im.validate(
        simulated, real, "time,skew,rotation,leverarm,bias,scale", match={"left_wrist": "s0"}, holdout=0.3
    )
    a = report.alignment["left_wrist"]
    assert abs(a["clock_skew"] - 4e-4) < 3e-5
    np.testing.assert_allclose(a["lever_arm_m"], lever, atol=0.002)
    np.testing.assert_allclose(a["acc_scale"], 1.03, atol=0.003)


def test_nothing_aligned_and_all_scored(pair):
    simulated, _ = pair
    report = im.validate(simulated, simulated, align=())
    table = report.to_dataframe()
    assert (table.rmse < 1e-9).all()
    assert (table.n == simulated.time_s.size).all()


def test_report_files(pair, tmp_path):
    report = im.validate(*pair, align="time,rotation,leverarm,bias,scale")
    files = report.save(tmp_path / "out")
    assert sorted(f.name for f in files) == ["validation.json", "validation.md", "validation.png"]
    kept = json.loads((tmp_path / "out" / "validation.json").read_text())
    assert kept["alignment"]["left_wrist"]["time_offset_s"] == report.alignment["left_wrist"]["time_offset_s"]
    assert len(kept["metrics"]) == 8
    assert set(kept["metrics"][0]) - {"sensor", "signal", "axis"} <= set(kept["meaning"]) | {
        "r_before", "rmse_before", "nrmse_before", "r_fit", "rmse_fit",
    }  # fmt: skip
    assert "left_wrist matches closely" in (tmp_path / "out" / "validation.md").read_text()


def test_same_bits(pair):
    a, b = im.validate(*pair), im.validate(*pair)
    assert json.dumps(a.to_dict()) == json.dumps(b.to_dict())


def _changed(real, **arrays):
    kept = {"time_s": real.time_s, "acc": real.acc, "gyro": real.gyro, "sensors": real.sensors}
    return im.Recording(**(kept | arrays), unit="m/s2", gyro_unit="rad/s")


def test_no_overlap(pair):
    simulated, real = pair
    with pytest.raises(TimeError, match='Add "time" to align'):
        im.validate(simulated, _changed(real, time_s=real.time_s + 1000), align=("rotation",))


def test_clocks_that_have_nothing_in_common(pair):
    simulated, real = pair
    report = im.validate(simulated, _changed(real, time_s=real.time_s + 1000))
    assert (report.to_dataframe().r > 0.999).all()
    (text,) = [f.text for f in report.findings if f.kind == "clocks"]
    assert "t_sim = t_real -1004.014 s" in text


def test_constant_signal_is_left_out_and_said(pair):
    simulated, real = pair
    report = im.validate(simulated, _changed(real, gyro=np.full_like(real.gyro, 0.3)))
    assert any(f.kind == "constant" and "gyro never changes" in f.text for f in report.findings)
    assert not any("gyro_bias" in f.text for f in report.findings)
    table = report.to_dataframe()
    assert table[table.signal == "gyro"].r.isna().all()
    assert (table[table.signal == "acc"].r > 0.99).all()
    with pytest.raises(ConfigError, match="nothing can be compared"):
        im.validate(simulated, _changed(real, gyro=real.gyro * 0, acc=real.acc * 0 + 9.8))


def test_saturation_is_masked_and_counted(pair):
    simulated, real = pair
    limit = float(np.quantile(np.abs(real.acc), 0.97))
    clipped = (np.abs(real.acc) >= limit).any(axis=(1, 2))
    report = im.validate(simulated, _changed(real, acc=np.clip(real.acc, -limit, limit)))
    text = next(f.text for f in report.findings if f.kind == "saturated")
    count = int(text.split(" in ")[1].split()[0])
    assert 0.9 * clipped.sum() < count <= clipped.sum()
    assert abs(report.alignment["left_wrist"]["time_offset_s"] + 4.0137) < 2e-3
    assert (report.to_dataframe().r > 0.98).all()
    assert not [f for f in report.findings if f.kind == "gaps"]  # nothing was missing


def test_gaps_and_bursts(pair):
    simulated, real = pair
    keep = np.ones(real.time_s.size, bool)
    keep[300:340] = keep[700:705] = False
    gappy = _changed(real, time_s=real.time_s[keep], acc=real.acc[keep], gyro=real.gyro[keep])
    report = im.validate(simulated, gappy)
    assert any(f.kind == "gaps" for f in report.findings)
    assert (report.to_dataframe().r > 0.999).all()
    n = real.time_s.size // 8 * 8
    late = np.repeat(real.time_s[:n].reshape(-1, 8)[:, -1], 8) + np.tile(np.arange(8) * 1e-5, n // 8)
    report = im.validate(simulated, _changed(real, time_s=late, acc=real.acc[:n], gyro=real.gyro[:n]))
    assert any(f.kind == "bursts" for f in report.findings)
    assert (report.to_dataframe().r > 0.999).all()


def test_units(pair):
    simulated, real = pair
    with pytest.raises(
        UnitError, match=r"gyro of the real sensor 'left_wrist' looks like deg/s.*--gyro-unit deg/s"
    ):
        im.validate(simulated, _changed(real, gyro=np.degrees(real.gyro)))
    with pytest.raises(UnitError, match="acc of the real sensor 'left_wrist' looks like g"):
        im.validate(simulated, _changed(real, acc=real.acc / 9.80665))


def test_a_person_who_rests_is_not_in_another_unit(pair):
    simulated, real = pair
    g = np.random.default_rng(8)
    still = _changed(
        real,
        acc=[0.0, 0.0, 9.81] + 0.03 * g.normal(size=real.acc.shape),
        gyro=0.015 * g.normal(size=real.gyro.shape) * np.linalg.norm(real.gyro, axis=2).max() / 5.0,
    )
    report = im.validate(simulated, still)
    assert report.findings[0].kind == "low"
    assert report.verdict("left_wrist")[0] == "does not match"


def test_names(pair):
    simulated, real = pair
    with pytest.raises(UnknownNameError, match="rotation"):
        im.validate(simulated, real, align=("rotations",))
    with pytest.raises(UnknownNameError, match="left_wrist"):
        im.validate(simulated, real, match={"left_wist": "left_wrist"})
    with pytest.raises(ConfigError, match="holdout"):
        im.validate(simulated, real, holdout=1.0)


@pytest.fixture(scope="module")
def limbs():
    trajectory = made_trajectory(11, 30.0, frames=3)
    names = ("left_wrist", "right_wrist", "right_thigh")
    simulated = im.simulate(trajectory, rate_hz=60)
    simulated = im.Recording(simulated.time_s, simulated.acc, simulated.gyro, names)
    return simulated, read_by(trajectory, 4, offset_s=0.4, names=names)


def test_sides_swapped(limbs):
    simulated, real = limbs
    assert not [f for f in im.validate(simulated, real).findings if f.kind in ("swapped", "placement", "low")]
    swapped = _changed(real, sensors=("right_wrist", "left_wrist", "right_thigh"))
    found = [f for f in im.validate(simulated, swapped).findings if f.kind == "swapped"]
    assert len(found) == 1
    assert "left_wrist and right_wrist look exchanged" in found[0].text
    report = im.validate(simulated, swapped)
    words = {name: report.verdict(name)[0] for name in swapped.sensors}
    assert words["left_wrist"] == words["right_wrist"] == "does not match"
    assert words["right_thigh"] == "matches closely"


def test_wrong_sensor_gets_a_suggestion(limbs):
    simulated, real = limbs
    wrong = im.Recording(real.time_s, real.acc[:, 2:], real.gyro[:, 2:], ("left_wrist",))
    report = im.validate(simulated, wrong)
    found = [f for f in report.findings if f.kind == "placement"]
    assert len(found) == 1
    assert "best match: right_thigh" in found[0].text
    assert report.findings[0] is found[0]  # before what the alignment could not tell
    assert "does not match" in report.summary()


def test_every_error_is_ours(pair):
    simulated, real = pair
    short = im.Recording(real.time_s[:5], real.acc[:5], real.gyro[:5], real.sensors)
    with pytest.raises(ImusimError, match="5 samples"):
        im.validate(simulated, short)
