"""The open body laid over another body, so that a place found on the one is a point of the other's skin.

Models put their joints in different spots of the same anatomy (the head's, the hips'), so that a ray from a bone of
another model ends centimetres off. The skin is what they share: places are found on the open body and carried over.

1. Each segment of the open body is scaled, turned and moved to where the other body has it, blended by skin weights.
2. Segments are then moved, in a few rounds, until the two skins lie on each other: point-to-plane least squares
   (Chen & Medioni, "Object modelling by registration of multiple range images", Image Vision Comput. 10(3), 1992),
   one shift a segment, held back where the skin does not tell (along a forearm).
"""

from __future__ import annotations

from weakref import WeakKeyDictionary

import numpy as np
from scipy.spatial import KDTree

from imusim.body import OpenBody, open_body
from imusim.errors import UnknownNameError
from imusim.placement.everywhere import vertex_normals
from imusim.placement.joints import find_joint
from imusim.placement.surface import SkinHit
from imusim.types import Body, Floats, Placement

_ROUNDS = 20
_REACH_M = 0.10
_HOLD = 0.02  # share of a segment's weight that holds it where it started
_ENDS = tuple(f"{s}_{j}" for j in ("elbow", "wrist", "knee", "ankle") for s in ("left", "right"))
_BLOCKS = (
    ("pelvis", "spine1"),
    ("spine2", "spine3", "left_collar", "right_collar"),
)  # of the trunk, moved as one
_ALIKE_M = 0.03
_SCALE_LIMITS = (0.6, 1.6)

_known: WeakKeyDictionary[Body, Cover | None] = WeakKeyDictionary()


def cover(body: Body) -> Cover | None:
    """Return the open body laid over a body of the mean shape, made once for each body.

    None if it is the open body itself, has no skin, lacks a joint that the open body has (but for hands and feet), or
    lies nowhere near.
    """
    if body not in _known:
        _known[body] = None if isinstance(body, OpenBody) else _lay(body)
    return _known[body]


class Cover:
    """Where points of the open body lie on another body, both of the mean shape and in their rest poses.

    Attributes
    ----------
    distance_m : root mean square distance of the two skins · m
    places : points of the other body's skin that were found already
    """

    def __init__(self, map_: Floats, shift: Floats, points: Floats, where: Floats) -> None:
        self._map, self._shift = map_, shift
        self._points, self._where = points, where  # joints of the two, (24, 3) each
        self.distance_m = np.inf
        self.places: dict[Placement, SkinHit] = {}

    def carried(self, points_m: Floats, weights: Floats) -> Floats:
        """Positions (N, 3) · m on the other body of points (N, 3) of the open body with skin weights (N, 24)."""
        local = points_m[:, None] - self._points
        moved = np.einsum("jab,njb->nja", self._map, local) + self._where + self._shift
        return np.einsum("nj,nja->na", weights, moved)


def _lay(body: Body) -> Cover | None:
    model = open_body()
    skin, faces = body.rest_vertices(), body.faces
    if skin is None or faces is None or body.weights is None:
        return None
    found = _bones(body, model)
    if found is None:
        return None
    map_, where = found
    start = model.rest_joints()
    out = Cover(map_, np.zeros((len(start), 3)), start, where)
    vertices, weights = model.rest_vertices(), model.weights
    some = np.arange(0, len(vertices), 2)
    own = np.einsum("nj,jab->nab", weights[some], map_)
    normals = np.einsum("nab,nb->na", own, vertex_normals(vertices, model.faces)[some])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    together = np.eye(len(start))
    for block in _BLOCKS:
        rows = [model.joint_names.index(n) for n in block]
        together[np.ix_(rows, rows)] = 1.0
    tree, their = KDTree(skin), vertex_normals(skin, faces)
    for _ in range(_ROUNDS):
        at = out.carried(vertices[some], weights[some])
        apart, row = (np.asarray(a) for a in tree.query(at, distance_upper_bound=_REACH_M))
        met = np.flatnonzero(np.isfinite(apart))
        n = their[row[met]]
        alike = (n * normals[met]).sum(axis=1) > 0.5
        met, n = met[alike], n[alike]
        if met.size == 0:
            return None
        gap = ((skin[row[met]] - at[met]) * n).sum(axis=1)
        out.distance_m = float(np.sqrt(np.mean(gap**2)))
        trust = 1.0 / (1.0 + (gap / 0.02) ** 2)
        w = (weights[some][met] * trust[:, None]) @ together  # (M, 24)
        normal_matrix = np.einsum("mj,ma,mb->jab", w, n, n, optimize=True)
        pull = np.einsum("mj,m,ma->ja", w, gap, n, optimize=True)
        total = w.sum(axis=0)
        hold = _HOLD * total + 1.0
        left = normal_matrix + hold[:, None, None] * np.eye(3)
        right = pull - hold[:, None] * out._shift
        out._shift = out._shift + np.linalg.solve(left, right[..., None])[..., 0]
    return out if out.distance_m < _ALIKE_M else None


def _bones(body: Body, model: OpenBody) -> tuple[Floats, Floats] | None:
    """Linear map (24, 3, 3) of each segment of the open body, and where its joints are on the other, (24, 3).

    Elbows, wrists, knees and ankles are where the other body has them. The trunk and the head are scaled by stature
    and stand on the same height of it: where a model puts hips, spine, neck and head joints is its own affair.
    """
    joints, start = body.rest_joints(), model.rest_joints()
    parents, names = model.parents, model.joint_names
    at: dict[str, Floats] = {}
    for name in ("pelvis", *_ENDS):
        try:
            at[name] = joints[find_joint(body, name)]
        except UnknownNameError:
            return None
    skin, own = body.rest_vertices(), model.rest_vertices()
    assert skin is not None
    size = float(np.ptp(skin[:, 1]) / np.ptp(own[:, 1]))
    origin = at["pelvis"] - size * start[0]
    origin[1] = skin[:, 1].max() - size * own[:, 1].max()
    map_, where = np.empty((len(names), 3, 3)), size * start + origin
    for name in _ENDS:
        where[names.index(name)] = at[name]
    for j, name in enumerate(names):
        p = int(parents[j])
        if name.endswith(("hand", "foot")):
            map_[j], where[j] = map_[p], where[p] + map_[p] @ (start[j] - start[p])
            continue
        child = next((c for c in np.flatnonzero(parents == j) if names[c] in _ENDS), None)
        if child is not None:
            bone, wanted = start[child] - start[j], where[child] - where[j]
            scale = np.linalg.norm(wanted) / np.linalg.norm(bone)
            map_[j] = np.clip(scale, *_SCALE_LIMITS) * _turn(bone, wanted)
        else:  # the trunk stands upright; hands and feet go with the segment above
            map_[j] = size * (_rigid(map_[p]) if name in _ENDS else np.eye(3))
    return map_, where


def _rigid(matrix: Floats) -> Floats:
    return matrix / np.cbrt(np.linalg.det(matrix))


def _turn(a: Floats, b: Floats) -> Floats:
    """Smallest rotation (3, 3) from direction a to direction b."""
    a, b = a / np.linalg.norm(a), b / np.linalg.norm(b)
    v, c = np.cross(a, b), float(a @ b)
    if c < -0.999:
        return np.eye(3)
    k = np.array([[0, -v[2], v[1]], [v[2], 0, -v[0]], [-v[1], v[0], 0]])
    return np.eye(3) + k + k @ k / (1.0 + c)
