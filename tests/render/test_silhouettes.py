"""Soft silhouettes: skinning against the body model, pixels against projection and OpenGL, gradients against differences,
and known offsets found again. What needs PyTorch3D is skipped, visibly, where it is not built (docs/silhouettes.md)."""

import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.ndimage import distance_transform_edt

import imusim as im
from imusim import rotation
from imusim.body import SkinnedBody
from imusim.conventions import Q_WB_REST
from imusim.errors import ConfigError, ShapeError
from imusim.viz.render import Camera
from mujo.errors import MissingPyTorch3D
from mujo.render import Silhouettes, Skin, motion_meshes, refine
from mujo.render.skin import quaternion_matrix, vector_matrix

CAMERA = Camera.looking_at((64, 64), (0.4, -3.6, 1.2), (0.0, 0.0, 0.95), focal_px=100)


@pytest.fixture(scope="module")
def body():
    return im.open_body()


@pytest.fixture
def built():
    pytest.importorskip("pytorch3d", reason="PyTorch3D is not built here: docs/silhouettes.md")


def standing(body, frames=3, shape=None, seed=0):
    """A person with raised arms who turns a little, `frames` frames in a second."""
    rng = np.random.default_rng(seed)
    q = np.tile([1.0, 0, 0, 0], (frames, len(body.joint_names), 1))
    for name, sign in (("left_shoulder", -1), ("right_shoulder", 1)):
        q[:, body.joint_names.index(name)] = rotation.from_rotvec([0.0, 0.0, sign * 0.7])
    q = rotation.multiply(q, rotation.from_rotvec(0.1 * rng.normal(size=(frames, len(body.joint_names), 3))))
    turn = rotation.from_rotvec(
        np.stack([np.zeros(frames), np.zeros(frames), np.linspace(0, 0.6, frames)], 1)
    )
    q[:, 0] = rotation.multiply(turn, Q_WB_REST)
    root = np.tile([0.0, 0.0, 0.95], (frames, 1))
    return im.Motion(np.linspace(0, 1, frames), root, q, body, shape=np.zeros(0) if shape is None else shape)


def rest_pose(body):
    joints = len(body.joint_names)
    root = torch.as_tensor(body.rest_joints()[:1], dtype=torch.float32)
    return root, torch.eye(3).expand(1, joints, 3, 3), torch.zeros(body.n_shape)


def with_bends(body, seed=3):
    """The open body with made pose corrections, which it has none of."""
    bends = 1e-3 * np.random.default_rng(seed).normal(
        size=(*body.v_template.shape, 9 * (len(body.parents) - 1))
    )
    keys = ("joint_names", "parents", "v_template", "shapedirs", "J_regressor", "weights", "faces")
    few = {k: getattr(body, k) for k in keys}
    return SkinnedBody("bending", **few, posedirs=bends)


@pytest.mark.parametrize("bends", [False, True])
def test_torch_skin_is_the_body_models_own(body, bends):
    model = with_bends(body) if bends else body
    beta = np.random.default_rng(1).normal(size=model.n_shape)
    motion = standing(body, shape=beta)
    skin = Skin(model, dtype=torch.float64)
    got = skin.vertices(
        torch.as_tensor(motion.root_position_m),
        quaternion_matrix(torch.as_tensor(motion.joint_rotation_wxyz)),
        torch.as_tensor(beta),
    )
    want = model.pose(motion.root_position_m, motion.joint_rotation_wxyz, beta)
    np.testing.assert_allclose(got.numpy(), want.vertices, atol=1e-12)


def test_rotation_vectors_are_imusims_and_have_a_slope_at_zero():
    v = np.random.default_rng(0).normal(size=(5, 3))
    np.testing.assert_allclose(
        vector_matrix(torch.as_tensor(v)), rotation.to_matrix(rotation.from_rotvec(v)), atol=1e-12
    )
    zero = torch.zeros(3, dtype=torch.float64)
    slope = torch.autograd.functional.jacobian(vector_matrix, zero)
    np.testing.assert_allclose(slope[2, 1], [1, 0, 0], atol=1e-12)  # ∂R_zy/∂x


def test_fewer_faces_are_fewer_and_lie_on_the_body(body):
    skin = Skin(body, faces=1500)
    faces = skin.faces.numpy()
    assert 700 <= len(faces) <= 1500
    assert len(np.unique(skin.rows)) == len(skin.rows) > faces.max()
    whole, part = body.v_template, skin.vertices(*rest_pose(body))[0].numpy().astype(np.float64)
    assert np.ptp(part, axis=0) == pytest.approx(np.ptp(whole, axis=0), abs=0.035)
    assert 0 < skin.out_m < 0.008
    normal = np.cross(part[faces[:, 1]] - part[faces[:, 0]], part[faces[:, 2]] - part[faces[:, 0]])
    volume = (normal * part[faces[:, 0]]).sum() / 6
    a, b, c = (whole[body.faces[:, k]] for k in range(3))
    assert volume == pytest.approx((np.cross(b - a, c - a) * a).sum() / 6, rel=0.02)  # the same side is out
    with pytest.raises(ConfigError, match="leaves nothing"):
        Skin(body, faces=3)


def test_without_pytorch3d_the_page_is_named(body, monkeypatch):
    for name in [n for n in sys.modules if n.split(".")[0] == "pytorch3d"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pytorch3d", None)
    motion = standing(body)
    for call in (lambda: motion_meshes(motion), lambda: refine(motion, np.ones((3, 64, 64)), CAMERA)):
        with pytest.raises(MissingPyTorch3D, match=r"docs/silhouettes\.md"):
            call()


def test_a_skeleton_has_no_silhouette():
    from imusim.body import SkeletonBody

    with pytest.raises(ConfigError, match="no skin"):
        Skin(SkeletonBody(("hip", "knee"), np.array([-1, 0]), np.zeros((2, 3))))


def test_meshes_are_the_skin_in_the_world(body, built):
    motion = standing(body)
    motion = replace(motion, valid=np.array([True, False, True]))
    meshes = motion_meshes(motion)
    want = body.pose(motion.root_position_m[[0, 2]], motion.joint_rotation_wxyz[[0, 2]])
    np.testing.assert_allclose(meshes.verts_padded().numpy(), want.vertices, atol=2e-6)
    np.testing.assert_array_equal(meshes.faces_padded()[1].numpy(), body.faces)
    with pytest.raises(ConfigError, match="frame 1 is not valid"):
        motion_meshes(motion, [0, 1])
    with pytest.raises(ConfigError, match="frame 7 does not exist"):
        motion_meshes(motion, [7])


@pytest.mark.parametrize("size", [(64, 64), (64, 40), (40, 64)])
def test_points_fall_on_the_pixels_of_the_camera(size, built):
    from mujo.render.silhouette import torch3d_cameras

    camera = Camera.looking_at(size, (1.2, -2.9, 1.1), (0.1, 0.2, 0.3), focal_px=70, roll_deg=12)
    camera = Camera(size, 70, camera.R_cw, camera.t_c_m, (30.0, 21.5))
    x = np.random.default_rng(0).normal(size=(50, 3)) * 0.4
    got = torch3d_cameras([camera]).transform_points_screen(torch.as_tensor(x, dtype=torch.float32)[None])
    np.testing.assert_allclose(got[0, :, :2].numpy(), camera.project(x), atol=2e-3)


@pytest.mark.parametrize("size", [(64, 64), (64, 48)])
def test_hard_silhouette_is_opengls(body, renderer, size, built):
    camera = Camera.looking_at(size, (0.4, -3.6, 1.2), (0.0, 0.0, 0.95), focal_px=90, roll_deg=8)
    motion = standing(body, frames=1)
    posed = body.pose(motion.root_position_m, motion.joint_rotation_wxyz)
    want = renderer.mask(camera, [(renderer.mesh(body.faces, (1, 1, 1)), posed.vertices[0])])
    got = Silhouettes(camera, blur_px=0.0)(motion_meshes(motion))[0].numpy() > 0.5
    assert want.sum() > 200
    assert (got != want).sum() <= 2  # pixels whose middle lies on an edge


def test_gradients_are_slopes(body, built):
    """Of a silhouette's weighted sum by root position and by shape, against central differences.

    Steps are short: where a pixel between the legs changes from one to the other, the slope jumps (the value does not).
    """
    from pytorch3d.structures import Meshes

    motion = standing(body, frames=1)
    skin = Skin(body, faces=400)
    turn = quaternion_matrix(torch.as_tensor(motion.joint_rotation_wxyz, dtype=torch.float32))
    weight = torch.as_tensor(np.random.default_rng(0).normal(size=(64, 64)), dtype=torch.float32)
    weight = torch.nn.functional.avg_pool2d(weight[None, None], 9, stride=1, padding=4)[0, 0]
    draw = Silhouettes(CAMERA, blur_px=2.0, faces_per_pixel=200)

    def total(root, beta):
        return (draw(Meshes(skin.vertices(root[None], turn, beta), skin.faces[None]))[0] * weight).sum()

    root = torch.tensor([0.0, 0.0, 0.95], requires_grad=True)
    beta = torch.zeros(body.n_shape, requires_grad=True)
    total(root, beta).backward()
    for value, size, of in ((root, 1e-4, range(3)), (beta, 4e-3, range(4))):
        wide = float(value.grad.abs().max())
        for k in of:
            step = torch.zeros_like(value)
            step[k] = size
            with torch.no_grad():
                up, down = (
                    total(root + s * step, beta) if value is root else total(root, beta + s * step)
                    for s in (1, -1)
                )
            assert float(value.grad[k]) == pytest.approx(float(up - down) / (2 * size), abs=0.02 * wide)


@pytest.mark.parametrize("faces", [800, 3000])
def test_soft_silhouette_is_as_large_as_the_body_however_it_is_divided(body, renderer, faces, built):
    """Against the distances from a mask of OpenGL's; the union over 2,000 triangles would be half as large again."""
    motion = standing(body, frames=1)
    posed = body.pose(motion.root_position_m, motion.joint_rotation_wxyz)
    hard = renderer.mask(CAMERA, [(renderer.mesh(body.faces, (1, 1, 1)), posed.vertices[0])])
    away = distance_transform_edt(~hard) - 0.5 * ~hard
    soft = Silhouettes(CAMERA, blur_px=1.0)(motion_meshes(motion, faces=faces))[0].numpy()
    off = soft - np.exp(-(away**2))
    assert abs(off.sum()) < 0.05 * hard.sum()
    assert np.sqrt((off**2).mean()) < 0.07


@pytest.fixture
def masks_of(renderer):
    """Hard masks of a motion from OpenGL, which knows nothing of soft silhouettes."""

    def draw(motion, camera):
        mesh = renderer.mesh(motion.body.faces, (1, 1, 1))
        posed = motion.body.pose(motion.root_position_m, motion.joint_rotation_wxyz, motion.shape)
        return np.stack([renderer.mask(camera, [(mesh, v)]) for v in posed.vertices])

    return draw


def test_a_known_shape_and_place_are_found_again(body, masks_of, built):
    """A stouter person, 5 cm off in the picture; along the line of sight size and distance look alike."""
    stout = np.r_[0.0, 1.5, np.zeros(body.n_shape - 2)]
    for _ in range(3):  # as tall as the mean
        slope = (body.stature(stout + 0.01 * np.eye(body.n_shape)[0]) - body.stature(stout)) / 0.01
        stout[0] += (body.stature() - body.stature(stout)) / slope
    true = standing(body, frames=2, shape=stout)
    shift = np.array([0.04, 0.0, -0.03])
    start = replace(true, shape=np.zeros(body.n_shape), root_position_m=true.root_position_m + shift)
    masks = masks_of(true, CAMERA)
    found = refine(start, masks, CAMERA, faces=1200, iterations=25, progress=False)
    assert found.iou_before.mean() < 0.7
    assert found.iou_after.mean() > 0.88
    assert found.loss[-1] < 0.25 * found.loss[0]
    left = (found.motion.root_position_m - true.root_position_m)[:, [0, 2]]
    assert np.abs(left).max() < 0.012
    assert body.stature(found.motion.shape) == pytest.approx(body.stature(), abs=0.015)
    assert girth(body, found.motion.shape) > girth(body, start.shape) + 0.5 * (
        girth(body, stout) - girth(body, start.shape)
    )
    assert found.motion.metadata["silhouette"]["changed"] == ["shape", "root"]


def girth(body, shape):
    """Width of the hips in the rest pose, m."""
    v = body.rest_vertices(shape)
    at = body.rest_joints(shape)[[body.joint_names.index(f"{s}_hip") for s in ("left", "right")], 1].mean()
    return np.ptp(v[np.abs(v[:, 1] - at) < 0.03, 0])


def test_same_seed_same_bits_and_pose_too(body, masks_of, built):
    true = standing(body)
    bent = rotation.from_rotvec([0.0, 0.0, 0.15])
    quats = true.joint_rotation_wxyz.copy()
    arm = body.joint_names.index("left_shoulder")
    quats[:, arm] = rotation.multiply(quats[:, arm], bent)
    start = replace(true, joint_rotation_wxyz=quats)
    masks = masks_of(true, CAMERA)
    kept = {"shape": False, "root": False, "pose": True, "faces": 800, "frames_a_step": 2, "progress": False}
    one, two = (refine(start, masks, CAMERA, iterations=20, seed=3, **kept).motion for _ in range(2))
    np.testing.assert_array_equal(one.joint_rotation_wxyz, two.joint_rotation_wxyz)
    np.testing.assert_array_equal(one.shape, start.shape)
    np.testing.assert_array_equal(one.root_position_m, start.root_position_m)
    hand = body.joint_names.index("left_wrist")

    def off(motion):
        where = [
            body.pose(m.root_position_m, m.joint_rotation_wxyz, vertices=False).joints[:, hand]
            for m in (motion, true)
        ]
        return np.linalg.norm(where[0] - where[1], axis=1).mean()

    assert off(one) < 0.7 * off(start)


def test_what_cannot_be_refined_says_why(body, built):
    motion = standing(body)
    one = np.zeros((3, 64, 64), bool)
    one[:, 20:40, 20:40] = True
    for change, error, match in (
        ({"masks": one[:2]}, ShapeError, "one for each frame"),
        ({"masks": one.astype(np.uint8) * 255}, ShapeError, "Divide 8-bit masks by 255"),
        ({"masks": one & (np.arange(3) != 1)[:, None, None]}, ConfigError, "mask 1 shows nobody"),
        ({"camera": None}, ConfigError, "not fitted to a video"),
        ({"shape": False, "root": False}, ConfigError, "nothing may change"),
        ({"iterations": 0}, ConfigError, "at least 1"),
        ({"frames": [0, 1, 9]}, ConfigError, "frame 9 does not exist"),
    ):
        given = {"masks": one, "camera": CAMERA, **change}
        with pytest.raises(error, match=match):
            refine(motion, given.pop("masks"), given.pop("camera"), progress=False, **given)
