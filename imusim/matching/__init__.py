"""Distribution mapping: a virtual recording given the amplitudes and the spectrum of real ones, without labels.

`imusim.fit_map` is the way in.
"""

from __future__ import annotations

from imusim.matching.mapping import KINDS, DomainMap, fit_map
from imusim.matching.spectra import power

__all__ = ["KINDS", "DomainMap", "fit_map", "power"]
