"""Sensors of your own: a YAML file of places, and a sensor model put together from error terms."""

import tempfile
from pathlib import Path

import numpy as np

import imusim as im
from imusim.conventions import Q_WB_REST
from imusim.sensor import Bias, Quantisation, Sensor, WhiteNoise

PLACES = """
- left_wrist                       # a named place as it is
- name: watch_worn_high            # the same, 3 cm up the forearm
  base: left_wrist
  offset_m: [-0.03, 0.0, 0.0]
- name: at_a_point                 # the skin nearest to a point of the rest pose (x left, y up, z forward)
  position_m: [0.0, 0.3, 0.12]
"""


def main() -> im.Recording:
    """Simulate three places on a body that stands still for two seconds."""
    body = im.open_body()
    t = np.arange(100) / 50
    q = np.tile([1.0, 0.0, 0.0, 0.0], (t.size, len(body.joint_names), 1))
    q[:, 0] = Q_WB_REST
    motion = im.Motion(t, np.tile([0.0, 0.0, 0.95], (t.size, 1)), q, body=body)
    sensor = Sensor(
        "mine",
        (
            Bias(acc_limit_m_s2=0.2, gyro_limit_rad_s=0.01),
            WhiteNoise(acc_density_one_sided=1e-3, gyro_density_one_sided=1e-4),
            Quantisation(acc_lsb_m_s2=0.005, gyro_lsb_rad_s=0.001),
        ),
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "places.yaml"
        path.write_text(PLACES)
        rec = im.simulate(motion, path, sensor=sensor, rate_hz=100, seed=1, smoothing="none")
    for i, name in enumerate(rec.sensors):
        print(f"{name:<16} mean acc {rec.acc[:, i].mean(axis=0).round(2)} m/s²")
    return rec


if __name__ == "__main__":
    main()
