"""Penalised quintic B-splines on uniform knots: banded normal equations, their Cholesky factor, selected inverse.

A symmetric matrix with half bandwidth 8 is kept by rows, lower part: band (N,9), band[i, 8 − d] = A[i, i − d].
Oracle: dense NumPy linear algebra and scipy.interpolate.BSpline.
"""

import numpy as np
from numba import njit

WIDTH = 8


@njit(cache=True, error_model="numpy", nogil=True)
def weights(u, w):
    """The six quintic B-splines that are not zero at fraction u of a knot interval → w (6,)."""
    r = 1.0 - u
    u2, u4, u5 = u * u, u * u * u * u, u * u * u * u * u
    w[0] = r * r * r * r * r / 120.0
    w[5] = u5 / 120.0
    w[1] = (26.0 - 50.0 * u + 20.0 * u2 + 20.0 * u2 * u - 20.0 * u4 + 5.0 * u5) / 120.0
    w[2] = (66.0 - 60.0 * u2 + 30.0 * u4 - 10.0 * u5) / 120.0
    w[3] = (26.0 + 50.0 * u + 20.0 * u2 - 20.0 * u2 * u - 20.0 * u4 + 10.0 * u5) / 120.0
    w[4] = (1.0 + 5.0 * u + 10.0 * u2 + 10.0 * u2 * u + 5.0 * u4 - 5.0 * u5) / 120.0


@njit(cache=True, error_model="numpy", nogil=True)
def gram(x, y, sd, phi, gap, band, rhs):
    """Normal equations of y = B c + noise: x (n,) knot units from the first knot, y (n,C), sd (n,) relative.

    The noise, divided by sd, is AR(1): correlation phi over one knot interval. Rows are whitened exactly:
    (B_t/s_t − ρ B_{t−1}/s_{t−1})/√v, ρ = phi^Δx, v = (1 − ρ²)/(1 − phi²); after more than `gap` (≤ 3) the chain
    starts anew. Fills band (N,9) and rhs (N,C); returns Σ y'² and Σ log v.
    """
    channels = y.shape[1]
    band[:] = 0.0
    rhs[:] = 0.0
    row = np.zeros(WIDTH + 1)
    w, last = np.zeros(6), np.zeros(6)
    z = np.zeros(channels)
    total, log_v = 0.0, 0.0
    prior = 0
    intervals = rhs.shape[0] - 5
    for t in range(x.shape[0]):
        k = min(max(int(np.floor(x[t])), 0), intervals - 1)
        weights(x[t] - k, w)
        s = 1.0 / sd[t]
        for c in range(6):
            w[c] *= s
        linked = t > 0 and phi != 0.0 and x[t] - x[t - 1] <= gap and k - prior <= 3
        first = k
        v = 1.0
        rho = 0.0
        if linked:
            rho = phi ** (x[t] - x[t - 1])
            v = (1.0 - rho * rho) / (1.0 - phi * phi)
            first = prior
        elif phi != 0.0:
            v = 1.0 / (1.0 - phi * phi)
        f = 1.0 / np.sqrt(v)
        log_v += np.log(v)
        span = k - first + 6
        row[:] = 0.0
        for c in range(6):
            row[k - first + c] = f * w[c]
        for c in range(channels):
            z[c] = f * s * y[t, c]
        if linked:
            for c in range(6):
                row[c] -= f * rho * last[c]
            for c in range(channels):
                z[c] -= f * rho * y[t - 1, c] / sd[t - 1]
        for i in range(span):
            for j in range(i + 1):
                band[first + i, WIDTH - i + j] += row[i] * row[j]
            for c in range(channels):
                rhs[first + i, c] += row[i] * z[c]
        for c in range(channels):
            total += z[c] * z[c]
        last[:] = w
        prior = k
    return total, log_v


@njit(cache=True, error_model="numpy", nogil=True)
def difference_penalty(order, band):
    """DᵀD of order-th differences of N coefficients → band (N,9); order ≤ 8."""
    n = band.shape[0]
    d = np.zeros(order + 1)
    d[0] = 1.0
    for m in range(order):
        for i in range(m + 1, 0, -1):
            d[i] = d[i - 1] - d[i]
        d[0] = -d[0]
    band[:] = 0.0
    for r in range(n - order):
        for i in range(order + 1):
            for j in range(i + 1):
                band[r + i, WIDTH - i + j] += d[i] * d[j]


@njit(cache=True, error_model="numpy", nogil=True)
def factor(data, high, a, low, b, out):
    """Cholesky factor L of data + a·high + b·low, all (N,9) → out (N,9); returns log determinant, NaN if not positive."""
    n = data.shape[0]
    log_det = 0.0
    product = 1.0
    for i in range(n):
        begin = max(0, WIDTH - i)
        for p in range(begin, WIDTH + 1):
            j = i - WIDTH + p
            s = data[i, p] + a * high[i, p] + b * low[i, p]
            shift = WIDTH - p  # column k of row i sits at k − i + 8, of row j at k − j + 8
            for q in range(max(begin, WIDTH - j - shift), p):
                s -= out[i, q] * out[j, q + shift]
            if p < WIDTH:
                out[i, p] = s / out[j, WIDTH]
            else:
                if not s > 0.0:
                    return np.nan
                out[i, p] = np.sqrt(s)
                product *= s
        if product > 1e200 or product < 1e-200:
            log_det += np.log(product)
            product = 1.0
    return log_det + np.log(product)


@njit(cache=True, error_model="numpy", nogil=True)
def forward(lower, rhs, z):
    """z = L⁻¹ rhs: lower (N,9), rhs (N,C) → z (N,C); returns Σ z²."""
    total = 0.0
    for i in range(rhs.shape[0]):
        begin = max(0, WIDTH - i)
        f = 1.0 / lower[i, WIDTH]
        for c in range(rhs.shape[1]):
            s = rhs[i, c]
            for p in range(begin, WIDTH):
                s -= lower[i, p] * z[i - WIDTH + p, c]
            z[i, c] = s * f
            total += z[i, c] * z[i, c]
    return total


@njit(cache=True, error_model="numpy", nogil=True)
def backward(lower, z):
    """Solve Lᵀ c = z in place: lower (N,9), z (N,C)."""
    for i in range(z.shape[0] - 1, -1, -1):
        f = 1.0 / lower[i, WIDTH]
        for c in range(z.shape[1]):
            z[i, c] *= f
            for p in range(max(0, WIDTH - i), WIDTH):
                z[i - WIDTH + p, c] -= lower[i, p] * z[i, c]


@njit(cache=True, error_model="numpy", nogil=True)
def misfit(x, y, sd, phi, gap, coefficients, high, a, low, b):
    """Σ of the whitened squared residuals + a |D_high c|² + b |D_low c|², for `gram`'s x, y, sd, phi, gap, c (N,C).

    Sums of squares: never negative, and second order in the error of c, where Σ y'² − |L⁻¹ rhs|² cancels.
    """
    channels = y.shape[1]
    w = np.zeros(6)
    now, last = np.zeros(channels), np.zeros(channels)
    total = 0.0
    prior = 0
    intervals = coefficients.shape[0] - 5
    for t in range(x.shape[0]):
        k = min(max(int(np.floor(x[t])), 0), intervals - 1)
        weights(x[t] - k, w)
        for c in range(channels):
            r = y[t, c]
            for i in range(6):
                r -= w[i] * coefficients[k + i, c]
            now[c] = r / sd[t]
        rho, v = 0.0, 1.0
        if t > 0 and phi != 0.0 and x[t] - x[t - 1] <= gap and k - prior <= 3:
            rho = phi ** (x[t] - x[t - 1])
            v = (1.0 - rho * rho) / (1.0 - phi * phi)
        elif phi != 0.0:
            v = 1.0 / (1.0 - phi * phi)
        for c in range(channels):
            e = now[c] - rho * last[c]
            total += e * e / v
            last[c] = now[c]
        prior = k
    d = np.empty(coefficients.shape[0])
    for c in range(channels):
        d[:] = coefficients[:, c]
        for m in range(1, max(high, low) + 1):
            s = 0.0
            for i in range(d.size - m):
                d[i] = d[i + 1] - d[i]
                s += d[i] * d[i]
            total += (a * s if m == high else 0.0) + (b * s if m == low else 0.0)
    return total


@njit(cache=True, error_model="numpy", nogil=True)
def selected_inverse(lower, inverse):
    """Entries of (L Lᵀ)⁻¹ inside the band: lower, inverse (N,9) (Takahashi, Fagan & Chin 1973)."""
    n = lower.shape[0]
    for i in range(n - 1, -1, -1):
        f = 1.0 / lower[i, WIDTH]
        top = min(n - 1, i + WIDTH)
        for j in range(top, i - 1, -1):  # Z[j, i] = δ_ij f² − f Σ_{k>i} L[k, i] Z[k, j]
            s = f if j == i else 0.0
            for k in range(i + 1, top + 1):
                hi, lo = (k, j) if k >= j else (j, k)
                if hi - lo <= WIDTH:
                    s -= lower[k, WIDTH - k + i] * inverse[hi, WIDTH - hi + lo]
            inverse[j, WIDTH - j + i] = s * f


@njit(cache=True, error_model="numpy", nogil=True)
def at_knots(coefficients, spacing, nodes):
    """Value, first, second derivative at the knots: coefficients (N,C), spacing s → nodes (N−4,3,C)."""
    h1, h2 = 1.0 / (24.0 * spacing), 1.0 / (6.0 * spacing * spacing)
    for i in range(nodes.shape[0]):
        for c in range(nodes.shape[2]):
            a, b, m = coefficients[i, c], coefficients[i + 1, c], coefficients[i + 2, c]
            d, e = coefficients[i + 3, c], coefficients[i + 4, c]
            nodes[i, 0, c] = m + ((a - m) + (e - m) + 26.0 * ((b - m) + (d - m))) / 120.0
            nodes[i, 1, c] = h1 * ((e - a) + 10.0 * (d - b))
            nodes[i, 2, c] = h2 * ((a - m) + (e - m) + 2.0 * ((b - m) + (d - m)))


@njit(cache=True, error_model="numpy", nogil=True)
def sd_at_knots(inverse, spacing, out):
    """Posterior sd per unit noise sd at the knots: inverse (N,9), spacing s → out (N−4,3): value, first, second."""
    r = np.zeros((3, 5))
    r[0, :] = np.array([1.0, 26.0, 66.0, 26.0, 1.0]) / 120.0
    r[1, :] = np.array([-1.0, -10.0, 0.0, 10.0, 1.0]) / (24.0 * spacing)
    r[2, :] = np.array([1.0, 2.0, -6.0, 2.0, 1.0]) / (6.0 * spacing * spacing)
    for i in range(out.shape[0]):
        for d in range(3):
            s = 0.0
            for a in range(5):
                s += r[d, a] * r[d, a] * inverse[i + a, WIDTH]
                for b in range(a):
                    s += 2.0 * r[d, a] * r[d, b] * inverse[i + a, WIDTH - a + b]
            out[i, d] = np.sqrt(max(s, 0.0))


@njit(cache=True, error_model="numpy", nogil=True)
def whittle(power, count, frequency, orders, corners, strengths, colours, score):
    """Approximate −2 log likelihood per channel of every setting from a tapered, binned periodogram.

    power, count, frequency (K,): mean power, number of bins, rad per sample. Signal spectrum b²/(λ p) with
    p = (g/w)^{2m} + (g/w)^{2k}, g = 2 sin(ω/2), b the spline's sampling filter; noise 1/|1 − φ e^{−iω}|².
    orders (O,2) of (m,k), corners (W,) w, strengths (L,) log λ, colours (F,) φ → score (O,F,W,L), variance profiled.
    """
    k_total = power.shape[0]
    total = count.sum()
    b2, g2 = np.empty(k_total), np.empty(k_total)
    for f in range(k_total):
        c1, c2 = np.cos(frequency[f]), np.cos(2.0 * frequency[f])
        b = (66.0 + 52.0 * c1 + 2.0 * c2) / 120.0
        b2[f] = b * b
        g2[f] = 2.0 - 2.0 * c1
    signal, noise = np.empty(k_total), np.empty(k_total)
    for o in range(orders.shape[0]):
        for w in range(corners.shape[0]):
            for f in range(k_total):
                x = g2[f] / (corners[w] * corners[w])
                signal[f] = b2[f] / (x ** orders[o, 0] + x ** orders[o, 1])
            for q in range(colours.shape[0]):
                phi = colours[q]
                for f in range(k_total):
                    noise[f] = 1.0 / (1.0 + phi * phi - 2.0 * phi * (1.0 - 0.5 * g2[f]))
                for l in range(strengths.shape[0]):
                    e = np.exp(-strengths[l])
                    logs, ratio = 0.0, 0.0
                    for f in range(k_total):
                        s = e * signal[f] + noise[f]
                        logs += count[f] * np.log(s)
                        ratio += count[f] * power[f] / s
                    score[o, q, w, l] = logs + total * np.log(ratio / total)
