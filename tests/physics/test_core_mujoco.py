"""MuJoCo as an independent oracle: given the same positions, velocities and accelerations, the same IMU signals."""

import numpy as np
import pytest
from core_cases import LEVER_M, Sinusoids, TreeBody, signals

from imusim import rotation as r
from imusim.kinematics import BodyTrajectory, Sites
from imusim.trajectory import Trajectory
from imusim.types import Motion

mujoco = pytest.importorskip("mujoco")


def body_rates(nodes):
    """Unit quaternion, ω and α in the turning frame's own axes, from q, q̇, q̈ (4, 3): a third way to write it."""
    q, dq, ddq = nodes.T
    n = np.linalg.norm(q)
    u = q / n
    du = dq / n - u * (u @ dq) / n
    ddu = ddq / n - 2 * du * (u @ dq) / n - u * (du @ dq + u @ ddq) / n
    omega = 2 * r.multiply(r.conjugate(u), du)[1:]
    alpha = 2 * (r.multiply(r.conjugate(u), ddu) + r.multiply(r.conjugate(du), du))[1:]
    return u, omega, alpha


def tree_xml(parents, offsets, sites):
    """A model of the tree: a free joint, then ball joints; sites given as (body, position, quaternion)."""
    children = {j: [k for k, p in enumerate(parents) if p == j] for j in range(-1, len(parents))}

    def text(v):
        return " ".join(repr(float(x)) for x in v)

    def body(j):
        joint = "<freejoint/>" if parents[j] < 0 else '<joint type="ball"/>'
        marks = "".join(
            f'<site name="s{i}" pos="{text(p)}" quat="{text(q)}"/>'
            for i, (b, p, q) in enumerate(sites)
            if b == j
        )
        inner = "".join(body(k) for k in children[j])
        return (
            f'<body name="b{j}" pos="{text(offsets[j])}"><inertial pos="0 0 0" mass="1" diaginertia="1 1 1"/>'
            f"{joint}{marks}{inner}</body>"
        )

    return f'<mujoco><option gravity="0 0 -9.80665"/><worldbody>{body(0)}</worldbody></mujoco>'


def order_of_joints(model, count):
    """qpos and qvel addresses of every body's joint."""
    ids = [mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_BODY, f"b{j}") for j in range(count)]
    joint = [model.body_jntadr[i] for i in ids]
    return [model.jnt_qposadr[k] for k in joint], [model.jnt_dofadr[k] for k in joint]


def read_sites(model, data, count):
    mujoco.mj_fwdPosition(model, data)
    mujoco.mj_fwdVelocity(model, data)
    mujoco.mj_rnePostConstraint(model, data)
    acc, gyro, x = np.empty((count, 3)), np.empty((count, 3)), np.empty((count, 3))
    buffer = np.empty(6)
    for s in range(count):
        i = mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_SITE, f"s{s}")
        mujoco.mj_objectAcceleration(model, data, mujoco.mjtObj.mjOBJ_SITE, i, buffer, 1)
        acc[s] = buffer[3:]
        mujoco.mj_objectVelocity(model, data, mujoco.mjtObj.mjOBJ_SITE, i, buffer, 1)
        gyro[s] = buffer[:3]
        x[s] = data.site_xpos[i]
    return x, acc, gyro


def set_root(data, at_q, at_v, position, nodes):
    u, omega, alpha = body_rates(nodes)
    data.qpos[at_q : at_q + 3], data.qpos[at_q + 3 : at_q + 7] = position[:, 0], u
    data.qvel[at_v : at_v + 3], data.qvel[at_v + 3 : at_v + 6] = position[:, 1], omega
    data.qacc[at_v : at_v + 3], data.qacc[at_v + 3 : at_v + 6] = position[:, 2], alpha


def test_rigid_frame_with_lever_arm():
    case, t = Sinusoids(1), np.arange(301) / 100
    turn = r.random(seed=3)
    base = Trajectory(t, *case.pose(t))
    out = np.linspace(0.1, 2.9, 57)
    f, w = signals(base.mounted(LEVER_M, turn).kinematics(out))
    model = mujoco.MjModel.from_xml_string(tree_xml([-1], [np.zeros(3)], [(0, LEVER_M, turn)]))
    data = mujoco.MjData(model)
    nodes = base._groups[0].splines[0].evaluate(out)
    for i in range(out.size):
        set_root(data, 0, 0, nodes[i, :3], nodes[i, 3:])
        _, acc, gyro = read_sites(model, data, 1)
        np.testing.assert_allclose(f[i], acc, atol=1e-12)
        np.testing.assert_allclose(w[i], gyro, atol=1e-13)


def test_joint_tree_with_a_site_on_every_bone():
    body = TreeBody()
    joints = body.parents.size
    case, t = Sinusoids(joints), np.arange(301) / 100
    p, q = case.pose(t)
    q[:, 3] = r.random(seed=8)  # a joint that never moves
    bt = BodyTrajectory(Motion(t, p[:, 0], q, body), smoothing="none")
    g = np.random.default_rng(0)
    local, turns = g.uniform(-0.2, 0.2, (joints, 3)), r.random(joints, seed=5)
    sites = Sites(
        tuple(f"s{j}" for j in range(joints)),
        np.eye(joints),
        np.eye(joints)[:, :, None] * local[:, None],
        np.zeros((joints, 3)),
        turns,
    )
    out = np.linspace(0.1, 2.9, 57)
    k = bt.kinematics(out, sites)
    f, w = signals(k)
    rest = body.rest_joints()
    offsets = rest - rest[np.maximum(body.parents, 0)]
    spec = [(j, local[j], turns[j]) for j in range(joints)]
    model = mujoco.MjModel.from_xml_string(tree_xml(body.parents, offsets, spec))
    data = mujoco.MjData(model)
    at_q, at_v = order_of_joints(model, joints)
    piece = bt._pieces[0]
    nodes = piece.spline.evaluate(out)
    still = np.zeros((4, 3))
    still[:, 0] = q[0, 3]
    assert piece.slot[3] == -1
    for i in range(out.size):
        for j in range(joints):
            b = piece.slot[j]
            if j == 0:
                set_root(data, at_q[0], at_v[0], nodes[i, :3], nodes[i, b : b + 4])
                continue
            u, omega, alpha = body_rates(nodes[i, b : b + 4] if b >= 0 else still)
            data.qpos[at_q[j] : at_q[j] + 4] = u
            data.qvel[at_v[j] : at_v[j] + 3] = omega
            data.qacc[at_v[j] : at_v[j] + 3] = alpha
        x, acc, gyro = read_sites(model, data, joints)
        np.testing.assert_allclose(k.position[i], x, atol=1e-13)
        np.testing.assert_allclose(f[i], acc, atol=1e-12 * max(1.0, np.abs(acc).max()))
        np.testing.assert_allclose(w[i], gyro, atol=1e-13 * max(1.0, np.abs(gyro).max()))
        centres = [data.body(f"b{j}").xpos for j in range(joints)]
        np.testing.assert_allclose(bt.joints(out[i : i + 1])[0], centres, atol=1e-13)
