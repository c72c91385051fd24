"""The skin of a `SkinnedBody` in PyTorch: vertices as a differentiable function of shape, root and rotations."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from imusim.body import SkinnedBody
from imusim.types import Body
from mujo.errors import ConfigError


class Skin:
    """Linear blend skinning as in `imusim.body.SkinnedBody`, of all its vertices or of fewer.

    Fewer faces are those of a mesh whose vertices are a subset of the body's: vertices in one cell of a cubic grid
    are merged into the one nearest to their middle (Rossignac & Borrel, "Multi-resolution 3D approximations for
    rendering complex scenes", 1993). Chords cut corners: what is left is moved out along its normals, by millimetres and
    everywhere as far, until it has the body's volume.

    Parameters
    ----------
    body : a body with a skin

    Other Parameters
    ----------------
    faces : no more than this many triangles; None: all
    device, dtype : of every tensor

    Attributes
    ----------
    faces : (F, 3) int64
    rows : (V,) int64, which of the body's vertices are left
    out_m : how far they were moved out · m; 0 for the whole mesh

    Raises
    ------
    ConfigError
        If the body has no skin, or so few faces are asked for that nothing is left.
    """

    def __init__(
        self,
        body: Body,
        *,
        faces: int | None = None,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> None:
        if not isinstance(body, SkinnedBody):
            raise ConfigError(
                f"{body.name} has no skin, so it has no silhouette. Fit a body with a skin to it."
            )
        rows, triangles = _fewer(body.v_template, body.faces, faces)

        def tensor(a: np.ndarray) -> Tensor:
            return torch.as_tensor(np.ascontiguousarray(a), dtype=dtype, device=device)

        template, self.out_m = _same_volume(body.v_template, body.faces, rows, triangles)
        self.body, self.rows = body, rows
        self.faces = torch.as_tensor(triangles, device=device)
        self._template, self._directions = tensor(template), tensor(body.shapedirs[rows])
        self._joints, self._joint_basis = tensor(body.rest_joints()), tensor(body.joint_shape_basis())
        self._weights = tensor(body.weights[rows])
        self._bends = (
            None if body.posedirs is None else tensor(body.posedirs[rows].reshape(3 * len(rows), -1))
        )
        self._identity = torch.eye(3, dtype=dtype, device=device)

    def vertices(self, root_m: Tensor, rotation: Tensor, shape: Tensor) -> Tensor:
        """Vertices (T, V, 3) · m · the axes that the root rotation leads to.

        Parameters
        ----------
        root_m : (T, 3) · m, position of the root joint
        rotation : (T, J, 3, 3), child to parent; the root's from B axes to those of the result
        shape : (B,) coefficients
        """
        rest = self._template + self._directions @ shape
        joints = self._joints + self._joint_basis @ shape
        turns, places = [rotation[:, 0]], [root_m]
        for j, parent in enumerate(self.body.parents[1:].tolist(), start=1):
            turns.append(turns[parent] @ rotation[:, j])
            places.append(places[parent] + turns[parent] @ (joints[j] - joints[parent]))
        turn, place = torch.stack(turns, dim=1), torch.stack(places, dim=1)
        if self._bends is not None:
            features = (rotation[:, 1:] - self._identity).flatten(1)
            rest = rest + (features @ self._bends.T).reshape(-1, *rest.shape)
        # x = Σ_j w_j R_j v + Σ_j w_j (p_j − R_j J_j)
        blended = torch.einsum("vj,tjab->tvab", self._weights, turn)
        shift = torch.einsum("vj,tja->tva", self._weights, place - torch.einsum("tjab,jb->tja", turn, joints))
        return (blended @ rest[..., None])[..., 0] + shift

    def rest_height(self, shape: Tensor) -> Tensor:
        """Height from the lowest to the highest of these vertices in the rest pose, m."""
        y = self._template[:, 1] + self._directions[:, 1] @ shape
        return y.max() - y.min()


def quaternion_matrix(q: Tensor) -> Tensor:
    """Rotation matrices (..., 3, 3) of unit quaternions (..., 4), wxyz."""
    w, x, y, z = q.unbind(-1)
    rows = (
        torch.stack([1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)], dim=-1),
        torch.stack([2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)], dim=-1),
        torch.stack([2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)], dim=-1),
    )
    return torch.stack(rows, dim=-2)


def vector_matrix(v: Tensor) -> Tensor:
    """Rotation matrices (..., 3, 3) of rotation vectors (..., 3) · rad; smooth at zero, where refinement starts."""
    x, y, z = v.unbind(-1)
    o = torch.zeros_like(x)
    skew = torch.stack(
        [torch.stack([o, -z, y], -1), torch.stack([z, o, -x], -1), torch.stack([-y, x, o], -1)], dim=-2
    )
    return torch.linalg.matrix_exp(skew)


def _fewer(vertices: np.ndarray, faces: np.ndarray, most: int | None) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the vertices that are left, and the faces between them: as many as `most` allows."""
    if most is None or len(faces) <= most:
        return np.arange(len(vertices)), np.array(faces, dtype=np.int64)
    size = float(np.ptp(vertices, axis=0).max())
    low, high = 1e-4 * size, 0.5 * size  # too fine, coarse enough
    found = _cluster(vertices, faces, high)
    for _ in range(20):
        middle = float(np.sqrt(low * high))
        trial = _cluster(vertices, faces, middle)
        if len(trial[1]) > most:
            low = middle
        else:
            high, found = middle, trial
    if len(found[1]) < 4 or len(found[1]) > most:
        raise ConfigError(
            f"faces={most} leaves nothing of a mesh of {len(faces)}. Ask for a few hundred or more."
        )
    return found


def _same_volume(
    vertices: np.ndarray, faces: np.ndarray, rows: np.ndarray, triangles: np.ndarray
) -> tuple[np.ndarray, float]:
    """Vertices that are left, moved out along their normals until they enclose what the whole mesh does; how far."""
    from trimesh import Trimesh

    left = vertices[rows]
    if len(rows) == len(vertices):
        return left, 0.0
    wanted = float(Trimesh(vertices, faces, process=False).volume)
    normals = np.array(Trimesh(left, triangles, process=False).vertex_normals)
    out = 0.0
    for _ in range(4):
        mesh = Trimesh(left + out * normals, triangles, process=False)
        out += (wanted - float(mesh.volume)) / float(mesh.area)
    return left + out * normals, out


def _cluster(vertices: np.ndarray, faces: np.ndarray, cell_m: float) -> tuple[np.ndarray, np.ndarray]:
    keys = np.floor(vertices / cell_m).astype(np.int64)
    _, group = np.unique(keys, axis=0, return_inverse=True)
    group = group.reshape(-1)
    middle = np.stack([np.bincount(group, vertices[:, k]) for k in range(3)], axis=1)
    middle /= np.bincount(group)[:, None]
    off = np.linalg.norm(vertices - middle[group], axis=1)
    order = np.lexsort((off, group))
    first = np.concatenate([[True], np.diff(group[order]) > 0])
    rows = order[first]  # of each group, the vertex nearest to its middle
    new = group[faces]
    new = new[(new[:, 0] != new[:, 1]) & (new[:, 1] != new[:, 2]) & (new[:, 2] != new[:, 0])]
    _, once = np.unique(np.sort(new, axis=1), axis=0, return_index=True)
    return rows, np.ascontiguousarray(new[np.sort(once)])
