"""From a file of a device at rest to a preset and its picture."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from imusim.allan.coefficients import SHORTEST, Coefficients, fit_coefficients
from imusim.allan.files import read_static
from imusim.allan.model import needed_duration_s
from imusim.allan.preset import UNITS, in_unit, interval_text, sheet_of
from imusim.allan.static import StaticRecording
from imusim.allan.step import quantisation_step
from imusim.errors import ConfigError, TimeError

_COARSE = 0.4  # steps: noise below this does not stir the last digit, so its rounding is not noise
_MISFIT = 5.0


@dataclass(frozen=True)
class SensorFit:
    """What a recording at rest says about its sensor.

    Parameters
    ----------
    name : of the sensor
    static : the recording
    acc, gyro : coefficients of the three axes, in m/s² and rad/s
    acc_step, gyro_step : quantisation steps · m/s², rad/s; 0: none found
    sheet : the preset as YAML text
    """

    name: str
    static: StaticRecording
    acc: Coefficients
    gyro: Coefficients
    acc_step: float
    gyro_step: float
    sheet: str

    def doubts(self) -> list[str]:
        """Return what should be known before the preset is trusted, one sentence each."""
        said = list(self.static.remarks)
        if (moved := self.static.motion()) is not None:
            said.append(
                f"the device was not still for {moved[0]:.0f} s, first at {moved[1]:.0f} s: N, B and K are too large; "
                "cut these parts off, or record again"
            )
        for signal, fitted, step in (("acc", self.acc, self.acc_step), ("gyro", self.gyro, self.gyro_step)):
            series = getattr(self.static, signal)
            spread = float(np.min(np.diff(series[:200_000], axis=0).std(axis=0))) / math.sqrt(2.0)
            if spread < _COARSE * step:
                said.append(
                    f"the noise of {signal} ({spread / step:.2g} steps) is too small for its resolution: N, B and K are "
                    "doubtful; record at a finer range or a higher rate"
                )
            worst = int(np.argmax(fitted.misfit))
            if fitted.misfit[worst] > _MISFIT:
                said.append(
                    f"the spectrum of {signal} {'xyz'[worst]} is not that of N, B and K, most of all near "
                    f"{fitted.misfit_hz[worst]:.2g} Hz: vibration, a filter or temperature may be in it"
                )
            said += [text for symbol in "BK" if (text := _too_short(signal, symbol, fitted))]
        return said

    def table(self) -> str:
        """Return N, B and K of every signal and axis with 95 % intervals, in the units of data sheets."""
        lines = []
        for signal, fitted in (("acc", self.acc), ("gyro", self.gyro)):
            for symbol, meaning in (
                ("N", _NOISE[signal]),
                ("B", "bias instability"),
                ("K", "rate random walk"),
            ):
                _, unit, si = UNITS[signal][symbol]
                lines.append(f"{signal:<5}{symbol}  {meaning}, {unit}")
                for axis, (value, low, high) in zip("xyz", in_unit(getattr(fitted, symbol), si), strict=True):
                    lines.append(f"       {axis}  {value:<10.3g} 95 %: {interval_text(value, low, high)}")
        return "\n".join(lines)


_NOISE = {"acc": "noise density (one-sided)", "gyro": "noise density (one-sided)"}


def fit_sensor(static: StaticRecording, name: str) -> SensorFit:
    """Fit N, B and K of a recording at rest and write them as a sheet.

    Raises
    ------
    TimeError
        If it is shorter than 256 samples.
    ConfigError
        If a signal never changes, or the name is empty.
    """
    if static.acc.shape[0] < SHORTEST:
        raise TimeError(
            f"{static.source or 'the recording'} has {static.acc.shape[0]} samples in one piece, wanted {SHORTEST} or "
            "more: hours, for B and K. Record for longer."
        )
    acc_step, gyro_step = quantisation_step(static.acc), quantisation_step(static.gyro)
    fits = []
    for signal, x, step in (("acc", static.acc, acc_step), ("gyro", static.gyro, gyro_step)):
        dead = np.flatnonzero(np.ptp(x, axis=0) == 0)
        if dead.size:
            raise ConfigError(
                f"{signal} {'xyz'[dead[0]]} never changes, so it has no noise to fit. Check that the sensor was on, or "
                "record at a finer range."
            )
        fits.append(fit_coefficients(x, static.rate_hz, step=step))
    sheet = sheet_of(
        name,
        *fits,
        source=f"fitted to the recording {static.source}"
        if static.source
        else "fitted to a recording at rest",
        acc_step=acc_step,
        gyro_step=gyro_step,
        acc_mean=static.acc.mean(axis=0),
        gyro_mean=static.gyro.mean(axis=0),
    )
    return SensorFit(name, static, *fits, acc_step=acc_step, gyro_step=gyro_step, sheet=sheet)


def fit_file(
    path: str | Path,
    out: str | Path | None = None,
    *,
    name: str | None = None,
    rate_hz: float | None = None,
    sensor: str | None = None,
    gyro_unit: str = "auto",
) -> tuple[SensorFit, tuple[Path, Path]]:
    """Fit a file of a device at rest; write ``<name>.yaml`` and ``<name>_allan.png``, both or neither.

    Parameters
    ----------
    path : as `read_static`
    out : folder; None: where the file is

    Other Parameters
    ----------------
    name : of the sensor and the files; None: the file's
    rate_hz, sensor, gyro_unit : as `read_static`

    Returns
    -------
    tuple
        The fit, and the files written.

    Raises
    ------
    ImusimError
        As `read_static` and `fit_sensor`; OutputError if a file cannot be written.
    """
    from imusim.allan.picture import draw_allan
    from imusim.atomic import written_together
    from imusim.viz.style import tolerant_fonts

    path = Path(path).expanduser()
    title = path.stem if name is None else name.strip()
    stem = re.sub(r"[^\w.-]+", "_", title).strip("._")
    if not stem:
        raise ConfigError(f"name={name!r}: wanted letters or digits, for the files' names")
    folder = path.parent if out is None else Path(out).expanduser()
    sheet, picture = folder / f"{stem}.yaml", folder / f"{stem}_allan.png"
    fitted = fit_sensor(read_static(path, rate_hz=rate_hz, sensor=sensor, gyro_unit=gyro_unit), title)
    with written_together(sheet, picture) as (text, image):
        text.write_text(fitted.sheet, encoding="utf-8")
        with tolerant_fonts():
            draw_allan(fitted).savefig(image, format="png")
    return fitted, (sheet, picture)


def _too_short(signal: str, symbol: str, fitted: Coefficients) -> str:
    """What to say if a coefficient is not identified on some axis, or ""."""
    estimate = getattr(fitted, symbol)
    lost = np.flatnonzero(~estimate.identified)
    if lost.size == 0:
        return ""
    _, unit, si = UNITS[signal][symbol]
    needed = 0.0
    for axis in lost:  # were it as large as the data allow: between what is likeliest and the upper bound
        theta = {s: float(getattr(fitted, s).value[axis]) for s in "NBK"}
        theta[symbol] = max(theta[symbol], 0.5 * float(estimate.high[axis]))
        needed = max(
            needed,
            needed_duration_s(
                symbol,
                **theta,
                flicker_taus_s=fitted.flicker_taus_s,
                rate_hz=fitted.rate_hz,
                from_s=1.5 * fitted.duration_s,
            ),
        )
    axes = ", ".join("xyz"[i] for i in lost)
    bound = float(np.max(estimate.high[lost])) / si
    more = (
        f"about {_long(needed)} would show one of half that"
        if math.isfinite(needed)
        else "not even 30 days would show half of that"
    )
    return (
        f"{_long(fitted.duration_s)} are too short for the {symbol} of {signal} ({axes}): it is below {bound:.3g} {unit}; "
        f"{more}"
    )


def _long(seconds: float) -> str:
    return f"{seconds / 3600:.1f} h" if seconds >= 3600 else f"{seconds / 60:.0f} min"
