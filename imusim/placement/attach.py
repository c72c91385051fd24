"""Placements on one particular body: `attach` turns names and directions into `Sites`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from imusim.body import open_body
from imusim.errors import ConfigError, ImusimError, ShapeError
from imusim.kinematics import Sites
from imusim.placement.canonical import cover
from imusim.placement.fitted import FittedPlacement
from imusim.placement.joints import find_joint, rest_turn, segment_end
from imusim.placement.named import Vector, frame
from imusim.placement.surface import SkinHit, face_normal, nearest_point, outermost_hit, segment_faces
from imusim.rotation import from_matrix, from_rotvec, to_matrix
from imusim.types import Body, Floats, Placement, as_floats
from imusim.variation import rows


@dataclass(frozen=True)
class SkinPoint(Placement):
    """A placement given by a point of the skin instead of a joint and a direction.

    Other Parameters
    ----------------
    vertex : index of a skin vertex of the body in use, or None
    position_m : (3,) · m · rest-pose axes of the body file: the nearest skin point is taken; or None

    Notes
    -----
    `joint` is found from the skin weights. Unless axes are given, z is the outward normal of the skin there
    and x points down the segment as near as that allows; `axes_xyz` is then a turn from those axes.
    """

    vertex: int | None = None
    position_m: tuple[float, float, float] | None = None
    axes_given: bool = False

    @property
    def outward(self) -> tuple[float, float, float]:
        """Direction off the skin, (3,), in the axes that `axes_xyz` is written in."""
        z = self.axes_xyz[2]
        return (z[0], z[1], z[2]) if self.axes_given else (0.0, 0.0, 1.0)

    def mirrored(self) -> Self:
        """Return the same place on the body's other side.

        Raises
        ------
        ConfigError
            If it is given by its vertex: no vertex is known to be the one opposite.
        """
        if self.vertex is not None or self.position_m is None:
            raise ConfigError(
                f"placement {self.name!r}: a vertex has no known opposite. Give position_m to change sides."
            )
        place = replace(super().mirrored(), position_m=rows([self.position_m], (-1, 1, 1))[0])
        if (
            not self.axes_given
        ):  # the axes that these are written in are mirrored already, with y turned round
            place = replace(place, axes_xyz=rows(self.axes_xyz, (1, -1, 1), (1, -1, 1)))
        return place


def attach(
    body: Body,
    shape: ArrayLike | None,
    placements: Sequence[Placement],
    axes: str = "segment",
) -> Sites:
    """Find where each placement sits on a body of that shape.

    On skin, a ray leaves the anchor on the bone and ends on the segment's own skin (arms never land on the
    trunk). On the skin of another body than the open one it is the point nearest to where that lies on the open body,
    laid over the other (`imusim.placement.canonical`), whatever triangles and joints that has. The point is kept in
    barycentric form, so it moves with the skin: weights ``Σ_k b_k w_kj`` and offsets ``Σ_k b_k w_kj (x_k − J_j)``
    over the corners k of the triangle.

    Parameters
    ----------
    body : any body; on one without a skin, skin placements sit as far from the bone as on
        the mean open body
    shape : shape coefficients of the body, or None for the mean
    placements : what `resolve` returns

    Other Parameters
    ----------------
    axes : "segment" (`Placement.axes_xyz`) or "device" (`Placement.device_xyz`, a phone or watch as worn)

    Returns
    -------
    Sites
        In the order of the placements.

    Raises
    ------
    ConfigError
        If `axes` is neither, there is no placement or two of one name, or a ray meets no skin of the segment.
    UnknownNameError
        If the body lacks the joint.
    """
    if axes not in ("segment", "device"):
        raise ConfigError(f'axes={axes!r}, wanted "segment" or "device"')
    if not placements:
        raise ConfigError("no placements. Name at least one, such as left_wrist.")
    names = [p.name for p in placements]
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise ConfigError(f"two placements are called {twice[0]!r}. Give each its own name.")
    surface = Surface(body, shape)
    found = [_as_found(p, surface.site(p, axes)) for p in placements]
    weights, offsets, lift, rotation = (np.stack(column) for column in zip(*found, strict=True))
    return Sites(tuple(names), weights, offsets, lift, from_matrix(rotation))


def _as_found(
    p: Placement, site: tuple[Floats, Floats, Floats, Floats]
) -> tuple[Floats, Floats, Floats, Floats]:
    if not isinstance(p, FittedPlacement):
        return site
    return site[0], site[1], *p.applied(site[2], site[3])


class Surface:
    """One body of one shape in its rest pose."""

    def __init__(self, body: Body, shape: ArrayLike | None) -> None:
        self.body = body
        given = None if shape is None or np.size(shape) == 0 else shape
        self.joints = body.rest_joints(given)
        self.vertices = body.rest_vertices(given)

    def site(self, p: Placement, axes: str) -> tuple[Floats, Floats, Floats, Floats]:
        """Weights (J,), offsets (J, 3), lift (3,) and rotation (3, 3) sensor to rest-pose axes of one placement."""
        chosen = p.axes_xyz if axes == "segment" or p.device_xyz is None else p.device_xyz
        if isinstance(p, SkinPoint):
            return self._skin_point(p, as_floats(chosen, "axes", (3, 3)))
        joint, bone, anchor, toward, turn = self._aim(p)
        rotation = turn @ as_floats(chosen, "axes", (3, 3)).T
        shift, spin = self._worn(p, joint, bone, toward)
        if p.on == "bone":
            return *self._rigid(joint, anchor + shift), np.zeros(3), spin @ rotation
        out = spin @ toward
        if self.body.weights is None or self.body.faces is None or self.vertices is None:
            reach = _bone_to_skin(p.joint, p.child, p.along, p.toward, p.offset_m) + p.lift_m
            return *self._rigid(joint, anchor + shift + reach * out), np.zeros(3), spin @ rotation
        own, hit = self._carried(p, joint) or self._met(p)
        return *self._skin(own, hit), p.lift_m * out, spin @ rotation

    def _met(self, p: Placement) -> tuple[NDArray[np.int64], SkinHit]:
        """Faces of the segment, and where the ray from the anchor meets them, slid as the placement is."""
        joint, bone, anchor, toward, _ = self._aim(p)
        own, hit = self._ray(joint, anchor, toward)
        if hit is None:
            raise ConfigError(
                f"placement {p.name!r}: no skin of {p.joint} from {np.round(anchor, 3)} toward {np.round(toward, 2)}. "
                'Change toward, along or offset_m, or set on: "bone".'
            )
        if p.slide_m or p.around_deg:
            assert self.vertices is not None
            shift, spin = self._worn(p, joint, bone, toward)
            hit = nearest_point(self.vertices, own, anchor + spin @ (hit.point - anchor) + shift)
        return own, hit

    def _carried(self, p: Placement, joint: int) -> tuple[NDArray[np.int64], SkinHit] | None:
        """The point of this body's skin where the place lies on the open body; None if that cannot be laid over it."""
        faces, weights, skin = self.body.faces, self.body.weights, self.body.rest_vertices()
        over = cover(self.body)
        if over is None or faces is None or weights is None or skin is None:
            return None
        if p not in over.places:
            try:
                point, mixed = _on_open_body(p)
            except ImusimError:  # a joint of this body's own
                return None
            near = [joint, *np.flatnonzero(np.asarray(self.body.parents) == joint)]
            near += [int(self.body.parents[joint])] if self.body.parents[joint] >= 0 else []
            rows = segment_faces(faces, weights, [int(j) for j in near])
            rows = rows if rows.size else np.arange(len(faces))
            hit = nearest_point(skin, faces[rows], over.carried(point[None], mixed[None])[0])
            over.places[p] = replace(hit, face=int(rows[hit.face]))
        return faces, over.places[p]

    def _aim(self, p: Placement) -> tuple[int, Floats, Floats, Floats, Floats]:
        """Joint, bone (3,) and anchor (3,) m, unit direction to the skin (3,), turn (3, 3) from the T pose."""
        joint = find_joint(self.body, p.joint)
        end = self._end(joint, p)
        bone = np.zeros(3) if end is None else self.joints[end] - self.joints[joint]
        turn = rest_turn(p.joint, p.child, bone)
        anchor = self.joints[joint] + p.along * bone + turn @ np.asarray(p.offset_m)
        toward = np.asarray(p.toward, dtype=np.float64)
        if not np.linalg.norm(toward) > 1e-9:
            raise ConfigError(f"placement {p.name!r}: toward={p.toward} has no direction")
        return joint, bone, anchor, turn @ (toward / np.linalg.norm(toward)), turn

    def _worn(self, p: Placement, joint: int, bone: Floats, outward: Floats) -> tuple[Floats, Floats]:
        """How a placement has slid along (3,) m, and the rotation (3, 3) by which it has gone round."""
        if not (p.slide_m or p.around_deg):
            return np.zeros(3), np.eye(3)
        axis = self._lengthwise(joint, bone, outward)
        return p.slide_m * axis, to_matrix(from_rotvec(np.radians(p.around_deg) * axis))

    def _lengthwise(self, joint: int, bone: Floats, outward: Floats) -> Floats:
        """Unit direction (3,) of the segment away from the pelvis, at right angles to `outward` (3,)."""
        parent = int(self.body.parents[joint])
        above = np.zeros(3) if parent < 0 else self.joints[joint] - self.joints[parent]
        for way in (bone, above, *np.eye(3)[[1, 2]]):  # the body's up, its front
            across = way - outward * (outward @ way)
            if np.linalg.norm(across) > 0.7 * np.linalg.norm(way):
                return across / np.linalg.norm(across)
        raise AssertionError("up and front cannot both be outward")

    def _ray(self, joint: int, anchor: Floats, toward: Floats) -> tuple[NDArray[np.int64], SkinHit | None]:
        """Faces of the segment (the joint, its parent and children), and where the ray leaves them."""
        weights, faces = self.body.weights, self.body.faces
        assert weights is not None
        assert faces is not None
        assert self.vertices is not None
        parents = np.asarray(self.body.parents)
        near = [joint, *np.flatnonzero(parents == joint), *([parents[joint]] if parents[joint] >= 0 else [])]
        own = faces[segment_faces(faces, weights, [int(j) for j in near])]
        return own, outermost_hit(self.vertices, own, anchor, toward)

    def _end(self, joint: int, p: Placement) -> int | None:
        child = p.child
        model = open_body()
        if child is None and p.joint in model.joint_names:  # not, say, the jaw, because it comes first
            end = segment_end(model, model.joint_names.index(p.joint), None)
            if end is None:
                return None
            child = model.joint_names[end]
        try:
            return segment_end(self.body, joint, child)
        except ImusimError:
            return segment_end(self.body, joint, None)  # a skeleton without, say, spine2

    def _rigid(self, joint: int, point: Floats) -> tuple[Floats, Floats]:
        weights = np.eye(1, len(self.body.joint_names), joint)[0]
        return weights, weights[:, None] * (point - self.joints)

    def _skin(self, faces: NDArray[np.int64], hit: SkinHit) -> tuple[Floats, Floats]:
        corners = faces[hit.face]
        assert self.body.weights is not None
        assert self.vertices is not None
        mixed = hit.barycentric[:, None] * self.body.weights[corners]  # (3, J)
        apart = self.vertices[corners][:, None] - self.joints[None]  # (3, J, 3)
        return mixed.sum(axis=0), np.einsum("kj,kjd->jd", mixed, apart)

    def _skin_point(self, p: SkinPoint, given: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        weights, faces = self.body.weights, self.body.faces
        if weights is None or faces is None or self.vertices is None:
            raise ConfigError(
                f"placement {p.name!r} is a point of the skin, but {self.body.name} has no skin"
            )
        point = None if p.position_m is None else as_floats(p.position_m, f"{p.name}: position_m", (3,))
        if p.vertex is not None:
            count = self.vertices.shape[0]
            if not 0 <= p.vertex < count:
                raise ShapeError(
                    f"placement {p.name!r}: vertex {p.vertex}, but {self.body.name} has {count} vertices"
                )
            point = self.vertices[p.vertex]
        if point is None:
            raise ConfigError(f"placement {p.name!r} needs a vertex or a position_m")
        hit = nearest_point(self.vertices, faces, point)
        out = face_normal(self.vertices, faces, hit)
        mixed, offsets = self._skin(faces, hit)
        joint = int(np.argmax(mixed))
        end = segment_end(self.body, joint, None)
        bone = self.joints[end] - self.joints[joint] if end is not None else np.array([0.0, 1.0, 0.0])
        if p.slide_m or p.around_deg:
            shift, spin = self._worn(p, joint, bone, out)
            away = hit.point - self.joints[joint]
            hit = nearest_point(self.vertices, faces, self.joints[joint] + spin @ away + shift)
            out = face_normal(self.vertices, faces, hit)
            mixed, offsets = self._skin(faces, hit)
            given = given @ spin.T
        if not p.axes_given:
            if np.linalg.norm(np.cross(bone, out)) < 1e-3 * np.linalg.norm(bone):
                bone = np.eye(3)[int(np.argmin(np.abs(out)))]
            given = np.asarray(p.axes_xyz) @ np.asarray(frame(tuple(bone), tuple(out)))
        return mixed, offsets, p.lift_m * out, given.T


@lru_cache(maxsize=1024)
def _on_open_body(p: Placement) -> tuple[Floats, Floats]:
    """Point (3,) · m of the mean open body's skin where a place lies, and its skin weights (24,)."""
    surface = Surface(open_body(), None)
    own, hit = surface._met(p)
    assert surface.body.weights is not None
    return hit.point, hit.barycentric @ surface.body.weights[own[hit.face]]


@lru_cache(maxsize=1024)
def _bone_to_skin(joint: str, child: str | None, along: float, toward: Vector, offset_m: Vector) -> float:
    """Distance, m, from the anchor to the skin of the mean open body; 0 if it has no such segment."""
    model = open_body()
    if joint not in model.joint_names:
        return 0.0
    surface = Surface(model, None)
    p = Placement("", joint, along=along, toward=toward, offset_m=offset_m, child=child)
    index, _, anchor, direction, _ = surface._aim(p)
    _, hit = surface._ray(index, anchor, direction)
    return 0.0 if hit is None else float(direction @ (hit.point - anchor))
