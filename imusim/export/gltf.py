"""A motion as an animated glTF 2.0 binary (.glb): joints as nodes, the skin bound to them, one animation.

Khronos Group, "glTF 2.0 specification", 2021, sections 3.5 (coordinates), 3.7.3 (skins), 3.11 (animations), 4.4 (GLB).
glTF is y up: a node above the root turns the z-up world. It knows linear blend skinning only: a body's pose
corrections (`posedirs`) are left out.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from imusim._version import __version__
from imusim.atomic import written_together
from imusim.errors import ConfigError
from imusim.types import Floats, Motion, as_floats

_TYPES = {1: "SCALAR", 3: "VEC3", 4: "VEC4", 16: "MAT4"}
_CODES = {"f": 5126, "B": 5121, "H": 5123, "I": 5125}
_VERTICES, _TRIANGLES = 34962, 34963
_HALF = float(np.sqrt(0.5))


def save_glb(path: Path | str, motion: Motion, colours: ArrayLike | None = None) -> Path:
    """Write a motion as ``.glb``, for Blender, three.js and others.

    Parameters
    ----------
    path : file to write
    motion : frames that are not valid are left out: viewers join what is before and after

    Other Parameters
    ----------------
    colours : (V, 3) red, green, blue of each vertex, 0 … 1; None: grey

    Raises
    ------
    ConfigError
        If the suffix is not .glb, or no frame is valid.
    OutputError
        If it cannot be written.
    """
    path = Path(path)
    if path.suffix.lower() != ".glb":
        raise ConfigError(f"{path.name}: wanted a name that ends in .glb")
    seen = np.flatnonzero(motion.valid)
    if seen.size == 0:
        raise ConfigError("this motion has no valid frame: there is nothing to export")
    file = _Glb()
    body, joints = motion.body, len(motion.body.joint_names)
    shape = motion.shape if motion.shape.size else None
    rest = body.rest_joints(shape)
    parents = np.asarray(body.parents)
    nodes: list[dict[str, Any]] = []
    for j, name in enumerate(body.joint_names):
        node: dict[str, Any] = {"name": name}
        children = np.flatnonzero(parents == j)
        if children.size:
            node["children"] = [int(c) for c in children]
        offset = rest[j] - rest[parents[j]] if parents[j] >= 0 else motion.root_position_m[seen[0]]
        node["translation"] = [float(v) for v in offset]
        node["rotation"] = _xyzw(motion.joint_rotation_wxyz[seen[:1], j])[0].tolist()
        nodes.append(node)
    roots = [int(j) for j in np.flatnonzero(parents < 0)]
    nodes.append({"name": "world, z up", "rotation": [-_HALF, 0.0, 0.0, _HALF], "children": roots})
    top = [joints]
    skin = body.rest_vertices(shape)
    document: dict[str, Any] = {"asset": {"version": "2.0", "generator": f"imusim {__version__}"}}
    if skin is not None and body.weights is not None and body.faces is not None:
        nodes.append({"name": body.name, "mesh": 0, "skin": 0})
        top.append(joints + 1)
        document |= _mesh(file, skin, body.faces, body.weights, rest, colours)
        document["skins"][0]["joints"] = list(range(joints))
        document["skins"][0]["skeleton"] = joints
    document["animations"] = [_animation(file, motion, seen, roots[0])]
    document |= {"scene": 0, "scenes": [{"nodes": top}], "nodes": nodes}
    with written_together(path) as (temporary,):
        temporary.write_bytes(file.packed(document))
    return path


def _mesh(
    file: _Glb,
    skin: Floats,
    faces: NDArray[np.int64],
    weights: Floats,
    rest: Floats,
    colours: ArrayLike | None,
) -> dict[str, Any]:
    from trimesh import Trimesh

    normals = np.array(Trimesh(skin, faces, process=False).vertex_normals)
    normals[np.linalg.norm(normals, axis=1) < 0.5] = [0.0, 1.0, 0.0]
    attributes = {
        "POSITION": file.add(skin.astype("<f4"), _VERTICES, bounds=True),
        "NORMAL": file.add(normals.astype("<f4"), _VERTICES),
    }
    if colours is not None:
        paint = (
            np.clip(as_floats(colours, "colours", (len(skin), 3)), 0.0, 1.0) ** 2.2
        )  # glTF colours are linear
        attributes["COLOR_0"] = file.add(paint.astype("<f4"), _VERTICES)
    width = max(4, 4 * -(-int((weights != 0).sum(axis=1).max()) // 4))
    width = min(width, 4 * -(-weights.shape[1] // 4))
    padded = np.pad(weights, ((0, 0), (0, max(0, width - weights.shape[1]))))
    order = np.argsort(-padded, axis=1, kind="stable")[:, :width]
    share = np.take_along_axis(padded, order, axis=1)
    order[share == 0.0] = 0  # unused ones must name a joint that is there
    for k in range(width // 4):
        part = slice(4 * k, 4 * k + 4)
        small = "<u1" if weights.shape[1] <= 256 else "<u2"
        attributes[f"JOINTS_{k}"] = file.add(np.ascontiguousarray(order[:, part]).astype(small), _VERTICES)
        attributes[f"WEIGHTS_{k}"] = file.add(np.ascontiguousarray(share[:, part]).astype("<f4"), _VERTICES)
    inverse = np.tile(np.eye(4), (len(rest), 1, 1))
    inverse[:, :3, 3] = -rest
    columns = np.swapaxes(inverse, 1, 2).reshape(-1, 16)
    primitive = {
        "attributes": attributes,
        "indices": file.add(faces.reshape(-1, 1).astype("<u4"), _TRIANGLES),
        "material": 0,
    }
    rough = {"baseColorFactor": [1.0, 1.0, 1.0, 1.0], "metallicFactor": 0.0, "roughnessFactor": 0.8}
    if colours is None:
        rough["baseColorFactor"] = [0.6, 0.6, 0.6, 1.0]
    return {
        "meshes": [{"primitives": [primitive]}],
        "materials": [{"pbrMetallicRoughness": rough, "doubleSided": True}],
        "skins": [{"inverseBindMatrices": file.add(columns.astype("<f4"))}],
    }


def _animation(file: _Glb, motion: Motion, seen: NDArray[np.int64], root: int) -> dict[str, Any]:
    time_s = motion.time_s[seen] - motion.time_s[seen[0]]
    clock = file.add(time_s[:, None].astype("<f4"), bounds=True)
    place = file.add(motion.root_position_m[seen].astype("<f4"))
    samplers = [{"input": clock, "output": place, "interpolation": "LINEAR"}]
    channels = [{"sampler": 0, "target": {"node": root, "path": "translation"}}]
    for j in range(motion.joint_rotation_wxyz.shape[1]):
        turns = file.add(_xyzw(motion.joint_rotation_wxyz[seen, j]).astype("<f4"))
        channels.append({"sampler": len(samplers), "target": {"node": j, "path": "rotation"}})
        samplers.append({"input": clock, "output": turns, "interpolation": "LINEAR"})
    return {"name": "motion", "samplers": samplers, "channels": channels}


def _xyzw(wxyz: Floats) -> Floats:
    """Quaternions (T, 4) scalar last, without jumps of sign."""
    q = np.array(wxyz[:, [1, 2, 3, 0]])
    flips = np.sign((q[1:] * q[:-1]).sum(axis=1))
    q[1:] *= np.cumprod(np.where(flips < 0, -1.0, 1.0))[:, None]
    return q


class _Glb:
    """The binary part, array by array, with the entries that describe it."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._length = 0
        self._views: list[dict[str, Any]] = []
        self._accessors: list[dict[str, Any]] = []

    def add(self, array: NDArray[Any], target: int | None = None, bounds: bool = False) -> int:
        """Append an array (N, C); its number as an accessor."""
        raw = np.ascontiguousarray(array).tobytes()
        view: dict[str, Any] = {"buffer": 0, "byteOffset": self._length, "byteLength": len(raw)}
        if target is not None:
            view["target"] = target
        accessor: dict[str, Any] = {
            "bufferView": len(self._views),
            "componentType": _CODES[array.dtype.char],
            "count": len(array),
            "type": _TYPES[array.shape[1]],
        }
        if bounds:
            accessor["min"] = [float(v) for v in array.min(axis=0)]
            accessor["max"] = [float(v) for v in array.max(axis=0)]
        self._views.append(view)
        self._accessors.append(accessor)
        raw += b"\0" * (-len(raw) % 4)
        self._parts.append(raw)
        self._length += len(raw)
        return len(self._accessors) - 1

    def packed(self, document: dict[str, Any]) -> bytes:
        """Return the whole file."""
        document |= {"accessors": self._accessors, "bufferViews": self._views}
        document["buffers"] = [{"byteLength": self._length}]
        text = json.dumps(document, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 4)
        whole = 12 + 8 + len(text) + 8 + self._length
        head = struct.pack("<4sII", b"glTF", 2, whole) + struct.pack("<I4s", len(text), b"JSON")
        return head + text + struct.pack("<I4s", self._length, b"BIN\0") + b"".join(self._parts)
