"""Banded kernels and the restricted likelihood of imusim.smoothing against dense linear algebra."""

import numpy as np
import pytest
from scipy.interpolate import BSpline

from imusim._kernels import pspline as k
from imusim.errors import ShapeError
from imusim.evidence import Evidence, Penalties, Settings, choose, choose_alike, log_volume
from imusim.impacts import _Struck
from imusim.smoothing import smooth

RNG = np.random.default_rng(0)
KNOTS = 31


def dense(band):
    n = band.shape[0]
    a = np.zeros((n, n))
    for i in range(n):
        for d in range(min(i, k.WIDTH) + 1):
            a[i, i - d] = a[i - d, i] = band[i, k.WIDTH - d]
    return a


def design(x, count):
    return BSpline.design_matrix(np.minimum(x, count - 5 - 1e-12), np.arange(count + 6) - 5.0, 5).toarray()


def difference(n, order):
    return np.diff(np.eye(n), order, axis=0)


def whitening(x, sd, phi, gap=2.5):
    """Inverse Cholesky factor of the AR(1) noise covariance, chains restarting at gaps; innovations of variance 1."""
    n = x.size
    chain = np.concatenate([[0], np.cumsum(np.diff(x) > gap)])
    cov = np.where(chain[:, None] == chain, phi ** np.abs(x[:, None] - x), 0.0) / (1.0 - phi**2)
    return np.linalg.inv(np.linalg.cholesky(cov * sd[:, None] * sd)), np.linalg.slogdet(cov)[1], n


@pytest.mark.parametrize("phi", [0.0, 0.7])
def test_normal_equations_are_generalised_least_squares(phi):
    x = np.sort(np.concatenate([RNG.uniform(0, 12, 14), RNG.uniform(17, 30, 16)]))
    y, sd = RNG.standard_normal((30, 3)), RNG.uniform(0.5, 2.0, 30)
    count = 35
    band, rhs = np.empty((count, 9)), np.empty((count, 3))
    total, log_v = k.gram(x, y, sd, phi, 2.5, band, rhs)
    w, logdet, _ = whitening(x, sd, phi)
    b = w @ design(x, count)
    np.testing.assert_allclose(dense(band), b.T @ b, atol=1e-10)
    np.testing.assert_allclose(rhs, b.T @ (w @ y), atol=1e-10)
    assert total == pytest.approx(np.sum((w @ y) ** 2), rel=1e-10)
    assert log_v == pytest.approx(logdet, abs=1e-9)


@pytest.mark.parametrize("phi", [0.0, 0.7])
def test_misfit_is_the_penalised_sum_of_squares(phi):
    x = np.sort(np.concatenate([RNG.uniform(0, 12, 14), RNG.uniform(17, 30, 16)]))
    y, sd, c = RNG.standard_normal((30, 3)), RNG.uniform(0.5, 2.0, 30), RNG.standard_normal((35, 3))
    w = whitening(x, sd, phi)[0]
    exact = np.sum((w @ (y - design(x, 35) @ c)) ** 2)
    exact += 0.7 * np.sum((difference(35, 6) @ c) ** 2) + 0.2 * np.sum((difference(35, 2) @ c) ** 2)
    assert k.misfit(x, y, sd, phi, 2.5, c, 6, 0.7, 2, 0.2) == pytest.approx(exact, rel=1e-12)


def test_a_small_residual_of_a_strong_penalty_does_not_cancel():
    """Σ y² − |L⁻¹ rhs|² of these is rounding; a dense QR of the stacked rows has the true one."""
    x = np.arange(300.0)
    y = 0.3 * np.sin(x[:, None] / np.array([40.0, 55.0])) + 1e-4 * RNG.standard_normal((300, 2))
    y -= y.mean(axis=0)
    s = Settings(8, 2, -0.8, 0.36, 0.0)
    found = Evidence(x, y, np.ones(300), Penalties(304), 0.0).factorise(s)[1]
    a, b = (np.exp(s.log_strength / 2) * s.corner ** (-m) for m in (s.order, s.low_order))
    rows = np.vstack([design(x, 304), a * difference(304, 8), b * difference(304, 2)])
    right = np.vstack([y, np.zeros((rows.shape[0] - 300, 2))])
    q = np.linalg.qr(rows)[0]
    assert found == pytest.approx(np.sum((right - q @ (q.T @ right)) ** 2), rel=1e-4)


@pytest.mark.parametrize("s", [Settings(8, 2, -0.8, 0.36, 0.0), Settings(4, 2, 3.0, 0.3, 0.0)])
def test_jumps_leave_the_residual_that_a_dense_solution_leaves(s):
    """The first settings' residual cancels as a difference of squares (below, a dense QR); the second's does not."""
    x = np.arange(300.0)
    phi = 5.0 * np.exp(-np.abs(x - 150.0) / 4.0)[:, None]
    y = 0.3 * np.sin(x[:, None] / np.array([40.0, 55.0])) + 1e-4 * RNG.standard_normal((300, 2))
    y = y - y.mean(axis=0) + (phi - phi.mean()) @ [[0.02, -0.03]]
    jump, rss, _, _ = _Struck(x, y, phi, 0.0).jumps(s)
    a, b = (np.exp(s.log_strength / 2) * s.corner ** (-m) for m in (s.order, s.low_order))
    rows = np.vstack([design(x, 305), a * difference(305, s.order), b * difference(305, s.low_order)])
    more = np.vstack([phi - phi.mean(), np.zeros((rows.shape[0] - 300, 1))])
    right = np.vstack([y, np.zeros((rows.shape[0] - 300, 2))])
    q, r = np.linalg.qr(np.hstack([rows, more]))
    assert rss == pytest.approx(np.sum((right - q @ (q.T @ right)) ** 2), rel=1e-3)
    assert jump[0] == pytest.approx((q.T @ right)[-1] / r[-1, -1], rel=1e-3, abs=1e-6)


def test_groups_share_their_settings_unless_the_data_speak():
    """Axes of one motion share; one that is struck every second does not, and then has what it chooses alone."""
    x, rng = np.arange(400.0), np.random.default_rng(1)
    level = 0.3 * np.sin(x[:, None] / np.array([9.0, 12.0])) + 0.005 * rng.standard_normal((400, 2))
    calm = 0.3 * np.sin(x[:, None] / 10.0) + 0.005 * rng.standard_normal((400, 1))
    struck = calm + 0.05 * np.abs(np.sin(np.pi * x[:, None] / 30.0)) ** 8

    def evidence(y):
        return [Evidence(x, y - y.mean(axis=0), np.ones(400), Penalties(404), 0.0)]

    first, second = choose_alike([evidence(level), evidence(calm)])
    assert first == second
    first, second = choose_alike([evidence(level), evidence(struck)])
    assert (first, second) == (choose(evidence(level)), choose(evidence(struck)))
    assert first != second
    groups = [0, 0, 1]
    result = smooth(x / 30.0, np.hstack([level, calm]), groups=groups, alike=[(0, 1)])
    assert result.settings[0]["corner_hz"] == result.settings[1]["corner_hz"]
    assert result.noise_sd == pytest.approx([0.005, 0.005], rel=0.15)


@pytest.mark.parametrize("order", [1, 2, 3, 4, 6, 8])
def test_penalty_and_its_volume(order):
    band = np.empty((40, 9))
    k.difference_penalty(order, band)
    d = difference(40, order)
    np.testing.assert_allclose(dense(band), d.T @ d, atol=1e-9)
    assert log_volume(40, order) == pytest.approx(np.linalg.slogdet(d @ d.T)[1], abs=1e-4)


def test_factor_solve_and_selected_inverse():
    a = RNG.standard_normal((KNOTS, KNOTS))
    full = np.triu(np.tril(a @ a.T, k.WIDTH), -k.WIDTH) + 60 * np.eye(KNOTS)
    band = np.zeros((KNOTS, 9))
    for i in range(KNOTS):
        for d in range(min(i, 8) + 1):
            band[i, 8 - d] = full[i, i - d]
    lower, zero = np.zeros_like(band), np.zeros_like(band)
    assert k.factor(band, zero, 0.0, zero, 0.0, lower) == pytest.approx(np.linalg.slogdet(full)[1], abs=1e-11)
    rhs, z = RNG.standard_normal((KNOTS, 2)), np.empty((KNOTS, 2))
    total = k.forward(lower, rhs, z)
    assert total == pytest.approx(np.sum(rhs * np.linalg.solve(full, rhs)), rel=1e-12)
    k.backward(lower, z)
    np.testing.assert_allclose(z, np.linalg.solve(full, rhs), rtol=1e-11, atol=1e-13)
    inverse, selected = np.linalg.inv(full), np.zeros_like(band)
    k.selected_inverse(lower, selected)
    for i in range(KNOTS):
        for d in range(min(i, 8) + 1):
            assert selected[i, 8 - d] == pytest.approx(inverse[i, i - d], abs=1e-14)
    band[4, 8] = -1.0
    assert np.isnan(k.factor(band, zero, 0.0, zero, 0.0, lower))


@pytest.mark.parametrize(("order", "low"), [(3, 1), (6, 1), (6, 2), (8, 2)])
def test_prior_determinant_is_the_pseudo_determinant(order, low):
    n, w = 30, 0.9
    d, e = difference(n, order), difference(n, low)
    p = w ** (-2 * order) * d.T @ d + w ** (-2 * low) * e.T @ e
    values = np.linalg.eigvalsh(p)
    assert values[low] > 1e-6 * values[-1] * 1e-3  # the null space has dimension `low`
    exact = np.log(values[low:]).sum()
    assert Penalties(n).log_determinant(order, low, float(np.log(w))) == pytest.approx(exact, abs=0.02)


@pytest.mark.parametrize("phi", [0.0, 0.6])
def test_differences_of_the_cost_are_those_of_the_dense_likelihood(phi):
    """−2 log p(y) with every prior proper, against the cost's closed form with the same wide prior."""
    x = np.arange(40.0)
    y = np.cumsum(RNG.standard_normal((40, 2)), axis=0)
    y -= y.mean(axis=0)
    count = 44
    e = Evidence(x, y, np.ones(40), Penalties(count), 0.0)

    def exact(s):
        d, low = difference(count, s.order), difference(count, s.low_order)
        p = np.exp(s.log_strength) * (
            s.corner ** (-2 * s.order) * d.T @ d + s.corner ** (-2 * s.low_order) * low.T @ low
        )
        variance = e.variance(s)
        null = np.linalg.svd(low)[2][count - s.low_order :]
        wide = 10.0 * float(np.mean(y**2)) * count
        # the wide prior only fixes a constant: 1e4 times wider, and the constant taken out again
        prior = np.linalg.pinv(p) * variance + 1e4 * wide * null.T @ null
        b = design(x, count)
        noise = variance * np.linalg.inv(whitening(x, np.ones(40), s.colour)[0])
        noise = noise @ np.linalg.inv(whitening(x, np.ones(40), s.colour)[0]).T
        v = b @ prior @ b.T + noise
        fit = np.sum(y * np.linalg.solve(v, y))
        return 2 * (np.linalg.slogdet(v)[1] - s.low_order * np.log(1e4)) + fit

    settings = [
        Settings(4, 1, -3.0, 0.6, phi),
        Settings(4, 1, 1.0, 0.9, phi),
        Settings(6, 1, -1.0, 0.8, phi),
        Settings(4, 2, -2.0, 0.7, phi),
    ]
    ours = np.array([e.cost(s) for s in settings])
    ref = np.array([exact(s) for s in settings])
    # exact() has n in place of n − k residual degrees; with σ² profiled the quadratic form is C (n − k)
    ref -= np.array([2 * (40 - s.low_order) for s in settings])
    np.testing.assert_allclose(ours - ours[0], ref - ref[0], atol=0.1)


def test_posterior_is_that_of_the_dense_gaussian_process():
    x = np.sort(RNG.uniform(0, 25, 60))
    y, sd = np.sin(0.5 * x)[:, None] + 0.1 * RNG.standard_normal((60, 1)), RNG.uniform(0.5, 2.0, 60)
    r = smooth(x / 30.0, y, sd=sd)
    s = r.settings[0]
    h = r.spline.time_s[1] - r.spline.time_s[0]
    knots = (x - x[0]) / 30.0 / h
    count = r.spline.time_s.size + 4
    corner = s["corner_hz"] * 2 * np.pi * h
    relative = sd / np.median(sd)
    w = whitening(knots, relative, s["noise_colour"])[0]
    b = w @ design(knots, count)
    d, low = difference(count, s["order"]), difference(count, s["low_order"])
    p = corner ** (-2 * s["order"]) * d.T @ d + corner ** (-2 * s["low_order"]) * low.T @ low
    a = b.T @ b + np.exp(s["log_strength"]) * p
    c = np.linalg.solve(a, b.T @ (w @ (y - y.mean())))
    grid = BSpline(np.arange(count + 6) - 5.0, np.eye(count), 5)
    nodes = np.arange(count - 4) * 1.0
    innovation = s["noise_sd"] * np.sqrt(1 - s["noise_colour"] ** 2)
    for order in range(3):
        rows = grid(np.minimum(nodes, nodes[-1] - 1e-9), order) / h**order
        value = rows @ c + (y.mean() if order == 0 else 0.0)
        scale = np.abs(value).max()
        np.testing.assert_allclose(r.spline.nodes[:, 0, order], value[:, 0], atol=1e-5 * scale)
        ref = innovation * np.sqrt(np.einsum("ij,jk,ik->i", rows, np.linalg.inv(a), rows))
        np.testing.assert_allclose(r.sd[:, 0, order], ref, rtol=1e-5)


def test_standard_deviations_cover_the_truth():
    """A motion drawn from smooth random sinusoids: 50–99.5 % of true accelerations within 2 posterior sd."""
    t = np.arange(600) / 30.0
    inside = []
    for seed in range(4):
        g = np.random.default_rng(seed)
        f, phase, a = g.uniform(0.1, 2.5, 12), g.uniform(0, 6.28, 12), g.uniform(0.01, 0.1, 12)
        w = 2 * np.pi * f
        y = (a * np.sin(w * t[:, None] + phase)).sum(axis=1)[:, None] + 0.01 * g.standard_normal((600, 1))
        truth = (-a * w**2 * np.sin(w * t[:, None] + phase)).sum(axis=1)
        r = smooth(t, y)
        inside.append(np.abs(r.spline.evaluate(t)[:, 0, 2] - truth) < 2 * r.sd[:, 0, 2])
    assert 0.85 < np.mean(inside) < 0.999


def test_noise_level_and_colour_are_recovered():
    t = np.arange(1200) / 30.0
    g = np.random.default_rng(3)
    signal = np.stack([np.sin(4 * t), np.cos(5 * t), np.sin(3 * t + 1)], axis=1) * 0.2
    white = smooth(t, signal + 0.01 * g.standard_normal(signal.shape), groups=[0, 0, 0])
    assert white.noise_sd[0] == pytest.approx(0.01, rel=0.05)
    assert white.settings[0]["noise_colour"] < 0.15
    e = g.standard_normal(signal.shape)
    for i in range(1, e.shape[0]):
        e[i] = 0.8 * e[i - 1] + 0.6 * e[i]
    coloured = smooth(t, signal + 0.01 * e, groups=[0, 0, 0])
    assert coloured.settings[0]["noise_colour"] == pytest.approx(0.8, abs=0.12)
    assert coloured.noise_sd[0] == pytest.approx(0.01, rel=0.25)


def test_weights_matter_and_are_relative():
    t = np.arange(400) / 30.0
    sd = np.where(np.arange(400) % 2 == 0, 0.1, 1.0)
    y = np.sin(6 * t)[:, None] + 0.05 * sd[:, None] * np.random.default_rng(0).standard_normal((400, 1))

    def error(r):
        return np.sqrt(np.mean((r.spline.evaluate(t[30:-30])[:, 0, 2] + 36 * np.sin(6 * t[30:-30])) ** 2))

    weighted, scaled, plain = smooth(t, y, sd=sd), smooth(t, y, sd=7.0 * sd), smooth(t, y)
    assert error(weighted) < 0.6 * error(plain)
    np.testing.assert_array_equal(weighted.spline.nodes, scaled.spline.nodes)


@pytest.mark.parametrize("n", [1, 2, 3, 5, 11, 12, 13, 40])
def test_still_and_straight_signals_have_no_acceleration(n):
    t = np.arange(n) / 30.0
    still = smooth(t, np.full((n, 2), 1.7), groups=[0, 0])
    assert np.abs(still.spline.nodes[:, :, 1:]).max() < 1e-9
    line = smooth(t, (2.0 + 3.0 * t)[:, None])
    assert np.abs(line.spline.evaluate(t)[:, 0, 2]).max() < 1e-3
    if n > 1:
        assert np.abs(line.spline.evaluate(t)[:, 0, 1] - 3.0).max() < 1e-3


def test_clean_motion_is_not_flattened():
    t = np.arange(900) / 30.0
    y = np.sin(2 * np.pi * 2.0 * t)[:, None]
    out = smooth(t, y).spline.evaluate(t[60:-60])[:, 0, 2]
    truth = -((4 * np.pi) ** 2) * np.sin(4 * np.pi * t[60:-60])
    assert np.sqrt(np.mean((out - truth) ** 2)) < 1e-4 * np.sqrt(np.mean(truth**2))


def test_a_step_stays_bounded_and_local():
    t = np.arange(600) / 30.0
    y = (t > 10.0).astype(float)[:, None] + 0.003 * np.random.default_rng(0).standard_normal((600, 1))
    r = smooth(t, y).spline.evaluate(t)[:, 0]
    assert np.abs(r[:, 2]).max() < 2.0 / (1 / 30.0) ** 2  # the second difference of the step itself
    assert np.abs(r[(t < 8) | (t > 12), 0] - y[(t < 8) | (t > 12), 0]).max() < 0.02


def test_gap_is_bridged_with_honest_deviation():
    t = np.arange(300) / 30.0
    keep = (t < 3.3) | (t > 3.7)
    y = np.sin(6 * t)[:, None] + 0.01 * np.random.default_rng(0).standard_normal((300, 1))
    r = smooth(t[keep], y[keep])
    at = np.argmin(np.abs(r.spline.time_s - 3.5))
    far = np.argmin(np.abs(r.spline.time_s - 6.0))
    assert r.sd[at, 0, 2] > 1.3 * r.sd[far, 0, 2]
    assert abs(r.spline.evaluate([3.5])[0, 0, 2] + 36 * np.sin(21.0)) < 4 * r.sd[at, 0, 2]


def test_same_input_same_bits_and_groups_do_not_touch_each_other():
    t = np.arange(200) / 30.0
    y = np.sin(5 * t)[:, None] + 0.01 * np.random.default_rng(0).standard_normal((200, 6))
    both = smooth(t, y, groups=[0, 0, 0, 1, 1, 1])
    again = smooth(t, y, groups=[0, 0, 0, 1, 1, 1])
    np.testing.assert_array_equal(both.spline.nodes, again.spline.nodes)
    np.testing.assert_array_equal(
        both.spline.nodes[:, :3], smooth(t, y[:, :3], groups=[0, 0, 0]).spline.nodes
    )


def test_a_long_recording_is_made_of_its_coefficients_in_windows(monkeypatch):
    t = np.arange(3000) / 30.0
    y = np.sin(5 * t)[:, None] + 0.01 * np.random.default_rng(0).standard_normal((3000, 3))
    whole = smooth(t, y, groups=[0, 0, 1])
    monkeypatch.setattr("imusim.smoothing.LONG_BYTES", 1000)
    long = smooth(t, y, groups=[0, 0, 1])
    for at in ([0.0, 1.0], [33.0, 35.0], [0.0, 99.9], [99.9, 99.97], [1024 / 30, 1024 / 30]):
        q = np.linspace(*at, 50)
        np.testing.assert_array_equal(long.spline.part(*at).evaluate(q), whole.spline.evaluate(q))
    np.testing.assert_array_equal(long.sd, whole.sd)


def test_errors():
    t = np.arange(5.0)
    with pytest.raises(ShapeError, match="without holes"):
        smooth(t, np.zeros((5, 2)), groups=[0, 2])
    with pytest.raises(ShapeError, match="one number a channel"):
        smooth(t, np.zeros((5, 2)), groups=[0])
    with pytest.raises(ShapeError, match="positive"):
        smooth(t, np.zeros((5, 2)), sd=np.zeros(5))
    with pytest.raises(ShapeError, match="not finite"):
        smooth(t, np.full((5, 2), np.nan))
