"""mujo: one joint feature space for video, text, pose and IMU (MuJo, PerCom 2025), built on imusim.

This release holds the simulator (`imusim`); the learning half is under construction, see CHANGELOG.md.
"""

from imusim._version import __version__

__all__ = ["__version__"]
