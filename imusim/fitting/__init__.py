"""From a person's landmarks to a body's motion: shape, first pose, distance, refinement, world."""

from imusim.fitting.pipeline import fit
from imusim.fitting.project import joints_px

__all__ = ["fit", "joints_px"]
