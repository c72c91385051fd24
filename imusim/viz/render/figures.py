"""What a film shows at one instant: a body (or its bones), and its sensors with their axes."""

from __future__ import annotations

import colorsys
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from imusim.body import Posed, SkeletonBody, SkinnedBody
from imusim.errors import ConfigError
from imusim.kinematics import Sites
from imusim.placement import locate
from imusim.types import Floats, Motion
from imusim.viz.render.clothes import Outfit, clothed
from imusim.viz.render.renderer import Mesh, Renderer
from imusim.viz.render.shapes import Copies, along

Scene = list[tuple[Mesh, Floats]]
_AXIS_COLOURS = np.array([[0.78, 0.25, 0.18], [0.12, 0.54, 0.30], [0.14, 0.39, 0.67]])
_BOX_M = (0.040, 0.030, 0.012)
_AXIS_M, _AXIS_RADIUS_M = 0.085, 0.004
_BONE_RADIUS_M, _JOINT_RADIUS_M = 0.018, 0.026
_SIDE_COLOURS = {"left": (0.18, 0.61, 0.85), "right": (0.95, 0.64, 0.23)}


def sensor_colours(count: int) -> Floats:
    """Return colours (S, 3), 0 … 1, that are easy to tell apart."""
    hues = (0.58 + np.arange(count) * 0.61803398875) % 1.0  # the golden section: neighbours are far apart
    return np.array(
        [colorsys.hsv_to_rgb(float(h), 0.85, 1.0 - 0.25 * (i % 2)) for i, h in enumerate(hues)]
    ).reshape(-1, 3)


def posed_frames(motion: Motion, index: NDArray[np.int64], block: int = 64) -> Iterator[Posed | None]:
    """Yield the body at frames `index` of a motion, one at a time (T = 1); None where it is not valid."""
    body = motion.body
    if not isinstance(body, (SkinnedBody, SkeletonBody)):
        raise ConfigError(f"cannot pose a {type(body).__name__} for a picture")
    shape = motion.shape if motion.shape.size else None
    for start in range(0, len(index), block):
        rows = index[start : start + block]
        seen = rows[motion.valid[rows]]
        posed = None
        if seen.size:
            skin = isinstance(body, SkinnedBody)
            posed = body.pose(motion.root_position_m[seen], motion.joint_rotation_wxyz[seen], shape, skin)
        k = 0
        for row in rows:
            if posed is None or not motion.valid[row]:
                yield None
                continue
            part = slice(k, k + 1)
            skin = None if posed.vertices is None else posed.vertices[part]
            yield Posed(posed.joints[part], skin, posed.rotation[part])
            k += 1


class Figure:
    """A body with its sensors in a renderer.

    Parameters
    ----------
    renderer : draws them
    motion : whose body it is
    sites : the sensors, from `imusim.placement.attach`; None: none

    Other Parameters
    ----------------
    outfit : what the body wears
    """

    def __init__(
        self, renderer: Renderer, motion: Motion, sites: Sites | None, outfit: Outfit | None = None
    ) -> None:
        body = motion.body
        self._sites = sites
        self._skin: Mesh | None = None
        if isinstance(body, SkinnedBody):
            self._skin = renderer.mesh(body.faces, clothed(body, outfit or Outfit()))
        else:
            self._child = np.flatnonzero(np.asarray(body.parents) >= 0)
            self._parent = np.asarray(body.parents)[self._child]
            sides = [
                _SIDE_COLOURS.get(next((s for s in _SIDE_COLOURS if s in n.lower()), ""), (0.55, 0.58, 0.62))
                for n in body.joint_names
            ]
            self._bones, self._balls = Copies.rods(len(self._child)), Copies.balls(len(body.joint_names))
            colours = np.array(sides)
            self._bone_mesh = (
                renderer.mesh(self._bones.faces, self._bones.colours(colours[self._child]))
                if len(self._child)
                else None
            )
            self._ball_mesh = renderer.mesh(self._balls.faces, self._balls.colours(colours))
        if sites is not None:
            count = len(sites.names)
            self.colours = sensor_colours(count)
            self._boxes, self._axes = Copies.boxes(count), Copies.rods(3 * count, sides=6)
            self._box_mesh = renderer.mesh(self._boxes.faces, self._boxes.colours(self.colours))
            paint = np.tile(_AXIS_COLOURS, (count, 1))
            self._axis_mesh = renderer.mesh(self._axes.faces, self._axes.colours(paint))

    def scene(self, posed: Posed) -> Scene:
        """Return the meshes with their vertices for a pose with T = 1."""
        out: Scene = []
        joints = posed.joints[0]
        if self._skin is not None:
            assert posed.vertices is not None
            out.append((self._skin, posed.vertices[0]))
        else:
            if self._bone_mesh is not None:
                start, end = joints[self._parent], joints[self._child]
                axes = along(start, end, _BONE_RADIUS_M)
                out.append((self._bone_mesh, self._bones.vertices(start, axes)))
            balls = np.broadcast_to(_JOINT_RADIUS_M * np.eye(3), (len(joints), 3, 3))
            out.append((self._ball_mesh, self._balls.vertices(joints, balls)))
        if self._sites is not None:
            place, turn = (a[0] for a in locate(self._sites, posed))
            out.append((self._box_mesh, self._boxes.vertices(place, turn * np.array(_BOX_M))))
            tips = place[:, None] + _AXIS_M * np.swapaxes(turn, 1, 2)  # (S, axis, 3)
            start = np.repeat(place, 3, axis=0)
            axes = along(start, tips.reshape(-1, 3), _AXIS_RADIUS_M)
            out.append((self._axis_mesh, self._axes.vertices(start, axes)))
        return out
