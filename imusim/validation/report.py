"""What a validation found: a table, the alignment, findings, and what the picture needs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from imusim._version import __version__
from imusim.atomic import written_together
from imusim.export import plain
from imusim.types import Floats
from imusim.validation.faults import Finding
from imusim.validation.metrics import MEANING

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

FORMAT = "imusim-validation-1"


@dataclass(frozen=True)
class Overlay:
    """A stretch of one sensor for the picture, and its spectra over everything scored.

    time_s (N,) · s on the real clock; simulated, real (N, 6); frequency_hz (F,), simulated_psd, real_psd,
    residual_psd (F, 2):
    of acc and gyro, summed over axes.
    """

    time_s: Floats
    simulated: Floats
    real: Floats
    frequency_hz: Floats
    simulated_psd: Floats
    real_psd: Floats
    residual_psd: Floats


@dataclass(frozen=True)
class ValidationReport:
    """Simulated against real.

    Parameters
    ----------
    rows : one a sensor, signal and axis, see `to_dataframe`
    alignment : real sensor → its parameters and their standard deviations, see Notes
    findings : what a reader should know
    pairs : real sensor → simulated sensor
    likeness : real sensor → simulated sensor → correlation of the lengths of both signals
    settings : what was asked
    overlays : real sensor → what the picture draws

    Notes
    -----
    `alignment[sensor]` maps ``time_offset_s`` (t_sim = t_real + time_offset_s + clock_skew (t_real − time_reference_s)),
    ``clock_skew``, ``rotation_wxyz`` (4,) (takes the real sensor's vectors to the simulated sensor's axes),
    ``lever_arm_m`` (3,)
    (from the simulated to the real sensor, in the simulated sensor's axes), ``acc_bias`` · m/s², ``gyro_bias`` · rad/s,
    ``acc_scale``, ``gyro_scale`` (3,) (the real sensor's, in its own axes: read = scale · true + bias), each with its
    standard deviation under the same name + ``_sd`` and half the width of its 95 % interval under the name + ``_95``
    (of ``rotation_wxyz``: (3,) · rad, turns about the real sensor's axes; 0 for what
    was not asked for), ``residual_acc``, ``residual_gyro``, ``samples``, ``converged``, ``unidentified``.
    """

    rows: tuple[Mapping[str, Any], ...]
    alignment: Mapping[str, Mapping[str, Any]]
    findings: tuple[Finding, ...]
    pairs: Mapping[str, str]
    likeness: Mapping[str, Mapping[str, float]]
    settings: Mapping[str, Any]
    overlays: Mapping[str, Overlay] = field(default_factory=dict, repr=False)

    def to_dataframe(self) -> pd.DataFrame:
        """Return a table, one row a ``sensor``, ``signal`` (acc, gyro) and ``axis`` (x, y, z, norm).

        Its columns are explained in `imusim.validation.MEANING`; ``r_before``, ``rmse_before``, ``nrmse_before``
        are without any
        alignment, ``r_fit``, ``rmse_fit`` on the part that the alignment was fitted to.
        """
        import pandas as pd

        return pd.DataFrame(list(self.rows))

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the overlays as plain values."""
        return {
            "format": FORMAT,
            "imusim": __version__,
            "settings": plain(dict(self.settings)),
            "pairs": dict(self.pairs),
            "meaning": MEANING,
            "metrics": [plain(row) for row in self.rows],
            "alignment": {name: plain(a) for name, a in self.alignment.items()},
            "findings": [vars(f) for f in self.findings],
            "likeness": plain(self.likeness),
        }

    def plot(self) -> Figure:
        """Return the one-page picture."""
        from imusim.viz.validation_report import draw_validation

        return draw_validation(self)

    def to_markdown(self) -> str:
        """Return the one-page report as text."""
        from imusim.validation.page import page

        return page(self)

    def verdict(self, sensor: str) -> tuple[str, float]:
        """Return a plain word for a sensor and the r that it stands on: the median over axes of both signals.

        A sensor that moves like another simulated one does not match, whatever an alignment made of it.
        """
        values = [row["r"] for row in self.rows if row["sensor"] == sensor and row["axis"] != "norm"]
        known = [v for v in values if np.isfinite(v)]
        r = float(np.median(known)) if known else float("nan")
        if self._mistaken(sensor):
            return "does not match", r
        if not known:
            return "cannot be told", r
        for least, word in ((0.95, "matches closely"), (0.8, "matches"), (0.5, "matches loosely")):
            if r >= least:
                return word, r
        return "does not match", r

    def _mistaken(self, sensor: str) -> bool:
        """Whether it was found to be another sensor, or to move like none without any r to show."""
        row = self.likeness.get(sensor, {})
        likest = max(row, key=lambda name: row[name]) if row else ""
        scored = any(np.isfinite(r["r"]) for r in self.rows if r["sensor"] == sensor)
        return any(
            (f.kind == "placement" and f.sensor == sensor)
            or (f.kind == "swapped" and (f.sensor == sensor or self.pairs.get(f.sensor) == likest))
            or (f.kind == "low" and f.sensor == sensor and not scored)
            for f in self.findings
        )

    def summary(self) -> str:
        """Return the verdict on every sensor and what else was found, in lines."""
        from imusim.validation.page import headline

        return "\n".join(headline(self))

    def save(self, folder: str | Path) -> tuple[Path, ...]:
        """Write ``validation.json``, ``validation.md`` and ``validation.png`` into a folder; return the files.

        Raises
        ------
        OutputError
            If they cannot be written; nothing half-written is left.
        """
        folder = Path(folder).expanduser()
        targets = tuple(folder / f"validation.{kind}" for kind in ("json", "md", "png"))
        figure = self.plot()
        with written_together(*targets) as (as_json, as_text, as_picture):
            text = json.dumps(self.to_dict(), indent=1, ensure_ascii=False, allow_nan=False)
            as_json.write_text(text + "\n", encoding="utf-8")
            as_text.write_text(self.to_markdown(), encoding="utf-8")
            figure.savefig(as_picture, format="png")
        return targets
