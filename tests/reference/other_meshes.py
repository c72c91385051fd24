"""The open body's surface with other triangles, other joints and other numbers of them: bodies as strangers bring them."""

from dataclasses import replace

import numpy as np

import imusim as im
from imusim.body import SkinnedBody
from imusim.body.hands import JOINT_NAMES


def coarse(edge_m, seed=0):
    """Vertices within a cube of that edge become one; their order is shuffled."""
    body = im.open_body()
    cell = np.floor(body.v_template / edge_m + 0.5).astype(np.int64)
    owner = body.weights.argmax(axis=1)
    _, group = np.unique(np.column_stack([cell, owner]), axis=0, return_inverse=True)
    group = group.ravel()
    group = np.random.default_rng(seed).permutation(group.max() + 1)[group]
    count = np.bincount(group).astype(float)

    def mean(values):
        out = np.zeros((count.size, *values.shape[1:]))
        np.add.at(out, group, values)
        return out / count.reshape(-1, *[1] * (values.ndim - 1))

    faces = group[body.faces]
    faces = faces[(faces != np.roll(faces, 1, axis=1)).all(axis=1)]
    return _body(mean(body.v_template), mean(body.shapedirs), mean(body.weights), faces)


def fine(seed=0):
    """Every triangle becomes four; the order of the vertices is shuffled."""
    body = im.open_body()
    edges = np.sort(body.faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    unique, number = np.unique(edges, axis=0, return_inverse=True)
    middle = len(body.v_template) + number.reshape(-1, 3)
    a, b, c = body.faces.T
    ab, bc, ca = middle.T
    faces = np.concatenate(
        [np.stack(t, axis=1) for t in ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca))]
    )
    order = np.random.default_rng(seed).permutation(len(body.v_template) + len(unique))
    place = np.argsort(order)

    def all_of(values):
        return np.concatenate([values, values[unique].mean(axis=1)])[order]

    return _body(all_of(body.v_template), all_of(body.shapedirs), all_of(body.weights), place[faces])


def _body(template, shapedirs, weights, faces, joints=None):
    """A body whose joints are where the open body's are, by the smallest regressor that says so."""
    model = im.open_body()
    joints = model.rest_joints() if joints is None else joints
    basis = np.einsum("jv,vcb->jcb", model.J_regressor, model.shapedirs)
    known = np.concatenate(
        [template, np.ones((len(template), 1)), shapedirs.reshape(len(template), -1)], axis=1
    )
    wanted = np.concatenate([joints, np.ones((24, 1)), basis.reshape(24, -1)], axis=1)
    regressor = wanted @ np.linalg.pinv(known)
    names = model.joint_names
    return SkinnedBody("made", names, model.parents, template, shapedirs, regressor, weights, faces)


def with_other_joints(body, moves):
    """The same skin around joints that are elsewhere: name → (3,) m."""
    joints = body.rest_joints()
    for name, by in moves.items():
        joints[body.joint_names.index(name)] += by
    return _body(body.v_template, body.shapedirs, body.weights, body.faces, joints)


def with_fingers(body):
    """SMPL-X's 55 joints on the open body's skin: fingers by where they lie across the hand, jaw and eyes."""
    names, known = JOINT_NAMES[55], body.joint_names
    x = body.v_template
    weights = np.zeros((len(x), 55))
    regressor = np.zeros((55, len(x)))
    for j, name in enumerate(names):
        if name in known:
            weights[:, j] = body.weights[:, known.index(name)]
            regressor[j] = body.J_regressor[known.index(name)]
    for side in ("left", "right"):
        hand = body.weights[:, known.index(f"{side}_hand")]
        mine = hand > 1e-9
        out = np.abs(x[:, 0])
        z = x[mine, 2]
        for k, finger in enumerate(("index", "middle", "ring", "pinky")):
            low, high = np.quantile(z, [0.75 - 0.25 * k, 1.0 - 0.25 * k])
            within = mine & (x[:, 2] >= low) & ((x[:, 2] < high) | (k == 0))
            start = out[mine].min()
            length = (out[mine].max() - start) / 3.0
            for i in (1, 2, 3):
                j = names.index(f"{side}_{finger}{i}")
                part = within & (np.clip((out - start) // length, 0, 2) == i - 1)
                weights[part, j] = hand[part]
                near = part if part.any() else within
                regressor[j, near] = 1.0 / near.sum()
                if i == 1:  # at the knuckles, half way to the finger's own line
                    knuckles = body.J_regressor[known.index(f"{side}_hand")]
                    regressor[j] = 0.8 * knuckles + 0.2 * regressor[j]
        for i in (1, 2, 3):
            j = names.index(f"{side}_thumb{i}")
            regressor[j] = body.J_regressor[known.index(f"{side}_wrist")]
    head = known.index("head")
    for name, within in (
        ("jaw", (x[:, 1] < 0.58) & (x[:, 2] > 0.08)),
        ("left_eye", np.linalg.norm(x - [0.03, 0.64, 0.122], axis=1) < 0.017),
        ("right_eye", np.linalg.norm(x - [-0.03, 0.64, 0.122], axis=1) < 0.017),
    ):
        part = within & (body.weights[:, head] > 0.5)
        weights[part, names.index(name)] = weights[part, names.index("head")]
        weights[part, names.index("head")] = 0.0
        regressor[names.index(name), part] = 1.0 / part.sum()
    from smpl_family import parents

    return replace(
        SkinnedBody("fingers", names, parents(55), x, body.shapedirs, regressor, weights, body.faces),
        metadata={},
    )
