"""A camera that turns: found from its background, and taken out of the motion."""

import dataclasses

import numpy as np
import pytest
from made_tracks import FOCAL, made_state, made_track, skeleton_of

import imusim as im
from imusim import rotation
from imusim.fitting import joints_px
from imusim.fitting.project import joints_world
from imusim.fitting.steady import turned_px, turns
from imusim.video.camera_turn import camera_turns
from imusim.video.estimator import LANDMARK_NAMES

cv2 = pytest.importorskip("cv2")
SIZE = (320, 240)
SHORT = 300.0  # focal length · px


def swing(time_s, deg=5.0):
    """Yaw, nod and a little roll of a hand-held camera, (T, 3, 3), to the axes of the first frame."""
    t = time_s - time_s[0]
    v = np.radians(deg) * np.stack([0.2 * np.sin(9 * t), np.sin(3 * t), 0.1 * np.sin(13 * t)], axis=1)
    return rotation.to_matrix(rotation.from_rotvec(v))


def pictures(turn, near_px=None, posts=False, seed=0):
    """A distant wall (with posts) seen by the camera; with `near_px`, half of it is near, and slides by so much a frame."""
    rng = np.random.default_rng(seed)
    wall = cv2.GaussianBlur(rng.integers(0, 255, (700, 900), dtype=np.uint8), (0, 0), 2.5)
    wall = cv2.normalize(wall, None, 0, 255, cv2.NORM_MINMAX)
    for x in range(0, 900 if posts else 0, 60):
        cv2.line(wall, (x, 0), (x, 700), 255 if x % 120 else 0, 4)
    k = np.array([[SHORT, 0, SIZE[0] / 2], [0, SHORT, SIZE[1] / 2], [0, 0, 1.0]])
    middle = np.array([[1, 0, 450 - SIZE[0] / 2], [0, 1, 350 - SIZE[1] / 2], [0, 0, 1.0]])

    def seen(r, shift):
        to_wall = middle @ np.array([[1, 0, shift], [0, 1, 0], [0, 0, 1.0]]) @ k @ r @ np.linalg.inv(k)
        return cv2.warpPerspective(wall, to_wall, SIZE, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)

    for i, r in enumerate(turn):
        grey = seen(r, 0.0)
        if near_px is not None:
            grey[SIZE[1] // 2 :] = seen(r, near_px * i)[SIZE[1] // 2 :]
        yield np.repeat(grey[..., None], 3, axis=2)


def nobody(time_s):
    n, count = len(time_s), len(LANDMARK_NAMES)
    missing = np.full((n, count, 3), np.nan)
    return im.PoseTrack(
        time_s, missing, missing[..., :2], np.zeros((n, count)), SIZE, LANDMARK_NAMES, np.zeros(n), np.zeros(n),
        np.zeros(n, dtype=bool),
    )  # fmt: skip


def write(path, images):
    av = pytest.importorskip("av")
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30, options={"crf": "10", "preset": "ultrafast"})
        stream.width, stream.height = SIZE
        for image in images:
            container.mux(
                stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format="yuv420p"))
            )
        container.mux(stream.encode())
    return path


def found_in(tmp_path, images, time_s):
    return camera_turns(write(tmp_path / "clip.mp4", images), nobody(time_s), SHORT)


def test_turns_are_found_from_the_background(tmp_path):
    time_s = np.arange(45) / 30
    true = swing(time_s)
    found = found_in(tmp_path, pictures(true), time_s)
    assert found.believed
    assert found.largest_deg == pytest.approx(5.0, abs=0.4)
    off = np.degrees(rotation.angle(rotation.from_matrix(np.swapaxes(found.R, 1, 2) @ true)))
    assert off.max() < 0.1


def test_parallax_is_not_taken_for_a_turn(tmp_path):
    time_s = np.arange(20) / 30
    found = found_in(tmp_path, pictures(np.tile(np.eye(3), (20, 1, 1)), near_px=6.0), time_s)
    assert not found.believed


def test_turned_back_pixels_are_those_of_the_still_camera():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(4, 30, 3)) + [0, 0, 4]
    r = swing(np.arange(4) / 2.0, deg=20.0)
    centre = np.array([160.0, 120.0])

    def px(points):
        return SHORT * points[..., :2] / points[..., 2:] + centre

    seen = px(np.einsum("tba,tnb->tna", r, x))  # x in the axes of the turned camera: Rᵀ x
    np.testing.assert_allclose(turned_px(seen, r, centre, SHORT), px(x), atol=1e-9)
    assert turns({}, 4) is None
    assert turns({"camera_turn_wxyz": [[1, 0, 0, 0]] * 3, "camera_turn_focal_px": 1.0}, 4) is None


@pytest.fixture(scope="module")
def people():
    """The same person before a still camera and before one that turns: (still, turned, turned and told)."""
    time_s = np.arange(60) / 30
    skel, state = skeleton_of(), made_state(time_s)
    still = made_track(time_s, state, skel, seed=5)
    back = np.swapaxes(swing(time_s), 1, 2)
    moved = dataclasses.replace(
        state,
        root=np.einsum("tab,tb->ta", back, state.root),
        balls=np.concatenate([(back @ state.balls[:, 0])[:, None], state.balls[:, 1:]], axis=1),
    )
    turned = made_track(time_s, moved, skel, seed=5)
    kept = {
        "camera_turn_wxyz": rotation.from_matrix(swing(time_s)).tolist(),
        "camera_turn_focal_px": FOCAL,
    }
    told = dataclasses.replace(turned, metadata={**turned.metadata, **kept})
    body = im.open_body()
    height = body.stature(None)
    return [(t, im.fit(t, body, height, focal_px=FOCAL, progress=False)) for t in (still, turned, told)]


def test_a_turning_camera_does_not_move_the_person(people):
    acc = []
    for _, motion in people:
        r = im.simulate(motion, ["pelvis", "left_wrist", "right_ankle"], sensor="ideal", rate_hz=60)
        inner = (r.time_s > 0.3) & (r.time_s < 1.6)
        acc.append(r.acc[inner])
    still, turned, told = acc

    def rms(a, b):
        return np.sqrt(((a - b) ** 2).sum(axis=-1).mean())

    assert rms(told, still) < 0.4 * rms(turned, still)
    path = [m.root_position_m - m.root_position_m.mean(axis=0) for _, m in people]
    assert np.ptp(path[1][:, 0]) > 0.4  # 5 degrees at 4 m, to and fro, is the camera's
    assert np.ptp(path[2][:, 0]) < np.ptp(path[0][:, 0]) + 0.1


def test_the_skeleton_lies_on_the_person_in_every_frame(people):
    from imusim.viz.render.views import source_view

    off = []
    for track, motion in people:
        names = list(track.landmark_names)
        px = joints_px(motion)[:, list(motion.body.joint_names).index("left_knee")]
        off.append(np.linalg.norm(px - track.landmarks_px[:, names.index("left_knee")], axis=1).mean())
    assert off[2] < 1.3 * off[0] + 1.0
    track, motion = people[2]
    camera = source_view(motion, track.image_size_px)
    root = joints_world(motion)[:, 0]
    for i in (0, 17, 40):
        np.testing.assert_allclose(camera(i).project(root[i]), joints_px(motion)[i, 0], atol=1e-6)


def test_lines_of_the_background_are_those_of_the_first_frame(tmp_path):
    """Posts stay upright though the camera rolls, and the borders of turned pictures are no lines."""
    time_s = np.arange(30) / 30
    v = np.radians(4.0) * np.stack([0 * time_s, np.sin(3 * time_s), np.sin(5 * time_s)], axis=1)
    turn = rotation.to_matrix(rotation.from_rotvec(v))
    found = found_in(tmp_path, pictures(turn, posts=True), time_s)
    assert found.believed
    lines = np.array(found.lines_px["0"])
    along = np.degrees(np.arctan2(lines[:, 2] - lines[:, 0], lines[:, 3] - lines[:, 1]))
    long = np.hypot(lines[:, 2] - lines[:, 0], lines[:, 3] - lines[:, 1]) > 60
    assert long.sum() >= 3
    off = np.abs((along[long] + 90) % 180 - 90)
    assert off.max() < 1.0
    assert lines.min() > 0
