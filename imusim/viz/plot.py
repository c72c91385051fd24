"""`Recording.plot`: every sensor a row, specific force on the left, angular rate on the right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from imusim.types import Floats
from imusim.viz.style import (
    AXIS_COLOURS,
    GAP,
    INK,
    MUTED,
    new_figure,
    quality_colour,
    quiet_axes,
    text,
    tolerant_fonts,
)
from imusim.viz.traces import BINS, DENSE, draw_traces

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from imusim.recording import Recording

LEAST_ACC, LEAST_GYRO = 4.0, 1.0  # m/s², rad/s: smallest vertical span


def plot(recording: Recording, cuts_s: tuple[float, ...] = ()) -> Figure:
    """Return a figure of a recording's signals, ± 2 standard deviations shaded, gaps grey."""
    count = len(recording.sensors)
    columns = 1 if count <= 5 else 2
    rows = -(-count // columns) or 1
    head, row = 0.75, 1.35 if count > 2 else 2.2
    figure = new_figure(12.0 if columns == 1 else 15.0, head + rows * row + 0.45)
    height = figure.get_figheight()
    with tolerant_fonts():
        text(
            figure,
            0.012,
            1 - 0.3 / height,
            repr(recording).strip("<>"),
            fontsize=11,
            weight="bold",
            va="center",
        )
        draw_sensors(figure, recording, head + 0.05, rows * row, columns=columns, cuts_s=cuts_s)
    return figure


def draw_sensors(
    figure: Figure,
    recording: Recording,
    top_in: float,
    height_in: float,
    *,
    columns: int,
    cuts_s: tuple[float, ...] = (),
    numbered: bool = False,
) -> None:
    """Draw all sensors' traces into the part of a figure that begins `top_in` below its top edge.

    Parameters
    ----------
    figure : figure to draw on
    recording : what to draw
    top_in, height_in : where · inches; the legend lies just above
    columns : how many sensors stand side by side
    cuts_s : times of shot cuts · s
    numbered : whether the names begin with a number, as on the picture of the body
    """
    width, height = figure.get_size_inches()
    count = len(recording.sensors)
    rows = -(-count // columns) or 1
    cell_w, cell_h = (width - 0.2) / columns, height_in / rows
    gaps = gaps_of(recording)
    for first in range(0, count, rows):
        members = range(first, min(first + rows, count))
        x0 = 0.1 + first // rows * cell_w
        lowest = height - top_in - len(members) * cell_h
        for half, kind in enumerate(("acc", "gyro")):
            box = (
                x0 + 0.45 + half * cell_w / 2,
                lowest + 0.22,
                cell_w / 2 - 0.55,
                len(members) * cell_h - 0.46,
            )
            ax = figure.add_axes((box[0] / width, box[1] / height, box[2] / width, box[3] / height))
            ax.set_ylim(0, box[3])
            quiet_axes(ax)
            ax.spines["left"].set_visible(False)
            ax.yaxis.set_visible(False)
            ax.set_xlabel("time [s]", fontsize=7, color=MUTED, labelpad=1)
            sd: Floats | None = getattr(recording, f"{kind}_sd")
            for row, s in enumerate(members):
                bottom = box[3] - row * cell_h - (cell_h - 0.46)
                draw_traces(
                    ax,
                    recording.time_s,
                    getattr(recording, kind)[:, s],
                    None if sd is None else sd[:, s],
                    gap=gaps[:, s],
                    cuts_s=cuts_s,
                    least_span=LEAST_ACC if kind == "acc" else LEAST_GYRO,
                    place=(bottom, bottom + cell_h - 0.46),
                )
            acc = kind == "acc"
            where = (box[0] + (box[2] if acc else 0.0)) / width, (height - top_in - 0.13) / height
            title = "specific force [m/s²]" if acc else "angular rate [rad/s]"
            text(figure, *where, title, fontsize=7.5, color=MUTED, ha="right" if acc else "left", va="center")
        for row, s in enumerate(members):
            y = (height - top_in - row * cell_h - 0.13) / height
            name = f"{s + 1}  {recording.sensors[s]}" if numbered else recording.sensors[s]
            text(figure, (x0 + 0.5) / width, y, name, fontsize=8.5, weight="bold", va="center")
            if recording.confidence is not None and recording.confidence.size:
                seen = float(np.mean(recording.confidence[:, s]))
                style = {"fontsize": 7, "color": quality_colour(seen), "ha": "right", "va": "center"}
                text(figure, (x0 + cell_w - 0.12) / width, y, f"confidence {seen:.2f}", **style)
    _legend(figure, recording, 1 - (top_in - 0.14) / height, bool(cuts_s), bool(gaps.any()))


def gaps_of(recording: Recording) -> NDArray[np.bool_]:
    """Return where a sensor has no honest value, (T, S) bool."""
    missing: NDArray[np.bool_] = ~np.asarray(
        np.isfinite(recording.acc).all(axis=-1) & np.isfinite(recording.gyro).all(axis=-1)
    )
    return missing if recording.valid is None else missing | ~recording.valid


def _legend(figure: Figure, recording: Recording, y: float, cuts: bool, gaps: bool) -> None:
    entries: list[tuple[str, Any]] = [
        (name, colour) for name, colour in zip("xyz", AXIS_COLOURS, strict=True)
    ]
    if recording.time_s.size > DENSE * BINS:
        entries.append(
            ("shaded: from least to greatest in each piece of time; line: the middle of these", MUTED)
        )
    elif recording.acc_sd is not None or recording.gyro_sd is not None:
        entries.append(("shaded: ± 2 standard deviations from the motion's uncertainty", MUTED))
    if gaps:
        entries.append(("■ not seen", GAP))
    if cuts:
        entries.append(("┆ shot cut", INK))
    width = figure.get_figwidth()
    x = 0.6
    text(figure, x / width, y, "sensor axes", fontsize=8, color=MUTED, va="center")
    x += 0.75
    for words, colour in entries:
        if colour == GAP:
            text(figure, x / width, y, "■", fontsize=11, color="#c9cdd2", va="center")
            text(figure, (x + 0.15) / width, y, words[2:], fontsize=8, color=MUTED, va="center")
        else:
            weight = "bold" if len(words) == 1 else "normal"
            text(figure, x / width, y, words, fontsize=8, color=colour, weight=weight, va="center")
        x += 0.2 if len(words) == 1 else 0.15 + 0.062 * len(words)
