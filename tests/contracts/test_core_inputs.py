"""What users get wrong, one by one: units, seeds, uneven instants, poses that are not there."""

import numpy as np
import pytest

import imusim as im
from imusim.errors import ConfigError, QualityWarning, TimeError
from imusim.sensor import Bandwidth, Sensor, WhiteNoise

T = np.arange(200) / 50
P = np.cumsum(0.01 * np.random.default_rng(0).standard_normal((200, 2, 3)), axis=0)
Q = np.tile([1.0, 0.0, 0.0, 0.0], (200, 2, 1))


@pytest.mark.parametrize("seed", [-1, 1.5, None, "a"])
def test_a_seed_is_a_whole_number(seed):
    with pytest.raises(ConfigError, match=r"seed=.*wanted a whole number"):
        im.simulate(im.Trajectory(T, P, Q), rate_hz=50, seed=seed)
    with pytest.raises(ConfigError, match=r"rng=.*wanted a numpy"):
        im.placements()["left_wrist"].vary(seed)


def test_a_seed_will_do_where_a_generator_is_wanted():
    place = im.placements()["left_wrist"]
    assert place.vary(3) == place.vary(np.random.default_rng(3))


def test_millimetres_are_noticed():
    with pytest.warns(QualityWarning, match="divide millimetres by 1000"):
        im.Trajectory(T, 1000 * P, Q)


@pytest.mark.parametrize("hole", [np.nan, np.inf])
def test_a_hole_is_a_gap_and_nothing_but_holes_an_error(hole):
    p = P.copy()
    p[50:52, 0] = hole
    p[100:160, 1] = hole
    rec = im.simulate(im.Trajectory(T, p, Q), rate_hz=50)
    assert rec.valid[:, 0].all()
    assert (~rec.valid[101:159, 1]).all()
    assert rec.valid[:98, 1].all()
    with pytest.raises(TimeError, match="none of the 200 samples has a finite pose"):
        im.Trajectory(T, np.full_like(P, hole), Q)


def test_the_rate_of_given_instants_is_theirs():
    traj, noise = im.Trajectory(T, P, Q), Sensor("x", (WhiteNoise(angle_random_walk=0.1),))
    at = np.arange(1, 75) / 20
    rec = im.simulate(traj, sensor=noise, time_s=at)
    assert rec.metadata["rate_hz"] == pytest.approx(20.0)
    asked = im.simulate(traj, sensor=noise, time_s=at, rate_hz=20.0)
    assert rec.gyro == pytest.approx(asked.gyro, rel=1e-12)


def test_uneven_instants_are_told_if_a_sensor_has_errors():
    traj = im.Trajectory(T, P, Q)
    uneven = np.sort(np.random.default_rng(1).uniform(0, 3.9, 60))
    ideal = im.simulate(traj, time_s=uneven)
    assert ideal.acc[:, 0] == pytest.approx(
        np.stack([im.simulate(traj, time_s=[t]).acc[0, 0] for t in uneven]), abs=1e-12
    )
    with pytest.warns(QualityWarning, match="not evenly spaced"):
        im.simulate(traj, time_s=uneven, sensor=Sensor("x", (Bandwidth(10.0),)))


def test_a_thousand_sensors_are_done_in_pieces():
    """10⁶ samples × 10³ sensors are 10⁹: told by `simulate`, and `stream` holds a piece."""
    import tracemalloc

    t = np.arange(4001) * 2.5
    p = 0.1 * np.sin(0.1 * t)[:, None, None] * np.ones((1, 1000, 3))
    q = np.tile([1.0, 0.0, 0.0, 0.0], (t.size, 1000, 1))
    tracemalloc.start()
    try:
        traj = im.Trajectory(t, p, q, max_gap_s=10.0)
        with (
            pytest.raises(ConfigError, match=r"need \d+ GB.*Use imusim.stream"),
            pytest.warns(QualityWarning),
        ):
            im.simulate(traj, rate_hz=100, sensor="bmi270")
        pieces = im.stream(traj, rate_hz=100, sensor="bmi270")
        with pytest.warns(QualityWarning, match=r"nothing above 0\.2 Hz"):
            first = [next(pieces)]
        shapes = [piece.acc.shape for piece in (*first, *(next(pieces) for _ in range(4)))]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert all(shape[1:] == (1000, 3) and shape[0] * shape[1] <= 2**18 for shape in shapes)
    assert peak < 4 * (p.nbytes + q.nbytes)  # of the result: 48 GB
