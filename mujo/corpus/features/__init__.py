"""Frozen features of words and pictures: what joins the corpus in place of raw text and video.

Each extractor is an object with a name, a width and a call; pass any of your own (`TextFeatures`, `ImageFeatures`).
"""

from mujo.corpus.features.protocols import ImageFeatures, TextFeatures, find_image, find_text

__all__ = ["ImageFeatures", "TextFeatures", "find_image", "find_text"]
