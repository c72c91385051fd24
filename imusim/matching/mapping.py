"""A map from virtual to real signals, learned without labels.

It moves statistics, not truth: what activities the real recording holds goes into the map too. Off unless asked for, and
always written into the metadata.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from imusim.errors import ConfigError, TimeError, unknown_name
from imusim.matching.quantiles import learn_quantiles, map_quantiles
from imusim.matching.spectra import learn_spectrum, map_spectrum
from imusim.recording import Recording
from imusim.types import Floats

KINDS = ("quantile", "spectral")
_LEAST_S = 10.0


@dataclass(frozen=True)
class DomainMap:
    """A map of virtual signals to the distribution of real ones, sensor by sensor and axis by axis.

    Parameters
    ----------
    steps : sensor → the steps in their order, JSON-ready: ``{"kind": "quantile", "acc": {"virtual": (3, Q),
        "real": (3, Q)}, "gyro": …}`` or ``{"kind": "spectral", "frequency_hz": (F,), "acc_gain": (3, F),
        "acc_fill": (3, F) · unit²/Hz, "acc_loudness": unit, …}``
    kinds : what was asked for
    real_s : length of the real recording it was learned from · s

    Notes
    -----
    "quantile" sends every value to the real value of the same rank; beyond the outermost quantiles the difference there is
    kept. "spectral" filters with ``√(S_real/S_virtual)`` between 0.1 and 1, without phase, and adds noise of the density
    still missing, as loud as the movement of the moment; the mean stays. Both densities are means over windows without
    the loudest tenth, so that a landmark that jumps once does not decide; quantiles first tame such jumps.
    """

    steps: Mapping[str, tuple[Mapping[str, Any], ...]]
    kinds: tuple[str, ...]
    real_s: float

    def apply(self, virtual: Recording, *, seed: int = 0) -> Recording:
        """Return the recording mapped; gaps stay gaps, its metadata say what was done (``"mapped"``).

        Parameters
        ----------
        virtual : the recording to map
        seed : of the noise that a spectral map adds; same seed, same bits

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
            rng = np.random.default_rng([seed, s])
            if name not in self.steps:
                raise unknown_name("sensor of the map", name, list(self.steps))
            for step in self.steps[name]:
                for signal, x in (("acc", acc[:, s]), ("gyro", gyro[:, s])):
                    _applied(step, signal, x, virtual.rate_hz, rng)
        said = {"kinds": list(self.kinds), "real_s": self.real_s, "seed": seed}
        metadata = dict(virtual.metadata) | {"mapped": said}
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
        made, rng = [], np.random.default_rng(0)
        for kind in asked:
            step: dict[str, Any] = {"kind": kind}
            for signal in ("acc", "gyro"):
                if kind == "quantile":
                    step |= learn_quantiles(signal, a[signal], b[signal])
                else:
                    step |= learn_spectrum(signal, a[signal], b[signal], virtual.rate_hz, real.rate_hz)
            for signal in ("acc", "gyro"):  # what the next one has to map
                _applied(step, signal, a[signal], virtual.rate_hz, rng)
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


def _applied(
    step: Mapping[str, Any], signal: str, x: Floats, rate_hz: float, rng: np.random.Generator
) -> None:
    """One step on (N, 3), in place."""
    if step["kind"] == "quantile":
        map_quantiles(step, signal, x)
    else:
        map_spectrum(step, signal, x, rate_hz, rng)
