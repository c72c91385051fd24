"""Soft silhouettes: a `Motion` as PyTorch3D meshes, and its shape and pose refined against masks of the person.

>>> from mujo.render import refine                                         # doctest: +SKIP
>>> better = refine(motion, masks).motion         # masks (T, H, W) of the person in the frames of the motion's video

Optional: PyTorch3D has no wheel for Linux and is built from its source (`docs/silhouettes.md`). A GPU is advised.
"""

from mujo.render.meshes import motion_meshes
from mujo.render.refine import Refined, refine
from mujo.render.silhouette import Silhouettes
from mujo.render.skin import Skin

__all__ = ["Refined", "Silhouettes", "Skin", "motion_meshes", "refine"]
