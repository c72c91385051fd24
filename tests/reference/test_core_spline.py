"""imusim.spline against scipy's splines and exact polynomials."""

import numpy as np
import pytest
from numpy.polynomial import polynomial as P
from scipy.interpolate import BPoly, make_interp_spline

from imusim.errors import ShapeError, TimeError
from imusim.spline import Spline, interpolate, piece_bounds, runs

RNG = np.random.default_rng(0)


def uneven(n, jitter=0.4):
    return (np.arange(n) + RNG.uniform(-jitter, jitter, n)) / 50.0


def test_evaluation_is_the_quintic_hermite_polynomial_of_its_nodes():
    t, nodes = uneven(12), RNG.standard_normal((12, 4, 3))
    q = RNG.uniform(t[0], t[-1], 200)  # not in order
    ours = Spline(t, nodes).evaluate(q)
    ref = BPoly.from_derivatives(t, nodes.transpose(0, 2, 1))
    for d in range(3):
        np.testing.assert_allclose(
            ours[:, :, d], ref.derivative(d)(q) if d else ref(q), rtol=1e-9, atol=1e-9 * 50**d
        )


def test_nodes_are_met_exactly_and_beyond_the_ends_acceleration_is_constant():
    t, nodes = uneven(9), RNG.standard_normal((9, 2, 3))
    s = Spline(t, nodes)
    np.testing.assert_allclose(s.evaluate(t), nodes, rtol=1e-12, atol=1e-12)
    x, v, a = (nodes[-1, :, d] for d in range(3))
    out = s.evaluate([t[-1] + 0.3])[0]
    np.testing.assert_allclose(out, np.stack([x + 0.3 * v + 0.045 * a, v + 0.3 * a, a], axis=1), rtol=1e-12)
    out = s.evaluate([t[0] - 0.3])[0]
    x, v, a = (nodes[0, :, d] for d in range(3))
    np.testing.assert_allclose(out, np.stack([x - 0.3 * v + 0.045 * a, v - 0.3 * a, a], axis=1), rtol=1e-12)


@pytest.mark.parametrize("n", range(1, 12))
def test_polynomials_come_back_whatever_the_number_of_samples(n):
    degree = min(n - 1, 5)
    t, c = uneven(n), RNG.standard_normal((degree + 1, 2))
    q = np.linspace(t[0], t[-1], 40)
    out = interpolate(t, P.polyval(t, c).T).evaluate(q)
    for d in range(3):
        ref = P.polyval(q, P.polyder(c, d)).T if d <= degree else np.zeros((40, 2))
        np.testing.assert_allclose(out[:, :, d], ref, atol=1e-11 * 400.0**d)


@pytest.mark.parametrize("jitter", [0.0, 0.4])
def test_interpolation_is_scipys_quintic_away_from_the_ends(jitter):
    t = uneven(300, jitter)
    y = np.stack([np.sin(9 * t), np.cos(14 * t + 1)], axis=1)
    ref = make_interp_spline(t, y, k=5)
    q = np.linspace(t[60], t[-60], 500)
    out = interpolate(t, y).evaluate(q)
    for d, tolerance in enumerate((1e-12, 1e-10, 1e-8)):
        np.testing.assert_allclose(out[:, :, d], ref(q, d), atol=tolerance)


def test_third_and_fourth_derivative_are_continuous():
    t = uneven(40)
    s = interpolate(t, RNG.standard_normal((40, 1)))
    ref = BPoly.from_derivatives(t, s.nodes.transpose(0, 2, 1))
    for d in (3, 4):
        left, right = ref.derivative(d)(t[1:-1] - 1e-9), ref.derivative(d)(t[1:-1] + 1e-9)
        assert np.abs(left - right).max() < 1e-5 * np.abs(left).max()


def test_all_channels_are_the_same_as_one_by_one():
    t, y = uneven(50), RNG.standard_normal((50, 7))
    together = interpolate(t, y).nodes
    for c in range(7):
        np.testing.assert_array_equal(together[:, c], interpolate(t, y[:, c : c + 1]).nodes[:, 0])


def test_widely_uneven_times_do_not_blow_up():
    t = np.cumsum(np.where(np.arange(200) % 7 == 3, 0.2, 0.01) * RNG.uniform(0.5, 2.0, 200))
    q = np.linspace(t[0], t[-1], 3000)
    out = interpolate(t, np.sin(2 * t)[:, None]).evaluate(q)
    assert np.abs(out[:, 0, 0] - np.sin(2 * q)).max() < 1e-3
    assert np.abs(out[:, 0, 2] + 4 * np.sin(2 * q)).max() < 0.2


def test_runs_split_at_gaps_and_cuts_even_when_the_cut_is_not_seen():
    t = np.arange(20) / 10.0
    valid = np.ones(20, bool)
    valid[[4, 5]] = False
    shot = np.zeros(20, int)
    shot[12:] = 1
    assert [p.tolist() for p in runs(t, valid, shot, 0.35)] == [
        [0, 1, 2, 3, 6, 7, 8, 9, 10, 11],
        list(range(12, 20)),
    ]
    assert [len(p) for p in runs(t, valid, shot, 0.25)] == [4, 6, 8]
    shot = np.zeros(20, int)
    shot[4:6] = 7  # changes and changes back while the person is not seen
    assert [len(p) for p in runs(t, valid, shot, 0.35)] == [4, 14]
    assert runs(t, np.zeros(20, bool), None, 1.0) == []


def test_piece_bounds_meet_half_way_at_a_cut_and_reach_half_a_frame_elsewhere():
    t = np.arange(20) / 10.0
    b = piece_bounds(t, [np.arange(0, 8), np.arange(8, 12), np.arange(16, 20)])
    np.testing.assert_allclose(b, [[-0.05, 0.75], [0.75, 1.15], [1.55, 1.95]])


def test_errors():
    with pytest.raises(TimeError, match="increase strictly"):
        interpolate([0.0, 0.0], np.zeros((2, 1)))
    with pytest.raises(ShapeError, match="not finite"):
        interpolate([0.0, 1.0], np.array([[0.0], [np.nan]]))
    with pytest.raises(ShapeError, match="wanted"):
        Spline(np.arange(3.0), np.zeros((3, 2, 2)))
