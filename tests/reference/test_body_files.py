"""Body files: what is read, what is refused, and that a pickle never runs."""

import pickle
import sys
import types

import numpy as np
import pytest

import imusim as im
from imusim.errors import MotionFileError, ShapeError


def arrays(path):
    with np.load(path) as file:
        return {k: file[k] for k in file.files}


def save(folder, data, name="body.npz"):
    np.savez(folder / name, **data)
    return folder / name


def test_reads_npz(smpl_file):
    data = arrays(smpl_file)
    body = im.load_body(smpl_file)
    assert body.joint_names == im.open_body().joint_names
    assert body.parents.tolist() == im.open_body().parents.tolist()
    assert body.name == "SMPL_MADE_UP"
    np.testing.assert_array_equal(body.v_template, data["v_template"])
    np.testing.assert_array_equal(body.posedirs, data["posedirs"])
    np.testing.assert_allclose(body.weights.sum(axis=1), 1.0, atol=1e-15)


def test_shape_count_can_be_chosen(smpl_file, tmp_path):
    assert im.load_body(smpl_file, n_shape=4).n_shape == 4
    with pytest.raises(ShapeError, match="10 shape directions"):
        im.load_body(smpl_file, n_shape=11)
    data = arrays(smpl_file)
    data["shapedirs"] = np.repeat(data["shapedirs"], 30, axis=2)
    assert im.load_body(save(tmp_path, data)).n_shape == 10


@pytest.mark.parametrize(("joints", "known"), [(52, "right_thumb3"), (55, "jaw"), (30, "joint_29")])
def test_reads_bodies_with_hands(smpl_file, tmp_path, joints, known):
    data = arrays(smpl_file)
    rng = np.random.default_rng(0)
    weights = rng.random((600, joints)) + 0.01
    data["weights"] = weights / weights.sum(axis=1, keepdims=True)
    data["J_regressor"] = rng.random((joints, 600)) / 300
    data["posedirs"] = rng.random((600, 3, 9 * (joints - 1)))
    data["shapedirs"] = rng.random((600, 3, 400))
    parents = [2**32 - 1] + [rng.integers(0, j) for j in range(1, joints)]
    data["kintree_table"] = np.array([parents, range(joints)], dtype=np.uint32)
    body = im.load_body(save(tmp_path, data))
    assert known in body.joint_names
    assert len(body.joint_names) == len(set(body.joint_names)) == joints
    assert body.n_shape == 16
    q = np.zeros((2, joints, 4))
    q[..., 0] = 1.0
    np.testing.assert_allclose(body.pose(np.zeros((2, 3)), q).joints[:, 0], 0.0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.pop("weights"), "lacks weights"),
        (
            lambda d: d.update(v_template=d["v_template"][:-1]),
            r"J_regressor has shape \(24, 600\), wanted \(24, 599\)",
        ),
        (lambda d: d.update(posedirs=d["posedirs"][..., :-9]), "posedirs has shape"),
        (lambda d: d.update(weights=2 * d["weights"]), "rows that sum to 1"),
        (lambda d: d.update(f=d["f"] + 600), "vertices outside"),
        (lambda d: d.update(v_template=d["v_template"] * np.nan), "not finite"),
        (lambda d: d.update(v_template=d["v_template"].astype("U8")), "wanted numbers"),
        (lambda d: d.update(kintree_table=d["kintree_table"][:, ::-1]), "kintree_table"),
        (lambda d: d.update(shapedirs=np.array([1, "x"], dtype=object)), "pickled objects"),
    ],
)
def test_wrong_content_is_told(smpl_file, tmp_path, change, message):
    data = arrays(smpl_file)
    change(data)
    with pytest.raises(MotionFileError, match=message):
        im.load_body(save(tmp_path, data))


def test_wrong_files_are_told(smpl_file, tmp_path):
    with pytest.raises(MotionFileError, match="no such file"):
        im.load_body(tmp_path / "none.npz")
    (tmp_path / "cut.npz").write_bytes(smpl_file.read_bytes()[:-5000])
    with pytest.raises(MotionFileError, match="damaged"):
        im.load_body(tmp_path / "cut.npz")
    (tmp_path / "middle.npz").write_bytes(
        smpl_file.read_bytes()[:2000] + b"?" * 3000 + smpl_file.read_bytes()[5000:]
    )
    with pytest.raises(MotionFileError, match="damaged"):
        im.load_body(tmp_path / "middle.npz")
    (tmp_path / "text.npz").write_text("hello")
    with pytest.raises(MotionFileError, match="not an npz"):
        im.load_body(tmp_path / "text.npz")
    (tmp_path / "body.obj").write_text("v 0 0 0")
    with pytest.raises(MotionFileError, match=r"\.npz or \.pkl"):
        im.load_body(tmp_path / "body.obj")
    np.savez(tmp_path / "walk.npz", poses=np.zeros((5, 156)), trans=np.zeros((5, 3)))
    with pytest.raises(MotionFileError, match="use read_motion"):
        im.load_body(tmp_path / "walk.npz")


def fake_modules(monkeypatch):
    """Classes named as in chumpy, which SMPL's own pickles hold, for writing only."""
    made = {}
    for module, name in (("chumpy.ch", "Ch"), ("chumpy.reordering", "Select")):
        kind = type(name, (), {"__module__": module})
        home = types.ModuleType(module)
        setattr(home, name, kind)
        monkeypatch.setitem(sys.modules, module, home)
        made[name] = kind
    monkeypatch.setitem(sys.modules, "chumpy", types.ModuleType("chumpy"))
    return made


@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize("core", ["numpy.core", "numpy._core"])
def test_reads_pickles_like_smpls(smpl_file, tmp_path, monkeypatch, protocol, core):
    import scipy.sparse

    data = arrays(smpl_file)
    with monkeypatch.context() as patch:
        kinds = fake_modules(patch)
        ch, select = kinds["Ch"](), kinds["Select"]()
        ch.__dict__.update(x=data["shapedirs"], dterms=("x",))
        base = kinds["Ch"]()
        base.__dict__.update(x=data["v_template"][::-1])
        index = np.arange(1800).reshape(600, 3)[::-1].ravel()
        select.__dict__.update(a=base, idxs=index, preferred_shape=(600, 3))
        content = {
            **data,
            "shapedirs": ch,
            "v_template": select,
            "J_regressor": scipy.sparse.csc_matrix(data["J_regressor"]),
            "bs_style": "lbs",
        }
        raw = pickle.dumps(content, protocol=protocol)
    # as older and newer NumPy spell it (a name's length is part of protocol 4)
    if protocol == 2:
        raw = raw.replace(b"numpy._core.", core.encode() + b".")
    (tmp_path / "body.pkl").write_bytes(raw)
    body, same = im.load_body(tmp_path / "body.pkl"), im.load_body(smpl_file)
    for name in ("v_template", "shapedirs", "J_regressor", "weights", "posedirs", "faces", "parents"):
        np.testing.assert_array_equal(getattr(body, name), getattr(same, name))


class Payload:
    def __init__(self, call, *args):
        self.call, self.args = call, args

    def __reduce__(self):
        return self.call, self.args


def test_a_pickle_never_runs(smpl_file, tmp_path):
    import os
    import subprocess

    proof = tmp_path / "ran"
    command = f"touch {proof}"
    attacks = [
        Payload(os.system, command),
        Payload(eval, f"open({str(proof)!r}, 'w')"),
        Payload(exec, f"open({str(proof)!r}, 'w')"),
        Payload(subprocess.check_output, ["touch", str(proof)]),
        Payload(open, str(proof), "w"),
        Payload(np.load, str(proof)),
        Payload(np.save, str(proof), np.zeros(1)),
    ]
    # the attacks are real: unpickled plainly, the first makes the file
    pickle.loads(pickle.dumps(attacks[0]))
    assert proof.exists()
    proof.unlink()
    data = arrays(smpl_file)
    for attack in attacks:
        for content in (attack, {**data, "weights": attack}, {**data, "extra": [attack]}):
            (tmp_path / "bad.pkl").write_bytes(pickle.dumps(content, protocol=2))
            with pytest.raises(MotionFileError, match="refused"):
                im.load_body(tmp_path / "bad.pkl")
            assert not list(tmp_path.glob("ran*"))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"not a pickle",
        b"cos\nsystem\n(S'true'\ntR.",  # protocol 0, by hand
        b"cnumpy\nndarray\n.",  # not a dictionary
        b"ccopy_reg\n_reconstructor\n(cbuiltins\nobject\ncbuiltins\nobject\nNtR.",
        b"c_codecs\nencode\n(X\x02\x00\x00\x00hiX\x03\x00\x00\x00zipt\x52.",
        b"cnumpy.core.multiarray\n_reconstruct.__globals__\n.",
    ],
)
def test_damaged_and_crafted_pickles_are_refused(tmp_path, raw):
    (tmp_path / "bad.pkl").write_bytes(raw)
    with pytest.raises(MotionFileError):
        im.load_body(tmp_path / "bad.pkl")


def test_sparse_matrices_with_wild_indices_are_refused(smpl_file, tmp_path):
    import scipy.sparse

    data = arrays(smpl_file)
    matrix = scipy.sparse.csc_matrix(data["J_regressor"])
    matrix.indices[3] = 10**6
    (tmp_path / "bad.pkl").write_bytes(pickle.dumps({**data, "J_regressor": matrix}))
    with pytest.raises(MotionFileError, match="indices that do not fit"):
        im.load_body(tmp_path / "bad.pkl")


@pytest.mark.parametrize("claimed", [(10**9, 3), (10**13, 3), (-5, 3)])
def test_a_header_that_claims_more_than_there_is(smpl_file, tmp_path, claimed):
    import zipfile

    with zipfile.ZipFile(smpl_file) as old, zipfile.ZipFile(tmp_path / "big.npz", "w") as new:
        for name in old.namelist():
            raw = old.read(name)
            if name == "v_template.npy":
                start, end = raw.index(b"'shape'"), raw.index(b"}")
                text = f"'shape': {claimed}, ".encode()
                raw = raw[:start] + text.ljust(end - start) + raw[end:]
            new.writestr(name, raw)
    with pytest.raises(MotionFileError, match=r"big\.npz"):
        im.load_body(tmp_path / "big.npz")
