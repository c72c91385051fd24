"""How pelvis and back are turned: the back's own line says how they are tilted, hips and shoulders only where they face."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from imusim.fitting.positions import skeleton_motion
from imusim.fitting.trunk import trunk
from imusim.motion_io.layouts import BLAZEPOSE33, KINECT20, KINECT25, layouts

T = np.arange(60) / 20.0
SWAY = np.sin(2 * np.pi * 0.5 * T)


def person(layout, turn_deg=0.0, lean_deg=0.0, lift_m=0.0):
    """Joints (T, J, 3) of somebody who stands, z up, faces −y: shoulders that turn, a trunk that leans, a
    shoulder that lifts."""
    place = {
        "hip": (0.1, 0.95), "knee": (0.1, 0.5), "ankle": (0.1, 0.08), "foot": (0.1, 0.03), "foot_index": (0.1, 0.03),
        "heel": (0.1, 0.03), "shoulder": (0.2, 1.42), "elbow": (0.25, 1.15), "wrist": (0.25, 0.9), "hand": (0.25, 0.82),
        "index": (0.25, 0.82), "pinky": (0.25, 0.82), "thumb": (0.25, 0.85), "tip": (0.25, 0.8), "ear": (0.07, 1.65),
        "pelvis": (0, 0.95), "spine2": (0, 1.2), "spine3": (0, 1.38), "neck": (0, 1.45), "head": (0, 1.65),
    }  # fmt: skip
    out = np.zeros((T.size, len(layout.points), 3))
    for j, name in enumerate(layout.points):
        side, _, part = name.partition("_")
        x, z = place.get(part if side in ("left", "right") else name, (0.0, 1.65))
        out[:, j] = [x * {"left": 1, "right": -1}.get(side, 0), 0.0, z]
        if part in ("foot", "foot_index"):
            out[:, j, 1] -= 0.15
        if part in ("index", "pinky"):
            out[:, j, 1] += 0.03 if part == "pinky" else -0.03
        above = z > 1.1 or part in ("wrist", "hand", "elbow", "index", "pinky", "thumb", "tip")
        if above:
            turn = Rotation.from_euler("xz", np.stack([lean_deg * SWAY, turn_deg * SWAY], 1), degrees=True)
            out[:, j] = turn.apply(out[:, j] - [0, 0, 0.95]) + [0, 0, 0.95]
        if side == "left" and above and part not in ("ear", "eye"):
            out[:, j, 2] += lift_m * 0.5 * (1.0 + SWAY)
    return layout.positions(out)


def turned(layout, name, share=1.0, **moves):
    """Rotation of a joint to the world against its mean frame, as a rotation vector in degrees, (T, 3)."""
    motion = skeleton_motion(
        T, person(layout, **moves), layout.joints, layout.parents, smoothing="none", shoulder_share=share
    )
    turn = Rotation.identity(T.size)
    j, way = layout.joints.index(name), []
    while j >= 0:
        way.append(j)
        j = int(layout.parents[j])
    for j in way[::-1]:
        turn = turn * Rotation.from_quat(motion.joint_rotation_wxyz[:, j][:, [1, 2, 3, 0]])
    return (turn * turn[0].inv()).as_rotvec(degrees=True)  # at T = 0 nothing is turned


@pytest.mark.parametrize(
    ("layout", "thorax"), [(KINECT25, "spine3"), (KINECT20, "spine2"), (BLAZEPOSE33, "spine1")]
)
@pytest.mark.parametrize("share", [0.5, 1.0])
def test_the_shoulders_say_where_the_thorax_faces_as_far_as_they_may(layout, thorax, share):
    got = turned(layout, thorax, share, turn_deg=20.0)
    back = [n for n in layout.joints if n in ("spine1", "spine2", "spine3", "neck")]
    back = back[: back.index("spine3") + 1] if "spine3" in back else back
    part = share * (back.index(thorax) + 1) / len(back)
    np.testing.assert_allclose(got[:, :2], 0.0, atol=1e-6)
    # the mean of two unit vectors turns by half of their angle; other shares by nearly their part
    np.testing.assert_allclose(got[:, 2], 20.0 * SWAY * part, atol=0.3)
    assert np.abs(turned(layout, "pelvis", share, turn_deg=20.0)).max() < 1e-6  # hips stand still


@pytest.mark.parametrize(
    ("layout", "thorax"), [(KINECT25, "spine3"), (KINECT20, "spine2"), (BLAZEPOSE33, "spine1")]
)
def test_who_leans_leans(layout, thorax):
    got = turned(layout, thorax, 0.5, lean_deg=15.0)
    np.testing.assert_allclose(got[:, 0], 15.0 * SWAY, atol=0.2)
    np.testing.assert_allclose(got[:, 1:], 0.0, atol=0.2)


def test_a_lifted_shoulder_does_not_tilt_the_thorax():
    """6 cm, as when an arm is raised: Kabsch's rotation of the shoulders alone would tilt it by 9°."""
    got = turned(KINECT25, "spine3", lift_m=0.06)
    assert np.abs(got).max() < 3.0  # what constant bones leave


def test_collars_of_their_own_keep_the_rigid_thorax():
    """SMPL's collars are no place-holders: nothing is taken from them."""
    from imusim.fitting.rest_pose import make_frames

    for name, plan in layouts().items():
        found = trunk(make_frames(plan.joints, plan.parents, plan.positions(person_points(plan))))
        assert bool(found) == (name not in ("humanml3d22", "smpl24")), name


def person_points(plan):
    """Points (T, P, 3) anywhere: only which joints lie in one place counts."""
    return np.random.default_rng(1).standard_normal((10, len(plan.points), 3))


def test_no_hips_no_rule():
    from imusim.fitting.rest_pose import make_frames

    names = ("neck", "left_shoulder", "right_shoulder", "left_elbow", "right_elbow")
    x = np.random.default_rng(2).standard_normal((10, 5, 3))
    assert trunk(make_frames(names, np.array([-1, 0, 0, 1, 2]), x)) == {}
