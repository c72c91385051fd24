"""glTF files read back byte by byte and skinned anew in NumPy, by the specification's formulas; OBJ frames by trimesh."""

import json
import struct

import numpy as np
import pytest
import trimesh
from scipy.spatial.transform import Rotation

import imusim as im
from imusim import cli
from imusim.body import SkeletonBody
from imusim.conventions import Q_WB_REST
from imusim.errors import ConfigError, OutputError
from imusim.export.gltf import save_glb
from imusim.export.obj import save_obj

KINDS = {5126: "<f4", 5121: "<u1", 5123: "<u2", 5125: "<u4"}
WIDTHS = {"SCALAR": 1, "VEC3": 3, "VEC4": 4, "MAT4": 16}


def moving(body=None, frames=12, seed=3):
    body, rng = body or im.open_body(), np.random.default_rng(seed)
    joints = len(body.joint_names)
    q = Rotation.from_rotvec(0.5 * rng.standard_normal((frames * joints, 3))).as_quat(scalar_first=True)
    q = q.reshape(frames, joints, 4) * rng.choice([-1, 1], (frames, joints, 1))
    q[:, 0] = Q_WB_REST
    valid = np.ones(frames, bool)
    valid[4:6] = False
    t = 2.0 + np.sort(rng.uniform(0, 1, frames))
    shape = rng.standard_normal(body.n_shape)
    return im.Motion(t, rng.normal(0, 1, (frames, 3)), q, body=body, shape=shape, valid=valid)


def opened(path):
    raw = path.read_bytes()
    magic, version, length = struct.unpack_from("<4sII", raw)
    assert (magic, version, length) == (b"glTF", 2, len(raw))
    size, kind = struct.unpack_from("<I4s", raw, 12)
    assert kind == b"JSON"
    assert size % 4 == 0
    document = json.loads(raw[20 : 20 + size])
    binary, kind = struct.unpack_from("<I4s", raw, 20 + size)
    assert kind == b"BIN\0"
    data = raw[28 + size :]
    assert len(data) == binary == document["buffers"][0]["byteLength"]

    def values(number):
        accessor = document["accessors"][number]
        view = document["bufferViews"][accessor["bufferView"]]
        assert view["byteOffset"] % 4 == 0
        width = WIDTHS[accessor["type"]]
        out = np.frombuffer(
            data, KINDS[accessor["componentType"]], accessor["count"] * width, view["byteOffset"]
        )
        assert out.nbytes == view["byteLength"]
        out = out.reshape(-1, width)
        if "min" in accessor:
            np.testing.assert_array_equal(np.float32(accessor["min"]), out.min(axis=0))
            np.testing.assert_array_equal(np.float32(accessor["max"]), out.max(axis=0))
        return out.astype(np.float64) if out.dtype.kind == "f" else out.astype(np.int64)

    return document, values


def matrices(document, values, k):
    """Global matrices (N, 4, 4) of all nodes at key k of the animation."""
    nodes = [dict(n) for n in document["nodes"]]
    animation = document["animations"][0]
    for channel in animation["channels"]:
        sampler = animation["samplers"][channel["sampler"]]
        nodes[channel["target"]["node"]][channel["target"]["path"]] = values(sampler["output"])[k]
    out = np.zeros((len(nodes), 4, 4))

    def walk(i, above):
        local = np.eye(4)
        local[:3, :3] = Rotation.from_quat(nodes[i].get("rotation", [0, 0, 0, 1])).as_matrix()
        local[:3, 3] = nodes[i].get("translation", [0, 0, 0])
        out[i] = above @ local
        for child in nodes[i].get("children", ()):
            walk(child, out[i])

    for top in document["scenes"][0]["nodes"]:
        walk(top, np.eye(4))
    return out


def test_glb_skinned_by_the_specification_is_the_posed_body(tmp_path):
    motion = moving()
    body = motion.body
    document, values = opened(save_glb(tmp_path / "a.glb", motion, np.full((len(body.v_template), 3), 0.5)))
    seen = np.flatnonzero(motion.valid)
    clock = values(document["animations"][0]["samplers"][0]["input"])[:, 0]
    np.testing.assert_allclose(clock, motion.time_s[seen] - motion.time_s[seen[0]], atol=1e-6)
    primitive = document["meshes"][0]["primitives"][0]
    parts = {name: values(a) for name, a in primitive["attributes"].items()}
    np.testing.assert_array_equal(values(primitive["indices"]).reshape(-1, 3), body.faces)
    skin = document["skins"][0]
    inverse = values(skin["inverseBindMatrices"]).reshape(-1, 4, 4).transpose(0, 2, 1)
    sets = sum(name.startswith("JOINTS") for name in parts)
    weights = np.concatenate([parts[f"WEIGHTS_{s}"] for s in range(sets)], axis=1)
    joints = np.concatenate([parts[f"JOINTS_{s}"] for s in range(sets)], axis=1)
    np.testing.assert_allclose(weights.sum(axis=1), 1.0, atol=1e-6)
    posed = body.pose(motion.root_position_m[seen], motion.joint_rotation_wxyz[seen], motion.shape)
    rest = np.concatenate([parts["POSITION"], np.ones((len(body.v_template), 1))], axis=1)
    for k in (0, 5, len(seen) - 1):
        moves = matrices(document, values, k)[skin["joints"]] @ inverse
        blended = np.einsum("vk,vkab->vab", weights, moves[joints])
        x = np.einsum("vab,vb->va", blended, rest)[:, :3]
        wanted = posed.vertices[k][:, [0, 2, 1]] * [1, 1, -1]  # y up
        assert np.abs(x - wanted).max() <= 1e-5
    turns = [values(s["output"]) for s in document["animations"][0]["samplers"][1:]]
    assert all((np.sum(q[1:] * q[:-1], axis=1) >= 0).all() for q in turns)


def test_glb_is_read_by_trimesh(tmp_path):
    motion = moving()
    scene = trimesh.load(save_glb(tmp_path / "a.glb", motion))
    (mesh,) = scene.geometry.values()
    assert mesh.faces.shape == motion.body.faces.shape
    np.testing.assert_allclose(mesh.vertices, motion.body.rest_vertices(motion.shape), atol=1e-6)


def test_a_bare_skeleton_is_nodes_and_an_animation(tmp_path):
    model = im.open_body()
    motion = moving(SkeletonBody(model.joint_names, model.parents, model.rest_joints()))
    document, values = opened(save_glb(tmp_path / "a.glb", motion))
    assert "meshes" not in document
    seen = np.flatnonzero(motion.valid)
    places = motion.body.pose(motion.root_position_m[seen], motion.joint_rotation_wxyz[seen]).joints
    at = matrices(document, values, 3)[:24, :3, 3]
    np.testing.assert_allclose(at, places[3][:, [0, 2, 1]] * [1, 1, -1], atol=1e-5)


def test_obj_frames_are_the_posed_body(tmp_path):
    motion = moving(frames=8)
    paths = save_obj(tmp_path / "frames", motion)
    assert [p.name for p in paths] == [f"frame_{i:06d}.obj" for i in np.flatnonzero(motion.valid)]
    mesh = trimesh.load(paths[-1], process=False)
    posed = motion.body.pose(motion.root_position_m[-1], motion.joint_rotation_wxyz[-1], motion.shape)
    np.testing.assert_allclose(mesh.vertices, posed.vertices[0], atol=1e-5)
    np.testing.assert_array_equal(mesh.faces, motion.body.faces)
    assert len(save_obj(tmp_path / "few", motion, fps=2.0)) <= 3


def test_command_writes_both(tmp_path, capsys):
    im.save_motion(tmp_path / "walk.npz", moving(frames=8))
    cli.main(["export", str(tmp_path / "walk.npz")])
    cli.main(["export", str(tmp_path / "walk.npz"), "--format", "obj", "--fps", "1"])
    assert (tmp_path / "walk.glb").is_file()
    assert len(list((tmp_path / "walk_obj").iterdir())) <= 2
    assert "COLOR_0" in opened(tmp_path / "walk.glb")[0]["meshes"][0]["primitives"][0]["attributes"]


def test_what_cannot_be_exported_is_refused(tmp_path):
    model = im.open_body()
    bones = moving(SkeletonBody(model.joint_names, model.parents, model.rest_joints()))
    with pytest.raises(ConfigError, match="no skin"):
        save_obj(tmp_path / "frames", bones)
    with pytest.raises(ConfigError, match=r"ends in \.glb"):
        save_glb(tmp_path / "a.gltf", bones)
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        save_glb(tmp_path / "file" / "a.glb", bones)
