"""Known poses of rigid frames (motion capture, a robot arm) become IMU signals: no body needed."""

import numpy as np

import imusim as im


def main() -> im.Recording:
    """Put a sensor 20 cm out on a turntable that makes half a turn a second, in the pose's own frames."""
    t = np.arange(0, 4, 0.01)
    angle = np.pi * t
    position = np.zeros((t.size, 1, 3))
    orientation = np.stack([np.cos(angle / 2), 0 * t, 0 * t, np.sin(angle / 2)], axis=-1)[:, None]
    table = im.Trajectory(t, position, orientation)
    rec = im.simulate(table.mounted([0.2, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0]), sensor="ideal", rate_hz=200)
    middle = rec.acc[rec.time_s.size // 2, 0]
    print(f"acc {middle.round(3)} m/s²: -ω²r = {-(np.pi**2) * 0.2:.3f} inwards, 9.807 up")
    return rec


if __name__ == "__main__":
    main()
