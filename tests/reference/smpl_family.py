"""Files with the keys, sizes and types of SMPL, SMPL-H and SMPL-X as their authors hand them out, all numbers made up."""

import numpy as np

from imusim.body.hands import JOINT_NAMES

SIZES = {"smpl": (6890, 13776, 24), "smplh": (6890, 13776, 52), "smplx": (10475, 20908, 55)}
_SMPL_PARENTS = (-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 20, 21)


def parents(joints):
    """Parents of the kind's tree: fingers on the wrist, jaw and eyes on the head."""
    names, body = JOINT_NAMES[joints], JOINT_NAMES[24]
    out = [-1]
    for j, name in enumerate(names[1:], start=1):
        if name in body:
            out.append(_SMPL_PARENTS[body.index(name)])
        elif name in ("jaw", "left_eye", "right_eye"):
            out.append(body.index("head"))
        else:
            out.append(body.index(name.split("_")[0] + "_wrist") if name.endswith("1") else j - 1)
    return np.array(out)


def made_up(kind, seed=0, shapes=None):
    """The arrays of a model file; `shapes` directions (SMPL: 10, SMPL-H: 16, SMPL-X: 400 unless given)."""
    rng = np.random.default_rng(seed)
    count, triangles, joints = SIZES[kind]
    shapes = shapes or {"smpl": 10, "smplh": 16, "smplx": 400}[kind]
    template = rng.uniform(-1.0, 1.0, (count, 3)) * [0.9, 0.9, 0.15]
    weights = np.zeros((count, joints))
    rows = np.arange(count)[:, None]
    weights[rows, rng.integers(0, joints, (count, 4))] = rng.random((count, 4)) + 0.05
    weights /= weights.sum(axis=1, keepdims=True)
    regressor = np.zeros((joints, count))
    for j in range(joints):
        some = rng.choice(count, 30, replace=False)
        regressor[j, some] = rng.dirichlet(np.ones(30))
    tree = np.array([parents(joints), np.arange(joints)])
    tree[0, 0] = 2**32 - 1
    return {
        "v_template": template,
        "shapedirs": 0.01 * rng.standard_normal((count, 3, shapes)),
        "posedirs": (0.003 * rng.standard_normal((count, 3, 9 * (joints - 1)), dtype=np.float32)),
        "J_regressor": regressor,
        "kintree_table": tree.astype(np.uint32),
        "weights": weights,
        "f": rng.integers(0, count, (triangles, 3)).astype(np.uint32),
        **_hands(kind, rng),
        **_face(kind, rng),
    }


def _hands(kind, rng):
    if kind == "smpl":
        return {}
    out = {}
    for side in "lr":
        out[f"hands_mean{side}"] = rng.normal(0, 0.3, 45)
        out[f"hands_components{side}"] = np.linalg.qr(rng.standard_normal((45, 45)))[0]
        out[f"hands_coeffs{side}"] = rng.standard_normal((100, 45))
    return out


def _face(kind, rng):
    if kind != "smplx":
        return {}
    count, triangles, _ = SIZES[kind]
    return {
        "lmk_faces_idx": rng.integers(0, triangles, 51),
        "lmk_bary_coords": rng.dirichlet(np.ones(3), 51),
        "dynamic_lmk_faces_idx": rng.integers(0, triangles, (79, 17)),
        "dynamic_lmk_bary_coords": rng.dirichlet(np.ones(3), (79, 17)),
        # dictionaries in arrays: an npz has to pickle them, and nobody needs them
        "joint2num": np.array({n: i for i, n in enumerate(JOINT_NAMES[55])}, dtype=object),
        "part2num": np.array({"rest": 0}, dtype=object),
        "vt": rng.random((count, 2)),
        "ft": rng.integers(0, count, (triangles, 3)),
    }
