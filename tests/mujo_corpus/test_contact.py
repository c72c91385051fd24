"""Limbs that reach, contacts that begin and end, how people differ: the parts that the player is made of."""

import numpy as np
import pytest

import imusim as im
from mujo.corpus import angles as ang
from mujo.corpus import contact, gait
from mujo.corpus.limbs import LIMBS, Target, reach
from mujo.corpus.movement import library
from mujo.corpus.performance import Style, perform
from mujo.corpus.wearers import wearer

BODY = im.open_body()
AT = {n: i for i, n in enumerate(BODY.joint_names)}
BETA = BODY.coefficients(None)


def postures(rng, count, **wide):
    """Random angles (count, D): hinges bent by 15 to 110 degrees, everything else by up to 25."""
    out = rng.uniform(-25, 25, (count, len(ang.NAMES)))
    for name in ang.NAMES:
        if name.endswith(("knee.flexion", "elbow.flexion")):
            out[:, ang.INDEX[name]] = rng.uniform(15, 110, count)
    return np.clip(out, ang.LOW, ang.HIGH)


@pytest.mark.parametrize("limb", LIMBS, ids=lambda limb: limb.part)
def test_a_limb_reaches_what_it_can_and_bends_the_way_it_did(limb):
    rng = np.random.default_rng(3)
    a = postures(rng, 200)
    b = a.copy()  # the same trunk, another limb
    mine = [
        i
        for i, n in enumerate(ang.NAMES)
        if n.startswith(limb.part.split("_")[0] + "_") and "collar" not in n
    ]
    b[:, mine] = postures(rng, 200)[:, mine]
    root = rng.normal(size=(200, 3))
    q, goal = (ang.joint_rotations(x, BODY.joint_names) for x in (a, b))
    there = BODY.pose(root, goal, BETA, vertices=False)
    end = AT[limb.end]
    turn = im.rotation.from_matrix(there.rotation[:, end])
    flexion = {limb.part: a[:, ang.INDEX[f"{limb.hinge}.flexion"]]}
    out = reach(BODY, BETA, root, q, {limb.part: Target(there.joints[:, end], turn)}, flexion)
    posed = BODY.pose(root, out, BETA, vertices=False)
    miss = np.linalg.norm(posed.joints[:, end] - there.joints[:, end], axis=1)
    assert miss.max() < 0.003  # it gives softly within 4 mm of its full length
    assert np.median(miss) < 5e-5
    assert np.abs(posed.rotation[:, end] - there.rotation[:, end]).max() < 1e-9
    others = [i for i in range(len(AT)) if i not in (AT[limb.upper], AT[limb.hinge], end)]
    assert np.array_equal(out[:, others], q[:, others])


def test_a_limb_that_cannot_reach_is_straight_and_points_there():
    q = ang.joint_rotations(np.zeros((1, len(ang.NAMES))), BODY.joint_names)
    hip = BODY.pose(np.zeros((1, 3)), q, BETA, vertices=False).joints[:, AT["left_hip"]]
    way = np.array([[0.0, 0.6, -1.2]])
    foot = Target(hip + way, np.array([[1.0, 0, 0, 0]]))
    out = reach(BODY, BETA, np.zeros((1, 3)), q, {"left_foot": foot}, {"left_foot": np.zeros(1)})
    ankle = BODY.pose(np.zeros((1, 3)), out, BETA, vertices=False).joints[:, AT["left_ankle"]] - hip
    assert np.cross(ankle[0], way[0]) == pytest.approx(0.0, abs=1e-9)
    rest = BODY.rest_joints(BETA)
    longest = sum(
        np.linalg.norm(rest[AT[f"left_{b}"]] - rest[AT[f"left_{a}"]])
        for a, b in (("hip", "knee"), ("knee", "ankle"))
    )
    assert np.linalg.norm(ankle) == pytest.approx(longest, abs=0.005)


def test_contacts_that_meet_are_two_and_fade_to_nothing_at_their_ends():
    u = np.linspace(0, 1, 51)
    fall = 1.0 - u**3 * (10 - 15 * u + 6 * u**2)
    held = np.concatenate([np.ones(30), fall, fall[::-1][1:], np.ones(30), fall, np.zeros(20)])
    spans = contact.spans(held)
    assert len(spans) == 2
    assert 0 <= spans[1][0] - spans[0][1] <= 1
    nearly = np.maximum(held[:-20], 1e-4)  # no frame in which nothing is held
    assert [b - a for a, b in contact.spans(nearly)] == pytest.approx([b - a for a, b in spans], abs=2)
    for first, last in spans:
        assert held[first:last].max() == 1.0
        assert held[last - 1] < 1e-3
    assert contact.spans(np.zeros(9)) == []
    assert contact.spans(np.full(9, 1e-3)) == []  # a touch is no contact


def test_a_sole_is_never_under_the_floor_and_a_planted_one_stays():
    soles = contact.Soles.of(BODY, BETA)
    n = 300
    held = np.zeros((n, 4))
    held[:100, 0] = held[200:, 0] = 1.0
    ramp = 0.5 + 0.5 * np.cos(np.linspace(0, np.pi, 30))
    held[100:130, 0], held[170:200, 0] = ramp, ramp[::-1]
    ball = np.zeros((n, 2, 3))
    ball[:, 0, 0] = np.linspace(0, 0.5, n)
    ball[:, 0, 2] = 0.05 * np.sin(np.linspace(0, 6 * np.pi, n))  # dives under the floor at times
    turn = np.tile([1.0, 0, 0, 0], (n, 2, 1))
    feet = contact.Feet(turn, ball, np.zeros((n, 2)))
    target = contact.foot_targets(feet, np.zeros((n, 3)), soles, held, 2.5)["left_foot"]
    sole = target.position + soles.ball[0]
    assert sole[:, 2].min() > -1e-9
    assert np.abs(sole[10:90] - sole[10]).max() < 1e-9
    assert np.abs(np.diff(sole, 2, axis=0)).max() * 100**2 < 60.0  # m/s², no jump anywhere


def test_alternating_sides_meet_where_one_turn_ends():
    for seed in range(6):
        plan = perform(library()["boxing"], 6.0, np.random.default_rng(seed), Style(key_deg=0.0))
        fast = np.abs(np.diff(plan.pose_deg, axis=0)) / np.diff(plan.time_s)[:, None]
        assert fast.max() < 900.0  # degrees/s between nodes; elbows stretch by 110 degrees in 0.2 s and more


def test_habits_are_a_persons_and_not_of_hands_that_hold_on():
    curls, push_ups = library()["bicep_curls"], library()["push_ups"]
    elbow, roll = ang.INDEX["left_elbow.flexion"], ang.INDEX["left_elbow.pronation"]

    def top(movement, seed, habit):
        style = Style(habit_deg=habit, posture_deg=0.0, key_deg=0.0)
        plan = perform(movement, 8.0, np.random.default_rng(seed), style)
        return plan.pose_deg[plan.pose_deg[:, elbow] > 80]

    own = np.array([top(curls, s, 4.0)[0, roll] for s in range(40)])
    plain = np.array([top(curls, s, 0.0)[0, roll] for s in range(40)])
    assert own.std() > 1.3 * plain.std()
    again = top(curls, 3, 4.0)[:, roll]
    assert np.ptp(again) < 0.5 * own.std()  # the same in every repetition, but for depth and fatigue
    for seed in range(3):
        assert np.array_equal(top(push_ups, seed, 4.0), top(push_ups, seed, 0.0))


def test_a_short_person_takes_short_steps():
    soles = contact.Soles.of(BODY, BETA)
    t = np.arange(600) / 100.0
    stride = np.arange(-3.0, 10.0) * 2.0  # slow
    quick = {"speed_m_s": (1.5, 1.5), "stance": (0.6, 0.6)}
    for leg in (0.7, 0.9):
        walk = gait.steps(t, stride, quick, soles, leg, (0.06, 0.08), np.random.default_rng(0))
        speed = np.polyfit(t, walk.root[:, 1], 1)[0]
        assert speed == pytest.approx(1.05 * leg / 0.6 / 2.0, rel=0.03)  # below 1.5


def test_a_wearer_is_one_person_and_wears_skin_sensors_in_an_own_way():
    a, b, c = (wearer(n, 5, ["left_wrist", "chest"]) for n in (3, 3, 4))
    assert np.array_equal(a.shape, b.shape)
    assert a.placements == b.placements
    assert a.name == b.name != c.name
    assert not np.array_equal(a.shape, c.shape)
    assert wearer(3, 5, ["left_wrist"], vary=False).placements[0] == im.placements()["left_wrist"]
    with pytest.raises(im.errors.UnknownNameError, match="left_wrist"):
        wearer(0, 0, ["left_wirst"])
