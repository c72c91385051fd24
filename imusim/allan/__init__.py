"""Allan analysis: from a recording of a real sensor at rest to a preset.

>>> from imusim.allan import allan_deviation, fit_coefficients, fit_file
>>> fit, files = fit_file("static.csv", name="my watch")      # doctest: +SKIP
>>> print(fit.table())                                          # doctest: +SKIP
"""

from __future__ import annotations

from imusim.allan.coefficients import Coefficients, Estimate, fit_coefficients
from imusim.allan.deviation import AllanCurve, allan_deviation
from imusim.allan.files import read_static
from imusim.allan.fit import SensorFit, fit_file, fit_sensor
from imusim.allan.model import model_deviation, needed_duration_s
from imusim.allan.picture import draw_allan
from imusim.allan.preset import sheet_of, write_sheet
from imusim.allan.static import StaticRecording
from imusim.allan.step import quantisation_step

__all__ = [
    "AllanCurve",
    "Coefficients",
    "Estimate",
    "SensorFit",
    "StaticRecording",
    "allan_deviation",
    "draw_allan",
    "fit_coefficients",
    "fit_file",
    "fit_sensor",
    "model_deviation",
    "needed_duration_s",
    "quantisation_step",
    "read_static",
    "sheet_of",
    "write_sheet",
]
