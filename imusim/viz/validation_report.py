"""`validation.png`: one page that shows whether simulated equals real.

A row a sensor: the liveliest seconds of acc and gyro, real in ink with the simulated axis over it in colour and
the residual below;
spectra of real, simulated and residual; the figures, and what the alignment knows and does not know.
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np

from imusim._version import __version__
from imusim.types import Floats
from imusim.viz.style import (
    AXIS_COLOURS,
    BAD,
    DOUBTFUL,
    FAINT,
    GOOD,
    INK,
    MUTED,
    new_figure,
    quiet_axes,
    text,
    tolerant_fonts,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from imusim.validation.report import Overlay, ValidationReport

WIDTH, ROW, HEAD = 17.0, 3.3, 1.25  # inches
MOST = 6
_NOUNS = {
    "matches closely": "close match",
    "matches": "match",
    "matches loosely": "loose match",
    "does not match": "no match",
    "cannot be told": "cannot be told",
}
_UNITS = ("m/s²", "rad/s")
_COLUMNS = ((0.035, 0.275), (0.34, 0.275), (0.655, 0.125), (0.815, 0.18))


def draw_validation(report: ValidationReport) -> Figure:
    """Return the figure; of more than six sensors the best and the worst three are drawn, all are in the heat table."""
    sensors = list(report.alignment)
    ranked = sorted(sensors, key=lambda s: _or(report.verdict(s)[1], -2.0), reverse=True)
    shown = sensors if len(sensors) <= MOST else ranked[: MOST // 2] + ranked[-(MOST // 2) :]
    table = 0.0 if len(sensors) == len(shown) else 0.9 + 0.2 * len(sensors)
    notes = [
        f"{f.sensor + ': ' if f.sensor and f.sensor not in f.text else ''}{f.text}" for f in report.findings
    ]
    notes = [line for note in notes for line in textwrap.wrap("▪ " + note, 190, subsequent_indent="   ")]
    if len(notes) > 8:
        notes = [*notes[:7], f"… and {len(notes) - 7} lines more in validation.md"]
    foot = 0.35 + 0.19 * len(notes)
    height = HEAD + ROW * len(shown) + table + foot
    with tolerant_fonts():
        figure = new_figure(WIDTH, height)
        _head(figure, report, ranked, height)
        for i, sensor in enumerate(shown):
            top = height - HEAD - ROW * i
            _row(figure, report, sensor, top, height)
        if table:
            _heat(figure, report, ranked, (foot + table) / height, height)
        for i, note in enumerate(notes):
            text(figure, 0.035, (foot - 0.25 - 0.19 * i) / height, note, fontsize=9, va="top")
    return figure


def _head(figure: Figure, report: ValidationReport, ranked: list[str], height: float) -> None:
    s = report.settings
    y = lambda inches: 1.0 - inches / height  # noqa: E731
    text(figure, 0.035, y(0.22), "Simulated against real", fontsize=18, va="top", weight="bold")
    counts: dict[str, int] = {}
    for sensor in ranked:
        word = report.verdict(sensor)[0]
        counts[word] = counts.get(word, 0) + 1
    said = ", ".join(f"{_NOUNS[word]}: {n} of {len(ranked)}" for word, n in counts.items())
    text(figure, 0.335, y(0.27), said, fontsize=13, va="top", color=INK)
    part = (
        f"fitted on the first {1 - s['holdout']:.0%}, drawn and scored on the last {s['holdout']:.0%} of the overlap"
        if s["holdout"]
        else "all of the overlap fitted and scored"
        if s["align"]
        else "all of the overlap scored"
    )
    text(
        figure,
        0.035,
        y(0.68),
        f"aligned per sensor: {', '.join(s['align']) or 'nothing'}; {part}. Real {s['real_rate_hz']:g} Hz, simulated "
        f"{s['simulated_rate_hz']:g} Hz. imusim {__version__}",
        fontsize=9.5,
        va="top",
        color=MUTED,
    )
    for x, (name, colour) in zip(
        (0.035, 0.075, 0.15, 0.185, 0.22, 0.255),
        (("real", INK), ("simulated:", MUTED), ("x", AXIS_COLOURS[0]), ("y", AXIS_COLOURS[1]), ("z", AXIS_COLOURS[2]),
         ("residual, same scale, below", MUTED)),
        strict=True,
    ):  # fmt: skip
        text(figure, x, y(0.93), name, fontsize=10, va="top", color=colour, weight="bold")


def _row(figure: Figure, report: ValidationReport, sensor: str, top: float, height: float) -> None:
    word, r = report.verdict(sensor)
    ours = report.pairs[sensor]
    title = sensor if sensor == ours else f"{sensor} ↔ {ours}"
    text(figure, 0.035, (top - 0.02) / height, title, fontsize=12, va="top", weight="bold")
    text(
        figure,
        0.815,
        (top - 0.02) / height,
        f"{word} (r {r:.2f})" if np.isfinite(r) else word,
        fontsize=11,
        va="top",
        weight="bold",
        color=BAD if word == "does not match" else _colour(r),
    )
    overlay = report.overlays.get(sensor)
    bottom, tall = (top - ROW + 0.42) / height, (ROW - 0.75) / height
    if overlay is None:
        return
    for k, (left, width) in enumerate(_COLUMNS[:2]):
        ax = figure.add_axes((left, bottom, width, tall))
        _lanes(ax, overlay, k)
    left, width = _COLUMNS[2]
    for k in range(2):
        ax = figure.add_axes((left, bottom + (1 - k) * tall * 0.58, width, tall * 0.40))
        _spectrum(ax, overlay, k)
    _figures(figure, report, sensor, _COLUMNS[3][0], (top - 0.3) / height, height)


def _lanes(ax: Axes, overlay: Overlay, k: int) -> None:
    """Three lanes x, y, z with real, simulated, and below them the residual at the same scale."""
    quiet_axes(ax, 8)
    part = slice(3 * k, 3 * k + 3)
    real, simulated = overlay.real[:, part], overlay.simulated[:, part]
    residual = simulated - real
    both = np.concatenate([real, simulated])
    low = np.nan_to_num(np.nanmin(both, axis=0)) if np.isfinite(both).any() else np.zeros(3)
    high = np.nan_to_num(np.nanmax(both, axis=0)) if np.isfinite(both).any() else np.ones(3)
    span = np.maximum(high - low, 1e-6)
    size = np.nanmax(np.abs(residual)) if np.isfinite(residual).any() else 0.0
    pad = 0.12 * float(span.max())
    t, level = overlay.time_s, 0.0
    for i, colour in enumerate(AXIS_COLOURS):
        level -= span[i] + pad
        ax.plot(t, real[:, i] - low[i] + level, color=INK, linewidth=1.6, alpha=0.75)
        ax.plot(t, simulated[:, i] - low[i] + level, color=colour, linewidth=1.1)
    level -= size + pad
    ax.axhline(level, color=FAINT, linewidth=0.8)
    for i, colour in enumerate(AXIS_COLOURS):
        ax.plot(t, residual[:, i] + level, color=colour, linewidth=0.7, alpha=0.9)
    ax.set_ylim(level - size - pad, pad)
    if t.size > 1:
        ax.set_xlim(t[0], t[-1])
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    ax.set_xlabel(f"{('acc', 'gyro')[k]}, real clock · s", fontsize=8, color=MUTED, labelpad=1)
    scale = _nice(0.35 * float(span.max()))
    x = -0.008
    ax.plot(
        [x, x],
        [-pad - scale, -pad],
        color=INK,
        linewidth=2,
        transform=ax.get_yaxis_transform(),
        clip_on=False,
    )
    text(ax, x - 0.008, -pad - scale / 2, f"{scale:g} {_UNITS[k]}", transform=ax.get_yaxis_transform(),
         rotation=90, ha="right", va="center", fontsize=8)  # fmt: skip


def _spectrum(ax: Axes, overlay: Overlay, k: int) -> None:
    quiet_axes(ax, 7)
    f = overlay.frequency_hz
    if f.size < 3 or overlay.real_psd.shape[0] != f.size:
        return
    for psd, colour, style, name in (
        (overlay.real_psd, INK, "-", "real"),
        (overlay.simulated_psd, AXIS_COLOURS[2], "-", "simulated"),
        (overlay.residual_psd, BAD, ":", "residual"),
    ):
        ax.loglog(f[1:], psd[1:, k] + 1e-15, style, color=colour, linewidth=1.2, label=name)
    ax.set_xlim(f[1], f[-1])
    ax.minorticks_off()
    top = float(overlay.real_psd[1:, k].max())
    ax.set_ylim(top * 1e-6, top * 4)
    ax.set_title(f"{('acc', 'gyro')[k]} spectrum, ({_UNITS[k]})²/Hz over Hz", fontsize=8, color=MUTED, pad=2)
    if k == 0:
        ax.legend(fontsize=7, frameon=False, loc="lower left", handlelength=1.5)


def _figures(
    figure: Figure, report: ValidationReport, sensor: str, x: float, y: float, height: float
) -> None:
    line = 0.165 / height
    rows = {(row["signal"], row["axis"]): row for row in report.rows if row["sensor"] == sensor}
    for j, name in enumerate(("r", "before", "rmse", "before", "AUC")):
        text(figure, x + 0.044 + 0.029 * j, y, name, fontsize=8, va="top", color=MUTED)
    for (signal, axis), row in rows.items():
        y -= line
        colour = AXIS_COLOURS["xyz".index(axis)] if axis in "xyz" else INK
        text(figure, x, y, f"{signal} {axis}", fontsize=8.5, va="top", color=colour)
        cells = (row["r"], row["r_before"], row["rmse"], row["rmse_before"], row["auc"])
        for j, (value, digits) in enumerate(zip(cells, (3, 2, 3, 2, 2), strict=True)):
            digits -= int(abs(value) >= 10.0) + int(abs(value) >= 100.0)
            said = f"{value:.{max(digits, 0)}f}" if np.isfinite(value) else "–"
            text(
                figure,
                x + 0.044 + 0.029 * j,
                y,
                said,
                fontsize=8.5,
                va="top",
                color=_colour(value) if j == 0 else INK,
            )
    y -= 1.4 * line
    for said, colour in _known(report.alignment[sensor]):
        for piece in textwrap.wrap(said, 62):
            text(figure, x, y, piece, fontsize=7.5, va="top", color=colour)
            y -= 0.82 * line


def _known(a: Any) -> list[tuple[str, str]]:
    """What the alignment knows, in lines."""
    out = []
    if a["time_offset_s_95"] > 0:
        out.append((f"offset {1e3 * a['time_offset_s']:.2f} ± {1e3 * a['time_offset_s_95']:.2f} ms", INK))
    if a["clock_skew_95"] > 0:
        out.append((f"clock skew {1e6 * a['clock_skew']:.0f} ± {1e6 * a['clock_skew_95']:.0f} ppm", INK))
    if np.any(a["rotation_wxyz_95"] > 0):
        angle = 2 * np.degrees(np.arccos(np.clip(abs(a["rotation_wxyz"][0]), 0, 1)))
        out.append((f"turned by {angle:.1f}° (± {np.degrees(np.max(a['rotation_wxyz_95'])):.2f}°)", INK))
    if np.any(a["lever_arm_m_95"] > 0):
        said = ", ".join(
            f"{1e3 * v:.0f} ± {1e3 * d:.0f}"
            for v, d in zip(a["lever_arm_m"], a["lever_arm_m_95"], strict=True)
        )
        out.append((f"lever arm {said} mm", INK))
    if np.any(a["acc_bias_95"] > 0):
        acc, gyro = (", ".join(f"{v:.{n}f}" for v in a[k]) for k, n in (("acc_bias", 2), ("gyro_bias", 3)))
        half = np.max(a["acc_bias_95"]), np.max(a["gyro_bias_95"])
        out.append((f"bias acc {acc} (± {half[0]:.2f}) m/s²; gyro {gyro} (± {half[1]:.3f}) rad/s", INK))
    if a["unidentified"]:
        out.append((f"not identifiable: {len(a['unidentified'])} direction(s), see below (± 95 %)", DOUBTFUL))
    elif out:
        out.append(("all of it identifiable (± 95 %)", GOOD))
    return out


def _heat(figure: Figure, report: ValidationReport, ranked: list[str], top: float, height: float) -> None:
    """All sensors × signals and axes, r as colour."""
    names = [(s, a) for s in ("acc", "gyro") for a in ("x", "y", "z", "norm")]
    table = {(row["sensor"], row["signal"], row["axis"]): row["r"] for row in report.rows}
    values: Floats = np.array([[table.get((s, *n), np.nan) for n in names] for s in ranked])
    ax = figure.add_axes((0.15, top - (0.55 + 0.2 * len(ranked)) / height, 0.45, 0.2 * len(ranked) / height))
    ax.imshow(values, aspect="auto", cmap="RdYlGn", vmin=0, vmax=1)
    ax.set_xticks(range(len(names)), [f"{s} {a}" for s, a in names], fontsize=8)
    ax.xaxis.tick_top()
    ax.set_yticks(range(len(ranked)), ranked, fontsize=8)
    ax.tick_params(length=0)
    for i in range(values.shape[0]):
        for j in range(values.shape[1]):
            if np.isfinite(values[i, j]):
                text(ax, j, i, f"{values[i, j]:.2f}", ha="center", va="center", fontsize=7.5)


def _nice(value: float) -> float:
    power = 10.0 ** np.floor(np.log10(max(value, 1e-9)))
    return float(power * max(m for m in (1, 2, 5) if m * power <= value * 1.0001))


def _colour(r: float) -> str:
    return MUTED if not np.isfinite(r) else GOOD if r >= 0.8 else DOUBTFUL if r >= 0.5 else BAD


def _or(value: float, other: float) -> float:
    return value if np.isfinite(value) else other
