"""Noise-aware smoothing: a penalised spline whose settings are chosen from the data, with standard deviations.

`imusim.evidence` has the model and how its settings are chosen. Nothing is tuned by hand and nothing is random.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from imusim._kernels import pspline as _k
from imusim.errors import ShapeError, TimeError
from imusim.evidence import CHUNK, MOST_COLOUR, Evidence, Penalties, Settings, choose, choose_alike, low_pass
from imusim.long_spline import LONG_BYTES, LongSpline
from imusim.spline import Spline
from imusim.types import Floats, as_floats, check_time


@dataclass(frozen=True)
class SmoothResult:
    """What `smooth` found.

    Parameters
    ----------
    spline : the smoothed channels; nodes lie a median sample interval apart
    group_sd : (n_nodes, G, 3): posterior standard deviation of value, first and second derivative of every channel of a
        group at the nodes, the settings taken as known; single precision
    groups : (C,), the group of each channel
    noise_sd : (G,): estimated noise of each group, for a sample of relative sd 1
    settings : G mappings, JSON-ready: order, low_order, corner_hz, log_strength, noise_colour, noise_sd
    """

    spline: Spline | LongSpline
    group_sd: NDArray[np.float32]
    groups: NDArray[np.int64]
    noise_sd: Floats
    settings: tuple[Mapping[str, Any], ...]

    @property
    def sd(self) -> Floats:
        """(n_nodes, C, 3): `group_sd` of every channel."""
        return self.group_sd[:, self.groups].astype(np.float64)


def smooth(
    time_s: ArrayLike,
    values: ArrayLike,
    groups: ArrayLike | None = None,
    sd: ArrayLike | None = None,
    *,
    bandwidth_hz: float | None = None,
    chosen: Sequence[Mapping[str, Any]] | None = None,
    alike: Sequence[Sequence[int]] = (),
    noise_memory_s: float | None = None,
) -> SmoothResult:
    """Smooth channels; how strongly is chosen for each group from its own data, unless the bandwidth is known.

    Parameters
    ----------
    time_s : (n,) · s, strictly increasing, any spacing
    values : (n, C), finite, any units
    groups : (C,) int, channels that share their noise and smoothness, numbered 0 … G − 1; None: each its own
    sd : (n,) or (n, G), relative noise sd of the samples, positive; None: all alike

    Other Parameters
    ----------------
    bandwidth_hz : half-amplitude frequency of a low-pass without phase, for samples that are estimates already and
        carry `sd` (then absolute) up to that frequency; None: chosen from the data
    chosen : G settings as an earlier result gave them, for samples of the same spacing; None: chosen from the data
    alike : sets of groups; those of a set share one choice of settings and their noise, unless the data are clearly
        more likely with one each
    noise_memory_s : time after which the noise of the samples has forgotten itself (to 1/e), where the source's is
        known; None: chosen from the data, and white unless they clearly say otherwise

    Raises
    ------
    ShapeError, TimeError
        On wrong shapes, values that are not finite, sd or memory that is not positive, times that do not increase.
    """
    t = check_time(time_s)
    y = as_floats(values, "values", (t.size, None))
    if t.size == 0:
        raise TimeError("a spline needs at least one sample")
    if not np.isfinite(y).all():
        raise ShapeError(
            f"values has {int((~np.isfinite(y)).sum())} entries that are not finite; drop those samples"
        )
    channel_group = np.arange(y.shape[1]) if groups is None else np.asarray(groups, dtype=np.int64)
    if channel_group.shape != (y.shape[1],):
        raise ShapeError(
            f"groups has shape {channel_group.shape}, wanted ({y.shape[1]},): one number a channel"
        )
    count = int(channel_group.max()) + 1 if channel_group.size else 0
    if channel_group.size and not np.array_equal(np.unique(channel_group), np.arange(count)):
        raise ShapeError(f"groups must be numbered 0 … {count - 1} without holes")
    absolute = _positive_sd(sd, t.size, count)
    if noise_memory_s is not None and not noise_memory_s > 0:
        raise ShapeError(f"noise_memory_s={noise_memory_s}, wanted seconds above 0, or None")
    if t.size == 1:
        nodes = np.concatenate([y[:, :, None], np.zeros((1, y.shape[1], 2))], axis=2)
        nothing = ({"order": 0, "noise_sd": 0.0},) * count
        no_sd = np.zeros((1, count, 3), dtype=np.float32)
        return SmoothResult(Spline(t, nodes), no_sd, channel_group, np.zeros(count), nothing)

    spacing = max(float(np.median(np.diff(t))), (t[-1] - t[0]) / (8 * t.size))
    x = (t - t[0]) / spacing
    intervals = max(int(np.ceil(x[-1] - 1e-6)), 1)
    stretches = _stretches(x)
    penalties = {n: Penalties(n) for n in {intervals + 5, *(s[2] for s in stretches)}}
    coefficients, means = np.empty((intervals + 5, y.shape[1])), y.mean(axis=0)
    deviations = np.empty((intervals + 1, count, 3), dtype=np.float32)
    noise = np.empty(count)
    settings: list[dict[str, Any]] = []
    inverse = np.empty((intervals + 5, _k.WIDTH + 1))
    unit = np.empty((intervals + 1, 3))

    def parts(g: int) -> tuple[NDArray[np.int64], Floats, Floats, float]:
        """Columns of a group, their deviations from the mean, relative sd, floor."""
        columns = np.flatnonzero(channel_group == g)
        floor = float((1e-11 * max(1.0, np.abs(y[:, columns]).max())) ** 2)
        z = np.ascontiguousarray(y[:, columns] - means[columns])
        return columns, z, absolute[:, g] / np.median(absolute[:, g]), floor

    def judged(g: int) -> list[Evidence]:
        _, z, s, floor = parts(g)
        return [
            Evidence(
                x[a:b] - np.floor(x[a]),
                np.ascontiguousarray(z[a:b] - z[a:b].mean(axis=0)),
                s[a:b],
                penalties[n],
                floor,
            )
            for a, b, n in stretches
        ]

    colour = None if noise_memory_s is None else min(float(np.exp(-spacing / noise_memory_s)), MOST_COLOUR)
    picked: dict[int, Settings] = {}
    sharing: list[list[int]] = []
    if bandwidth_hz is None and chosen is None:
        for members in alike:
            found = choose_alike([judged(g) for g in members], colour)
            picked.update(zip(members, found, strict=True))
            if found.count(found[0]) == len(found):
                sharing.append(list(members))
    for g in range(count):
        columns, z, s, floor = parts(g)
        if bandwidth_hz is not None:
            s = np.ones_like(s)
            best = low_pass(2.0 * np.pi * bandwidth_hz * spacing)
        elif chosen is not None:
            best = _as_chosen(chosen[g], spacing)
        else:
            best = picked[g] if g in picked else choose(judged(g), colour)
        whole = Evidence(x, z, s, penalties[intervals + 5], floor)
        variance = whole.variance(best)
        coefficients[:, columns], lower = whole.solution()
        _k.selected_inverse(lower, inverse)
        _k.sd_at_knots(inverse, spacing, unit)
        if bandwidth_hz is not None and sd is not None:
            # the value keeps the sd it came with; its derivatives follow as for noise up to the bandwidth
            stated = np.interp(spacing * np.arange(intervals + 1), t - t[0], absolute[:, g])
            deviations[:, g] = stated[:, None] * unit / unit[:, :1]
            noise[g] = float(np.median(absolute[:, g]))
        else:
            deviations[:, g] = np.sqrt(variance) * unit
            noise[g] = np.sqrt(variance / (1.0 - best.colour**2))
        settings.append(
            {
                "order": best.order,
                "low_order": best.low_order,
                "corner_hz": best.corner / (2 * np.pi * spacing),
                "log_strength": best.log_strength,
                "noise_colour": best.colour,
                "noise_sd": float(noise[g]),
            }
        )
    for members in sharing:
        width = np.array([np.count_nonzero(channel_group == g) for g in members])
        pooled = np.sqrt(np.average(noise[members] ** 2, weights=width))
        for g in members:
            deviations[:, g] *= pooled / noise[g] if noise[g] > 0 else 1.0
            noise[g], settings[g]["noise_sd"] = pooled, float(pooled)
    spline = _of_coefficients(t[0] + spacing * np.arange(intervals + 1), coefficients, means, spacing)
    return SmoothResult(spline, deviations, channel_group, noise, tuple(settings))


def _of_coefficients(
    time: Floats, coefficients: Floats, means: Floats, spacing: float
) -> Spline | LongSpline:
    """Spline from B-spline coefficients (n + 4, C) about means (C,)."""

    def make(first: int, last: int) -> Floats:
        nodes = np.empty((last - first, 3, means.size))
        _k.at_knots(coefficients[first : last + 4], spacing, nodes)
        nodes[:, 0] += means
        return nodes

    if 24 * coefficients.size > LONG_BYTES:
        return LongSpline(time, means.size, make)
    return Spline(time, make(0, time.size).transpose(0, 2, 1))


def _as_chosen(settings: Mapping[str, Any], spacing: float) -> Settings:
    return Settings(
        order=int(settings["order"]),
        low_order=int(settings["low_order"]),
        corner=float(settings["corner_hz"]) * 2.0 * np.pi * spacing,
        log_strength=float(settings["log_strength"]),
        colour=float(settings["noise_colour"]),
    )


def half_amplitude_hz(settings: Mapping[str, Any], spacing_s: float) -> float:
    """Frequency at which a smoothing with those settings halves an oscillation, at most the Nyquist rate · Hz.

    Parameters
    ----------
    settings : of one group, as a `SmoothResult` has them
    spacing_s : between nodes · s

    Notes
    -----
    Gain of the model's Wiener filter: 1/(1 + λ N(ω) [(s/w)²ᵐ + (s/w)²ᵏ]/B(ω)²) with s = 2 sin(ω/2), ω in rad per interval,
    N(ω) = 1/|1 − φ exp(−iω)|² for noise of colour φ, and B(ω) = (66 + 52 cos ω + 2 cos 2ω)/120, the quintic B-spline's.
    """
    c = _as_chosen(settings, spacing_s)
    omega = np.linspace(0.0, np.pi, 2000)[1:]
    s = 2.0 * np.sin(0.5 * omega) / c.corner
    noise = np.exp(c.log_strength) / (1.0 - 2.0 * c.colour * np.cos(omega) + c.colour**2)
    shape = (66.0 + 52.0 * np.cos(omega) + 2.0 * np.cos(2.0 * omega)) / 120.0
    lost = noise * (s ** (2 * c.order) + s ** (2 * c.low_order)) / shape**2
    over = np.flatnonzero(lost > 1.0)
    return float(omega[over[0]] if over.size else np.pi) / (2.0 * np.pi * spacing_s)


def _positive_sd(sd: ArrayLike | None, n: int, count: int) -> Floats:
    """(n, G), checked; ones if not given."""
    if sd is None:
        return np.broadcast_to(1.0, (n, count))
    array = np.asarray(sd, dtype=np.float64)
    if array.ndim == 1:
        array = np.broadcast_to(array[:, None], (n, count)) if array.size == n else array[:, None]
    array = as_floats(array, "sd", (n, count))
    if not (np.isfinite(array).all() and (array > 0).all()):
        raise ShapeError(
            "sd has values that are not positive and finite. Give every sample a standard deviation."
        )
    return array


def _stretches(x: Floats) -> list[tuple[int, int, int]]:
    """What the settings are judged by: (first, last + 1, number of coefficients), the whole clip if it is short."""
    n = x.size
    if n <= 3 * CHUNK:
        pieces = [(0, n)]
    else:
        pieces = [(a, a + CHUNK) for a in np.linspace(0, n - CHUNK, 3).astype(int)]
    return [(a, b, max(int(np.ceil(x[b - 1] - np.floor(x[a]) - 1e-6)), 1) + 5) for a, b in pieces]
