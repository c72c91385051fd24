"""Averages and increments: closed forms, coning, a strapdown that closes, and pieces that are the whole."""

import numpy as np
import pytest
from core_cases import Sinusoids

import imusim as im
from imusim import rotation as r
from imusim.conventions import GRAVITY_W
from imusim.magnetic import Dipole, MagneticField
from imusim.sensor import Bandwidth, Clock, Packets, Sensor, WhiteNoise


def spinning(rate_rad_s=3.0, radius=0.2, seconds=10.0, rate_hz=200.0):
    t = np.arange(int(seconds * rate_hz) + 1) / rate_hz
    a = rate_rad_s * t
    p = radius * np.stack([np.cos(a), np.sin(a), 0 * a], axis=1)
    q = np.stack([np.cos(a / 2), 0 * a, 0 * a, np.sin(a / 2)], axis=1)
    return im.Trajectory(t, p, q)


def test_on_a_turntable_all_three_agree():
    for sampling in ("instant", "average"):
        rec = im.simulate(spinning(), rate_hz=50, sampling=sampling)
        assert rec.acc[5:-5, 0] == pytest.approx(
            np.broadcast_to([-9 * 0.2, 0, 9.80665], rec.acc[5:-5, 0].shape), abs=1e-4
        )
        assert rec.gyro[5:-5, 0, 2] == pytest.approx(3.0, abs=1e-6)
    rec = im.simulate(spinning(), rate_hz=50, sampling="increments")
    assert rec.gyro[5:-5, 0, 2] == pytest.approx(3.0, abs=1e-6)
    # Δv in the axes at the start of the interval: the mean of a vector that turns on by 0 … ω Δt
    turn = 3.0 / 50
    mean = np.array([-1.8 * np.sin(turn) / turn, -1.8 * (1 - np.cos(turn)) / turn, 9.80665])
    assert rec.acc[5:-5, 0] == pytest.approx(np.broadcast_to(mean, rec.acc[5:-5, 0].shape), abs=1e-4)
    assert rec.time_s[0] == pytest.approx(0.02)


def test_coning_is_in_the_angle_increments_and_not_in_the_averages():
    # a body axis that goes round a cone: ∫ω dt over a turn misses the solid angle, the rotation vector does not
    rate, beta, f = 2000.0, 0.05, 4.0
    t = np.arange(int(2 * rate) + 1) / rate
    w = 2 * np.pi * f
    rotvec = beta * np.stack([np.cos(w * t), np.sin(w * t), 0 * t], axis=1)
    traj = im.Trajectory(t, np.zeros((t.size, 3)), r.from_rotvec(rotvec))
    steps = im.simulate(traj, rate_hz=50, sampling="increments")
    q = traj.kinematics([0.0]).orientation[0, 0]
    for rate_k in steps.gyro[:, 0]:
        q = r.multiply(q, r.from_rotvec(rate_k / 50))
    end = traj.kinematics([steps.time_s[-1]]).orientation[0, 0]
    assert np.rad2deg(r.angle(q, end)) < 1e-6
    flat = im.simulate(traj, rate_hz=50, sampling="average")
    q = traj.kinematics([0.0]).orientation[0, 0]
    for rate_k in flat.gyro[:, 0]:
        q = r.multiply(q, r.from_rotvec(rate_k / 50))
    assert np.rad2deg(r.angle(q, end)) > 0.05  # uncorrected coning drifts


def test_a_strapdown_of_the_increments_closes_to_a_millimetre_in_a_minute():
    case = Sinusoids(2, seed=3)
    t = np.arange(6001) / 100
    traj = im.Trajectory(t, *case.pose(t))
    rec = im.simulate(traj, rate_hz=100, sampling="increments")
    start = traj.kinematics([0.0])
    q, v, p = start.orientation[0], start.velocity[0], start.position[0]
    h = 0.01
    for angle, dv in zip(rec.gyro * h, rec.acc * h, strict=True):
        before = v
        v = v + r.rotate(q, dv) + np.asarray(GRAVITY_W) * h
        q = r.multiply(q, r.from_rotvec(angle))
        p = p + 0.5 * h * (before + v)
    end = traj.kinematics([rec.time_s[-1]])
    assert np.abs(v - end.velocity[0]).max() < 1e-9
    assert np.rad2deg(r.angle(q, end.orientation[0])).max() < 1e-6
    assert np.abs(p - end.position[0]).max() < 1e-3


def test_an_average_is_the_mean_of_many_instants():
    case, t = Sinusoids(2, seed=1), np.arange(601) / 60
    traj = im.Trajectory(t, *case.pose(t))
    mean = im.simulate(traj, rate_hz=20, sampling="average")
    fine = np.arange(0, 10, 1 / 2000) + 1 / 4000
    many = im.simulate(traj, time_s=fine)
    assert mean.acc == pytest.approx(many.acc.reshape(200, 100, 2, 3).mean(axis=1), abs=3e-3)
    assert mean.gyro == pytest.approx(many.gyro.reshape(200, 100, 2, 3).mean(axis=1), abs=1e-3)


@pytest.mark.parametrize("sampling", ["instant", "average", "increments"])
@pytest.mark.parametrize("clock", [Clock(), Clock(200.0, 0.01, 1e-3)])
def test_pieces_are_the_whole_to_the_bit(sampling, clock):
    case, t = Sinusoids(3, seed=1), np.arange(601) / 60
    traj = im.Trajectory(t, *case.pose(t))
    sensor = Sensor("x", (Bandwidth(20.0), WhiteNoise(0.1, 0.01), Packets(0.1, 2.0)), clock=clock)
    settings = {
        "sensor": sensor,
        "rate_hz": 50,
        "seed": 3,
        "sampling": sampling,
        "magnetic": MagneticField.at_latitude(50),
    }
    whole = im.simulate(traj, **settings)
    pieces = list(im.stream(traj, block_s=1.3, **settings))
    assert len(pieces) == 8
    for name in ("time_s", "acc", "gyro", "mag", "valid"):
        joined = np.concatenate([getattr(p, name) for p in pieces])
        if clock.perfect:
            assert joined.tobytes() == getattr(whole, name).tobytes()
        else:  # the fine grid around the true instants begins elsewhere: rounding
            np.testing.assert_allclose(joined, getattr(whole, name), rtol=0, atol=1e-9)


def test_a_clock_sees_the_motion_at_the_true_instants():
    case, t = Sinusoids(2, seed=2), np.arange(1201) / 60
    traj = im.Trajectory(t, *case.pose(t))
    rec = im.simulate(traj, rate_hz=50, sensor=Sensor("x", clock=Clock(500.0, 0.01, 2e-3)), seed=1)
    for s in range(2):
        at = np.clip(rec.true_time_s[:, s], t[0], t[-1])
        exact = im.simulate(traj, time_s=np.sort(at))
        order = np.argsort(at)
        assert rec.acc[order, s] == pytest.approx(exact.acc[:, s], abs=2e-3)  # rms 17 m/s²
        assert rec.gyro[order, s] == pytest.approx(exact.gyro[:, s], abs=2e-4)


def test_the_magnetometer_turns_in_earths_field_and_feels_a_magnet():
    field = MagneticField.from_wmm(20.0, 1.0, 45.0, north_deg=90.0)
    assert field.earth_ut == pytest.approx((1.0, 20.0, -45.0))
    rec = im.simulate(spinning(), rate_hz=50, magnetic=field)
    a = 3.0 * rec.time_s
    x, y = field.earth_ut[:2]
    assert rec.mag[:, 0, 0] == pytest.approx(np.cos(a) * x + np.sin(a) * y, abs=1e-4)
    assert rec.mag[:, 0, 1] == pytest.approx(-np.sin(a) * x + np.cos(a) * y, abs=1e-4)
    assert rec.mag[:, 0, 2] == pytest.approx(-45.0, abs=1e-4)
    pole, equator = MagneticField.at_latitude(90.0), MagneticField.at_latitude(0.0)
    assert pole.earth_ut[2] == pytest.approx(-2 * equator.earth_ut[0])
    # a dipole on its axis: µ₀/4π · 2 m/r³; beside it −m/r³
    magnet = MagneticField(dipoles=(Dipole((0.0, 0.0, 0.0), (0.0, 0.0, 1.0)),))
    assert magnet.at([0, 0, 0.5]) == pytest.approx([0, 0, 0.2 / 0.125])
    assert magnet.at([0.5, 0, 0]) == pytest.approx([0, 0, -0.1 / 0.125])
    with pytest.raises(im.errors.ConfigError, match="wanted"):
        MagneticField.at_latitude(91.0)


def test_what_memory_cannot_hold_is_told(monkeypatch):
    traj = spinning()
    monkeypatch.setattr("os.sysconf", lambda name: {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 10}[name])
    with pytest.raises(im.errors.ConfigError, match=r"Use imusim\.stream"):
        im.simulate(traj, rate_hz=100)
    assert sum(p.time_s.size for p in im.stream(traj, rate_hz=100)) == 1001


def test_a_rate_beyond_what_is_known_is_told():
    with pytest.warns(im.errors.QualityWarning, match="nothing above 100 Hz can be known"):
        im.simulate(spinning(), rate_hz=2000)


def test_a_stream_is_written_in_one_file(tmp_path):
    settings = {"sensor": "bmi270", "rate_hz": 100, "seed": 1}
    im.save_stream(tmp_path / "a.parquet", im.stream(spinning(), block_s=2.0, **settings))
    im.simulate(spinning(), **settings).save(tmp_path / "b.parquet")
    a, b = im.Recording.load(tmp_path / "a.parquet"), im.Recording.load(tmp_path / "b.parquet")
    assert a.acc.tobytes() == b.acc.tobytes()
    assert a.metadata == b.metadata
    with pytest.raises(im.errors.ConfigError, match="no piece"):
        im.save_stream(tmp_path / "c.parquet", [])
    with pytest.raises(im.errors.ConfigError, match="parquet"):
        im.save_stream(tmp_path / "c.csv", im.stream(spinning()))
    assert not (tmp_path / "c.parquet").exists()
