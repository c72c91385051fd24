"""`Placement.vary`: zero is nothing, draws have the moments asked for, and what comes out can be worn."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import kstest

import imusim as im
from imusim.body import SkeletonBody
from imusim.errors import ConfigError
from imusim.placement import attach, placement, placements, read_placements
from imusim.placement.attach import SkinPoint, Surface
from imusim.placement.surface import nearest_point
from imusim.variation import DONNING, OTHER_SIDE, WEARER, Variation

NAMES = tuple(placements())
EVERYTHING = Variation(
    slide_m=0.02, around_deg=12.0, tilt_deg=6.0, heading_deg=8.0, upside_down=0.5, face_in=0.5, swap=0.5
)
DRAWS = 8_000


def draws(variation, n=DRAWS, place="left_thigh"):
    rng = np.random.default_rng(7)
    nominal = placement(place)
    return nominal, [nominal.vary(rng, variation) for _ in range(n)]


def geometry(p):
    """Everything but the words."""
    return replace(p, name="", description="")


def site(surface, p):
    """Point on the skin (3,) m without the lift, and axes as columns (3, 3)."""
    weights, offsets, _, rotation = surface.site(p, "segment")
    return offsets.sum(axis=0) + weights @ surface.joints, rotation


@pytest.fixture(scope="module")
def surface():
    return Surface(im.open_body(), None)


def test_no_variation_is_the_placement_itself():
    for p in placements().values():
        assert p.vary(np.random.default_rng(0), Variation()) == p
        assert p.vary(np.random.default_rng(0), replace(EVERYTHING, any_heading=True).scaled(0.0)) == p


def test_the_same_state_gives_the_same_placement_and_the_default_is_the_wearer():
    a, b, c = (placement("chest").vary(np.random.default_rng(s)) for s in (3, 3, 4))
    assert a == b == placement("chest").vary(np.random.default_rng(3), WEARER)
    assert a != c


def test_every_variation_takes_the_same_numbers_from_the_generator():
    states = []
    for v in (Variation(), EVERYTHING, Variation(any_heading=True), DONNING):
        rng = np.random.default_rng(1)
        placement("left_wrist").vary(rng, v)
        states.append(rng.random())
    assert len(set(states)) == 1


def test_one_seed_at_twice_the_strength_is_the_same_wearer_twice_as_far():
    one, two = (placement("waist").vary(np.random.default_rng(5), WEARER.scaled(s)) for s in (1.0, 2.0))
    assert two.slide_m == pytest.approx(2 * one.slide_m)
    assert two.around_deg == pytest.approx(2 * one.around_deg)


def test_moments_of_the_position():
    _, worn = draws(Variation(slide_m=2.0, around_deg=5.0))
    for field, sd in (("slide_m", 2.0), ("around_deg", 5.0)):
        x = np.array([getattr(p, field) for p in worn])
        assert abs(x.mean()) < 4 * sd / np.sqrt(DRAWS)
        assert abs(x.std() - sd) < 4 * sd / np.sqrt(2 * DRAWS)


def test_tilt_is_about_both_axes_across_the_outward_direction():
    nominal, worn = draws(Variation(tilt_deg=5.0))
    z = np.array([p.axes_xyz for p in worn])[:, 2] @ np.array(nominal.axes_xyz).T  # (n, 3) in nominal axes
    angle = np.degrees(np.arccos(np.clip(z[:, 2], -1, 1)))
    assert np.mean(angle**2) == pytest.approx(2 * 5.0**2, rel=4 / np.sqrt(DRAWS))
    side = np.degrees(z[:, :2])  # small angles: 5° is 0.4 % off
    np.testing.assert_allclose(np.cov(side.T), 25.0 * np.eye(2), atol=1.6)  # 4 standard errors


def turns_deg(nominal, worn):
    """Turn of each about the normal, (n,) degrees, and how far z is from where it was."""
    axes = np.array([p.axes_xyz for p in worn]) @ np.array(nominal.axes_xyz).T
    return np.degrees(np.arctan2(axes[:, 0, 1], axes[:, 0, 0])), np.abs(axes[:, 2] - [0, 0, 1]).max()


def test_heading_turns_on_the_skin_only():
    turn, off = turns_deg(*draws(Variation(heading_deg=8.0)))
    assert off < 1e-12
    assert abs(turn.mean()) < 4 * 8.0 / np.sqrt(DRAWS)
    assert turn.std() == pytest.approx(8.0, rel=4 / np.sqrt(2 * DRAWS))


def test_any_heading_is_uniform():
    turn, off = turns_deg(*draws(Variation(any_heading=True, heading_deg=1.0)))
    assert off < 1e-12
    assert kstest(turn, "uniform", args=(-180, 360)).pvalue > 1e-3


@pytest.mark.parametrize("field", ["upside_down", "face_in", "swap"])
def test_probabilities(field):
    nominal, worn = draws(Variation(**{field: 0.3}), 2_000)
    share = np.mean([p != nominal for p in worn])
    assert abs(share - 0.3) < 4 * np.sqrt(0.3 * 0.7 / 2_000)


def test_upside_down_turns_a_phones_top_down_and_face_in_its_screen():
    rng = np.random.default_rng(0)
    p = placement("left_pocket")
    x, y, z = np.array(p.device_xyz)
    over = p.vary(rng, Variation(upside_down=1.0))
    np.testing.assert_allclose(over.device_xyz, [-x, -y, z], atol=1e-12)
    np.testing.assert_allclose(over.axes_xyz, np.array(p.axes_xyz) * [[-1], [-1], [1]], atol=1e-12)
    inward = p.vary(rng, Variation(face_in=1.0))
    np.testing.assert_allclose(inward.device_xyz, [-x, y, -z], atol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_axes_stay_right_handed(name):
    rng = np.random.default_rng(2)
    p = placement(name)
    for _ in range(20):
        worn = p.vary(rng, EVERYTHING).vary(rng, DONNING)
        for axes in (worn.axes_xyz, worn.device_xyz or worn.axes_xyz):
            np.testing.assert_allclose(np.linalg.det(axes), 1.0, atol=1e-9)
        assert worn.name == name


@pytest.mark.parametrize("name", NAMES)
def test_swapping_twice_is_the_identity(name):
    swap, rng = Variation(swap=1.0), np.random.default_rng(0)
    p = placement(name)
    once = p.vary(rng, swap)
    assert once.name == name
    assert once.description.endswith(OTHER_SIDE)
    assert once.vary(rng, swap) == p
    worn = p.vary(rng, WEARER)
    assert worn.mirrored().mirrored() == worn
    assert geometry(once) == geometry(p.mirrored()) == geometry(placement(p.mirrored().name))


def test_a_mirrored_variation_goes_round_the_other_way(surface):
    p = replace(placement("left_thigh"), slide_m=0.03, around_deg=25.0)
    (left, _), (right, _) = site(surface, p), site(surface, p.mirrored())
    np.testing.assert_allclose(left * [-1, 1, 1], right, atol=0.01)  # the open body is as good as symmetric


@pytest.mark.parametrize(
    "wrong",
    [
        {"slide_m": -0.01}, {"tilt_deg": np.inf}, {"around_deg": np.nan}, {"heading_deg": "5"}, {"swap": 1.2},
        {"upside_down": -0.1}, {"face_in": True},
    ],
)  # fmt: skip
def test_impossible_variations_are_refused(wrong):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        Variation(**wrong)


def test_an_impossible_strength_is_refused():
    with pytest.raises(ConfigError, match="strength"):
        WEARER.scaled(-1.0)
    assert Variation(swap=0.5).scaled(4.0).swap == 1.0


@pytest.mark.parametrize("name", NAMES)
def test_varied_placements_stay_on_the_skin(name, surface):
    p = placement(name)
    rng = np.random.default_rng(11)
    nominal, _ = site(surface, p)
    for _ in range(2):
        worn = p.vary(rng, WEARER.scaled(2.0)).vary(rng, DONNING)
        here, axes = site(surface, worn)
        np.testing.assert_allclose(axes.T @ axes, np.eye(3), atol=1e-9)
        if p.on == "skin":
            assert (
                np.linalg.norm(nearest_point(surface.vertices, surface.body.faces, here).point - here) < 1e-9
            )
        assert np.linalg.norm(here - nominal) < 0.25


def test_sliding_goes_along_the_segment_and_round_about_it(surface):
    p = placement("left_shin")
    knee, ankle = (surface.joints[surface.body.joint_names.index(n)] for n in ("left_knee", "left_ankle"))
    bone = (ankle - knee) / np.linalg.norm(ankle - knee)
    start, _ = site(surface, p)
    slid, _ = site(surface, replace(p, slide_m=0.04))
    assert (slid - start) @ bone == pytest.approx(0.04, abs=0.005)
    gone, axes = site(surface, replace(p, around_deg=90.0))
    assert abs((gone - start) @ bone) < 0.02
    # right-handed about a bone that points down: from the front to the person's right
    np.testing.assert_allclose(axes[:, 2], [-1, 0, 0], atol=0.1)
    assert gone[0] < start[0] - 0.02


def test_a_body_without_skin_carries_varied_placements():
    model = im.open_body()
    bones = SkeletonBody(model.joint_names, model.parents, model.rest_joints())
    p = replace(placement("left_shin"), slide_m=0.02, around_deg=10.0)
    on_bones, on_skin = (attach(b, None, [p]).rotation_wxyz for b in (bones, model))
    np.testing.assert_allclose(on_bones, on_skin, atol=1e-12)


def test_points_of_the_skin_vary_in_their_own_axes(surface):
    p = SkinPoint("patch", "", vertex=4000)
    start, axes = site(surface, p)
    turned = p.vary(np.random.default_rng(0), Variation(upside_down=1.0))
    there, over = site(surface, turned)
    np.testing.assert_array_equal(there, start)
    np.testing.assert_allclose(over, axes * [-1, -1, 1], atol=1e-12)
    moved, _ = site(surface, p.vary(np.random.default_rng(0), WEARER))
    assert 0.001 < np.linalg.norm(moved - start) < 0.1
    with pytest.raises(ConfigError, match="position_m"):
        p.vary(np.random.default_rng(0), Variation(swap=1.0))


def test_a_point_given_by_its_position_changes_sides(surface):
    here = surface.vertices[4000]
    rng = np.random.default_rng(0)
    p = SkinPoint("patch", "", position_m=tuple(here)).vary(rng, Variation(heading_deg=20.0, tilt_deg=5.0))
    (a, axes), (b, mirrored) = site(surface, p), site(surface, p.mirrored())
    np.testing.assert_allclose(a * [-1, 1, 1], b, atol=0.01)
    flipped = axes * [[-1], [1], [1]] * [1, -1, 1]
    assert np.degrees(np.arccos(np.clip((np.trace(flipped.T @ mirrored) - 1) / 2, -1, 1))) < 10
    assert p.mirrored().mirrored() == p


def test_a_yaml_file_may_say_how_a_device_is_worn(tmp_path):
    file = tmp_path / "worn.yaml"
    file.write_text("- {name: low_watch, base: left_wrist, slide_m: -0.03, around_deg: 40}\n")
    (p,) = read_placements(file)
    assert (p.slide_m, p.around_deg) == (-0.03, 40.0)
