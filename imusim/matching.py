"""Distribution mapping: a virtual recording given the amplitudes and the spectrum of real ones, without labels.

It moves statistics, not truth: what activities the real recording holds goes into the map too. Off unless asked for, and
always written into the metadata.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import firwin2, oaconvolve

from imusim.errors import ConfigError, TimeError, unknown_name
from imusim.recording import Recording
from imusim.types import Floats

KINDS = ("spectral", "quantile")
_LEAST_S = 10.0
_QUANTILES = np.concatenate([[0.001, 0.005], np.linspace(0.01, 0.99, 99), [0.995, 0.999]])
_WINDOW_S = 2.56
_MOST_DB = 20.0
_TAPS_S = 2.0
_BRIDGED_S = 0.5


@dataclass(frozen=True)
class DomainMap:
    """A map of virtual signals to the distribution of real ones, sensor by sensor and axis by axis.

    Parameters
    ----------
    steps : sensor → the steps in their order, JSON-ready: ``{"kind": "quantile", "acc": {"virtual": (3, Q),
        "real": (3, Q)}, "gyro": …}`` or ``{"kind": "spectral", "frequency_hz": (F,), "acc_gain": (3, F), …}``
    kinds : what was asked for
    real_s : length of the real recording it was learned from · s

    Notes
    -----
    "spectral" filters with ``√(S_real/S_virtual)``, without phase, within ± 20 dB; the mean stays. "quantile" sends every
    value to the real value of the same rank; beyond the outermost quantiles the difference there is kept.
    """

    steps: Mapping[str, tuple[Mapping[str, Any], ...]]
    kinds: tuple[str, ...]
    real_s: float

    def apply(self, virtual: Recording) -> Recording:
        """Return the recording mapped; gaps stay gaps, its metadata say what was done (``"mapped"``).

        Raises
        ------
        ConfigError
            If it has been mapped already.
        UnknownNameError
            If it has a sensor that the map does not know.
        """
        if "mapped" in virtual.metadata:
            raise ConfigError("this recording has been mapped already; map the one it was made from")
        acc, gyro = virtual.acc.copy(), virtual.gyro.copy()
        for s, name in enumerate(virtual.sensors):
            if name not in self.steps:
                raise unknown_name("sensor of the map", name, list(self.steps))
            for step in self.steps[name]:
                for signal, x in (("acc", acc[:, s]), ("gyro", gyro[:, s])):
                    _STEPS[step["kind"]](step, signal, x, virtual.rate_hz)
        metadata = dict(virtual.metadata) | {"mapped": {"kinds": list(self.kinds), "real_s": self.real_s}}
        return virtual.exchanged(acc, gyro, metadata)


def fit_map(
    virtual: Recording,
    real: Recording,
    kinds: str | Sequence[str] = KINDS,
    *,
    match: Mapping[str, str] | None = None,
) -> DomainMap:
    """Learn a map from virtual to real signals; they need not be of the same movements, nor as long.

    Parameters
    ----------
    virtual, real : recordings; a few minutes each. NaN and what is not `valid` are left out
    kinds : of "spectral" and "quantile", in the order they are to be applied; a tuple, or a string with commas

    Other Parameters
    ----------------
    match : real → virtual sensor, where names differ; None: equal names, or the only ones there are

    Raises
    ------
    ConfigError, UnknownNameError
        On other kinds, and sensors without a partner.
    TimeError
        If a sensor has less than ten seconds.
    """
    from imusim.validation.pairing import paired

    asked = tuple(p.strip() for p in (kinds.split(",") if isinstance(kinds, str) else kinds))
    for kind in asked:
        if kind not in KINDS:
            raise unknown_name("kind of map", kind, KINDS)
    if not asked or len(set(asked)) != len(asked):
        raise ConfigError(f"kinds={asked}: wanted each of {', '.join(KINDS)} at most once, and one at least")
    steps: dict[str, tuple[Mapping[str, Any], ...]] = {}
    for theirs, ours in paired(virtual.sensors, real.sensors, match).items():
        a, b = _signals(virtual, ours), _signals(real, theirs)
        made = []
        for kind in asked:
            step: dict[str, Any] = {"kind": kind}
            for signal in ("acc", "gyro"):
                step |= _LEARNED[kind](signal, a[signal], b[signal], virtual.rate_hz, real.rate_hz)
            for signal in ("acc", "gyro"):
                _STEPS[kind](step, signal, a[signal], virtual.rate_hz)
            made.append(step)
        steps[ours] = tuple(made)
    return DomainMap(steps, asked, real.duration_s)


def _signals(recording: Recording, sensor: str) -> dict[str, Floats]:
    """Copies (N, 3) of a sensor's acc and gyro, NaN where unknown."""
    s = recording.sensors.index(sensor)
    out = {"acc": recording.acc[:, s].copy(), "gyro": recording.gyro[:, s].copy()}
    for name, x in out.items():
        if recording.valid is not None:
            x[~recording.valid[:, s]] = np.nan
        known = np.count_nonzero(np.isfinite(x).all(axis=1))
        if known < _LEAST_S * recording.rate_hz:
            raise TimeError(
                f"{sensor}: {known / recording.rate_hz:.3g} s of {name}, wanted {_LEAST_S:g} s or more to learn a map from"
            )
    return out


def _learn_quantiles(signal: str, virtual: Floats, real: Floats, *_rates: float) -> dict[str, Any]:
    pair = [[np.nanquantile(c, _QUANTILES) for c in x.T] for x in (virtual, real)]
    return {signal: {"virtual": np.array(pair[0]).tolist(), "real": np.array(pair[1]).tolist()}}


def _by_quantiles(step: Mapping[str, Any], signal: str, x: Floats, _rate: float) -> None:
    """Map (N, 3) in place."""
    for c, ours, theirs in zip(x.T, step[signal]["virtual"], step[signal]["real"], strict=True):
        a, b = np.asarray(ours), np.asarray(theirs)
        a = a + 1e-12 * np.arange(a.size)  # a signal that stands still has equal quantiles
        inside = np.interp(c, a, b)
        out = np.where(c < a[0], c + (b[0] - a[0]), np.where(c > a[-1], c + (b[-1] - a[-1]), inside))
        c[:] = np.where(np.isfinite(c), out, np.nan)


def _learn_spectrum(
    signal: str, virtual: Floats, real: Floats, virtual_hz: float, real_hz: float
) -> dict[str, Any]:
    f_virtual, ours = power(virtual, virtual_hz)
    f_real, theirs = power(real, real_hz)
    top = min(f_virtual[-1], f_real[-1])
    frequency = f_virtual[f_virtual <= top]
    gains = []
    for a, b in zip(ours.T, theirs.T, strict=True):
        ratio = _level(frequency, np.interp(frequency, f_real, b)) - _level(frequency, a[: frequency.size])
        gain = np.exp(0.5 * np.clip(ratio, -_MOST_DB * np.log(10) / 10, _MOST_DB * np.log(10) / 10))
        gain[0] = 1.0
        gains.append(gain.tolist())
    return {"frequency_hz": frequency.tolist(), f"{signal}_gain": gains}


def power(x: Floats, rate_hz: float) -> tuple[Floats, Floats]:
    """Return frequencies (F,) · Hz and power density (F, 3) of x (N, 3), the mean over windows without a gap."""
    length = max(32, round(_WINDOW_S * rate_hz))
    known: NDArray[np.bool_] = np.asarray(np.isfinite(x).all(axis=1))
    starts = np.arange(0, x.shape[0] - length + 1, length // 2)
    starts = [s for s in starts if np.all(known[s : s + length])]
    if not starts:
        raise TimeError(f"no stretch of {_WINDOW_S:g} s without a gap to learn a spectrum from")
    windows = np.stack([x[s : s + length] for s in starts])
    taper = np.hanning(length + 1)[:-1][:, None]
    spectrum = np.fft.rfft((windows - windows.mean(axis=1, keepdims=True)) * taper, axis=1)
    power = (np.abs(spectrum) ** 2).mean(axis=0) / (rate_hz * np.sum(taper**2))
    return np.arange(power.shape[0]) * (rate_hz / length), np.asarray(power, dtype=np.float64)


def _level(frequency: Floats, power: Floats) -> Floats:
    """Logarithm of the power, averaged over a third of an octave and at least three bins."""
    total = np.concatenate([[0.0], np.cumsum(power)])
    at = np.arange(power.size)
    half = np.maximum(1, np.round(at * (2 ** (1 / 6) - 1)).astype(int))
    low, high = np.maximum(at - half, 1), np.minimum(at + half + 1, power.size)
    return np.log(
        (total[high] - total[np.minimum(low, high - 1)]) / (high - np.minimum(low, high - 1)) + 1e-30
    )


def _by_spectrum(step: Mapping[str, Any], signal: str, x: Floats, rate_hz: float) -> None:
    """Filter (N, 3) in place, symmetric taps, ends mirrored; straight lines across short gaps, each stretch by itself."""
    frequency = np.asarray(step["frequency_hz"])
    nyquist = 0.5 * rate_hz
    taps = 2 * (int(min(_TAPS_S * rate_hz, 0.5 * x.shape[0])) // 2) + 1
    grid = np.linspace(0.0, nyquist, 513)
    known = np.flatnonzero(np.isfinite(x).all(axis=1))
    runs = np.split(known, np.flatnonzero(np.diff(known) > _BRIDGED_S * rate_hz) + 1)
    for c, gain in zip(x.T, step[f"{signal}_gain"], strict=True):
        if taps < 3:
            continue
        filter_ = firwin2(taps, grid, np.interp(grid, frequency, gain), fs=rate_hz)
        for run in runs:
            if run.size < 2:
                continue
            whole = np.interp(np.arange(run[0], run[-1] + 1), run, c[run])
            middle = float(whole.mean())
            padded = np.pad(whole - middle, taps // 2, mode="reflect")
            c[run] = (oaconvolve(padded, filter_, mode="valid") + middle)[run - run[0]]


_LEARNED = {"quantile": _learn_quantiles, "spectral": _learn_spectrum}
_STEPS = {"quantile": _by_quantiles, "spectral": _by_spectrum}
