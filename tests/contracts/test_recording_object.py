"""A recording checks what it is given, and is selected from, tabulated and measured."""

import numpy as np
import pytest
from made_recordings import assert_same_bits, recording

import imusim as im
from imusim.errors import (
    ShapeError,
    TimeError,
    UnitError,
    UnknownNameError,
)


def test_to_dataframe():
    rec = recording()
    frame = rec.to_dataframe()
    assert list(frame)[:4] == ["time_s", "left_wrist_acc_x", "left_wrist_acc_y", "left_wrist_acc_z"]
    assert frame.shape == (200, 1 + 3 * 9)
    assert (frame["s_2_gyro_y"].to_numpy() == rec.gyro[:, 2, 1]).all()
    full = rec.to_dataframe(quality=True)
    assert full.shape == (200, 1 + 3 * 17)
    assert full["right_acc_pocket_valid"].dtype == bool


def test_checks():
    t, x = np.arange(3.0), np.full((3, 1, 3), 9.0)
    with pytest.raises(ShapeError, match=r"acc has shape \(3, 2, 3\), wanted \(3, 1, 3\)"):
        im.Recording(t, np.full((3, 2, 3), 9.0), x, ("a",))
    with pytest.raises(TimeError, match="increase strictly"):
        im.Recording(t[::-1], x, x, ("a",))
    with pytest.raises(ShapeError, match="different"):
        im.Recording(t, np.full((3, 2, 3), 9.0), np.full((3, 2, 3), 9.0), ("a", "a"))
    with pytest.raises(ShapeError, match="valid has shape"):
        im.Recording(t, x, x, ("a",), valid=np.ones(5))
    with pytest.raises(
        UnitError, match=r'^acc looks like g, not m/s² \(median norm 1\.00\)\. Pass unit="g"\.'
    ):
        im.Recording(t, np.array([[[0.0, 0, 1]]] * 3), x, ("a",))
    with pytest.raises(UnitError, match="wanted"):
        im.Recording(t, x, x, ("a",), unit="ft/s2")
    g = im.Recording(t, np.array([[[0.0, 0, 1]]] * 3), x, ("a",), unit="g")
    assert g.acc[0, 0, 2] == 9.80665
    assert im.Recording(t, x, x, "a", valid=[True, False, True]).valid.tolist() == [[True], [False], [True]]


def test_rate_select_repr():
    rec = recording()
    assert rec.rate_hz == 100.0
    assert "left_wrist, right_acc_pocket, s_2: 200 samples, 1.99 s, 100 Hz, Bosch BMI270" in repr(rec)
    one = rec.select(["s_2", "left_wrist"])
    assert one.sensors == ("s_2", "left_wrist")
    assert_same_bits(one.select("left_wrist"), rec.select("left_wrist"))
    with pytest.raises(UnknownNameError, match="left_wrist"):
        rec.select("left_wrst")
    x = np.full((4, 1, 3), 9.0)
    assert im.Recording([0, 0.02, 0.04, 5.0], x, x, ("a",)).rate_hz == pytest.approx(50)
    with pytest.raises(TimeError, match="no rate"):
        _ = im.Recording([0.0], x[:1], x[:1], ("a",)).rate_hz


def test_measure_keeps_quality_and_says_which_sensor():
    rec = recording()
    noisy = im.sensor.BMI270.measure(rec, seed=5)
    assert noisy.metadata["sensor"]["name"] == "Bosch BMI270"
    assert noisy.metadata["seed"] == 5
    assert (np.isnan(noisy.acc) == np.isnan(rec.acc)).all()
    assert_same_bits(noisy, rec, ("time_s", "mag", "acc_sd", "gyro_sd", "valid", "confidence"))
    assert not np.array_equal(noisy.gyro, rec.gyro)
    assert im.sensor.ideal.measure(rec) is rec
    one = im.sensor.BMI270.measure(rec.select("s_2"), seed=5)
    assert_same_bits(one, noisy.select("s_2"), ("acc", "gyro"))
