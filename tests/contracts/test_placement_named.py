"""The named places: that there are enough, that each sits where its name says on people of all shapes."""

import numpy as np
import pytest

import imusim as im
from imusim.body import SkeletonBody
from imusim.errors import ConfigError, UnknownNameError
from imusim.placement import BODY17, FIMAD16, SkinPoint, attach, group, groups, locate, placement, resolve
from imusim.types import Placement

ALL = im.placements()


@pytest.fixture(scope="module")
def body():
    return im.open_body()


@pytest.fixture(scope="module")
def shapes():
    return [None, *np.random.default_rng(2).standard_normal((20, 10))]


def at(sites, joints):
    """Where sites are in the rest pose, (S, 3)."""
    return (sites.offsets_m + sites.weights[..., None] * joints).sum(axis=1) + sites.lift_m


def test_there_are_enough_and_they_are_described():
    skin = [n for n, p in ALL.items() if p.on == "skin"]
    assert len(skin) >= 34
    wanted = "wrist forearm upper_arm ankle shin thigh pocket hip foot hand ear".split()  # noqa: SIM905
    assert {f"{side}_{n}" for n in wanted for side in ("left", "right")} <= set(skin)
    assert {"chest", "sternum", "lower_back", "upper_back", "neck", "head", "pelvis", "waist"} <= set(skin)
    assert all(p.description and p.name == n for n, p in ALL.items())
    assert len({p.description for n, p in ALL.items() if not n.startswith("right")}) == len(
        [n for n in ALL if not n.startswith("right")]
    )
    ALL_again = im.placements()
    ALL_again.clear()
    assert im.placements()


def test_groups():
    assert len(FIMAD16) == len(set(FIMAD16)) == 16
    assert len(BODY17) == len(set(BODY17)) == 17
    assert group("fimad") == FIMAD16
    assert group("BODY17") == BODY17
    for members in groups().values():
        assert set(members) <= set(ALL)
    with pytest.raises(UnknownNameError, match="fimad"):
        group("fimat")


def test_attach_to_everyone_on_the_right_side(body, shapes):
    for shape in shapes:
        sites = attach(body, shape, list(ALL.values()))
        joints, skin = body.rest_joints(shape), body.rest_vertices(shape)
        x = dict(zip(sites.names, at(sites, joints), strict=True))
        assert np.isfinite(sites.offsets_m).all()
        np.testing.assert_allclose(sites.weights.sum(axis=1), 1.0, atol=1e-12)
        for name, point in x.items():
            if name.startswith("left_"):
                assert point[0] > 0.03, name
                other = x[name.replace("left_", "right_")]
                np.testing.assert_allclose(other * [-1, 1, 1], point, atol=2e-4, err_msg=name)
            elif not name.startswith("right_"):
                assert abs(point[0]) < 1e-3, name
            if ALL[name].on == "skin":  # the skin is within 2 cm (a coarse mesh has no vertex right there)
                assert np.linalg.norm(skin - point, axis=1).min() < 0.025, name


def test_every_place_is_where_its_name_says(body, shapes):
    for shape in shapes:
        sites = attach(body, shape, list(ALL.values()))
        x = dict(zip(sites.names, at(sites, body.rest_joints(shape)), strict=True))
        j = dict(zip(body.joint_names, body.rest_joints(shape), strict=True))
        m = dict(zip(body.landmark_names, body.landmarks(shape), strict=True))
        assert (
            j["left_elbow"][0]
            < x["left_forearm"][0]
            < x["left_wrist"][0]
            < j["left_wrist"][0]
            < x["left_hand"][0]
        )
        assert 0.01 < j["left_wrist"][0] - x["left_wrist"][0] < 0.05  # a watch sits above the wrist joint
        assert j["left_shoulder"][0] < x["left_upper_arm"][0] < j["left_elbow"][0]
        assert all(x[f"left_{n}"][1] > j["left_elbow"][1] + 0.01 for n in ("wrist", "forearm", "upper_arm"))
        assert x["left_hand"][1] > j["left_wrist"][1]
        heights = ["left_thigh", "left_shin", "left_ankle", "left_foot"]
        assert (np.diff([x[n][1] for n in heights]) < -0.02).all()
        assert (
            j["left_hip"][1]
            > x["left_pocket"][1]
            > x["left_thigh"][1]
            > j["left_knee"][1]
            > x["left_shin"][1]
        )
        assert x["left_ankle"][1] > j["left_ankle"][1]
        assert x["left_ankle"][0] > j["left_ankle"][0] + 0.02
        assert all(x[n][2] > j["left_knee"][2] + 0.02 for n in ("left_thigh", "left_pocket", "left_shin"))
        assert x["left_calf"][2] < j["left_knee"][2] - 0.03
        assert x["left_heel"][2] < j["left_ankle"][2] - 0.03
        assert x["left_heel"][1] < j["left_ankle"][1]
        assert j["left_ankle"][2] < x["left_foot"][2] < j["left_foot"][2]
        assert np.linalg.norm(x["left_ear"] - m["left_ear"]) < 0.03
        assert x["head"][1] > m["left_eye"][1] + 0.02
        assert x["head"][2] > j["head"][2] + 0.05
        column = ["pelvis", "lower_back", "upper_back", "neck", "head"]
        assert (np.diff([x[n][1] for n in column]) > 0.04).all()
        assert all(
            x[n][2] < j["spine1"][2] for n in ("pelvis", "lower_back", "upper_back", "left_back_pocket")
        )
        assert all(x[n][2] > 0.05 for n in ("sternum", "chest", "waist"))
        assert x["waist"][1] < x["chest"][1] < x["sternum"][1] < j["left_shoulder"][1] + 0.02
        assert j["left_collar"][0] < x["left_shoulder"][0] < j["left_shoulder"][0] + 0.01
        assert x["left_hip"][0] > j["left_hip"][0] + 0.03
        assert x["left_hip"][1] > j["left_hip"][1]
        for name in FIMAD16:
            np.testing.assert_allclose(x[name], j[name.removesuffix("_joint")], atol=1e-12)


def test_axes_follow_the_rules():
    for name, p in ALL.items():
        for axes in (p.axes_xyz, p.device_xyz or p.axes_xyz):
            r = np.array(axes)
            np.testing.assert_allclose(r @ r.T, np.eye(3), atol=1e-12)
            assert np.linalg.det(r) > 0
        if p.on == "bone":
            np.testing.assert_array_equal(p.axes_xyz, np.eye(3))
            continue
        toward = np.array(p.toward) / np.linalg.norm(p.toward)
        np.testing.assert_allclose(p.axes_xyz[2], toward, atol=1e-12)
        np.testing.assert_allclose(p.device_xyz[2], toward, atol=1e-12)
        if name.startswith("left_"):  # x and z are mirrored, y is what makes the set right-handed
            other = ALL[name.replace("left_", "right_")]
            for k in (0, 2):
                np.testing.assert_allclose(
                    np.array(other.axes_xyz[k]) * [-1, 1, 1], p.axes_xyz[k], atol=1e-12
                )
            np.testing.assert_allclose(
                np.array(other.device_xyz[1]) * [-1, 1, 1], p.device_xyz[1], atol=1e-12
            )


def test_x_points_down_the_segment(body):
    """Independent of how the table is written: x against the bones of the open body."""
    j = dict(zip(body.joint_names, body.rest_joints(), strict=True))
    for name, a, b in (
        ("left_wrist", "left_elbow", "left_wrist"),
        ("right_forearm", "right_elbow", "right_wrist"),
        ("right_upper_arm", "right_shoulder", "right_elbow"),
        ("left_thigh", "left_hip", "left_knee"),
        ("right_shin", "right_knee", "right_ankle"),
        ("sternum", "spine3", "neck"),
        ("lower_back", "pelvis", "spine3"),
    ):
        bone = j[b] - j[a]
        assert np.array(ALL[name].axes_xyz[0]) @ bone / np.linalg.norm(bone) > 0.95, name


def test_watch_axes_are_those_of_a_watch(body):
    """Forearm across the chest, palm down: the watch's x points to the reader's right, y away, z up."""
    from scipy.spatial.transform import Rotation

    for side, sign in (("left", 1.0), ("right", -1.0)):
        q = np.zeros((24, 4))
        q[:, 0] = 1.0
        # lower the upper arm forward, then flex the elbow until the forearm lies across the chest
        q[body.joint_names.index(f"{side}_shoulder")] = Rotation.from_rotvec(
            [0, -sign * np.pi / 2, 0]
        ).as_quat(scalar_first=True)
        q[body.joint_names.index(f"{side}_elbow")] = Rotation.from_rotvec([0, -sign * np.pi / 2, 0]).as_quat(
            scalar_first=True
        )
        posed = body.pose(np.zeros(3), q)
        sites = attach(body, None, resolve(f"{side}_forearm"), axes="device")
        _, axes = locate(sites, posed)
        np.testing.assert_allclose(axes[0, 0][:, 0], [-1, 0, 0], atol=1e-6)  # reader's right
        np.testing.assert_allclose(axes[0, 0][:, 1], [0, 0, 1], atol=1e-6)  # away from the reader
        np.testing.assert_allclose(axes[0, 0][:, 2], [0, 1, 0], atol=1e-6)  # up, at the reader's eyes


def test_sites_are_points_of_the_skin_in_any_pose(body):
    """Site formula by plain einsum = barycentric point of the skinned mesh, to rounding."""
    rng = np.random.default_rng(6)
    q = rng.standard_normal((8, 24, 4)) * 0.35 + [1.0, 0, 0, 0]
    root = rng.standard_normal((8, 3))
    shape = rng.standard_normal(10)
    posed = body.pose(root, q, shape=shape)
    vertices = rng.choice(body.v_template.shape[0], 30, replace=False)
    points = [SkinPoint(f"v{v}", "", vertex=int(v)) for v in vertices]
    # and points inside triangles, from a plain barycentric sum of the rest mesh
    rows = rng.choice(len(body.faces), 30, replace=False)
    bary = rng.dirichlet([2, 2, 2], 30)
    rest = np.einsum("nk,nkd->nd", bary, body.rest_vertices(shape)[body.faces[rows]])
    points += [SkinPoint(f"p{i}", "", position_m=tuple(p)) for i, p in enumerate(rest)]
    sites = attach(body, shape, points)
    x, axes = locate(sites, posed)
    np.testing.assert_allclose(x[:, :30], posed.vertices[:, vertices], atol=1e-12)
    expected = np.einsum("nk,tnkd->tnd", bary, posed.vertices[:, body.faces[rows]])
    np.testing.assert_allclose(x[:, 30:], expected, atol=1e-9)  # the nearest point is found to rounding
    np.testing.assert_allclose(
        axes @ np.swapaxes(axes, -1, -2), np.broadcast_to(np.eye(3), axes.shape), atol=1e-12
    )
    assert (np.linalg.det(axes) > 0.99).all()


def test_skin_places_lie_on_triangles_when_posed(body):
    """The named places, less their lift, stay in the plane of a triangle of the posed skin."""
    rng = np.random.default_rng(7)
    q = np.tile([1.0, 0, 0, 0], (1, 24, 1)) + 0.1 * rng.standard_normal((1, 24, 4))
    posed = body.pose(np.zeros(3), q)
    chosen = [p for p in ALL.values() if p.on == "skin"]
    flat = [im.Placement(**{**vars(p), "lift_m": 0.0}) for p in chosen]
    x, _ = locate(attach(body, None, flat), posed)
    triangles = posed.vertices[0][body.faces]
    for point in x[0]:
        near = np.argsort(np.linalg.norm(triangles.mean(axis=1) - point, axis=1))[:50]
        corners = np.concatenate([np.swapaxes(triangles[near], 1, 2), np.ones((50, 1, 3))], axis=1)
        bary = np.linalg.pinv(corners) @ [*point, 1.0]
        miss = np.linalg.norm((corners @ bary[..., None])[..., 0] - [*point, 1.0], axis=1)
        assert ((miss < 1e-12) & (bary > -1e-9).all(axis=1)).any()
    lifted, _ = locate(attach(body, None, chosen), posed)
    gap = np.linalg.norm(lifted - x, axis=-1)[0]
    np.testing.assert_allclose(gap, [p.lift_m for p in chosen], atol=1e-12)


def test_device_axes_differ_only_in_turn(body):
    a = attach(body, None, list(ALL.values()), axes="segment")
    b = attach(body, None, list(ALL.values()), axes="device")
    np.testing.assert_array_equal(a.offsets_m, b.offsets_m)
    same = np.abs((a.rotation_wxyz * b.rotation_wxyz).sum(axis=1)) > 1 - 1e-12
    names = np.array(a.names)
    assert same[names == "left_wrist"].all()
    assert not same[names == "right_wrist"].any()


def test_plain_skeleton_and_other_names(body):
    """BVH names, no skin: skin places sit beside the bone; directions follow a rest pose with hanging arms."""
    bvh = {
        "pelvis": "Hips",
        "spine1": "Spine",
        "spine2": "Spine1",
        "spine3": "Spine2",
        "neck": "Neck",
        "head": "Head",
        "collar": "Shoulder",
        "shoulder": "Arm",
        "elbow": "ForeArm",
        "wrist": "Hand",
        "hip": "UpLeg",
        "knee": "Leg",
        "ankle": "Foot",
        "foot": "ToeBase",
        "hand": "HandMiddle1",
    }
    names = []
    for name in body.joint_names:
        side, _, part = name.partition("_")
        names.append(f"mixamorig:{side.title()}{bvh[part]}" if part else f"mixamorig:{bvh[name]}")
    plain = SkeletonBody(tuple(names), body.parents, body.rest_joints())
    skinned, bones = attach(body, None, list(ALL.values())), attach(plain, None, list(ALL.values()))
    a, b = at(skinned, body.rest_joints()), at(bones, body.rest_joints())
    np.testing.assert_allclose(b, a, atol=1e-9)  # as far from the bone as on the open body
    np.testing.assert_allclose(skinned.rotation_wxyz, bones.rotation_wxyz, atol=1e-12)
    assert (np.sort(bones.weights, axis=1)[:, -1] == 1.0).all()
    hanging = body.rest_joints().copy()
    for side in ("left", "right"):
        top = hanging[body.joint_names.index(f"{side}_shoulder")]
        for part in ("elbow", "wrist", "hand"):
            i = body.joint_names.index(f"{side}_{part}")
            hanging[i] = top + [0.0, -abs(hanging[i, 0] - top[0]), 0.0]
    plain = SkeletonBody(tuple(names), body.parents, hanging)
    sites = attach(plain, None, resolve(["left_wrist", "right_wrist"]))
    from scipy.spatial.transform import Rotation

    for q, sign in zip(sites.rotation_wxyz, (1.0, -1.0), strict=True):
        axes = Rotation.from_quat(q, scalar_first=True).as_matrix()
        np.testing.assert_allclose(axes[:, 0], [0, -1, 0], atol=1e-2)  # x down the hanging arm
        np.testing.assert_allclose(axes[:, 2], [sign, 0, 0], atol=1e-2)  # back of the wrist faces outward
    few = SkeletonBody(("pelvis", "left_hip"), [-1, 0], np.array([[0.0, 1, 0], [0.1, 0.9, 0]]))
    with pytest.raises(UnknownNameError, match=r"joint .*left_elbow"):
        attach(few, None, resolve("left_wrist"))


def test_smpl_family_files_take_the_same_places(body, tmp_path):
    """Another topology with 55 joints: every place attaches, at the same point."""
    from imusim.body.smpl import JOINT_NAMES

    names = JOINT_NAMES[55]
    rest = body.rest_joints()
    weights = np.zeros((body.v_template.shape[0], 55))
    regressor = np.zeros((55, body.v_template.shape[0]))
    parents = np.zeros(55, dtype=np.int64)
    for i, name in enumerate(names):
        source = "left_hand" if name in JOINT_NAMES[52][22:37] else "right_hand"
        source = (
            name
            if name in body.joint_names
            else "head"
            if name in ("jaw", "left_eye", "right_eye")
            else source
        )
        k = body.joint_names.index(source)
        regressor[i] = body.J_regressor[k]
        if name in body.joint_names:
            weights[:, i] = body.weights[:, k]
            parents[i] = -1 if k == 0 else names.index(body.joint_names[body.parents[k]])
        else:
            parents[i] = names.index({"head": "head"}.get(source, source.replace("hand", "wrist")))
    weights[:, names.index("left_index1")] += body.weights[:, body.joint_names.index("left_hand")]
    weights[:, names.index("right_index1")] += body.weights[:, body.joint_names.index("right_hand")]
    np.savez(
        tmp_path / "x.npz",
        v_template=body.v_template,
        shapedirs=body.shapedirs,
        J_regressor=regressor,
        kintree_table=np.array([parents % 2**32, range(55)], dtype=np.uint32),
        weights=weights,
        f=body.faces,
    )
    other = im.load_body(tmp_path / "x.npz")
    a = at(attach(body, None, list(ALL.values())), rest)
    b = at(attach(other, None, list(ALL.values())), other.rest_joints())
    np.testing.assert_allclose(b, a, atol=1e-9)


def test_errors(body):
    with pytest.raises(UnknownNameError, match="left_wrist"):
        placement("left_wirst")
    with pytest.raises(ConfigError, match="segment"):
        attach(body, None, resolve("head"), axes="android")
    with pytest.raises(ConfigError, match="no placements"):
        attach(body, None, [])
    with pytest.raises(ConfigError, match="own name"):
        attach(body, None, [ALL["head"], ALL["head"]])
    with pytest.raises(ConfigError, match="no skin"):
        attach(body, None, [Placement("far", "head", offset_m=(0.0, 3.0, 0.0))])
    with pytest.raises(ConfigError, match="direction"):
        attach(body, None, [Placement("none", "head", toward=(0.0, 0.0, 0.0))])
    with pytest.raises(im.errors.ShapeError, match="vertices"):
        attach(body, None, [SkinPoint("v", "", vertex=99999)])
    with pytest.raises(ConfigError, match="has no skin"):
        attach(SkeletonBody(("pelvis",), [-1], np.zeros((1, 3))), None, [SkinPoint("v", "", vertex=9)])
