"""Second differences over a lag: the inner loop of the Allan deviation (`imusim.allan.deviation`)."""

from __future__ import annotations

from numba import njit


@njit(cache=True, error_model="numpy", nogil=True)
def second_difference_power(phase, m):
    """Return the mean of (θ[i+2m] − 2 θ[i+m] + θ[i])²; phase θ (n,), n > 2m."""
    count = phase.size - 2 * m
    a = b = c = d = 0.0  # four sums that do not wait for each other
    i = 0
    while i + 4 <= count:
        p = phase[i + 2 * m] - phase[i + m] - (phase[i + m] - phase[i])
        q = phase[i + 1 + 2 * m] - phase[i + 1 + m] - (phase[i + 1 + m] - phase[i + 1])
        r = phase[i + 2 + 2 * m] - phase[i + 2 + m] - (phase[i + 2 + m] - phase[i + 2])
        s = phase[i + 3 + 2 * m] - phase[i + 3 + m] - (phase[i + 3 + m] - phase[i + 3])
        a += p * p
        b += q * q
        c += r * r
        d += s * s
        i += 4
    while i < count:
        p = phase[i + 2 * m] - phase[i + m] - (phase[i + m] - phase[i])
        a += p * p
        i += 1
    return (a + b + c + d) / count
