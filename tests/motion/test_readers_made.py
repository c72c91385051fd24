"""Motion readers on made files that are true to their format."""

import numpy as np
import pytest

import imusim as im
from imusim import rotation
from imusim.conventions import Q_WB_REST
from imusim.errors import QualityWarning


def amass(path, poses, rate_key="mocap_framerate", **more):
    frames = len(poses)
    trans = np.linspace([0, 0, 0.9], [1, 0.5, 0.9], frames)
    np.savez(
        path, poses=poses, trans=trans, betas=np.arange(16.0), gender="female", **{rate_key: 120.0}, **more
    )
    return trans


def some_poses(joints, frames=30, seed=0):
    """Rotation vectors (T, 3 J) of somebody upright in a world with z up."""
    rng = np.random.default_rng(seed)
    local = 0.2 * rng.normal(size=(1, joints, 3)) * np.sin(np.linspace(0, 3, frames))[:, None, None]
    turned = rotation.multiply(np.broadcast_to(Q_WB_REST, (frames, 4)), rotation.from_rotvec(local[:, 0]))
    local[:, 0] = rotation.to_rotvec(turned)
    return local.reshape(frames, -1)


@pytest.mark.parametrize("key", ["mocap_framerate", "mocap_frame_rate"])
@pytest.mark.parametrize("joints", [22, 24])
def test_amass_round_trip(tmp_path, key, joints):
    poses = some_poses(joints)
    trans = amass(tmp_path / "a.npz", poses, key)
    motion = im.read_motion(tmp_path / "a.npz")
    assert motion.body is im.open_body()
    np.testing.assert_allclose(np.diff(motion.time_s), 1 / 120)
    np.testing.assert_allclose(motion.root_position_m, trans, atol=1e-12)
    wanted = rotation.from_rotvec(poses.reshape(len(poses), -1, 3))
    assert rotation.angle(motion.joint_rotation_wxyz[:, :joints], wanted).max() < 1e-7
    assert motion.metadata["gender"] == "female"
    np.testing.assert_allclose(motion.metadata["betas"], np.arange(16.0))


def test_amass_hands_are_left_out_and_said(tmp_path):
    poses = some_poses(52)
    amass(tmp_path / "a.npz", poses)
    with pytest.warns(QualityWarning, match="hands"):
        motion = im.read_motion(tmp_path / "a.npz")
    wanted = rotation.from_rotvec(poses.reshape(len(poses), -1, 3))[:, :22]
    assert rotation.angle(motion.joint_rotation_wxyz[:, :22], wanted).max() < 1e-7
