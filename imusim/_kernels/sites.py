"""Points on the skin with exact derivatives: linear in the joint transforms, orientation by polar projection."""

import numpy as np
from numba import njit

from imusim._kernels.kinematics import lever, tree
from imusim._kernels.spline import basis, combine, locate


@njit(cache=True, error_model="numpy", nogil=True)
def polar(m, r):
    """Nearest rotation of m (3,3) → r (3,3); returns False if m is singular or turns space inside out.

    Newton's iteration R ← (g R + R⁻ᵀ/g)/2 with Higham's scaling (SIAM J. Sci. Stat. Comput. 7, 1986).
    """
    r[:] = m
    c = np.empty((3, 3))
    for _ in range(40):
        c[0, 0] = r[1, 1] * r[2, 2] - r[1, 2] * r[2, 1]
        c[0, 1] = r[1, 2] * r[2, 0] - r[1, 0] * r[2, 2]
        c[0, 2] = r[1, 0] * r[2, 1] - r[1, 1] * r[2, 0]
        c[1, 0] = r[0, 2] * r[2, 1] - r[0, 1] * r[2, 2]
        c[1, 1] = r[0, 0] * r[2, 2] - r[0, 2] * r[2, 0]
        c[1, 2] = r[0, 1] * r[2, 0] - r[0, 0] * r[2, 1]
        c[2, 0] = r[0, 1] * r[1, 2] - r[0, 2] * r[1, 1]
        c[2, 1] = r[0, 2] * r[1, 0] - r[0, 0] * r[1, 2]
        c[2, 2] = r[0, 0] * r[1, 1] - r[0, 1] * r[1, 0]
        det = r[0, 0] * c[0, 0] + r[0, 1] * c[0, 1] + r[0, 2] * c[0, 2]
        if not det > 1e-12:
            return False
        g = det ** (-1.0 / 3.0)
        if abs(g - 1.0) < 1e-3:
            g = 1.0
        change = 0.0
        f = 0.5 / (g * det)
        g *= 0.5
        for i in range(3):
            for j in range(3):
                new = g * r[i, j] + f * c[i, j]
                change = max(change, abs(new - r[i, j]))
                r[i, j] = new
        if change < 1e-9:  # the next step would be its square
            return True
    return True


@njit(cache=True, error_model="numpy", nogil=True)
def solve_symmetric(p, b, x):
    """x = (tr(p) I − p)⁻¹ b for symmetric p (3,3), b (3,), by cofactors."""
    a00, a11, a22 = p[1, 1] + p[2, 2], p[0, 0] + p[2, 2], p[0, 0] + p[1, 1]
    a01, a02, a12 = -p[0, 1], -p[0, 2], -p[1, 2]
    c00, c01, c02 = a11 * a22 - a12 * a12, a02 * a12 - a01 * a22, a01 * a12 - a02 * a11
    c11, c12, c22 = a00 * a22 - a02 * a02, a01 * a02 - a00 * a12, a00 * a11 - a01 * a01
    f = 1.0 / (a00 * c00 + a01 * c01 + a02 * c02)
    x[0] = f * (c00 * b[0] + c01 * b[1] + c02 * b[2])
    x[1] = f * (c01 * b[0] + c11 * b[1] + c12 * b[2])
    x[2] = f * (c02 * b[0] + c12 * b[1] + c22 * b[2])


@njit(cache=True, error_model="numpy", nogil=True)
def polar_rates(m, dm, ddm, r, omega, alpha):
    """Rotation, ω and α (world axes) of the polar factor of M = R P: m, dm, ddm (3,3) → r (3,3), omega, alpha (3,).

    With A = RᵀṀ = [w]P + Ṗ: vee(A − Aᵀ) = (tr(P) I − P) w. With B = RᵀM̈: vee(B − Bᵀ) = (tr(P) I − P) ẇ
    + 2 (tr(Ṗ) I − Ṗ) w + vee([w]²P − P[w]²). w is in the factor's own axes, ω = R w, α = R ẇ.
    """
    if not polar(m, r):
        return False
    p, a, b = np.empty((3, 3)), np.empty((3, 3)), np.empty((3, 3))
    for i in range(3):
        for j in range(3):
            p[i, j] = r[0, i] * m[0, j] + r[1, i] * m[1, j] + r[2, i] * m[2, j]
            a[i, j] = r[0, i] * dm[0, j] + r[1, i] * dm[1, j] + r[2, i] * dm[2, j]
            b[i, j] = r[0, i] * ddm[0, j] + r[1, i] * ddm[1, j] + r[2, i] * ddm[2, j]
    e = np.empty(3)
    w = np.empty(3)
    e[0], e[1], e[2] = a[2, 1] - a[1, 2], a[0, 2] - a[2, 0], a[1, 0] - a[0, 1]
    solve_symmetric(p, e, w)
    # Ṗ = A − [w] P
    d = a
    for c in range(3):
        d[0, c] -= w[1] * p[2, c] - w[2] * p[1, c]
        d[1, c] -= w[2] * p[0, c] - w[0] * p[2, c]
        d[2, c] -= w[0] * p[1, c] - w[1] * p[0, c]
    # [w]²P − P[w]² = w (Pw)ᵀ − (Pw) wᵀ, whose vee is (Pw) × w
    h0 = p[0, 0] * w[0] + p[0, 1] * w[1] + p[0, 2] * w[2]
    h1 = p[1, 0] * w[0] + p[1, 1] * w[1] + p[1, 2] * w[2]
    h2 = p[2, 0] * w[0] + p[2, 1] * w[1] + p[2, 2] * w[2]
    t = d[0, 0] + d[1, 1] + d[2, 2]
    e[0] = b[2, 1] - b[1, 2] - (h1 * w[2] - h2 * w[1])
    e[1] = b[0, 2] - b[2, 0] - (h2 * w[0] - h0 * w[2])
    e[2] = b[1, 0] - b[0, 1] - (h0 * w[1] - h1 * w[0])
    for c in range(3):
        e[c] -= 2.0 * (t * w[c] - d[c, 0] * w[0] - d[c, 1] * w[1] - d[c, 2] * w[2])
    dw = np.empty(3)
    solve_symmetric(p, e, dw)
    for c in range(3):
        omega[c] = r[c, 0] * w[0] + r[c, 1] * w[1] + r[c, 2] * w[2]
        alpha[c] = r[c, 0] * dw[0] + r[c, 1] * dw[1] + r[c, 2] * dw[2]
    return True


@njit(cache=True, error_model="numpy", nogil=True)
def blend(rot, omega, alpha, joint, weight, first, last, m, dm, ddm):
    """M = Σ w R over joint[first:last] and its derivatives, R̈ = ([α] + [ω]²) R: (J,3,3), (J,3) → m, dm, ddm (3,3)."""
    m[:] = 0.0
    dm[:] = 0.0
    ddm[:] = 0.0
    for n in range(first, last):
        s = weight[n]
        if s == 0.0:
            continue
        j = joint[n]
        for c in range(3):
            for i in range(3):
                m[i, c] += s * rot[j, i, c]
            lever(omega[j], alpha[j], rot[j, :, c], dm[:, c], ddm[:, c], s)


@njit(cache=True, error_model="numpy", nogil=True)
def body(
    time, nodes, query, slot, parents, offsets, fixed,
    start, joint, weight, point, lift, turn,
    pos, quat, vel, omega_out, acc, alpha_out,
):  # fmt: skip
    """Kinematics of S sites: time (n,) s, nodes (n,3,C), query (T,) s, tree as in `kinematics.tree`.

    Site s uses entries start[s]:start[s+1] of joint, weight, point (N,3) m in the joint's frame; lift (S,3) m and
    turn (S,4) wxyz are in the axes of the blended rotation. x = Σ (R point + weight p) + R̄ lift.
    Outputs (T,S,3|4), world axes. Where the blended rotation is undefined, that of the heaviest joint is taken.
    """
    n = parents.shape[0]
    x = np.empty((3, nodes.shape[2]))
    w = np.empty((3, 6))
    rot = np.empty((n, 3, 3))
    p, v, a = np.empty((n, 3)), np.empty((n, 3)), np.empty((n, 3))
    omega, alpha = np.empty((n, 3)), np.empty((n, 3))
    m, dm, ddm, r = np.empty((3, 3)), np.empty((3, 3)), np.empty((3, 3)), np.empty((3, 3))
    om, al, b = np.empty(3), np.empty(3), np.empty(3)
    k = 0
    for i in range(query.shape[0]):
        k = locate(time, query[i], k)
        basis(time, k, query[i], w)
        combine(nodes, k, w, x)
        tree(x, slot, parents, offsets, fixed, rot, p, v, a, omega, alpha)
        for s in range(lift.shape[0]):
            xs, vs, acs = pos[i, s], vel[i, s], acc[i, s]
            xs[:] = 0.0
            vs[:] = 0.0
            acs[:] = 0.0
            first, last = start[s], start[s + 1]
            heavy = first
            carried = 0
            for e in range(first, last):
                j = joint[e]
                if weight[e] != 0.0:
                    carried += 1
                    if weight[e] > weight[heavy]:
                        heavy = e
                for c in range(3):
                    b[c] = (
                        rot[j, c, 0] * point[e, 0] + rot[j, c, 1] * point[e, 1] + rot[j, c, 2] * point[e, 2]
                    )
                    xs[c] += b[c] + weight[e] * p[j, c]
                    vs[c] += weight[e] * v[j, c]
                    acs[c] += weight[e] * a[j, c]
                lever(omega[j], alpha[j], b, vs, acs, 1.0)
            single = carried == 1
            if not single:
                blend(rot, omega, alpha, joint, weight, first, last, m, dm, ddm)
                single = not polar_rates(m, dm, ddm, r, om, al)
            if single:
                j = joint[heavy]
                r[:] = rot[j]
                om[:] = omega[j]
                al[:] = alpha[j]
            for c in range(3):
                b[c] = r[c, 0] * lift[s, 0] + r[c, 1] * lift[s, 1] + r[c, 2] * lift[s, 2]
                xs[c] += b[c]
                omega_out[i, s, c] = om[c]
                alpha_out[i, s, c] = al[c]
            lever(om, al, b, vs, acs, 1.0)
            quaternion_of(r, turn[s], quat[i, s])


@njit(cache=True, error_model="numpy", nogil=True)
def quaternion_of(m, turn, out):
    """Quaternion of m (3,3) times turn (4,) wxyz → out (4,), any sign."""
    a, b, c = m[0, 0], m[1, 1], m[2, 2]
    t = a + b + c
    if t >= a and t >= b and t >= c:
        w, x, y, z = 1.0 + t, m[2, 1] - m[1, 2], m[0, 2] - m[2, 0], m[1, 0] - m[0, 1]
    elif a >= b and a >= c:
        w, x, y, z = m[2, 1] - m[1, 2], 1.0 + a - b - c, m[0, 1] + m[1, 0], m[0, 2] + m[2, 0]
    elif b >= c:
        w, x, y, z = m[0, 2] - m[2, 0], m[0, 1] + m[1, 0], 1.0 - a + b - c, m[1, 2] + m[2, 1]
    else:
        w, x, y, z = m[1, 0] - m[0, 1], m[0, 2] + m[2, 0], m[1, 2] + m[2, 1], 1.0 - a - b + c
    s = 1.0 / np.sqrt(w * w + x * x + y * y + z * z)
    a, b, c, d = s * turn[0], s * turn[1], s * turn[2], s * turn[3]
    out[0] = w * a - x * b - y * c - z * d
    out[1] = w * b + x * a + y * d - z * c
    out[2] = w * c - x * d + y * a + z * b
    out[3] = w * d + x * c - y * b + z * a
