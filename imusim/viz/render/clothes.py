"""Colours that dress a body: hair, skin, shirt, trousers and shoes, painted on its vertices."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from imusim.body import OpenBody
from imusim.errors import ConfigError
from imusim.types import Body, Floats

Rgb = tuple[float, float, float]


@dataclass(frozen=True)
class Outfit:
    """Colours (red, green, blue, 0 … 1) and cut of what a body wears.

    Parameters
    ----------
    skin, hair, shirt, trousers, shoes : colours
    sleeve : how far sleeves go down the arm: 0 none, 1 to the elbow, 2 to the wrist
    leg : how far trousers go down the leg: 1 to the knee, 2 to the ankle
    """

    skin: Rgb = (0.87, 0.68, 0.56)
    hair: Rgb = (0.20, 0.14, 0.10)
    shirt: Rgb = (0.24, 0.42, 0.62)
    trousers: Rgb = (0.22, 0.23, 0.27)
    shoes: Rgb = (0.88, 0.88, 0.86)
    sleeve: float = 0.6
    leg: float = 1.9

    @classmethod
    def random(cls, rng: np.random.Generator) -> Outfit:
        """Return an outfit drawn at random: the whole range of skin and hair, clothes of any colour."""

        def cloth() -> Rgb:
            h, s, v = rng.uniform(0, 1), rng.beta(1.2, 2.5), rng.uniform(0.12, 0.95)
            return colorsys.hsv_to_rgb(float(h), float(s), float(v))

        tone, dark = rng.uniform(0, 1), np.array([0.30, 0.19, 0.13])
        skin = dark + tone * (np.array([0.93, 0.76, 0.66]) - dark)
        grey = rng.uniform(0.05, 0.75) if rng.random() < 0.25 else None
        hair = np.full(3, grey) if grey is not None else rng.uniform(0.05, 0.75) * np.array([1.0, 0.72, 0.45])
        return cls(
            skin=_rgb(skin + rng.normal(0, 0.015, 3)),
            hair=_rgb(hair),
            shirt=cloth(),
            trousers=cloth(),
            shoes=cloth(),
            sleeve=float(rng.choice([0.3, 0.6, 0.9, 1.9])),
            leg=float(rng.choice([0.6, 0.9, 1.9])),
        )


def clothed(body: Body, outfit: Outfit = Outfit()) -> Floats:
    """Colours (V, 3), 0 … 1, of a body's skin vertices; a body of the SMPL family, or the open body (with a face).

    Raises
    ------
    ConfigError
        If the body has no skin.
    """
    vertices = body.rest_vertices()
    if vertices is None or body.weights is None:
        raise ConfigError(f"{body.name} has no skin to dress")
    names, joints = body.joint_names, body.rest_joints()
    owner = np.array(names)[np.argmax(body.weights, axis=1)]
    paint = np.tile(np.asarray(outfit.skin), (len(vertices), 1))
    trunk = {"spine1", "spine2", "spine3", "left_collar", "right_collar"}
    paint[np.isin(owner, list(trunk))] = outfit.shirt
    paint[owner == "pelvis"] = outfit.trousers
    for side in ("left", "right"):
        chain = [f"{side}_{n}" for n in ("shoulder", "elbow", "wrist")]
        paint[_down(vertices, owner, names, joints, chain) < outfit.sleeve] = outfit.shirt
        chain = [f"{side}_{n}" for n in ("hip", "knee", "ankle")]
        paint[_down(vertices, owner, names, joints, chain) < outfit.leg] = outfit.trousers
        paint[np.isin(owner, [f"{side}_ankle", f"{side}_foot"])] = outfit.shoes
    head = owner == "head"
    if head.any():
        _paint_head(paint, body, vertices, head, outfit)
    return paint


def _down(
    vertices: Floats, owner: NDArray[np.str_], names: tuple[str, ...], joints: Floats, chain: list[str]
) -> Floats:
    """How far down a limb each of its vertices is, (V,): 0 at the first joint, 1 at the second; infinite elsewhere."""
    out = np.full(len(vertices), np.inf)
    for k, (top, end) in enumerate(pairwise(chain)):
        if top not in names or end not in names:
            continue
        start, bone = joints[names.index(top)], joints[names.index(end)] - joints[names.index(top)]
        rows = owner == top
        out[rows] = k + (vertices[rows] - start) @ bone / (bone @ bone)
    return out


def _paint_head(paint: Floats, body: Body, vertices: Floats, head: NDArray[np.bool_], outfit: Outfit) -> None:
    low, high = vertices[head].min(axis=0), vertices[head].max(axis=0)
    part = (vertices - low) / (high - low)  # 0 … 1 from chin to crown, from back to nose
    hair = head & ((part[:, 1] > 0.82) | ((part[:, 2] < 0.42) & (part[:, 1] > 0.30 + 0.5 * part[:, 2])))
    paint[hair] = outfit.hair
    if not isinstance(body, OpenBody):
        return
    mark = dict(zip(body.landmark_names, body.landmarks(), strict=True))
    for side in ("left", "right"):
        away = vertices - mark[f"{side}_eye"]
        ball = np.linalg.norm(vertices - (mark[f"{side}_eye"] - [0.0, 0.0, 0.0105]), axis=1) < 0.0163
        paint[ball & head] = (0.93, 0.92, 0.90)
        paint[ball & (np.hypot(away[:, 0], away[:, 1]) < 0.0075)] = (0.12, 0.08, 0.06)
        brow = (
            head & (np.abs(away[:, 0]) < 0.022) & (np.abs(away[:, 1] - 0.020) < 0.0035) & (away[:, 2] > -0.03)
        )
        paint[brow] = outfit.hair
        away = vertices - mark[f"mouth_{side}"]
        corner = np.sign(mark[f"mouth_{side}"][0])
        lips = (
            (corner * away[:, 0] < 0.004) & (corner * vertices[:, 0] > -1e-6) & (np.abs(away[:, 1]) < 0.009)
        )
        paint[head & lips & (away[:, 2] > -0.02)] = np.asarray(outfit.skin) * (0.80, 0.55, 0.55)


def _rgb(colour: Floats) -> Rgb:
    r, g, b = (float(c) for c in np.clip(colour, 0.02, 0.98))
    return r, g, b
