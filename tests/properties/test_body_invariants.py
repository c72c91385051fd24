"""What must hold of the open body for every shape, and of posing for every pose."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

import imusim as im
from imusim.body import SkeletonBody, SkinnedBody
from imusim.errors import ConfigError, FrameError, ShapeError
from imusim.types import Body

NAMES = (
    "pelvis left_hip right_hip spine1 left_knee right_knee spine2 left_ankle right_ankle spine3 left_foot right_foot "
    "neck left_collar right_collar head left_shoulder right_shoulder left_elbow right_elbow left_wrist right_wrist "
    "left_hand right_hand"
)


@pytest.fixture(scope="module")
def body():
    return im.open_body()


@pytest.fixture(scope="module")
def shapes():
    return np.random.default_rng(0).standard_normal((20, 10))


def joint(body, name):
    return body.joint_names.index(name)


def random_pose(rng, frames, joints):
    q = Rotation.random(frames * joints, rng=rng).as_quat(scalar_first=True)
    return rng.standard_normal((frames, 3)), q.reshape(frames, joints, 4)


def test_is_the_convention(body):
    assert " ".join(body.joint_names) == NAMES
    assert body.parents.tolist() == [
        -1,
        0,
        0,
        0,
        1,
        2,
        3,
        4,
        5,
        6,
        7,
        8,
        9,
        9,
        9,
        12,
        13,
        14,
        16,
        17,
        18,
        19,
        20,
        21,
    ]
    assert isinstance(body, Body)
    assert im.open_body() is body
    assert body.n_shape == 10


def test_weights_and_regressors_sum_to_exactly_one(body):
    assert (body.weights.sum(axis=1) == 1.0).all()
    assert body.weights.min() >= 0.0
    assert (body.J_regressor.sum(axis=1) == 1.0).all()
    assert (body.landmark_regressor.sum(axis=1) == 1.0).all()
    assert (body.weights.sum(axis=0) > 10).all()  # every joint moves some skin


def test_rest_joints_follow_the_regressor(body, shapes):
    for shape in shapes:
        np.testing.assert_allclose(
            body.rest_joints(shape), body.J_regressor @ body.rest_vertices(shape), rtol=0, atol=1e-13
        )


def test_population_has_the_stature_of_adults(body, shapes):
    stature = [body.stature(s) for s in np.random.default_rng(1).standard_normal((300, 10))]
    assert abs(body.stature() - 1.70) < 0.02
    assert abs(np.mean(stature) - 1.70) < 0.02
    assert 0.07 < np.std(stature) < 0.12
    gradient = [body.stature(np.eye(10)[k]) - body.stature() for k in range(10)]
    assert gradient[0] > 5 * max(abs(g) for g in gradient[1:])  # the first coefficient is stature


def test_proportions_are_those_of_people(body):
    """De Leva (1996), men and women: thigh 0.242, shank 0.25, upper arm 0.16, forearm 0.15 of the stature."""
    j = dict(zip(body.joint_names, body.rest_joints(), strict=True))
    part = {
        ("left_hip", "left_knee"): 0.235,
        ("left_knee", "left_ankle"): 0.252,
        ("left_shoulder", "left_elbow"): 0.160,
        ("left_elbow", "left_wrist"): 0.148,
    }
    for (a, b), share in part.items():
        assert np.linalg.norm(j[a] - j[b]) / body.stature() == pytest.approx(share, abs=0.015), (a, b)
    assert (j["left_hip"] - j["right_hip"])[0] / body.stature() == pytest.approx(0.10, abs=0.01)


def test_rest_pose_is_a_t_that_faces_forward(body, shapes):
    for shape in (None, *shapes):
        j = dict(zip(body.joint_names, body.rest_joints(shape), strict=True))
        for side, sign in (("left", 1.0), ("right", -1.0)):
            for a, b in (("shoulder", "elbow"), ("elbow", "wrist"), ("wrist", "hand")):
                bone = j[f"{side}_{b}"] - j[f"{side}_{a}"]
                assert sign * bone[0] / np.linalg.norm(bone) > np.cos(np.radians(2.0))
            for a, b in (("hip", "knee"), ("knee", "ankle")):
                bone = j[f"{side}_{b}"] - j[f"{side}_{a}"]
                assert -bone[1] / np.linalg.norm(bone) > np.cos(np.radians(4.5))
            toes = j[f"{side}_foot"] - j[f"{side}_ankle"]
            assert toes[2] > 0.8 * np.linalg.norm(toes)
        assert np.linalg.norm(j["pelvis"]) < 0.004
    v, marks = body.rest_vertices(), dict(zip(body.landmark_names, body.landmarks(), strict=True))
    assert marks["nose"][2] > j["head"][2] + 0.05
    assert marks["left_thumb"][2] > marks["left_pinky"][2]  # palms down: thumbs forward
    feet = v[v[:, 1] < v[:, 1].min() + 0.03]
    assert np.ptp(feet[:, 2]) > 0.2  # soles on the floor


def test_left_and_right_mirror(body, shapes):
    swap = [
        joint(body, n.replace("left", "?").replace("right", "left").replace("?", "right"))
        for n in body.joint_names
    ]
    for shape in shapes:
        rest = body.rest_joints(shape)
        np.testing.assert_allclose(rest[swap] * [-1, 1, 1], rest, atol=2e-5)


def test_landmarks_are_where_blazepose_defines_them(body, shapes):
    assert len(body.landmark_names) == 33
    assert (body.landmark_weights.sum(axis=1) == 1.0).all()
    for shape in (None, *shapes):
        j = dict(zip(body.joint_names, body.rest_joints(shape), strict=True))
        m = dict(zip(body.landmark_names, body.landmarks(shape), strict=True))
        for name in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle"):
            np.testing.assert_allclose(m[f"left_{name}"], j[f"left_{name}"], atol=1e-6)
        floor = body.rest_vertices(shape)[:, 1].min()
        assert m["left_heel"][1] - floor < 0.06
        assert m["left_heel"][2] < j["left_ankle"][2] - 0.02
        assert m["left_foot_index"][1] - floor < 0.04
        assert m["left_foot_index"][2] > j["left_foot"][2] + 0.03
        # right to left along the face, eyes over mouth, ears behind
        row = ["right_ear", "right_eye_outer", "right_eye", "right_eye_inner", "nose"]
        row += ["left_eye_inner", "left_eye", "left_eye_outer", "left_ear"]
        assert (np.diff([m[n][0] for n in row]) > 0.003).all()
        assert m["left_eye"][1] > m["nose"][1] > m["mouth_left"][1]
        assert m["mouth_left"][0] > 0.01 > -0.01 > m["mouth_right"][0]
        assert m["left_ear"][2] < m["left_eye"][2] - 0.04


def test_shape_for_height_hits_the_height_with_the_smallest_shape(body):
    for height in (1.45, 1.60, 1.707, 1.85, 2.0):
        beta = body.shape_for_height(height)
        assert body.stature(beta) == pytest.approx(height, abs=1e-9)
        # no shorter vector does it: along the gradient of stature, so moving across it only lengthens it
        step = 1e-4
        gradient = np.array(
            [body.stature(beta + step * e) - body.stature(beta - step * e) for e in np.eye(10)]
        )
        if np.linalg.norm(beta) > 0.1:
            cosine = abs(gradient @ beta) / np.linalg.norm(gradient) / np.linalg.norm(beta)
            assert cosine > 0.999
    for wrong in (17.0, 0.3, 175.0, float("nan")):
        with pytest.raises(ConfigError, match="metres"):
            body.shape_for_height(wrong)


def test_identity_pose_is_the_rest_pose(body, shapes):
    q = np.zeros((1, 24, 4))
    q[..., 0] = 1.0
    shape = shapes[0]
    posed = body.pose(body.rest_joints(shape)[:1], q, shape=shape)
    np.testing.assert_allclose(posed.vertices[0], body.rest_vertices(shape), atol=1e-12)
    np.testing.assert_allclose(posed.joints[0], body.rest_joints(shape), atol=1e-12)


def test_posing_keeps_bones_and_moves_rigidly(body, shapes):
    rng = np.random.default_rng(3)
    root, q = random_pose(rng, 5, 24)
    posed = body.pose(root, q, shape=shapes[1])
    np.testing.assert_array_equal(posed.joints[:, 0], root)
    rest = body.rest_joints(shapes[1])
    length = np.linalg.norm(rest[1:] - rest[body.parents[1:]], axis=-1)
    got = np.linalg.norm(posed.joints[:, 1:] - posed.joints[:, body.parents[1:]], axis=-1)
    np.testing.assert_allclose(got, np.broadcast_to(length, got.shape), atol=1e-12)
    turn, shift = Rotation.random(rng=rng), rng.standard_normal(3)
    q2 = q.copy()
    q2[:, 0] = (turn * Rotation.from_quat(q[:, 0], scalar_first=True)).as_quat(scalar_first=True)
    moved = body.pose(turn.apply(root) + shift, q2, shape=shapes[1])
    np.testing.assert_allclose(moved.vertices, posed.vertices @ turn.as_matrix().T + shift, atol=1e-12)
    one = body.pose(root[2], q[2], shape=shapes[1])
    np.testing.assert_array_equal(one.vertices[0], posed.vertices[2])
    assert body.pose(root, q, vertices=False).vertices is None


def test_elbow_flexes_forward_and_knee_backward(body):
    """The axes that the docstring promises: elbows flex about y, knees about x."""
    q = np.zeros((1, 24, 4))
    q[..., 0] = 1.0
    q[0, joint(body, "left_elbow")] = Rotation.from_rotvec([0, -np.pi / 2, 0]).as_quat(scalar_first=True)
    q[0, joint(body, "left_knee")] = Rotation.from_rotvec([np.pi / 2, 0, 0]).as_quat(scalar_first=True)
    posed = body.pose(np.zeros(3), q)
    j = dict(zip(body.joint_names, posed.joints[0], strict=True))
    assert (j["left_wrist"] - j["left_elbow"])[2] > 0.2
    assert (j["left_ankle"] - j["left_knee"])[2] < -0.3


def test_pose_corrections_vanish_at_rest_and_batches_equal_single_frames():
    rng = np.random.default_rng(4)
    model = im.open_body()
    few = np.sort(rng.choice(model.v_template.shape[0], 300, replace=False))
    body = SkinnedBody(
        "with corrections",
        model.joint_names,
        model.parents,
        model.v_template[few],
        model.shapedirs[few],
        np.full((24, 300), 1 / 300) + 0.0,
        model.weights[few],
        np.zeros((0, 3), np.int64),
        posedirs=0.01 * rng.standard_normal((300, 3, 207)),
    )
    q = np.zeros((1, 24, 4))
    q[..., 0] = 1.0
    rest = body.pose(body.rest_joints()[0], q)
    np.testing.assert_allclose(rest.vertices[0], body.v_template, atol=1e-13)
    root, q = random_pose(rng, 7, 24)
    together = body.pose(root, q)
    for t in range(7):
        np.testing.assert_allclose(body.pose(root[t], q[t]).vertices[0], together.vertices[t], atol=1e-13)


def test_skeleton_equals_the_skinned_body(body):
    root, q = random_pose(np.random.default_rng(5), 4, 24)
    plain = SkeletonBody(body.joint_names, body.parents, body.rest_joints())
    assert isinstance(plain, Body)
    np.testing.assert_array_equal(plain.pose(root, q).joints, body.pose(root, q, vertices=False).joints)
    assert plain.rest_vertices() is None
    with pytest.raises(ShapeError, match="no shape coefficients"):
        plain.rest_joints([1.0])
    with pytest.raises(ShapeError, match="earlier joint"):
        SkeletonBody(("a", "b", "c"), [-1, 2, 0], np.zeros((3, 3)))
    with pytest.raises(ShapeError, match="differ"):
        SkeletonBody(("a", "a"), [-1, 0], np.zeros((2, 3)))


def test_bad_arguments_say_what_was_wanted(body):
    q = np.zeros((2, 24, 4))
    with pytest.raises(FrameError, match="no length"):
        body.pose(np.zeros((2, 3)), q)
    with pytest.raises(ShapeError, match=r"wanted \(any, 24, 4\)"):
        body.pose(np.zeros((2, 3)), np.zeros((2, 23, 4)))
    with pytest.raises(ShapeError, match=r"root_position_m has shape \(3, 3\)"):
        body.pose(np.zeros((3, 3)), q)
    with pytest.raises(ShapeError, match="11 coefficients"):
        body.rest_joints(np.zeros(11))
    with pytest.raises(ShapeError, match="finite"):
        body.rest_vertices([np.nan])
    with pytest.raises(ValueError, match="read-only"):
        body.v_template[0] = 0.0
