"""`im.identify` on a body and `imusim simulate --like`: what was worn and what the device did come back."""

import subprocess
import sys

import numpy as np
import pytest

import imusim as im
from imusim.errors import ConfigError, UnknownNameError
from imusim.identification.result import read_identified
from imusim.placement.fitted import FittedPlacement
from imusim.rotation import conjugate, from_rotvec, multiply, to_rotvec

RATE = 64.0
PLACES = ("left_wrist", "right_thigh")
SHIFT = {"left_wrist": (0.01, -0.02, 0.015), "right_thigh": (-0.03, 0.02, 0.0)}
TURN = {"left_wrist": (0.2, -0.1, 0.3), "right_thigh": (0.0, 0.4, -0.1)}
ACC_BIAS, GYRO_BIAS = 0.15, 0.02


def moving_body(seconds=12.0, rate=60.0):
    """The open body waves arms and legs, every joint at its own pace."""
    body = im.open_body()
    t = np.arange(int(seconds * rate)) / rate
    g = np.random.default_rng(2)
    n = len(body.joint_names)
    phase, hz = g.uniform(0, 6, (2, n, 3)), g.uniform(0.3, 1.3, (2, n, 3))
    vectors = (0.25 * np.sin(2 * np.pi * hz * t[:, None, None, None] + phase)).sum(axis=1)
    root = 0.1 * np.sin(2 * np.pi * np.array([0.4, 0.5, 0.7]) * t[:, None])
    return im.Motion(t, root, from_rotvec(vectors), body)


@pytest.fixture(scope="module")
def worn():
    """Motion, and what two sensors that were shifted, turned and biased read of it, by a clock 0.2 s off."""
    motion = moving_body()
    placements = [
        FittedPlacement(
            **_of(im.placements()[name]),
            shift_m=SHIFT[name],
            turn_wxyz=tuple(from_rotvec(TURN[name])),
        )
        for name in PLACES
    ]
    at = np.arange(1.0, 11.0, 1 / RATE)
    rec = im.simulate(motion, placements, time_s=at, rate_hz=RATE, smoothing="none")
    g = np.random.default_rng(0)
    real = im.Recording(
        rec.time_s - 0.2, rec.acc + ACC_BIAS + 0.05 * g.normal(size=rec.acc.shape),
        rec.gyro + GYRO_BIAS + 0.01 * g.normal(size=rec.acc.shape), PLACES, unit="m/s2", gyro_unit="rad/s",
    )  # fmt: skip
    return motion, real


def _of(place):
    from dataclasses import fields

    return {f.name: getattr(place, f.name) for f in fields(im.Placement)}


@pytest.fixture(scope="module")
def found(worn):
    motion, real = worn
    return im.identify(motion, real, ("time", "rotation", "leverarm", "bias"), smoothing="none")


def test_placements_and_errors_on_a_body(found):
    for name, p in found.parameters.items():
        assert p["time_offset_s"] == pytest.approx(0.2, abs=1e-3)
        np.testing.assert_allclose(p["lever_arm_m"], SHIFT[name], atol=5e-3)
        wrong = to_rotvec(multiply(conjugate(from_rotvec(TURN[name])), p["rotation_wxyz"]))
        assert np.linalg.norm(wrong) < np.radians(0.3)
        np.testing.assert_allclose(p["gyro_bias"], GYRO_BIAS, atol=5e-3)
    assert {type(p) for p in found.placements()} == {FittedPlacement}


def test_wrong_names_are_said(worn):
    motion, real = worn
    with pytest.raises(UnknownNameError, match="left_wrist"):
        im.identify(motion, real, placements={"left_wirst": "left_wrist"})
    with pytest.raises(UnknownNameError):
        im.identify(motion, real, "time,tissue")
    watch = im.Recording(real.time_s, real.acc[:, :1], real.gyro[:, :1], ("watch",))
    with pytest.raises(UnknownNameError, match="--match sensor=place"):
        im.identify(motion, watch)


def test_saved_and_read_again(found, tmp_path):
    places, devices, mounts = read_identified(found.save(tmp_path / "identified.yaml"))
    for a, b in zip(places, found.placements(), strict=True):
        np.testing.assert_allclose(a.shift_m, b.shift_m)
        np.testing.assert_allclose(a.turn_wxyz, b.turn_wxyz)
    assert [d.sensor for d in devices] == list(PLACES)
    assert mounts == []
    (tmp_path / "other.yaml").write_text("format: something\n")
    with pytest.raises(ConfigError, match="imusim identify"):
        read_identified(tmp_path / "other.yaml")
    damaged = (tmp_path / "identified.yaml").read_text().replace("acc_bias:", "acc_bais:")
    (tmp_path / "damaged.yaml").write_text(damaged)
    with pytest.raises(ConfigError, match="damaged"):
        read_identified(tmp_path / "damaged.yaml")


def test_commands_identify_and_simulate_like(worn, tmp_path):
    """The recording made with --like is the real one again, but for its noise."""
    motion, real = worn
    im.save_motion(tmp_path / "motion.npz", motion)
    real.save(tmp_path / "real.csv")

    def run(*words):
        done = subprocess.run(
            [sys.executable, "-m", "imusim.cli", *words],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    said = run("identify", "motion.npz", "real.csv", "--smoothing", "none", "--motion-rate-hz", "60")
    assert "left_wrist: residual" in said
    assert "± half of the 95 % interval" in said
    run("simulate", "motion.npz", "--like", "identified.yaml", "--rate-hz", "64", "--smoothing", "none",
        "--out", "again", "--no-report")  # fmt: skip
    again = im.Recording.load(tmp_path / "again" / "imu.parquet")
    assert again.sensors == PLACES
    at = real.time_s + 0.2
    for s in range(2):
        for k in range(3):
            there = np.interp(at, again.time_s, again.acc[:, s, k])
            assert np.sqrt(np.mean((there - real.acc[:, s, k])[64:-64] ** 2)) < 0.3
