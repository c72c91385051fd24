"""Simulated against real: align, score, report. `imusim.validate` is the way in."""

from __future__ import annotations

from imusim.validation.comparing import validate
from imusim.validation.faults import Finding
from imusim.validation.metrics import MEANING
from imusim.validation.report import ValidationReport

__all__ = ["MEANING", "Finding", "ValidationReport", "validate"]
