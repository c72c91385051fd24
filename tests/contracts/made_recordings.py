"""A recording with everything in it that a file could lose."""

import numpy as np

import imusim as im

ARRAYS = ("time_s", "acc", "gyro", "mag", "acc_sd", "gyro_sd", "valid", "confidence")


def recording(samples=200, sensors=("left_wrist", "right_acc_pocket", "s_2"), seed=0, **more):
    rng = np.random.default_rng(seed)
    shape = (samples, len(sensors), 3)
    acc = rng.normal(0, 20, shape) * 10.0 ** rng.integers(-12, 3, shape)
    acc[0, 0] = (-0.0, 5e-324, 1.7e308)
    acc[5:9, 1] = np.nan
    acc[:, 2] = -3.0  # whole numbers must come back as floats
    acc[:, 2, 2] = -0.0
    valid = np.ones(shape[:2], bool)
    valid[5:9, 1] = False
    fields = {
        "acc": acc,
        "gyro": rng.normal(0, 3, shape),
        "mag": rng.normal(0, 30, shape),
        "acc_sd": rng.uniform(0, 1, shape),
        "gyro_sd": rng.uniform(0, 1, shape),
        "valid": valid,
        "confidence": rng.uniform(0, 1, shape[:2]),
        "metadata": {"seed": 3, "sensor": {"name": "Bosch BMI270"}, "note": "größer", "list": [1, 2.5, None]},
    }
    return im.Recording(np.arange(samples) / 100 + 0.3, sensors=sensors, unit="m/s2", **(fields | more))


def assert_same_bits(a, b, names=ARRAYS):
    for name in names:
        x, y = getattr(a, name), getattr(b, name)
        assert (x is None) == (y is None), name
        if x is not None:
            assert x.dtype == y.dtype, name
            # every NaN is as good as another
            assert np.where(np.isnan(x), 0, x).tobytes() == np.where(np.isnan(y), 0, y).tobytes(), name
            assert (np.isnan(x) == np.isnan(y)).all(), name
