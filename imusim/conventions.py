"""Frames, units and gravity: the page that every docstring links to.

Frames (all right-handed)
    ====  =======================================================================================
    W     world: **z up**, metres. The horizontal heading is arbitrary (the camera's, or the file's).
    C     camera: x right, y down, z forward (away from the camera), as OpenCV.
    B     body segment: the joint frame of the body model; in the rest (T) pose parallel to the body
          file's own axes (SMPL convention: x to the person's left, **y up**, z forward).
    S     sensor: the axes that the virtual device reports in.
    ====  =======================================================================================

Rotations are named ``R_ws`` / ``q_ws``: they take sensor vectors to world, ``v_w = R_ws @ v_s``.
Quaternions are Hamilton, scalar first (**wxyz**), sign-continuous in time. SciPy is xyzw.

What sensors measure
    * accelerometer: specific force ``f_s = R_wsᵀ (a_w − g_w)``, m/s², with ``g_w = (0, 0, −9.80665)``:
      +9.81 along up at rest, 0 in free fall;
    * gyroscope: angular rate of S with respect to W, in S axes, rad/s;
    * magnetometer: Earth field in S axes, µT.

Units inside are SI. Public scalars carry their unit in the name: ``rate_hz``, ``cutoff_hz``, ``height_m``.
Arrays are time-first: ``(time, sensor, 3)``.
"""

from __future__ import annotations

from typing import Final

STANDARD_GRAVITY: Final = 9.80665
"""Standard acceleration of free fall, m/s² (CGPM 1901)."""

GRAVITY_W: Final = (0.0, 0.0, -STANDARD_GRAVITY)
"""Gravity in the world frame, m/s²."""

R_WB_REST: Final = ((1.0, 0.0, 0.0), (0.0, 0.0, -1.0), (0.0, 1.0, 0.0))
"""Takes a y-up body file's axes to the z-up world: x → x, y → z, z → −y (a person facing −y_W)."""

Q_WB_REST: Final = (0.7071067811865476, 0.7071067811865476, 0.0, 0.0)
"""`R_WB_REST` as a quaternion wxyz: +90° about x."""
