"""SMPL, SMPL-H and SMPL-X files in their authors' layout against the `smplx` package: random poses and shapes."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from smpl_family import SIZES, made_up

import imusim as im
from imusim.errors import ConfigError, ShapeError

smplx = pytest.importorskip("smplx")
torch = pytest.importorskip("torch")

FRAMES = 3
TOLERANCE_M = 1e-6


@pytest.fixture(scope="module", params=SIZES)
def model(request, tmp_path_factory):
    """(kind, path of an npz in the authors' layout)."""
    path = tmp_path_factory.mktemp("models") / f"{request.param.upper()}_NEUTRAL.npz"
    np.savez(path, **made_up(request.param, seed=SIZES[request.param][2]))
    return request.param, path


def theirs(kind, path, betas, expression, rotvec, transl):
    """Vertices and joints after smplx, in float64; rotvec (T, J, 3), flat hands at zero."""
    n, common = len(rotvec), {"batch_size": len(rotvec), "dtype": torch.float64, "num_betas": betas.size}
    flat = torch.tensor(rotvec.reshape(n, -1))
    pose = {"global_orient": flat[:, :3], "transl": torch.tensor(transl)}
    pose["betas"] = torch.tensor(np.tile(betas, (n, 1)))
    hands = {"use_pca": False, "flat_hand_mean": True, "ext": "npz"}
    if kind == "smpl":
        from smplx.utils import Struct

        with np.load(path) as file:
            data = {k: file[k] for k in file.files}
        data["kintree_table"] = data["kintree_table"].astype(np.int64)
        net = smplx.SMPL("", data_struct=Struct(**data), **common)  # its class opens pickles only
        pose["body_pose"] = flat[:, 3:]
    elif kind == "smplh":
        net = smplx.SMPLH(str(path), **hands, **common)
        pose |= {
            "body_pose": flat[:, 3:66],
            "left_hand_pose": flat[:, 66:111],
            "right_hand_pose": flat[:, 111:],
        }
    else:
        net = smplx.SMPLX(str(path), num_expression_coeffs=10, **hands, **common)
        pose |= {"body_pose": flat[:, 3:66], "jaw_pose": flat[:, 66:69], "leye_pose": flat[:, 69:72]}
        pose |= {
            "reye_pose": flat[:, 72:75],
            "left_hand_pose": flat[:, 75:120],
            "right_hand_pose": flat[:, 120:],
        }
        pose["expression"] = torch.tensor(np.tile(expression, (n, 1)))
    with torch.no_grad():
        out = net(**pose)
    return out.vertices.numpy(), out.joints.numpy()[:, : rotvec.shape[1]]


def draw(joints, seed):
    rng = np.random.default_rng(seed)
    rotvec = 0.6 * rng.standard_normal((FRAMES, joints, 3))
    quat = Rotation.from_rotvec(rotvec.reshape(-1, 3)).as_quat(scalar_first=True).reshape(FRAMES, joints, 4)
    return rotvec, quat, rng.standard_normal(10), rng.standard_normal(10), rng.standard_normal((FRAMES, 3))


def ours(body, shape, quat, transl):
    return body.pose(transl + body.rest_joints(shape)[0], quat, shape=shape)


def test_vertices_and_joints_equal_smplx(model):
    kind, path = model
    joints = SIZES[kind][2]
    rotvec, quat, betas, expression, transl = draw(joints, seed=joints)
    keep = 10 if kind == "smplx" else 0
    body = im.load_body(path, n_shape=10, n_expression=keep)
    assert (body.v_template.shape[0], len(body.faces), len(body.joint_names)) == SIZES[kind]
    vertices, places = theirs(kind, path, betas, expression, rotvec, transl)
    posed = ours(body, np.concatenate([betas, expression[:keep]]), quat, transl)
    assert np.abs(posed.vertices - vertices).max() <= TOLERANCE_M
    assert np.abs(posed.joints - places).max() <= TOLERANCE_M
    assert np.ptp(vertices, axis=0).max() > 0.5  # the poses are not all alike


def test_expression_is_left_out_unless_asked_for(model):
    kind, path = model
    if kind != "smplx":
        with pytest.raises(ShapeError, match="0 expression directions"):
            im.load_body(path, n_expression=1)
        return
    rotvec, quat, betas, expression, transl = draw(55, seed=1)
    vertices, _ = theirs(kind, path, betas, 0 * expression, rotvec, transl)
    plain = im.load_body(path)
    assert plain.n_shape == 16
    assert np.abs(ours(plain, betas, quat, transl).vertices - vertices).max() <= TOLERANCE_M


def test_old_smplx_files_have_ten_shapes_and_ten_expressions(tmp_path):
    np.savez(tmp_path / "SMPLX_OLD.npz", **made_up("smplx", seed=4, shapes=20))
    rotvec, quat, betas, expression, transl = draw(55, seed=2)
    vertices, _ = theirs("smplx", tmp_path / "SMPLX_OLD.npz", betas, expression, rotvec, transl)
    assert im.load_body(tmp_path / "SMPLX_OLD.npz").n_shape == 10
    body = im.load_body(tmp_path / "SMPLX_OLD.npz", n_expression=10)
    posed = ours(body, np.concatenate([betas, expression]), quat, transl)
    assert np.abs(posed.vertices - vertices).max() <= TOLERANCE_M
    with pytest.raises(ShapeError, match="10 shape directions"):
        im.load_body(tmp_path / "SMPLX_OLD.npz", n_shape=16)


def test_merged_hands_are_the_same_body_while_fingers_rest(model):
    kind, path = model
    joints = SIZES[kind][2]
    rotvec, quat, betas, expression, transl = draw(joints, seed=9)
    rotvec[:, 22:], quat[:, 22:] = 0.0, [1, 0, 0, 0]
    vertices, places = theirs(kind, path, betas, 0 * expression, rotvec, transl)
    body = im.load_body(path, n_shape=10, hands="merge")
    assert body.joint_names == im.open_body().joint_names
    assert body.parents.tolist() == im.open_body().parents.tolist()
    posed = ours(body, betas, quat[:, :24] if joints > 24 else quat, transl)
    assert np.abs(posed.vertices - vertices).max() <= TOLERANCE_M
    assert np.abs(posed.joints[:, :22] - places[:, :22]).max() <= TOLERANCE_M


def test_merged_fingers_turn_about_the_knuckles(model):
    kind, path = model
    body = im.load_body(path, hands="merge")
    q = np.zeros((1, 24, 4))
    q[..., 0] = 1.0
    rest = body.pose(body.rest_joints()[0], q)
    q[0, 22] = Rotation.from_rotvec([0, 0, 0.5]).as_quat(scalar_first=True)
    turned = body.pose(body.rest_joints()[0], q)
    np.testing.assert_allclose(turned.joints, rest.joints, atol=1e-12)
    if kind != "smpl":
        kept = im.load_body(path)
        knuckles = [kept.joint_names.index(f"left_{f}1") for f in ("index", "middle", "pinky", "ring")]
        np.testing.assert_allclose(
            body.rest_joints()[22], kept.rest_joints()[knuckles].mean(axis=0), atol=1e-12
        )


def test_unknown_ways_with_hands_are_refused(model):
    _, path = model
    with pytest.raises(ConfigError, match='"keep" or "merge"'):
        im.load_body(path, hands="drop")
