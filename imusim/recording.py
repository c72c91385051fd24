"""A recording: what S sensors measured, with its quality and everything that is needed to make it again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import InitVar, dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from imusim._version import __version__
from imusim.conventions import STANDARD_GRAVITY
from imusim.errors import ConfigError, MotionFileError, ShapeError, TimeError, UnitError, unknown_name
from imusim.types import Floats, as_floats, check_time

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False, repr=False)
class Recording:
    """Signals of S inertial sensors, simulated or real.

    Parameters
    ----------
    time_s : (T,) · s, strictly increasing
    acc : (T, S, 3) · m/s² · sensor axes, specific force: +9.81 along up at rest; NaN where unknown
    gyro : (T, S, 3) · rad/s · sensor axes
    sensors : S different names

    Other Parameters
    ----------------
    mag : (T, S, 3) · µT · sensor axes, or None
    acc_sd, gyro_sd : (T, S, 3) · units of acc and gyro, or None: standard deviation that the uncertain motion
        (not the sensor's noise) leaves
    valid : (T, S) or (T,) bool, or None: False where the motion was not seen
    confidence : (T, S), 0 … 1, or None: how far the body parts that carry the sensor were seen
    true_time_s : (T, S) · s, or None: when each sensor really sampled, if its clock is not perfect
    metadata : resolved settings, seed, version, placements, sensor
    unit : "m/s2" or "g", the unit that `acc` is given in. Not given: taken for m/s², unless it looks like g
    gyro_unit : "rad/s" or "deg/s", the unit that `gyro` is given in. Not given: taken for rad/s, unless it looks like deg/s

    Raises
    ------
    ShapeError, TimeError
        If the arrays do not fit together, the names are not unique, or time does not increase.
    UnitError
        If `unit` is not given and the median norm of `acc` is 1: that looks like g. If `gyro_unit` is not given and a
        twentieth of the samples turns by more than 60 rad/s (ten turns a second): that looks like deg/s.
    """

    time_s: Floats
    acc: Floats
    gyro: Floats
    sensors: tuple[str, ...]
    mag: Floats | None = None
    acc_sd: Floats | None = None
    gyro_sd: Floats | None = None
    valid: NDArray[np.bool_] | None = None
    confidence: Floats | None = None
    true_time_s: Floats | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    unit: InitVar[str | None] = None
    gyro_unit: InitVar[str | None] = None

    def __post_init__(self, unit: str | None, gyro_unit: str | None) -> None:
        put = object.__setattr__
        put(self, "time_s", check_time(self.time_s))
        names = (self.sensors,) if isinstance(self.sensors, str) else tuple(str(s) for s in self.sensors)
        if len(set(names)) != len(names) or not all(names):
            raise ShapeError(f"sensors must be different, non-empty names, got {', '.join(map(repr, names))}")
        put(self, "sensors", names)
        shape = (self.time_s.size, len(names), 3)
        for name in ("acc", "gyro", "mag", "acc_sd", "gyro_sd"):
            value = getattr(self, name)
            if value is not None:
                put(self, name, as_floats(value, name, shape))
        for name in ("confidence", "true_time_s"):
            value = getattr(self, name)
            if value is not None:
                put(self, name, as_floats(value, name, shape[:2]))
        if self.valid is not None:
            valid = np.asarray(self.valid, dtype=np.bool_)
            valid = np.repeat(valid[:, None], shape[1], axis=1) if valid.shape == shape[:1] else valid
            if valid.shape != shape[:2]:
                raise ShapeError(f"valid has shape {valid.shape}, wanted {shape[:2]} or {shape[:1]}")
            put(self, "valid", np.ascontiguousarray(valid))
        put(self, "acc", _in_si(self.acc, unit))
        put(self, "gyro", _in_rad_s(self.gyro, gyro_unit))

    def __repr__(self) -> str:
        sensor = self.metadata.get("sensor", {})
        kind = f", {sensor['name']}" if isinstance(sensor, Mapping) and "name" in sensor else ""
        rate = f", {self.rate_hz:g} Hz" if self.time_s.size > 1 else ""
        names = ", ".join(self.sensors[:3]) + (f" … ({len(self.sensors)})" if len(self.sensors) > 3 else "")
        return f"<Recording {names}: {self.time_s.size} samples, {self.duration_s:.2f} s{rate}{kind}>"

    @property
    def duration_s(self) -> float:
        """Time from the first to the last sample, s."""
        return float(self.time_s[-1] - self.time_s[0]) if self.time_s.size else 0.0

    @property
    def rate_hz(self) -> float:
        """Sampling rate, Hz: the usual one if the samples are not evenly spaced.

        Raises
        ------
        TimeError
            If there are fewer than two samples and the metadata does not say.
        """
        if self.time_s.size < 2:
            if "rate_hz" in self.metadata:
                return float(self.metadata["rate_hz"])
            raise TimeError(f"a recording of {self.time_s.size} sample(s) has no rate")
        steps = np.diff(self.time_s)
        step = float(np.median(steps))
        if np.abs(steps - step).max() < 1e-6 * step:
            step = self.duration_s / steps.size
        return float(np.round(1.0 / step, 9))

    def select(self, sensors: str | Sequence[str]) -> Recording:
        """Return the recording of some of the sensors, in the order given.

        Raises
        ------
        UnknownNameError
            If one is not there, with the nearest names.
        """
        wanted = [sensors] if isinstance(sensors, str) else list(sensors)
        for name in wanted:
            if name not in self.sensors:
                raise unknown_name("sensor of this recording", name, self.sensors)
        at = [self.sensors.index(name) for name in wanted]
        arrays: dict[str, Any] = {k: v if k == "time_s" else v[:, at] for k, v in self.arrays().items()}
        return Recording(
            sensors=tuple(wanted), metadata=self.metadata, unit="m/s2", gyro_unit="rad/s", **arrays
        )

    def exchanged(
        self,
        acc: Floats,
        gyro: Floats,
        metadata: Mapping[str, Any],
        mag: Floats | None = None,
        true_time_s: Floats | None = None,
    ) -> Recording:
        """Return the same recording with other signals and metadata; samples that became NaN are not valid."""
        valid = self.valid
        known = np.asarray(np.isfinite(acc).all(axis=-1))
        if not known.all():
            valid = known if valid is None else valid & known
        return replace(
            self,
            acc=acc,
            gyro=gyro,
            mag=self.mag if mag is None else mag,
            true_time_s=self.true_time_s if true_time_s is None else true_time_s,
            valid=valid,
            metadata=metadata,
            unit="m/s2",
            gyro_unit="rad/s",
        )

    def to_dataframe(self, *, quality: bool = False) -> pd.DataFrame:
        """Return a pandas table: ``time_s``, then ``<sensor>_acc_x`` … ``<sensor>_gyro_z`` for every sensor, SI units.

        Parameters
        ----------
        quality : also ``_acc_sd_x`` …, ``_gyro_sd_x`` …, ``_valid`` and ``_confidence``
        """
        import pandas as pd

        from imusim.export.columns import QUALITY, to_columns

        arrays = {k: v for k, v in self.arrays().items() if quality or k not in QUALITY}
        return pd.DataFrame(to_columns(arrays, self.sensors), copy=False)

    def save(self, path: str | Path, *, convention: str = "si") -> tuple[Path, ...]:
        """Write ``.parquet`` or ``.csv`` with a ``.json`` of the same stem beside it, or ``.npz``; return the files.

        Parameters
        ----------
        path : file to write; the suffix chooses the format
        convention : "si", "android" (SI too) or "coremotion" (Apple: acc in g, −1 along up at rest).
            Axes are not turned; `load` returns to SI.

        Raises
        ------
        ConfigError, UnknownNameError
            On another suffix or convention.
        OutputError
            If they cannot be written; nothing half-written is left.
        """
        from imusim.export import save_arrays

        rate = self.rate_hz if self.time_s.size > 1 else None
        return save_arrays(Path(path), self.arrays(), self._header(self.time_s.size, rate), convention)

    @classmethod
    def load(cls, path: str | Path) -> Recording:
        """Read what `save` wrote, or any file with such columns; back in SI whatever its convention.

        A missing sidecar costs the metadata of a CSV file and nothing else.

        Raises
        ------
        MotionFileError
            If there is no such file, or it is damaged or something else.
        ConfigError
            If the suffix is not one that `save` writes.
        """
        from imusim.export import load_arrays

        arrays, header = load_arrays(Path(path))
        known: dict[str, Any] = {k: arrays[k] for k in _ARRAYS if k in arrays}
        lacks = [k for k in ("time_s", "acc", "gyro") if k not in known]
        if lacks or known["acc"].ndim != 3:
            raise MotionFileError(f"{path} is not a recording: wanted time_s (T,), acc and gyro (T, S, 3)")
        sensors = header.get("sensors") or [f"s{i}" for i in range(known["acc"].shape[1])]
        try:
            return cls(
                sensors=tuple(sensors),
                metadata=header.get("metadata", {}),
                unit="m/s2",
                gyro_unit="rad/s",
                **known,
            )
        except (ShapeError, TimeError, TypeError) as error:
            raise MotionFileError(f"{path} is damaged or not a recording: {error}") from None

    def plot(self, sensors: str | Sequence[str] | None = None) -> Figure:
        """Return a matplotlib figure of the signals, a row a sensor; shaded: ± 2 standard deviations, gaps grey."""
        from imusim.viz.plot import plot

        return plot(self if sensors is None else self.select(sensors))

    def _header(self, samples: int, rate_hz: float | None) -> dict[str, Any]:
        from imusim.export import plain

        return {
            "imusim": __version__,
            "sensors": list(self.sensors),
            "samples": int(samples),
            "rate_hz": rate_hz,
            "metadata": plain(self.metadata),
        }

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What is there of the arrays, by name, time first in shape and order: a recording is made of them again."""
        return {name: getattr(self, name) for name in _ARRAYS if getattr(self, name) is not None}


def save_stream(path: str | Path, pieces: Iterable[Recording]) -> tuple[Path, ...]:
    """Write pieces that follow one another (`imusim.stream`) as one ``.parquet`` with its ``.json``; return the files.

    Memory holds one piece at a time.

    Raises
    ------
    ConfigError
        On another suffix, and if there is no piece at all.
    ShapeError
        If a piece has other sensors than the first.
    OutputError
        If they cannot be written; nothing half-written is left.
    """
    from imusim.export import save_parts

    rest = iter(pieces)
    first = next(rest, None)
    if first is None:
        raise ConfigError("there is nothing to save: no piece of a recording came")
    samples, rate = 0, None

    def parts() -> Iterator[dict[str, NDArray[Any]]]:
        nonlocal samples, rate
        for piece in chain([first], rest):
            if piece.sensors != first.sensors:
                raise ShapeError(f"a piece has sensors {piece.sensors}, the first had {first.sensors}")
            samples += piece.time_s.size
            rate = piece.rate_hz if rate is None and piece.time_s.size > 1 else rate
            yield piece.arrays()

    return save_parts(Path(path), parts(), lambda: first._header(samples, rate), first.sensors)


_ARRAYS = ("time_s", "acc", "gyro", "mag", "acc_sd", "gyro_sd", "valid", "confidence", "true_time_s")


def _in_si(acc: Floats, unit: str | None) -> Floats:
    """`acc` in m/s²; raise UnitError if the unit is unknown, or not given and it looks like g."""
    if unit == "g":
        return acc * STANDARD_GRAVITY
    if unit is None:
        squared = np.einsum("tsi,tsi->ts", acc, acc)
        known = squared[np.isfinite(squared)]
        median = float(np.sqrt(np.median(known))) if known.size else 0.0
        if 0.9 < median < 1.1:
            raise UnitError(
                f'acc looks like g, not m/s² (median norm {median:.2f}). Pass unit="g". (Or unit="m/s2" if it is m/s².)'
            )
    elif unit != "m/s2":
        raise UnitError(f'unit={unit!r}: wanted "m/s2" or "g"')
    return acc


def _in_rad_s(gyro: Floats, unit: str | None) -> Floats:
    """`gyro` in rad/s; raise UnitError if the unit is unknown, or not given and it looks like deg/s."""
    if unit == "deg/s":
        return np.deg2rad(gyro)
    if unit is None:
        squared = np.einsum("tsi,tsi->ts", gyro, gyro)
        known = squared[np.isfinite(squared)]
        fast = float(np.sqrt(np.quantile(known, 0.95))) if known.size else 0.0
        if fast > 60.0:
            raise UnitError(
                f'gyro looks like deg/s, not rad/s (5 % of the samples above {fast:.0f}). Pass gyro_unit="deg/s". '
                '(Or gyro_unit="rad/s" if it is rad/s.)'
            )
    elif unit != "rad/s":
        raise UnitError(f'gyro_unit={unit!r}: wanted "rad/s" or "deg/s"')
    return gyro
