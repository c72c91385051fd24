"""Damaged, lying and malicious motion files: one clear error, nothing run, nothing allocated by claim."""

import io
import os
import pickle
import resource
import struct
import zipfile

import numpy as np
import pytest

import imusim as im
from imusim.errors import ImusimError, MotionFileError, NoPersonError

HEAD = """HIERARCHY
ROOT Hips
{
OFFSET 0 0 0
CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
JOINT LeftUpLeg
{
OFFSET 9 0 0
CHANNELS 3 Zrotation Xrotation Yrotation
JOINT LeftLeg
{
OFFSET 0 -42 0
CHANNELS 3 Zrotation Xrotation Yrotation
JOINT LeftFoot
{
OFFSET 0 -41 0
CHANNELS 3 Zrotation Xrotation Yrotation
}
}
}
}
"""
FRAME = "0 90 0 0 0 0 0 0 0 0 0 0 0 0 0\n"


def bvh(tmp_path, head=HEAD, frames=10, body=FRAME * 10):
    path = tmp_path / "a.bvh"
    path.write_text(f"{head}MOTION\nFrames: {frames}\nFrame Time: 0.01\n{body}")
    return path


def test_the_made_bvh_is_good(tmp_path):
    assert im.read_motion(bvh(tmp_path)).time_s.size == 10


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"frames": 1_000_000_000}, "cut off"),
        ({"body": FRAME * 9 + "0 90 0"}, "cut off"),
        ({"body": "", "frames": 0}, "empty"),
        ({"body": FRAME.replace("90", "nan") * 10}, "finite"),
        ({"body": FRAME.replace("90", "ninety") * 10}, "numbers"),
        ({"head": HEAD.replace("JOINT LeftLeg", "JOINT Hips")}, "called"),
        (
            {
                "head": HEAD.replace(
                    "CHANNELS 3 Zrotation Xrotation Yrotation\nJOINT LeftFoot", "JOINT LeftFoot"
                )
            },
            "missing",
        ),
        ({"head": HEAD[:-4]}, "brace"),
        ({"head": HEAD.replace("Zrotation", "Wrotation")}, "channel"),
        ({"head": HEAD.replace("OFFSET 0 -42 0", "OFFSET 0 x 0")}, "OFFSET"),
    ],
)
def test_bad_bvh(tmp_path, change, says):
    with pytest.raises(MotionFileError, match=says):
        im.read_motion(bvh(tmp_path, **change))


def test_bvh_nested_beyond_reason(tmp_path):
    head = "HIERARCHY\nROOT a0\n" + "".join(
        f"{{\nOFFSET 0 0 0\nCHANNELS 0\nJOINT a{i}\n" for i in range(1, 500)
    )
    with pytest.raises(MotionFileError):
        im.read_motion(bvh(tmp_path, head=head))


def npy_claiming(shape):
    head = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".encode()
    head += b" " * (63 - (len(head) + 10) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head


def test_claims_of_a_billion_frames_cost_no_memory(tmp_path):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    (tmp_path / "a.npy").write_bytes(npy_claiming((10**9, 22, 3)) + b"\0" * 1000)
    with pytest.raises(MotionFileError, match="claims"):
        im.read_motion(tmp_path / "a.npy")
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as z:
        z.writestr("poses.npy", npy_claiming((10**9, 72)) + b"\0" * 1000)
        z.writestr("trans.npy", npy_claiming((10**9, 3)) + b"\0" * 1000)
    with pytest.raises(MotionFileError, match="claims"):
        im.read_motion(tmp_path / "a.npz")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # kB


def amass(**change):
    arrays = {
        "poses": np.zeros((20, 72)),
        "trans": np.zeros((20, 3)),
        "mocap_framerate": 60.0,
        "betas": np.zeros(10),
    }
    return {**arrays, **change}


@pytest.mark.parametrize(
    "change",
    [
        {"poses": np.zeros((20, 71))},
        {"poses": np.zeros((20, 75))},
        {"poses": np.zeros((0, 72)), "trans": np.zeros((0, 3))},
        {"poses": np.full((20, 72), np.nan)},
        {"poses": np.full((20, 72), 180.0)},
        {"poses": np.array([["a"] * 72] * 20)},
        {"trans": np.zeros((19, 3))},
        {"mocap_framerate": 0.0},
        {"mocap_framerate": np.zeros(3)},
    ],
)
def test_bad_smpl_parameters(tmp_path, change):
    np.savez(tmp_path / "a.npz", **amass(**change))
    with pytest.raises(MotionFileError):
        im.read_motion(tmp_path / "a.npz")


def test_object_arrays_are_refused(tmp_path):
    np.savez(tmp_path / "a.npz", **amass(poses=np.array([{"a": 1}] * 20, dtype=object)))
    with pytest.raises(MotionFileError, match="pickled"):
        im.read_motion(tmp_path / "a.npz")


def test_cut_off_at_every_tenth(tmp_path):
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **amass(poses=np.random.default_rng(0).normal(size=(20, 72)) * 0.1))
    raw = buffer.getvalue()
    for part in range(1, 10):
        (tmp_path / "a.npz").write_bytes(raw[: len(raw) * part // 10])
        with pytest.raises(MotionFileError):
            im.read_motion(tmp_path / "a.npz")


class Payload:
    def __reduce__(self):
        return os.mkdir, (os.environ["CANARY"],)


@pytest.mark.parametrize("suffix", [".pkl", ".pt", ".npz", ".npy"])
def test_malicious_pickles_are_not_run(tmp_path, monkeypatch, suffix):
    canary = tmp_path / "ran"
    monkeypatch.setenv("CANARY", str(canary))
    path = tmp_path / f"a{suffix}"
    raw = pickle.dumps({"poses": Payload(), "trans": np.zeros((3, 3))})
    if suffix == ".pt":
        with zipfile.ZipFile(path, "w") as z:
            z.writestr("archive/data.pkl", raw)
    elif suffix in (".npz", ".npy"):
        array = np.array([Payload()], dtype=object)
        np.savez(path, poses=array) if suffix == ".npz" else np.save(path, array)
    else:
        path.write_bytes(raw)
    with pytest.raises(MotionFileError):
        im.read_motion(path)
    assert not canary.exists()
    pickle.loads(raw)  # the test would notice: this one runs it
    assert canary.exists()


def test_bad_trc_and_mvnx(tmp_path):
    from tests.motion.test_readers_made import CENTRES, trc

    path = tmp_path / "a.trc"
    trc(path, list(CENTRES), np.zeros((10, len(CENTRES), 3)), frames=10**9)
    with pytest.raises(MotionFileError, match="claims"):
        im.read_motion(path)
    trc(path, ["a", "b"], np.ones((10, 2, 3)))
    with pytest.raises(MotionFileError, match="skeleton"):
        im.read_motion(path)
    trc(path, list(CENTRES), np.zeros((0, len(CENTRES), 3)))
    with pytest.raises(MotionFileError):
        im.read_motion(path)
    (tmp_path / "a.mvnx").write_text('<?xml version="1.0"?><mvnx><subject frameRate="60"><frames>')
    with pytest.raises(MotionFileError, match="cut off"):
        im.read_motion(tmp_path / "a.mvnx")
    (tmp_path / "b.mvnx").write_text('<!DOCTYPE a [<!ENTITY b "c">]><mvnx></mvnx>')
    with pytest.raises(MotionFileError, match="entities"):
        im.read_motion(tmp_path / "b.mvnx")


def test_c3d_without_points(tmp_path):
    ezc3d = pytest.importorskip("ezc3d")
    file = ezc3d.c3d()
    file["parameters"]["POINT"]["LABELS"]["value"] = ["LASI", "RASI"]
    file["parameters"]["POINT"]["RATE"]["value"] = [60.0]
    file["data"]["points"] = np.ones((4, 2, 9))
    file.write(str(tmp_path / "a.c3d"))
    with pytest.raises(MotionFileError, match="skeleton"):
        im.read_motion(tmp_path / "a.c3d")
    raw = bytearray((tmp_path / "a.c3d").read_bytes())
    raw[2:4] = struct.pack("<H", 0)
    (tmp_path / "b.c3d").write_bytes(bytes(raw))
    with pytest.raises(MotionFileError, match="no points"):
        im.read_motion(tmp_path / "b.c3d")
    raw[2:4], raw[6:10] = struct.pack("<H", 50), struct.pack("<HH", 1, 60000)
    (tmp_path / "b.c3d").write_bytes(bytes(raw))
    with pytest.raises(MotionFileError, match="claims"):
        im.read_motion(tmp_path / "b.c3d")


@pytest.mark.parametrize(
    ("array", "error"),
    [
        (np.zeros((10, 22, 2)), MotionFileError),
        (np.zeros((10, 21, 3)), MotionFileError),
        (np.zeros((0, 22, 3)), MotionFileError),
        (np.full((10, 22, 3), np.nan), MotionFileError),
        (np.zeros((10, 22, 3)), ImusimError),
        (np.zeros((10, 22, 3), dtype=complex), MotionFileError),
        (im.open_body().rest_joints()[None, :22].repeat(3, axis=0), NoPersonError),
    ],
)
def test_bad_positions(tmp_path, array, error):
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(error), np.errstate(all="ignore"):
        im.read_motion(tmp_path / "a.npy")


def test_not_a_motion(tmp_path):
    (tmp_path / "a.txt").write_text("hello")
    with pytest.raises(MotionFileError, match="Supported"):
        im.read_motion(tmp_path / "a.txt")
    (tmp_path / "b.bvh").write_text("")
    with pytest.raises(MotionFileError, match="empty"):
        im.read_motion(tmp_path / "b.bvh")
    (tmp_path / "c.mat").write_bytes(b"MATLAB 5.0 MAT-file" + b"\0" * 40)
    with pytest.raises(MotionFileError):
        im.read_motion(tmp_path / "c.mat")
