"""From a motion and a real recording of it to the wearer's placements and the device's errors.

`imusim.identify` is the way in.
"""

from __future__ import annotations

from imusim.identification.identifying import identify
from imusim.identification.result import Identification, read_identified

__all__ = ["Identification", "identify", "read_identified"]
