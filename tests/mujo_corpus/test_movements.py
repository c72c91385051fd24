"""The embedded library: its files, and physics that every movement must obey."""

import itertools

import numpy as np
import pytest

import imusim as im
from mujo.corpus import angles as ang
from mujo.corpus import contact, embedded, flight
from mujo.corpus.keyframes import derivatives, evaluate
from mujo.corpus.movement import library, parse, read_movement
from mujo.corpus.player import FRAME_HZ, play
from mujo.errors import ImusimError, MovementError

BODY = im.open_body()
LIBRARY = library()
PLACES = ("left_wrist", "right_forearm", "left_ankle", "right_thigh", "right_pocket", "head")
GAITS = [n for n, m in LIBRARY.items() if m.kind == "gait"]
JUMPS = [n for n, m in LIBRARY.items() if any(k.takeoff_m for k in m.keys)]
DEAD = [n for n, m in LIBRARY.items() if m.kind == "still"]


def joints_of(motion):
    return BODY.pose(motion.root_position_m, motion.joint_rotation_wxyz, motion.shape, vertices=False)


def test_the_library_has_what_the_data_sets_ask_for():
    labels = {m.label for m in LIBRARY.values()}
    assert len(LIBRARY) >= 50
    mmfit = {"squats", "lunges", "bicep curls", "sit-ups", "push-ups", "dumbbell tricep extensions", "dumbbell rows",
             "jumping jacks", "dumbbell shoulder press", "lateral shoulder raises"}  # fmt: skip
    daily = {"walking upstairs", "walking downstairs", "walking", "jogging", "running", "sitting", "standing",
             "lying down", "waist bends forward", "frontal elevation of arms", "knees bending (crouching)", "cycling",
             "jump front and back"}  # fmt: skip
    assert mmfit | daily <= labels


@pytest.mark.parametrize("name", LIBRARY)
def test_every_movement_has_words_and_stays_within_a_persons_range(name):
    movement = LIBRARY[name]
    assert len({t for t in movement.text if t}) >= 3
    performance = play(movement, 4.0, seed=7)
    motion = performance.motion
    assert np.isfinite(motion.root_position_m).all()
    knee = [i for i, n in enumerate(BODY.joint_names) if n.endswith(("knee", "elbow"))]
    bent = np.degrees(im.rotation.angle(motion.joint_rotation_wxyz[:, knee]))
    assert bent.max() < 170
    speed = np.diff(joints_of(motion).joints, axis=0) * FRAME_HZ
    assert np.linalg.norm(speed, axis=2).max() < 15.0  # m/s: a fast throw's hand, a sprinter's foot


@pytest.mark.parametrize("name", DEAD)
def test_whoever_holds_still_measures_gravity(name):
    motion = play(LIBRARY[name], 5.0, seed=3).motion
    rec = im.simulate(motion, ["left_wrist", "chest", "right_thigh"], rate_hz=50, smoothing="none")
    norm = np.linalg.norm(rec.acc, axis=2)
    assert np.abs(norm.mean(axis=0) - 9.80665).max() < 0.03
    assert np.abs(norm - 9.80665).max() < 1.0
    assert np.std(rec.acc, axis=0).max() > 1e-3  # alive: sways and breathes


def test_a_statue_measures_gravity_exactly():
    motion = play(LIBRARY["standing"], 3.0, seed=0, sway=0.0).motion
    rec = im.simulate(motion, ["left_wrist", "chest", "head"], rate_hz=50, smoothing="none")
    assert np.linalg.norm(rec.acc, axis=2) == pytest.approx(9.80665, abs=1e-6)
    assert np.abs(rec.gyro).max() < 1e-9


FIRM = [n for n, m in LIBRARY.items() if m.kind in ("keys", "still") and m.planted]


@pytest.mark.parametrize("name", FIRM)
def test_what_is_planted_stays(name):
    performance = play(LIBRARY[name], 5.0, seed=11)
    posed = joints_of(performance.motion)
    soles = contact.Soles.of(BODY, performance.motion.shape)
    at = {n: i for i, n in enumerate(BODY.joint_names)}
    parts = (("left_ankle", soles.ball[0]), ("right_ankle", soles.ball[1]), ("left_wrist", soles.palm[0]),
             ("right_wrist", soles.palm[1]))  # fmt: skip
    seen = 0
    for k, (joint, point) in enumerate(parts):
        where = posed.joints[:, at[joint]] + posed.rotation[:, at[joint]] @ point
        for first, last in contact.spans((performance.contact[:, k] > 0.999).astype(float)):
            if last - first > 2:
                assert np.ptp(where[first:last], axis=0).max() < 0.02
                seen += 1
    assert seen


@pytest.mark.parametrize("name", LIBRARY)
def test_forces_are_a_persons_and_nothing_is_under_the_floor(name):
    rng = np.random.default_rng(17)
    for seed in (21, 22):
        shape = np.clip(rng.standard_normal(BODY.n_shape), -2.0, 2.0)
        motion = play(LIBRARY[name], 5.0, seed=seed, shape=shape).motion
        acc = im.simulate(motion, list(PLACES), rate_hz=100, smoothing="none").acc
        # a boxer's hand has about 100 m/s2, a sprinter's shank 150; sensors of 16 g end at 157
        assert np.linalg.norm(acc, axis=2).max() < 170.0
        if not name.startswith("walking_"):  # stairs lead down, and pelvis and floor go with them
            assert joints_of(motion).joints[:, :, 2].min() > -0.02


def test_limits_are_kept_without_a_kink():
    row = np.zeros(len(ang.NAMES))
    elbow = ang.INDEX["left_elbow.flexion"]
    sweep = np.tile(row, (400, 1))
    sweep[:, elbow] = np.linspace(-20.0, 60.0, 400)
    kept = ang.within_limits(sweep)
    assert (kept >= ang.LOW).all()
    assert (kept <= ang.HIGH).all()
    assert kept[-1, elbow] == pytest.approx(60.0, abs=1e-9)
    assert np.abs(np.diff(kept[:, elbow], 2)).max() < 0.01  # 0.2 for a clip


def test_a_moving_arm_is_less_smooth_than_its_plan_():
    motion = play(LIBRARY["draw_circle_clockwise"], 6.0, seed=4).motion
    even = play(LIBRARY["draw_circle_clockwise"], 6.0, seed=4, sway=0.0).motion
    gyro = [im.simulate(m, ["right_wrist"], rate_hz=100, smoothing="none").gyro[:, 0] for m in (motion, even)]
    roughness = [np.sqrt(np.mean(np.diff(g, 2, axis=0) ** 2, axis=0)) for g in gyro]
    assert (roughness[0] > roughness[1]).all()
    assert roughness[0][0] > 3.0 * roughness[1][0]  # the forearm's roll has the most of it


@pytest.mark.parametrize("name", GAITS)
def test_a_stance_foot_stays_and_strikes_are_felt(name):
    performance = play(LIBRARY[name], 8.0, seed=5)
    posed = joints_of(performance.motion)
    soles = contact.Soles.of(BODY, performance.motion.shape)
    at = {n: i for i, n in enumerate(BODY.joint_names)}
    for k, joint in enumerate(("left_ankle", "right_ankle")):
        ball = posed.joints[:, at[joint]] + posed.rotation[:, at[joint]] @ soles.ball[k]
        for first, last in contact.spans(performance.contact[:, k]):
            third = (last - first) // 3
            flat = ball[first + third : last - third]  # heel down to heel off
            if third >= 5:
                assert np.ptp(flat, axis=0).max() < 0.02
    rec = im.simulate(performance.motion, ["left_ankle", "waist"], rate_hz=100, smoothing="none")
    assert np.linalg.norm(rec.acc[:, 0], axis=1).max() > 14.0


@pytest.mark.parametrize("name", JUMPS)
def test_the_centre_of_mass_falls_freely_in_flight(name):
    performance = play(LIBRARY[name], 6.0, seed=2)
    motion = performance.motion
    com = flight.centre_of_mass(joints_of(motion).joints, BODY.joint_names)
    acc = np.diff(com, 2, axis=0) * FRAME_HZ**2
    # well inside a flight: differences reach one frame to both sides, take-off itself is C2
    air = [
        np.arange(a + 2, b - 2)
        for a, b in contact.spans((performance.contact[:, 0] < 0.8).astype(float))
        if b - a > 6
    ]
    inside = np.concatenate(air)
    assert inside.size >= 10
    free = acc[inside - 1] + np.array([0.0, 0.0, 9.80665])
    assert np.abs(free).max() < 0.6
    rec = im.simulate(motion, ["waist"], rate_hz=100, smoothing="none")
    norm = np.linalg.norm(rec.acc[:, 0], axis=1)
    # the waist is not the centre of mass: limbs that swing in the air pull at it
    assert np.median(norm[inside]) < (3.0 if name == "jump_squats" else 8.0)
    assert norm.max() > 14.0  # push-off and landing


def test_the_same_seed_gives_the_same_bits_whatever_else_is_played():
    a, b = (list(embedded.clips(seed=4, per_movement=1, movements=["squats", "walking"])) for _ in range(2))
    (alone,) = embedded.clips(seed=4, per_movement=1, movements=["walking"])
    for x, y in zip(a, b, strict=True):
        assert x.imu.tobytes() == y.imu.tobytes()
        assert x.pose.tobytes() == y.pose.tobytes()
    assert alone.imu.tobytes() == a[1].imu.tobytes()
    (other,) = embedded.clips(seed=5, per_movement=1, movements=["walking"])
    assert other.imu.shape != alone.imu.shape or not np.array_equal(other.imu, alone.imu)


def test_labels_can_be_left_out_and_people_are_on_one_side():
    clips = list(
        embedded.clips(
            seed=0, per_movement=3, movements=["squats", "push", "wave"], exclude_labels=["SQUATS"]
        )
    )
    assert {c.label for c in clips} == {"push", "wave"}
    sides = {(c.group, c.split) for c in clips}
    assert len(sides) == len({g for g, _ in sides})
    assert all(c.imu.dtype == np.float32 and np.isfinite(c.imu).all() for c in clips)
    first = clips[0].pose[0]
    hips = first[BODY.joint_names.index("left_hip")] - first[BODY.joint_names.index("right_hip")]
    assert abs(hips[1]) < 0.05  # faces +y: the left hip is at −x
    assert hips[0] < 0


def test_mirroring_twice_is_nothing_and_swaps_the_arms():
    angles = np.arange(len(ang.NAMES), dtype=float)
    assert np.array_equal(ang.mirrored(ang.mirrored(angles)), angles)
    pose = np.zeros((1, len(ang.NAMES)))
    pose[0, ang.INDEX["left_shoulder.flexion"]] = 80
    pose[0, ang.INDEX["left_elbow.flexion"]] = 40
    pose[0, ang.INDEX["spine.twist"]] = 25
    at = {n: i for i, n in enumerate(BODY.joint_names)}
    a, b = (
        BODY.pose(np.zeros(3), ang.joint_rotations(p, BODY.joint_names), vertices=False).joints[0]
        for p in (pose, ang.mirrored(pose))
    )
    assert a[at["left_wrist"]] == pytest.approx(b[at["right_wrist"]] * [-1, 1, 1], abs=1e-6)


@pytest.mark.parametrize(
    ("angle", "joint", "axis", "sign"),
    [
        ("left_shoulder.flexion", "left_wrist", 1, 1),  # forward (+y)
        ("left_shoulder.abduction", "left_wrist", 0, -1),  # to the left (−x)
        ("left_elbow.flexion", "left_wrist", 1, 1),
        ("left_hip.flexion", "left_knee", 1, 1),
        ("left_hip.abduction", "left_ankle", 0, -1),
        ("left_knee.flexion", "left_ankle", 1, -1),
        ("left_ankle.dorsiflexion", "left_foot", 2, 1),
        ("spine.flexion", "head", 1, 1),
        ("spine.side", "head", 0, -1),
        ("pelvis.pitch", "head", 1, 1),
        ("left_collar.elevation", "left_shoulder", 2, 1),
    ],
)
def test_angles_mean_what_anatomy_says(angle, joint, axis, sign):
    rest, bent = np.zeros((1, len(ang.NAMES))), np.zeros((1, len(ang.NAMES)))
    bent[0, ang.INDEX[angle]] = 20
    k = BODY.joint_names.index(joint)
    a, b = (
        BODY.pose(np.zeros(3), ang.joint_rotations(p, BODY.joint_names), vertices=False).joints[0, k]
        for p in (rest, bent)
    )
    assert sign * (b - a)[axis] > 0.01


def test_curves_pass_through_their_keys_and_are_twice_differentiable():
    rng = np.random.default_rng(0)
    t = np.cumsum(rng.uniform(0.2, 0.6, 9))
    value = rng.normal(size=(9, 3))
    slope, curve = derivatives(t, value, 0.6, np.zeros(9, bool))
    assert evaluate(t, value, slope, curve, t) == pytest.approx(value, abs=1e-12)
    h = 1e-5
    for at in t[1:-1]:
        x = evaluate(t, value, slope, curve, at + h * np.arange(-4, 5))
        left, right = np.diff(x[:5], 2, axis=0)[-2] / h**2, np.diff(x[4:], 2, axis=0)[1] / h**2
        assert left == pytest.approx(right, rel=0.01, abs=0.5)
        k = int(np.argmin(np.abs(t - at)))
        assert (x[5] - x[3]) / (2 * h) == pytest.approx(slope[k], abs=1e-2)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"text": ["one"]}, "phrasings"),
        ({"keys": [{"at": 0.0}, {"at": 0.5, "left_sholder": {"flexion": 9}}]}, "left_shoulder"),
        ({"keys": [{"at": 0.0}, {"at": 0.5, "left_elbow": {"flexion": 190}}]}, "range"),
        ({"keys": [{"at": 0.0}, {"at": 0.5, "left_elbow": {"twist": 19}}]}, "no angle"),
        ({"keys": [{"at": 0.0}, {"at": 1.5}]}, "below 1"),
        ({"keys": [{"at": 0.0}, {"at": 0.5, "takeoff_m": 0.2}]}, "landing"),
        ({"posture": "standin"}, "standing"),
        ({"repetition": 3}, "repetition_s"),
        ({"repetition_s": [3, 2]}, "lower"),
    ],
)
def test_a_wrong_file_is_one_clear_sentence(change, says):
    good = {"text": ["a", "b", "c"], "keys": [{"at": 0.0}, {"at": 0.5, "elbows": {"flexion": 90}}]}
    postures = {"standing": {"angles": {}}}
    parse("good", good, postures)
    with pytest.raises(ImusimError, match=says):
        parse("bad", {**good, **change}, postures)


def test_a_movement_of_ones_own(tmp_path):
    path = tmp_path / "salute.yaml"
    path.write_text("text: [salute, a salute, saluting]\nlaterality: right\nkeys:\n  - {at: 0.0}\n"
                    "  - {at: 0.4, left_shoulder: {abduction: 80}, left_elbow: {flexion: 130}}\n")  # fmt: skip
    performance = play(read_movement(path), 3.0, seed=0)
    at = BODY.joint_names.index("right_wrist")
    assert np.ptp(joints_of(performance.motion).joints[:, at, 2]) > 0.3
    path.write_text("text: [a, b\n")
    with pytest.raises(MovementError, match="salute"):
        read_movement(path)


def test_tremor_is_felt_at_the_hand_only():
    still = [play(LIBRARY["standing"], 4.0, seed=1, tremor_deg=d).motion for d in (0.0, 0.1)]
    recs = [im.simulate(m, ["left_hand", "chest"], rate_hz=100, smoothing="none").acc for m in still]
    hand, chest = (np.std(recs[1][:, k] - recs[0][:, k]) for k in (0, 1))
    assert hand > 0.05
    assert chest < 0.01 * hand


def test_two_people_differ():
    a, b = itertools.islice(embedded.clips(seed=0, per_movement=2, movements=["bicep_curls"]), 2)
    assert a.group != b.group
    assert a.metadata["stature_m"] != b.metadata["stature_m"]
