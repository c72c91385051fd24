"""A fit as a mapping of named numbers with their standard deviations and 95 % intervals."""

from __future__ import annotations

from typing import Any

import numpy as np

from imusim.identification.solve import Fit


def summary(fit: Fit) -> dict[str, Any]:
    """Return what `ValidationReport` and `Identification` say of one sensor; their notes explain the keys."""
    p = fit.parameters

    def known(name: str, *axes: str) -> tuple[Any, Any]:
        numbers = [f"{name}_{axis}" for axis in axes] or [name]
        found = np.array([(fit.sd(n), fit.half_width(n)) for n in numbers])
        return tuple(found.T) if axes else tuple(found[0].tolist())

    out: dict[str, Any] = {"time_reference_s": p.time_reference_s}
    for key, value, (sd, half) in (
        ("time_offset_s", p.time_offset_s, known("time_offset_s")),
        ("clock_skew", p.clock_skew, known("clock_skew")),
        (
            "rotation_wxyz",
            p.rotation_wxyz if p.rotation_wxyz[0] >= 0 else -p.rotation_wxyz,
            known("rotation", *"xyz"),
        ),
        ("lever_arm_m", p.lever_arm_m, known("lever_arm", *"xyz")),
        ("acc_bias", p.acc_bias, known("acc_bias", *"xyz")),
        ("gyro_bias", p.gyro_bias, known("gyro_bias", *"xyz")),
        ("acc_scale", p.acc_scale, known("acc_scale", *"xyz")),
        ("gyro_scale", p.gyro_scale, known("gyro_scale", *"xyz")),
        ("body_scale", p.body_scale, known("body_scale")),
    ):
        out |= {key: value, f"{key}_sd": sd, f"{key}_95": half}
    return out | {
        **({} if p.mount is None else {"mount": _mount(fit)}),
        "residual_acc": fit.residual_sd[0],
        "residual_gyro": fit.residual_sd[1],
        "samples": fit.samples,
        "converged": fit.converged,
        "unidentified": fit.unidentified,
    }


def _mount(fit: Fit) -> dict[str, Any]:
    """The soft mount in the source frame's axes; of a mode and its mirror image the one whose largest shift is positive."""
    m = fit.parameters.mount
    assert m is not None
    shift, turn = np.asarray(m.shift), np.asarray(m.turn_per_m)
    sign = 1.0 if shift[np.argmax(np.abs(shift))] >= 0 else -1.0
    return {
        "frequency_hz": m.frequency_hz,
        "frequency_hz_sd": m.frequency_hz * fit.sd("mount_log_frequency"),
        "damping": m.damping,
        "damping_sd": m.damping * fit.sd("mount_log_damping"),
        "shift": sign * shift,
        "shift_sd": np.array([fit.sd(f"mount_shift_{a}") for a in "xyz"]),
        "turn_per_m": sign * turn,
        "turn_per_m_sd": np.array([fit.sd(f"mount_turn_{a}") for a in "xyz"]),
        "participation": m.participation,
    }
