"""Pickles as chumpy writes them are read; pickles with a payload are refused, and nothing in them runs.

Every attack is first unpickled the plain way, to see that it would have left its mark.
"""

import pathlib
import pickle
import struct
import subprocess
import sys
import types

import numpy as np
import pytest
import scipy.sparse
from smpl_family import made_up

import imusim as im
from imusim.body.safe_pickle import load_pickled_arrays
from imusim.errors import MotionFileError


@pytest.fixture
def chumpy(monkeypatch):
    """Classes whose instances pickle as chumpy's do: the same names, the same bookkeeping (a set among it)."""
    made = {}
    for module, name in (
        ("chumpy.ch", "Ch"),
        ("chumpy.reordering", "Select"),
        ("chumpy.reordering", "transpose"),
    ):
        home = sys.modules.get(module) or types.ModuleType(module)

        def state(self):
            return {
                "_dirty_vars": set(),
                "_itr": None,
                "_make_dense": False,
                "_depends_on_deps": {},
                **self.__dict__,
            }

        made[name] = type(name, (), {"__module__": module, "__getstate__": state})
        setattr(home, name, made[name])
        monkeypatch.setitem(sys.modules, module, home)
    monkeypatch.setitem(sys.modules, "chumpy", types.ModuleType("chumpy"))

    def make(name, **state):
        out = made[name]()
        out.__dict__.update(state)
        return out

    return make


@pytest.mark.parametrize("protocol", [0, 1, 2, 4, 5])
def test_reads_an_smpl_pickle_with_chumpy_in_it(chumpy, tmp_path, protocol):
    data = made_up("smpl", seed=1)
    del data["posedirs"]  # 17 MB of text under protocol 0
    space = chumpy("Ch", x=np.concatenate([data["shapedirs"], data["shapedirs"]], axis=2))
    index = np.arange(space.x.size).reshape(space.x.shape)[:, :, :10].ravel()
    content = {
        **data,
        "v_template": chumpy("Ch", x=data["v_template"]),
        "shapedirs": chumpy("Select", a=space, idxs=index, preferred_shape=data["shapedirs"].shape),
        "J_regressor": scipy.sparse.csc_matrix(data["J_regressor"]),
        "J": chumpy("transpose", a=space),  # nobody needs it
        "weights": np.asfortranarray(data["weights"]),
        "bs_style": "lbs",
        "pose_training_info": {
            "names": ["a", "b"],
            "scale": np.float64(2.0),
            "objects": np.array([1, None], object),
        },
    }
    (tmp_path / "SMPL.pkl").write_bytes(pickle.dumps(content, protocol=protocol))
    body = im.load_body(tmp_path / "SMPL.pkl")
    np.testing.assert_array_equal(body.v_template, data["v_template"])
    np.testing.assert_array_equal(body.shapedirs, data["shapedirs"])
    np.testing.assert_array_equal(body.J_regressor, data["J_regressor"])
    np.testing.assert_array_equal(body.faces, data["f"])
    np.testing.assert_allclose(body.weights, data["weights"], rtol=1e-14)
    info = load_pickled_arrays(tmp_path / "SMPL.pkl")["pose_training_info"]
    assert (info["names"], float(info["scale"]), info["objects"].tolist()) == (["a", "b"], 2.0, [1, None])


def test_an_expression_that_is_needed_is_told(chumpy, tmp_path):
    data = made_up("smpl", seed=1)
    del data["posedirs"]
    data["v_template"] = chumpy("transpose", a=chumpy("Ch", x=data["v_template"].T))
    (tmp_path / "SMPL.pkl").write_bytes(pickle.dumps(data))
    with pytest.raises(MotionFileError, match="v_template has type object, wanted numbers"):
        im.load_body(tmp_path / "SMPL.pkl")


@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
@pytest.mark.parametrize(
    "array",
    [
        np.arange(24.0).reshape(2, 3, 4).transpose(1, 0, 2),
        np.asfortranarray(np.arange(6, dtype=">i4").reshape(2, 3)),
        np.array([[True, False]]),
        np.zeros((0, 3), np.uint32),
        np.array(5.0),
        np.array(["a", "bc"]),
        scipy.sparse.csr_matrix(np.eye(3)[:, ::-1]),
    ],
    ids=lambda a: f"{type(a).__name__}-{a.dtype}-{a.ndim}",
)
def test_arrays_come_back_as_they_were(tmp_path, array, protocol):
    (tmp_path / "a.pkl").write_bytes(pickle.dumps({"a": array}, protocol=protocol))
    back = load_pickled_arrays(tmp_path / "a.pkl")["a"]
    wanted = array.toarray() if scipy.sparse.issparse(array) else array
    np.testing.assert_array_equal(back, wanted)
    assert back.shape == wanted.shape


class Call:
    """Unpickles as a call."""

    def __init__(self, function, *args, state=None):
        self.parts = (function, args) if state is None else (function, args, state)

    def __reduce__(self):
        return self.parts


def word(text):
    return b"X" + struct.pack("<I", len(text.encode())) + text.encode()


def hand_made(mark):
    """Name → pickle, opcode by opcode, that leaves a file at `mark` if it is run."""
    command = word(f"import pathlib; pathlib.Path({str(mark)!r}).touch()")
    shell = word(f"touch {mark}")
    return {
        "GLOBAL": b"cbuiltins\nexec\n" + command + b"\x85R.",
        "STACK_GLOBAL": b"\x80\x04" + word("builtins") + word("exec") + b"\x93" + command + b"\x85R.",
        "INST": b"(" + shell + b"iposix\nsystem\n.",
        "OBJ": b"(cposix\nsystem\n" + shell + b"o.",
        "dotted name": b"\x80\x04" + word("os") + word("path.os.system") + b"\x93" + shell + b"\x85R.",
        "memo": b"cposix\nsystem\np0\n0g0\n" + shell + b"\x85R.",
        "in a dictionary's value": b"}" + word("weights") + b"cposix\nsystem\n" + shell + b"\x85Rs.",
        "in its key": b"}cposix\nsystem\n" + shell + b"\x85R" + word("x") + b"s.",
        "after the data": b"}0cposix\nsystem\n" + shell + b"\x85R0}.",
    }


def objects(mark):
    """Name → object that leaves a file at `mark` when it is unpickled, hidden in what an array pickle may hold."""
    command = f"import pathlib; pathlib.Path({str(mark)!r}).touch()"
    boom = Call(exec, command)
    hidden = np.empty(2, dtype=object)
    hidden[:] = [1.0, boom]
    matrix = scipy.sparse.csc_matrix(np.eye(3))
    matrix.extra = boom
    return {
        "exec": boom,
        "eval": Call(eval, f"__import__('pathlib').Path({str(mark)!r}).touch()"),
        "subprocess": Call(subprocess.check_call, ["touch", str(mark)]),
        "a path": Call(pathlib.Path.touch, mark),
        "import": Call(__import__, "os", None, None, [], 0, state=None),
        "an array of objects": hidden,
        "an array's subclass": Call(np.ndarray.__reduce__(np.zeros(1))[0], Pretender, (0,), b"b"),
        "state of a sparse matrix": matrix,
        "numpy.save": Call(np.save, str(mark), np.zeros(1)),
        "numpy's tests": Call(np.testing._private.utils.runstring, command, {}),
        "made anew": Maker(str(mark)),
        "a class's own state": Call(Pretender, state={"path": str(mark)}),
        "nested": {"a": [{"b": (boom,)}]},
        "a set": {"a": [frozenset([Hashable(exec, command)])]},
    }


class Maker:
    """Its making leaves the mark."""

    def __new__(cls, path):
        open(path, "w").close()
        self = super().__new__(cls)
        self.path = path
        return self

    def __getnewargs__(self):
        return (self.path,)


class Hashable(Call):
    def __hash__(self):
        return 1


class Pretender(np.ndarray):
    """A class whose making and whose state both do something."""

    def __new__(cls, *args):
        if args and isinstance(args[0], str):
            open(args[0], "w").close()
        return super().__new__(cls, (1,))

    def __setstate__(self, state):
        if isinstance(state, dict):
            open(state["path"], "w").close()

    def __array_finalize__(self, other):
        pass


NAMES = (
    "exec", "eval", "subprocess", "a path", "import", "an array of objects", "an array's subclass",
    "state of a sparse matrix", "numpy.save", "numpy's tests", "made anew", "a class's own state", "nested", "a set",
)  # fmt: skip
WITHOUT_A_MARK = ("import", "an array's subclass")


@pytest.mark.parametrize("protocol", [0, 2, 4])
@pytest.mark.parametrize("name", NAMES)
def test_a_payload_never_runs(tmp_path, name, protocol):
    mark = tmp_path / "ran.npy"
    content = {"v_template": np.zeros((3, 3)), "extra": objects(mark)[name]}
    raw = pickle.dumps(content, protocol=protocol)
    mark.unlink(missing_ok=True)
    if name not in WITHOUT_A_MARK and (name, protocol) != ("made anew", 0):  # it is a real attack
        pickle.loads(raw)
        assert mark.exists()
        mark.unlink()
    (tmp_path / "bad.pkl").write_bytes(raw)
    with pytest.raises(MotionFileError, match="refused: the pickle asks for"):
        im.load_body(tmp_path / "bad.pkl")
    assert [p.name for p in tmp_path.iterdir()] == ["bad.pkl"]


@pytest.mark.parametrize("name", hand_made("x"))
def test_hand_made_payloads_never_run(tmp_path, name):
    mark = tmp_path / "ran"
    raw = hand_made(mark)[name]
    pickle.loads(raw)
    assert mark.exists()
    mark.unlink()
    (tmp_path / "bad.pkl").write_bytes(raw)
    with pytest.raises(MotionFileError, match="refused: the pickle asks for"):
        im.load_body(tmp_path / "bad.pkl")
    assert not mark.exists()


def tampered():
    """Name → pickle whose names are all allowed, and whose content lies."""
    array, reconstruct = b"cnumpy\nndarray\n", b"cnumpy.core.multiarray\n_reconstruct\n"
    blank = reconstruct + array + b"K\x00\x85" + word("b") + b"\x87R"

    def filled(shape, code, data, order=b"\x89", dtype_state=b""):
        dtype = b"cnumpy\ndtype\n" + word(code) + b"\x89\x88\x87R" + dtype_state
        return b"}" + word("a") + blank + b"(K\x01" + shape + dtype + order + data + b"tbs."

    four = b"K\x04\x85"
    flags = b"(K\x03X\x01\x00\x00\x00|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    record = b"(K\x03X\x01\x00\x00\x00|N(X\x01\x00\x00\x00at}J\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    return {
        "addresses for objects": filled(four, "O8", b"C\x20" + b"\x41" * 32, dtype_state=flags),
        "bytes for objects": filled(four, "O8", b"C\x20" + b"\x41" * 32),
        "more than there is": filled(b"J\xff\xff\xff\x7fJ\xff\xff\xff\x7f\x86", "f8", b"C\x08" + b"\0" * 8),
        "negative": filled(b"J\xff\xff\xff\xff\x85", "f8", b"C\x08" + b"\0" * 8),
        "no shape": filled(b"N", "f8", b"C\x08" + b"\0" * 8),
        "records": filled(four, "V4", b"C\x10" + b"\0" * 16, dtype_state=record),
        "odd type": filled(four, "f8,O", b"C\x20" + b"\0" * 32),
        "type is a number": b"}" + word("a") + blank + b"(K\x01" + four + b"K\x07\x89C\x04abcdtbs.",
        "never filled": b"}" + word("a") + blank + b"s.",
        "rebuilds a function": reconstruct + b"c_codecs\nencode\nK\x00\x85" + word("b") + b"\x87R.",
        "rebuilds a set": reconstruct + b"cbuiltins\nset\nK\x00\x85" + word("b") + b"\x87R.",
        "state for a class": array + b"}" + word("x") + b"K\x01sb.",
        "state for a function": b"c_codecs\nencode\n}" + word("__code__") + b"K\x01sb.",
        "slots of a class": array + b"N}" + word("__reduce__") + b"K\x01s\x86b.",
        "a persistent name": b"Pid\n.",
        "an extension": b"\x82\x01.",
        "text by another codec": b"c_codecs\nencode\n" + word("hi") + word("zip") + b"\x86R.",
        "cut short": pickle.dumps({"a": np.zeros(100)})[:-40],
        "length of 2 GB": b"X\xff\xff\xff\x7fabc.",
        "a list": pickle.dumps([1, 2]),
        "nothing": b"",
    }


@pytest.mark.parametrize("name", tampered())
def test_tampered_arrays_are_refused(tmp_path, name):
    (tmp_path / "bad.pkl").write_bytes(tampered()[name])
    with pytest.raises(MotionFileError, match=r"bad\.pkl"):
        im.load_body(tmp_path / "bad.pkl")
    # the next file does not feel it
    (tmp_path / "good.pkl").write_bytes(pickle.dumps({"a": np.arange(3)}, protocol=2))
    assert load_pickled_arrays(tmp_path / "good.pkl")["a"].tolist() == [0, 1, 2]
