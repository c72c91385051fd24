"""A planted soft mount is found again, saved, and given to another simulation."""

import numpy as np
import pytest

import imusim as im
from benchmarks.fidelity.planted import made_trajectory
from imusim.identification.result import read_identified, with_errors
from imusim.rotation import from_rotvec, rotate_inverse
from imusim.sensor import Mount, RockingMount

SHIFT, TURN = np.array([0.1, 0.85, 0.2]), np.array([-26.0, 3.0, 2.0])  # in the frame's axes
BLOCKS = ("time", "rotation", "leverarm", "bias", "softtissue")


def knocked(seed=3, seconds=20.0):
    """A moving frame that is knocked every 0.7 s, so that the mount rings: (T, …) at 200 Hz."""
    calm = made_trajectory(seed, seconds, 200.0)
    k = calm.kinematics(calm.time_s)
    rng, t = np.random.default_rng(seed), calm.time_s
    p = np.array(k.position[:, 0])
    turn = np.zeros_like(p)
    for at in np.arange(0.5, seconds - 0.5, 0.7):
        pulse = np.exp(-0.5 * ((t - at) / 0.02) ** 2)[:, None]
        p += 3e-3 * rng.normal(size=3) * pulse
        turn += 0.02 * rng.normal(size=3) * pulse
    q = im.rotation.multiply(k.orientation[:, 0], from_rotvec(turn))
    return im.Trajectory(t, p, q)


@pytest.fixture(scope="module")
def found():
    trajectory, rotation = knocked(), from_rotvec([0.3, -0.2, 0.5])
    mine = trajectory.mounted((0.02, -0.01, 0.03), rotation)
    own = rotate_inverse(np.stack([rotation] * 2), np.stack([SHIFT, TURN]))
    mount = Mount("s0", 10.5, 0.08, tuple(own[0]), tuple(own[1]))
    true = np.arange(1.0, 18.5, 1 / 400)
    rec = im.simulate(
        mine, time_s=true, rate_hz=400.0, sensor=im.sensor.ideal.replace(RockingMount((mount,)))
    )
    rng = np.random.default_rng(5)
    real = im.Recording(
        rec.time_s[::4] - 0.05, rec.acc[::4] + 0.05 * rng.normal(size=rec.acc[::4].shape),
        rec.gyro[::4] + 0.01 * rng.normal(size=rec.acc[::4].shape), rec.sensors, unit="m/s2", gyro_unit="rad/s",
    )  # fmt: skip
    return trajectory, real, mount, im.identify(trajectory, real, BLOCKS)


def test_mode_rotation_and_place_are_found(found):
    _, real, _, result = found
    p = result.parameters[real.sensors[0]]
    m = p["mount"]
    assert m["frequency_hz"] == pytest.approx(10.5, rel=0.01)
    assert m["damping"] == pytest.approx(0.08, rel=0.1)
    np.testing.assert_allclose(m["shift"], SHIFT, atol=0.05)
    np.testing.assert_allclose(m["turn_per_m"], TURN, atol=1.5)
    assert p["time_offset_s"] == pytest.approx(0.05, abs=1e-3)
    np.testing.assert_allclose(p["lever_arm_m"], (0.02, -0.01, 0.03), atol=5e-3)
    assert m["frequency_hz_sd"] < 0.1


def test_without_it_the_residual_is_larger(found):
    trajectory, real, _, result = found
    rigid = im.identify(trajectory, real, BLOCKS[:-1])
    name = real.sensors[0]
    assert result.parameters[name]["residual_acc"] < 0.5 * rigid.parameters[name]["residual_acc"]
    assert "mount" not in rigid.parameters[name]


def test_a_rigid_sensor_stays_rigid(found):
    trajectory = found[0]
    true = np.arange(1.0, 18.5, 1 / 100)
    rec = im.simulate(trajectory, time_s=true, rate_hz=100.0)
    g = np.random.default_rng(6)
    real = im.Recording(
        true, rec.acc + 0.05 * g.normal(size=rec.acc.shape), rec.gyro + 0.01 * g.normal(size=rec.acc.shape), rec.sensors,
        unit="m/s2", gyro_unit="rad/s",
    )  # fmt: skip
    (p,) = im.identify(trajectory, real, BLOCKS).parameters.values()
    assert "mount" not in p
    assert "no soft mount" in p["unidentified"][0]


def test_it_goes_through_the_file_into_the_next_simulation(found, tmp_path):
    trajectory, real, mount, result = found
    _, devices, mounts = read_identified(result.save(tmp_path / "identified.yaml"))
    assert mounts[0].frequency_hz == pytest.approx(mount.frequency_hz, rel=0.01)
    sensor = with_errors(im.sensor.ideal, devices, mounts)
    assert [type(t).__name__ for t in sensor.terms] == ["RockingMount", "IdentifiedErrors"]
    at = real.time_s + result.parameters[real.sensors[0]]["time_offset_s"]
    again = im.simulate(result.mounted(trajectory), time_s=at, rate_hz=100.0, sensor=sensor)
    rigid = im.simulate(result.mounted(trajectory), time_s=at, rate_hz=100.0)

    def left(x):
        return np.sqrt(np.mean((x.acc - real.acc)[100:-100] ** 2))

    assert left(again) < 0.5 * left(rigid)
    assert "soft mount" in result.table()
