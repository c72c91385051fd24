"""The parallel corpus: clips with video features, text, pose and simulated IMU, on one clock."""

from mujo.corpus.clip import Clip

__all__ = ["Clip"]
