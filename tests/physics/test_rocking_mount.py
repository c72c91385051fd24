"""A soft mount's mode against an ODE solver, its limits, and its blocks."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from imusim.errors import ConfigError
from imusim.sensor import Context, Mount, RockingMount, Signals
from imusim.sensor.rocking import GYRATION_M, Ringing

RATE = 1000.0
MOUNT = Mount("s0", 11.0, 0.08, (0.2, 0.9, 0.1), (-28.0, 3.0, 1.0))


def motion(rate=RATE, seconds=4.0):
    t = np.arange(int(seconds * rate)) / rate
    g = np.random.default_rng(1)
    hz, phase, size = g.uniform(0.5, 13, (6, 1)), g.uniform(0, 6, (6, 1)), g.normal(size=(6, 3))
    wave = np.sin(2 * np.pi * hz * t + phase)
    slope = 2 * np.pi * hz * np.cos(2 * np.pi * hz * t + phase)
    force = 3 * wave.T @ size + [0.0, 0.0, 9.81]
    return t, force, 0.3 * wave.T @ size[::-1], 0.3 * slope.T @ size[::-1]


def test_the_mode_is_that_of_an_ode_solver():
    t, force, rate, turn = motion()
    w, z = 2 * np.pi * MOUNT.frequency_hz, MOUNT.damping
    drive = -(force @ MOUNT.shift + GYRATION_M**2 * (turn @ MOUNT.turn_per_m))

    def slope(at, x):
        return [x[1], np.interp(at, t, drive) - 2 * z * w * x[1] - w * w * x[0]]

    exact = solve_ivp(
        slope, (0, t[-1]), [drive[0] / w**2, 0.0], t_eval=t, max_step=1e-3, rtol=1e-8, atol=1e-12
    ).y
    found = Ringing(MOUNT, RATE).coordinate(force, turn)
    np.testing.assert_allclose(found[:, 0], exact[0], atol=1e-6)
    np.testing.assert_allclose(found[:, 1], exact[1], atol=1e-4)
    acc, gyro = Ringing(MOUNT, RATE).applied(found, force, rate)
    again = drive - 2 * z * w * exact[1] - w * w * exact[0]
    psi = exact[0][:, None] * MOUNT.turn_per_m
    np.testing.assert_allclose(acc, force + again[:, None] * MOUNT.shift - np.cross(psi, force), atol=0.02)
    np.testing.assert_allclose(
        gyro, rate + exact[1][:, None] * MOUNT.turn_per_m - np.cross(psi, rate), atol=5e-3
    )


def test_at_rest_it_sags_and_keeps_gravity():
    still = np.tile([0.0, 9.81, 0.0], (300, 1))
    x = Signals(np.arange(300) / 100, still[:, None], np.zeros((300, 1, 3)))
    out = RockingMount((MOUNT,))(x, Context(100.0, 0, ("s0",)))
    assert np.abs(out.gyro).max() < 1e-9
    assert np.linalg.norm(out.acc[:, 0], axis=1) == pytest.approx(9.81, rel=3e-3)  # a small turn, first order
    sag = 9.81 * 0.9 / (2 * np.pi * 11) ** 2 * 28
    assert np.arctan2(out.acc[-1, 0, 2], out.acc[-1, 0, 1]) == pytest.approx(-sag, rel=0.15)


def test_the_link_agrees_with_the_fine_mode_and_does_not_care_for_blocks():
    """100 Hz with differences of the gyroscope against 1000 Hz with exact angular acceleration."""
    t, force, rate, turn = motion()
    fine = Ringing(MOUNT, RATE)
    acc, _ = fine.applied(fine.coordinate(force, turn), force, rate)
    own, context = slice(None, None, 10), Context(100.0, 0, ("s0", "rigid"))
    x = Signals(t[own], np.stack([force[own]] * 2, axis=1), np.stack([rate[own]] * 2, axis=1))
    whole = RockingMount((MOUNT,))(x, context)
    np.testing.assert_array_equal(whole.acc[:, 1], x.acc[:, 1])
    change = np.sqrt(np.mean((acc[own] - force[own]) ** 2))
    assert np.sqrt(np.mean((whole.acc[:, 0] - acc[own]) ** 2)) < 0.2 * change
    step = RockingMount((MOUNT,)).start(context)
    parts = [step(x.part(a, b)) for a, b in ((0, 57), (57, 58), (58, t[own].size))]
    np.testing.assert_allclose(np.concatenate([p.acc for p in parts]), whole.acc, atol=1e-12)
    holes = np.array(x.acc)
    holes[100:120, 0] = np.nan
    gap = RockingMount((MOUNT,))(x.with_(acc=holes), context)
    assert np.isnan(gap.acc[100:120, 0]).all()
    assert np.isfinite(gap.acc[120:, 0]).all()


def test_bad_numbers():
    for wrong in (
        {"frequency_hz": 0.0},
        {"damping": -1.0},
        {"shift": (1.0, 2.0)},
        {"turn_per_m": (1.0, 2.0, np.nan)},
    ):
        with pytest.raises(ConfigError, match="wanted"):
            Mount("s0", **wrong)
