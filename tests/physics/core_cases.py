"""Motions with known truth, shared by the tests of the continuous-time core and its benchmark."""

from dataclasses import dataclass, field

import numpy as np

from imusim import rotation as r
from imusim.conventions import GRAVITY_W

LEVER_M = np.array([0.05, 0.02, 0.10])


class Sinusoids:
    """S rigid frames, two sinusoids an axis (0.4–3 Hz) on position and on the rotation vector; closed-form truth."""

    def __init__(self, frames=17, seed=0, position_m=0.115, rotation_rad=0.65):
        g = np.random.default_rng(seed)
        self.frequency = g.uniform(0.4, 3.0, (2, 2, frames, 3))  # [position | rotation, term, frame, axis]
        self.phase = g.uniform(0.0, 2 * np.pi, self.frequency.shape)
        size = np.array([position_m, rotation_rad])[:, None, None, None]
        self.amplitude = size * g.uniform(0.5, 1.0, self.frequency.shape) / self.frequency

    def _derivative(self, which, t, order):
        w = 2 * np.pi * self.frequency[which]
        angle = w * t[:, None, None, None] + self.phase[which] + order * np.pi / 2
        return (self.amplitude[which] * w**order * np.sin(angle)).sum(axis=1)

    def pose(self, t):
        return self._derivative(0, t, 0), r.from_rotvec(self._derivative(1, t, 0))

    def rates(self, t):
        """ω and α in the world, by differentiating ω = J_l(v) v̇ = v̇ + a v×v̇ + b v×(v×v̇)."""
        v, dv, ddv = (self._derivative(1, t, k) for k in range(3))
        n = np.linalg.norm(v, axis=-1, keepdims=True)
        a, b = (1 - np.cos(n)) / n**2, (n - np.sin(n)) / n**3
        dn = (v * dv).sum(axis=-1, keepdims=True) / n
        da = (np.sin(n) / n**2 - 2 * (1 - np.cos(n)) / n**3) * dn
        db = ((1 - np.cos(n)) / n**3 - 3 * (n - np.sin(n)) / n**4) * dn
        x = np.cross
        omega = dv + a * x(v, dv) + b * x(v, x(v, dv))
        alpha = (
            ddv
            + da * x(v, dv)
            + a * x(v, ddv)
            + db * x(v, x(v, dv))
            + b * (x(dv, x(v, dv)) + x(v, x(v, ddv)))
        )
        return omega, alpha

    def imu(self, t, lever=LEVER_M):
        """Specific force and angular rate at the lever arm, in the frame's axes."""
        q = self.pose(t)[1]
        omega, alpha = self.rates(t)
        arm = r.rotate(q, lever)
        acc = self._derivative(0, t, 2) + np.cross(alpha, arm) + np.cross(omega, np.cross(omega, arm))
        return r.rotate_inverse(q, acc - GRAVITY_W), r.rotate_inverse(q, omega)

    def noisy_pose(self, t, seed, position_m=0.005, rotation_deg=1.0):
        """Poses with white noise: an axis sd in metres, and a rotation vector with an axis sd in degrees."""
        g = np.random.default_rng(seed)
        p, q = self.pose(t)
        turn = r.from_rotvec(np.radians(rotation_deg) * g.standard_normal(p.shape))
        return p + position_m * g.standard_normal(p.shape), r.multiply(q, turn)


def signals(k):
    """What perfect sensors at the frames of a Kinematics measure."""
    f = r.rotate_inverse(k.orientation, k.acceleration - np.asarray(GRAVITY_W))
    return f, r.rotate_inverse(k.orientation, k.angular_velocity)


def rms(x):
    return float(np.sqrt(np.mean(np.square(x))))


@dataclass(frozen=True)
class TreeBody:
    """A small body without skin: enough of `imusim.types.Body` for kinematics."""

    parents: np.ndarray = field(default_factory=lambda: np.array([-1, 0, 1, 2, 1, 4, 0], dtype=np.int64))
    seed: int = 0
    name: str = "tree"
    n_shape: int = 0
    weights: None = None
    faces: None = None

    @property
    def joint_names(self):
        return tuple(f"j{i}" for i in range(self.parents.size))

    def rest_joints(self, shape=None):
        steps = np.random.default_rng(self.seed).uniform(-0.4, 0.4, (self.parents.size, 3))
        out = np.zeros_like(steps)
        for j, parent in enumerate(self.parents):
            out[j] = steps[j] + (out[parent] if parent >= 0 else 0.0)
        return out

    def rest_vertices(self, shape=None):
        return None


class Strikes:
    """Gentle sinusoids on every axis; on the first half of the frames a foot strike about every second, vertical.

    A strike is a half sine of 40 m/s² and 60 ms, followed by half a second of the opposite area. Identity orientations.
    """

    WIDTH_S, PEAK, BACK_S = 0.06, 40.0, 0.5

    def __init__(self, frames=4, seconds=40, seed=0):
        g = np.random.default_rng(seed)
        self.seconds, self.struck = seconds, frames // 2
        self.frequency = g.uniform(0.4, 1.5, (2, frames, 3))
        self.phase = g.uniform(0, 2 * np.pi, self.frequency.shape)
        self.amplitude = g.uniform(0.02, 0.05, self.frequency.shape)
        self.times_s = np.cumsum(g.uniform(0.9, 1.1, seconds))[:-1]
        self._fine = np.arange(0, seconds + 1e-9, 1 / 8000)
        a = self._pulses(self._fine)
        v = np.concatenate([[0.0], np.cumsum((a[1:] + a[:-1]) / 2) / 8000])
        p = np.concatenate([[0.0], np.cumsum((v[1:] + v[:-1]) / 2) / 8000])
        self._path = p - np.polyval(np.polyfit(self._fine, p, 1), self._fine)

    def _pulses(self, t):
        a = np.zeros_like(t)
        for s in self.times_s:
            u = t - s
            first, then = (
                (u >= 0) & (u < self.WIDTH_S),
                (u >= self.WIDTH_S) & (u < self.WIDTH_S + self.BACK_S),
            )
            a[first] += self.PEAK * np.sin(np.pi * u[first] / self.WIDTH_S)
            back = self.PEAK * self.WIDTH_S / self.BACK_S
            a[then] -= back * np.sin(np.pi * (u[then] - self.WIDTH_S) / self.BACK_S)
        return a

    def _gentle(self, t, order):
        w = 2 * np.pi * self.frequency
        return (
            self.amplitude * w**order * np.sin(w * t[:, None, None, None] + self.phase + order * np.pi / 2)
        ).sum(1)

    def acceleration(self, t):
        a = self._gentle(t, 2)
        a[:, : self.struck, 2] += self._pulses(t)[:, None]
        return a

    def noisy_pose(self, t, seed, position_m):
        p = self._gentle(t, 0)
        p[:, : self.struck, 2] += np.interp(t, self._fine, self._path)[:, None]
        q = np.zeros((*p.shape[:2], 4))
        q[..., 0] = 1.0
        return p + position_m * np.random.default_rng(seed).standard_normal(p.shape), q
