"""Foot strikes: the automatic smoothing against every fixed cut-off, and with the instants known."""

import numpy as np
import pytest
from core_cases import Strikes, rms
from scipy.signal import butter, sosfiltfilt

import imusim as im
from imusim.errors import ConfigError, TimeError
from imusim.impacts import response


def error(traj, case, frames=slice(None)):
    out = np.arange(100 * case.seconds + 1) / 100
    return rms((traj.kinematics(out).acceleration - case.acceleration(out))[100:-100, frames])


def test_the_basis_is_a_pulse_its_integral_and_its_double_integral():
    t = np.linspace(-1, 1, 200_001)
    p, v, a = response(t, [0.1], 0.02)[:, :, 0]
    assert np.gradient(p, t) == pytest.approx(v, abs=1e-5)
    smooth = (np.abs(t - 0.1) > 1e-4) & (np.abs(t - 0.12) > 1e-4)
    assert np.gradient(v, t)[smooth] == pytest.approx(a[smooth], abs=0.05)
    assert np.trapezoid(a[(t > 0.09) & (t < 0.13)], t[(t > 0.09) & (t < 0.13)]) == pytest.approx(
        0.9, abs=0.005
    )
    assert (p[[0, -1]] == 0).all()


@pytest.mark.parametrize(("fps", "noise_m"), [(30, 0.005), (60, 0.002), (100, 0.001)])
def test_automatic_smoothing_beats_every_fixed_cutoff_on_strikes(fps, noise_m):
    auto, fixed = [], {c: [] for c in (2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0, 12.0)}
    for seed in range(3):
        case = Strikes(seed=seed)
        t = np.arange(fps * case.seconds + 1) / fps
        p, q = case.noisy_pose(t, seed, noise_m)
        auto.append(error(im.Trajectory(t, p, q, smoothing="auto"), case))
        for cut, errors in fixed.items():
            low = butter(4, cut, fs=fps, output="sos")
            errors.append(error(im.Trajectory(t, sosfiltfilt(low, p, axis=0), q), case))
    assert np.mean(auto) < 0.95 * min(np.mean(e) for e in fixed.values())


@pytest.mark.parametrize(("fps", "noise_m", "share"), [(30, 0.005, 0.4), (100, 0.001, 0.25)])
def test_known_instants_keep_the_strikes(fps, noise_m, share):
    case = Strikes(frames=2, seed=1)
    t = np.arange(fps * case.seconds + 1) / fps
    p, q = case.noisy_pose(t, 1, noise_m)
    plain = error(im.Trajectory(t, p, q, smoothing="auto"), case, slice(0, 1))
    kept = im.Trajectory(t, p, q, smoothing="auto", impacts_s=case.times_s, impact_duration_s=case.WIDTH_S)
    assert error(kept, case, slice(0, 1)) < share * plain
    # on a frame without strikes 39 unknowns an axis are estimated in vain: that costs little
    assert error(kept, case, slice(1, 2)) < 0.2 * plain


def test_what_makes_no_sense_is_refused():
    t = np.arange(100) / 30
    p, q = np.zeros((100, 3)), np.tile([1.0, 0, 0, 0], (100, 1))
    with pytest.raises(ConfigError, match='for smoothing="auto"'):
        im.Trajectory(t, p, q, impacts_s=[1.0])
    with pytest.raises(ConfigError, match="positive time"):
        im.Trajectory(t, p, q, smoothing="auto", impacts_s=[1.0], impact_duration_s=0.0)
    with pytest.raises(TimeError, match="closer"):
        im.Trajectory(t, p, q, smoothing="auto", impacts_s=[1.0, 1.001])
    with pytest.raises(TimeError, match="not finite"):
        im.Trajectory(t, p, q, smoothing="auto", impacts_s=[np.nan])
    with pytest.raises(TimeError, match="wanted at least"):
        im.Trajectory(t, p, q, smoothing="auto", impacts_s=np.arange(0.1, 3.2, 0.1))
    gap = p.copy()
    gap[5] = np.nan
    with pytest.raises(ConfigError, match="without gaps"):
        im.Trajectory(t, gap, q, smoothing="auto", impacts_s=[1.0])
