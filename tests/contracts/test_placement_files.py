"""Placements from text: names, groups, YAML, and errors that say what was wrong."""

import numpy as np
import pytest

import imusim as im
from imusim.errors import ConfigError, ImusimError, UnknownNameError
from imusim.placement import BODY17, FIMAD16, SkinPoint, attach, describe, read_placements, resolve
from imusim.types import Placement


@pytest.fixture
def write(tmp_path):
    def writer(text):
        (tmp_path / "places.yaml").write_text(text, encoding="utf-8")
        return tmp_path / "places.yaml"

    return writer


def names(spec):
    return tuple(p.name for p in resolve(spec))


def test_resolve_takes_what_people_write(write):
    path = write("- left_wrist\n- head\n")
    own = Placement("mine", "left_knee")
    assert names("left_wrist") == ("left_wrist",)
    assert names("Left-Wrist, right ankle") == ("left_wrist", "right_ankle")
    assert names("fimad") == FIMAD16
    assert names(["body17", "left_ear", "head"]) == (*BODY17, "left_ear")
    assert names(path) == names(str(path)) == ("left_wrist", "head")
    assert names([own, path, "chest"]) == ("mine", "left_wrist", "head", "chest")
    assert resolve(own) == [own]
    assert names(("left_wrist", "left_wrist")) == ("left_wrist",)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("left_wirst", "left_wrist"),
        ("left_wrist,hed", "head"),
        ("", "no placements"),
        ([], "no placements"),
        (7, "int"),
        ([None], "NoneType"),
        ("none.yaml", "no such placement file"),
        ([Placement("head", "left_knee"), "head"], "two different"),
    ],
)
def test_resolve_errors(spec, message):
    with pytest.raises(ImusimError, match=message):
        resolve(spec)


def test_yaml_forms(write):
    made = read_placements(
        write(
            """
placements:
  - left_wrist
  - {name: flipped, base: left_wrist, rotation_deg: [0, 0, 180], along: 0.8}
  - name: brace
    joint: left_knee
    child: left_ankle
    along: 0.1
    toward: [0, 0, 1]
    on: bone
    offset_m: [0, 0.01, 0]
    description: on a knee brace
  - {name: patch, vertex: 1234}
  - {name: dot, position_m: [0.1, -0.3, 0.2], axes_xyz: [[1, 0, 0], [0, 1, 0], [0, 0, 1]]}
  - fimad
"""
        )
    )
    assert [p.name for p in made[:5]] == ["left_wrist", "flipped", "brace", "patch", "dot"]
    assert len(made) == 21
    base = im.placements()["left_wrist"]
    np.testing.assert_allclose(made[1].axes_xyz, np.diag([-1, -1, 1]) @ base.axes_xyz, atol=1e-12)
    np.testing.assert_allclose(made[1].device_xyz, np.diag([-1, -1, 1]) @ base.device_xyz, atol=1e-12)
    assert (made[1].along, made[1].toward) == (0.8, base.toward)
    assert (made[2].on, made[2].offset_m) == ("bone", (0.0, 0.01, 0.0))
    assert isinstance(made[3], SkinPoint)
    body = im.open_body()
    sites = attach(body, None, made)
    rest = (sites.offsets_m + sites.weights[..., None] * body.rest_joints()).sum(axis=1)
    np.testing.assert_allclose(rest[3], body.v_template[1234], atol=1e-12)
    # nearest skin point: no vertex is nearer, and it is on the front of the thigh
    gap = np.linalg.norm(rest[4] - [0.1, -0.3, 0.2])
    assert gap <= np.linalg.norm(body.v_template - [0.1, -0.3, 0.2], axis=1).min() + 1e-12
    assert sites.weights[4, body.joint_names.index("left_hip")] > 0.9
    np.testing.assert_allclose(sites.rotation_wxyz[4], [1, 0, 0, 0], atol=1e-12)


def test_skin_point_axes_are_outward(write):
    body = im.open_body()
    rng = np.random.default_rng(3)
    vertices = rng.choice(body.v_template.shape[0], 40, replace=False)
    sites = attach(body, None, [SkinPoint(f"v{v}", "", vertex=int(v), lift_m=0.01) for v in vertices])
    import trimesh

    mesh = trimesh.Trimesh(body.v_template, body.faces, process=False)
    cosine = (sites.lift_m / 0.01 * mesh.vertex_normals[vertices]).sum(axis=1)
    assert np.percentile(cosine, 5) > 0.9


def test_rotation_is_about_the_sensors_own_axes(write):
    from scipy.spatial.transform import Rotation

    angles = [20.0, -35.0, 70.0]
    (made,) = read_placements(write(f"- {{name: turned, base: right_pocket, rotation_deg: {angles}}}"))
    before = Rotation.from_matrix(np.array(im.placements()["right_pocket"].axes_xyz).T)
    after = Rotation.from_matrix(np.array(made.axes_xyz).T)
    np.testing.assert_allclose(
        (before.inv() * after).as_matrix(),
        Rotation.from_euler("XYZ", angles, degrees=True).as_matrix(),
        atol=1e-12,
    )


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        ("- left_wirst", UnknownNameError, "entry 1: unknown placement 'left_wirst'.*left_wrist"),
        ("- {name: a, base: left_wrist, allong: 1}", ConfigError, "unknown key 'allong'.*along"),
        ("- {name: a, base: left_wirst}", UnknownNameError, "left_wrist"),
        ("- {name: a, joint: left_nee}", UnknownNameError, "left_knee"),
        ("- {joint: left_knee}", ConfigError, "needs a name"),
        ("- {name: a}", ConfigError, "one of base, joint, vertex, position_m"),
        ("- {name: a, joint: head, vertex: 3}", ConfigError, "one of base"),
        ("- {name: a, base: head, vertex: 3}", ConfigError, "exclude"),
        ("- {name: a, base: head, along: far}", ConfigError, "along: 'far', wanted a number"),
        ("- {name: a, base: head, along: .nan}", ConfigError, "along"),
        ("- {name: a, base: head, toward: [1, 2]}", ConfigError, "toward: .*wanted 3 numbers"),
        ("- {name: a, base: head, axes_xyz: [[1,0,0],[0,1,0],[0,0,-1]]}", ImusimError, "right-handed"),
        ("- {name: a, joint: head, on: sofa}", ImusimError, "sofa"),
        ("- {name: a, vertex: 1.5}", ConfigError, "whole number"),
        ("- {name: 7, base: head}", ConfigError, "name: 7, wanted text"),
        ("- 7", ConfigError, "entry 1: wanted a name or a mapping"),
        ("left_wrist", ConfigError, "wanted a list"),
        ("", ConfigError, "wanted a list"),
        ("[]", ConfigError, "wanted a list"),
        ("places: [head]", ConfigError, "placements"),
        ("- {name: a", ConfigError, "not YAML"),
        ("- !!python/object/apply:os.system ['true']", ConfigError, "not YAML"),
    ],
)
def test_yaml_errors(write, text, kind, message):
    with pytest.raises(kind, match=message):
        resolve(write(text))


def test_yaml_that_cannot_be_read(tmp_path):
    (tmp_path / "a.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="cannot be read"):
        read_placements(tmp_path / "a.yaml")
    with pytest.raises(ConfigError, match="cannot be read"):
        read_placements(tmp_path)


def test_description_lists_everything():
    text = describe()
    for name in im.placements():
        assert f"\n{name} " in text
    assert "group fimad" in text
