"""Skinning against the `smplx` package, in float64, on the open body and on a made-up SMPL file."""

from collections import defaultdict
from importlib import resources

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

import imusim as im

smplx = pytest.importorskip("smplx")
torch = pytest.importorskip("torch")


def reference(path, betas, matrices, transl):
    """Vertices and the 24 joints after smplx.SMPL (its class wants a pickle; a Struct goes past that)."""
    from smplx.utils import Struct

    with np.load(path, allow_pickle=False) as file:
        data = {k: file[k] for k in file.files}
    data["weights"] = data["weights"].astype(np.float64)
    data["weights"] /= data["weights"].sum(axis=1, keepdims=True)
    data.setdefault("posedirs", np.zeros((*data["v_template"].shape, 207)))
    data["kintree_table"] = data["kintree_table"].astype(np.int64)
    model = smplx.SMPL(
        "",
        data_struct=Struct(**data),
        batch_size=len(matrices),
        dtype=torch.float64,
        vertex_ids=defaultdict(int),
        num_betas=betas.size,
    )
    out = model(
        betas=torch.tensor(np.tile(betas, (len(matrices), 1))),
        body_pose=torch.tensor(matrices[:, 1:]),
        global_orient=torch.tensor(matrices[:, :1]),
        pose2rot=False,  # its own rotation vectors are off by 1e-8
        transl=torch.tensor(transl),
    )
    return out.vertices.detach().numpy(), out.joints.detach().numpy()[:, :24]


def poses(rng, count):
    rotation = Rotation.from_rotvec(0.7 * rng.standard_normal((count * 24, 3)))
    return rotation.as_matrix().reshape(count, 24, 3, 3), rotation.as_quat(scalar_first=True).reshape(
        count, 24, 4
    )


def compare(body, path, seed):
    rng = np.random.default_rng(seed)
    betas = rng.standard_normal(10)
    matrices, quat = poses(rng, 6)
    transl = 3.0 * rng.standard_normal((6, 3))
    vertices, joints = reference(path, betas, matrices, transl)
    posed = body.pose(transl + body.rest_joints(betas)[0], quat, shape=betas)
    np.testing.assert_allclose(posed.joints, joints, rtol=0, atol=1e-12)
    np.testing.assert_allclose(posed.vertices, vertices, rtol=0, atol=1e-12)
    few = body.pose(transl + body.rest_joints(betas)[0], quat, shape=betas, vertices=[5, 17, 3])
    np.testing.assert_allclose(few.vertices, posed.vertices[:, [5, 17, 3]], rtol=0, atol=1e-13)


def test_open_body_equals_smplx():
    with resources.as_file(resources.files("imusim.body") / "data" / "open_body_24.npz") as path:
        for seed in range(3):
            compare(im.open_body(), path, seed)


def test_smpl_file_with_pose_corrections_equals_smplx(smpl_file):
    compare(im.load_body(smpl_file), smpl_file, 11)
