"""What an alignment tells a reader beside its numbers: clocks that have nothing in common, what the data do not tell."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from imusim.identification.solve import Fit
from imusim.types import Floats
from imusim.validation.faults import Finding


def unknown(sensor: str, fit: Fit, values: Floats) -> list[Finding]:
    """Say in one line which numbers the data do not tell; errors of a signal (N, 6) that is not there go without saying."""
    absent = [
        name
        for name, part in (("acc_", slice(0, 3)), ("gyro_", slice(3, 6)))
        if not np.isfinite(values[:, part]).any()
    ]
    said: dict[str, str] = {}  # the largest comes first
    for direction in fit.unidentified:
        size, _, name = direction.rpartition(" (± ")[2].rstrip(")").partition(" in ")
        if not any(name.startswith(signal) for signal in absent):
            said.setdefault(name, f"{name} (sd {size})")
    return (
        [Finding("unidentified", sensor, f"not known from these data: {', '.join(said.values())}")]
        if said
        else []
    )


def clocks(fits: Mapping[str, Fit], real: Floats, simulated: Floats) -> list[Finding]:
    """Say that the time stamps (N,) of both sides do not overlap as they are, if an offset was estimated."""
    shifted = [fit.parameters.time_offset_s for fit in fits.values() if "time" in fit.blocks]
    if not shifted or (real[0] <= simulated[-1] and simulated[0] <= real[-1]):
        return []
    return [
        Finding(
            "clocks",
            "",
            f"the time stamps have nothing in common (simulated {simulated[0]:.6g} … {simulated[-1]:.6g} s, real "
            f"{real[0]:.6g} … {real[-1]:.6g} s): put together by the movement alone, "
            f"t_sim = t_real {np.median(shifted):+.3f} s",
        )
    ]
