"""Up from posture, floor and lines together, on stick figures seen by tilted cameras."""

import numpy as np
import pytest
import stick_figure as stick
from stick_figure import FOCAL, NAMES, SIZE, angle_deg

from imusim.errors import ConfigError, ShapeError
from imusim.fitting.gravity import LINES_KEY, estimate_up
from imusim.fitting.gravity_floor import floor_contacts
from imusim.fitting.gravity_posture import centre_of_mass, foot_points, posture
from imusim.fitting.gravity_tilt import tilt_from_up, up_from_tilt

TIME = np.arange(60) / 30.0


def _estimate(joints, time_s=TIME, focal_px=FOCAL, **kw):
    metadata = {LINES_KEY: kw.pop("lines")} if "lines" in kw else {}
    return estimate_up(
        stick.track(joints, time_s, focal_px, **metadata),
        joints,
        NAMES,
        np.ones(len(time_s), bool),
        FOCAL,
        **kw,
    )


def _stand(time_s=TIME, pose=None):
    return np.repeat((stick.standing() if pose is None else pose)[None], len(time_s), axis=0)


def _posts(up, rng, count=25, clutter=30):
    foot = np.c_[rng.uniform(-3, 3, count), rng.uniform(-2, 2, count), rng.uniform(5, 10, count)]
    top = foot + np.asarray(up) * rng.uniform(0.8, 2.0, count)[:, None]

    def project(p):
        return p[:, :2] / p[:, 2:] * FOCAL + np.array(SIZE) / 2

    start = rng.uniform([0, 0], SIZE, (clutter, 2))
    angle, length = rng.uniform(0, np.pi, clutter), rng.uniform(60, 300, clutter)
    other = np.c_[start, start + length[:, None] * np.c_[np.cos(angle), np.sin(angle)]]
    return np.r_[np.c_[project(foot), project(top)], other] + rng.normal(0, 0.5, (count + clutter, 4))


@pytest.mark.parametrize("tilt", [(0, 0), (20, 0), (-15, 30), (40, -70), (0, 179)])
def test_tilt_and_up_are_inverse(tilt):
    np.testing.assert_allclose(tilt_from_up(up_from_tilt(*tilt)), tilt, atol=1e-9)


def test_signs_of_tilt():
    """A camera that looks down sees the horizon above the middle; roll > 0 leans upright things to the right."""
    ahead = np.array([0, 0, 1.0])
    up = up_from_tilt(20, 0)
    horizon = ahead - (ahead @ up) * up  # level, straight ahead
    assert horizon[1] / horizon[2] == pytest.approx(-np.tan(np.radians(20)))
    assert up_from_tilt(0, 10)[0] > 0
    assert up_from_tilt(0, 10)[1] < 0


def test_the_user_knows_best():
    joints = stick.tilted(_stand(), up_from_tilt(0, 0))
    by_pitch = _estimate(joints, camera_tilt_deg=25)
    by_both = _estimate(joints, camera_tilt_deg=(25, -8))
    assert by_pitch.method == by_both.method == "user"
    np.testing.assert_allclose(by_pitch.up_c, up_from_tilt(25, 0))
    np.testing.assert_allclose(by_both.up_c, up_from_tilt(25, -8))
    assert by_both.sd_deg < 2


@pytest.mark.parametrize("wrong", [np.nan, (1, 2, 3), "down", (91, 0), (0, 181)])
def test_not_a_tilt(wrong):
    with pytest.raises(ConfigError, match="camera_tilt_deg"):
        _estimate(stick.tilted(_stand(), up_from_tilt(0, 0)), camera_tilt_deg=wrong)


def test_missing_joints_are_named():
    joints = stick.tilted(_stand(), up_from_tilt(0, 0))
    names = tuple(n if n != "left_foot" else "left_toe" for n in NAMES)
    with pytest.raises(ShapeError, match="left_foot"):
        estimate_up(stick.track(joints, TIME), joints, names, np.ones(60, bool), FOCAL)


def test_centre_of_mass_of_someone_standing_is_over_the_feet_near_the_navel():
    com = centre_of_mass(_stand(), NAMES)[0]
    assert 0.9 < com[2] < 1.1  # 55 to 58 % of 1.75 m
    assert np.hypot(*com[:2]) < 0.06


def test_nothing_seen_is_the_prior_and_says_so():
    joints = np.full((60, 24, 3), np.nan)
    e = estimate_up(stick.track(joints, TIME), joints, NAMES, np.zeros(60, bool), FOCAL)
    assert e.method == "prior"
    assert e.sd_deg > 10
    assert angle_deg(e.up_c, [0, -1, 0]) < 15


def test_standard_deviation_is_honest_for_people_who_lean():
    """Posture errors as seen on real clips (a lean across, a larger one along the line of sight) and plausible tilts."""
    rng = np.random.default_rng(0)
    z = []
    for _ in range(60):
        up = up_from_tilt(rng.normal(8, 12), rng.normal(0, 6))
        lean = up_from_tilt(*(np.array(tilt_from_up(up)) + [rng.normal(0, 5), rng.normal(0, 3)]))
        e = _estimate(stick.tilted(_stand(), lean))
        assert e.method == "posture"
        z.append(angle_deg(e.up_c, up) / e.sd_deg)
    assert np.mean(np.array(z) < 2) >= 0.93
    assert 0.5 < np.sqrt(np.mean(np.square(z))) < 1.2


def test_steps_across_the_picture_fix_roll_though_the_person_leans():
    """Someone walks along a level floor with the trunk, and so the centre of mass, 0.12 m to the front all the time."""
    time_s = np.arange(120) / 30.0
    rng = np.random.default_rng(1)
    up = up_from_tilt(6, 9)
    joints = stick.walking(time_s, 1.2)
    at = [NAMES.index(n) for n in ("neck", "head", "pelvis", "left_shoulder", "right_shoulder")]
    joints[:, at, 0] += 0.2
    seen = stick.tilted(joints, up, (-2.4, 0.5, 6.0)) + rng.normal(0, 0.02, (120, 1, 3))
    only = posture(seen, NAMES, time_s, up_from_tilt(5, 0))
    assert only is not None
    e = _estimate(seen, time_s)
    roll = tilt_from_up(up)[1]
    assert abs(tilt_from_up(only.up_c)[1] - roll) > 3  # what posture alone would say
    assert abs(e.details["pitch_deg"] - 6) < 2 * e.sd_deg
    assert abs(e.details["roll_deg"] - roll) < 1.5
    assert e.details["floor_extent_m"] > 3


def test_floor_contacts_are_on_the_floor():
    time_s = np.arange(120) / 30.0
    joints = stick.walking(time_s)
    up = np.array([0, 0, 1.0])
    floor = floor_contacts(foot_points(joints, NAMES), time_s, up, 5.0)
    np.testing.assert_allclose(floor.contact_c[:, 2], 0.4 * 0.08 + 0.6 * 0.02, atol=1e-9)
    flat, sloped = floor.log_likelihood(np.array([up, [np.sin(0.1), 0, np.cos(0.1)]]))
    assert flat > sloped + 3


def test_contacts_in_one_place_say_nothing():
    floor = floor_contacts(foot_points(_stand(), NAMES), TIME, np.array([0, 0, 1.0]), 5.0)
    assert np.ptp(floor.log_likelihood(up_from_tilt(np.linspace(-40, 40, 9), np.zeros(9)))) == 0


@pytest.mark.parametrize("way", [(1, 0, 0), (-1, 0, 0), (0, 1, 0), (0.7, 0.7, 0)])
@pytest.mark.parametrize("pose", [stick.standing(), stick.sitting()], ids=["lying", "fallen from a chair"])
def test_lying_people_do_not_turn_the_world_over(way, pose):
    """The body's long axis is level; up must stay within the camera's plausible tilt, and the doubt be large."""
    along = np.array(way) / np.linalg.norm(way)
    across = np.cross([0, 0, 1.0], along)
    lying = pose @ np.stack([across, np.cross(along, across), along]) + [0, 0, 0.2]
    e = _estimate(stick.tilted(_stand(pose=lying), up_from_tilt(10, 3)))
    assert e.sd_deg > 8
    assert angle_deg(e.up_c, up_from_tilt(10, 3)) < 2 * e.sd_deg
    assert e.up_c[1] < -0.8


def test_sitting_people_are_told_by_the_trunk_with_a_large_doubt():
    turned = stick.sitting()[:, [1, 0, 2]] * [
        1,
        -1,
        1,
    ]  # seen from the side: feet far ahead of the centre of mass
    e = _estimate(stick.tilted(_stand(pose=turned), up_from_tilt(5, 0)))
    assert angle_deg(e.up_c, up_from_tilt(5, 0)) < 6
    assert e.sd_deg > 8


@pytest.mark.parametrize("seed", range(5))
def test_lines_correct_posture(seed):
    rng = np.random.default_rng(seed)
    up = up_from_tilt(rng.uniform(-5, 25), rng.uniform(-25, 25))
    lean = up_from_tilt(*(np.array(tilt_from_up(up)) + rng.normal(0, 6, 2)))
    e = _estimate(stick.tilted(_stand(), lean), lines=_posts(up, rng))
    assert e.method == "lines"
    assert angle_deg(e.up_c, up) < min(2.0, 2 * e.sd_deg)


def test_lines_win_over_a_posture_that_contradicts_them_and_doubt_grows():
    rng = np.random.default_rng(4)
    up = up_from_tilt(15, 0)
    lines = _posts(up, rng)
    agree = _estimate(stick.tilted(_stand(), up), lines=lines)
    mirrored = _estimate(
        stick.tilted(_stand(), up_from_tilt(-15, 0)), lines=lines
    )  # depth read the wrong way round
    assert angle_deg(mirrored.up_c, up) < 2.5
    assert mirrored.sd_deg > agree.sd_deg


def test_turning_everything_by_ten_degrees_turns_up_by_ten():
    rng = np.random.default_rng(2)
    up = up_from_tilt(12, 2)
    joints, lines = stick.tilted(_stand(), up_from_tilt(15, 0)), _posts(up, rng)
    c, s = np.cos(np.radians(10)), np.sin(np.radians(10))
    turn = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    centre = np.array(SIZE) / 2
    turned = ((lines.reshape(-1, 2) - centre) @ turn[:2, :2].T + centre).reshape(-1, 4)
    a, b = _estimate(joints, lines=lines), _estimate(joints @ turn.T, lines=turned)
    assert angle_deg(turn @ a.up_c, b.up_c) < 0.5
    # without lines the belief that cameras are level holds it back, by less than the doubt it reports
    a, b = _estimate(joints), _estimate(joints @ turn.T)
    assert angle_deg(turn @ a.up_c, b.up_c) < b.sd_deg


def test_an_assumed_focal_length_widens_the_doubt_of_a_pitched_camera():
    rng = np.random.default_rng(3)
    up = up_from_tilt(25, 0)
    joints, lines = stick.tilted(_stand(), up), _posts(up, rng)
    assert (
        _estimate(joints, lines=lines, focal_log_sd=0.15).sd_deg > 1.3 * _estimate(joints, lines=lines).sd_deg
    )
    level = up_from_tilt(0, 0)
    joints, lines = stick.tilted(_stand(), level), _posts(level, rng)
    known, assumed = _estimate(joints, lines=lines), _estimate(joints, lines=lines, focal_log_sd=0.15)
    assert assumed.sd_deg < 1.1 * known.sd_deg


def test_lines_of_another_shot_are_not_used():
    rng = np.random.default_rng(5)
    up = up_from_tilt(15, 5)
    joints = stick.tilted(_stand(), up)
    assert _estimate(joints, lines={"1": _posts(up, rng).tolist()}).method == "posture"
    assert _estimate(joints, lines={"0": _posts(up, rng).tolist()}).method == "lines"
