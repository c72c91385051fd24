"""Named places on meshes of other triangles, joints and people: within a stated distance of the same point of the body.

The other bodies are the open body's skin in disguise, so that the same anatomical point is known on both.
"""

from dataclasses import replace

import numpy as np
import pytest
from other_meshes import _body, coarse, fine, with_fingers, with_other_joints

import imusim as im
from imusim import rotation
from imusim.body import SkinnedBody
from imusim.placement import attach, locate, resolve
from imusim.placement.attach import Surface
from imusim.placement.canonical import cover

PLACES = resolve("all")
OTHER_JOINTS = {
    "head": (0, -0.04, -0.01), "neck": (0, -0.02, 0.01), "spine3": (0, 0.03, 0), "spine1": (0, -0.02, 0),
    "left_hip": (-0.02, 0.02, 0), "right_hip": (0.02, 0.02, 0), "left_shoulder": (0.01, -0.02, 0),
}  # fmt: skip


def own_copy(template=None):
    """The open body without its name, of another person if a template is given."""
    b = im.open_body()
    template = b.v_template if template is None else template
    return SkinnedBody(
        "other", b.joint_names, b.parents, template, b.shapedirs, b.J_regressor, b.weights, b.faces
    )


def placed(body, shape=None, quat=None, places=PLACES):
    """Positions (S, 3) and axes (S, 3, 3) of the places on a body in its rest pose, or in another."""
    q = np.zeros((len(body.joint_names), 4))
    q[:, 0] = 1.0
    for name, turn in (quat or {}).items():
        q[body.joint_names.index(name)] = rotation.from_rotvec(np.array(turn))
    sites = attach(body, shape, places)
    x, axes = locate(sites, body.pose(body.rest_joints(shape)[0], q, shape, vertices=False))
    return x[0], axes[0]


def off_mm(body, **how):
    return 1e3 * np.linalg.norm(placed(body, **how)[0] - placed(im.open_body(), **how)[0], axis=1)


@pytest.mark.parametrize(
    ("make", "limit_mm"),
    [
        (own_copy, 0.01),
        (fine, 0.01),
        (lambda: coarse(0.015), 3.0),
        (lambda: coarse(0.025), 8.0),
        (lambda: with_fingers(im.open_body()), 3.0),
        (lambda: with_other_joints(im.open_body(), OTHER_JOINTS), 3.0),
        (lambda: with_other_joints(coarse(0.015), OTHER_JOINTS), 5.0),
    ],
    ids=["same", "fine", "15 mm", "25 mm", "55 joints", "other joints", "15 mm and other joints"],
)
def test_same_point_on_other_triangles_and_joints(make, limit_mm):
    body = make()
    off = off_mm(body)
    assert off.max() < limit_mm, {
        p.name: round(d, 1) for p, d in zip(PLACES, off, strict=True) if d > limit_mm
    }
    turned = np.einsum("sab,scb->sac", placed(body)[1], placed(im.open_body())[1])
    assert np.degrees(np.arccos(np.clip((np.trace(turned, axis1=1, axis2=2) - 1) / 2, -1, 1))).max() < 0.1


@pytest.mark.parametrize("make", [lambda: coarse(0.015), lambda: with_fingers(im.open_body())])
def test_same_point_in_another_pose_and_shape(make):
    body, rng = make(), np.random.default_rng(2)
    bent = {
        "left_elbow": (0, -1.4, 0),
        "right_knee": (1.2, 0, 0),
        "left_shoulder": (0, 0, -1.1),
        "head": (0.3, 0.4, 0),
    }
    assert off_mm(body, quat=bent).max() < 4.0
    # on a person of another shape the open body is asked anew for its belt line; the other keeps its point of skin
    off = off_mm(body, shape=rng.standard_normal(10), quat=bent)
    assert off.max() < 20.0, {p.name: round(d, 1) for p, d in zip(PLACES, off, strict=True) if d > 20.0}


@pytest.mark.parametrize("seed", range(3))
def test_another_person_as_a_model_of_its_own(seed):
    """Nothing is known of the other but its mesh and joints; the same vertex is the same point."""
    model, rng = im.open_body(), np.random.default_rng(seed)
    body = own_copy(model.rest_vertices(1.2 * rng.standard_normal(10)))
    surface, want = Surface(model, None), []
    for p in PLACES:
        faces, hit = surface._met(p)
        lift = p.lift_m * np.array(p.toward) / np.linalg.norm(p.toward)
        want.append(hit.barycentric @ body.v_template[faces[hit.face]] + lift)
    off = 1e3 * np.linalg.norm(placed(body)[0] - np.array(want), axis=1)
    assert off.max() < 25.0
    assert np.median(off) < 6.0


def test_arms_that_hang_in_the_rest_pose():
    model = im.open_body()
    q = np.zeros((24, 4))
    q[:, 0] = 1.0
    for name, sign in (("left_shoulder", -1), ("right_shoulder", 1)):
        q[model.joint_names.index(name)] = rotation.from_rotvec(np.array([0, 0, sign * 0.8]))
    posed = model.pose(np.zeros(3), q)
    body = _body(posed.vertices[0], model.shapedirs, model.weights, model.faces, posed.joints[0])
    names = ("left_wrist", "right_forearm", "left_upper_arm", "right_hand", "sternum", "left_shin")
    places = resolve(list(names))
    want, axes = locate(attach(model, None, places), posed)
    got, their = placed(body, places=places)
    off = 1e3 * np.linalg.norm(got - want[0], axis=1)
    assert off.max() < 12.0, dict(zip(names, off.round(1), strict=True))
    z = np.degrees(np.arccos(np.clip((their[:, :, 2] * axes[0][:, :, 2]).sum(axis=1), -1, 1)))
    assert z.max() < 8.0


def test_slid_and_turned_places_are_carried_too():
    worn = [
        replace(p, slide_m=0.02, around_deg=25.0) for p in resolve("left_wrist,right_thigh,left_upper_arm")
    ]
    off = off_mm(coarse(0.015), places=worn)
    assert off.max() < 4.0
    moved = (
        placed(coarse(0.015), places=worn)[0]
        - placed(coarse(0.015), places=resolve("left_wrist,right_thigh,left_upper_arm"))[0]
    )
    assert (np.linalg.norm(moved, axis=1) > 0.02).all()


def test_the_body_is_laid_over_once_and_only_where_it_fits():
    body = coarse(0.025)
    assert cover(im.open_body()) is None
    assert cover(body) is cover(body)
    attach(body, None, PLACES[:3])
    assert set(cover(body).places) == set(PLACES[:3])
    assert cover(body).distance_m < 0.004
    far = own_copy(im.open_body().v_template * [1.0, 1.0, 3.0])  # no person: 60 cm deep
    assert cover(far) is None or cover(far).distance_m < 0.03
    few = SkinnedBody(
        "trunk", ("pelvis", "neck"), np.array([-1, 0]), np.eye(3), np.zeros((3, 3, 0)), np.ones((2, 3)) / 3,
        np.ones((3, 2)) / 2, np.array([[0, 1, 2]]),
    )  # fmt: skip
    assert cover(few) is None
