"""Body models: the open body that ships with the package, SMPL files that users bring, plain skeletons."""

from imusim.body.hands import merge_hands
from imusim.body.open24 import OpenBody, open_body
from imusim.body.skeleton import SkeletonBody
from imusim.body.skinned import Posed, SkinnedBody
from imusim.body.smpl import load_body

__all__ = ["OpenBody", "Posed", "SkeletonBody", "SkinnedBody", "load_body", "merge_hands", "open_body"]
