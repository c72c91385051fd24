"""A fit as a mapping of named numbers with their standard deviations."""

from __future__ import annotations

from typing import Any

import numpy as np

from imusim.identification.solve import Fit
from imusim.types import Floats


def summary(fit: Fit) -> dict[str, Any]:
    """Return what `ValidationReport` and `Identification` say of one sensor; their notes explain the keys."""
    p = fit.parameters

    def three(name: str) -> Floats:
        return np.array([fit.sd(f"{name}_{axis}") for axis in "xyz"])

    return {
        "time_offset_s": p.time_offset_s,
        "time_offset_s_sd": fit.sd("time_offset_s"),
        "clock_skew": p.clock_skew,
        "clock_skew_sd": fit.sd("clock_skew"),
        "time_reference_s": p.time_reference_s,
        "rotation_wxyz": p.rotation_wxyz if p.rotation_wxyz[0] >= 0 else -p.rotation_wxyz,
        "rotation_wxyz_sd": three("rotation"),
        "lever_arm_m": p.lever_arm_m,
        "lever_arm_m_sd": three("lever_arm"),
        "acc_bias": p.acc_bias,
        "acc_bias_sd": three("acc_bias"),
        "gyro_bias": p.gyro_bias,
        "gyro_bias_sd": three("gyro_bias"),
        "acc_scale": p.acc_scale,
        "acc_scale_sd": three("acc_scale"),
        "gyro_scale": p.gyro_scale,
        "gyro_scale_sd": three("gyro_scale"),
        "body_scale": p.body_scale,
        "body_scale_sd": fit.sd("body_scale"),
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
