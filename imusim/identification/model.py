"""The measurement model of one sensor: what it should have read, and how that depends on the parameters.

In the source frame's axes, with lever arm r, ``F = f + α × r + ω × (ω × r)`` (``f`` with the body's scale s:
``s a − g``). The real sensor, turned by R (real → frame), reads

(on a soft mount what `imusim.sensor.rocking.Mount` makes of F and ω there)

``acc = S_a Rᵀ F + b_a``,  ``gyro = S_g Rᵀ ω + b_g``, at ``t_source = t + δ + κ (t − t₀)``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from imusim.identification.parameters import Parameters
from imusim.identification.soft import Gridded, ridden
from imusim.identification.sources import Seen, Source
from imusim.rotation import to_matrix
from imusim.types import Floats

_STEP_S = 2e-3
_STEPS = {
    "leverarm": (1e-4,) * 3,
    "bodyscale": (1e-4,),
    "softtissue": (1e-4, 1e-4, 1e-4, 1e-4, 1e-4, 1e-2, 1e-2, 1e-2),
}


def skew(v: Floats) -> Floats:
    """Matrices (N, 3, 3) of cross products with v (N, 3)."""
    out = np.zeros((v.shape[0], 3, 3))
    out[:, 0, 1], out[:, 0, 2], out[:, 1, 2] = -v[:, 2], v[:, 1], -v[:, 0]
    out[:, 1, 0], out[:, 2, 0], out[:, 2, 1] = v[:, 2], -v[:, 1], v[:, 0]
    return out


def at_lever(seen: Seen, lever: Floats, body_scale: float = 1.0) -> Floats:
    """Return the specific force (N, 3) · m/s² at a lever arm (3,) · m from the frame's origin."""
    force = seen.force
    if body_scale != 1.0 and seen.moving is not None:
        force = force + (body_scale - 1.0) * seen.moving
    if not lever.any():
        return force
    swing = np.cross(seen.rate, lever)
    return force + np.cross(seen.turn, lever) + np.cross(seen.rate, swing)


def seen_there(source: Source, at: Floats, p: Parameters, seen: Seen | None = None) -> tuple[Floats, Floats]:
    """Return specific force and rate (N, 3), frame axes, at the source's instants, of the sensor as it is mounted."""
    seen = source.at(at) if seen is None else seen
    force, rate = at_lever(seen, p.lever_arm_m, p.body_scale), seen.rate
    if p.mount is not None:
        force, rate = ridden(source if isinstance(source, Gridded) else Gridded(source), p, at, force, rate)
    return force, rate


def predict(source: Source, time_s: Floats, p: Parameters) -> Floats:
    """Return what the real sensor should have read at its instants (N,) · s: (N, 6), acc then gyro."""
    force, rate = seen_there(source, p.source_time(time_s), p)
    turn = to_matrix(p.rotation_wxyz)
    return np.hstack([(force @ turn) * p.acc_scale + p.acc_bias, (rate @ turn) * p.gyro_scale + p.gyro_bias])


def linearise(source: Source, time_s: Floats, p: Parameters, blocks: Sequence[str]) -> tuple[Floats, Floats]:
    """Return the prediction (N, 6) and its Jacobian (N, 6, P) by the parameters of the blocks."""
    at = p.source_time(time_s)
    seen = source.at(at)
    turn = to_matrix(p.rotation_wxyz)
    force, rate = seen_there(source, at, p, seen)
    u, w = force @ turn, rate @ turn
    sa, sg = p.acc_scale, p.gyro_scale
    columns: list[Floats] = []

    def add(acc: Floats | None, gyro: Floats | None) -> None:
        """Append columns (N, 3, k)."""
        k = (acc if acc is not None else gyro).shape[2]  # pyright: ignore[reportOptionalMemberAccess]
        column = np.zeros((time_s.size, 6, k))
        if acc is not None:
            column[:, :3] = acc
        if gyro is not None:
            column[:, 3:] = gyro
        columns.append(column)

    def by_steps(block: str) -> None:
        """Append the columns of a block that a soft mount feels too, by small steps."""
        steps = _STEPS[block]
        acc, gyro = np.empty((2, time_s.size, 3, len(steps)))
        for k, size in enumerate(steps):
            moved = p.moved(size * np.eye(len(steps))[k], (block,))
            there = seen_there(source, at, moved, seen)
            acc[:, :, k] = ((there[0] - force) @ turn) * sa / size
            gyro[:, :, k] = ((there[1] - rate) @ turn) * sg / size
        add(acc, gyro)

    if "time" in blocks or "skew" in blocks:
        slope = _slopes(source, at, seen, p)
        rise = ((slope[0] @ turn) * sa)[:, :, None], ((slope[1] @ turn) * sg)[:, :, None]
        if "time" in blocks:
            add(*rise)
        if "skew" in blocks:
            since = (time_s - p.time_reference_s)[:, None, None]
            add(rise[0] * since, rise[1] * since)
    if "rotation" in blocks:
        add(sa[:, None] * skew(u), sg[:, None] * skew(w))
    if "leverarm" in blocks and p.mount is not None:
        by_steps("leverarm")
    elif "leverarm" in blocks:
        spin = skew(seen.rate)
        add(sa[:, None] * np.einsum("ji,njk->nik", turn, skew(seen.turn) + spin @ spin), None)
    if "bias" in blocks:
        one = np.broadcast_to(np.eye(3), (time_s.size, 3, 3))
        add(one, None)
        add(None, one)
    if "scale" in blocks:
        add(u[:, :, None] * np.eye(3), None)
        add(None, w[:, :, None] * np.eye(3))
    if "bodyscale" in blocks and p.mount is not None:
        by_steps("bodyscale")
    elif "bodyscale" in blocks:
        moving = seen.moving if seen.moving is not None else np.zeros_like(seen.force)
        add(((moving @ turn) * sa)[:, :, None], None)
    if "softtissue" in blocks:
        by_steps("softtissue")
    jacobian = np.concatenate(columns, axis=2) if columns else np.zeros((time_s.size, 6, 0))
    return np.hstack([u * sa + p.acc_bias, w * sg + p.gyro_bias]), jacobian


def _slopes(source: Source, at: Floats, seen: Seen, p: Parameters) -> tuple[Floats, Floats]:
    """Time derivatives of `seen_there`, (N, 3) each."""
    if p.mount is not None:
        before = np.maximum(at - _STEP_S, source.span[0])
        after = np.minimum(at + _STEP_S, source.span[1])
        both = seen_there(source, np.concatenate([before, after]), p)
        n, width = at.size, np.maximum(after - before, 1e-9)[:, None]
        return (both[0][n:] - both[0][:n]) / width, (both[1][n:] - both[1][:n]) / width
    d, r = source.slopes(at), p.lever_arm_m
    force = d.force
    if p.body_scale != 1.0 and d.moving is not None:
        force = force + (p.body_scale - 1.0) * d.moving
    if r.any():
        force = (
            force
            + np.cross(d.turn, r)
            + np.cross(d.rate, np.cross(seen.rate, r))
            + np.cross(seen.rate, np.cross(d.rate, r))
        )
    return force, d.rate


def corrected(values: Floats, p: Parameters) -> Floats:
    """Undo the real sensor's errors and turn its readings (N, 6) into the source frame's axes."""
    turn = to_matrix(p.rotation_wxyz).T
    acc = (values[:, :3] - p.acc_bias) / p.acc_scale
    gyro = (values[:, 3:] - p.gyro_bias) / p.gyro_scale
    return np.hstack([acc @ turn, gyro @ turn])
