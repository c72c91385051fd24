"""Which simulated sensor each real one belongs to, and whether another would fit better."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft
from scipy.signal import butter, sosfiltfilt

from imusim.errors import ConfigError, unknown_name
from imusim.recording import Recording
from imusim.types import Floats
from imusim.validation.faults import Finding

_CUTOFF_HZ = 5.0
_GRID_HZ = 25.0
_BETTER = 0.1
_LOW = 0.5
_NEAR_S = 0.1


def paired(simulated: Sequence[str], real: Sequence[str], match: Mapping[str, str] | None) -> dict[str, str]:
    """Return real name → simulated name.

    Parameters
    ----------
    match : real → simulated names; None: equal names, or the only ones there are

    Raises
    ------
    UnknownNameError, ConfigError
        If a name has no partner.
    """
    if match is not None:
        for theirs, ours in match.items():
            if theirs not in real:
                raise unknown_name("sensor of the real recording", theirs, real)
            if ours not in simulated:
                raise unknown_name("sensor of the simulated recording", ours, simulated)
        return dict(match)
    common = {name: name for name in real if name in simulated}
    if common:
        return common
    if len(real) == len(simulated) == 1:
        return {real[0]: simulated[0]}
    if len(real) == 1 or len(simulated) == 1:
        raise ConfigError(
            f"the real recording has the sensor(s) {', '.join(real[:8])}, the simulated one {', '.join(simulated[:8])}: "
            "say which belong together, match={real: simulated} (--match real=simulated)"
        )
    raise ConfigError(
        f"no sensor has the same name in both: real {', '.join(real[:8])}; simulated {', '.join(simulated[:8])}. "
        "Say which belong together, match={real: simulated} (--match real=simulated)."
    )


def likeness(
    simulated: Recording,
    real: Recording,
    sensors: Sequence[str],
    *,
    shifted: bool,
    max_offset_s: float | None,
) -> tuple[float, dict[str, dict[str, float]]]:
    """Return the time offset that suits all sensors best · s, and how alike each real one is to every simulated one there.

    Parameters
    ----------
    simulated, real : the recordings
    sensors : names of the real sensors to look at
    shifted : their clocks may differ
    max_offset_s : largest offset looked for · s, or None

    Returns
    -------
    offset : t_sim = t_real + offset
    alike : real name → simulated name → mean r of the lengths of specific force and angular rate below 5 Hz,
    within 0.1 s of the
        offset. Mounting does not matter to them

    Notes
    -----
    One offset for all: it maximises the sum over real sensors of the best simulated one's r, so a sensor that is
    exchanged for
    another cannot hide behind a lag.
    """
    length = max(real.duration_s, simulated.duration_s)
    rate = min(_GRID_HZ, 50_000 / max(length, 1e-9))
    ours_at = np.arange(simulated.time_s[0], simulated.time_s[-1], 1.0 / rate)
    theirs_at = np.arange(real.time_s[0], real.time_s[-1], 1.0 / rate)
    if min(ours_at.size, theirs_at.size) < 30:
        return 0.0, {}
    ours = _lengths(simulated.time_s, simulated.acc, simulated.gyro, ours_at, rate)
    index = [real.sensors.index(name) for name in sensors]
    theirs = _lengths(real.time_s, real.acc[:, index], real.gyro[:, index], theirs_at, rate)
    first = ours_at[0] - theirs_at[0] - (theirs_at.size - 1) / rate
    lags = first + np.arange(ours_at.size + theirs_at.size - 1) / rate
    overlap = np.minimum(np.arange(1, lags.size + 1), np.arange(lags.size, 0, -1))
    allowed = overlap >= 0.5 * min(ours_at.size, theirs_at.size)
    if not shifted:
        allowed = np.abs(lags) <= 0.5 / rate + 1e-9
    elif max_offset_s is not None:
        allowed &= np.abs(lags) <= max_offset_s + 0.5 / rate
    if not allowed.any():
        return 0.0, {}
    bank = _Bank(ours, lags.size)
    total = np.zeros(lags.size)
    for s in range(len(sensors)):
        total += np.nanmax(np.where(allowed, bank.against(theirs[:, s]), -1.0), axis=0)
    # chance goes with the square root of the overlap
    best = int(
        np.argmax(np.where(allowed, total * np.sqrt(np.minimum(overlap, overlap[allowed].max())), -np.inf))
    )
    near = np.flatnonzero(allowed & (np.abs(lags - lags[best]) <= (_NEAR_S if shifted else 1.0 / rate)))
    alike = {}
    for s, name in enumerate(sensors):
        r = bank.against(theirs[:, s])[:, near].max(axis=1)
        alike[name] = {other: float(v) for other, v in zip(simulated.sensors, r, strict=True)}
    return float(lags[best]) if shifted else 0.0, alike


class _Bank:
    """Signals (G, S, 2), ready to be correlated at every lag with others: r (S, lags) over what overlaps."""

    def __init__(self, signals: Floats, lags: int) -> None:
        self._lags, self._size = lags, next_fast_len(lags, real=True)
        self._parts = [self._spectra(signals[:, :, k].T) for k in range(signals.shape[2])]

    def _spectra(self, x: Floats) -> tuple[Any, Any, Any, bool]:
        known = np.isfinite(x)
        middle = np.nanmean(x) if known.any() else 0.0
        x = np.where(known, x - middle, 0.0)
        return (
            rfft(x, self._size, axis=-1), rfft(x * x, self._size, axis=-1),
            rfft(known.astype(np.float64), self._size, axis=-1), bool(known.any()),
        )  # fmt: skip

    def against(self, other: Floats) -> Floats:
        """Return mean r over the signals, for other (N, 2)."""
        out, count = np.zeros((self._parts[0][0].shape[0], self._lags)), 0
        for k, (a, aa, ak, there) in enumerate(self._parts):
            b, bb, bk, known = self._spectra(other[::-1, k])
            if not (there and known):
                continue

            def product(x: Any, y: Any) -> Floats:
                return np.asarray(irfft(x * y, self._size, axis=-1))[..., : self._lags]

            n = np.maximum(product(ak, bk), 1.0)
            sa, sb = product(a, bk), product(ak, b)
            cov = product(a, b) - sa * sb / n
            va, vb = product(aa, bk) - sa * sa / n, product(ak, bb) - sb * sb / n
            floor = 1e-6 * max(float(va.max()), 1e-12), 1e-6 * max(float(vb.max()), 1e-12)
            out = out + cov / np.sqrt(np.maximum(va, floor[0]) * np.maximum(vb, floor[1]))
            count += 1
        return out / count if count else np.full_like(out, -1.0)


def judge(pairs: Mapping[str, str], alike: Mapping[str, Mapping[str, float]]) -> list[Finding]:
    """Say where the planned sensor is not the likeliest: sides swapped, another placement, or no likeness at all."""
    found: list[Finding] = []
    best = {real: max(row, key=lambda k: row[k]) for real, row in alike.items() if row}
    for real, ours in pairs.items():
        row = alike.get(real, {})
        if ours not in row:
            continue
        here, top = row[ours], best[real]
        better = top != ours and row[top] > max(here + _BETTER, _LOW)
        back = next((r for r, o in pairs.items() if o == top), None)
        if better and back is not None and best.get(back) == ours:
            if real < back:
                found.append(
                    Finding(
                        "swapped",
                        real,
                        f"{real} and {back} look exchanged: {real} moves like the simulated {top} (r {row[top]:.2f}, own "
                        f"{here:.2f}), {back} like {ours}",
                    )
                )
        elif better:
            found.append(
                Finding(
                    "placement",
                    real,
                    f"the real {real} does not move like the simulated {ours} (r {here:.2f}); best match: {top} "
                    f"(r {row[top]:.2f}); --match {real}={top} compares with it",
                )
            )
        elif here < _LOW:
            rest = f", and neither does any other (best: {top}, r {row[top]:.2f})" if len(row) > 1 else ""
            found.append(
                Finding("low", real, f"{real} hardly moves like the simulated {ours} (r {here:.2f}){rest}")
            )
    return found


def _lengths(time: Floats, acc: Floats, gyro: Floats, grid: Floats, rate: float) -> Floats:
    """|acc| and |gyro| (G, S, 2) at a grid's instants, low-passed; NaN where unknown."""
    out = np.full((grid.size, acc.shape[1], 2), np.nan)
    inside = (grid >= time[0]) & (grid <= time[-1])
    sos = butter(2, min(_CUTOFF_HZ, 0.4 * rate), fs=rate, output="sos")
    step = 1.0 / rate
    for s in range(acc.shape[1]):
        for k, signal in enumerate((acc, gyro)):
            x = np.linalg.norm(signal[:, s], axis=1)
            known = np.isfinite(x)
            if known.sum() < 10:
                continue
            t, v = time[known], x[known]
            if np.median(np.diff(t)) < 0.7 * step:
                sums = np.concatenate([[0.0], np.cumsum(0.5 * (v[1:] + v[:-1]) * np.diff(t))])
                low, high = np.clip(grid - step / 2, t[0], t[-1]), np.clip(grid + step / 2, t[0], t[-1])
                y = (np.interp(high, t, sums) - np.interp(low, t, sums)) / np.maximum(high - low, 1e-9)
            else:
                y = np.interp(grid, t, v)
            if inside.sum() > 20:
                part = sosfiltfilt(sos, y[inside])
                near = np.clip(np.searchsorted(t, grid[inside]), 1, t.size - 1)
                gap = np.minimum(np.abs(grid[inside] - t[near - 1]), np.abs(t[near] - grid[inside])) > 0.2
                part[gap] = np.nan
                out[inside, s, k] = part
    return out
