"""Every term of the fit's normal equations against residuals written a second time and differentiated numerically."""

import dataclasses

import numpy as np
import pytest
from made_tracks import FOCAL, SIZE, made_state, skeleton_of
from scipy.spatial.transform import Rotation

from imusim._kernels import fit as kernel
from imusim._kernels.fit_chain import apply_step, landmark_jacobian, place_landmarks, pose_joints
from imusim.fitting import noise, refine
from imusim.fitting.landmarks import AT, CONTACTS
from imusim.fitting.skeleton import N_DOFS, pose_prior

T = 4


@pytest.fixture(scope="module")
def case():
    """Four uneven frames, away from the optimum and with joints beyond their limits."""
    rng = np.random.default_rng(4)
    time = np.array([0.0, 0.03, 0.08, 0.11])
    skel = skeleton_of()
    state = made_state(time)
    apply_step(rng.normal(scale=0.15, size=(T, N_DOFS)), 1.0, state.root, state.balls, state.angles)
    state.angles[1, 0] = -0.2  # a knee bent backwards
    state.angles[2, 2] = 2.9
    marks = refine.pose(skel, made_state(time))[2]
    px = FOCAL * marks[..., :2] / marks[..., 2:] + 0.5 * np.asarray(SIZE)
    trust = rng.uniform(0.2, 1.0, size=(T, 33))
    trust[2, 5] = 0.0
    seen = noise.observe(time, marks, px, trust, state.root[:, 2], FOCAL, 0.5 * np.asarray(SIZE))
    weights = noise.robust_weights(seen, refine.pose(skel, state)[2], 5.0)
    rest = rng.uniform(1e3, 1e4, size=(T, len(CONTACTS)))
    rest[0] = 0.0
    up = rng.normal(size=3)
    held = noise.Held(
        np.array([AT[n] for n in CONTACTS]), rest, up / np.linalg.norm(up), rng.normal(size=(T, len(CONTACTS))),
        rng.uniform(1e2, 1e3, size=(T, len(CONTACTS))),
    )  # fmt: skip
    clip = noise.weigh(seen, weights, held)
    prior = pose_prior()
    prior = prior._replace(vel_info=rng.uniform(0.1, 1.0, size=N_DOFS))
    return skel, state, clip, prior, seen, weights, held


def forward(skel, state):
    """Landmarks (T, 33, 3) with SciPy and NumPy, written independently of the kernel."""
    chain = skel.chain
    rot, pos = {}, {}
    for j, k in enumerate(chain.parent):
        local = state.balls[:, chain.ball[j]] if chain.ball[j] >= 0 else np.eye(3)
        for h in range(2):
            if chain.hinge[j, h] >= 0:
                vectors = np.outer(state.angles[:, chain.hinge[j, h]], chain.axis[j, h])
                local = local @ Rotation.from_rotvec(vectors).as_matrix()
        rot[j] = local if k < 0 else rot[k] @ local
        pos[j] = state.root if k < 0 else pos[k] + rot[k] @ (skel.rest[j] - skel.rest[k])
    out = np.zeros((len(state.root), 33, 3))
    for l in range(33):
        for j, w in zip(chain.mark_joint[l], chain.mark_weight[l], strict=True):
            if w:
                out[:, l] += w * (pos[j] + rot[j] @ (skel.marks[l] - skel.rest[j]))
    return out


def levels_and_changes(x, info, keep, level, step):
    """Weighted residuals of an autoregressive noise's level, every frame's, and of its changes, frames first.

    Written from the noise's precision matrix: with neighbours' weights of 1 the squares add up to uᵀ C⁻¹ u, but for the
    ends, which count as if the noise had lasted before and after.
    """
    info = np.broadcast_to(info, x.shape)
    slow = np.broadcast_to((1 - keep) / (1 + keep), x.shape)
    around = np.stack([(slow[t] + slow[min(t + 1, T - 1)]) / 2 for t in range(T)])
    variance = np.where(info > 0, 1 / np.where(info > 0, info, 1.0), np.inf)
    phi = np.broadcast_to(keep, x.shape)[1:]
    tie = step * phi / (1 - phi**2) / (0.5 * (variance[1:] + variance[:-1]))
    return np.concatenate([np.sqrt(level * info * around) * x, np.sqrt(tie) * np.diff(x, axis=0)])


def residuals(skel, state, case, wanted):
    """Residuals of the least-squares cost, weighted and whitened, stacked."""
    _, _, clip, prior, seen, weights, _ = case
    marks = forward(skel, state) if wanted in ("3d", "2d", "contact", "floor") else None
    out = []
    if "3d" in wanted:
        e = marks - clip.marks3
        e = e - (clip.q3 * e).sum(1, keepdims=True) / clip.q3.sum(1, keepdims=True)
        w = weights.level3[..., None], weights.step3[..., None]
        out.append(levels_and_changes(e, seen.info3, seen.keep3[:, None], *w))
    if "2d" in wanted:
        uv = clip.focal * marks[..., :2] / marks[..., 2:] + clip.centre
        w = weights.level2[..., None], weights.step2[..., None]
        out.append(levels_and_changes(uv - clip.marks2, seen.info2[..., None], seen.keep2[:, None, None], *w))
    if "contact" in wanted:
        points = marks[:, clip.contact_mark]
        out.append(np.sqrt(clip.contact_info[1:])[..., None] * np.diff(points, axis=0))
    if "floor" in wanted:
        height = marks[:, clip.contact_mark] @ clip.floor_up
        out.append(np.sqrt(clip.floor_info) * (height - clip.floor_height))
    if "pose" in wanted:
        for k in range(state.balls.shape[1]):
            away = Rotation.from_matrix(prior.ball_mean[k]).inv() * Rotation.from_matrix(state.balls[:, k])
            out.append(np.sqrt(prior.ball_info[k]) * away.as_rotvec())
            q = Rotation.from_matrix(state.balls[:, k]).as_quat(scalar_first=True)
            twist = 2 * np.arctan2(q[:, 1:] @ prior.twist_axis[k], q[:, 0])
            out.append(np.sqrt(prior.twist_info[k]) * ((twist + np.pi) % (2 * np.pi) - np.pi))
        out.append(np.sqrt(prior.angle_info) * (state.angles - prior.angle_mean))
        over = state.angles - np.clip(state.angles, prior.angle_low, prior.angle_high)
        out.append(np.sqrt(prior.limit_info) * over)
    if "time" in wanted:
        h = np.diff(clip.time)
        steps = np.zeros((T - 1, N_DOFS))
        steps[:, :3] = np.diff(state.root, axis=0)
        for k in range(state.balls.shape[1]):
            r = Rotation.from_matrix(state.balls[:, k])
            steps[:, 3 + 3 * k : 6 + 3 * k] = (r[:-1].inv() * r[1:]).as_rotvec()
        steps[:, 3 + 3 * state.balls.shape[1] :] = np.diff(state.angles, axis=0)
        rate = steps / h[:, None]
        out.append(np.sqrt(prior.vel_info * h[:, None]) * rate)
        span = 0.5 * (h[1:] + h[:-1])[:, None]
        out.append(np.sqrt(prior.acc_info * span) * np.diff(rate, axis=0) / span)
    return np.concatenate([np.ravel(x) for x in out]).astype(complex)


def only(clip, prior, wanted):
    """The same problem with all other terms switched off."""
    if "3d" not in wanted:
        clip = clip._replace(q3=0 * clip.q3, p3=0 * clip.p3)
    if "2d" not in wanted:
        clip = clip._replace(q2=0 * clip.q2, p2=0 * clip.p2)
    if "contact" not in wanted:
        clip = clip._replace(contact_info=0 * clip.contact_info)
    if "floor" not in wanted:
        clip = clip._replace(floor_info=0 * clip.floor_info)
    if "pose" not in wanted:
        prior = prior._replace(
            ball_info=0 * prior.ball_info,
            twist_info=0 * prior.twist_info,
            angle_info=0 * prior.angle_info,
            limit_info=0.0,
        )
    if "time" not in wanted:
        prior = prior._replace(acc_info=0 * prior.acc_info, vel_info=0 * prior.vel_info)
    return clip, prior


def equations(skel, state, clip, prior, build=True):
    blocks = np.empty((3, T, N_DOFS, N_DOFS))
    gradient = np.empty((T, N_DOFS))
    cost = kernel.normal_equations(
        skel.chain, clip, prior, state.root, state.balls, state.angles, *blocks, gradient, build
    )
    return cost, blocks, gradient


def moved(state, step, scale):
    other = state.copy()
    apply_step(step, scale, other.root, other.balls, other.angles)
    return other


@pytest.mark.parametrize("wanted", ["3d", "2d", "contact", "floor", "pose", "time"])
def test_blocks_are_those_of_numerical_jacobians(case, wanted):
    skel, state, clip, prior = case[:4]
    clip, prior = only(clip, prior, wanted)
    case = (skel, state, clip, prior, *case[4:])
    cost, blocks, gradient = equations(skel, state, clip, prior)
    r = residuals(skel, state, case, wanted)
    assert cost == pytest.approx((0.5 * r @ r).real, rel=1e-7)
    assert equations(skel, state, clip, prior, build=False)[0] == pytest.approx(cost, rel=1e-12)
    jac = np.empty((r.size, T * N_DOFS), dtype=complex)
    for i in range(T * N_DOFS):
        step = np.zeros((T, N_DOFS))
        step.flat[i] = 1.0
        ahead = residuals(skel, moved(state, step, 1e-5), case, wanted)
        back = residuals(skel, moved(state, step, -1e-5), case, wanted)
        jac[:, i] = (ahead - back) / 2e-5
    want, slope = (jac.T @ jac).real, (jac.T @ r).real
    scale = np.abs(want).max()
    np.testing.assert_allclose(gradient.ravel(), slope, atol=1e-6 * np.abs(slope).max())
    for k in range(3):
        for t in range(T - k):
            rows, cols = slice(t * N_DOFS, (t + 1) * N_DOFS), slice((t + k) * N_DOFS, (t + k + 1) * N_DOFS)
            np.testing.assert_allclose(blocks[k, t], want[rows, cols], atol=1e-7 * scale)


def test_coloured_noise_is_as_strong_as_white_and_lasting_noise_at_both_ends():
    """Against the spectral density of a long autocovariance, summed."""
    for step in (1 / 30, 1 / 60, 1 / 240):
        sd, phi = noise.coloured(0.006, 0.014, 0.3, step)
        lag = np.arange(1, 4000)
        keep = np.exp(-lag * step / 0.3)
        for sign in (1.0, -1.0):
            want = 0.006**2 + 0.014**2 * (1 + 2 * (sign**lag * keep).sum())
            got = sd**2 * (1 + 2 * (sign**lag * phi**lag).sum())
            assert got == pytest.approx(want, rel=1e-6)


def test_the_cost_of_a_landmark_is_that_of_coloured_noise(case):
    """Σ q u² + 2 Σ p u u against the inverse of the covariance matrix, away from the ends."""
    seen, held = case[4], case[6]
    even = dataclasses.replace(seen, info2=np.full((T, 33), 0.25), keep2=np.full(T, 0.8))
    ones = noise.Weights(np.ones((T, 33)), np.ones((T, 33)), np.ones((T - 1, 33)), np.ones((T - 1, 33)))
    clip = noise.weigh(even, ones, held)
    got = np.diag(clip.q2[:, 0]) + np.diag(clip.p2[1:, 0], 1) + np.diag(clip.p2[1:, 0], -1)
    want = np.linalg.inv(4.0 * 0.8 ** np.abs(np.subtract.outer(np.arange(T), np.arange(T))))
    np.testing.assert_allclose(got[1:-1], want[1:-1], atol=1e-12)


def test_a_jump_loses_its_say_and_a_lasting_error_keeps_it(case):
    """5 cm for one frame against 5 cm all the time, while everything else is as it should be."""
    rng = np.random.default_rng(2)
    count = 30
    time = np.arange(count) / 30
    marks = np.repeat(refine.pose(case[0], made_state(time[:1]))[2], count, axis=0)
    depth = marks[:, 0, 2]
    px = FOCAL * marks[..., :2] / marks[..., 2:] + rng.normal(scale=0.3, size=(count, 33, 2))
    ankle, knee = AT["left_ankle"], AT["right_knee"]
    px[12, ankle] += 0.05 * FOCAL / depth[12]
    px[:, knee] += 0.05 * FOCAL / depth[0]
    seen = noise.observe(time, marks, px, np.ones((count, 33)), depth, FOCAL, np.zeros(2))
    w = noise.robust_weights(seen, marks, 2.5)
    assert w.step2[11:13, ankle].max() < 0.02
    assert w.step2[[10, 13], ankle].min() > 0.5
    assert w.level2[12, ankle] > 0.3
    np.testing.assert_allclose(w.level2[:, knee], w.level2[12, ankle], rtol=0.1)
    assert np.median(w.step2[:, knee]) > 0.8


def test_lasting_errors_pull_all_frames_alike_however_trust_flickers(case):
    """The same error in all frames pulls each by its own level only, the first and the last too."""
    seen = case[4]
    trust = np.random.default_rng(1).uniform(0.1, 1.0, (T, 33))
    even = dataclasses.replace(seen, info2=trust, keep2=np.full(T, 0.8))
    clip = noise.weigh(even, dataclasses.replace(case[5], level2=np.ones((T, 33))), case[6])
    pull = clip.q2 + clip.p2
    pull[:-1] += clip.p2[1:]
    np.testing.assert_allclose(pull, trust * (1 - 0.8) / (1 + 0.8), rtol=1e-12)


def test_landmark_jacobian_of_one_frame(case):
    skel, state = case[:2]
    joints = len(skel.joint_names)
    rot, pos, axes = np.zeros((joints, 3, 3)), np.zeros((joints, 3)), np.zeros((joints, 2, 3))

    def marks(at):
        out = np.zeros((33, 3))
        pose_joints(skel.chain, at.root[0], at.balls[0], at.angles[0], rot, pos, axes)
        place_landmarks(skel.chain, rot, pos, out)
        return out

    np.testing.assert_allclose(marks(state), forward(skel, state)[0], atol=1e-12)
    jac = np.zeros((33, 3, N_DOFS))
    landmark_jacobian(skel.chain, rot, pos, axes, jac)
    for d in range(N_DOFS):
        step = np.zeros((T, N_DOFS))
        step[0, d] = 1.0
        numerical = (marks(moved(state, step, 1e-6)) - marks(moved(state, step, -1e-6))) / 2e-6
        np.testing.assert_allclose(jac[:, :, d], numerical, atol=1e-8)
    assert np.abs(jac[AT["left_wrist"], :, 3:6]).max() > 0.1
