"""The report as a page of text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from imusim._version import __version__
from imusim.rotation import to_rotvec

if TYPE_CHECKING:
    from imusim.validation.report import ValidationReport


def headline(report: ValidationReport) -> list[str]:
    """Return the verdict on every sensor and the findings, a line each."""
    lines = []
    for sensor in report.alignment:
        word, r = report.verdict(sensor)
        ours = report.pairs[sensor]
        shown = sensor if sensor == ours else f"{sensor} (simulated: {ours})"
        score = (
            f"median r {r:.2f} over axes and both signals" if np.isfinite(r) else "nothing left to be scored"
        )
        lines.append(f"{shown} {word}: {score}")
    return lines + [
        f"{f.sensor + ': ' if f.sensor and f.sensor not in f.text else ''}{f.text}" for f in report.findings
    ]


def page(report: ValidationReport) -> str:
    """Return the report as Markdown."""
    s = report.settings
    align = ", ".join(s["align"]) or "nothing"
    part = (
        f"fitted on the first {1 - s['holdout']:.0%} of the overlap, scored on the last {s['holdout']:.0%}"
        if s["holdout"]
        else ("fitted and scored on the same samples" if s["align"] else "all of the overlap scored")
    )
    lines = [
        "# Simulated against real",
        "",
        f"imusim {__version__}. Simulated: {s['simulated_duration_s']:.1f} s at {s['simulated_rate_hz']:g} Hz; real: "
        f"{s['real_duration_s']:.1f} s at {s['real_rate_hz']:g} Hz. Aligned: {align}; {part}."
        + (f" Compared below {s['lowpass_hz']:g} Hz." if s["lowpass_hz"] else ""),
        "",
        "![overlays, spectra, residuals](validation.png)",
        "",
        "## In a word",
        "",
    ]
    lines += [f"* {line}" for line in headline(report)]
    if s.get("mapping"):
        lines += ["", "## How the real file was read", ""] + [f"* {line}" for line in s["mapping"]]
    lines += [
        "",
        "## Figures",
        "",
        *_table(report),
        "",
        "## Alignment",
        "",
        *_alignment(report.alignment),
        "",
    ]
    lines += [
        "r, rmse, nrmse: correlation, root mean square difference, and that over the real standard deviation (1: no better "
        "than the mean). *before*: without any alignment. lag: positive if the simulated signal is late. "
        "PSD: rms difference of the "
        "logarithmic spectra. AUC: how well a classifier tells simulated from real 2 s windows (0.5: not at all). "
        "All columns: "
        "`validation.json`, with their meaning.",
        "",
    ]
    return "\n".join(lines)


def _table(report: ValidationReport) -> list[str]:
    columns = [
        "sensor",
        "signal",
        "axis",
        "r",
        "before",
        "rmse",
        "before",
        "nrmse",
        "lag ms",
        "coherence",
        "PSD dB",
        "DTW",
        "peaks",
        "W1",
        "AUC",
    ]
    head = "| " + " | ".join(columns) + " |"
    lines = [head, "|---" * 15 + "|"]
    for row in report.rows:
        cells = [row["sensor"], row["signal"], row["axis"]]
        cells += [_n(row["r"], 3), _n(row["r_before"], 2), _n(row["rmse"], 3), _n(row["rmse_before"], 2)]
        cells += [
            _n(row["nrmse"], 2),
            _n(1e3 * row["lag_s"], 0),
            _n(row["coherence"], 2),
            _n(row["psd_distance_db"], 1),
        ]
        cells += [_n(row["dtw"], 2), _n(row["peak_size"], 2), _n(row["wasserstein"], 3), _n(row["auc"], 2)]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def _n(value: float, digits: int) -> str:
    value = round(value, digits) + 0.0 if np.isfinite(value) else value  # no −0
    return f"{value + 0.0:.{digits}f}" if np.isfinite(value) else "–"


def _alignment(alignment: Mapping[str, Mapping[str, Any]]) -> list[str]:
    lines = [
        "| sensor | time offset ms | skew ppm | rotation ° | lever arm mm | acc bias m/s² | gyro bias rad/s |",
        "|---" * 7 + "|",
    ]
    for sensor, a in alignment.items():
        turn = np.degrees(to_rotvec(a["rotation_wxyz"]))
        cells = [
            sensor,
            _pm(1e3 * a["time_offset_s"], 1e3 * a["time_offset_s_95"], 2),
            _pm(1e6 * a["clock_skew"], 1e6 * a["clock_skew_95"], 0),
            _three(turn, np.degrees(a["rotation_wxyz_95"]), 2),
            _three(1e3 * a["lever_arm_m"], 1e3 * a["lever_arm_m_95"], 1),
            _three(a["acc_bias"], a["acc_bias_95"], 3),
            _three(a["gyro_bias"], a["gyro_bias_95"], 4),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    unknown = {sensor: a["unidentified"] for sensor, a in alignment.items() if a["unidentified"]}
    if unknown:
        lines += [
            "",
            "Directions that these data do not tell (held near nothing by a weak prior), ± one standard deviation:",
            "",
        ]
        lines += [f"* {sensor}: {'; '.join(said)}" for sensor, said in unknown.items()]
    return lines + [
        "",
        "± half of the 95 % interval, residuals' correlation in time included; – was not asked for.",
    ]


def _pm(value: float, half: float, digits: int) -> str:
    return f"{value:.{digits}f} ± {half:.{digits}f}" if half > 0 else "–"


def _three(values: Any, half: Any, digits: int) -> str:
    if not np.any(np.asarray(half) > 0):
        return "–"
    return "; ".join(_pm(float(v), float(d), digits) for v, d in zip(values, half, strict=True))
