"""Rendered clips: seen by a camera, known exactly, and called rendered."""

import numpy as np
import pytest

import mujo
from mujo.corpus import rendering
from mujo.corpus.movement import library
from mujo.corpus.player import play
from mujo.errors import ConfigError

pytest.importorskip("moderngl")


class Mean:
    """Mean colour of a picture."""

    name, width = "mean", 3

    def __call__(self, pictures):
        return np.array([p.reshape(-1, 3).mean(axis=0) for p in pictures], np.float32)


def test_rendered_clips_have_all_modalities_and_their_own_name(tmp_path):
    made = list(
        rendering.clips(
            Mean(),
            seed=3,
            movements=["squats", "walking"],
            placements=["left_wrist"],
            duration_s=3.0,
            side_px=64,
        )
    )
    again = list(
        rendering.clips(
            Mean(), seed=3, movements=["walking"], placements=["left_wrist"], duration_s=3.0, side_px=64
        )
    )
    assert {c.source for c in made} == {"rendered"}
    assert all(c.video.shape == (6, 3) and c.text and c.pose is not None for c in made)
    assert np.array_equal(again[0].imu, made[1].imu)
    assert again[0].video == pytest.approx(made[1].video, abs=1e-3)
    assert len(mujo.corpus.write(made, tmp_path).where(source="rendered")) == 2


@pytest.mark.parametrize("name", ["squats", "running"])
def test_the_person_is_in_the_picture_all_the_time(name):
    motion = play(library()[name], 4.0, seed=0).motion
    scene = rendering.draw_scene(motion, 5, 96)
    assert scene.follows == (name == "running")
    pictures = list(rendering.film(motion, scene, np.linspace(0, 4, 9)))
    assert len(pictures) == 9
    if not scene.follows:  # still background: what changes is the person
        change = np.abs(pictures[0].astype(int) - pictures[4].astype(int)).max(axis=2)
        assert 0.001 < (change > 30).mean() < 0.4
        border = np.concatenate([change[:3].ravel(), change[:, :3].ravel(), change[:, -3:].ravel()])
        assert (border > 30).mean() < 0.02


def test_a_body_without_skin_cannot_be_drawn():
    import imusim as im

    motion = play(library()["squats"], 2.0, seed=0).motion
    body = im.open_body()
    bones = im.body.SkeletonBody(body.joint_names, body.parents, body.rest_joints())
    bare = im.Motion(motion.time_s, motion.root_position_m, motion.joint_rotation_wxyz, body=bones)
    with pytest.raises(ConfigError, match="skin"):
        next(rendering.film(bare, rendering.draw_scene(bare, 0, 64), [0.0]))


def test_motion_files_are_shown_from_where_they_face_and_bad_ones_are_refused(tmp_path):
    import imusim as im
    from mujo.corpus import rendered_mocap
    from mujo.corpus.joints import heading_deg

    motion = play(library()["squats"], 3.0, seed=1).motion
    assert heading_deg(motion) == pytest.approx(motion.metadata["heading_deg"], abs=6.0)  # people sway
    im.save_motion(tmp_path / "squats.npz", motion)
    (tmp_path / "broken.npz").write_bytes(b"PK\x03\x04 nothing")
    rows = [
        "clip,start_s,end_s,text",
        "squats.npz,0,2,squats|knee bends",
        "broken.npz,0,,x",
        "gone.bvh,0,,y",
        "a.mp4,0,,z",
    ]
    (tmp_path / "list.csv").write_text("\n".join(rows) + "\n")
    refused = []
    made = list(
        rendered_mocap.clips(tmp_path / "list.csv", Mean(), refused, placements=["left_wrist"], side_px=64)
    )
    (clip,) = made
    assert (clip.source, clip.text, clip.video.shape) == ("rendered", ("squats", "knee bends"), (4, 3))
    straight = im.simulate(im.read_motion(tmp_path / "squats.npz"), ["left_wrist"], rate_hz=50).acc[:, 0]
    inner = slice(10, 80)  # the cut's ends are smoothed as ends
    assert clip.imu[inner, 0, :3] == pytest.approx(straight[inner], abs=0.5)
    assert {r.file for r in refused} == {"broken.npz", "gone.bvh", "a.mp4"}
    assert all(r.reason for r in refused)
