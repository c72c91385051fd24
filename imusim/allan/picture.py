"""The log–log picture that people expect: Allan deviation of the device, of the fit, and of what the preset simulates."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from imusim.allan.coefficients import Coefficients
from imusim.allan.deviation import AllanCurve, allan_deviation
from imusim.allan.model import model_deviation
from imusim.allan.preset import DEG_PER_H, MICRO_G, UNITS, in_unit, interval_text
from imusim.types import Floats
from imusim.viz.style import AXIS_COLOURS, FAINT, INK, MUTED, new_figure, quiet_axes, text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from imusim.allan.fit import SensorFit

_WIDTH, _HEIGHT = 12.5, 7.2
_MOST = 1_000_000  # samples that are simulated; longer recordings at a lower rate
_SHOWN = {"acc": ("accelerometer", "µg", MICRO_G), "gyro": ("gyroscope", "°/h", DEG_PER_H)}


def draw_allan(fitted: SensorFit, *, seed: int = 0) -> Figure:
    """Return the figure of a fit: a panel a signal, its three axes, 95 % bands, the fitted noises, and a simulation.

    Parameters
    ----------
    fitted : a fit (`imusim.allan.fit_sensor`)
    seed : of the simulated recording of the fitted preset
    """
    static = fitted.static
    figure = new_figure(_WIDTH, _HEIGHT, dpi=120.0)
    inch = 1.0 / _HEIGHT
    text(figure, 0.5 / _WIDTH, 1 - 0.38 * inch, fitted.name, fontsize=15, weight="bold", va="center")
    about = f"Allan deviation at rest, {static.duration_s / 3600:.3g} h at {static.rate_hz:g} Hz"
    about += f"   ·   {static.source}" if static.source else ""
    text(figure, 0.5 / _WIDTH, 1 - 0.7 * inch, about, fontsize=9.5, color=MUTED, va="center")
    simulated, rate = _simulated(fitted, seed)
    for column, signal in enumerate(("acc", "gyro")):
        left = (0.75 + column * 6.0) / _WIDTH
        ax = figure.add_axes((left, 1.9 * inch, 5.35 / _WIDTH, (_HEIGHT - 3.05) * inch))
        _, _, unit = _SHOWN[signal]
        measured = allan_deviation(getattr(static, signal) / unit, static.rate_hz)
        again = allan_deviation(simulated[signal] / unit, rate)
        _panel(ax, signal, fitted, measured, again)
        _figures(figure, signal, getattr(fitted, signal), left, 1.28 * inch, inch)
    return figure


def _simulated(fitted: SensorFit, seed: int) -> tuple[dict[str, Floats], float]:
    """What the preset measures at rest at the device's mean signals, as long as the recording, and its rate · Hz."""
    import yaml

    from imusim.sensor import Signals
    from imusim.sensor.sheet import sensor_of

    static = fitted.static
    thin = math.ceil(static.acc.shape[0] / _MOST)
    rate, samples = static.rate_hz / thin, static.acc.shape[0] // thin
    still = [np.tile(getattr(static, s).mean(axis=0), (samples, 1, 1)) for s in ("acc", "gyro")]
    sensor = sensor_of(yaml.safe_load(fitted.sheet), fitted.name)
    out = sensor.apply(Signals(np.arange(samples) / rate, *still), rate, seed)
    return {"acc": out.acc[:, 0], "gyro": out.gyro[:, 0]}, rate


def _panel(ax: Axes, signal: str, sensor: SensorFit, measured: AllanCurve, again: AllanCurve) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    title, name, unit = _SHOWN[signal]
    ax.set_xscale("log")
    ax.set_yscale("log")
    quiet_axes(ax, 8.0)
    ax.tick_params(which="minor", colors=FAINT, length=1.5, width=0.5)
    ax.grid(True, which="major", color=FAINT, linewidth=0.6)
    ax.grid(True, which="minor", color=FAINT, linewidth=0.25)
    low, high = np.inf, 0.0
    for c, colour in enumerate(AXIS_COLOURS):
        ax.fill_between(
            measured.tau_s, measured.low[:, c], measured.high[:, c], color=colour, alpha=0.13, linewidth=0
        )
        ax.plot(
            again.tau_s,
            again.deviation[:, c],
            color=colour,
            linewidth=1.0,
            linestyle=(0, (3, 1.5)),
            alpha=0.9,
        )
        ax.plot(measured.tau_s, measured.deviation[:, c], color=colour, linewidth=1.7)
        low, high = min(low, measured.deviation[:, c].min()), max(high, measured.deviation[:, c].max())
    ax.set_xlim(measured.tau_s[0] / 1.15, measured.tau_s[-1] * 1.6)
    ax.set_ylim(low / 3.5, high * 1.6)
    step = getattr(sensor, f"{signal}_step")
    _noises(ax, getattr(sensor, signal), unit, step / unit / math.sqrt(12.0 * sensor.static.rate_hz))
    ax.xaxis.set_major_locator(LogLocator(10, numticks=12))
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.yaxis.set_minor_formatter(NullFormatter())
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}"))
    ax.set_xlabel("averaging time τ, s", fontsize=9, color=INK, labelpad=3)
    ax.set_title(f"{title}, {name}", fontsize=10.5, color=INK, loc="left", pad=7)
    handles = [
        Line2D([], [], color=colour, linewidth=1.7, label=f"device {a}")
        for a, colour in zip("xyz", AXIS_COLOURS, strict=True)
    ]
    handles += [
        Patch(color=MUTED, alpha=0.25, linewidth=0, label="95 % of it"),
        Line2D(
            [], [], color=MUTED, linewidth=1.0, linestyle=(0, (3, 1.5)), label="simulated from the preset"
        ),
        Line2D(
            [],
            [],
            color=INK,
            linewidth=1.0,
            label=f"fit: N, B, K{' and rounding' if step else ''} (mean axis)",
        ),
    ]
    legend = ax.legend(
        handles=handles, fontsize=7.5, loc="upper right", frameon=True, borderpad=0.5, labelspacing=0.3
    )
    legend.get_frame().set(edgecolor="none", alpha=0.85)


def _noises(ax: Axes, fitted: Coefficients, unit: float, rounding: float) -> None:
    """The fit of the mean axis with rounding, as white noise of that N, and its N, B and K lines with their slopes."""
    n, b, k = (float(np.sqrt(np.mean(e.value**2))) / unit for e in (fitted.N, fitted.B, fitted.K))
    tau = np.geomspace(*ax.get_xlim(), 200)
    parts = model_deviation(tau, math.hypot(n, rounding), b, k, fitted.flicker_taus_s)
    ax.plot(tau, np.sqrt(sum(part**2 for part in parts)), color=INK, linewidth=1.0)
    bottom, top = ax.get_ylim()
    crossing = math.sqrt(3.0) * n / k if k > 0 else math.inf
    lines = [
        ("N, slope −1/2", n / np.sqrt(tau), n > 0, tau < crossing / 1.5),
        ("0.664 B, slope 0", np.full_like(tau, 0.664 * b), b > 0, tau > 0),
        ("K, slope +1/2", k * np.sqrt(tau / 3.0), k > 0, tau > crossing * 1.5),
    ]
    for label, line, there, shown in lines:
        inside = shown & (line > bottom) & (line < top)
        if not there or not inside.any():
            continue
        ax.plot(tau[inside], line[inside], color=INK, linewidth=0.8, linestyle=(0, (1, 2)))
        x, y, turn, align = _label_place(ax, label, tau[inside], line[inside])
        ax.text(
            x,
            y,
            label,
            fontsize=8,
            color=INK,
            rotation=turn,
            rotation_mode="anchor",
            ha=align,
            va="bottom",
            parse_math=False,
            zorder=5,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.7, "pad": 0.6},
        )


def _label_place(ax: Axes, label: str, tau: Floats, line: Floats) -> tuple[float, float, float, str]:
    """Where a line's name goes (data), its angle in data, and its alignment."""
    if label.startswith("N"):
        i, slope, align = tau.size - 1, -0.5, "right"
    elif label.startswith("K"):
        short = tau[-1] / tau[0] < (ax.get_xlim()[1] / ax.get_xlim()[0]) ** 0.2
        i, slope, align = (tau.size - 1, 0.5, "right") if short else (0, 0.5, "left")
    else:
        i, slope, align = 0, 0.0, "left"
    i = min(max(i, int(0.03 * tau.size)), max(int(0.97 * tau.size) - 1, 0))
    # on log axes the angle follows from the decades' lengths on paper
    (x0, y0), (x1, y1) = ax.transData.transform([(1.0, 1.0), (10.0, 10.0**slope)])
    return float(tau[i]), float(line[i]) * 1.03, math.degrees(math.atan2(y1 - y0, x1 - x0)), align


def _figures(figure: Figure, signal: str, fitted: Coefficients, left: float, top: float, inch: float) -> None:
    """The coefficients with their intervals, below a panel."""
    for row, symbol in enumerate("NBK"):
        _, unit, si = UNITS[signal][symbol]
        if unit == "°/s/√Hz":  # small numbers take much room
            unit, si = f"m{unit}", 1e-3 * si
        y = top - row * 0.33 * inch
        one_sided = ", one-sided" if symbol == "N" else ""
        text(figure, left, y, f"{symbol}", fontsize=9, weight="bold", va="center")
        text(figure, left + 0.18 / _WIDTH, y, f"{unit}{one_sided}", fontsize=7, color=MUTED, va="center")
        for c, (value, low, high) in enumerate(in_unit(getattr(fitted, symbol), si)):
            x = left + (1.32 + 1.44 * c) / _WIDTH
            text(
                figure,
                x,
                y,
                f"{value:.3g}" if value > 0 else "–",
                fontsize=8.5,
                color=AXIS_COLOURS[c],
                va="center",
            )
            text(
                figure,
                x + 0.5 / _WIDTH,
                y,
                interval_text(value, low, high),
                fontsize=7,
                color=MUTED,
                va="center",
            )
